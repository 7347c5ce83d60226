"""The server's state, which every service can reach: database, sessions, files, settings, users and groups."""

from __future__ import annotations

import concurrent.futures
import fcntl
import os
from typing import TYPE_CHECKING, Any

from sandbox.omero import errors
from sandbox.omero.access.context import Context
from sandbox.omero.access.directory import SYSTEM_GROUP, Directory
from sandbox.omero.database.seed import is_seeded, seed
from sandbox.omero.database.transactions import Database
from sandbox.omero.database.users import load_directory
from sandbox.omero.imports.plan import clear_staging
from sandbox.omero.model.introspect import model_classes
from sandbox.omero.model.schema import SETTING
from sandbox.omero.repository.leftovers import clear_leftovers
from sandbox.omero.server.failed_logins import FailedLogins
from sandbox.omero.server.sessions import Session, Sessions
from sandbox.omero.server.trials import Trials

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class DataFolderBusyError(Exception):
    """Another server is running on this data folder."""


class Server:
    """What all services share.

    Attributes:
        data: The data folder.
        files: The folder of files and pixels in it.
        database: The database.
        sessions: The open sessions.
        config: The values of IConfig that differ from the defaults.
        failed_logins: Who lately failed to log in.
        trials: The difficulties that tests ask for.
        uuid: The id that tells this OMERO from every other.
        node_id: Id of the Node row.
        workers: Threads for work that outlives a call.
        adapter: Ice's object adapter; None until the server listens.
    """

    def __init__(self, data: Path, root_password: str) -> None:
        self.data = data
        self.files = data / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self._lock_file = self._take_folder()
        model_classes()  # omero is imported here, with its definitions recorded
        self.database = Database(data / "omero.sqlite")
        self.database.create_tables()
        with self.database.write() as tx:
            if not is_seeded(tx):
                seed(tx, root_password)
            self.node_id: int = tx.find("Node")[0]["id"]
            self.config: dict[str, str] = {
                row.name.removeprefix("config."): row.value
                for row in tx.execute(SETTING.select())
                if row.name.startswith("config.")
            }
            self.uuid: str = tx.execute(SETTING.select().where(SETTING.c.name == "uuid")).one().value
        clear_staging(self.database, self.files)
        clear_leftovers(self.database, self.files)
        self.sessions = Sessions(self.database)
        self.trials = Trials(self.config)
        self.failed_logins = FailedLogins(self.config)
        self.workers = concurrent.futures.ThreadPoolExecutor(4, thread_name_prefix="worker")
        self.adapter: Any = None  # the Ice object adapter, once wire.listening has made one

    def _take_folder(self) -> int:
        descriptor = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise DataFolderBusyError(f"{self.data}: another OMERO sandbox is running on this folder") from None
        return descriptor

    # --- users, groups, vocabularies -------------------------------------------------------------

    @property
    def directory(self) -> Directory:
        """Return users and groups as they are now."""
        caches = self.database.caches
        if "directory" not in caches:
            with self.database.read() as tx:
                caches["directory"] = load_directory(tx)
        found: Directory = caches["directory"]
        return found

    def forget_caches(self) -> None:
        """Forget what was cached. Call it after users, groups or enumerations have changed."""
        # A new dictionary: a thread that stores what it read before the change still has the old one.
        self.database.caches = {}

    def user_id(self, name: str) -> int | None:
        """Return the experimenter with this login name, or None."""
        return next((user for user, known in self.directory.users.items() if known == name), None)

    def is_admin(self, user_id: int) -> bool:
        """Return whether the user is a member of the system group."""
        return SYSTEM_GROUP in self.directory.memberships.get(user_id, {})

    def privileges(self, user_id: int) -> frozenset[str]:
        """Return the admin privileges of a user, without those that the user's configuration denies."""
        if not self.is_admin(user_id):
            return frozenset()
        caches = self.database.caches
        if ("privileges", user_id) not in caches:
            caches["privileges", user_id] = self._read_privileges(user_id)
        found: frozenset[str] = caches["privileges", user_id]
        return found

    def _read_privileges(self, user_id: int) -> frozenset[str]:
        with self.database.read() as tx:
            pairs = tx.named_values("Experimenter", user_id, "config")
            every = frozenset(row["value"] for row in tx.find("AdminPrivilege"))
        denied = {
            name.partition(":")[2]
            for name, value in pairs
            if name.startswith("AdminPrivilege:") and value.lower() != "true"
        }
        return every - denied

    def session_privileges(self, session: Session) -> frozenset[str]:
        """Return the admin privileges of a session; acting for somebody else adds none that the user lacks."""
        own = self.privileges(session.user_id)
        return own if session.sudoer_id is None else own & self.privileges(session.sudoer_id)

    def context(self, session: Session, ctx: Mapping[str, str]) -> Context:
        """Return the caller of an operation: the session's user and group, unless the call itself names others."""
        directory = self.directory
        user_id, group_id, all_groups = session.user_id, session.group_id, False
        is_admin = self.is_admin(user_id)
        wanted_group = _number(ctx.get("omero.group", ""))
        if wanted_group is not None:
            all_groups = wanted_group < 0
            group_id = group_id if all_groups else wanted_group
        if group_id not in directory.groups:
            raise errors.api_usage(f"No such group: {group_id}")
        if group_id not in directory.member_of(user_id) and not is_admin:
            raise errors.security(f"User {user_id} is not a member of group {group_id} and cannot login")
        leader_of = directory.leader_of(user_id)
        privileges = self.session_privileges(session) if is_admin else frozenset()
        wanted_user = _number(ctx.get("omero.user", ""))
        if wanted_user is not None and wanted_user not in (-1, user_id):
            if wanted_user not in directory.users:
                raise errors.api_usage(f"No such user: {wanted_user}")
            if "Sudo" not in privileges and group_id not in leader_of:
                raise errors.security(f"User {user_id} is not an admin or leader and so cannot act as {wanted_user}")
            user_id = wanted_user
        return Context(
            user_id=user_id,
            group_id=group_id,
            all_groups=all_groups,
            is_admin=is_admin,
            privileges=privileges,
            member_of=directory.member_of(user_id),
            leader_of=leader_of,
            session_row_id=session.row_id,
            directory=directory,
            event_type=session.event_type,
        )

    def close(self) -> None:
        """End sessions and work, and leave the database as one clean file."""
        self.workers.shutdown(wait=True, cancel_futures=True)
        self.sessions.close_all()
        self.database.close()
        os.close(self._lock_file)


def _number(text: str) -> int | None:
    """Return a number in a call's context; None for other text, which omero-metadata sends and OMERO ignores."""
    try:
        return int(text)
    except ValueError:
        return None
