"""IUpdate: store and delete objects."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sandbox.omero import errors
from sandbox.omero.commands.delete import delete_single
from sandbox.omero.model.entities import find_entity
from sandbox.omero.objects.save_graph import ADMIN_ONLY, Saver
from sandbox.omero.server.servant import Service


class Update(Service):
    """The update service."""

    interface = "omero.api.IUpdate"

    def _save(self, things: list[Any], current: Any, *, describe: bool = False) -> list[int]:
        context = self.context(current)
        try:
            with self.server.database.write(context) as tx:
                saver = Saver(tx, context)
                ids = saver.save(things, describe=describe)
        except sa.exc.IntegrityError as error:
            # Deferred foreign keys are checked at the commit.
            raise errors.validation(f"An object refers to one that does not exist: {error.orig}") from None
        if any(node.entity.root in ADMIN_ONLY for node in saver.nodes):
            self.server.forget_caches()
        if not describe:
            saver.take_apart()
        return ids

    def saveObject(self, thing: Any, current: Any) -> None:
        """Store an object and what is loaded with it."""
        self._save([thing], current)

    def saveAndReturnObject(self, thing: Any, current: Any) -> Any:
        """Store an object, and return it with ids and details."""
        self._save([thing], current, describe=True)
        return thing

    def saveCollection(self, things: Any, current: Any) -> None:
        """Store objects, all or none."""
        self._save(list(things or []), current)

    def saveArray(self, things: Any, current: Any) -> None:
        """Store objects, all or none."""
        self._save(list(things or []), current)

    def saveAndReturnArray(self, things: Any, current: Any) -> list[Any]:
        """Store objects, all or none, and return them with ids and details."""
        listed = list(things or [])
        self._save(listed, current, describe=True)
        return listed

    def saveAndReturnIds(self, things: Any, current: Any) -> list[int]:
        """Store objects, all or none; return their ids."""
        return self._save(list(things or []), current)

    def deleteObject(self, thing: Any, current: Any) -> None:
        """Delete one object alone; nothing may refer to it."""
        entity = find_entity(thing.ice_id()) if thing is not None else None
        if entity is None or thing.id is None:
            raise errors.api_usage("deleteObject needs an object with an id")
        context = self.context(current)
        with self.server.database.write(context) as tx:
            delete_single(tx, context, entity, thing.id.val)

    def indexObject(self, thing: Any, current: Any) -> None:
        """Do nothing: searches look at the objects themselves."""
