"""Tables of shapes, one row per shape, written and read without loss."""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.omero.named_files import NamedFile
from bioimage_suite.omero.rois.geometry import LARGEST_MASK
from bioimage_suite.omero.rois.shapes import KINDS, NUMBERS, RoiShape, number_text, points_text, roi_labels
from bioimage_suite.tables.object_table import read_exact_table

SHAPE_COLUMNS = (
    "image_id", "image", "roi_id", "roi_name", "shape_id", "shape", "label", "text", "z", "t", "c",
    "numbers", "points", "transform", "stroke", "fill", "stroke_width", "mask", "text_size", "description",
)  # fmt: skip
# Other names of columns; x_rad and similar ones come from the UFZ's tool omero_roi_import.
_ALIASES = {
    "radiusX": ("radius_x", "x_rad"),
    "radiusY": ("radius_y", "y_rad"),
    "stroke": ("stroke", "stroke_color"),
    "fill": ("fill", "fill_color"),
    "text": ("text", "label"),
    "text_size": ("text_size", "font_size"),
    "description": ("description", "roi_description"),
}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_BETWEEN = re.compile(r"[\s,;()\[\]]*")


def shape_rows(names: Mapping[int, str], shapes: Mapping[int, Sequence[RoiShape]]) -> Iterator[tuple[object, ...]]:
    """Yield rows of `SHAPE_COLUMNS`.

    `numbers`, `points` and `transform` are lists separated by spaces (see `RoiShape`); colours are
    red,green,blue,alpha; `mask` is the bits in zlib and base64.

    Args:
        names: Identifiers by image id, in the order of the table.
        shapes: Shapes by image id.
    """
    for image_id, identifier in names.items():
        labels = roi_labels(shapes[image_id])
        for one in shapes[image_id]:
            yield (
                *(one.image_id, identifier, one.roi_id, one.roi_name, one.shape_id, one.kind, labels[one.roi_id]),
                *(one.text, one.z, one.t, one.c),
                " ".join(map(number_text, one.numbers)),
                points_text(one.points),
                " ".join(map(number_text, one.transform or ())),
                _colour_text(one.stroke),
                _colour_text(one.fill),
                None if one.stroke_width is None else number_text(one.stroke_width),
                base64.b64encode(zlib.compress(one.bits)).decode() if one.bits else None,
                None if one.text_size is None else number_text(one.text_size),
                one.description,
            )


def read_shape_table(file: NamedFile) -> dict[str, list[RoiShape]]:
    """Read a table of shapes.

    The column `shape` is required, and in each row the numbers of that shape: in `numbers` or `points`, or in columns
    of their own (x, y, width, height, radius_x, radius_y, x1, y1, x2, y2). Rows with the same `roi_id` are one ROI; a
    row without it is a ROI of its own. The image is given by `image` or `image_id`, or else by the name of the table.

    Returns:
        The shapes by image: its name, or `Image_<id>`.

    Raises:
        UserError: A row is not a shape: its kind is unknown, or a number is missing or not valid. The message has the
            number of the row.
    """
    table = read_exact_table(file.path, f"table {file.identifier}")
    if "shape" not in table.columns:
        raise UserError(
            f"table {file.identifier}: it has no column 'shape'; found: {', '.join(table.columns)}. Give label maps, "
            "GeoJSON, or a table as omero_export_rois writes it."
        )
    if not table.rows:
        raise UserError(f"table {file.identifier}: no row below the header. Check the step that made it.")
    found: dict[str, list[RoiShape]] = {}
    rois: dict[tuple[str, str], int] = {}
    for number, cells in enumerate(table.rows, 1):
        row = dict(zip(table.columns, (cell.strip() for cell in cells), strict=True))
        image = row.get("image") or (image_identifier(row["image_id"]) if row.get("image_id") else file.identifier)
        roi = rois.setdefault((image, row.get("roi_id") or f"row {number}"), len(rois) + 1)
        try:
            found.setdefault(image, []).append(_shape(row, roi))
        except ValueError as error:
            raise UserError(f"table {file.identifier}, row {number}: {error}. Mend the row.") from None
    return found


