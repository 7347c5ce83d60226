"""IRepositoryInfo: how much room there is."""

from __future__ import annotations

import shutil
from typing import Any

from sandbox.omero.server.servant import Service


class RepositoryInfo(Service):
    """The service of disk space, of the folder that the server keeps everything in."""

    interface = "omero.api.IRepositoryInfo"

    def getFreeSpaceInKilobytes(self, _current: Any) -> int:
        """Room left on the disk."""
        return shutil.disk_usage(self.server.files).free // 1024

    def getUsedSpaceInKilobytes(self, _current: Any) -> int:
        """Room taken by files and pixels."""
        used = sum(path.stat().st_size for path in self.server.files.rglob("*") if path.is_file())
        return used // 1024

    def getUsageFraction(self, _current: Any) -> float:
        """Part of the disk that is taken, by whatever."""
        usage = shutil.disk_usage(self.server.files)
        return (usage.total - usage.free) / usage.total

    def sanityCheckRepository(self, current: Any) -> None:
        """Nothing to check: rows and files change together."""

    def removeUnusedFiles(self, current: Any) -> None:
        """Nothing to remove: files go with their rows."""
