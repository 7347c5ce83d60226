"""Export to OME-Zarr 0.4 or 0.5 in one zip: an image with its OME-XML, or a plate with its wells."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bioimage_suite.images.ome_zarr.archive import ArchiveWriter
from bioimage_suite.images.ome_zarr.folder import write_ome, write_plate
from bioimage_suite.images.ome_zarr.metadata import Plate, ZarrChannel, ZarrImage
from bioimage_suite.images.ome_zarr.writer import PyramidWriter
from bioimage_suite.omero.images.details import Channel, ImageDetails
from bioimage_suite.omero.images.ome_xml import ome_xml
from bioimage_suite.omero.images.pixels import pixel_dtype
from bioimage_suite.omero.images.views import ImageView
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.session import Session
from bioimage_suite.tables.column_letters import letters_of
from bioimage_suite.tables.plate_layout import well_label

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class FieldOfView:
    """The position of an image in a plate; row, column and field count from 0."""

    image_id: int
    plate_id: int
    plate_name: str
    row: int
    column: int
    field: int

    @property
    def well(self) -> tuple[str, str]:
        """Return the letters of the row and the number of the column."""
        label = well_label(self.row, self.column)
        letters = label.rstrip("0123456789")
        return letters, label[len(letters) :]


def load_fields(session: Session, image_ids: Sequence[int]) -> dict[int, FieldOfView]:
    """Find the fields of images in plates, by image id; an image of several plates counts for the lowest plate id."""
    hql = (
        "select s.image.id, p.id, p.name, w.row, w.column, index(s) from Well w join w.wellSamples s join w.plate p "
        "where s.image.id in (:ids) order by p.id, w.row, w.column, index(s)"
    )
    found: dict[int, FieldOfView] = {}
    for page in batches(image_ids):
        for row in session.rows(hql, ids=page):
            found.setdefault(row[0], FieldOfView(*row))
    return found


def plate_parts(
    views: Iterable[ImageView], fields: dict[int, FieldOfView]
) -> tuple[Plate, list[tuple[str, ImageView]]]:
    """Describe a plate and the path of each view in it.

    Args:
        views: Views of images of one plate.
        fields: The positions of the images, by image id.

    Returns:
        The plate, and (path in the plate, view) ordered by row, column and field.
    """
    chosen = [(fields[view.image.image_id], view) for view in views]
    chosen.sort(key=lambda one: (one[0].row, one[0].column, one[0].field))
    counts: dict[tuple[str, str], int] = {}
    parts = []
    for field, view in chosen:
        number = counts.setdefault(field.well, 0)
        counts[field.well] += 1
        parts.append((f"{'/'.join(field.well)}/{number}", view))
    rows = tuple(letters_of(row) for row in range(1 + max(field.row for field, _ in chosen)))
    columns = tuple(str(column + 1) for column in range(1 + max(field.column for field, _ in chosen)))
    return Plate(chosen[0][0].plate_name, rows, columns, counts), parts


def write_zarr(
    path: Path,
    parts: Iterable[tuple[str, ImageView, Iterator["np.ndarray"], int]],
    *,
    plate: Plate | None,
    version: str,
    source: str,
) -> None:
    """Write images to one zip as RFC-9 describes, metadata first; `OME/METADATA.ome.xml` describes all of them.

    A single image follows the bioformats2raw layout (series `0`), which has a place for the OME-XML.

    Args:
        path: Zip to write.
        parts: Path in the zip, view, its tiles (rows, columns) in the order of `view_tiles`, projected, and their side.
        plate: The plate of the images, if any.
        version: "0.4" or "0.5".
        source: Unique name of the images across servers.
    """
    with ArchiveWriter(path, version) as archive:
        if plate is None:
            write_ome(archive.root, {"bioformats2raw.layout": 3}, version)
        else:
            write_plate(archive.root, plate, version)
        series = [] if plate else ["0"]
        write_ome(archive.root / "OME", {"series": series} if series else {}, version)
        images = []
        for place, view, tiles, side in parts:
            images.append(view.result)
            with PyramidWriter(archive.root / place, _zarr_image(view.result), version) as writer:
                for (t, c, z, y, x), tile in zip(_places(view, side), tiles, strict=True):
                    writer.write(tile, y, x, t=t, c=c, z=z)
        archive.add("OME/METADATA.ome.xml", ome_xml(images, source, in_tiff=False).encode())


def _places(view: ImageView, side: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield the position of each tile of a view in its file: t, c, z, y, x."""
    result = view.result
    rows, columns = range(0, result.size_y, side), range(0, result.size_x, side)
    for t in range(result.size_t):
        for c in range(result.size_c):
            for z in range(result.size_z):
                for y in rows:
                    for x in columns:
                        yield t, c, z, y, x


def _zarr_image(image: ImageDetails) -> ZarrImage:
    lengths = {"x": image.physical_x, "y": image.physical_y, "z": image.physical_z, "t": image.time_step}
    known = {axis: length for axis, length in lengths.items() if length is not None and length.value > 0}
    return ZarrImage(
        name=image.name,
        axes="tczyx",
        shape=(image.size_t, image.size_c, image.size_z, image.size_y, image.size_x),
        dtype=pixel_dtype(image),
        scale={axis: length.value for axis, length in known.items()},
        units={axis: length.symbol for axis, length in known.items()},
        channels=tuple(_zarr_channel(channel) for channel in image.channels),
    )


def _zarr_channel(channel: Channel) -> ZarrChannel:
    color = 0xFFFFFFFF if channel.color is None else channel.color & 0xFFFFFFFF
    return ZarrChannel(label=channel.name, color=f"{color >> 8:06X}")
