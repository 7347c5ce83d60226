"""RenderingEngine: pictures of planes, with settings that can be changed and saved."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.omero import errors
from sandbox.omero.access.permissions import rights
from sandbox.omero.objects import hydrate
from sandbox.omero.objects.access import enum_value, load_objects, readable_row, require_edit
from sandbox.omero.rendering import views
from sandbox.omero.rendering.pictures import ChannelRendering, Rendering, to_jpeg, to_packed_int
from sandbox.omero.rendering.settings import (
    DEFAULT_COMPRESSION,
    create_rendering,
    default_rendering,
    find_rendering,
    load_rendering,
    update_rendering,
)
from sandbox.omero.repository.pixel_store import plane_minmax
from sandbox.omero.services.images.pyramid import PyramidService
from sandbox.omero.services.images.raw_pixels_store import bad_values_named

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECTIONS = ("maximum", "mean", "sum")  # omero.constants.projection.ProjectionType, by value
FAMILIES = ("linear", "polynomial", "exponential", "logarithmic")


class RenderingEngine(PyramidService):
    """The service that renders one image."""

    interface = "omero.api.RenderingEngine"
    rendering: Rendering | None = None
    definition_id: int | None = None
    requested = False
    """Whether the client chose the settings by their id: then they are what is saved over (RenderingBean)."""
    compression = DEFAULT_COMPRESSION

    # The image and its settings.

    def lookupPixels(self, pixels_id: int, current: Any) -> None:
        """Switch to another image."""
        self.open_pixels(pixels_id, current)
        self.rendering = self.definition_id = None
        self.requested = False

    def lookupRenderingDef(self, pixels_id: int, current: Any) -> bool:
        """Load the caller's settings for the image, or its owner's; return False where there are none."""
        pixels = self._pixels()
        if pixels["id"] != pixels_id:
            raise errors.validation(f"Pixels {pixels_id} are not the ones in use: {pixels['id']}")
        context = self.context(current)
        with self.server.database.read(context) as tx:
            found = find_rendering(tx, pixels, context.user_id)
            if found is None:
                return False
            self.definition_id, self.rendering = found, load_rendering(tx, found)
        self.requested = False
        return True

    def loadRenderingDef(self, definition_id: int, current: Any) -> None:
        """Load the settings with this id."""
        context = self.context(current)
        with self.server.database.read(context) as tx:
            row = readable_row(tx, context, "RenderingDef", definition_id)
            if row["pixels"] != self._pixels()["id"]:
                raise errors.validation(f"RenderingDef {definition_id} belongs to other pixels: {row['pixels']}")
            self.definition_id, self.rendering = definition_id, load_rendering(tx, definition_id)
        self.requested = True

    def load(self, current: Any) -> None:
        """Load the default settings if none are loaded; raise if pixels are not ready, as RenderingBean.load."""
        self._pixels()
        self.require_ready()
        if self.rendering is None:
            self.rendering = self._defaults(current)

    def _pixels(self) -> dict[str, Any]:
        self.opened()
        assert self.pixels is not None
        return self.pixels

    def _defaults(self, current: Any) -> Rendering:
        pixels = self._pixels()
        self.require_ready()
        with self.server.database.read(self.context(current)) as tx, bad_values_named():
            return default_rendering(tx, pixels, lambda c: plane_minmax(self.opened(), c))

    def _settings(self) -> Rendering:
        if self.rendering is None:
            raise errors.api_usage("No rendering settings are loaded: call load first")
        return self.rendering

    def getRenderingDefId(self, _current: Any) -> int:
        """Return the id of the settings in use; -1 for settings that are not saved."""
        return -1 if self.definition_id is None else self.definition_id

    def resetDefaultSettings(self, save: bool, current: Any) -> int:
        """Go back to the default settings of the image; return the id of the saved ones, or -1.

        They are saved only if the caller may annotate the image.
        """
        self.rendering = self._defaults(current)
        if not save or not self._may_save(current):
            return self.getRenderingDefId(current)
        return self._save_own(current)

    def _may_save(self, current: Any) -> bool:
        pixels = self._pixels()
        return rights(self.context(current), pixels["owner_id"], pixels["group_id"]).annotate

    def _save_own(self, current: Any) -> int:
        """Write the settings over the caller's own, or as new ones of the caller; return their id."""
        context, rendering, pixels = self.context(current), self._settings(), self._pixels()
        with self.server.database.write(context) as tx:
            own = tx.find("RenderingDef", pixels=pixels["id"], owner_id=context.user_id)
            if own:
                self.definition_id = own[-1]["id"]
                update_rendering(tx, self.definition_id, rendering)
            else:
                self.definition_id = create_rendering(tx, pixels["id"], rendering, group_id=pixels["group_id"])
        return self.definition_id

    def saveCurrentSettings(self, current: Any) -> None:
        """Save the settings: over those that the client chose by their id, else as the caller's."""
        self._require_saving(current)
        if self.requested and self.definition_id is not None:
            self._save_over(self.definition_id, current)
        else:
            self._save_own(current)

    def _save_over(self, definition_id: int, current: Any) -> None:
        context = self.context(current)
        with self.server.database.write(context) as tx:
            require_edit(context, "RenderingDef", readable_row(tx, context, "RenderingDef", definition_id))
            update_rendering(tx, definition_id, self._settings())

    def saveAsNewSettings(self, current: Any) -> int:
        """Save the settings in addition to existing ones; return their id."""
        self._require_saving(current)
        pixels = self._pixels()
        with self.server.database.write(self.context(current)) as tx:
            self.definition_id = create_rendering(tx, pixels["id"], self._settings(), group_id=pixels["group_id"])
        return self.definition_id

    def _require_saving(self, current: Any) -> None:
        self._settings()
        if not self._may_save(current):
            raise errors.security(f"Cannot save rendering settings for Pixels {self._pixels()['id']}")

    def getPixels(self, current: Any) -> Any:
        """Return the Pixels with their channels."""
        paths = ["channels.logicalChannel", "channels.statsInfo", "image"]
        context = self.context(current)
        return load_objects(self.server.database, context, "Pixels", [self._pixels()["id"]], paths)[0]

    # Pictures.

    def _picture(self, plane: Any) -> np.ndarray:
        if plane is None:
            raise errors.api_usage("No plane given")
        source, rendering = self.opened(), self._settings()
        with bad_values_named():
            if plane.slice == 1:
                return views.render_section(source, rendering, "XZ", plane.y, plane.t)
            if plane.slice == 2:
                return views.render_section(source, rendering, "ZY", plane.x, plane.t)
            found = plane.region
            region = None if found is None else (found.x, found.y, found.width, found.height)
            return views.render_region(source, rendering, self.level, plane.z, plane.t, region)

    def _projection(self, kind: Any, t: int, step: int, first: int, last: int) -> np.ndarray:
        with bad_values_named():
            name = PROJECTIONS[kind.value]
            return views.render_projection(self.opened(), self._settings(), name, t, first, last, step)

    def render(self, plane: Any, _current: Any) -> Any:
        """Return a picture as three bands of bytes."""
        import omero

        picture = self._picture(plane)
        bands = [picture[..., band].tobytes() for band in range(3)]
        return omero.romio.RGBBuffer(bands, picture.shape[1], picture.shape[0])

    def renderAsPackedInt(self, plane: Any, _current: Any) -> list[int]:
        """Return a picture as 0xAARRGGBB."""
        packed: list[int] = to_packed_int(self._picture(plane)).tolist()
        return packed

    def renderCompressed(self, plane: Any, _current: Any) -> bytes:
        """Return a picture as JPEG."""
        return to_jpeg(self._picture(plane), self.compression)

    def renderProjectedAsPackedInt(
        self, kind: Any, t: int, step: int, first: int, last: int, _current: Any
    ) -> list[int]:
        """Return a projection as 0xAARRGGBB."""
        packed: list[int] = to_packed_int(self._projection(kind, t, step, first, last)).tolist()
        return packed

    def renderProjectedCompressed(self, kind: Any, t: int, step: int, first: int, last: int, _current: Any) -> bytes:
        """Return a projection as JPEG."""
        return to_jpeg(self._projection(kind, t, step, first, last), self.compression)

    def setCompressionLevel(self, level: float, _current: Any) -> None:
        """Set the quality of JPEG, 0 to 1."""
        if not 0 <= level <= 1:
            raise errors.validation(f"Compression level {level} is not in 0..1")
        self.compression = level

    def getCompressionLevel(self, _current: Any) -> float:
        """Return the quality of JPEG, 0 to 1."""
        return self.compression

    # The image's settings.

    def _change(self, **values: Any) -> None:
        self.rendering = dataclasses.replace(self._settings(), **values)

    def _enumeration(self, entity: str) -> list[Any]:
        with self.server.database.read() as tx:
            return list(hydrate.enumeration(tx, entity).values())

    def getAvailableModels(self, _current: Any) -> list[Any]:
        """Return the colour models."""
        return self._enumeration("RenderingModel")

    def getAvailableFamilies(self, _current: Any) -> list[Any]:
        """Return the families of curves."""
        return [f for f in self._enumeration("Family") if f.value.val in FAMILIES]

    def setModel(self, model: Any, _current: Any) -> None:
        """Change to greyscale or colour."""
        value = enum_value(model)
        if value not in ("greyscale", "rgb"):
            raise errors.validation(f"Rendering model {value} is not greyscale or rgb")
        self._change(greyscale=value == "greyscale")

    def updateSettings(self, settings: Any, current: Any) -> None:
        """Take over a RenderingDef, part by part as the `set` methods do; skip a part with a null in it."""
        if settings is None or not settings.isLoaded():
            raise errors.api_usage("Settings are needed")
        before = self._settings()
        try:
            self._take(self.setModel, current, settings.model)
            self._take(self.setDefaultZ, current, *values_of(settings, "defaultZ"))
            self._take(self.setDefaultT, current, *values_of(settings, "defaultT"))
            if settings.quantization is not None and settings.quantization.isLoaded():
                self._take(self.setQuantumStrategy, current, *values_of(settings.quantization, "bitResolution"))
                self._take(self.setCodomainInterval, current, *values_of(settings.quantization, "cdStart", "cdEnd"))
            bindings = list(settings.copyWaveRendering()) if settings.sizeOfWaveRendering() > 0 else []
            for index, channel in enumerate(bindings[: len(before.channels)]):
                if channel is not None and channel.isLoaded():
                    self._update_channel(index, channel, current)
        except BaseException:
            self.rendering = before
            raise

    def _update_channel(self, index: int, channel: Any, current: Any) -> None:
        self._take(self.setActive, current, index, *values_of(channel, "active"))
        self._take(self.setChannelWindow, current, index, *values_of(channel, "inputStart", "inputEnd"))
        curve = values_of(channel, "coefficient", "noiseReduction")
        self._take(self.setQuantizationMap, current, index, channel.family, *curve)
        self._take(self.setRGBA, current, index, *values_of(channel, "red", "green", "blue", "alpha"))
        self._take(self.setChannelLookupTable, current, index, *values_of(channel, "lookupTable"))

    @staticmethod
    def _take(change: Callable[..., None], current: Any, *values: Any) -> None:
        if None not in values:
            change(*values, current)

    def getModel(self, _current: Any) -> Any:
        """Return the colour model: greyscale or rgb."""
        wanted = "greyscale" if self._settings().greyscale else "rgb"
        return next(m for m in self._enumeration("RenderingModel") if m.value.val == wanted)

    def getDefaultZ(self, _current: Any) -> int:
        """Return the focal plane that is shown first."""
        return self._settings().default_z

    def getDefaultT(self, _current: Any) -> int:
        """Return the time point that is shown first."""
        return self._settings().default_t

    def setDefaultZ(self, z: int, _current: Any) -> None:
        """Change the focal plane that is shown first."""
        self._change(default_z=z)

    def setDefaultT(self, t: int, _current: Any) -> None:
        """Change the time point that is shown first."""
        self._change(default_t=t)

    def setQuantumStrategy(self, bit_resolution: int, _current: Any) -> None:
        """Change the number of output values: 2^n - 1, n from 1 to 8."""
        if bit_resolution not in {2**n - 1 for n in range(1, 9)}:
            raise errors.validation(f"Bit resolution {bit_resolution} is not 2^n - 1, n in 1..8")
        self._change(bit_resolution=bit_resolution)

    def setCodomainInterval(self, start: int, end: int, _current: Any) -> None:
        """Change the darkest and brightest output value."""
        if not 0 <= start < end <= 255:
            raise errors.validation(f"Codomain {start}..{end} is not inside 0..255")
        self._change(codomain=(start, end))

    def getQuantumDef(self, _current: Any) -> Any:
        """Return the range and number of output values."""
        import omero
        from omero.rtypes import rint

        found = omero.model.QuantumDefI()
        low, high = self._settings().codomain
        found.cdStart, found.cdEnd = rint(low), rint(high)
        found.bitResolution = rint(self._settings().bit_resolution)
        return found

    # One channel's settings.

    def _channel(self, index: int) -> ChannelRendering:
        channels = self._settings().channels
        if not 0 <= index < len(channels):
            raise errors.api_usage(f"c={index} is outside 0..{len(channels) - 1}")
        return channels[index]

    def _change_channel(self, index: int, **values: Any) -> None:
        changed = dataclasses.replace(self._channel(index), **values)
        channels = self._settings().channels
        self._change(channels=(*channels[:index], changed, *channels[index + 1 :]))

    def setActive(self, index: int, active: bool, _current: Any) -> None:
        """Show or hide a channel."""
        self._change_channel(index, active=active)

    def isActive(self, index: int, _current: Any) -> bool:
        """Return whether a channel is shown."""
        return self._channel(index).active

    def setChannelWindow(self, index: int, start: float, end: float, _current: Any) -> None:
        """Change the values that are shown as black and as full colour."""
        if not start <= end:
            raise errors.validation(f"Window {start}..{end} of channel {index}: the start is above the end")
        self._change_channel(index, start=start, end=end)

    def getChannelWindowStart(self, index: int, _current: Any) -> float:
        """Return the value that is shown as black."""
        return float(self._channel(index).start)

    def getChannelWindowEnd(self, index: int, _current: Any) -> float:
        """Return the value that is shown as full colour."""
        return float(self._channel(index).end)

    def setRGBA(self, index: int, red: int, green: int, blue: int, alpha: int, _current: Any) -> None:
        """Change a channel's colour."""
        color = (red, green, blue, alpha)
        if not all(0 <= value <= 255 for value in color):
            raise errors.validation(f"Colour {color} of channel {index} is not inside 0..255")
        self._change_channel(index, color=color)

    def getRGBA(self, index: int, _current: Any) -> list[int]:
        """Return a channel's colour."""
        return list(self._channel(index).color)

    def setChannelLookupTable(self, index: int, name: str, _current: Any) -> None:
        """Keep the name of a lookup table; the channel is still shown in its colour."""
        self._change_channel(index, lookup_table=name or "")

    def getChannelLookupTable(self, index: int, _current: Any) -> str:
        """Return the name of the lookup table."""
        return self._channel(index).lookup_table

    def setQuantizationMap(
        self, index: int, family: Any, coefficient: float, _noise_reduction: bool, _current: Any
    ) -> None:
        """Change a channel's curve."""
        value = enum_value(family)
        if value not in FAMILIES:
            raise errors.validation(f"Family {value} is not one of {', '.join(FAMILIES)}")
        if not coefficient > 0:
            raise errors.validation(f"Coefficient {coefficient} is not above 0")
        self._change_channel(index, family=value, coefficient=coefficient)

    def getChannelFamily(self, index: int, _current: Any) -> Any:
        """Return a channel's family of curves."""
        wanted = self._channel(index).family
        return next(f for f in self._enumeration("Family") if f.value.val == wanted)

    def getChannelCurveCoefficient(self, index: int, _current: Any) -> float:
        """Return the exponent of a channel's curve."""
        return self._channel(index).coefficient

    def getChannelNoiseReduction(self, _index: int, _current: Any) -> bool:
        """Return False: noise is never reduced."""
        return False

    def addCodomainMapToChannel(self, context: Any, index: int, _current: Any) -> None:
        """Swap dark and bright of a channel, the only codomain map."""
        self._require_reverse(context)
        self._change_channel(index, reverse=True)

    def removeCodomainMapFromChannel(self, context: Any, index: int, _current: Any) -> None:
        """Undo addCodomainMapToChannel."""
        self._require_reverse(context)
        self._change_channel(index, reverse=False)

    @staticmethod
    def _require_reverse(context: Any) -> None:
        import omero

        if not isinstance(context, omero.romio.ReverseIntensityMapContext):
            raise errors.api_usage("ReverseIntensityMapContext is the only supported codomain map")

    def getCodomainMapContext(self, index: int, _current: Any) -> list[Any]:
        """Return the codomain maps of a channel."""
        import omero
        from omero.rtypes import rbool

        if not self._channel(index).reverse:
            return []
        found = omero.model.ReverseIntensityContextI()
        found.reverse = rbool(True)
        return [found]

    def getChannelStats(self, index: int, current: Any) -> list[float]:
        """Return minimum and maximum of a channel."""
        self._channel(index)
        with self.server.database.read(self.context(current)) as tx:
            row = tx.find("Channel", pixels=self._pixels()["id"])[index]
            stats = tx.get("StatsInfo", row["statsInfo"]) if row["statsInfo"] is not None else None
        if stats is not None:
            return [stats["globalMin"], stats["globalMax"]]
        with bad_values_named():
            return list(plane_minmax(self.opened(), index))

    # The pixel type.

    def isPixelsTypeSigned(self, _current: Any) -> bool:
        """Return whether pixels may be negative."""
        return self.opened().shape.wire_type.kind != "u"

    def getPixelsTypeLowerBound(self, index: int, current: Any) -> float:
        """Return the smallest value of the pixel type; for floating point numbers, of the channel."""
        return self._bounds(index, current)[0]

    def getPixelsTypeUpperBound(self, index: int, current: Any) -> float:
        """Return the largest value of the pixel type; for floating point numbers, of the channel."""
        return self._bounds(index, current)[1]

    def _bounds(self, index: int, current: Any) -> tuple[float, float]:
        dtype = self.opened().shape.wire_type
        if dtype.kind not in "iu":
            low, high = self.getChannelStats(index, current)
            return low, high
        return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)


def values_of(thing: Any, *names: str) -> list[Any]:
    """Return the plain values of an object's properties; None for each that is null."""
    found = [getattr(thing, name) for name in names]
    return [value.val if value is not None else None for value in found]
