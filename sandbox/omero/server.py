"""The server: one Ice object adapter, one database, one folder.

`Server` is what every service can reach: `database`, `sessions`, `files` (the folder of binary data), `config`
(IConfig's values), `adapter`, `workers` (threads for work that outlives a call), `directory` (users and groups).
"""

from __future__ import annotations

import concurrent.futures
import fcntl
import json
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

import Ice

from sandbox.omero import errors
from sandbox.omero.certificate import ensure_certificate
from sandbox.omero.context import SYSTEM_GROUP, Context
from sandbox.omero.database import Database
from sandbox.omero.introspect import model_classes
from sandbox.omero.leftovers import clear_leftovers
from sandbox.omero.message_objects import BareObjects
from sandbox.omero.model import MODEL_ENTITIES
from sandbox.omero.permissions import Directory, load_directory
from sandbox.omero.schema import SETTING
from sandbox.omero.seed import is_seeded, seed
from sandbox.omero.servant import expose, interface_class
from sandbox.omero.sessions import Session, Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

log = logging.getLogger("sandbox.omero")
HOST = "127.0.0.1"
MESSAGE_KIB = 250_000  # as OMERO's Ice.MessageSizeMax
SWEEP_SECONDS = 5
PROPERTIES = {
    "Ice.Plugin.IceSSL": "IceSSL:createIceSSL",
    "IceSSL.VerifyPeer": "0",
    "Ice.MessageSizeMax": str(MESSAGE_KIB),
    "Ice.ThreadPool.Server.Size": "4",
    "Ice.ThreadPool.Server.SizeMax": "64",
    # Ice reads and writes objects within objects by recursion: a chain of some thousand ended the process.
    "Ice.ClassGraphDepthMax": "4000",
    "Ice.ThreadPool.Server.StackSize": str(32 << 20),
    "Ice.ACM.Server.Timeout": "60",
    "Ice.ACM.Server.Heartbeat": "3",
    "Ice.Warn.Connections": "0",
    "Ice.Warn.Dispatch": "0",
    "Ice.PrintStackTraces": "0",
}


class DataFolderBusyError(Exception):
    """Another server works in this folder."""


class Server:
    """A running OMERO sandbox."""

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
        clear_leftovers(self.database, self.files)
        self.sessions = Sessions(self.database)
        self.workers = concurrent.futures.ThreadPoolExecutor(4, thread_name_prefix="worker")
        self._stopping = threading.Event()

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
        """Users and groups as they are now."""
        caches = self.database.caches
        if "directory" not in caches:
            with self.database.read() as tx:
                caches["directory"] = load_directory(tx)
        found: Directory = caches["directory"]
        return found

    def forget_caches(self) -> None:
        """To be called after users, groups or enumerations have changed."""
        # New ones: who is about to put in what it read before the change has the old ones in hand.
        self.database.caches = {}

    def user_id(self, name: str) -> int | None:
        """The experimenter with this login name, or None."""
        return next((user for user, known in self.directory.users.items() if known == name), None)

    def is_admin(self, user_id: int) -> bool:
        """Whether the user is a member of the system group."""
        return SYSTEM_GROUP in self.directory.memberships.get(user_id, {})

    def privileges(self, user_id: int) -> frozenset[str]:
        """The admin privileges of a user: all that its configuration does not take away; none for others."""
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
        """The admin privileges of a session: who acts for somebody else gains none that they lack themselves."""
        own = self.privileges(session.user_id)
        return own if session.sudoer_id is None else own & self.privileges(session.sudoer_id)

    def context(self, session: Session, ctx: Mapping[str, str]) -> Context:
        """The caller of an operation: the session's user and group, unless the call itself names others."""
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

    # --- Ice -------------------------------------------------------------------------------------

    def proxy(self, session: Session, name: str, interface: str) -> Any:
        """A proxy of the interface's type for a service of the session."""
        identity = Ice.Identity(name=name, category=session.uuid)
        return interface_class(interface + "Prx").uncheckedCast(self.adapter.createProxy(identity))

    def start(self, port: int, tcp_port: int) -> None:
        """Listen. A port of 0 is chosen by the system."""
        from sandbox.omero.router import Router

        self.communicator = _communicator(self.data)
        # Websockets take free ports: who wants them reads endpoint.json.
        endpoints = f"ssl -h {HOST} -p {port}:tcp -h {HOST} -p {tcp_port}:ws -h {HOST} -p 0:wss -h {HOST} -p 0"
        self.adapter = self.communicator.createObjectAdapterWithEndpoints("Router", endpoints)
        self.port, self.tcp_port, ws_port, wss_port = (e.getInfo().port for e in self.adapter.getEndpoints())
        self.config.setdefault("omero.db.poolsize", "10")
        # What `secure=False` clients ask for after they have logged in by ssl.
        self.config["omero.router.insecure"] = f"OMERO.Glacier2/router:tcp -p {self.tcp_port} -h @omero.host@"
        self.adapter.add(Router(self), Ice.Identity(name="router", category="OMERO.Glacier2"))
        self.adapter.addServantLocator(Locator(self), "")
        self.adapter.activate()
        threading.Thread(target=self._sweep, name="sweep", daemon=True).start()
        endpoint = {
            "host": HOST,
            "port": self.port,
            "tcp_port": self.tcp_port,
            "ws_port": ws_port,
            "wss_port": wss_port,
        }
        endpoint |= {"pid": os.getpid()}
        (self.data / "endpoint.json").write_text(json.dumps(endpoint) + "\n")

    def _sweep(self) -> None:
        while not self._stopping.wait(SWEEP_SECONDS):
            try:
                self.sessions.sweep()
            except Exception:
                log.exception("closing timed-out sessions failed")

    def stop(self) -> None:
        """End everything and leave the database as one clean file."""
        self._stopping.set()
        self.communicator.destroy()
        self.workers.shutdown(wait=True, cancel_futures=True)
        self.sessions.close_all()
        self.database.close()
        (self.data / "endpoint.json").unlink(missing_ok=True)
        os.close(self._lock_file)


