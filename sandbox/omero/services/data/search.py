"""Search: find objects by words, page by page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.hql import queries
from sandbox.omero.objects import hydrate
from sandbox.omero.server.servant import StatefulService
from sandbox.omero.services.data.full_text import search_ids
from sandbox.omero.services.data.query import named_entity

if TYPE_CHECKING:
    from sandbox.omero.database.transactions import Transaction
    from sandbox.omero.model.entities import Entity

DEFAULT_TYPES = ("Image", "Dataset", "Project", "Plate", "Screen")


class Search(StatefulService):
    """A search: its settings, and the results that the client has not fetched yet."""

    interface = "omero.api.Search"

    def __init__(self, server: Any, session: Any) -> None:
        super().__init__(server, session)
        self.resetDefaults(None)
        self._found: list[tuple[str, int]] = []
        self._queries = 0

    def resetDefaults(self, _current: Any) -> None:
        """Set everything back to the defaults."""
        self._types: list[Entity] = []
        self._batch = 1000
        self._case_sensitive = False
        self._leading_wildcard = True
        self._merged = self._projections = self._unloaded = False
        self._owners: set[int] = set()
        self._not_owners: set[int] = set()
        self._ids: set[int] | None = None
        self._created: tuple[int | None, int | None] = (None, None)

    # --- settings --------------------------------------------------------------------------------

    def setBatchSize(self, size: int, _current: Any) -> None:
        """Set how many results come at a time."""
        if size is None or size < 1:
            raise errors.api_usage("The batch size must be at least 1")
        self._batch = size

    def getBatchSize(self, _current: Any) -> int:
        """Return how many results come at a time."""
        return self._batch

    def setMergedBatches(self, merge: bool, _current: Any) -> None:
        """Keep the setting, which has no effect: one search runs at a time."""
        self._merged = merge

    def isMergedBatches(self, _current: Any) -> bool:
        """Return what was set."""
        return self._merged

    def setCaseSensitive(self, sensitive: bool, _current: Any) -> None:
        """Keep the setting, which has no effect: case never matters here."""
        self._case_sensitive = sensitive

    setCaseSentivice = setCaseSensitive  # noqa: N815 (OMERO's spelling)

    def isCaseSensitive(self, _current: Any) -> bool:
        """Return what was set."""
        return self._case_sensitive

    def setAllowLeadingWildcard(self, allowed: bool, _current: Any) -> None:
        """Keep the setting, which has no effect: leading wildcards are always allowed."""
        self._leading_wildcard = allowed

    def isAllowLeadingWildcard(self, _current: Any) -> bool:
        """Return what was set."""
        return self._leading_wildcard

    def setReturnUnloaded(self, unloaded: bool, _current: Any) -> None:
        """Keep the setting, which has no effect: objects come loaded."""
        self._unloaded = unloaded

    def isReturnUnloaded(self, _current: Any) -> bool:
        """Return what was set."""
        return self._unloaded

    def setUseProjections(self, projections: bool, _current: Any) -> None:
        """Keep the setting, which has no effect: whole objects come."""
        self._projections = projections

    def isUseProjections(self, _current: Any) -> bool:
        """Return what was set."""
        return self._projections

    def onlyType(self, kind: str, _current: Any) -> None:
        """Look for one kind of object."""
        self._types = [named_entity(kind)]

    def onlyTypes(self, kinds: Any, _current: Any) -> None:
        """Look for some kinds of objects."""
        self._types = [named_entity(kind) for kind in kinds or []]

    def allTypes(self, _current: Any) -> None:
        """Look for projects, datasets, images, plates and screens."""
        self._types = []

    def onlyIds(self, ids: Any, _current: Any) -> None:
        """Find only objects with these ids."""
        self._ids = set(ids) if ids is not None else None

    def onlyOwnedBy(self, details: Any, _current: Any) -> None:
        """Find only a user's objects; None lifts the limit."""
        self._owners = _owner(details)

    def notOwnedBy(self, details: Any, _current: Any) -> None:
        """Find no objects of a user; None lifts the limit."""
        self._not_owners = _owner(details)

    def onlyCreatedBetween(self, start: Any, stop: Any, _current: Any) -> None:
        """Find only what was created in a period."""
        self._created = (start.val if start is not None else None, stop.val if stop is not None else None)

    # --- searching -------------------------------------------------------------------------------

    def byFullText(self, text: str, current: Any) -> None:
        """Search names, descriptions and annotations."""
        context = self.context(current)
        kinds = self._types or [named_entity(name) for name in DEFAULT_TYPES]
        with self.server.database.read() as tx:
            for entity in kinds:
                ids = self._fitting(tx, entity, search_ids(tx, context, entity, text))
                self._found += [(entity.name, row_id) for row_id in ids]
        self._queries += 1

    def byLuceneQueryBuilder(
        self, fields: str, _start: str, _stop: str, _date_type: str, text: str, current: Any
    ) -> None:
        """Search with some fields only; dates are ignored."""
        wanted = [f for f in (fields or "").split(",") if f in ("name", "description")]
        words = " ".join(f"{wanted[0]}:{word}" for word in (text or "").split()) if len(wanted) == 1 else text
        self.byFullText(words, current)

    def bySomeMustNone(self, some: Any, must: Any, none: Any, current: Any) -> None:
        """Search for words that must be there; `none` is not supported."""
        if none:
            raise errors.unsupported("Search.bySomeMustNone with words that must not occur")
        required = " ".join(must or [])
        self.byFullText(" OR ".join(f"{required} {word}" for word in some) if some else required, current)

    def byHqlQuery(self, text: str, parameters: Any, current: Any) -> None:
        """Search by HQL."""
        with self.server.database.read() as tx:
            found = queries.objects(tx, self.context(current), text, parameters)
        self._found += [(named_entity(thing.ice_id()).name, thing.id.val) for thing in found]
        self._queries += 1

    def _fitting(self, tx: Transaction, entity: Entity, ids: list[int]) -> list[int]:
        """Return those of the ids that match the settings, in their order."""
        if self._ids is not None:
            ids = [row_id for row_id in ids if row_id in self._ids]
        start, stop = self._created
        if entity.is_global or not (self._owners or self._not_owners or start is not None or stop is not None):
            return ids
        sql = (
            f'SELECT t.id, t.owner_id, e.time FROM "{entity.root}" AS t JOIN "Event" AS e ON e.id = t.creation_id'
            " WHERE t.id IN (SELECT value FROM json_each(:ids))"
        )
        fitting = {
            row_id
            for row_id, owner, created in tx.rows(sql, {"ids": json.dumps(ids)})
            if (not self._owners or owner in self._owners)
            and owner not in self._not_owners
            and (start is None or created >= start)
            and (stop is None or created <= stop)
        }
        return [row_id for row_id in ids if row_id in fitting]

    def hasNext(self, _current: Any) -> bool:
        """Return whether there are results left."""
        return bool(self._found)

    def next(self, current: Any) -> Any:
        """Return the next result."""
        batch, self._batch = self._batch, 1
        try:
            return self.results(current)[0]
        finally:
            self._batch = batch

    def results(self, current: Any) -> list[Any]:
        """Return the next batch of results."""
        if not self._found:
            raise errors.api_usage("There are no results left")
        batch, self._found = self._found[: self._batch], self._found[self._batch :]
        loaded: dict[tuple[str, int], Any] = {}
        with self.server.database.read() as tx:
            for kind in dict(batch):
                ids = [row_id for name, row_id in batch if name == kind]
                for thing in hydrate.load(
                    tx, self.context(current), kind, ids, ["details.owner", "annotationLinks.child"]
                ):
                    loaded[kind, thing.id.val] = thing
        return [loaded[key] for key in batch if key in loaded]

    def activeQueries(self, _current: Any) -> int:
        """Return how many searches were made."""
        return self._queries

    def clearQueries(self, _current: Any) -> None:
        """Forget the results."""
        self._found, self._queries = [], 0

    def unordered(self, current: Any) -> None:
        """Do nothing: results come by id."""


def _owner(details: Any) -> set[int]:
    owner = details.owner if details is not None else None
    return {owner.id.val} if owner is not None and owner.id is not None else set()
