"""IRepositoryInfo: free and used disk space."""

from __future__ import annotations

import shutil
from typing import Any

from sandbox.omero.server.servant import Service


class RepositoryInfo(Service):
    """The service of disk space, for the disk of the server's data folder."""

    interface = "omero.api.IRepositoryInfo"

    def getFreeSpaceInKilobytes(self, _current: Any) -> int:
        """Return the space left on the disk."""
        return shutil.disk_usage(self.server.files).free // 1024

    def getUsedSpaceInKilobytes(self, _current: Any) -> int:
        """Return the space that files and pixels take."""
        used = sum(path.stat().st_size for path in self.server.files.rglob("*") if path.is_file())
        return used // 1024

    def getUsageFraction(self, _current: Any) -> float:
        """Return the fraction of the disk that is in use, by whatever."""
        usage = shutil.disk_usage(self.server.files)
        return (usage.total - usage.free) / usage.total

    def sanityCheckRepository(self, current: Any) -> None:
        """Do nothing: rows and files change together."""

    def removeUnusedFiles(self, current: Any) -> None:
        """Do nothing: files go with their rows."""
