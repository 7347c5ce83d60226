"""IRoi: regions of interest of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access.permissions import rights
from sandbox.omero.hql import queries
from sandbox.omero.objects import hydrate
from sandbox.omero.repository.pixel_access import open_pixels
from sandbox.omero.repository.pixel_store import MAX_PLANE_PIXELS
from sandbox.omero.server.servant import Service
from sandbox.omero.services.data import shape_statistics
from sandbox.omero.services.data.container import id_parameters

if TYPE_CHECKING:
    from sandbox.omero.database.transactions import Transaction
    from sandbox.omero.repository.pixel_store import PixelSource

ROI_TREE = ("details.owner", "shapes.transform", "shapes.annotationLinks.child", "annotationLinks.child", "source")


class Roi(Service):
    """The ROI service."""

    interface = "omero.api.IRoi"

    def _result(self, text: str, parameters: Any, options: Any, current: Any) -> Any:
        import omero.api

        with self.server.database.read() as tx:
            context = self.context(current)
            _, rows = queries.rows(tx, context, text, parameters, objects=False)
            rois = hydrate.load(tx, context, "Roi", list(dict.fromkeys(row[0] for row in rows)), ROI_TREE)
        return omero.api.RoiResult(opts=options, rois=rois, byZ=_by(rois, "theZ"), byT=_by(rois, "theT"))

    @staticmethod
    def _narrowed(text: str, parameters: Any, options: Any) -> str:
        """Add the owner that the options name to the query, and their paging to the parameters."""
        import omero.sys

        if options is None:
            return text + " order by r.id"
        if options.userId is not None:
            text += " and r.details.owner.id = :owner"
            parameters.map["owner"] = options.userId
        parameters.theFilter = omero.sys.Filter(limit=options.limit, offset=options.offset)
        return text + " order by r.id"

    def findByImage(self, image_id: int, options: Any, current: Any) -> Any:
        """Return an image's ROIs with their shapes."""
        parameters = id_parameters([image_id])
        text = "select r.id from Roi r where r.image.id in (:ids)"
        return self._result(self._narrowed(text, parameters, options), parameters, options, current)

    def findByRoi(self, roi_id: int, options: Any, current: Any) -> Any:
        """Return one ROI with its shapes."""
        parameters = id_parameters([roi_id])
        text = self._narrowed("select r.id from Roi r where r.id in (:ids)", parameters, options)
        return self._result(text, parameters, options, current)

    def findByPlane(self, image_id: int, z: int, t: int, options: Any, current: Any) -> Any:
        """Return the ROIs with a shape on a plane; a shape without a plane is on all."""
        from omero.rtypes import rint

        parameters = id_parameters([image_id], z=rint(z), t=rint(t))
        text = (
            "select r.id from Roi r where r.image.id in (:ids) and exists (select s.id from Shape s"
            " where s.roi.id = r.id and (s.theZ is null or s.theZ = :z) and (s.theT is null or s.theT = :t))"
        )
        return self._result(self._narrowed(text, parameters, options), parameters, options, current)

    def getMeasuredRois(self, image_id: int, annotation_id: int, options: Any, current: Any) -> Any:
        """Return an image's ROIs that carry an annotation."""
        parameters = id_parameters([image_id], annotation=id_parameters([annotation_id]).map["ids"])
        text = (
            "select r.id from Roi r where r.image.id in (:ids) and exists (select l.id from RoiAnnotationLink l"
            " where l.parent.id = r.id and l.child.id in (:annotation))"
        )
        return self._result(self._narrowed(text, parameters, options), parameters, options, current)

    def getMeasuredRoisMap(
        self, image_id: int, annotation_ids: Any, options: Any, current: Any
    ) -> dict[int, list[Any]]:
        """Return an image's ROIs that carry one of several annotations, by annotation."""
        return {a: self.getMeasuredRois(image_id, a, options, current) for a in annotation_ids or []}

    def getRoiMeasurements(self, image_id: int, _options: Any, current: Any) -> list[Any]:
        """Return the file annotations on an image's ROIs."""
        text = (
            "select distinct l.child.id from RoiAnnotationLink l where l.parent.image.id in (:ids)"
            " and l.child.class = FileAnnotation order by l.child.id"
        )
        with self.server.database.read() as tx:
            context = self.context(current)
            _, rows = queries.rows(tx, context, text, id_parameters([image_id]), objects=False)
            return hydrate.load(tx, context, "FileAnnotation", [row[0] for row in rows], ["file"])

    def getPoints(self, shape_id: int, current: Any) -> Any:
        """Return the pixels of a shape."""
        import omero.api

        with self.server.database.read() as tx:
            x, y = shape_statistics.area_points(self._shapes(tx, [shape_id], current)[0])
        return omero.api.ShapePoints(x.tolist(), y.tolist())

    def getShapeStatsRestricted(self, shape_ids: Any, z: int, t: int, channels: Any, current: Any) -> list[Any]:
        """Return statistics of the pixels of some shapes of an image, on z and t where they name no plane."""
        if not shape_ids or not channels:
            raise errors.api_usage("Provide a non empty list of shape ids, and of channels.")
        with self.server.database.read() as tx:
            shapes = self._shapes(tx, shape_ids, current)
            images = {shape.roi.image.id.val for shape in shapes}
            if len(images) > 1:
                raise errors.api_usage("All shapes have to be from the same image")
            pixels = next(iter(tx.find("Pixels", image=images.pop())), None)
            if pixels is None:
                raise errors.api_usage("The image has no pixels")
            source = open_pixels(tx, self.server.files, pixels)
        try:
            return _statistics(source, shapes, (z, t), sorted(set(channels)))
        finally:
            source.close()

    def _shapes(self, tx: Transaction, shape_ids: Any, current: Any) -> list[Any]:
        found = hydrate.load(tx, self.context(current), "Shape", list(dict.fromkeys(shape_ids)), ["transform", "roi"])
        if len(found) != len(set(shape_ids)):
            raise errors.api_usage("Given shape id(s) invalid")
        return found

    def uploadMask(self, roi_id: int, z: int, t: int, data: bytes, current: Any) -> None:
        """Change the bytes of a ROI's mask on a plane."""
        context = self.context(current)
        with self.server.database.write(context) as tx:
            masks = [m for m in tx.find("Mask", roi=roi_id) if m["theZ"] in (None, z) and m["theT"] in (None, t)]
            if not masks:
                raise errors.api_usage(f"Roi {roi_id} has no mask at z={z}, t={t}")
            if not rights(context, masks[0]["owner_id"], masks[0]["group_id"]).edit:
                raise errors.security(f"User {context.user_id} may not change Roi {roi_id}")
            tx.update("Mask", masks[0]["id"], bytes=bytes(data or b""))


