"""Everything about OMERO images that is not pixels: sizes, units, channels, dates, key-value pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from omero_session import Session

PAGE = 500  # Images a query; each brings its channels along.


@dataclass(frozen=True)
class Length:
    """A length as OMERO has it: value and unit symbol; `micrometre` is None for units such as pixels."""

    value: float
    symbol: str
    micrometre: float | None


@dataclass(frozen=True)
class Channel:
    """A channel; None is what OMERO does not know.

    `color` is OME's: red, green, blue and alpha, a byte each, in a signed 32-bit integer.
    """

    name: str | None
    color: int | None
    emission: Length | None
    excitation: Length | None


@dataclass(frozen=True)
class ImageDetails:
    """An image with its metadata. `pixel_type` is OMERO's ("float" and "double" for 32 and 64 bit).

    `size_x` .. `size_t` count pixels, planes, channels and time points; `pairs` are (key, value) in OMERO's order.
    """

    image_id: int
    name: str
    description: str | None
    acquired: datetime | None
    pixels_id: int
    pixel_type: str
    size_x: int
    size_y: int
    size_z: int
    size_c: int
    size_t: int
    physical_x: Length | None
    physical_y: Length | None
    physical_z: Length | None
    channels: tuple[Channel, ...]
    pairs: tuple[tuple[str, str], ...]


def load_image_details(session: Session, image_ids: Sequence[int]) -> list[ImageDetails]:
    """Load the metadata of images, in the given order; three queries a page of 500 images.

    Images that do not exist are left out: look ids up with `omero_objects.find_ids` first.
    """
    details: dict[int, ImageDetails] = {}
    for start in range(0, len(image_ids), PAGE):
        ids = list(image_ids[start : start + PAGE])
        pairs = dict(_pairs(session, ids))
        for pixels in session.objects(
            "select p from Pixels p join fetch p.image i join fetch p.pixelsType "
            "left outer join fetch p.channels c left outer join fetch c.logicalChannel where i.id in (:ids)",
            ids=ids,
        ):
            details[pixels.image.id.val] = _details(pixels, pairs.get(pixels.image.id.val, ()))
    return [details[image_id] for image_id in image_ids if image_id in details]


def _pairs(session: Session, image_ids: Sequence[int]) -> Iterator[tuple[int, tuple[tuple[str, str], ...]]]:
    links = session.rows(
        "select k.parent.id, m.id from ImageAnnotationLink k, MapAnnotation m "
        "where k.child.id = m.id and k.parent.id in (:ids) order by k.parent.id, m.id",
        ids=image_ids,
    )
    if not links:
        return
    found = session.objects("select m from MapAnnotation m where m.id in (:ids)", ids={link[1] for link in links})
    values = {one.id.val: tuple((pair.name, pair.value) for pair in one.getMapValue()) for one in found}
    by_image: dict[int, tuple[tuple[str, str], ...]] = {}
    for image_id, annotation_id in links:
        by_image[image_id] = by_image.get(image_id, ()) + values.get(annotation_id, ())
    yield from by_image.items()


def _details(pixels: Any, pairs: tuple[tuple[str, str], ...]) -> ImageDetails:
    from omero.rtypes import unwrap

    image = pixels.image
    acquired = unwrap(image.acquisitionDate)
    return ImageDetails(
        image_id=image.id.val,
        name=unwrap(image.name) or "",
        description=unwrap(image.description) or None,
        # Milliseconds since 1970. OMERO keeps no time zone; UTC makes the result the same on every machine.
        acquired=None if not acquired else datetime.fromtimestamp(acquired / 1000, UTC),
        pixels_id=pixels.id.val,
        pixel_type=pixels.pixelsType.value.val,
        size_x=pixels.sizeX.val,
        size_y=pixels.sizeY.val,
        size_z=pixels.sizeZ.val,
        size_c=pixels.sizeC.val,
        size_t=pixels.sizeT.val,
        physical_x=_length(pixels.physicalSizeX),
        physical_y=_length(pixels.physicalSizeY),
        physical_z=_length(pixels.physicalSizeZ),
        channels=tuple(_channel(channel) for channel in pixels.copyChannels() if channel is not None),
        pairs=pairs,
    )


def _channel(channel: Any) -> Channel:
    from omero.rtypes import unwrap

    logical = channel.logicalChannel
    parts = [unwrap(value) for value in (channel.red, channel.green, channel.blue, channel.alpha)]
    color = None
    if None not in parts:
        color = int.from_bytes(bytes(part & 255 for part in parts), "big", signed=True)
    return Channel(
        name=(unwrap(logical.name) or None) if logical else None,
        color=color,
        emission=_length(logical.emissionWave) if logical else None,
        excitation=_length(logical.excitationWave) if logical else None,
    )


def _length(length: Any) -> Length | None:
    """Read an `omero.model.Length`, converting with OMERO's own table of units."""
    if length is None:
        return None
    from omero.model import LengthI

    try:
        micrometre = LengthI(length, "MICROMETER").getValue()
    except Exception:  # omero-py raises a bare Exception for units without a conversion.
        micrometre = None
    return Length(length.getValue(), length.getSymbol(), micrometre)