def _number(text: str) -> int | None:
    """A number in a call's context; nothing for what is none (omero-metadata sends such, OMERO ignores it)."""
    try:
        return int(text)
    except ValueError:
        return None


def _communicator(data: Path) -> Any:
    import omero.columns
    import omero.model
    import omero.ObjectFactoryRegistrar
    import omero.rtypes

    certificate, key = ensure_certificate(data)
    settings = Ice.InitializationData()
    settings.properties = Ice.createProperties()
    for name, value in PROPERTIES.items():
        settings.properties.setProperty(name, value)
    settings.properties.setProperty("IceSSL.CertFile", str(certificate))
    settings.properties.setProperty("IceSSL.KeyFile", str(key))
    communicator = Ice.initialize(settings)
    for name in ("Details", *MODEL_ENTITIES):
        concrete = getattr(omero.model, f"{name}I", None)
        if concrete is not None:
            communicator.addObjectFactory(BareObjects(concrete), f"::omero::model::{name}")
    omero.ObjectFactoryRegistrar.registerObjectFactory(communicator, None)
    for name in ("Bool", "Double", "Float", "Int", "Long", "String", "Time"):
        concrete = getattr(omero.rtypes, f"R{name}I")
        communicator.addObjectFactory(BareObjects(concrete), f"::omero::R{name}")
    for factories in (omero.rtypes.ObjectFactories, omero.columns.ObjectFactories):
        for factory in factories.values():
            if communicator.findObjectFactory(factory.id) is None:
                factory.register(communicator)
    return communicator


class Locator(Ice.ServantLocator):
    """Finds the servant for a request: a session's factory, one of its open services, or one that needs no state."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def locate(self, current: Any) -> tuple[Any, None]:
        """The servant; ObjectNotExistException tells the client that session or service is gone."""
        from sandbox.omero.services import ServiceFactory, stateless_service

        category, name = current.id.category, current.id.name
        is_factory = category.startswith("session-")
        session = self._server.sessions.use(name if is_factory else category)
        if session is None:
            raise Ice.ObjectNotExistException()
        key = "ServiceFactory" if is_factory else name
        servant = session.servants.get(key)
        if servant is None:
            kind = ServiceFactory if is_factory else stateless_service(name)
            if kind is None:
                raise Ice.ObjectNotExistException()
            servant = session.servants[key] = expose(kind(self._server, session))
        return servant, None

    def finished(self, current: Any, servant: Any, cookie: Any) -> None:
        """Nothing to do after a request."""

    def deactivate(self, category: str) -> None:
        """Nothing to do at the end."""
