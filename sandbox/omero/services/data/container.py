"""IContainer: hierarchies of projects, datasets, images, screens and plates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.hql import queries
from sandbox.omero.objects import hydrate
from sandbox.omero.server.servant import Service
from sandbox.omero.services.data.query import named_entity
from sandbox.omero.services.data.update import Update

if TYPE_CHECKING:
    from sandbox.omero.database.transactions import Transaction
    from sandbox.omero.model.entities import Entity

IMAGE_TREE = (
    "details.owner",
    "details.group",
    "details.creationEvent",
    "pixels.channels.logicalChannel.photometricInterpretation",
    "pixels.channels.statsInfo",
    "pixels.pixelsType",
)
TO_IMAGES = {
    "Project": "select l.child.id from DatasetImageLink l where l.parent.id in"
    " (select p.child.id from ProjectDatasetLink p where p.parent.id in (:ids)) order by l.child.id",
    "Dataset": "select l.child.id from DatasetImageLink l where l.parent.id in (:ids) order by l.child.id",
    "Plate": "select s.image.id from WellSample s where s.well.plate.id in (:ids) order by s.image.id",
    "Screen": "select s.image.id from WellSample s where s.well.plate.id in"
    " (select p.child.id from ScreenPlateLink p where p.parent.id in (:ids)) order by s.image.id",
    "Well": "select s.image.id from WellSample s where s.well.id in (:ids) order by s.image.id",
    "Fileset": "select i.id from Image i where i.fileset.id in (:ids) order by i.id",
}
CHILDREN = {
    "Project": ("datasetLinks.child",),
    "Dataset": ("imageLinks.child",),
    "Screen": ("plateLinks.child",),
    "Plate": (),
}
NO_ID = -1


def id_parameters(ids: Any, **more: Any) -> Any:
    """Return query parameters with a list of ids, and `more` by name.

    No ids are the id of no object: OMERO's services answer then, only queries of clients are refused (strictness.py).
    """
    import omero.sys
    from omero.rtypes import rlist, rlong

    parameters = omero.sys.ParametersI()
    parameters.map = {"ids": rlist([rlong(i) for i in ids or [NO_ID]]), **more}
    return parameters


def option(options: Any, name: str) -> bool:
    """Return whether a client's options switch something on: `leaves`, `orphan`."""
    given = (options.map or {}).get(name) if options is not None else None
    return bool(given.val) if given is not None else False


