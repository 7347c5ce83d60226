"""File lists of an archive's studies, and the choice of files to download."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.repeats import repeated
from bioimage_suite.core.texts import whole_number
from bioimage_suite.core.untrusted_files import fits_on_disk, safe_relative_path
from bioimage_suite.fair.archives.attribution import Attribution
from bioimage_suite.fair.archives.http import Web, ask_json, url_path, web_link
from bioimage_suite.fair.terms.json_ld import as_list, as_text
from bioimage_suite.tables.reader import read_table

CHECKSUMS = {"md5": 32, "sha1": 40, "sha256": 64}
"""Checksum kinds and their numbers of hexadecimal digits."""
WHILE_WRITTEN = ".validator"
"""The longest suffix that the name of a file gets while it is fetched."""
# Galaxy's formats by file suffix; the first match counts.
_FORMATS = {
    ".ome.tif": "ome.tiff",
    ".ome.tiff": "ome.tiff",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".png": "png",
    ".jpg": "jpg",
    ".jpeg": "jpg",
    ".csv": "csv",
    ".tsv": "tabular",
    ".txt": "txt",
    ".json": "json",
    ".xml": "xml",
    ".zip": "zip",
    ".pdf": "pdf",
    ".gz": "gz",
    ".h5": "h5",
}
_ATTRIBUTION = ("accession", "title", "licence", "citation")
_ACCESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# BioStudies' accessions: S-BIAD1026, S-BSST265, S-EPMC4194049.
_OF_BIOSTUDIES = re.compile(r"S-[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class RemoteFile:
    """A file of an archive.

    Attributes:
        path: Path within its study, separated by `/`; checked not to leave the study.
        url: Address of the file.
        size: Listed size in bytes; None when the list has none.
        checksum: `kind:hexadecimal digits`, or empty.
        study: Accession of its study in a list of several studies; else empty.
    """

    path: str
    url: str
    size: int | None = None
    checksum: str = ""
    study: str = ""

    @property
    def name(self) -> str:
        """Its path as a single name for a flat list, prefixed with the accession in a list of several studies."""
        flat = self.path.replace("/", "_")
        return f"{self.study}_{flat}" if self.study else flat

    @property
    def format(self) -> str:
        """Its Galaxy format."""
        lower = self.path.casefold()
        return next((name for end, name in _FORMATS.items() if lower.endswith(end)), "data")


def read_biostudies(web: Web, address: str, files_address: str, accession: str) -> tuple[Attribution, list[RemoteFile]]:
    """Read the attribution and the files of a BioStudies (BioImage Archive) study, including its file lists.

    Args:
        web: Limits of the requests.
        address: Address of the API, to which `/studies/<accession>` is appended.
        files_address: Address of the files, to which `/<accession>/<path>` is appended.
        accession: Accession, such as `S-BIAD1026`.

    Raises:
        UserError: The accession is malformed or unknown, the server does not answer, or a path leaves the study.
    """
    if not _ACCESSION.fullmatch(accession):
        raise UserError(f"accession {accession!r}: not an accession. Give one as S-BIAD1026.")
    study = ask_json(web, f"{address}/studies/{accession}")
    if not isinstance(study, dict) or not isinstance(study.get("section"), dict):
        raise UserError(
            f"accession {accession}: the answer describes no study. Is {address} the address of BioStudies' API?"
        )
    sections = list(_sections(study["section"]))
    entries = [entry for section in sections for entry in _flat(section.get("files"))]
    lists = (_attribute(section, "File List") for section in sections)
    for name in dict.fromkeys(name for name in lists if name):
        # BioStudies keeps a file list that was submitted as .tsv or .xlsx as .json too, with the same stem.
        path = _inside(f"{name.rpartition('.')[0] or name}.json")
        entries += _flat(ask_json(web, _file_url(files_address, accession, path)))
    files = [
        _remote_file(entry, files_address, accession) for entry in entries if as_text(entry.get("type")) != "directory"
    ]
    return _attribution(study, sections, accession), list({file.path: file for file in files}.values())


def _sections(section: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield section
    for part in _flat(section.get("subsections")):
        yield from _sections(part)


def _flat(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of nested lists: PageTab puts tables of files or sections in lists of their own."""
    for part in as_list(value):
        if isinstance(part, list):
            yield from _flat(part)
        elif isinstance(part, dict):
            yield part


