"""ManagedRepository: imports, and access to the imported files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access.permissions import read_scope
from sandbox.omero.commands.handle import CommandHandle
from sandbox.omero.imports.plan import ImportPlan, new_staging_folder, supported_algorithm
from sandbox.omero.model.entities import find_entity
from sandbox.omero.objects import hydrate
from sandbox.omero.objects.access import load_objects, readable_row, require_edit, require_link
from sandbox.omero.repository.checksums import CHECKSUMS, checksum
from sandbox.omero.repository.stored_files import (
    UnsafePathError,
    original_file_path,
    repository_names,
    repository_path,
    repository_uuid,
    safe_parts,
)
from sandbox.omero.server.servant import Service
from sandbox.omero.services.files.import_process import ImportProcess
from sandbox.omero.services.files.raw_file_store import RawFileStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.omero.access.context import Context
    from sandbox.omero.database.transactions import Transaction

DIRECTORY = "Directory"  # mimetype of the OriginalFile of a folder


def repository_description(server: Any) -> Any:
    """Return the OriginalFile that stands for the repository itself; the database has no row of it."""
    import omero
    from omero.rtypes import rlong, rstring

    found = omero.model.OriginalFileI()
    found.id = rlong(0)
    found.path, found.name = rstring("/OMERO/"), rstring("ManagedRepository")
    found.hash, found.mimetype = rstring(repository_uuid(server)), rstring("Repository")
    found.size = rlong(0)
    return found


def _parts(path: str) -> list[str]:
    try:
        return safe_parts(path)
    except UnsafePathError as error:
        raise errors.api_usage(str(error)) from error


def _value(rtype: Any) -> Any:
    return None if rtype is None else rtype.val


class ManagedRepository(Service):
    """The repository of imported files."""

    interface = "omero.grid.ManagedRepository"

    # Imports.

    def importFileset(self, fileset: Any, settings: Any, current: Any) -> Any:
        """Begin an import; return the process that takes the files."""
        entries = list(fileset.copyUsedFiles()) if fileset is not None and fileset.isLoaded() else []
        paths = [_value(entry.clientPath) for entry in entries if entry is not None]
        if not paths or not all(paths):
            raise errors.api_usage("A fileset to import has to have entries with client paths")
        info = [job.versionInfo for job in fileset.linkedJobList() if hasattr(job, "versionInfo")]
        pairs = [(p.name, p.value) for p in (info[0] if info and info[0] else []) if p is not None]
        return self._begin(paths, settings, tuple(pairs), current)

    def importPaths(self, paths: list[str], current: Any) -> Any:
        """Begin an import with all settings left at their defaults."""
        if not paths or not all(paths):
            raise errors.api_usage("No paths to import")
        return self._begin(list(paths), None, (), current)

    def _begin(self, paths: list[str], settings: Any, version_info: tuple[tuple[str, str], ...], current: Any) -> Any:
        context = self.context(current)
        algorithm = _value(getattr(getattr(settings, "checksumAlgorithm", None), "value", None))
        try:
            algorithm = supported_algorithm(algorithm)
        except KeyError:
            raise errors.api_usage(f"Checksum algorithm {algorithm} is not one of {', '.join(CHECKSUMS)}") from None
        try:
            names = ["/".join(parts) for parts in repository_names(paths)]
        except UnsafePathError as error:
            raise errors.api_usage(str(error)) from error
        if len(set(names)) != len(names):
            raise errors.api_usage("Two files of the fileset have the same path")
        target = self._target(getattr(settings, "userSpecifiedTarget", None), context)
        annotations = getattr(settings, "userSpecifiedAnnotationList", None) or []
        plan = ImportPlan(
            tuple(paths),
            tuple(names),
            new_staging_folder(self.server.files),
            algorithm,
            name=_value(getattr(settings, "userSpecifiedName", None)),
            description=_value(getattr(settings, "userSpecifiedDescription", None)),
            target=target,
            annotation_ids=tuple(a.id.val for a in annotations if a is not None and a.id is not None),
            version_info=version_info,
            without_stats=bool(_value(getattr(settings, "noStatsInfo", None))),
        )
        process = ImportProcess(self.server, self.session)
        process.begin(plan, settings, context)
        return self.publish(process, "ImportProcess", current)

    def _target(self, target: Any, context: Context) -> tuple[str, int] | None:
        """Check the dataset or screen that the images or plates are to go into."""
        if target is None:
            return None
        entity = find_entity(target.ice_id())
        if entity is None or entity.name not in ("Dataset", "Screen") or target.id is None:
            raise errors.api_usage("An import can go only into a Dataset or a Screen that has an id")
        with self.server.database.read(context) as tx:
            require_link(tx, context, entity.name, target.id.val)
        return entity.name, target.id.val

    def listImports(self, _current: Any) -> list[Any]:
        """Return the imports of this session that are under way."""
        found = [s for s in self.session.services.values() if isinstance(s, ImportProcess)]
        return [self.proxy(s.name, s.interface) for s in found]

    # Checksums.

    def listChecksumAlgorithms(self, _current: Any) -> list[Any]:
        """Return the supported algorithms, the preferred one first."""
        with self.server.database.read() as tx:
            known = {e.value.val: e for e in hydrate.enumeration(tx, "ChecksumAlgorithm").values()}
        return [known[name] for name in CHECKSUMS if name in known]

    def suggestChecksumAlgorithm(self, offered: list[Any], current: Any) -> Any:
        """Return the one of the client's algorithms that the server prefers, or None."""
        names = {_value(a.value) for a in offered or [] if a is not None and a.isLoaded()}
        return next((a for a in self.listChecksumAlgorithms(current) if a.value.val in names), None)

    def verifyChecksums(self, ids: list[int], current: Any) -> list[int]:
        """Return those of the files whose content no longer has the recorded checksum."""
        context, wrong = self.context(current), []
        with self.server.database.read(context) as tx:
            for file_id in ids:
                row = readable_row(tx, context, "OriginalFile", file_id)
                hasher = tx.get("ChecksumAlgorithm", row["hasher"]) if row["hasher"] is not None else None
                if hasher is None or row["hash"] is None:
                    continue
                path = original_file_path(self.server.files, row)
                if not path.is_file() or checksum(path, hasher["value"]) != row["hash"]:
                    wrong.append(file_id)
        return wrong

    # Files.

    def root(self, _current: Any) -> Any:
        """Return the OriginalFile of the repository itself."""
        return repository_description(self.server)

    def mimetype(self, path: str, current: Any) -> str:
        """Return the mimetype that a file's row has."""
        return self._file_row(path, current)["mimetype"] or "application/octet-stream"

    def _rows_in(self, tx: Transaction, context: Context, path: str) -> tuple[list[int], set[str]]:
        """Return ids of the visible files in a folder, and names of its folders that hold visible files."""
        prefix = "/".join(_parts(path)) + "/" if path.strip("/") else ""
        condition, parameters = read_scope(context)
        sql = (
            'SELECT f.id, f.path, f.name, f.mimetype FROM "OriginalFile" AS f '
            "WHERE f.repo = :repo AND substr(f.path, 1, :length) = :prefix AND " + condition.format(alias="f")
        )
        found = {**parameters, "repo": repository_uuid(self.server), "length": len(prefix), "prefix": prefix}
        ids, folders = [], set()
        for file_id, folder, name, mimetype in tx.rows(sql, found):
            below = folder[len(prefix) :].split("/")[0]
            if below:
                folders.add(below)
            elif mimetype == DIRECTORY:
                folders.add(name)
            else:
                ids.append(file_id)
        return ids, folders

    def list(self, path: str, current: Any) -> list[str]:
        """Return the paths of what lies in a folder, as far as the caller may see it."""
        context = self.context(current)
        with self.server.database.read(context) as tx:
            ids, folders = self._rows_in(tx, context, path)
            names = {row["name"] for row in tx.find("OriginalFile", id=ids)} | folders
        base = path.strip("/")
        return sorted(f"{base}/{name}" if base else name for name in names)

    def listFiles(self, path: str, current: Any) -> Any:
        """Return the OriginalFiles in a folder."""
        context = self.context(current)
        with self.server.database.read(context) as tx:
            ids, _ = self._rows_in(tx, context, path)
        return load_objects(self.server.database, context, "OriginalFile", ids)

    def treeList(self, path: str, current: Any) -> Any:
        """Return what lies in a folder and below it, as nested maps."""
        from omero.rtypes import rlong, rmap, rstring

        context = self.context(current)
        with self.server.database.read(context) as tx:
            ids, folders = self._rows_in(tx, context, path)
            rows = tx.find("OriginalFile", id=ids)
        base = path.strip("/")
        tree = {
            row["name"]: rmap(
                {
                    "id": rlong(row["id"]),
                    "mimetype": rstring(row["mimetype"] or ""),
                    "size": rlong(row["size"] or 0),
                }
            )
            for row in rows
        }
        for name in folders:
            below = f"{base}/{name}" if base else name
            tree[name] = rmap({"mimetype": rstring(DIRECTORY), "files": self.treeList(below, current)})
        return rmap(tree)

    def _file_row(self, path: str, current: Any) -> dict[str, Any]:
        folder, _, name = "/".join(_parts(path)).rpartition("/")
        context = self.context(current)
        with self.server.database.read(context) as tx:
            rows = tx.find(
                "OriginalFile",
                repo=repository_uuid(self.server),
                path=folder + "/" if folder else "",
                name=name,
            )
            if rows:
                return readable_row(tx, context, "OriginalFile", rows[0]["id"])
        raise errors.validation(f"{path}: no such file in the repository")

    def fileExists(self, path: str, current: Any) -> bool:
        """Return whether there is a file or folder that the caller may see."""
        import omero

        try:
            self._file_row(path, current)
        except omero.ValidationException:
            return bool(self.list(path, current))
        return True

    def fileById(self, file_id: int, current: Any) -> Any:
        """Open a file for reading."""
        context = self.context(current)
        with self.server.database.read(context) as tx:
            row = readable_row(tx, context, "OriginalFile", file_id)
        return self._store(row, read_only=True, current=current)

    def file(self, path: str, mode: str, current: Any) -> Any:
        """Open a file of the repository: `r`, or `rw`, which makes it if it does not exist."""
        import omero

        if mode not in ("r", "rw"):
            raise errors.api_usage(f"mode {mode!r} is not r or rw")
        try:
            row = self._file_row(path, current)
        except omero.ValidationException:
            if mode == "r":
                raise
            row = self._register(path, "application/octet-stream", current)
        if mode == "rw":
            require_edit(self.context(current), "OriginalFile", row)
        return self._store(row, read_only=mode == "r", current=current)

    def _store(self, row: dict[str, Any], *, read_only: bool, current: Any) -> Any:
        store = RawFileStore(self.server, self.session)
        try:
            store.use(row, original_file_path(self.server.files, row), read_only=read_only)
        except UnsafePathError as error:
            raise errors.security(str(error)) from error
        return self.publish(store, "RawFileStore", current)

    def _register(self, path: str, mimetype: str, current: Any, size: int = 0) -> dict[str, Any]:
        """Make a new file or folder of the repository, below a folder that is the caller's own."""
        context = self.context(current)
        folder, _, name = "/".join(_parts(path)).rpartition("/")
        self._require_own_folder(folder, mimetype, current)
        with self.server.database.write(context) as tx:
            file_id = tx.create(
                "OriginalFile",
                name=name,
                path=folder + "/" if folder else "",
                repo=repository_uuid(self.server),
                mimetype=mimetype,
                size=size,
            )
            row = tx.get("OriginalFile", file_id)
        assert row is not None
        return row

    def _require_own_folder(self, folder: str, mimetype: str, current: Any) -> None:
        """Refuse a new file in the top folder, or in a folder that the caller may not change; administrators may."""
        context = self.context(current)
        if context.is_admin:
            return
        if not folder and mimetype != DIRECTORY:
            raise errors.security("Files cannot be written into the top folder of the repository")
        if folder:
            row = self._file_row(folder, current)
            require_edit(context, "OriginalFile", row)

    def register(self, path: str, mimetype: Any, current: Any) -> Any:
        """Return the OriginalFile of a path; make one for a file or folder that has none yet."""
        import omero

        try:
            row = self._file_row(path, current)
        except omero.ValidationException:
            place = repository_path(self.server.files, "/".join(_parts(path)))
            if not place.exists():
                raise
            kind = DIRECTORY if place.is_dir() else _value(mimetype) or "application/octet-stream"
            row = self._register(path, kind, current, 0 if place.is_dir() else place.stat().st_size)
        return load_objects(self.server.database, self.context(current), "OriginalFile", [row["id"]])[0]

    def deletePaths(self, paths: Sequence[str], recursively: bool, _force: bool, current: Any) -> Any:
        """Delete files and folders, but nothing that a fileset needs; return the handle of the Delete2."""
        import omero.cmd

        ids: list[int] = []
        for path in paths or []:
            row = self._file_row(path, current)
            below = self._ids_below("/".join(_parts(path)), current) if row["mimetype"] == DIRECTORY else []
            if below and not recursively:
                raise errors.api_usage(f"{path}: the folder is not empty")
            ids += [*below, row["id"]]
        request = omero.cmd.Delete2(targetObjects={"OriginalFile": list(dict.fromkeys(ids))})
        handle = CommandHandle(self.server, self.session, request, self.context(current))
        proxy = self.publish(handle, "Handle", current)
        self.server.workers.submit(handle.run)
        return proxy

    def _ids_below(self, folder: str, current: Any) -> Sequence[int]:
        """Return the ids of everything in a folder, the innermost first."""
        context = self.context(current)
        condition, parameters = read_scope(context)
        prefix = folder + "/"
        sql = (
            'SELECT f.id FROM "OriginalFile" AS f WHERE f.repo = :repo AND substr(f.path, 1, :length) = :prefix'
            f" AND {condition.format(alias='f')} ORDER BY length(f.path) DESC"
        )
        given = {**parameters, "repo": repository_uuid(self.server), "length": len(prefix), "prefix": prefix}
        with self.server.database.read(context) as tx:
            return [row[0] for row in tx.rows(sql, given)]

    def makeDir(self, path: str, parents: bool, current: Any) -> None:
        """Make a folder; with `parents` also those above it, and no error if it exists."""
        parts = _parts(path)
        for depth in range(1 if parents else len(parts), len(parts) + 1):
            name = "/".join(parts[:depth])
            if self.fileExists(name, current):
                if not parents:
                    raise errors.resource(f"{name}: exists already")
                continue
            if depth > 1 and not self.fileExists("/".join(parts[: depth - 1]), current):
                raise errors.resource(f"{'/'.join(parts[: depth - 1])}: no such folder")
            self._register(name, DIRECTORY, current)
            repository_path(self.server.files, name).mkdir(parents=True, exist_ok=True)
