"""ILdap: there is no LDAP."""

from __future__ import annotations

from typing import Any

from sandbox.omero.server.servant import Service


class Ldap(Service):
    """The LDAP service, switched off."""

    interface = "omero.api.ILdap"

    def getSetting(self, _current: Any) -> bool:
        """Return False: LDAP is off."""
        return False

    def discover(self, _current: Any) -> list[Any]:
        """Return nobody: LDAP is off."""
        return []
