"""The server on the network: one Ice object adapter with the router and the services of every session."""

from __future__ import annotations

import json
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

import Ice

from sandbox.omero.model.entities import MODEL_ENTITIES
from sandbox.omero.objects.message_objects import BareObjects
from sandbox.omero.server.servant import expose
from sandbox.omero.services.factory import ServiceFactory, stateless_service
from sandbox.omero.wire.certificate import ensure_certificate
from sandbox.omero.wire.router import Router

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.omero.server.state import Server

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
    # Ice reads and writes objects within objects by recursion: a chain of some thousand would end the process.
    "Ice.ClassGraphDepthMax": "4000",
    "Ice.ThreadPool.Server.StackSize": str(32 << 20),
    "Ice.ACM.Server.Timeout": "60",
    "Ice.ACM.Server.Heartbeat": "3",
    "Ice.Warn.Connections": "0",
    "Ice.Warn.Dispatch": "0",
    "Ice.PrintStackTraces": "0",
}


class Listener:
    """The network side of a server.

    Attributes:
        port: Port for ssl, once `start` has returned.
        tcp_port: Port for unencrypted connections.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._stopping = threading.Event()

    def start(self, port: int, tcp_port: int) -> None:
        """Listen, and write host and ports to `endpoint.json`. A port of 0 is chosen by the system."""
        server = self.server
        self._communicator = _communicator(server.data)
        # Websockets take free ports, which are written to endpoint.json.
        endpoints = f"ssl -h {HOST} -p {port}:tcp -h {HOST} -p {tcp_port}:ws -h {HOST} -p 0:wss -h {HOST} -p 0"
        server.adapter = self._communicator.createObjectAdapterWithEndpoints("Router", endpoints)
        self.port, self.tcp_port, ws_port, wss_port = (e.getInfo().port for e in server.adapter.getEndpoints())
        server.config.setdefault("omero.db.poolsize", "10")
        # Clients with `secure=False` ask for this after they have logged in by ssl.
        server.config["omero.router.insecure"] = f"OMERO.Glacier2/router:tcp -p {self.tcp_port} -h @omero.host@"
        server.adapter.add(Router(server), Ice.Identity(name="router", category="OMERO.Glacier2"))
        server.adapter.addServantLocator(Locator(server), "")
        server.adapter.activate()
        threading.Thread(target=self._sweep, name="sweep", daemon=True).start()
        endpoint = {
            "host": HOST,
            "port": self.port,
            "tcp_port": self.tcp_port,
            "ws_port": ws_port,
            "wss_port": wss_port,
            "pid": os.getpid(),
        }
        (server.data / "endpoint.json").write_text(json.dumps(endpoint) + "\n")

    def _sweep(self) -> None:
        while not self._stopping.wait(SWEEP_SECONDS):
            try:
                self.server.sessions.sweep()
            except Exception:
                log.exception("closing timed-out sessions failed")

    def stop(self) -> None:
        """Take no more calls, and close the server."""
        self._stopping.set()
        self._communicator.destroy()
        (self.server.data / "endpoint.json").unlink(missing_ok=True)
        self.server.close()


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


class Locator(Ice.ServantLocator):  # type: ignore[misc,unused-ignore]
    """Finder of the servant for a request: a session's factory, one of its open services, or a stateless service."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def locate(self, current: Any) -> tuple[Any, None]:
        """Return the servant; ObjectNotExistException tells the client that session or service is gone."""
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
        """Do nothing after a request."""

    def deactivate(self, category: str) -> None:
        """Do nothing at the end."""
