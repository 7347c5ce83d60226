"""Ice servants from plain Python services.

A service is a class whose methods have the names of the Slice operations. Each takes the operation's arguments and the
Ice `current` (with a leading underscore if it ignores them) and returns the result, or a tuple of several::

    class Query(Service):
        interface = "omero.api.IQuery"

        def find(self, klass, id, current): ...

`expose` wraps a service into a servant. The wrappers are generated from the recorded operations because two mistakes
are fatal in IcePy: a response with the wrong number of results ends the process, and a missing `<op>_async` lets the
client wait forever. Python's errors become omero exceptions here, and only here.

Every service has `self.server` (`.database`, `.files`, `.config`, `.adapter`, see state.py), `self.session`
(sessions.Session) and `self.context(current)`. A StatefulService lives from `self.publish(...)`, which returns the
proxy for the client, until `close`; its lock serialises its operations.
"""

from __future__ import annotations

import functools
import importlib
import keyword
import logging
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import Ice

from sandbox.omero import errors
from sandbox.omero.model.introspect import OPERATIONS, Operation
from sandbox.omero.server.event_context import event_context

if TYPE_CHECKING:
    from sandbox.omero.access.context import Context
    from sandbox.omero.server.sessions import Session
    from sandbox.omero.server.state import Server

log = logging.getLogger("sandbox.omero")
SLOW_SECONDS = 1.0


class Service:
    """One service of a session."""

    interface: str

    def __init__(self, server: Server, session: Session) -> None:
        self.server = server
        self.session = session

    def context(self, current: Any) -> Context:
        """Return who calls, and in which group: from the session and the call's own settings."""
        return self.server.context(self.session, current.ctx if current is not None else {})

    def publish(self, service: StatefulService, kind: str, current: Any = None) -> Any:
        """Make a service reachable under a new name in this session; return its proxy.

        The service belongs to the connection of `current`: it is closed when that client goes away.
        """
        name = f"{uuid.uuid4()}-{kind}"
        service.name = name
        service.client = current.ctx.get("omero.client.uuid", "") if current is not None else ""
        self.session.add(name, service, expose(service))
        return self.proxy(name, service.interface)

    def proxy(self, name: str, interface: str) -> Any:
        """Return the proxy, of the interface's type, of a service of this session."""
        identity = Ice.Identity(name=name, category=self.session.uuid)
        return interface_class(interface + "Prx").uncheckedCast(self.server.adapter.createProxy(identity))


class StatefulService(Service):
    """A service with state, which lives until `close` (the Slice operation) or the end of the session."""

    name = ""
    client = ""

    def __init__(self, server: Server, session: Session) -> None:
        super().__init__(server, session)
        self.lock = threading.RLock()

    def close(self, _current: Any = None) -> None:
        """End the service; further calls find no object."""
        self.session.remove(self.name)
        self.released()

    def released(self) -> None:
        """Give back files and memory. It is called once, by `close` or when the session ends."""

    def getCurrentEventContext(self, current: Any) -> Any:
        """Return the caller's event context, as every stateful service does."""
        return event_context(self.session, self.context(current))

    def activate(self, current: Any) -> None:
        """Do nothing: services are never swapped out."""

    def passivate(self, current: Any) -> None:
        """Do nothing: services are never swapped out."""


def interface_class(name: str) -> Any:
    """Return the generated class of a Slice interface, `omero.api.IQuery`."""
    module, _, class_name = name.rpartition(".")
    return getattr(importlib.import_module(module), class_name)


def expose(service: Service) -> Any:
    """Return the Ice servant that answers with the service's methods."""
    servant = servant_class(service.interface)()
    servant.service = service
    return servant


@functools.cache
def servant_class(interface: str) -> type:
    """Return the servant class of an interface, with a wrapper for every operation."""
    base = interface_class(interface)
    methods: dict[str, Any] = {}
    for attribute in dir(base):
        if not attribute.startswith("_op_") or attribute.startswith("_op_ice_"):
            continue
        operation = OPERATIONS[id(getattr(base, attribute))]
        name = f"_{operation.name}" if keyword.iskeyword(operation.name) else operation.name
        if operation.asynchronous:
            # IcePy escapes keywords for synchronous operations only: `_and`, but `and_async`.
            methods[operation.name + "_async"] = _asynchronous(operation, name)
        else:
            methods[name] = _synchronous(operation, name)
    return type(base.__name__ + "Servant", (base,), methods)


def _asynchronous(operation: Operation, name: str) -> Any:
    def dispatch(self: Any, callback: Any, *arguments: Any) -> None:
        try:
            results = call(self.service, operation, name, arguments)
            if operation.results == 0:
                callback.ice_response()
            elif operation.results == 1:
                callback.ice_response(results)
            else:
                callback.ice_response(*results)
        except Ice.Exception as error:
            callback.ice_exception(error)
        except Exception as error:  # a result that cannot be marshalled
            callback.ice_exception(errors.internal(f"{self.service.interface}.{name}", error))

    return dispatch


def _synchronous(operation: Operation, name: str) -> Any:
    def dispatch(self: Any, *arguments: Any) -> Any:
        return call(self.service, operation, name, arguments)

    return dispatch


def call(service: Service, operation: Operation, name: str, arguments: tuple[Any, ...]) -> Any:
    """Call the service's method; turn every error into an Ice exception."""
    where = f"{service.interface.rsplit('.', 1)[-1]}.{operation.name}"
    method = getattr(service, name, None)
    if method is None:
        log.warning("%s is not supported", where)
        raise errors.unsupported(where)
    service.server.trials.wait()
    started = time.monotonic()
    try:
        if isinstance(service, StatefulService):
            with service.lock:
                results = method(*arguments)
        else:
            results = method(*arguments)
        if operation.results > 1 and (not isinstance(results, tuple) or len(results) != operation.results):
            raise TypeError(f"{operation.results} results are expected")
    except Exception as error:
        translated = errors.translated(where, error)
        if translated is error:
            raise
        raise translated from error
    elapsed = time.monotonic() - started
    log.log(logging.INFO if elapsed > SLOW_SECONDS else logging.DEBUG, "%s %.1f ms", where, elapsed * 1e3)
    return results
