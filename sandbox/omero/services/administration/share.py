"""IShare: there are no shares; OMERO itself has deprecated them."""

from __future__ import annotations

from typing import Any

from sandbox.omero.server.servant import Service


class Share(Service):
    """The share service, empty."""

    interface = "omero.api.IShare"

    def getOwnShares(self, _active: bool, _current: Any) -> list[Any]:
        """Return no share."""
        return []

    def getMemberShares(self, _active: bool, _current: Any) -> list[Any]:
        """Return no share."""
        return []

    def deactivate(self, current: Any) -> None:
        """Do nothing: no share is ever active."""
