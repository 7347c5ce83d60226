"""Download files of an archive's study, or a region of a remote OME-Zarr image, with a table of their origin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.units import MEGABYTE
from bioimage_suite.fair.archives.attribution import Attribution
from bioimage_suite.fair.archives.download import digest, fetch_file, forget, kept_for_next_job
from bioimage_suite.fair.archives.files import (
    RemoteFile,
    read_biostudies,
    read_file_table,
    read_studies,
    select_files,
)
from bioimage_suite.fair.archives.http import Web, base_address
from bioimage_suite.fair.archives.zarr import (
    RemoteRegion,
    bytes_travelled,
    format_bounds,
    open_remote,
    parse_bounds,
    read_image,
    read_region,
)
from bioimage_suite.fair.terms.licences import normal_licence
from bioimage_suite.images.writers.tiff_output import Checksum, resolution_tags, uuid_of

BIOSTUDIES = "https://www.ebi.ac.uk/biostudies/api/v1"
BIOSTUDIES_FILES = "https://www.ebi.ac.uk/biostudies/files"
SILENCE_SECONDS = 60
# Allows for the region itself, chunks that extend beyond its edge, shard indices and metadata.
TRAVEL_FACTOR, TRAVEL_EXTRA = 8, 64 * MEGABYTE


@dataclass(frozen=True)
class OriginRow:
    """A row of the table of origin: a downloaded file, its address, verification, licence and citation.

    It has no date, so that the same input gives the same table; Galaxy records the date of the job.
    """

    file: str
    accession: str
    title: str
    licence: str
    citation: str
    url: str
    path: str
    bytes: int
    sha256: str
    verified: str
    region: str = ""


ORIGIN_COLUMNS = tuple(OriginRow.__annotations__)


def study_facts(attribution: Attribution) -> dict[str, str]:
    """Return the columns of the table of origin that are the same for all files of a study."""
    return {key: getattr(attribution, key) for key in ("accession", "title", "licence", "citation")}


def fetch_files(
    web: Web, files: Sequence[RemoteFile], attributions: Mapping[str, Attribution], folder: Path, max_bytes: int
) -> list[OriginRow]:
    """Download files one after the other into one folder, as `<name>@<Galaxy's format>`.

    Args:
        web: Limits of the requests.
        files: Files of `select_files`.
        attributions: Attribution by `RemoteFile.study`.
        folder: Folder to write to, created if missing. Downloads of an earlier run in it, or in the cache
            (`download.CACHE`), are resumed.
        max_bytes: Largest total size in bytes.

    Raises:
        UserError: A file fails as in `fetch_file`; the first such file ends the run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[OriginRow] = []
    left = max_bytes
    for number, file in enumerate(files, 1):
        with kept_for_next_job(file, folder / f"{file.name}@{file.format}") as place:
            fetched = fetch_file(web, file, place, limit=left)
        left -= fetched.size
        verified = ", ".join(fetched.verified)
        print(
            f"{number}/{len(files)} {file.path}: {fetched.size:,} bytes, verified: {verified or 'nothing'}", flush=True
        )
        rows.append(
            OriginRow(
                file=file.name,
                url=file.url,
                path=file.path,
                bytes=fetched.size,
                sha256=fetched.sha256,
                verified=verified,
                **study_facts(attributions[file.study]),
            )
        )
    forget(files)
    return rows


def fetch_region(config: Mapping[str, Any], folder: Path, max_bytes: int) -> list[OriginRow]:
    """Download a region of an OME-Zarr image as an OME-TIFF in `folder`.

    Args:
        config: `address`, `level`, `bounds` (axis to `first:end`), `licence`, `citation`.
        folder: Folder to write to, created if missing.
        max_bytes: Largest size of the region in bytes.

    Raises:
        UserError: The image or region cannot be read, as in `open_remote`, `read_image` and `read_region`.
    """
    address = base_address(str(config["address"]), "the image")
    bounds = parse_bounds({axis: str(text or "") for axis, text in (config.get("bounds") or {}).items()})
    level = int(config.get("level") or 0)
    web = Web((address,), silence=SILENCE_SECONDS)
    group = open_remote(web, address, max_bytes * TRAVEL_FACTOR + TRAVEL_EXTRA)
    image = read_image(group, address)
    region = read_region(group, image, bounds, level, max_bytes)
    folder.mkdir(parents=True, exist_ok=True)
    stem = (
        "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in image.name).strip(".") or "image"
    )
    name = f"{stem.removesuffix('.zarr').removesuffix('.ome')}.ome.tiff"
    path = folder / f"{name}@ome.tiff"
    write_region(path, region)
    print(f"{name}: {format_bounds(region.bounds)} of level {level}, {bytes_travelled(group):,} bytes travelled")
    attribution = Attribution("", image.name, str(config.get("licence") or ""), str(config.get("citation") or ""))
    row = OriginRow(
        file=name,
        url=address,
        path="",
        bytes=path.stat().st_size,
        sha256=digest(path, "sha256").partition(":")[2],
        verified="",
        region=f"level {level}: {format_bounds(region.bounds)}",
        **study_facts(attribution),
    )
    return [row]


