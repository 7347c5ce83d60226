"""The part of an image to export: channels, z-planes, time points, a rectangle, a projection, a resolution level."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.image_names import image_identifier
from bioimage_suite.omero.images.details import ImageDetails
from bioimage_suite.omero.images.instruments import Length
from bioimage_suite.omero.objects import chosen_words, split_terms


@dataclass(frozen=True)
class ViewRegion:
    """A rectangle in pixels of the full-size image; `roi_id` is the ROI it encloses, if any."""

    x: int
    y: int
    width: int
    height: int
    roi_id: int | None = None


@dataclass(frozen=True)
class ImageView:
    """The part of an image that one file holds. Indices count from 0.

    Attributes:
        image: The image as OMERO has it.
        channels: Channels, in the file's order.
        planes: z-planes.
        times: Time points.
        region: Rectangle in pixels of the resolution level.
        chosen: The same rectangle in pixels of the full-size image.
        level: Resolution level; 0 is the full size.
        projection: "none", or how the z-planes are combined into one: "max" or "mean".
    """

    image: ImageDetails
    channels: tuple[int, ...]
    planes: tuple[int, ...]
    times: tuple[int, ...]
    region: ViewRegion
    chosen: ViewRegion
    level: int = 0
    projection: str = "none"

    @property
    def identifier(self) -> str:
        """Return the name of the file and of the dataset in Galaxy."""
        name = image_identifier(self.image.image_id, self.image.name)
        return name if self.chosen.roi_id is None else f"{name}_roi_{self.chosen.roi_id}"

    @property
    def is_whole(self) -> bool:
        """Return whether the view has all pixels of the image."""
        return self == whole_view(self.image)

    @property
    def result(self) -> ImageDetails:
        """Return the image in the file: its sizes, its channels, the physical size of its pixels."""
        image = self.image
        factor_x, factor_y = self.chosen.width / self.region.width, self.chosen.height / self.region.height
        return replace(
            image,
            size_x=self.region.width,
            size_y=self.region.height,
            size_z=1 if self.projection != "none" else len(self.planes),
            size_c=len(self.channels),
            size_t=len(self.times),
            channels=tuple(image.channels[number] for number in self.channels if number < len(image.channels)),
            physical_x=_scaled(image.physical_x, factor_x),
            physical_y=_scaled(image.physical_y, factor_y),
        )


@dataclass(frozen=True)
class Tile:
    """A rectangle of one plane of a resolution level; x, y, width, height in pixels of the level."""

    image: ImageDetails
    z: int
    c: int
    t: int
    x: int
    y: int
    width: int
    height: int
    level: int = 0


@dataclass(frozen=True)
class Selection:
    """The user's choice for all images, as text; empty means everything."""

    channels: tuple[str, ...] = ()
    planes: str = ""
    times: str = ""
    region: ViewRegion | None = None
    level: int = 0
    projection: str = "none"


def read_selection(form: Mapping[str, Any]) -> Selection:
    """Read the choices of the form.

    Raises:
        UserError: The rectangle has no area or begins outside the image.
    """
    region = None
    if form.get("region", {}).get("kind") == "rectangle":
        given = form["region"]
        region = ViewRegion(*(int(given[name]) for name in ("x", "y", "width", "height")))
        if region.width < 1 or region.height < 1 or region.x < 0 or region.y < 0:
            raise UserError(f"rectangle: {_in_words(region)} has no area or begins outside the image. Mend it.")
    return Selection(
        tuple(dict.fromkeys((*split_terms(form.get("channels") or ""), *chosen_words(form.get("chosen_channels"))))),
        (form.get("planes") or "").strip(),
        (form.get("times") or "").strip(),
        region,
        int(form.get("level") or 0),
        form.get("projection") or "none",
    )


def whole_view(image: ImageDetails) -> ImageView:
    """Return the view of all pixels of an image."""
    region = ViewRegion(0, 0, image.size_x, image.size_y)
    return ImageView(
        image, tuple(range(image.size_c)), tuple(range(image.size_z)), tuple(range(image.size_t)), region, region
    )


