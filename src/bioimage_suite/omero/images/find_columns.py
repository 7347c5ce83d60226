"""Columns of object tables; each group of columns is fetched in a few queries for many images."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bioimage_suite.omero.annotations.annotations import linked_pairs, linked_texts
from bioimage_suite.omero.images.details import ImageDetails, load_image_details
from bioimage_suite.omero.images.instruments import read_quantity
from bioimage_suite.omero.objects import ImageRecord
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.session import Session
from bioimage_suite.tables.object_table import key_column

HIERARCHY = (
    *("project_id", "project_name", "dataset_id", "dataset_name", "screen_id", "screen_name"),
    *("plate_id", "plate_name", "well_id", "well"),
)
SIZES = ("size_x", "size_y", "size_z", "size_c", "size_t", "pixel_type")
ROW_KINDS = {
    "project": ("project_id", "project_name"),
    "dataset": ("dataset_id", "dataset_name", "project_id", "project_name"),
    "screen": ("screen_id", "screen_name"),
    "plate": ("plate_id", "plate_name", "screen_id", "screen_name"),
    "well": ("well_id", "well", "plate_id", "plate_name", "screen_id", "screen_name"),
}
"""Columns of a table with one row per container; the first one identifies the container."""

Columns = tuple[tuple[str, ...], Mapping[int, Sequence[Any]]]
"""Column names, and by image id the values of each image that has any."""


def image_table(
    session: Session, images: Sequence[ImageRecord], groups: Sequence[str], keys: Sequence[str] = ()
) -> tuple[list[str], list[list[Any]]]:
    """Return header and rows of an object table with one row per image.

    Args:
        session: An open session.
        images: The images, in the table's order.
        groups: The groups of columns: "hierarchy", "sizes", any of `GROUPS`, and "conditions": one column for each key
            of the key-value pairs of the images' wells.
        keys: Keys of key-value pairs, one column per key; "*" means all keys of the images.
    """
    header = ["image_id", "image_name"]
    fixed = [name for group, names in (("hierarchy", HIERARCHY), ("sizes", SIZES)) if group in groups for name in names]
    ids = [image.image_id for image in images]
    more = [load(session, ids) for group, load in GROUPS.items() if group in groups]
    names = [*header, *fixed, *(name for columns, _ in more for name in columns)]
    if "conditions" in groups:
        columns, values = _conditions(session, images)
        more.append((tuple(key_column(key, names) for key in columns), values))
        names += more[-1][0]
    if keys:
        columns, values = _key_columns(session, ids, keys)
        # A key may have the name of another column.
        more.append((tuple(key_column(key, names) for key in columns), values))
        names += more[-1][0]
    rows = []
    for image in images:
        row = [image.image_id, image.image_name, *(getattr(image, name) for name in fixed)]
        for columns, values in more:
            row += values.get(image.image_id, [None] * len(columns))
        rows.append(row)
    return names, rows


def container_table(images: Sequence[ImageRecord], kind: str) -> tuple[list[str], list[list[Any]]]:
    """Return header and rows of an object table with one row per container, with the number of given images in it.

    Images outside any container of this kind are left out.
    """
    columns = ROW_KINDS[kind]
    rows: dict[int, list[Any]] = {}
    for image in images:
        values = [getattr(image, name) for name in columns]
        if values[0] is not None:
            rows.setdefault(values[0], [*values, 0])[-1] += 1
    return [*columns, "images"], list(rows.values())


def _positions(session: Session, ids: Sequence[int]) -> Columns:
    """Return well row, well column and field number (each from 1), and the field's stage position as OMERO has it."""
    hql = (
        "select ws.image.id, w.row, w.column, index(ws), ws.id from Well w join w.wellSamples ws "
        "where ws.image.id in (:ids) order by ws.id"
    )
    samples = {}
    for some in batches(ids):
        for one in session.objects("select s from WellSample s where s.image.id in (:ids)", ids=some):
            samples[one.id.val] = one
    found: dict[int, list[Any]] = {}
    for some in batches(ids):
        for image_id, row, column, field, sample_id in session.rows(hql, ids=some):
            sample = samples[sample_id]
            places = [_length_text(length) for length in (sample.posX, sample.posY)]
            found.setdefault(image_id, [row + 1, column + 1, field + 1, *places])
    return ("well_row", "well_column", "field", "position_x", "position_y"), found


