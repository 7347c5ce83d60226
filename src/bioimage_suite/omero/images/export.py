"""Export of image views as OME-TIFF or OME-Zarr, all of them or none, with checksums of their pixels."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.element_lists import parts_of
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import safe_name
from bioimage_suite.omero.images.metadata_table import view_cells
from bioimage_suite.omero.images.ome_tiff import tile_side, write_ome_tiff
from bioimage_suite.omero.images.ome_zarr_export import FieldOfView, load_fields, plate_parts, write_zarr
from bioimage_suite.omero.images.pixels import TILE, fetch_tiles, pixel_dtype, project
from bioimage_suite.omero.images.views import ImageView, view_tiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from bioimage_suite.core.outputs import Outputs
    from bioimage_suite.images.ome_zarr.metadata import Plate
    from bioimage_suite.omero.session import Session
    from bioimage_suite.tables.report import Report, Row

FORM_SUFFIXES = {"ome_tiff": ".ome.tiff", "ome_zarr": ".ome_zarr.zip"}


@dataclass(frozen=True)
class ExportFile:
    """A file to write: its name without suffix, and its parts as (path within a zip, view)."""

    name: str
    parts: tuple[tuple[str, ImageView], ...]
    plate: Plate | None = None


def plan_files(session: Session, views: Sequence[ImageView], form: Mapping[str, Any]) -> list[ExportFile]:
    """Decide which file each view goes to: one file per view, or with `plates` one file per plate."""
    for view in views:
        pixel_dtype(view.image)  # Raises for a pixel type that cannot be written, before the first file is made.
    if form["kind"] != "ome_zarr" or not form.get("plates"):
        named = load_fields(session, [view.image.image_id for view in views]) if form.get("names") == "well" else {}
        return [ExportFile(_name(view, named), (("0", view),)) for view in views]
    fields = load_fields(session, [view.image.image_id for view in views])
    plates: dict[int, list[ImageView]] = {}
    files = []
    for view in views:
        if view.image.image_id in fields:
            plates.setdefault(fields[view.image.image_id].plate_id, []).append(view)
        else:
            files.append(ExportFile(view.identifier, (("0", view),)))
    for plate_id, chosen in sorted(plates.items()):
        plate, parts = plate_parts(chosen, fields)
        files.append(ExportFile(f"Plate_{plate_id}_{safe_name(plate.name)}".rstrip("_"), tuple(parts), plate))
    return files


def _name(view: ImageView, fields: Mapping[int, FieldOfView]) -> str:
    """Return the name of a view's file; that of a field may end in its well and its number, counted from 1."""
    field = fields.get(view.image.image_id)
    if field is None:
        return view.identifier
    letters, number = field.well
    return f"{view.identifier}_{letters}{int(number):02d}_f{field.field + 1}"


def export(
    session: Session,
    files: Sequence[ExportFile],
    folder: Path,
    form: Mapping[str, Any],
    *,
    report: Report,
    outputs: Outputs,
) -> None:
    """Write files of views.

    Args:
        session: An open session.
        files: The files to write.
        folder: Folder to write to.
        form: `kind` "ome_tiff" with `compression`, or "ome_zarr" with `version`; `mismatch` as in `check_pixels`; with
            `part_size`, so many files go to each folder `1`, `2`, ..., in the order in which Galaxy lists them.
        report: Receives one row per view, with the SHA-1 of its pixels (big-endian, axes TCZYX) and the result of the
            comparison with OMERO's checksum.
        outputs: The outputs of the run.

    Raises:
        UserError: The server cannot deliver an image, or pixels differ from OMERO's checksum.
    """
    names = [f"{file.name}{FORM_SUFFIXES[form['kind']]}" for file in files]
    parts = _parts(names, form.get("part_size"))
    rows = [[report.add(**view_cells(file.name, view)) for _, view in file.parts] for file in files]
    # One stream over all files: tiles of the next file are requested while this one is written.
    all_views = (view for file in files for _, view in file.parts)
    tiles = fetch_tiles(session, (tile for view in all_views for tile in view_tiles(view, _side(view))))
    try:
        for number, (name, file, own) in enumerate(zip(names, files, rows, strict=True), 1):
            path = folder / parts.get(name, "") / name
            views = [_ViewStream(view, tiles, row) for (_, view), row in zip(file.parts, own, strict=True)]
            _write(outputs.file(path), file, views, form, address=str(session.address))
            for view in views:
                view.check(form.get("mismatch", "refuse"))
            print(f"{number}/{len(files)} {path.name}", flush=True)
    finally:
        tiles.close()


def _parts(names: list[str], size: str | int | None) -> dict[str, str]:
    """Return the part of each file, in the order in which Galaxy lists files; nothing where there are no parts."""
    ordered = sorted(names)
    return dict(zip(ordered, parts_of(ordered, int(size)), strict=True)) if size and names else {}


def _write(
    path: Path, file: ExportFile, views: Sequence[_ViewStream], form: Mapping[str, Any], *, address: str
) -> None:
    source = f"{address}/{_source(file)}"
    if form["kind"] == "ome_zarr":
        parts = [
            (place, view, stream.tiles(), _side(view)) for (place, view), stream in zip(file.parts, views, strict=True)
        ]
        write_zarr(path, parts, plate=file.plate, version=form["version"], source=source)
        return
    [stream] = views
    view = stream.view
    compression = form.get("compression", "auto")
    write_ome_tiff(path, view.result, stream.tiles(), _side(view), source, compression=compression)


class _ViewStream:
    """The tiles of a view on their way from the server to a file; their checksum is computed as they pass.

    Attributes:
        view: The view.
    """

    def __init__(self, view: ImageView, tiles: Iterator[np.ndarray], row: Row) -> None:
        """Take the tiles of a view from the common stream `tiles`, which has reached them when they are asked for."""
        self.view = view
        self._row = row
        self._tiles = _tiles_of(view, tiles)
        self._digest = hashlib.sha1(usedforsecurity=False)

    def tiles(self) -> Iterator[np.ndarray]:
        """Yield the tiles; memory holds one row of them. Of a plate's views one at a time is at work."""
        import numpy as np

        across = -(-self.view.region.width // _side(self.view))
        band: list[np.ndarray] = []
        self._row.begin()
        for tile in self._tiles:
            band.append(tile)
            if len(band) == across:
                pixels = band[0] if across == 1 else np.hstack(band)
                big_endian = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">"))
                self._digest.update(big_endian.view(np.uint8).data)
                band = []
            yield tile
        self._row.done("written")

    def check(self, mismatch: str) -> None:
        """Report the checksum of the pixels that have passed; see `check_pixels`."""
        sha1 = self._digest.hexdigest()
        self._row.begin()
        self._row.fill(sha1=sha1)
        self._row.done("exported", checked=check_pixels(self.view, sha1, mismatch))


def check_pixels(view: ImageView, sha1: str, mismatch: str = "refuse") -> str:
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


def _source(file: ExportFile) -> str:
    view = file.parts[0][1]
    source = f"image/{view.image.image_id}" if file.plate is None else file.name
    if view.is_whole:
        return source
    choice = (view.channels, view.planes, view.times, view.chosen, view.level, view.projection)
    return f"{source}?{choice}"


def _side(view: ImageView) -> int:
    return tile_side(view.result, TILE)


def _tiles_of(view: ImageView, tiles: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Take the tiles of a view from the stream and return them, projected if the view asks for it."""
    count = sum(1 for _ in view_tiles(view, _side(view)))
    mine = islice(tiles, count)
    return mine if view.projection == "none" else project(mine, len(view.planes), view.projection)
