"""IQuery: objects by id, by example of a field, and by HQL."""

from __future__ import annotations

from typing import Any

from sandbox.omero import errors
from sandbox.omero.database.event_log import java_name
from sandbox.omero.hql import queries
from sandbox.omero.model.entities import Entity, find_entity, subclass_property
from sandbox.omero.objects import hydrate
from sandbox.omero.server.servant import Service
from sandbox.omero.services.data.full_text import search_ids, update_index


def named_entity(name: str) -> Entity:
    """Return the entity that a client names.

    Raises:
        omero.ApiUsageException: There is none.
    """
    found = find_entity(name)
    if found is None:
        raise errors.api_usage(f"{name} is not an IObject type")
    return found


class Query(Service):
    """The query service."""

    interface = "omero.api.IQuery"

    def find(self, klass: str, row_id: int, current: Any) -> Any:
        """Return the object with this id, or None.

        Raises:
            omero.SecurityViolation: It exists, but the caller may not read it (ACLEventListener, at loading by id).
        """
        entity = named_entity(klass)
        with self.server.database.read() as tx:
            found = hydrate.load(tx, self.context(current), entity.name, [row_id])
            if not found and not entity.is_global and tx.get(entity.name, row_id) is not None:
                raise errors.security(f"Cannot read {java_name(entity.name)}:Id_{row_id}")
            if entity.is_enumeration:
                found = [e for i, e in hydrate.enumeration(tx, entity.name).items() if i == row_id]
        return found[0] if found and isinstance(found[0], _model_class(entity)) else None

    def get(self, klass: str, row_id: int, current: Any) -> Any:
        """Return the object with this id, which must exist."""
        found = self.find(klass, row_id, current)
        if found is None:
            raise errors.validation(f"The requested object ({named_entity(klass).name},{row_id}) is not available.")
        return found

    def findAll(self, klass: str, page: Any, current: Any) -> list[Any]:
        """Return all objects of a class."""
        return self.findAllByQuery(f"select e from {named_entity(klass).name} e order by e.id", _page(page), current)

    def findByQuery(self, text: str, parameters: Any, current: Any) -> Any:
        """Return the one object that a query selects, or None."""
        found = self.findAllByQuery(text, parameters, current)
        if len(found) > 1:
            raise errors.api_usage(f"query did not return a unique result: {len(found)}")
        return found[0] if found else None

    def findAllByQuery(self, text: str, parameters: Any, current: Any) -> list[Any]:
        """Return the objects that a query selects."""
        with self.server.database.read() as tx:
            return queries.objects(tx, self.context(current), text, parameters)

    def projection(self, text: str, parameters: Any, current: Any) -> list[Any]:
        """Return the rows that a query selects."""
        with self.server.database.read() as tx:
            return queries.projection(tx, self.context(current), text, parameters)

    def findByString(self, klass: str, name: str, value: str, current: Any) -> Any:
        """Return the one object with this text in a property, or None."""
        found = self.findAllByString(klass, name, value, True, None, current)
        if len(found) > 1:
            raise errors.api_usage(f"query did not return a unique result: {len(found)}")
        return found[0] if found else None

    def findAllByString(
        self, klass: str, name: str, value: str, case_sensitive: bool, page: Any, current: Any
    ) -> list[Any]:
        """Return the objects with this text in a property; it is a pattern when case does not matter."""
        from omero.rtypes import rstring

        entity = named_entity(klass)
        prop = subclass_property(entity, name or "")
        if prop is None or prop.kind != "scalar":
            raise errors.api_usage(f"{entity.name} has no property {name}")
        compared = f"e.{name} = :value" if case_sensitive else f"lower(e.{name}) like lower(:value)"
        parameters = _page(page)
        parameters.map = {"value": rstring(value)}
        text = f"select e from {entity.name} e where {compared} order by e.id"
        return self.findAllByQuery(text, parameters, current)

    def findByExample(self, example: Any, current: Any) -> Any:
        """Return the one object like the example, or None."""
        found = self.findAllByExample(example, None, current)
        if len(found) > 1:
            raise errors.api_usage(f"query did not return a unique result: {len(found)}")
        return found[0] if found else None

    def findAllByExample(self, example: Any, page: Any, current: Any) -> list[Any]:
        """Return the objects that have the same scalar values as the example."""
        if example is None:
            raise errors.api_usage("findAllByExample needs an example")
        entity = named_entity(example.ice_id())
        conditions, parameters = [], _page(page)
        parameters.map = {}
        for prop in entity.properties.values():
            value = getattr(example, f"_{prop.name}", None) if prop.kind == "scalar" else None
            if value is not None and prop.name != "version":
                conditions.append(f"e.{prop.name} = :{prop.name}")
                parameters.map[prop.name] = value
        where = f" where {' and '.join(conditions)}" if conditions else ""
        return self.findAllByQuery(f"select e from {entity.name} e{where} order by e.id", parameters, current)

    def findAllByFullText(self, klass: str, text: str, parameters: Any, current: Any) -> list[Any]:
        """Return the objects whose name, description, annotations or attachments match a search text."""
        entity = named_entity(klass)
        update_index(self.server)
        with self.server.database.read() as tx:
            context = self.context(current)
            ids = search_ids(tx, context, entity, text)
            limit, offset = queries.page_of(parameters)
            ids = ids[offset : offset + limit] if limit >= 0 else ids[offset:]
            return hydrate.load(tx, context, entity.name, ids)

    def refresh(self, target: Any, current: Any) -> Any:
        """Return the object as it is now."""
        if target is None or target.id is None:
            raise errors.api_usage("refresh needs an object with an id")
        return self.get(target.ice_id(), target.id.val, current)


def _model_class(entity: Entity) -> type:
    import omero.model

    found: type = getattr(omero.model, entity.name)
    return found


def _page(page: Any) -> Any:
    import omero.sys

    parameters = omero.sys.ParametersI()
    parameters.theFilter = page
    return parameters