def _statistics(source: PixelSource, shapes: list[Any], place: tuple[int, int], channels: list[int]) -> list[Any]:
    """Return the statistics of shapes; `place` has z and t for those that name none."""
    size = source.shape
    if not (0 <= place[0] < size.size_z and 0 <= place[1] < size.size_t):
        raise errors.api_usage("Fallback value(s) for unattached z/t shapes are out of bounds")
    if size.size_x * size.size_y > MAX_PLANE_PIXELS:
        raise errors.api_usage("This method cannot handle tiled images yet.")
    if not all(0 <= channel < size.size_c for channel in channels):
        raise errors.api_usage("Given channel(s) out of bounds.")
    found = []
    for shape in shapes:
        z = shape.theZ.val if shape.theZ is not None else place[0]
        t = shape.theT.val if shape.theT is not None else place[1]
        if not (0 <= z < size.size_z and 0 <= t < size.size_t):
            raise errors.api_usage(f"Shape {shape.id.val} is on a plane that the image does not have: z={z}, t={t}")
        planes = {c: source.read_tile(0, z, c, t, 0, 0, size.size_x, size.size_y) for c in channels}
        found.append(shape_statistics.statistics(shape.id.val, shape_statistics.area_points(shape), planes))
    return found


def _by(rois: list[Any], name: str) -> dict[int, list[Any]]:
    """Return shapes by plane; those on all planes under -1."""
    found: dict[int, list[Any]] = {}
    for roi in rois:
        for shape in roi.copyShapes():
            plane = getattr(shape, f"_{name}")
            found.setdefault(plane.val if plane is not None else -1, []).append(shape)
    return found
