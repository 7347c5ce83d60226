"""Search: find objects by words, page by page."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.hql import queries
from sandbox.omero.objects import hydrate
from sandbox.omero.server.servant import StatefulService
from sandbox.omero.services.data.full_text import search_ids, update_index
from sandbox.omero.services.data.query import named_entity
from sandbox.omero.services.data.search_text import lucene_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.omero.access.context import Context
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
        self._again: tuple[tuple[int, bool], Callable[[Any], None]] | None = None

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
        self._order: list[str] = []

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
        """Search names, descriptions, annotations and the text of attachments."""
        self._search(text, current)

    def _search(
        self, text: str, current: Any, fitting: Callable[[Transaction, Entity], set[int] | None] | None = None
    ) -> None:
        context = self.context(current)
        if not text:
            raise errors.api_usage("Query string must be non-empty")
        if text == "*":
            raise errors.api_usage("Wildcard searches (*) must contain more than a single wildcard. ")
        if text[0] in "*?" and not self._leading_wildcard:
            raise errors.api_usage("Searches that begin with a wildcard need setAllowLeadingWildcard()")
        update_index(self.server)
        before = list(self._found)
        with self.server.database.read() as tx:
            for entity in self._types or [named_entity(name) for name in DEFAULT_TYPES]:
                ids = self._fitting(tx, entity, search_ids(tx, context, entity, text))
                among = fitting(tx, entity) if fitting is not None else None
                ids = [row_id for row_id in ids if among is None or row_id in among]
                self._found += [(entity.name, row_id) for row_id in self._ordered(tx, context, entity, ids)]
        self._queries += 1

        def again(later: Any) -> None:
            self._found, self._queries = before, self._queries - 1
            self._search(text, later, fitting)

        self._again = (_groups(context), again)

    def _search_here(self, current: Any) -> None:
        """Search again where the results are asked for in other groups: SearchBean searches when they are."""
        if self._again is not None and self._again[0] != _groups(self.context(current)):
            self._again[1](current)

    def byLuceneQueryBuilder(self, fields: str, start: str, stop: str, date_type: str, text: str, current: Any) -> None:
        """Search as OMERO.web's form does: words in some fields, and dates YYYYMMDD of import or acquisition."""
        period = (_day(start, 0), _day(stop, 1))
        wanted = [name.strip() for name in (fields or "").split(",") if name.strip()]
        query = lucene_query(wanted, text or "")
        if period == (None, None):
            if query:
                self._search(query, current)
            return
        acquired = date_type == "acquisitionDate"

        def fitting(tx: Transaction, entity: Entity) -> set[int]:
            return _of_period(tx, entity, period, acquired=acquired and entity.name == "Image")

        if query:
            self._search(query, current, fitting)
        else:
            self._found_by_period(fitting, current)

    def _found_by_period(self, fitting: Callable[[Transaction, Entity], set[int]], current: Any) -> None:
        """Find everything of a period, which OMERO.web asks for without words."""
        with self.server.database.read() as tx:
            for entity in self._types or [named_entity(name) for name in DEFAULT_TYPES]:
                loaded = hydrate.load(tx, self.context(current), entity.name, sorted(fitting(tx, entity)))
                ids = self._fitting(tx, entity, [thing.id.val for thing in loaded])
                self._found += [(entity.name, row_id) for row_id in ids]
        self._queries += 1

    def bySomeMustNone(self, some: Any, must: Any, none: Any, current: Any) -> None:
        """Search for any of some words, all words that must be there, and none of those that must not."""
        parts = [f"({' OR '.join(word for word in some if word)})"] if any(some or []) else []
        parts += [f"+{word}" for word in must or [] if word]
        parts += [f"-{word}" for word in none or [] if word]
        if not parts:
            raise errors.api_usage("No search terms provided for SomeMustNone")
        self._search(" ".join(parts), current)

    def addOrderByAsc(self, path: str, _current: Any) -> None:
        """Order the results by a property, the smallest first."""
        self._order.append(f"{path} asc")

    def addOrderByDesc(self, path: str, _current: Any) -> None:
        """Order the results by a property, the largest first."""
        self._order.append(f"{path} desc")

    def _ordered(self, tx: Transaction, context: Context, entity: Entity, ids: list[int]) -> list[int]:
        """Return ids in the order asked for; without one, as they are: the best match first."""
        import omero.sys

        if not self._order or not ids:
            return ids
        wanted = ", ".join(f"e.{part}" for part in self._order)
        text = f"select e.id from {entity.name} e where e.id in (:ids) order by {wanted}"
        _, rows = queries.rows(tx, context, text, omero.sys.ParametersI().addIds(ids), objects=False)
        return [row[0] for row in rows]

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

    def hasNext(self, current: Any) -> bool:
        """Return whether there are results left."""
        self._search_here(current)
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
        self._search_here(current)
        self._again = None
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
        self._found, self._queries, self._again = [], 0, None

    def unordered(self, _current: Any) -> None:
        """Give up every order that was asked for."""
        self._order = []


def _groups(context: Context) -> tuple[int, bool]:
    return context.group_id, context.all_groups


def _day(text: str, later: int) -> int | None:
    """Return the beginning of a day YYYYMMDD, or of one some days later, in ms since 1970 (UTC); None without text."""
    if not (text or "").strip():
        return None
    try:
        day = datetime.datetime.strptime(text.strip(), "%Y%m%d").replace(tzinfo=datetime.UTC)
    except ValueError:
        raise errors.api_usage("Invalid date format, dates must be in format YYYYMMDD.") from None
    return int((day + datetime.timedelta(days=later)).timestamp() * 1000)


def _of_period(tx: Transaction, entity: Entity, period: tuple[int | None, int | None], *, acquired: bool) -> set[int]:
    """Return the ids of objects that were imported (or, of images, acquired) in a period."""
    if entity.is_global:
        return set()
    time = 't."acquisitionDate"' if acquired else "e.time"
    sql = (
        f'SELECT t.id FROM "{entity.root}" AS t JOIN "Event" AS e ON e.id = t.creation_id'
        f" WHERE (:start IS NULL OR {time} >= :start) AND (:stop IS NULL OR {time} < :stop)"
    )
    return {row[0] for row in tx.rows(sql, {"start": period[0], "stop": period[1]})}


def _owner(details: Any) -> set[int]:
    owner = details.owner if details is not None else None
    return {owner.id.val} if owner is not None and owner.id is not None else set()
