"""ITimeline: what was created and changed recently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero.hql import queries
from sandbox.omero.objects import hydrate
from sandbox.omero.server.servant import Service
from sandbox.omero.services.data.query import named_entity

if TYPE_CHECKING:
    from sandbox.omero.database.transactions import Transaction

MOST = 50
"""As many objects are listed if the client does not say how many."""
EVERYBODY = -1
"""The owner that stands for all of them."""
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
        parameters = self._with_defaults(options, current)
        text = "select e.id from {} e where " + self._owned(parameters, "e.details.owner", "e.details.group")
        text += " order by e.details.updateEvent.id desc, e.id desc"
        with self.server.database.read() as tx:
            return {
                kind: hydrate.load(
                    tx, self.context(current), entity.name, self._ids(tx, text.format(entity.name), parameters, current)
                )
                for kind in types or KINDS
                for entity in [named_entity(kind)]
            }

    def _with_defaults(self, options: Any, current: Any) -> Any:
        """Return the client's parameters with OMERO's defaults: the caller's own objects (TimelineI.applyDefaults)."""
        import omero.sys
        from omero.rtypes import rint, rlong

        parameters, wanted = omero.sys.ParametersI(), omero.sys.Filter()
        given = options.theFilter if options is not None else None
        for name in ("offset", "limit", "ownerId", "groupId"):
            setattr(wanted, name, getattr(given, name, None))
        wanted.limit = wanted.limit if wanted.limit is not None else rint(MOST)
        wanted.offset = wanted.offset if wanted.offset is not None else rint(0)
        if wanted.groupId is None and wanted.ownerId is None:
            wanted.ownerId = rlong(self.context(current).user_id)
        elif wanted.groupId is None and wanted.ownerId.val == EVERYBODY:
            wanted.ownerId = None
        parameters.theFilter, parameters.map = wanted, {}
        return parameters

    @staticmethod
    def _owned(parameters: Any, owner: str, group: str) -> str:
        """Return the condition for the owner and group that the parameters name; they get what it needs."""
        conditions, wanted = ["1 = 1"], parameters.theFilter
        if wanted is not None and wanted.ownerId is not None:
            conditions.append(f"{owner}.id = :owner")
            parameters.map["owner"] = wanted.ownerId
        if wanted is not None and wanted.groupId is not None:
            conditions.append(f"{group}.id = :group")
            parameters.map["group"] = wanted.groupId
        return " and ".join(conditions)

    def getByPeriod(
        self, types: Any, start: Any, stop: Any, options: Any, _merge: bool, current: Any
    ) -> dict[str, list[Any]]:
        """Return the objects that were changed in a period, by kind."""
        parameters = self._with_defaults(options, current)
        parameters.map |= {"start": start, "stop": stop}
        owned = self._owned(parameters, "e.details.owner", "e.details.group")
        text = f"select e.id from {{}} e where {IN_PERIOD} and {owned} order by e.details.updateEvent.id desc"
        with self.server.database.read() as tx:
            return {
                kind: hydrate.load(
                    tx, self.context(current), entity.name, self._ids(tx, text.format(entity.name), parameters, current)
                )
                for kind in types or KINDS
                for entity in [named_entity(kind)]
            }

    def countByPeriod(self, types: Any, start: Any, stop: Any, options: Any, current: Any) -> dict[str, int]:
        """Return how many objects were changed in a period, by kind."""
        parameters = self._with_defaults(options, current)
        parameters.map |= {"start": start, "stop": stop}
        owned = self._owned(parameters, "e.details.owner", "e.details.group")
        text = f"select count(e.id) from {{}} e where {IN_PERIOD} and {owned}"
        parameters.theFilter.limit = parameters.theFilter.offset = None
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
        found, parameters = [], self._with_defaults(options, current)
        owned = self._owned(parameters, "l.details.owner", "l.details.group")
        with self.server.database.read() as tx:
            for kind in parents or ("Project", "Dataset", "Image"):
                link = named_entity(f"{named_entity(kind).root}AnnotationLink")
                text = f"select l.id from {link.name} l where {owned} order by l.details.creationEvent.id desc"
                ids = self._ids(tx, text, parameters, current)
                found += hydrate.load(tx, self.context(current), link.name, ids, ["child", "parent"])
        found = [x for x in found if not wanted or named_entity(x.child.ice_id()).name in wanted]
        named = set(namespaces or [])
        return [x for x in found if not named or (x.child.ns is not None and x.child.ns.val in named)]

    def getEventLogsByPeriod(self, start: Any, stop: Any, options: Any, current: Any) -> list[Any]:
        """Return what was inserted, changed and deleted in a period."""
        parameters = self._with_defaults(options, current)
        parameters.map |= {"start": start, "stop": stop}
        owned = self._owned(parameters, "l.event.experimenter", "l.event.experimenterGroup")
        text = "select l.id from EventLog l where l.event.time >= :start and l.event.time < :stop "
        text += f"and {owned} order by l.id desc"
        with self.server.database.read() as tx:
            ids = self._ids(tx, text, parameters, current)
            return hydrate.load(tx, self.context(current), "EventLog", ids, ["event"])

    def getMostRecentShareCommentLinks(self, options: Any, current: Any) -> list[Any]:
        """Return others' comments on the caller's shares, the newest first (TimelineI, LOOKUP_SHARE_COMMENTS)."""
        from omero.rtypes import rlist, rlong

        context, parameters = self.context(current), self._with_defaults(options, current)
        with self.server.database.read() as tx:
            shares = [row["parent"] for row in tx.find("ShareMember", child=context.user_id)]
            if not shares:
                return []
            parameters.map |= {"ids": rlist([rlong(i) for i in shares]), "me": rlong(context.user_id)}
            text = "select l.id from SessionAnnotationLink l where l.child.details.owner.id != :me "
            text += "and l.parent.id in (:ids) order by l.child.details.creationEvent.time desc"
            ids = self._ids(tx, text, parameters, current)
            fetch = ["details.owner", "parent", "child.details.owner", "child.details.creationEvent"]
            return hydrate.load(tx, context, "SessionAnnotationLink", ids, fetch)