def _shape(row: Mapping[str, str], roi: int) -> RoiShape:
    kind = row["shape"].lower()
    if kind not in KINDS:
        raise ValueError(f"shape {row['shape']!r} is none of {', '.join(KINDS)}")
    numbers = _floats(row.get("numbers", "")) or [_float(row, name) for name in NUMBERS[kind]]
    if len(numbers) != len(NUMBERS[kind]):
        raise ValueError(f"a {kind} has the numbers {', '.join(NUMBERS[kind])}; found {row['numbers']!r}")
    points = _floats(row.get("points", "")) if kind in ("polygon", "polyline") else []
    least = {"polygon": 3, "polyline": 2}.get(kind, 0)
    if len(points) % 2 or len(points) < 2 * least:
        raise ValueError(f"a {kind} needs at least {least} points x,y; found {row.get('points', '')!r}")
    transform = _floats(row.get("transform", ""))
    if len(transform) not in (0, 6):
        raise ValueError(f"transform {row['transform']!r} does not have six numbers")
    width = _cell(row, "stroke_width")
    return RoiShape(
        image_id=0,
        roi_id=roi,
        roi_name=row.get("roi_name") or None,
        shape_id=0,
        kind=kind,
        **{axis: _place(row, axis) for axis in ("z", "t", "c")},
        text=_cell(row, "text") or None,
        numbers=tuple(numbers),
        points=tuple(zip(points[::2], points[1::2], strict=True)),
        bits=_bits(row.get("mask", ""), numbers) if kind == "mask" else b"",
        transform=tuple(transform) or None,
        stroke=_colour(_cell(row, "stroke")),
        fill=_colour(_cell(row, "fill")),
        stroke_width=_floats(width)[0] if width else None,
        text_size=_size(row),
        description=_cell(row, "description") or None,
    )


def _cell(row: Mapping[str, str], name: str) -> str:
    return next((row[one] for one in (name, *_ALIASES.get(name, ())) if one in row), "")


def _float(row: Mapping[str, str], name: str) -> float:
    found = _floats(_cell(row, name))
    if len(found) != 1:
        raise ValueError(f"{_ALIASES.get(name, (name,))[0]} is {_cell(row, name)!r}, which is not a number")
    return found[0]


def _size(row: Mapping[str, str]) -> float | None:
    """Parse the size of a text in points, which is above 0."""
    if not _cell(row, "text_size"):
        return None
    size = _float(row, "text_size")
    if size <= 0:
        raise ValueError(f"text_size is {_cell(row, 'text_size')!r}, which is not above 0")
    return size


def _floats(text: str) -> list[float]:
    """Parse a list of numbers separated by spaces, commas, semicolons or brackets."""
    rest = _NUMBER.sub(" ", text)
    if not _BETWEEN.fullmatch(rest):
        raise ValueError(f"{text[:40]!r} is not a list of numbers")
    return [float(one) for one in _NUMBER.findall(text)]


def _place(row: Mapping[str, str], axis: str) -> int | None:
    """Parse a plane, time point or channel; accept 0.0, which programs without empty whole numbers write."""
    found = _floats(row.get(axis, ""))
    if not found:
        return None
    if len(found) > 1 or not found[0].is_integer():
        raise ValueError(f"{axis} is {row[axis]!r}, which is not a whole number")
    return int(found[0]) if found[0] >= 0 else None


def _bits(text: str, numbers: Sequence[float]) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        bits = unpacker.decompress(base64.b64decode(text, validate=True), LARGEST_MASK // 8)
    except (binascii.Error, zlib.error):
        bits = b""
    size = -(-round(numbers[2]) * round(numbers[3]) // 8)
    if len(bits) != size:
        raise ValueError(f"the mask has {len(bits)} bytes, but {size} are needed for its width and height")
    return bits


def _colour_text(value: int | None) -> str | None:
    return None if value is None else ",".join(str(part) for part in (value & 0xFFFFFFFF).to_bytes(4, "big"))


def _colour(text: str) -> int | None:
    """Convert `red,green,blue,alpha`, each from 0 to 255, to OMERO's colour (signed 32-bit integer)."""
    parts = _floats(text)
    if not parts:
        return None
    if len(parts) != 4 or not all(part.is_integer() and 0 <= part < 256 for part in parts):
        raise ValueError(f"colour {text!r} is not red,green,blue,alpha from 0 to 255")
    return int.from_bytes(bytes(int(part) for part in parts), "big", signed=True)
