"""IConfig: the server's settings."""

from __future__ import annotations

import re
from typing import Any

from sandbox.omero import errors
from sandbox.omero.access import binary_access
from sandbox.omero.database.transactions import now
from sandbox.omero.model.schema import SETTING
from sandbox.omero.server.servant import Service

VERSION = "5.6.11"
"""The OMERO.server whose behaviour this one approximates; clients check that major and minor fit theirs."""
CLIENT_DEFAULTS = {
    "omero.client.ui.menu.dropdown.colleagues.enabled": "true",
    "omero.client.ui.menu.dropdown.everyone.enabled": "true",
    "omero.client.ui.menu.dropdown.leaders.enabled": "true",
    "omero.client.ui.tree.orphans.enabled": "true",
    "omero.client.ui.tree.orphans.name": "Orphaned Images",
    "omero.client.ui.tree.type_order": "tagset,tag,project,dataset,screen,plate,acquisition,image",
    "omero.client.browser.thumb_default_size": "96",
    "omero.client.viewer.initial_zoom_level": "0",
    "omero.client.viewer.interpolate_pixels": "true",
    "omero.client.viewer.roi_limit": "2000",
    "omero.client.web.host": "",
}
PUBLIC_KEYS = (
    "omero.client.",
    "omero.cluster.read_only.",
    "omero.router.",
    "omero.pixeldata.",
    "omero.qa.",
    "omero.mail.config",
    "omero.ldap.",
)
DEFAULTS = {
    "omero.pixeldata.max_plane_width": "3192",
    "omero.pixeldata.max_plane_height": "3192",
    "omero.pixeldata.max_tile_length": "1024",
    "omero.ldap.config": "false",
    "omero.mail.config": "false",
    binary_access.KEY: binary_access.DEFAULT,
    # These tell clients that the server is not read-only (BlitzGateway.canCreate).
    "omero.cluster.read_only.runtime.db": "false",
    "omero.cluster.read_only.runtime.repo": "false",
}


class Config(Service):
    """The configuration service."""

    interface = "omero.api.IConfig"

    def _values(self) -> dict[str, str]:
        return {**CLIENT_DEFAULTS, **DEFAULTS, **self.server.config}

    def _require_admin(self, current: Any) -> None:
        if not self.context(current).is_admin:
            raise errors.security("Only administrators may change or read the server's configuration")

    def getVersion(self, _current: Any) -> str:
        """Return the OMERO version."""
        return VERSION

    def getConfigValue(self, key: str, current: Any) -> str:
        """Return one value, an empty text where there is none. Only administrators may read non-public keys."""
        if not key.startswith(PUBLIC_KEYS):
            self._require_admin(current)
        return self._values().get(key, "")

    def getConfigValues(self, pattern: str, current: Any) -> dict[str, str]:
        """Return the values whose keys match a regular expression, as far as the caller may read them."""
        is_admin = self.context(current).is_admin
        try:
            wanted = re.compile(pattern)
        except re.error as error:
            raise errors.api_usage(f"{pattern!r} is not a regular expression: {error}") from None
        readable = {k: v for k, v in self._values().items() if is_admin or k.startswith(PUBLIC_KEYS)}
        return {key: value for key, value in readable.items() if wanted.match(key)}

    def getConfigDefaults(self, _current: Any) -> dict[str, str]:
        """Return the default values."""
        return {**CLIENT_DEFAULTS, **DEFAULTS}

    def getClientConfigValues(self, _current: Any) -> dict[str, str]:
        """Return the values that are meant for clients."""
        return {key: value for key, value in self._values().items() if key.startswith("omero.client.")}

    def getClientConfigDefaults(self, _current: Any) -> dict[str, str]:
        """Return the default values that are meant for clients."""
        return dict(CLIENT_DEFAULTS)

    def setConfigValue(self, key: str, value: str, current: Any) -> None:
        """Change a value permanently; an empty one removes it."""
        self._require_admin(current)
        with self.server.database.write(self.context(current)) as tx:
            tx.execute(SETTING.delete().where(SETTING.c.name == f"config.{key}"))
            if value:
                tx.execute(SETTING.insert().values(name=f"config.{key}", value=value))
        if value:
            self.server.config[key] = value
        else:
            self.server.config.pop(key, None)
        self.server.forget_caches()  # what may be downloaded is known with the groups

    def setConfigValueIfEquals(self, key: str, value: str, test: str, current: Any) -> bool:
        """Change a value only if it still is what the caller expects."""
        if self.getConfigValue(key, current) != (test or ""):
            return False
        self.setConfigValue(key, value, current)
        return True

    def getDatabaseUuid(self, _current: Any) -> str:
        """Return the uuid that tells this OMERO from every other."""
        return self.server.uuid

    def getDatabaseTime(self, _current: Any) -> Any:
        """Return the time."""
        from omero.rtypes import rtime

        return rtime(now())

    def getServerTime(self, current: Any) -> Any:
        """Return the time."""
        return self.getDatabaseTime(current)