def _attribute(entity: dict[str, Any], *names: str) -> str:
    wanted = {name.casefold() for name in names}
    found = (pair for pair in _flat(entity.get("attributes")) if as_text(pair.get("name")).casefold() in wanted)
    return next((as_text(pair.get("value")) for pair in found), "")


def _remote_file(entry: dict[str, Any], files_address: str, accession: str) -> RemoteFile:
    path = _inside(as_text(entry.get("path") or entry.get("name")))
    size = entry.get("size")
    sums = (_checksum(_attribute(entry, kind), kind, path) for kind in CHECKSUMS)
    checksum = next((found for found in sums if found), "") or _checksum(_attribute(entry, "checksum"), "", path)
    known = size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
    return RemoteFile(path, _file_url(files_address, accession, path), known, checksum)


def _file_url(files_address: str, accession: str, path: str) -> str:
    return f"{files_address}/{accession}/{quote(path)}"


def _inside(path: str) -> str:
    if safe_relative_path(path) is None:
        raise UserError(f"file {path!r}: its path would leave the folder of its study. Nothing was fetched.")
    if not fits_on_disk(path, WHILE_WRITTEN):
        raise UserError(f"file {path[:60]!r}...: its path is longer than a disk takes. Nothing was fetched.")
    return path


def _checksum(text: str, kind: str, path: str) -> str:
    """Normalise a checksum to `kind:digits`; a missing kind is inferred from the number of digits."""
    digits = text.strip().casefold()
    if ":" in digits:
        kind, _, digits = digits.partition(":")
    kind = kind or next((known for known, length in CHECKSUMS.items() if length == len(digits)), "")
    if not digits:
        return ""
    if len(digits) != CHECKSUMS.get(kind) or not re.fullmatch("[0-9a-f]+", digits):
        raise UserError(
            f"file {path}: {text!r} is no checksum. Known kinds are {', '.join(CHECKSUMS)}, in hexadecimal digits."
        )
    return f"{kind}:{digits}"


def _attribution(study: dict[str, Any], sections: Sequence[dict[str, Any]], accession: str) -> Attribution:
    title = _attribute(study["section"], "Title") or _attribute(study, "Title")
    licence = next((found for part in (study, *sections) if (found := _attribute(part, "License", "Licence"))), "")
    authors = [_attribute(part, "Name") for part in sections if as_text(part.get("type")).casefold() == "author"]
    year = _attribute(study, "ReleaseDate")[:4]
    people = ", ".join(name for name in authors if name)
    parts = (people + (f" ({year})" if year else ""), title, f"BioImage Archive, {accession}")
    link = f"https://www.ebi.ac.uk/biostudies/bioimages/studies/{accession}"
    return Attribution(accession, title, licence, ". ".join(part for part in parts if part) + f". {link}")


def read_file_table(path: Path, name: str, base: str) -> tuple[Attribution, list[RemoteFile]]:
    """Read the user's table of files.

    Args:
        path: CSV, TSV or XLSX with a header: `url`, or `path` with a base address. Optional columns are `size`, `md5`,
            `sha1`, `sha256` or `checksum`, and `accession`, `title`, `licence`, `citation`, of which the first filled
            row counts.
        name: Display name of the table.
        base: Base address of the `path` column, or empty.

    Raises:
        UserError: A column is missing, an address or size is invalid, or a path leaves the folder.
    """
    rows = read_table(path, name).rows
    header = [cell.casefold() for cell in rows[0].cells] if rows else []
    if "url" not in header and not ("path" in header and base):
        raise UserError(f"file list {name}: no column url. Give one, or a column path together with a base address.")
    entries = [dict(zip(header, row.cells, strict=False)) | {"line": str(row.line)} for row in rows[1:]]
    files = [_listed_file(entry, name, base) for entry in entries]
    attribution = Attribution(*(next((e[key] for e in entries if e.get(key)), "") for key in _ATTRIBUTION))
    return attribution, files


