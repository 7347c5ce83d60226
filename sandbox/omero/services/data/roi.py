"""IRoi: regions of interest of an image."""

from __future__ import annotations

from typing import Any

from sandbox.omero import errors
from sandbox.omero.access.permissions import rights
from sandbox.omero.hql import queries
from sandbox.omero.objects import hydrate
from sandbox.omero.server.servant import Service
from sandbox.omero.services.data.container import id_parameters

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
        return self._result("select r.id from Roi r where r.id in (:ids)", parameters, options, current)

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


def _by(rois: list[Any], name: str) -> dict[int, list[Any]]:
    """Return shapes by plane; those on all planes under -1."""
    found: dict[int, list[Any]] = {}
    for roi in rois:
        for shape in roi.copyShapes():
            plane = getattr(shape, f"_{name}")
            found.setdefault(plane.val if plane is not None else -1, []).append(shape)
    return found