def write_region(path: Path, region: RemoteRegion) -> None:
    """Write a region as OME-TIFF with its axes, physical sizes in micrometres and channel names."""
    import tifffile

    checksum = Checksum()
    checksum.add(region.pixels)
    identity = uuid_of(f"{region.axes} {region.pixels.shape} {checksum.value}")
    metadata: dict[str, Any] = {"axes": region.axes.upper(), "UUID": identity}
    for axis, size in region.physical_um.items():
        metadata |= {f"PhysicalSize{axis.upper()}": size, f"PhysicalSize{axis.upper()}Unit": "µm"}
    if region.channels and "c" in region.axes:
        metadata["Channel"] = {"Name": list(region.channels)}
    tifffile.imwrite(
        path, region.pixels, ome=True, photometric="minisblack", metadata=metadata, compression="zlib",
        **resolution_tags(region.physical_um.get("x"), region.physical_um.get("y")),
    )  # fmt: skip


def list_studies(
    web: Web, address: str, files_address: str, table: Path, config: Mapping[str, Any]
) -> tuple[dict[str, Attribution], list[RemoteFile]]:
    """List the files of the studies that a table of `search_archives` names.

    Args:
        web: Limits of the requests.
        address: Address of BioStudies' API.
        files_address: Address of BioStudies' files.
        table: Table for `read_studies`.
        config: `list_name`, the display name of the table, and `max_studies`.

    Returns:
        Attribution by accession, and the files of all studies. Values missing in BioStudies come from the table; for
        the licence see `stated_licence`.

    Raises:
        UserError: The table or a study cannot be read, as in `read_studies` and `read_biostudies`.
    """
    attributions: dict[str, Attribution] = {}
    files: list[RemoteFile] = []
    for known in read_studies(table, config.get("list_name") or "studies", int(config.get("max_studies") or 1)):
        attribution, found = read_biostudies(web, address, files_address, known.accession)
        attributions[known.accession] = replace(
            attribution,
            title=attribution.title or known.title,
            licence=stated_licence(attribution.licence, known.licence),
        )
        files += [replace(file, study=known.accession) for file in found]
    return attributions, files


def stated_licence(own: str, searched: str) -> str:
    """Return the licence that a study states, followed by that of the search if it differs.

    A user who filtered by licence must see the contradiction.

    >>> stated_licence("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"), stated_licence("", "CC0")
    ('CC BY 4.0', 'CC0')
    >>> stated_licence("CC BY 4.0", "CC0")
    'CC BY 4.0 (the search says CC0)'
    """
    if not own or not searched or normal_licence(own) == normal_licence(searched):
        return own or searched
    return f"{own} (the search says {searched})"


def fetch(config: Mapping[str, Any], folder: Path, table: Path | None = None) -> list[OriginRow]:
    """Download the files, or the region, that a tool's configuration asks for.

    Args:
        config: `what` with `kind`: `accession` (`accession`, `address`, `files_address`), `studies` (see
            `list_studies`, and the same addresses), `list` (`list_name`, `base`) or `zarr` (see `fetch_region`); for
            the first three `patterns`, `without` (one per line) and `max_files`; for all `max_megabytes`.
        folder: Folder to write to.
        table: Table of files or of studies, for the kinds `list` and `studies`.

    Raises:
        UserError: The configuration or table is invalid, or a download fails.
    """
    what = config["what"]
    max_bytes = int(float(config.get("max_megabytes") or 2000) * MEGABYTE)
    if what["kind"] == "zarr":
        return fetch_region(what, folder, max_bytes)
    if what["kind"] == "list":
        base = base_address(what["base"], "the files") if what.get("base") else ""
        web = Web((base,) if base else (), silence=SILENCE_SECONDS)
        attribution, files = read_file_table(_given(table), what.get("list_name") or "file list", base)
        attributions = {"": attribution}
    else:
        address = base_address(what.get("address") or BIOSTUDIES, "BioStudies")
        files_address = base_address(what.get("files_address") or BIOSTUDIES_FILES, "BioStudies' files")
        web = Web((address, files_address), silence=SILENCE_SECONDS)
        if what["kind"] == "studies":
            attributions, files = list_studies(web, address, files_address, _given(table), what)
        else:
            attribution, files = read_biostudies(web, address, files_address, str(what.get("accession") or "").strip())
            attributions = {"": attribution}
    chosen = select_files(
        files,
        _lines(what.get("patterns")),
        _lines(what.get("without")),
        max_files=int(what.get("max_files") or 1000),
        max_bytes=max_bytes,
    )
    return fetch_files(web, chosen, attributions, folder, max_bytes)


def _given(table: Path | None) -> Path:
    if table is None:
        raise UserError("table: there is none. Give a table of files or of studies.")
    return table


def _lines(text: Any) -> list[str]:
    return [line.strip() for line in str(text or "").splitlines() if line.strip()]
