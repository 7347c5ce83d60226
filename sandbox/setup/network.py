"""Whether the package index can be reached: said at once, not after pip has tried for minutes."""

import functools
import os
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from sandbox.setup import SetupError

PYPI = "https://pypi.org/simple"
SECONDS = 10
OFFLINE = "PIP_NO_INDEX"


def index_address(python: Path) -> str:
    """Return the address of pip's package index: as the environment or pip's configuration says, else PyPI."""
    if address := os.environ.get("PIP_INDEX_URL"):
        return address
    asked = [str(python), "-m", "pip", "config", "get", "global.index-url"]
    done = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout.strip() or PYPI


@functools.cache
def require_index(python: Path) -> None:
    """Check that the package index answers, whatever it says.

    Raises:
        SetupError: Its name is unknown, or nothing answers within 10 seconds; the message names host and remedy.
    """
    if os.environ.get(OFFLINE):  # only files that are here already
        return
    address = index_address(python)
    host = urllib.parse.urlsplit(address).hostname or address
    request = urllib.request.Request(without_login(address), method="HEAD")  # noqa: S310 - pip's own index
    try:
        urllib.request.urlopen(request, timeout=SECONDS).close()  # noqa: S310
    except urllib.error.HTTPError:
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, (socket.gaierror, TimeoutError, ConnectionError)) or "unreachable" in str(reason):
            raise SetupError(
                f"package index {host}: cannot be reached ({reason}). The set-up downloads about 1.5 GB once. "
                "Connect this machine to the network, or name a mirror or proxy in PIP_INDEX_URL or https_proxy."
            ) from None


def without_login(address: str) -> str:
    """Return an address without user name and password."""
    parts = urllib.parse.urlsplit(address)
    place = parts.hostname or ""
    return urllib.parse.urlunsplit(parts._replace(netloc=f"{place}:{parts.port}" if parts.port else place))