def read_studies(path: Path, name: str, max_studies: int) -> list[Attribution]:
    """Read the studies of a table of `search_archives` whose files BioStudies holds.

    Args:
        path: TSV, CSV or XLSX with column `accession`; the columns `title` and `licence` are optional.
        name: Display name of the table.
        max_studies: Largest number of studies; later ones are left out.

    Returns:
        One attribution per study, in the table's order.

    Raises:
        UserError: The column is missing, or BioStudies holds the files of none of the studies.
    """
    rows = read_table(path, name).rows
    header = [cell.casefold() for cell in rows[0].cells] if rows else []
    if "accession" not in header:
        raise UserError(f"studies {name}: no column accession. Give the table of studies of Search image archives.")
    entries = [dict(zip(header, row.cells, strict=False)) for row in rows[1:]]
    known = [entry for entry in entries if _OF_BIOSTUDIES.fullmatch(entry["accession"])]
    if not known:
        named = ", ".join(entry["accession"] for entry in entries[:3]) or "none"
        raise UserError(
            f"studies {name}: none of {len(entries)} is in BioStudies ({named}). Search the BioImage Archive, or fetch "
            "another archive's files by a table of addresses."
        )
    return [
        Attribution(entry["accession"], entry.get("title", ""), entry.get("licence", ""))
        for entry in known[:max_studies]
    ]


def _listed_file(entry: dict[str, str], name: str, base: str) -> RemoteFile:
    place = f"file list {name}, line {entry['line']}"
    url = entry.get("url") or (f"{base}/{quote(_inside(entry.get('path', '')))}" if base else "")
    if not web_link(url):
        raise UserError(f"{place}: {url!r} is no web address. Give http or https addresses.")
    size = entry.get("size", "")
    if size and whole_number(size) is None:
        raise UserError(f"{place}: size {size!r} is not a number of bytes. Give it in bytes, or leave it empty.")
    path = _inside(entry.get("path") or url_path(url).rpartition("/")[2])
    sums = (_checksum(entry.get(kind, ""), kind, path) for kind in CHECKSUMS)
    checksum = next((found for found in sums if found), "") or _checksum(entry.get("checksum", ""), "", path)
    return RemoteFile(path, url, int(size) if size else None, checksum)


def select_files(
    files: Sequence[RemoteFile], patterns: Sequence[str], without: Sequence[str], *, max_files: int, max_bytes: int
) -> list[RemoteFile]:
    """Choose the files whose paths match any of the patterns and none of `without`.

    Args:
        files: All files.
        patterns: Shell patterns (`*` also matches `/`); none means all files.
        without: Shell patterns of files to leave out.
        max_files: Largest number of files.
        max_bytes: Largest sum of the known sizes.

    Returns:
        The chosen files, sorted by path.

    Raises:
        UserError: No file matches, the files are too many or too large, or two files would get the same name.
    """
    chosen = [file for file in files if _fits(file.path, patterns or ("*",)) and not _fits(file.path, without)]
    if not chosen:
        some = ", ".join(sorted(file.path for file in files)[:3]) or "none"
        raise UserError(
            f"files: none of {len(files):,} fits {', '.join(patterns) or '*'}. There are for instance: {some}."
        )
    if len(chosen) > max_files:
        raise UserError(
            f"files: {len(chosen):,} fit, at most {max_files:,} are fetched. Give a narrower pattern or a higher limit."
        )
    known = sum(file.size or 0 for file in chosen)
    if known > max_bytes:
        raise UserError(
            f"files: {len(chosen):,} fit and have {known:,} bytes, at most {max_bytes:,} are fetched. "
            "Give a narrower pattern or a higher limit."
        )
    _refuse_same_names(chosen)
    return sorted(chosen, key=lambda file: (file.study, file.path))


def _fits(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _refuse_same_names(files: Sequence[RemoteFile]) -> None:
    twice = repeated(file.name for file in files)
    if twice:
        paths = ", ".join(file.path for file in files if file.name == twice[0])
        raise UserError(
            f"files: {paths} would both be called {twice[0]}. Fetch them in two runs, by narrower patterns."
        )
