"""IScript: there are no scripts; analysis runs in Galaxy."""

from __future__ import annotations

from typing import Any

from sandbox.omero.server.servant import Service


class Script(Service):
    """The script service, empty."""

    interface = "omero.api.IScript"

    def getScripts(self, _current: Any) -> list[Any]:
        """Return no script."""
        return []

    def getUserScripts(self, _accepts: Any, _current: Any) -> list[Any]:
        """Return no script."""
        return []

    def getScriptsByMimetype(self, _mimetype: str, _current: Any) -> list[Any]:
        """Return no script."""
        return []

    def getScriptID(self, _path: str, _current: Any) -> int:
        """Return -1: there is no such script."""
        return -1

    def canRunScript(self, _script_id: int, _current: Any) -> bool:
        """Return False: there is no such script."""
        return False