class Container(Service):
    """The service of hierarchies."""

    interface = "omero.api.IContainer"

    def loadContainerHierarchy(self, kind: str, ids: Any, options: Any, current: Any) -> list[Any]:
        """Return containers with their content, down to the images if the option `leaves` is set."""
        entity = named_entity(kind)
        if entity.name not in CHILDREN:
            raise errors.api_usage(f"{kind} is not a container")
        tree = ["details.owner", "details.creationEvent", *CHILDREN[entity.name]]
        leaves = option(options, "leaves")
        if entity.name == "Project" and leaves:
            tree = [*tree, *(f"datasetLinks.child.imageLinks.child.{t}" for t in IMAGE_TREE)]
        elif entity.name == "Dataset" and leaves:
            tree = [*tree, *(f"imageLinks.child.{t}" for t in IMAGE_TREE)]
        elif entity.name == "Dataset":
            tree = tree[:2]
        with self.server.database.read() as tx:
            context = self.context(current)
            wanted = list(ids or []) or self._owned(tx, entity, options, current)
            found = hydrate.load(tx, context, entity.name, wanted, tree)
            if option(options, "orphan"):
                found += self._orphans(tx, entity, current)
        return found

    def _owned(self, tx: Transaction, entity: Entity, options: Any, current: Any) -> list[int]:
        """Return all containers of a kind, of one user if the options name one."""
        import omero.sys

        owner = getattr(options.theFilter, "ownerId", None) if options is not None and options.theFilter else None
        parameters = omero.sys.ParametersI()
        text = f"select e.id from {entity.name} e"
        if owner is not None:
            text += " where e.details.owner.id = :owner"
            parameters.map = {"owner": owner}
        return self._ids(tx, text + " order by e.id", parameters, current)

    def _ids(self, tx: Transaction, text: str, parameters: Any, current: Any) -> list[int]:
        _, rows = queries.rows(tx, self.context(current), text, parameters, objects=False)
        return [row[0] for row in rows if row[0] is not None]

    def _orphans(self, tx: Transaction, entity: Entity, current: Any) -> list[Any]:
        if entity.name == "Project":
            text = "select d.id from Dataset d where not exists (select 1 from d.projectLinks) order by d.id"
            return hydrate.load(tx, self.context(current), "Dataset", self._ids(tx, text, None, current))
        if entity.name == "Screen":
            text = "select p.id from Plate p where not exists (select 1 from p.screenLinks) order by p.id"
            return hydrate.load(tx, self.context(current), "Plate", self._ids(tx, text, None, current))
        return []

    def findContainerHierarchies(self, kind: str, image_ids: Any, _options: Any, current: Any) -> list[Any]:
        """Return the projects of these images, with only these images in them.

        Datasets in no project and images in no dataset come too (HierarchyTransformations.invertPDI).
        """
        if named_entity(kind).name != "Project":
            raise errors.api_usage(f"Class parameter for findContainerHierarchies() must be in {{Project}}, not {kind}")
        inside = "select d from Dataset d join fetch d.imageLinks il join fetch il.child i where i.id in (:ids)"
        texts = (
            "select p from Project p join fetch p.datasetLinks pl join fetch pl.child d"
            " join fetch d.imageLinks il join fetch il.child i where i.id in (:ids)",
            f"{inside} and d.projectLinks is empty",
            "select i from Image i where i.id in (:ids) and i.datasetLinks is empty",
        )
        with self.server.database.read() as tx:
            context, ids = self.context(current), id_parameters(image_ids)
            return [thing for text in texts for thing in queries.objects(tx, context, text, ids)]

    def getImages(self, kind: str, ids: Any, options: Any, current: Any) -> list[Any]:
        """Return the images with these ids, or in these containers, with pixels and channels."""
        entity = named_entity(kind)
        with self.server.database.read() as tx:
            if entity.name == "Image":
                wanted = list(ids or [])
            elif entity.name in TO_IMAGES:
                wanted = self._ids(tx, TO_IMAGES[entity.name], id_parameters(ids), current)
            else:
                raise errors.api_usage(f"{kind} does not contain images")
            limit, offset = queries.page_of(options)
            wanted = list(dict.fromkeys(wanted))[offset:]
            wanted = wanted[:limit] if limit >= 0 else wanted
            return hydrate.load(tx, self.context(current), "Image", wanted, IMAGE_TREE)

    def getUserImages(self, options: Any, current: Any) -> list[Any]:
        """Return the caller's images."""
        text = "select i.id from Image i where i.details.owner.id = :owner order by i.id"
        return self._images(text, options, current)

    def getImagesByOptions(self, options: Any, current: Any) -> list[Any]:
        """Return all images, as far as the options' filter goes."""
        return self._images("select i.id from Image i order by i.id", options, current)

    def _images(self, text: str, options: Any, current: Any) -> list[Any]:
        import omero.sys
        from omero.rtypes import rlong

        parameters = omero.sys.ParametersI()
        parameters.map = {"owner": rlong(self.context(current).user_id)}
        parameters.theFilter = options.theFilter if options is not None else None
        with self.server.database.read() as tx:
            ids = self._ids(tx, text, parameters, current)
            return hydrate.load(tx, self.context(current), "Image", ids, IMAGE_TREE)

    def getImagesBySplitFilesets(self, included: Any, _options: Any, current: Any) -> dict[int, dict[bool, list[int]]]:
        """Return the filesets of which the chosen objects have some images, but not all."""
        with self.server.database.read() as tx:
            chosen: set[int] = set()
            for kind, ids in (included or {}).items():
                entity = named_entity(kind)
                if entity.name == "Image":
                    chosen |= set(ids)
                elif entity.name in TO_IMAGES:
                    chosen |= set(self._ids(tx, TO_IMAGES[entity.name], id_parameters(ids), current))
            text = (
                "select i.fileset.id, i.id from Image i where i.fileset.id in"
                " (select c.fileset.id from Image c where c.id in (:ids))"
            )
            _, rows = queries.rows(tx, self.context(current), text, id_parameters(sorted(chosen)), objects=False)
        filesets: dict[int, dict[bool, list[int]]] = {}
        for fileset, image in rows:
            filesets.setdefault(fileset, {True: [], False: []})[image in chosen].append(image)
        return {fileset: split for fileset, split in filesets.items() if split[True] and split[False]}

    def getCollectionCount(self, kind: str, name: str, ids: Any, _options: Any, current: Any) -> dict[int, int]:
        """Return the number of elements in a collection of each object."""
        entity = named_entity(kind)
        short = (name or "").rsplit("_", 1)[-1]
        text = f"select e.id, size(e.{short}) from {entity.name} e where e.id in (:ids)"
        with self.server.database.read() as tx:
            _, rows = queries.rows(tx, self.context(current), text, id_parameters(ids), objects=False)
        return dict.fromkeys(ids or [], 0) | dict(rows)

    def createDataObject(self, thing: Any, _options: Any, current: Any) -> Any:
        """Store an object."""
        return self._save([thing], current)[0]

    def createDataObjects(self, things: Any, _options: Any, current: Any) -> list[Any]:
        """Store objects."""
        return self._save(list(things or []), current)

    def updateDataObject(self, thing: Any, _options: Any, current: Any) -> Any:
        """Store an object."""
        return self._save([thing], current)[0]

    def updateDataObjects(self, things: Any, _options: Any, current: Any) -> list[Any]:
        """Store objects."""
        return self._save(list(things or []), current)

    def link(self, links: Any, _options: Any, current: Any) -> list[Any]:
        """Store links."""
        return self._save(list(links or []), current)

    def unlink(self, links: Any, _options: Any, current: Any) -> None:
        """Delete links."""
        for link in links or []:
            Update(self.server, self.session).deleteObject(link, current)

    def _save(self, things: list[Any], current: Any) -> list[Any]:
        return Update(self.server, self.session).saveAndReturnArray(things, current)
