"""ITimeline: what was created and changed recently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero.hql import queries
from sandbox.omero.objects import hydrate
from sandbox.omero.server.servant import Service
from sandbox.omero.services.data.query import named_entity

if TYPE_CHECKING:
    from sandbox.omero.database.transactions import Transaction

KINDS = ("Project", "Dataset", "Image", "Annotation", "RenderingDef")
IN_PERIOD = "e.details.updateEvent.time >= :start and e.details.updateEvent.time < :stop"


class Timeline(Service):
    """The timeline service."""

    interface = "omero.api.ITimeline"

    def _ids(self, tx: Transaction, text: str, parameters: Any, current: Any) -> list[int]:
        _, rows = queries.rows(tx, self.context(current), text, parameters, objects=False)
        return [row[0] for row in rows]

    def getMostRecentObjects(self, types: Any, options: Any, _merge: bool, current: Any) -> dict[str, list[Any]]:
        """Return the objects that were changed last, by kind."""
        text = "select e.id from {} e order by e.details.updateEvent.id desc, e.id desc"
        with self.server.database.read() as tx:
            return {
                kind: hydrate.load(
                    tx, self.context(current), entity.name, self._ids(tx, text.format(entity.name), options, current)
                )
                for kind in types or KINDS
                for entity in [named_entity(kind)]
            }

    def _period(self, start: Any, stop: Any, options: Any) -> Any:
        import omero.sys

        parameters = omero.sys.ParametersI()
        parameters.map = {"start": start, "stop": stop}
        parameters.theFilter = options.theFilter if options is not None else None
        return parameters

    def getByPeriod(
        self, types: Any, start: Any, stop: Any, options: Any, _merge: bool, current: Any
    ) -> dict[str, list[Any]]:
        """Return the objects that were changed in a period, by kind."""
        text = f"select e.id from {{}} e where {IN_PERIOD} order by e.details.updateEvent.id desc"
        parameters = self._period(start, stop, options)
        with self.server.database.read() as tx:
            return {
                kind: hydrate.load(
                    tx, self.context(current), entity.name, self._ids(tx, text.format(entity.name), parameters, current)
                )
                for kind in types or KINDS
                for entity in [named_entity(kind)]
            }

    def countByPeriod(self, types: Any, start: Any, stop: Any, _options: Any, current: Any) -> dict[str, int]:
        """Return how many objects were changed in a period, by kind."""
        text = f"select count(e.id) from {{}} e where {IN_PERIOD}"
        parameters = self._period(start, stop, None)
        with self.server.database.read() as tx:
            return {
                kind: self._ids(tx, text.format(named_entity(kind).name), parameters, current)[0]
                for kind in types or KINDS
            }

    def getMostRecentAnnotationLinks(
        self, parents: Any, children: Any, namespaces: Any, options: Any, current: Any
    ) -> list[Any]:
        """Return the annotation links that were made last."""
        wanted = {n for kind in children or [] for n in named_entity(kind).subclasses}
        found = []
        with self.server.database.read() as tx:
            for kind in parents or ("Project", "Dataset", "Image"):
                link = named_entity(f"{named_entity(kind).root}AnnotationLink")
                text = f"select l.id from {link.name} l order by l.details.creationEvent.id desc"
                ids = self._ids(tx, text, options, current)
                found += hydrate.load(tx, self.context(current), link.name, ids, ["child", "parent"])
        found = [x for x in found if not wanted or named_entity(x.child.ice_id()).name in wanted]
        named = set(namespaces or [])
        return [x for x in found if not named or (x.child.ns is not None and x.child.ns.val in named)]

    def getEventLogsByPeriod(self, start: Any, stop: Any, options: Any, current: Any) -> list[Any]:
        """Return what was inserted, changed and deleted in a period."""
        text = "select l.id from EventLog l where l.event.time >= :start and l.event.time < :stop order by l.id desc"
        with self.server.database.read() as tx:
            ids = self._ids(tx, text, self._period(start, stop, options), current)
            return hydrate.load(tx, self.context(current), "EventLog", ids, ["event"])

    def getMostRecentShareCommentLinks(self, _options: Any, _current: Any) -> list[Any]:
        """Return no link: there are no shares."""
        return []
