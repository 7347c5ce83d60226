"""Export of image views as OME-TIFF or OME-Zarr, all of them or none, with checksums of their pixels."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import safe_name
from bioimage_suite.images.ome_zarr.metadata import Plate
from bioimage_suite.omero.images.ome_tiff import tile_side, write_ome_tiff
from bioimage_suite.omero.images.ome_zarr_export import load_fields, plate_parts, write_zarr
from bioimage_suite.omero.images.pixels import TILE, fetch_tiles, pixel_dtype, project
from bioimage_suite.omero.images.views import View, view_tiles
from bioimage_suite.omero.object_report import AT_WORK, Row
from bioimage_suite.omero.session import Session

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = {"ome_tiff": ".ome.tiff", "ome_zarr": ".ome_zarr.zip"}


@dataclass(frozen=True)
class Output:
    """A file to write: its name without suffix, and its parts as (path within a zip, view)."""

    name: str
    parts: tuple[tuple[str, View], ...]
    plate: Plate | None = None


def plan_outputs(session: Session, views: Sequence[View], form: Mapping[str, Any]) -> list[Output]:
    """Decide which file each view goes to: one file per view, or with `plates` one file per plate."""
    for view in views:
        pixel_dtype(view.image)  # Raises for a pixel type that cannot be written, before the first file is made.
    if form["kind"] != "ome_zarr" or not form.get("plates"):
        return [Output(view.identifier, (("0", view),)) for view in views]
    fields = load_fields(session, [view.image.image_id for view in views])
    plates: dict[int, list[View]] = {}
    outputs = []
    for view in views:
        if view.image.image_id in fields:
            plates.setdefault(fields[view.image.image_id].plate_id, []).append(view)
        else:
            outputs.append(Output(view.identifier, (("0", view),)))
    for plate_id, chosen in sorted(plates.items()):
        plate, parts = plate_parts(chosen, fields)
        outputs.append(Output(f"Plate_{plate_id}_{safe_name(plate.name)}".rstrip("_"), tuple(parts), plate))
    return outputs


def export(
    session: Session,
    outputs: Sequence[Output],
    folder: Path,
    form: Mapping[str, Any],
    *,
    report: Iterable[Row],
    made: list[Path],
) -> None:
    """Write the output files.

    Args:
        session: An open session.
        outputs: The files to write.
        folder: Folder to write to.
        form: `kind` "ome_tiff" with `compression`, or "ome_zarr" with `version`; `mismatch` as in `check_pixels`.
        report: One row per view, see `object_report`; filled with the SHA-1 of its pixels (big-endian, axes TCZYX) and
            the result of the comparison with OMERO's checksum.
        made: Collects the paths of the files, so that the caller can remove them if anything fails.

    Raises:
        UserError: The server cannot deliver an image, or pixels differ from OMERO's checksum.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = iter(report)
    # One stream over all files: tiles of the next file are requested while this one is written.
    views = (view for output in outputs for _, view in output.parts)
    tiles = fetch_tiles(session, (tile for view in views for tile in view_tiles(view, _side(view))))
    try:
        for number, output in enumerate(outputs, 1):
            made.append(folder / f"{output.name}{SUFFIXES[form['kind']]}")
            _write(session, output, made[-1], tiles, form, rows=list(islice(rows, len(output.parts))))
            print(f"{number}/{len(outputs)} {made[-1].name}", flush=True)
    finally:
        tiles.close()


def _write(
    session: Session,
    output: Output,
    path: Path,
    tiles: Iterator["np.ndarray"],
    form: Mapping[str, Any],
    *,
    rows: Sequence[Row],
) -> None:
    digests = [_Digest() for _ in output.parts]
    parts = [
        (place, view, _reported(digest.passing(_tiles_of(view, tiles), view), row), _side(view))
        for (place, view), digest, row in zip(output.parts, digests, rows, strict=True)
    ]
    source = f"{session.address}/{_source(output)}"
    if form["kind"] == "ome_zarr":
        write_zarr(path, parts, plate=output.plate, version=form["version"], source=source)
    else:
        [(_, view, arrays, side)] = parts
        write_ome_tiff(path, view.result, arrays, side, source, compression=form.get("compression", "auto"))
    for (_, view), digest, row in zip(output.parts, digests, rows, strict=True):
        row |= {"status": AT_WORK, "sha1": digest.hex}
        row["checked"] = check_pixels(view, digest.hex, form.get("mismatch", "refuse"))
        row["status"] = "exported"


def _reported(tiles: Iterator["np.ndarray"], row: Row) -> Iterator["np.ndarray"]:
    """Pass tiles of an image through and mark its row as at work meanwhile: of a plate's images one at a time is."""
    row["status"] = AT_WORK
    yield from tiles
    row["status"] = "written"


def check_pixels(view: View, sha1: str, mismatch: str = "refuse") -> str:
    """Compare the SHA-1 of exported pixels with OMERO's own; return the result as text for the report.

    OMERO defines its checksum for pixels that it stores itself. For imported files it is the checksum of what the
    importer read, in the byte order of the file, so there a difference means nothing.

    Args:
        view: The exported view.
        sha1: SHA-1 of its pixels in hex.
        mismatch: "refuse" (raise for) pixels that differ, or "report" them.

    Raises:
        UserError: The pixels differ and `mismatch` is "refuse".
    """
    known = (view.image.sha1 or "").lower()
    if not view.is_whole:
        return "a part: OMERO has no checksum of it"
    if not re.fullmatch(r"[0-9a-f]{40}", known):
        return "OMERO has no checksum"
    if known == sha1:
        return "equals OMERO's checksum"
    if view.image.fileset_id is not None:
        return "OMERO's checksum is of the imported file"
    if mismatch == "report":
        return f"differs from OMERO's checksum {known}"
    raise UserError(
        f"image {view.image.image_id} {view.image.name!r}: the SHA-1 of its pixels is {sha1}, but {known} in OMERO. "
        "Run again; if it stays so, the pixels in OMERO were damaged after they were written."
    )


def _source(output: Output) -> str:
    view = output.parts[0][1]
    source = f"image/{view.image.image_id}" if output.plate is None else output.name
    if view.is_whole:
        return source
    choice = (view.channels, view.planes, view.times, view.chosen, view.level, view.projection)
    return f"{source}?{choice}"


def _side(view: View) -> int:
    return tile_side(view.result, TILE)


def _tiles_of(view: View, tiles: Iterator["np.ndarray"]) -> Iterator["np.ndarray"]:
    """Take the tiles of a view from the stream and return them, projected if the view asks for it."""
    count = sum(1 for _ in view_tiles(view, _side(view)))
    mine = islice(tiles, count)
    return mine if view.projection == "none" else project(mine, len(view.planes), view.projection)


class _Digest:
    """SHA-1 of an image's pixels, big-endian and row by row, computed from tiles."""

    def __init__(self) -> None:
        self._digest = hashlib.sha1(usedforsecurity=False)

    @property
    def hex(self) -> str:
        return self._digest.hexdigest()

    def passing(self, tiles: Iterable["np.ndarray"], view: View) -> Iterator["np.ndarray"]:
        """Pass tiles through and add them to the checksum; memory holds one row of tiles."""
        import numpy as np

        across = -(-view.region.width // _side(view))
        row: list[np.ndarray] = []
        for tile in tiles:
            row.append(tile)
            if len(row) == across:
                band = row[0] if across == 1 else np.hstack(row)
                self._digest.update(np.ascontiguousarray(band, band.dtype.newbyteorder(">")).view(np.uint8).data)
                row = []
            yield tile
