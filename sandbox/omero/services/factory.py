"""The services by name, and the factory that hands them out.

Each service has a module below this folder and is named here as `folder.module:Class`. Stateless services are
reached under their own name (`IQuery`); every `create<Name>` makes a new stateful one.
"""

from __future__ import annotations

import functools
import importlib
import logging
from typing import Any

from sandbox.omero import errors
from sandbox.omero.commands.handle import submit
from sandbox.omero.database.users import check_password
from sandbox.omero.server.servant import Service, StatefulService

log = logging.getLogger("sandbox.omero")

STATELESS = {
    "IAdmin": "administration.admin:Admin",
    "IConfig": "administration.config:Config",
    "IContainer": "data.container:Container",
    "ILdap": "administration.ldap:Ldap",
    "IMetadata": "data.metadata:Metadata",
    "IPixels": "images.pixels:Pixels",
    "IProjection": "images.projection:Projection",
    "IQuery": "data.query:Query",
    "IRenderingSettings": "images.rendering_settings:RenderingSettings",
    "IRepositoryInfo": "administration.repository_info:RepositoryInfo",
    "IRoi": "data.roi:Roi",
    "IScript": "administration.script:Script",
    "ISession": "administration.session:SessionService",
    "IShare": "administration.share:Share",
    "ITimeline": "data.timeline:Timeline",
    "ITypes": "data.types:Types",
    "IUpdate": "data.update:Update",
    "ManagedRepository": "files.managed_repository:ManagedRepository",
    "SharedResources": "files.shared_resources:SharedResources",
}
STATEFUL = {
    "Exporter": "images.exporter:Exporter",
    "RawPixelsStore": "images.raw_pixels_store:RawPixelsStore",
    "RawFileStore": "files.raw_file_store:RawFileStore",
    "RenderingEngine": "images.rendering_engine:RenderingEngine",
    "ThumbnailStore": "images.thumbnail_store:ThumbnailStore",
    "SearchService": "data.search:Search",
}
INTERFACES = {
    "ManagedRepository": "omero.grid.ManagedRepository",
    "SharedResources": "omero.grid.SharedResources",
}
"""Interfaces that are not in omero.api under the service's name."""


@functools.cache
def _class(place: str) -> Any:
    """Return the class at `module:Class`; it is imported when it is first asked for."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"sandbox.omero.services.{module}"), name)


def stateless_service(name: str) -> type[Service] | None:
    """Return the class of a stateless service, or None for an unknown name."""
    found: type[Service] | None = _class(STATELESS[name]) if name in STATELESS else None
    return found


def stateful_service(name: str) -> type[StatefulService]:
    """Return the class of a stateful service.

    Raises:
        omero.ApiUsageException: There is no such service here.
    """
    if name not in STATEFUL:
        raise errors.unsupported(f"create{name}")
    found: type[StatefulService] = _class(STATEFUL[name])
    return found


class ServiceFactory(Service):
    """The service that a client gets when it logs in, and through which it reaches all others."""

    interface = "omero.api.ServiceFactory"

    def __getattr__(self, operation: str) -> Any:
        # getQueryService -> IQuery, createRawFileStore -> RawFileStore
        if operation.startswith("get") and operation.endswith("Service"):
            return lambda _current: self._stateless("I" + operation[3 : -len("Service")])
        if operation.startswith("create"):
            return lambda current: self._stateful(operation.removeprefix("create"), current)
        raise AttributeError(operation)

    def _stateless(self, name: str) -> Any:
        if name not in STATELESS:
            raise errors.unsupported(name)
        return self.proxy(name, INTERFACES.get(name, f"omero.api.{name}"))

    def _stateful(self, name: str, current: Any) -> Any:
        kind = stateful_service(name)
        return self.publish(kind(self.server, self.session), name, current)

    def sharedResources(self, _current: Any) -> Any:
        """Return the service of tables and repositories."""
        return self._stateless("SharedResources")

    def getByName(self, name: str, _current: Any) -> Any:
        """Return a stateless service by its name, `omero.api.IQuery` or `IQuery`, or one that activeServices lists."""
        open_one = self.session.services.get(name)
        if open_one is not None:
            return self.proxy(name, open_one.interface)
        return self._stateless(name.rsplit(".", 1)[-1])

    def createByName(self, name: str, current: Any) -> Any:
        """Make a stateful service by its name."""
        return self._stateful(name.rsplit(".", 1)[-1], current)

    def getSecurityContexts(self, _current: Any) -> list[Any]:
        """Return the groups that the session may work in."""
        import omero

        groups = sorted(self.server.directory.member_of(self.session.user_id))
        return [omero.model.ExperimenterGroupI(group, False) for group in groups]

    def setSecurityContext(self, target: Any, _current: Any) -> Any:
        """Change the session's group; return the one before."""
        import omero

        if not isinstance(target, omero.model.ExperimenterGroup) or target.id is None:
            raise errors.api_usage("setSecurityContext needs a group with an id")
        # Tables and handles of commands do not count: in OMERO they are no stateful services of the session.
        if any(service.interface.startswith("omero.api.") for service in list(self.session.services.values())):
            raise errors.security("Close the open stateful services before changing the group")
        before, wanted = self.session.group_id, target.id.val
        directory = self.server.directory
        if wanted not in directory.groups:
            raise errors.api_usage(f"No such group: {wanted}")
        if wanted not in directory.member_of(self.session.user_id) and not self.server.is_admin(self.session.user_id):
            raise errors.security(f"User {self.session.user_id} is not a member of group {wanted}")
        self.session.group_id = wanted
        return omero.model.ExperimenterGroupI(before, False)

    def setSecurityPassword(self, password: str, current: Any) -> None:
        """Check the caller's password; a client that has joined by key may change passwords from then on."""
        with self.server.database.read() as tx:
            if not check_password(tx, self.session.user_id, password):
                raise errors.security("Password check failed")
        self.session.without_password.discard(current.ctx.get("omero.client.uuid", ""))

    def submit(self, request: Any, current: Any) -> Any:
        """Start a command; return the handle that tells how it goes."""
        return submit(self, request, current)

    def setCallback(self, callback: Any, current: Any) -> None:
        """Do nothing: this server sends no session callbacks."""

    def subscribe(self, _topic: str, _proxy: Any, _current: Any) -> None:
        """Refuse: there are no topics here."""
        raise errors.unsupported("ServiceFactory.subscribe")

    def closeOnDestroy(self, current: Any) -> None:
        """Let the session end when this client leaves as the last."""
        self.session.endings[current.ctx.get("omero.client.uuid", "")] = True

    def detachOnDestroy(self, current: Any) -> None:
        """Let the session outlive this client."""
        self.session.endings[current.ctx.get("omero.client.uuid", "")] = False

    def activeServices(self, _current: Any) -> list[str]:
        """Return the names of the open stateful services."""
        return list(self.session.services)

    def keepAlive(self, proxy: Any, _current: Any) -> bool:
        """Return whether a service is still open; the session counts as used."""
        return proxy is None or self._is_open(proxy)

    def keepAllAlive(self, proxies: Any, _current: Any) -> int:
        """Return a number with a bit set for every service that is no longer open."""
        return sum(1 << n for n, proxy in enumerate(proxies or []) if proxy is not None and not self._is_open(proxy))

    def _is_open(self, proxy: Any) -> bool:
        identity = proxy.ice_getIdentity()
        return identity.category.startswith("session-") or identity.name in {**self.session.services, **STATELESS}

    def destroy(self, current: Any) -> None:
        """Let the client leave its session."""
        self.server.sessions.leave(self.session, current.ctx.get("omero.client.uuid", ""))
