"""Metadata of OMERO images: sizes, units, channels, dates, instrument, key-value pairs, tags."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bioimage_suite.omero.annotations.annotations import linked_pairs, linked_texts
from bioimage_suite.omero.images.instruments import Instrument, Length, load_instruments, read_length, read_quantity
from bioimage_suite.omero.paging import batches
from bioimage_suite.omero.session import Session

PAGE = 500  # Images per query; each is loaded with its channels.


@dataclass(frozen=True)
class Channel:
    """A channel; None means that OMERO has no value.

    `color` is OME's: red, green, blue and alpha, one byte each, in a signed 32-bit integer.
    """

    name: str | None
    color: int | None
    emission: Length | None
    excitation: Length | None
    fluor: str | None = None


@dataclass(frozen=True)
class KeyValues:
    """The pairs of one annotation in OMERO's order, including repeated keys."""

    namespace: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ImageDetails:
    """An image with its metadata. `pixel_type` is OMERO's ("float" and "double" for 32 and 64 bit).

    `size_x` .. `size_t` count pixels, z-planes, channels and time points; `time_step` is the interval between time
    points. `sha1` is OMERO's checksum of the pixels, if any; `fileset_id` is the fileset the image was imported from.
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
    key_values: tuple[KeyValues, ...] = ()
    tags: tuple[str, ...] = ()
    time_step: Length | None = None
    instrument: Instrument | None = None
    sha1: str | None = None
    fileset_id: int | None = None

    def micrometres(self, axis: str) -> float | None:
        """Return the extent of a pixel along `x`, `y` or `z` in µm, None where unknown or in no unit of length."""
        size: Length | None = getattr(self, f"physical_{axis}")
        return size.micrometre if size else None

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return all key-value pairs, in OMERO's order."""
        return tuple(pair for one in self.key_values for pair in one.pairs)


def load_image_details(session: Session, image_ids: Sequence[int]) -> list[ImageDetails]:
    """Load the metadata of images, in the given order; about ten queries per page of 500 images.

    Images that do not exist are left out: check ids with `omero.objects.find_ids` first.
    """
    details: dict[int, ImageDetails] = {}
    for ids in batches(image_ids, PAGE):
        pairs: dict[int, list[KeyValues]] = {}
        for one in linked_pairs(session, "image", ids):
            pairs.setdefault(one.object_id, []).append(KeyValues(one.namespace, one.value))
        tags: dict[int, list[str]] = {}
        for tag in linked_texts(session, "image", ids, "TagAnnotation"):
            tags.setdefault(tag.object_id, []).append(tag.value or "")
        instruments = load_instruments(session, ids)
        for pixels in session.objects(
            "select p from Pixels p join fetch p.image i join fetch p.pixelsType "
            "left outer join fetch p.channels c left outer join fetch c.logicalChannel where i.id in (:ids)",
            ids=ids,
        ):
            number = pixels.image.id.val
            details[number] = replace(
                _details(pixels),
                key_values=tuple(pairs.get(number, ())),
                tags=tuple(tags.get(number, ())),
                instrument=instruments.get(number),
            )
    return [details[image_id] for image_id in image_ids if image_id in details]


def _details(pixels: Any) -> ImageDetails:
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
        physical_x=read_length(pixels.physicalSizeX),
        physical_y=read_length(pixels.physicalSizeY),
        physical_z=read_length(pixels.physicalSizeZ),
        channels=tuple(_channel(channel) for channel in pixels.copyChannels() if channel is not None),
        time_step=None if pixels.timeIncrement is None else read_quantity(pixels.timeIncrement),
        sha1=unwrap(pixels.sha1),
        fileset_id=None if image.fileset is None else image.fileset.id.val,
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
        emission=read_length(logical.emissionWave) if logical else None,
        excitation=read_length(logical.excitationWave) if logical else None,
        fluor=(unwrap(logical.fluor) or None) if logical else None,
    )
