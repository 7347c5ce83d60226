"""IMetadata: annotations and acquisition metadata."""

from __future__ import annotations

from typing import Any

from sandbox.omero import errors
from sandbox.omero.hql import queries
from sandbox.omero.model.entities import Entity, find_entity
from sandbox.omero.objects import hydrate
from sandbox.omero.server.servant import Service
from sandbox.omero.services.data.container import id_parameters
from sandbox.omero.services.data.query import named_entity

ANNOTATION_TREE = ("details.owner", "details.creationEvent", "file", "annotationLinks.child", "file.hasher")
LOGICAL_CHANNEL_TREE = (
    *("photometricInterpretation", "illumination", "contrastMethod", "mode", "otf", "pinHoleSize"),
    *("detectorSettings.detector", "detectorSettings.binning", "lightSourceSettings.lightSource"),
    *("lightSourceSettings.microbeamManipulation", "filterSet.dichroic", "lightPath.dichroic"),
    *("filterSet.emissionFilterLink.child.transmittanceRange", "lightPath.emissionFilterLink.child.transmittanceRange"),
    "filterSet.excitationFilterLink.child.transmittanceRange",
    "lightPath.excitationFilterLink.child.transmittanceRange",
)
INSTRUMENT_TREE = (
    *("microscope", "detector", "objective", "lightSource.pump", "filter.transmittanceRange", "dichroic", "otf"),
    *("filterSet.dichroic", "filterSet.emissionFilterLink.child", "filterSet.excitationFilterLink.child"),
)

TAGGED = ("Project", "Dataset", "Image", "Screen", "Plate")


def annotation_entity(name: str) -> Entity:
    """Return the kind of annotation that a client names."""
    found = named_entity(name)
    if found.root != "Annotation":
        raise errors.api_usage(f"{name} is not an annotation")
    return found


