"""IScript: there are no scripts; analysis runs in Galaxy."""

from __future__ import annotations

from typing import Any

from sandbox.omero.server.servant import Service


class Script(Service):
    """The script service, empty."""

    interface = "omero.api.IScript"

    def getScripts(self, current: Any) -> list:
        """None."""
        return []

    def getUserScripts(self, accepts: Any, current: Any) -> list:
        """None."""
        return []

    def getScriptsByMimetype(self, mimetype: str, current: Any) -> list:
        """None."""
        return []

    def getScriptID(self, path: str, current: Any) -> int:
        """-1: no such script."""
        return -1

    def canRunScript(self, script_id: int, current: Any) -> bool:
        """False."""
        return False
