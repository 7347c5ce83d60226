"""Count failed logins, and keep back the answers to a name that fails too often."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


THROTTLE_COUNT = "omero.security.login_failure_throttle_count"
THROTTLE_TIME = "omero.security.login_failure_throttle_time"
THROTTLE_DEFAULTS = {THROTTLE_COUNT: "1", THROTTLE_TIME: "3000"}
"""Failed logins answered at once, and the milliseconds that each further one waits (omero-common.properties)."""
MOST_NAMES = 10_000


class FailedLogins:
    """The failed logins of each name since its last good one (ome/security/auth/LoginAttemptListener.java)."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._config = config
        self._counts: dict[str, int] = {}

    def count(self, name: str, *, accepted: bool) -> None:
        """Count a try; names of users who do not exist count too."""
        before = self._counts.pop(name, 0)
        if not accepted:
            self._counts[name] = before + 1
            if len(self._counts) > MOST_NAMES:
                self._counts.pop(next(iter(self._counts)), None)

    def delay(self, name: str) -> float:
        """Return the seconds for which the answer to the last try is kept back."""
        if self._counts.get(name, 0) <= self._number(THROTTLE_COUNT):
            return 0.0
        return self._number(THROTTLE_TIME) / 1000

    def _number(self, key: str) -> int:
        value = self._config.get(key, "")
        return int(value if value.isdecimal() else THROTTLE_DEFAULTS[key])
