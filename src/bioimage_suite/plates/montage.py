"""A montage of hits: one field of each, beside controls, all with the same contrast, so that brightness compares."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.plates.illumination import reduced
from bioimage_suite.plates.wells import PLATE, WELL, Well
from bioimage_suite.tables.plate_layout import parse_well

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bioimage_suite.images.model.image_file import ImageFile
    from bioimage_suite.plates.wells import Wells
    from bioimage_suite.tables.measurement_table import MeasurementTable

SIDE, COLUMNS = 256, 6
# Of all pixels shown, so many percent are darker than black, and so many not brighter than white.
DARK, BRIGHT = 1.0, 99.8


@dataclass(frozen=True)
class Shown:
    """A well to show: `kind` is "hit", "negative" or "positive"."""

    well: Well
    kind: str
    title: str


def choose(table: MeasurementTable, column: str, kinds: dict[str, str], most: int, controls: int) -> list[Shown]:
    """Choose wells from a table of hits: controls first, then hits, the strongest first.

    Args:
        table: What `find_hits` wrote.
        column: Condition that names controls.
        kinds: Texts of that condition by kind, separated by commas: "negative" and "positive".
        most: Most hits.
        controls: Most wells of each kind of control.

    Raises:
        UserError: A column is missing, rank or score of a hit is no number, or there is neither a hit nor a control.
    """
    texts = table.texts(column)
    wells = [Well(plate, *parse_well(one)) for plate, one in zip(table.texts(PLATE), table.texts(WELL), strict=True)]
    scores, hits = table.texts("score"), table.texts("hit")
    found: list[Shown] = []
    for kind, names in kinds.items():
        wanted = {name.strip().casefold() for name in names.split(",") if name.strip()}
        places = [place for place, text in enumerate(texts) if text.strip().casefold() in wanted][:controls]
        found += [Shown(wells[place], kind, f"{wells[place].label} {kind}") for place in places]
    ranked = sorted((table.number("rank", place), place) for place, hit in enumerate(hits) if hit == "yes")[:most]
    for _, place in ranked:
        score = f"{table.number('score', place):.3g}" if scores[place] else ""
        found.append(Shown(wells[place], "hit", f"{wells[place].label} {score}"))
    if not found:
        raise UserError(f"table {table.name}: it has neither hits nor controls. Lower the limit, or name the controls.")
    return found


def fields_of(shown: Sequence[Shown], images: Sequence[ImageFile], wells: Wells) -> list[tuple[Shown, ImageFile]]:
    """Return the first image of each well; wells without one are left out.

    Raises:
        UserError: No well has an image, or no table says the well of an image.
    """
    first: dict[Well, ImageFile] = {}
    for image in images:
        first.setdefault(wells.of_image(image.name), image)
    found = [(one, first[one.well]) for one in shown if one.well in first]
    if not found:
        raise UserError("images: none is of a hit or control. Give the images of the plate.")
    return found


def montage(fields: Sequence[tuple[Shown, ImageFile]], channel: str) -> bytes:
    """Draw the first plane of each image in one channel, in grey, as PNG.

    Raises:
        UserError: An image lacks the channel.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    planes = [reduced(image, 0, image.resolve_channel(channel), 0, SIDE) for _, image in fields]
    low, high = np.percentile(np.concatenate([plane.ravel() for plane in planes]), [DARK, BRIGHT])
    columns = min(COLUMNS, len(fields))
    rows = -(-len(fields) // columns)
    figure = Figure(figsize=(2.0 * columns, 2.25 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, (one, _), plane in zip(axes, fields, planes, strict=False):
        # One more than the darkest: a plate of zeros has no contrast.
        axis.imshow(plane, cmap="gray", vmin=low, vmax=max(high, low + 1), interpolation="nearest")
        colour = {"hit": "#d0021b"}.get(one.kind, "#333333")
        axis.set_title(one.title, fontsize=8, color=colour, parse_math=False)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()
