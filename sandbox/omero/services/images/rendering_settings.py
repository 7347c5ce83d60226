"""IRenderingSettings: default settings for many images, and settings copied from one image to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access.permissions import rights
from sandbox.omero.image_files import ImageFileError
from sandbox.omero.objects import hydrate
from sandbox.omero.objects.access import readable_row
from sandbox.omero.rendering.settings import (
    create_rendering,
    default_rendering,
    find_rendering,
    load_rendering,
    update_rendering,
)
from sandbox.omero.repository.pixel_access import open_pixels
from sandbox.omero.repository.pixel_store import plane_minmax
from sandbox.omero.server.servant import Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction
    from sandbox.omero.rendering.pictures import Rendering

# The images of a container, by the container's class.
IMAGES_OF = {
    "Image": 'SELECT id FROM "Image" WHERE id IN ({})',
    "Pixels": 'SELECT image FROM "Pixels" WHERE id IN ({})',
    "Dataset": 'SELECT child FROM "DatasetImageLink" WHERE parent IN ({})',
    "Project": 'SELECT child FROM "DatasetImageLink" WHERE parent IN '
    '(SELECT child FROM "ProjectDatasetLink" WHERE parent IN ({}))',
    "Plate": 'SELECT image FROM "WellSample" WHERE well IN (SELECT id FROM "Well" WHERE plate IN ({}))',
    "Screen": 'SELECT image FROM "WellSample" WHERE well IN (SELECT id FROM "Well" WHERE plate IN '
    '(SELECT child FROM "ScreenPlateLink" WHERE parent IN ({})))',
}
SETTINGS_PATHS = [
    "quantization",
    "model",
    "waveRendering.family",
    "waveRendering.spatialDomainEnhancement",
    "pixels",
]


class RenderingSettings(Service):
    """The service of rendering settings."""

    interface = "omero.api.IRenderingSettings"

    def getRenderingSettings(self, pixels_id: int, current: Any) -> Any:
        """Return the caller's settings for an image, or its owner's, or None."""
        return rendering_def(self, pixels_id, current)

    def sanityCheckPixels(self, one: Any, other: Any, current: Any) -> bool:
        """Return whether settings for one image fit another: the same pixel type and number of channels."""
        rows = []
        with self.server.database.read(self.context(current)) as tx:
            for pixels in (one, other):
                if pixels is None or pixels.id is None:
                    raise errors.api_usage("Pixels with an id are needed")
                rows.append(readable_row(tx, self.context(current), "Pixels", pixels.id.val))
        return all(rows[0][key] == rows[1][key] for key in ("pixelsType", "sizeC"))

    # Defaults.

    def resetDefaultsInImage(self, image_id: int, current: Any) -> None:
        """Reset the settings of an image to the defaults."""
        self._reset(self._pixels_of("Image", [image_id], current), current, strict=True)

    def resetDefaultsForPixels(self, pixels_id: int, current: Any) -> None:
        """Reset the settings of pixels to the defaults."""
        self._reset(self._pixels_of("Pixels", [pixels_id], current), current, strict=True)

    def resetDefaultsInDataset(self, dataset_id: int, current: Any) -> list[int]:
        """Reset the settings of the images of a dataset to the defaults; return the ids of the images."""
        return self._reset(self._pixels_of("Dataset", [dataset_id], current), current)

    def resetDefaultsInSet(self, kind: str, ids: list[int], current: Any) -> list[int]:
        """Reset the settings of the images of containers to the defaults; return the ids of the images."""
        return self._reset(self._pixels_of(kind, ids, current), current)

    def resetDefaultsByOwnerInSet(self, kind: str, ids: list[int], current: Any) -> list[int]:
        """Replace the caller's settings by copies of the owners'; return the ids of the images."""
        done = []
        for pixels in self._pixels_of(kind, ids, current):
            context = self.context(current)
            with self.server.database.write(context) as tx:
                found = find_rendering(tx, pixels, pixels["owner_id"])
                if found is not None and self._save(tx, context, pixels, load_rendering(tx, found)):
                    done.append(pixels["image"])
        return done

    def resetMinMaxInSet(self, kind: str, ids: list[int], current: Any) -> list[int]:
        """Set windows from minimum to maximum, which is what the defaults are."""
        return self.resetDefaultsInSet(kind, ids, current)

    def setOriginalSettingsInImage(self, image_id: int, current: Any) -> None:
        """Reset the settings to the defaults: no others were ever stored."""
        self.resetDefaultsInImage(image_id, current)

    def setOriginalSettingsForPixels(self, pixels_id: int, current: Any) -> None:
        """Reset the settings as setOriginalSettingsInImage does."""
        self.resetDefaultsForPixels(pixels_id, current)

    def setOriginalSettingsInDataset(self, dataset_id: int, current: Any) -> list[int]:
        """Reset the settings as setOriginalSettingsInImage does."""
        return self.resetDefaultsInDataset(dataset_id, current)

    def setOriginalSettingsInSet(self, kind: str, ids: list[int], current: Any) -> list[int]:
        """Reset the settings as setOriginalSettingsInImage does."""
        return self.resetDefaultsInSet(kind, ids, current)

    # From one image to others.

    def applySettingsToSet(self, from_pixels: int, kind: str, ids: list[int], current: Any) -> dict[bool, list[int]]:
        """Copy settings of one image to the images of containers; return ids of those that took them, or not."""
        context = self.context(current)
        with self.server.database.read(context) as tx:
            source = readable_row(tx, context, "Pixels", from_pixels)
            found = find_rendering(tx, source, context.user_id)
            if found is None:
                raise errors.validation(f"Pixels {from_pixels} have no rendering settings")
            rendering = load_rendering(tx, found)
        result: dict[bool, list[int]] = {True: [], False: []}
        for pixels in self._pixels_of(kind, ids, current):
            fits = all(source[key] == pixels[key] for key in ("pixelsType", "sizeC"))
            with self.server.database.write(context) as tx:
                result[fits and self._save(tx, context, pixels, rendering)].append(pixels["image"])
        return result

    def applySettingsToProject(self, from_pixels: int, project: int, current: Any) -> dict[bool, list[int]]:
        """Copy settings as applySettingsToSet does."""
        return self.applySettingsToSet(from_pixels, "Project", [project], current)

    def applySettingsToDataset(self, from_pixels: int, dataset: int, current: Any) -> dict[bool, list[int]]:
        """Copy settings as applySettingsToSet does."""
        return self.applySettingsToSet(from_pixels, "Dataset", [dataset], current)

    def applySettingsToImages(self, from_pixels: int, images: list[int], current: Any) -> dict[bool, list[int]]:
        """Copy settings as applySettingsToSet does."""
        return self.applySettingsToSet(from_pixels, "Image", images, current)

    def applySettingsToImage(self, from_pixels: int, image: int, current: Any) -> bool:
        """Copy settings as applySettingsToSet does; return whether the image took them."""
        return bool(self.applySettingsToSet(from_pixels, "Image", [image], current)[True])

    def applySettingsToPixels(self, from_pixels: int, pixels: int, current: Any) -> bool:
        """Copy settings as applySettingsToSet does; return whether the pixels took them."""
        return bool(self.applySettingsToSet(from_pixels, "Pixels", [pixels], current)[True])

    def _pixels_of(self, kind: str, ids: Iterable[int], current: Any) -> list[dict[str, Any]]:
        """Return the rows of the pixels in containers, as far as the caller sees them."""
        name = (kind or "").rsplit(".", 1)[-1].removesuffix("I")
        if name not in IMAGES_OF:
            raise errors.api_usage(f"{kind} is not one of {', '.join(IMAGES_OF)}")
        context, wanted = self.context(current), [int(i) for i in ids or []]
        with self.server.database.read(context) as tx:
            for container in wanted:
                readable_row(tx, context, name, container)
            listed = ", ".join(map(str, wanted))
            images = [row[0] for row in tx.rows(IMAGES_OF[name].format(listed), {})]
            visible = [image.id.val for image in hydrate.load(tx, context, "Image", images)]
            return tx.find("Pixels", image=visible)

    def _reset(self, rows: list[dict[str, Any]], current: Any, *, strict: bool = False) -> list[int]:
        import omero

        context, done = self.context(current), []
        for pixels in rows:
            try:
                with self.server.database.read(context) as tx:
                    rendering = self._default(tx, pixels)
            except omero.ConcurrencyException:
                if strict:
                    raise
                continue
            except (ImageFileError, OSError) as error:
                if strict:
                    raise errors.resource(f"Pixels {pixels['id']}: {error}") from error
                continue
            with self.server.database.write(context) as tx:
                saved = self._save(tx, context, pixels, rendering)
            if saved:
                done.append(pixels["image"])
            elif strict:
                raise errors.security(f"Cannot save rendering settings for Pixels {pixels['id']}")
        return done

    def _default(self, tx: Transaction, pixels: Mapping[str, Any]) -> Rendering:
        source = open_pixels(tx, self.server.files, pixels)
        try:
            self.server.trials.require_ready(pixels["id"], source)
            return default_rendering(tx, pixels, lambda c: plane_minmax(source, c))
        finally:
            source.close()

    @staticmethod
    def _save(tx: Transaction, context: Context, pixels: Mapping[str, Any], rendering: Rendering) -> bool:
        """Write settings as the caller's own; return False if the caller may not."""
        if not rights(context, pixels["owner_id"], pixels["group_id"]).annotate:
            return False
        own = tx.find("RenderingDef", pixels=pixels["id"], owner_id=context.user_id)
        if own:
            update_rendering(tx, own[-1]["id"], rendering)
        else:
            create_rendering(tx, pixels["id"], rendering, group_id=pixels["group_id"])
        return True


def rendering_def(service: Service, pixels_id: int, current: Any, user_id: int | None = None) -> Any:
    """Return the RenderingDef of a user (the caller, unless given) for an image, or its owner's, or None."""
    context = service.context(current)
    with service.server.database.read(context) as tx:
        pixels = readable_row(tx, context, "Pixels", pixels_id)
        found = find_rendering(tx, pixels, context.user_id if user_id is None else user_id)
        objects = hydrate.load(tx, context, "RenderingDef", [] if found is None else [found], SETTINGS_PATHS)
    return objects[0] if objects else None
