"""Packages of the BioImage Model Zoo, fetched by id, DOI or address.

The zoo serves each file of a model by itself. The address of an id is that of bioimageio.spec 0.5
(`collection_http_pattern` in bioimageio/spec/_internal/_settings.py); a DOI is looked up in Zenodo's records
(https://developers.zenodo.org/#records), whose list has the MD5 of each file. What a network needs is packed into one
zip without dates and without compression, so that the same files make the same bytes at any time.
"""

import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.untrusted_files import fits_on_disk, safe_relative_path
from bioimage_suite.fair.archives.download import fetch_file
from bioimage_suite.fair.archives.files import CHECKSUMS, WHILE_WRITTEN, RemoteFile
from bioimage_suite.fair.archives.http import Web, ask_json, open_url, url_path, web_link

ZOO = "https://hypha.aicell.io/bioimage-io/artifacts"
ZENODO = "https://zenodo.org/api/records"
DESCRIPTION = "rdf.yaml"
_DESCRIPTIONS = (DESCRIPTION, "bioimageio.yaml", "model.yaml")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_OF_ZENODO = re.compile(r"10\.5281/zenodo\.(\d+)", re.IGNORECASE)
_OLDEST = (1980, 1, 1, 0, 0, 0)  # the oldest date that a zip can hold


@dataclass(frozen=True)
class ModelPlace:
    """Where a model's files are.

    Attributes:
        first: Its description, or a package that holds all of it.
        listed: Files of a list with sizes and checksums, by path; empty where there is no list.
    """

    first: RemoteFile
    listed: Mapping[str, RemoteFile] = field(default_factory=dict)

    def file(self, path: str) -> RemoteFile:
        """Return the file that the description names by a path relative to itself.

        Raises:
            UserError: The path leaves the model's folder, or the list does not have it.
        """
        if safe_relative_path(path) is None or not fits_on_disk(path, WHILE_WRITTEN):
            raise UserError(
                f"Model {self.first.url}: its description names the file {path!r}, which is not one of its own. Choose "
                "a model whose package is complete."
            )
        if not self.listed:
            return RemoteFile(path, urljoin(self.first.url, quote(path)))
        if path not in self.listed:
            raise UserError(
                f"Model {self.first.url}: its description names the file {path}, which the record does not hold. "
                "Choose another version of the model."
            )
        return self.listed[path]


def find_model(web: Web, source: str, zoo: str = ZOO, zenodo: str = ZENODO) -> ModelPlace:
    """Find the files of a model.

    Args:
        web: Limits of the requests.
        source: Id in the zoo (`affable-shark`), DOI of Zenodo (`10.5281/zenodo.5764892`), or address of a package or a
            description.
        zoo: Address of the zoo's models.
        zenodo: Address of Zenodo's records.

    Raises:
        UserError: The source is none of these, is not known, or the server does not answer.
    """
    text = source.strip()
    if doi := _DOI.fullmatch(text):
        return _record(web, doi[1], zenodo)
    if address := web_link(text):
        if not _is_there(web, address):
            raise UserError(f"model {text}: the server has no such file. Check the address.")
        return ModelPlace(RemoteFile(url_path(address).rpartition("/")[2] or DESCRIPTION, address))
    if not _ID.fullmatch(text):
        raise UserError(f"model {source!r}: neither an id, nor a DOI, nor a web address. Give an id as affable-shark.")
    for name in _DESCRIPTIONS:
        if _is_there(web, f"{zoo}/{text}/files/{name}"):
            return ModelPlace(RemoteFile(name, f"{zoo}/{text}/files/{name}"))
    raise UserError(f"model {text}: the zoo at {zoo} has none of this id. Look it up at https://bioimage.io.")


def _is_there(web: Web, url: str) -> bool:
    """Return whether a server has a file, without reading it; any other refusal shows when it is fetched."""
    with open_url(web, url) as response:
        return response.status_code not in {404, 410}


def _record(web: Web, doi: str, zenodo: str) -> ModelPlace:
    """Find a model in the files of a Zenodo record."""
    number = _OF_ZENODO.fullmatch(doi)
    if not number:
        raise UserError(
            f"model {doi}: only DOIs of Zenodo (10.5281/zenodo.) are looked up. Give the model's id in the zoo, or its "
            "address."
        )
    record = ask_json(web, f"{zenodo}/{number[1]}")
    entries = record.get("files") if isinstance(record, dict) else None
    known = [_listed(entry) for entry in entries] if isinstance(entries, list) else []
    listed = {file.path: file for file in known if file}
    first = next((name for name in _DESCRIPTIONS if name in listed), None)
    first = first or next((name for name in sorted(listed) if name.endswith((".bioimageio.yaml", ".zip"))), None)
    if first is None:
        raise UserError(f"model {doi}: its record holds no description of a model. Give the DOI of a model of the zoo.")
    return ModelPlace(listed[first], listed)


def _listed(entry: Any) -> RemoteFile | None:
    """Return a file of a record's list; None for an entry that is no file with an address."""
    links = entry.get("links") if isinstance(entry, dict) else None
    url = web_link(links.get("self")) if isinstance(links, dict) else ""
    name, size, checksum = (entry.get(key) for key in ("key", "size", "checksum")) if url else (None, None, None)
    if not isinstance(name, str) or safe_relative_path(name) is None or not fits_on_disk(name, WHILE_WRITTEN):
        return None
    text = checksum if isinstance(checksum, str) and checksum.partition(":")[0] in CHECKSUMS else ""
    return RemoteFile(name, url, size if type(size) is int else None, text)


def fetch_package(
    web: Web,
    place: ModelPlace,
    folder: Path,
    needed: Callable[[Path], Iterable[str]],
    *,
    sha256: str = "",
    limit: int,
) -> Path:
    """Fetch a package, or make one of a model's files.

    Args:
        web: Limits of the requests.
        place: Where the files are.
        folder: Empty folder to work in.
        needed: Gives the paths of the files that a description needs.
        sha256: Expected SHA-256 of what `place.first` names, hexadecimal; empty if it is not known.
        limit: Most bytes to fetch.

    Returns:
        Zip file within `folder`.

    Raises:
        UserError: A file cannot be fetched, is too large, or its checksum differs.
    """
    digits = sha256.strip().lower().removeprefix("sha256:")
    if digits and not re.fullmatch("[0-9a-f]{64}", digits):
        raise UserError(f"SHA-256 {sha256!r}: not 64 hexadecimal digits. Correct it, or leave it empty.")
    first = replace(place.first, checksum=f"sha256:{digits}") if digits else place.first
    package, files = folder / "package.zip", folder / "files"
    files.mkdir()
    fetched = fetch_file(web, first, files / "first", limit=limit)
    if zipfile.is_zipfile(fetched.path):
        shutil.move(fetched.path, package)
        return package
    left = limit - fetched.size
    # The paths of a model's files differ by their folders; here they are numbered.
    members: dict[str, Path] = {}
    for number, path in enumerate(sorted(set(needed(fetched.path)))):
        one = fetch_file(web, place.file(path), files / str(number), limit=left)
        left -= one.size
        members[path] = one.path
    _pack(members | {DESCRIPTION: fetched.path}, package)
    return package


def _pack(members: Mapping[str, Path], package: Path) -> None:
    """Write a zip whose bytes follow from names and contents alone."""
    with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(members.items()):
            with path.open("rb") as source, archive.open(zipfile.ZipInfo(name, _OLDEST), "w", force_zip64=True) as out:
                shutil.copyfileobj(source, out)
