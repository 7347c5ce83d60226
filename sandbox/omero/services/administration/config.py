"""IConfig: the server's settings."""

from __future__ import annotations

import re
from typing import Any

from sandbox.omero import errors
from sandbox.omero.access import binary_access
from sandbox.omero.database.transactions import now
from sandbox.omero.model.schema import SETTING
from sandbox.omero.server.failed_logins import THROTTLE_DEFAULTS
from sandbox.omero.server.servant import Service

VERSION = "5.6.11"
"""The OMERO.server whose behaviour this one approximates; clients check that major and minor fit theirs."""
CLIENT_DEFAULTS = {
    "omero.client.browser.thumb_default_size": "96",
    "omero.client.download_as.max_size": "144000000",
    "omero.client.scripts_to_ignore": "",
    "omero.client.ui.menu.dropdown.colleagues.enabled": "true",
    "omero.client.ui.menu.dropdown.colleagues.label": "Members",
    "omero.client.ui.menu.dropdown.everyone.enabled": "true",
    "omero.client.ui.menu.dropdown.everyone.label": "All Members",
    "omero.client.ui.menu.dropdown.leaders.enabled": "true",
    "omero.client.ui.menu.dropdown.leaders.label": "Owners",
    "omero.client.ui.tree.orphans.description": "Images that are in no dataset.",
    "omero.client.ui.tree.orphans.enabled": "true",
    "omero.client.ui.tree.orphans.name": "Orphaned Images",
    "omero.client.ui.tree.type_order": "tagset,tag,project,dataset,screen,plate,acquisition,image",
    "omero.client.viewer.initial_zoom_level": "0",
    "omero.client.viewer.interpolate_pixels": "true",
    "omero.client.viewer.roi_limit": "2000",
    "omero.client.web.host": "",
}
DEFAULTS = {
    "omero.pixeldata.max_plane_float_override": "true",
    "omero.pixeldata.max_plane_height": "3192",
    "omero.pixeldata.max_plane_width": "3192",
    "omero.pixeldata.max_projection_bytes": "268435456",
    "omero.pixeldata.max_tile_length": "1024",
    "omero.pixeldata.tile_height": "256",
    "omero.pixeldata.tile_width": "256",
    "omero.ldap.config": "false",
    "omero.mail.config": "false",
    "omero.qa.feedback": "",
    "omero.security.password_required": "true",
    "omero.sessions.maximum": "0",
    "omero.sessions.max_user_time_to_idle": "6000000",
    "omero.sessions.max_user_time_to_live": "0",
    "omero.sessions.timeout": "600000",
    # Empty: no client asks a web site of OME whether there is a newer server.
    "omero.upgrades.url": "",
    "omero.version": VERSION,
    binary_access.KEY: binary_access.DEFAULT,
    **THROTTLE_DEFAULTS,
    # These tell clients that the server is not read-only (BlitzGateway.canCreate).
    "omero.cluster.read_only.runtime.db": "false",
    "omero.cluster.read_only.runtime.repo": "false",
}
PUBLIC_KEYS = frozenset(CLIENT_DEFAULTS) | {
    *("omero.version", "omero.upgrades.url", "omero.qa.feedback", "omero.router.insecure"),
    *("omero.security.password_required", "omero.server.nodedescriptors", "omero.mail.config"),
    *("omero.cluster.read_only.runtime.db", "omero.cluster.read_only.runtime.repo"),
    *("omero.bioformats.version", "omero.bioformats.vcs_revision", "omero.bioformats.date"),
    *("omero.db.authority", "omero.db.uuid"),
    *("omero.pixeldata.backoff", "omero.pixeldata.tile_width", "omero.pixeldata.tile_height"),
    *("omero.pixeldata.max_plane_width", "omero.pixeldata.max_plane_height", "omero.pixeldata.max_tile_length"),
    *("omero.pixeldata.max_plane_float_override", "omero.pixeldata.max_projection_bytes"),
    *("omero.sessions.timeout", "omero.sessions.maximum"),
    *("omero.sessions.max_user_time_to_idle", "omero.sessions.max_user_time_to_live"),
}
"""What everybody may read; all else is for administrators (omero-common, ome/config.xml: `visibility`)."""
HIDDEN_KEYS = ("omero.db.host", "omero.db.name", "omero.db.user", "omero.db.pass", "omero.db.driver")
"""What nobody may read, as there."""


class Config(Service):
    """The configuration service."""

    interface = "omero.api.IConfig"

    def _values(self) -> dict[str, str]:
        return {**CLIENT_DEFAULTS, **DEFAULTS, "omero.db.uuid": self.server.uuid, **self.server.config}

    def _require_admin(self, current: Any) -> None:
        if not self.context(current).is_admin:
            raise errors.security("Only administrators may change the server's configuration")

    def _may_read(self, key: str, current: Any) -> bool:
        return key in PUBLIC_KEYS or (self.context(current).is_admin and key not in HIDDEN_KEYS)

    def getVersion(self, _current: Any) -> str:
        """Return the OMERO version."""
        return VERSION

    def getConfigValue(self, key: str, current: Any) -> str:
        """Return one value, an empty text where there is none. Only administrators may read non-public keys."""
        if key and not self._may_read(key, current):
            raise errors.security(f"Cannot read configuration: {key}")
        return self._values().get(key, "")

    def getConfigValues(self, pattern: str, current: Any) -> dict[str, str]:
        """Return the values whose keys contain a match of a regular expression, as far as the caller may read them."""
        try:
            wanted = re.compile(pattern)
        except re.error as error:
            raise errors.api_usage(f"{pattern!r} is not a regular expression: {error}") from None
        return {k: v for k, v in self._values().items() if wanted.search(k) and self._may_read(k, current)}

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
