"""Connect to the Galaxy server of the environment. No address and no key ever comes from the command line."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator

from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance


class ScriptError(Exception):
    """Error that the user can correct. The message names the object, the value and the remedy."""


def exit_code(work: Callable[[], int]) -> int:
    """Return what a script's work returns; where the user can correct an error, print it and return 1."""
    try:
        return work()
    except ScriptError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1


@contextlib.contextmanager
def refusals_explained(what: str, remedy: str = "") -> Iterator[None]:
    """Turn a server's refusal, or its silence, into an error with its own words.

    Args:
        what: What was not done, with the server and the object.
        remedy: What the user can do.

    Raises:
        ScriptError: The server refused or did not answer.
    """
    try:
        yield
    except (GalaxyConnectionError, OSError) as error:
        reason = getattr(error, "body", None) or error
        raise ScriptError(f"{what}. It says: {reason}. {remedy}".rstrip()) from None


def connect_from_environment() -> GalaxyInstance:
    """Connect to the Galaxy server that `GALAXY_URL` and `GALAXY_API_KEY` name.

    Returns:
        A tested connection: the server has accepted the key.

    Raises:
        ScriptError: A variable is missing, nothing answers at the address, or the key is refused.
    """
    url, key = os.environ.get("GALAXY_URL", ""), os.environ.get("GALAXY_API_KEY", "")
    if not url or not key:
        missing = " and ".join(name for name, value in (("GALAXY_URL", url), ("GALAXY_API_KEY", key)) if not value)
        raise ScriptError(
            f"{missing}: not set. Export the address of your Galaxy as GALAXY_URL and your key "
            "(User > Preferences > Manage API key) as GALAXY_API_KEY."
        )
    return connect(url, key)


def connect(url: str, key: str) -> GalaxyInstance:
    """Connect to a Galaxy server and check the key.

    Args:
        url: Address of the server, such as `https://usegalaxy.eu`.
        key: API key of the user.

    Raises:
        ScriptError: Nothing answers at the address, or the key is refused.
    """
    gi = GalaxyInstance(url, key=key)
    try:
        gi.users.get_current_user()
    except GalaxyConnectionError as error:
        if error.status_code in (401, 403):
            raise ScriptError(
                f"Galaxy {url}: the API key is refused. Make a new one under User > Preferences."
            ) from None
        raise ScriptError(f"Galaxy {url}: answered {error.status_code or 'nothing'}. Check the address.") from None
    except OSError as error:
        raise ScriptError(f"Galaxy {url}: cannot be reached ({type(error).__name__}). Check the address.") from None
    return gi
