"""Commands: requests that are submitted, run in the background, and asked about through a handle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import Ice

from sandbox.omero.commands.handle import CommandHandle

if TYPE_CHECKING:
    from sandbox.omero.servant import Service


def submit(service: Service, request: Any, current: Any) -> Any:
    """Start a request of the caller's; the proxy of its handle."""
    try:
        handle = CommandHandle(service.server, service.session, request, service.context(current))
    except Ice.UserException as error:  # `submit` itself declares no exception, so that the handle has to tell
        handle = CommandHandle(service.server, service.session, request, None)
        handle.refuse(error)
        return service.publish(handle, "Handle", current)
    proxy = service.publish(handle, "Handle", current)
    service.server.workers.submit(handle.run)
    return proxy
