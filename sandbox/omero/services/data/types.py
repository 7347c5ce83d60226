"""ITypes: the enumerations."""

from __future__ import annotations

from typing import Any

from sandbox.omero import errors
from sandbox.omero.model.entities import MODEL_ENTITIES, Entity, find_entity
from sandbox.omero.objects import hydrate
from sandbox.omero.server.servant import Service


def enumeration_entity(name: str) -> Entity:
    """Return the enumeration that a client names."""
    found = find_entity(name)
    if found is None or not found.is_enumeration:
        raise errors.api_usage(f"{name}: no such enumeration")
    return found


class Types(Service):
    """The service of vocabularies."""

    interface = "omero.api.ITypes"

    def allEnumerations(self, name: str, _current: Any) -> list[Any]:
        """Return all values of an enumeration."""
        entity = enumeration_entity(name)
        with self.server.database.read() as tx:
            return list(hydrate.enumeration(tx, entity.name).values())

    def getEnumeration(self, name: str, value: str, current: Any) -> Any:
        """Return one value of an enumeration."""
        found = [e for e in self.allEnumerations(name, current) if e.value.val == value]
        if not found:
            raise errors.api_usage(f"An enumeration of type {name} with the value {value} does not exist")
        return found[0]

    def getEnumerationTypes(self, _current: Any) -> list[str]:
        """Return the names of all enumerations."""
        return sorted(e.name for e in MODEL_ENTITIES.values() if e.is_enumeration)

    def getAnnotationTypes(self, _current: Any) -> list[str]:
        """Return the names of all kinds of annotation."""
        import omero.model

        return [n for n in MODEL_ENTITIES["Annotation"].subclasses if hasattr(omero.model, n + "I")]

    def getEnumerationsWithEntries(self, current: Any) -> dict[str, list[Any]]:
        """Return every enumeration with its values."""
        return {name: self.allEnumerations(name, current) for name in self.getEnumerationTypes(current)}

    def getOriginalEnumerations(self, current: Any) -> list[Any]:
        """Return the values of all enumerations; none of the original ones is ever removed here."""
        return [e for values in self.getEnumerationsWithEntries(current).values() for e in values]

    def createEnumeration(self, new: Any, current: Any) -> Any:
        """Add a value to an enumeration; only administrators may."""
        entity = enumeration_entity(new.ice_id() if new is not None else "")
        if not self.context(current).may("ModifyUser"):
            raise errors.security("Only administrators may add to enumerations")
        if new.value is None or not new.value.val:
            raise errors.validation(f"{entity.name}.value may not be null")
        with self.server.database.write(self.context(current)) as tx:
            if tx.enum(entity.name, new.value.val) is not None:
                raise errors.validation(f"{entity.name} {new.value.val} exists already")
            extra = {"bitSize": new.bitSize.val} if getattr(new, "bitSize", None) is not None else {}
            made = tx.create(entity.name, value=new.value.val, **extra)
        self.server.forget_caches()
        with self.server.database.read() as tx:
            return hydrate.enumeration(tx, entity.name)[made]