def _runs(session: Session, ids: Sequence[int]) -> Columns:
    hql = "select s.image.id, a.id, a.name from WellSample s join s.plateAcquisition a where s.image.id in (:ids)"
    return ("run_id", "run_name"), _by_id(session, hql, ids)


def _conditions(session: Session, images: Sequence[ImageRecord]) -> Columns:
    wells = list(dict.fromkeys(image.well_id for image in images if image.well_id is not None))
    cells: dict[int | None, dict[str, list[str]]] = {}
    for one in linked_pairs(session, "well", wells):
        for key, value in one.value:
            cells.setdefault(one.object_id, {}).setdefault(key, []).append(value)
    columns = tuple(dict.fromkeys(key for found in cells.values() for key in found))
    return columns, {
        image.image_id: ["; ".join(cells[image.well_id].get(key, ())) for key in columns]
        for image in images
        if image.well_id in cells
    }


def _owners(session: Session, ids: Sequence[int]) -> Columns:
    hql = (
        "select i.id, o.omeName, g.id, g.name from Image i join i.details.owner o join i.details.group g "
        "where i.id in (:ids)"
    )
    return ("owner", "group_id", "group_name"), _by_id(session, hql, ids)


def _dates(session: Session, ids: Sequence[int]) -> Columns:
    hql = "select i.id, i.acquisitionDate, e.time from Image i join i.details.creationEvent e where i.id in (:ids)"
    found = {
        image_id: [_date_text(value) for value in values] for image_id, values in _by_id(session, hql, ids).items()
    }
    return ("acquisition_date", "import_date"), found


def _channels(session: Session, ids: Sequence[int]) -> Columns:
    def values(image: ImageDetails) -> list[Any]:
        lengths = (image.physical_x, image.physical_y, image.physical_z)
        names = "; ".join(channel.name or "" for channel in image.channels)
        return [*(None if length is None else length.micrometre for length in lengths), names]

    names = ("physical_size_x_um", "physical_size_y_um", "physical_size_z_um", "channel_names")
    return names, {image.image_id: values(image) for image in load_image_details(session, ids)}


def _tags(session: Session, ids: Sequence[int]) -> Columns:
    found: dict[int, list[Any]] = {}
    for one in linked_texts(session, "image", ids, "TagAnnotation"):
        found[one.object_id] = ["; ".join(filter(None, [*found.get(one.object_id, []), one.value]))]
    return ("tags",), found


def _rois(session: Session, ids: Sequence[int]) -> Columns:
    hql = "select r.image.id, count(r.id) from Roi r where r.image.id in (:ids) group by r.image.id"
    return ("rois",), {image_id: [0] for image_id in ids} | _by_id(session, hql, ids)


def _key_columns(session: Session, ids: Sequence[int], keys: Sequence[str]) -> Columns:
    values: dict[int, dict[str, list[str]]] = {}
    for one in linked_pairs(session, "image", ids):
        for key, value in one.value:
            values.setdefault(one.object_id, {}).setdefault(key, []).append(value)
    there = dict.fromkeys(key for cells in values.values() for key in cells)
    columns = tuple(there) if "*" in keys else tuple(dict.fromkeys(keys))
    return columns, {image_id: ["; ".join(cells.get(key, ())) for key in columns] for image_id, cells in values.items()}


GROUPS: dict[str, Callable[[Session, Sequence[int]], Columns]] = {
    "positions": _positions,
    "runs": _runs,
    "channels": _channels,
    "dates": _dates,
    "owner": _owners,
    "rois": _rois,
    "tags": _tags,
}
"""Groups of columns that need queries of their own, in the order of the table."""


def _by_id(session: Session, hql: str, ids: Sequence[int]) -> dict[int, list[Any]]:
    return {row[0]: row[1:] for some in batches(ids) for row in session.rows(hql, ids=some)}


def _date_text(milliseconds: int | None) -> str | None:
    from datetime import UTC, datetime

    if not milliseconds:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _length_text(length: Any) -> str | None:
    if length is None:
        return None
    found = read_quantity(length)
    return f"{found.value:g} {found.symbol}"
