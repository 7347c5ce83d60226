"""Commands: requests that are submitted, run in the background, and asked about through a handle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.omero.commands.handle import CommandHandle

if TYPE_CHECKING:
    from sandbox.omero.servant import Service


def submit(service: Service, request: Any, current: Any) -> Any:
    """Start a request of the caller's; the proxy of its handle."""
    from sandbox.omero import errors

    if request is None:
        raise errors.api_usage("submit needs a request")
    handle = CommandHandle(service.server, service.session, request, service.context(current))
    proxy = service.publish(handle, "Handle", current)
    service.server.workers.submit(handle.run)
    return proxy