def choose_view(
    image: ImageDetails, chosen: Selection, sizes: Sequence[tuple[int, int]], region: ViewRegion | None = None
) -> ImageView:
    """Apply the user's choice to an image.

    Args:
        image: The image.
        chosen: The user's choice.
        sizes: Columns and rows of the image's resolution levels, the full size first.
        region: Rectangle that replaces the one of `chosen`.

    Raises:
        UserError: The image lacks a channel, plane, time point, level or part of the rectangle.
    """
    what = f"image {image.image_id} {image.name!r}"
    if chosen.level >= len(sizes):
        raise UserError(f"{what}: resolution level {chosen.level} is not there, it has {len(sizes)}. Choose another.")
    if chosen.projection != "none" and image.pixel_type.endswith("complex"):
        raise UserError(f"{what}: complex pixels have no projection. Choose none.")
    region = region or chosen.region or ViewRegion(0, 0, image.size_x, image.size_y)
    if region.x + region.width > image.size_x or region.y + region.height > image.size_y:
        raise UserError(
            f"{what}: rectangle {_in_words(region)} is not inside the image of {image.size_x} x {image.size_y} pixels. "
            "Choose a smaller one."
        )
    return ImageView(
        image,
        tuple(_channel(image, text, what) for text in chosen.channels) or tuple(range(image.size_c)),
        _indices(chosen.planes, image.size_z, f"{what}: z-plane"),
        _indices(chosen.times, image.size_t, f"{what}: time point"),
        _at_level(region, (image.size_x, image.size_y), sizes[chosen.level]),
        region,
        chosen.level,
        chosen.projection,
    )


def view_tiles(view: ImageView, side: int) -> Iterator[Tile]:
    """Yield the tiles of a view in the order of a file with axes TCZYX; for a projection, each tile in all z-planes."""
    stacks = [view.planes] if view.projection != "none" else [(z,) for z in view.planes]
    region = view.region
    for t, c, stack in product(view.times, view.channels, stacks):
        for y, x in product(range(0, region.height, side), range(0, region.width, side)):
            width, height = min(side, region.width - x), min(side, region.height - y)
            for z in stack:
                yield Tile(view.image, z, c, t, region.x + x, region.y + y, width, height, view.level)


def _channel(image: ImageDetails, text: str, what: str) -> int:
    """Return the index of a channel given by name or index, from 0; a name that is a number goes first."""
    names = [channel.name for channel in image.channels]
    if names.count(text) > 1:
        raise UserError(f"{what}: {names.count(text)} channels are called {text!r}. Give the index, counted from 0.")
    if text in names:
        return names.index(text)
    if text.isdecimal() and int(text) < image.size_c:
        return int(text)
    known = ", ".join(f"{index}: {name}" if name else str(index) for index, name in enumerate(names))
    raise UserError(
        f"{what}: no channel {text!r}. Give one of these by its name, or by its index counted from 0: {known}."
    )


def _indices(text: str, count: int, what: str) -> tuple[int, ...]:
    """Parse indices from 0 (`2`, `2-5`, `3-` to the last, separated by commas).

    >>> _indices("1, 3-4, 6-", 8, "plane"), _indices("", 2, "plane")
    ((1, 3, 4, 6, 7), (0, 1))
    """
    if not text:
        return tuple(range(count))
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:(-)\s*(\d*)\s*)?", part)
        if match is None:
            raise UserError(
                f"{what} {part.strip()!r}: not an index or range. Write for instance 3, 2-5 or 3- (to the last)."
            )
        first = int(match[1])
        last = first if match[2] is None else int(match[3] or count - 1)
        if not first <= last < count:
            raise UserError(f"{what} {part.strip()!r}: there are 0 to {count - 1}. Choose among these.")
        found += range(first, last + 1)
    return tuple(dict.fromkeys(found))


def _at_level(region: ViewRegion, full: tuple[int, int], size: tuple[int, int]) -> ViewRegion:
    """Scale a rectangle to a smaller level, where it covers every pixel that it touches."""
    if full == size:
        return region
    spans = []
    for start, length, long, short in zip((region.x, region.y), (region.width, region.height), full, size, strict=True):
        first = start * short // long
        last = min(short, -(-(start + length) * short // long))
        spans.append((first, max(1, last - first)))
    return ViewRegion(spans[0][0], spans[1][0], spans[0][1], spans[1][1], region.roi_id)


def _scaled(length: Length | None, factor: float) -> Length | None:
    if length is None or factor == 1:
        return length
    micrometre = None if length.micrometre is None else length.micrometre * factor
    return Length(length.value * factor, length.symbol, micrometre)


def _in_words(region: ViewRegion) -> str:
    return f"x {region.x}, y {region.y}, width {region.width}, height {region.height}"
