"""SharedResources: tables and the repository."""

from __future__ import annotations

from typing import Any

from sandbox.omero import errors
from sandbox.omero.access.permissions import rights
from sandbox.omero.objects.access import load_objects, readable_row
from sandbox.omero.repository.stored_files import original_file_path
from sandbox.omero.server.servant import Service
from sandbox.omero.services.files.managed_repository import repository_description
from sandbox.omero.services.files.table import Table

TABLE_MIMETYPE = "OMERO.tables"


class SharedResources(Service):
    """The service through which clients reach tables and the repository."""

    interface = "omero.grid.SharedResources"

    def areTablesEnabled(self, _current: Any) -> bool:
        """Return True: tables are enabled."""
        return True

    def repositories(self, _current: Any) -> Any:
        """Return the one repository."""
        import omero

        proxy = self.proxy("ManagedRepository", "omero.grid.ManagedRepository")
        return omero.grid.RepositoryMap([repository_description(self.server)], [proxy])

    def getScriptRepository(self, current: Any) -> Any:
        """Return nothing: there is no script repository."""

    def newTable(self, _repository: int, path: str, current: Any) -> Any:
        """Make a table and open it."""
        if not path or "\0" in path:
            raise errors.api_usage("A table needs a name")
        context = self.context(current)
        folder, _, name = path.rpartition("/")
        with self.server.database.write(context) as tx:
            file_id = tx.create("OriginalFile", name=name or path, path=folder or "/", mimetype=TABLE_MIMETYPE, size=0)
            row = tx.get("OriginalFile", file_id)
        assert row is not None
        return self._open(row, True, current)

    def openTable(self, original_file: Any, current: Any) -> Any:
        """Open an existing table."""
        if original_file is None or original_file.id is None:
            raise errors.api_usage("openTable needs an OriginalFile that has an id")
        context = self.context(current)
        with self.server.database.read(context) as tx:
            row = readable_row(tx, context, "OriginalFile", original_file.id.val)
        if row["repo"] or row["mimetype"] != TABLE_MIMETYPE:
            raise errors.api_usage(f"OriginalFile {row['id']} is no table: its mimetype is {row['mimetype']}")
        return self._open(row, rights(context, row["owner_id"], row["group_id"]).edit, current)

    def _open(self, row: dict[str, Any], writable: bool, current: Any) -> Any:
        path = original_file_path(self.server.files, row)
        path.parent.mkdir(parents=True, exist_ok=True)
        described = load_objects(self.server.database, self.context(current), "OriginalFile", [row["id"]])[0]
        table = Table(self.server, self.session)
        table.open(described, path, writable, self.context(current))
        return self.publish(table, "Table", current)

    def acquireProcessor(self, _job: Any, _seconds: int, _current: Any) -> Any:
        """Refuse: there are no script processors."""
        import omero

        raise omero.NoProcessorAvailable("", "omero.NoProcessorAvailable", "The sandbox runs no scripts", 0)

    def addProcessor(self, _processor: Any, _current: Any) -> None:
        """Refuse: there are no script processors."""
        raise errors.unsupported("SharedResources.addProcessor")

    def removeProcessor(self, processor: Any, current: Any) -> None:
        """Do nothing: there are no script processors."""
