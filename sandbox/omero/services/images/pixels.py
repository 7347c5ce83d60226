"""IPixels: new images, descriptions of pixels, their rendering settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.database.transactions import now
from sandbox.omero.objects import hydrate
from sandbox.omero.objects.access import enum_value, load_objects, readable_row, require_edit
from sandbox.omero.repository.pixel_store import PENDING_SHA1
from sandbox.omero.server.servant import Service
from sandbox.omero.services.data.types import Types
from sandbox.omero.services.data.update import Update
from sandbox.omero.services.images.rendering_settings import SETTINGS_PATHS, rendering_def

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction

SIZES = ("sizeX", "sizeY", "sizeZ", "sizeC", "sizeT")
PHYSICAL = tuple(f"physicalSize{axis}{suffix}" for axis in "XYZ" for suffix in ("", "_unit"))
PIXELS_PATHS = ["channels.logicalChannel", "channels.statsInfo", "image"]
MAX_SIDE = 1 << 20


class Pixels(Service):
    """The service of pixels."""

    interface = "omero.api.IPixels"

    def retrievePixDescription(self, pixels_id: int, current: Any) -> Any:
        """Return the Pixels with channels, or None."""
        found = load_objects(self.server.database, self.context(current), "Pixels", [pixels_id], PIXELS_PATHS)
        return found[0] if found else None

    # Rendering settings.

    def retrieveRndSettings(self, pixels_id: int, current: Any) -> Any:
        """Return the caller's settings, or the owner's, or None."""
        return rendering_def(self, pixels_id, current)

    def retrieveRndSettingsFor(self, pixels_id: int, user_id: int, current: Any) -> Any:
        """Return a user's settings, or None."""
        found = rendering_def(self, pixels_id, current, user_id)
        return found if found is not None and found.details.owner.id.val == user_id else None

    def retrieveAllRndSettings(self, pixels_id: int, user_id: int, current: Any) -> list[Any]:
        """Return all settings of a user, or of everyone for -1."""
        context = self.context(current)
        with self.server.database.read(context) as tx:
            readable_row(tx, context, "Pixels", pixels_id)
            rows = tx.find("RenderingDef", pixels=pixels_id)
            ids = [row["id"] for row in rows if user_id in (-1, row["owner_id"])]
            return hydrate.load(tx, context, "RenderingDef", ids, [*SETTINGS_PATHS, "details.owner"])

    def loadRndSettings(self, definition_id: int, current: Any) -> Any:
        """Return the settings with this id, or None."""
        context = self.context(current)
        found = load_objects(self.server.database, context, "RenderingDef", [definition_id], SETTINGS_PATHS)
        return found[0] if found else None

    def saveRndSettings(self, settings: Any, current: Any) -> None:
        """Save settings as any other object."""
        Update(self.server, self.session).saveObject(settings, current)

    # Enumerations, as ITypes has them.

    def getEnumeration(self, name: str, value: str, current: Any) -> Any:
        """Return one value of an enumeration."""
        return Types(self.server, self.session).getEnumeration(name, value, current)

    def getAllEnumerations(self, name: str, current: Any) -> list[Any]:
        """Return all values of an enumeration."""
        return Types(self.server, self.session).allEnumerations(name, current)

    def getBitDepth(self, pixel_type: Any, _current: Any) -> int:
        """Return the number of bits of a pixel."""
        bits: int = self._pixel_type(pixel_type)["bitSize"]
        return bits

    def _pixel_type(self, pixel_type: Any) -> dict[str, Any]:
        if pixel_type is None:
            raise errors.api_usage("A PixelsType is needed")
        value = enum_value(pixel_type)
        with self.server.database.read() as tx:
            given = pixel_type.id.val if pixel_type.id is not None else None
            found = tx.enum("PixelsType", value) if value else given
            row = tx.get("PixelsType", found) if found is not None else None
        if row is None:
            raise errors.validation(f"PixelsType {value}: no such pixel type")
        return row

    # New images.

    def createImage(
        self,
        size_x: int,
        size_y: int,
        size_z: int,
        size_t: int,
        channels: list[int],
        pixel_type: Any,
        name: str,
        description: str,
        current: Any,
    ) -> Any:
        """Make an image whose pixels the client is going to write; the list has a wavelength for each channel."""
        from omero.rtypes import rlong

        sizes = dict(zip(SIZES, (size_x, size_y, size_z, len(channels or []), size_t), strict=True))
        self._check_sizes(sizes)
        kind = self._pixel_type(pixel_type)
        with self.server.database.write(self.context(current)) as tx:
            image = tx.create(
                "Image",
                name=name or "",
                description=description or None,
                acquisitionDate=now(),
                series=0,
                partial=False,
                archived=False,
            )
            pixels = tx.create(
                "Pixels",
                image=image,
                pixelsType=kind["id"],
                dimensionOrder=tx.ensure_enum("DimensionOrder", "XYZCT"),
                significantBits=kind["bitSize"],
                sha1=PENDING_SHA1,
                **sizes,
            )
            for _ in channels:  # without colours and statistics, as PixelsImpl.createChannels
                tx.create("Channel", pixels=pixels, logicalChannel=tx.create("LogicalChannel"))
        return rlong(image)

    @staticmethod
    def _check_sizes(sizes: dict[str, int]) -> None:
        for name, size in sizes.items():
            if not 1 <= size <= MAX_SIDE:
                raise errors.validation(f"{name} {size} is not in 1..{MAX_SIDE}")

    def copyAndResizeImage(self, image_id: int, *arguments: Any) -> Any:
        """Make an image like another, in other sizes and with chosen channels; the client is to write its pixels.

        Args:
            image_id: The image.
            *arguments: What `_copy_pixels` takes, in the order of Slice, and the call's own `current`.
        """

        def place(tx: Transaction, context: Context) -> tuple[dict[str, Any], int]:
            image = readable_row(tx, context, "Image", image_id)
            pixels = tx.find("Pixels", image=image_id)
            if not pixels:
                raise errors.validation(f"Image {image_id} has no pixels")
            return pixels[0], self._copy_image(tx, image)

        image, _ = self._copy_and_resize(place, *arguments)
        return image

    def copyAndResizePixels(self, pixels_id: int, *arguments: Any) -> Any:
        """Make pixels like others, as copyAndResizeImage does, but of the same image."""

        def place(tx: Transaction, context: Context) -> tuple[dict[str, Any], int]:
            pixels = readable_row(tx, context, "Pixels", pixels_id)
            require_edit(context, "Pixels", pixels)
            return pixels, pixels["image"]

        _, pixels = self._copy_and_resize(place, *arguments)
        return pixels

    def _copy_and_resize(
        self, place: Callable[[Transaction, Context], tuple[dict[str, Any], int]], *arguments: Any
    ) -> tuple[Any, Any]:
        """Copy pixels.

        Args:
            place: Gives the row of the pixels to copy and the id of the image that the new ones belong to.
            *arguments: Those of copyAndResizeImage.

        Returns:
            Ids (RLong) of that image and of the new pixels.
        """
        from omero.rtypes import rlong

        *wanted, current = arguments
        context = self.context(current)
        with self.server.database.write(context) as tx:
            pixels, image_id = place(tx, context)
            made = self._copy_pixels(tx, pixels, image_id, *wanted)
        return rlong(image_id), rlong(made)

    @staticmethod
    def _copy_image(tx: Transaction, image: dict[str, Any]) -> int:
        copied = {key: image[key] for key in ("name", "description", "acquisitionDate", "instrument")}
        if image["objectiveSettings"] is not None:
            copied["objectiveSettings"] = image["objectiveSettings"]
        return tx.create("Image", **copied, series=0, partial=False, archived=False)

    def _copy_pixels(
        self,
        tx: Transaction,
        pixels: dict[str, Any],
        image_id: int,
        size_x: Any,
        size_y: Any,
        size_z: Any,
        size_t: Any,
        channels: list[int],
        methodology: str,
        copy_stats: bool,
    ) -> int:
        sizes = (size_x, size_y, size_z, size_t)
        rows = tx.find("Channel", pixels=pixels["id"])
        chosen = list(channels) if channels else list(range(len(rows)))
        if not all(0 <= index < len(rows) for index in chosen):
            raise errors.validation(f"Channels {chosen} are not all inside 0..{len(rows) - 1}")
        wanted = {
            name: pixels[name] if given is None else given.val
            for name, given in zip(("sizeX", "sizeY", "sizeZ", "sizeT"), sizes, strict=True)
        }
        wanted["sizeC"] = len(chosen)
        self._check_sizes(wanted)
        same = ("pixelsType", "dimensionOrder", "significantBits", "timeIncrement", "timeIncrement_unit", *PHYSICAL)
        made = tx.create(
            "Pixels",
            image=image_id,
            sha1=PENDING_SHA1,
            methodology=methodology or None,
            relatedTo=pixels["id"],
            **wanted,
            **{name: pixels[name] for name in same},
        )
        for index in chosen:
            self._copy_channel(tx, rows[index], made, copy_stats)
        return made

    @staticmethod
    def _copy_channel(tx: Transaction, row: dict[str, Any], pixels: int, copy_stats: bool) -> None:
        names = ("name", "fluor", "samplesPerPixel", "photometricInterpretation", "mode", "contrastMethod")
        waves = ("emissionWave", "emissionWave_unit", "excitationWave", "excitationWave_unit")
        logical = tx.get("LogicalChannel", row["logicalChannel"]) if row["logicalChannel"] is not None else None
        copied = {name: logical[name] for name in (*names, *waves)} if logical else {}
        stats = tx.get("StatsInfo", row["statsInfo"]) if copy_stats and row["statsInfo"] is not None else None
        columns = {name: row[name] for name in ("red", "green", "blue", "alpha", "lookupTable")}
        columns["logicalChannel"] = tx.create("LogicalChannel", **copied)
        if stats:
            columns["statsInfo"] = tx.create("StatsInfo", globalMin=stats["globalMin"], globalMax=stats["globalMax"])
        tx.create("Channel", pixels=pixels, **columns)

    def setChannelGlobalMinMax(self, pixels_id: int, index: int, low: float, high: float, current: Any) -> None:
        """Record minimum and maximum of a channel."""
        context = self.context(current)
        with self.server.database.write(context) as tx:
            pixels = readable_row(tx, context, "Pixels", pixels_id)
            require_edit(context, "Pixels", pixels)
            rows = tx.find("Channel", pixels=pixels_id)
            if not 0 <= index < len(rows):
                raise errors.validation(f"c={index} is outside 0..{len(rows) - 1}")
            if rows[index]["statsInfo"] is not None:
                tx.update("StatsInfo", rows[index]["statsInfo"], globalMin=low, globalMax=high)
                return
            owner = {"owner_id": pixels["owner_id"], "group_id": pixels["group_id"]}
            stats = tx.create("StatsInfo", globalMin=low, globalMax=high, **owner)
            tx.update("Channel", rows[index]["id"], statsInfo=stats)