class Metadata(Service):
    """The service of annotations."""

    interface = "omero.api.IMetadata"

    def loadAnnotations(
        self, kind: str, ids: Any, types: Any, annotators: Any, _options: Any, current: Any
    ) -> dict[int, list[Any]]:
        """Return the annotations of objects, by object."""
        entity = named_entity(kind)
        link = find_entity(f"{entity.root}AnnotationLink")
        if link is None:
            raise errors.api_usage(f"{kind} cannot be annotated")
        wanted = {n for t in types or [] for n in annotation_entity(t).subclasses}
        text = f"select l.parent.id, l.child.id from {link.name} l where l.parent.id in (:ids)"
        parameters = id_parameters(ids)
        if annotators:
            text += " and l.child.details.owner.id in (:owners)"
            parameters.map["owners"] = id_parameters(annotators).map["ids"]
        with self.server.database.read() as tx:
            _, rows = queries.rows(tx, self.context(current), text + " order by l.id", parameters, objects=False)
            children = list(dict.fromkeys(row[1] for row in rows))
            loaded = hydrate.load(tx, self.context(current), "Annotation", children, ANNOTATION_TREE)
        by_id = {a.id.val: a for a in loaded if not wanted or find_entity(a.ice_id()).name in wanted}  # type: ignore[union-attr]
        found: dict[int, list[Any]] = {row_id: [] for row_id in ids or []}
        for parent, child in rows:
            if child in by_id:
                found[parent].append(by_id[child])
        return found

    def _specified_ids(self, kind: str, include: Any, exclude: Any, options: Any, current: Any) -> list[int]:
        from omero.rtypes import rlist, rstring

        entity = annotation_entity(kind)
        text = f"select a.id from {entity.name} a where 1 = 1"
        parameters = id_parameters([])
        if include:
            text += " and a.ns in (:include)"
            parameters.map["include"] = rlist([rstring(ns) for ns in include])
        if exclude:
            text += " and (a.ns is null or a.ns not in (:exclude))"
            parameters.map["exclude"] = rlist([rstring(ns) for ns in exclude])
        owner = options.theFilter.ownerId if options is not None and options.theFilter is not None else None
        if owner is not None:
            text += " and a.details.owner.id = :owner"
            parameters.map["owner"] = owner
        with self.server.database.read() as tx:
            _, rows = queries.rows(tx, self.context(current), text + " order by a.id", parameters, objects=False)
        return [row[0] for row in rows]

    def loadSpecifiedAnnotations(self, kind: str, include: Any, exclude: Any, options: Any, current: Any) -> list[Any]:
        """Return the annotations of a kind, with namespaces to include and to exclude."""
        ids = self._specified_ids(kind, include, exclude, options, current)
        return self.loadAnnotation(ids, current)

    def countSpecifiedAnnotations(self, kind: str, include: Any, exclude: Any, options: Any, current: Any) -> Any:
        """Return how many annotations loadSpecifiedAnnotations would return."""
        from omero.rtypes import rlong

        return rlong(len(self._specified_ids(kind, include, exclude, options, current)))

    def loadSpecifiedAnnotationsLinkedTo(
        self, kind: str, include: Any, exclude: Any, root: str, ids: Any, options: Any, current: Any
    ) -> dict[int, list[Any]]:
        """Return the annotations of a kind on objects, by object."""
        wanted = set(self._specified_ids(kind, include, exclude, options, current))
        linked = self.loadAnnotations(root, ids, [kind], [], options, current)
        return {row_id: [a for a in listed if a.id.val in wanted] for row_id, listed in linked.items()}

    def loadAnnotation(self, ids: Any, current: Any) -> list[Any]:
        """Return annotations by id."""
        with self.server.database.read() as tx:
            return hydrate.load(tx, self.context(current), "Annotation", list(ids or []), ANNOTATION_TREE)

    def loadTagSets(self, options: Any, current: Any) -> list[Any]:
        """Return the tags that are sets of tags, with their tags."""
        from omero.constants.metadata import NSINSIGHTTAGSET

        ids = self._specified_ids("TagAnnotation", [NSINSIGHTTAGSET], [], options, current)
        return self.loadAnnotation(ids, current)

    def loadTagContent(self, ids: Any, _options: Any, current: Any) -> dict[int, list[Any]]:
        """Return the objects that carry a tag, by tag."""
        found: dict[int, list[Any]] = {row_id: [] for row_id in ids or []}
        with self.server.database.read() as tx:
            for kind in TAGGED:
                text = f"select l.child.id, l.parent.id from {kind}AnnotationLink l where l.child.id in (:ids)"
                _, rows = queries.rows(tx, self.context(current), text, id_parameters(ids), objects=False)
                loaded = hydrate.load(tx, self.context(current), kind, [row[1] for row in rows])
                by_id = {thing.id.val: thing for thing in loaded}
                for tag, parent in rows:
                    if parent in by_id:
                        found[tag].append(by_id[parent])
        return found

    def getTaggedObjectsCount(self, ids: Any, _options: Any, current: Any) -> dict[int, int]:
        """Return how many objects carry a tag, by tag."""
        found = dict.fromkeys(ids or [], 0)
        with self.server.database.read() as tx:
            for kind in TAGGED:
                text = (
                    f"select l.child.id, count(l.parent.id) from {kind}AnnotationLink l where l.child.id in (:ids)"
                    " group by l.child.id"
                )
                for tag, count in queries.rows(tx, self.context(current), text, id_parameters(ids), objects=False)[1]:
                    found[tag] += count
        return found

    def loadChannelAcquisitionData(self, ids: Any, current: Any) -> list[Any]:
        """Return logical channels with all that is known about their acquisition."""
        with self.server.database.read() as tx:
            wanted = list(ids or [])
            return hydrate.load(tx, self.context(current), "LogicalChannel", wanted, LOGICAL_CHANNEL_TREE)

    def loadInstrument(self, row_id: int, current: Any) -> Any:
        """Return an instrument with its parts, or None."""
        with self.server.database.read() as tx:
            found = hydrate.load(tx, self.context(current), "Instrument", [row_id], INSTRUMENT_TREE)
        return found[0] if found else None

    def _used_not_owned(self, kind: str, user: int, current: Any) -> list[int]:
        from omero.rtypes import rlong

        entity = annotation_entity(kind)
        found: set[int] = set()
        with self.server.database.read() as tx:
            for parent in TAGGED:
                text = (
                    f"select distinct l.child.id from {parent}AnnotationLink l where l.details.owner.id = :user"
                    f" and l.child.details.owner.id <> :user and l.child.id in (select a.id from {entity.name} a)"
                )
                parameters = id_parameters([], user=rlong(user))
                _, rows = queries.rows(tx, self.context(current), text, parameters, objects=False)
                found |= {row[0] for row in rows}
        return sorted(found)

    def loadAnnotationsUsedNotOwned(self, kind: str, user: int, current: Any) -> list[Any]:
        """Return other people's annotations that a user has linked."""
        return self.loadAnnotation(self._used_not_owned(kind, user, current), current)

    def countAnnotationsUsedNotOwned(self, kind: str, user: int, current: Any) -> Any:
        """Return how many annotations loadAnnotationsUsedNotOwned would return."""
        from omero.rtypes import rlong

        return rlong(len(self._used_not_owned(kind, user, current)))

    def loadLogFiles(self, _kind: str, ids: Any, _current: Any) -> dict[int, list[Any]]:
        """Return no log file for any object."""
        return {row_id: [] for row_id in ids or []}
