"""Store OMERO credentials in Galaxy's vault for every OMERO tool of the suite.

    export GALAXY_URL=https://galaxy.example.org GALAXY_API_KEY=...
    export OMERO_USER=jane OMERO_PASSWORD=...        # or: export OMERO_SESSION_KEY=...
    python -m scripts.set_credentials

Galaxy stores credentials for each tool, so this script stores the login once for each OMERO tool. A rerun replaces
the login that it stored before and leaves other credential groups as they are.
"""

import argparse
import os
import sys
from dataclasses import dataclass

from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance

from scripts.galaxy_connection import ScriptError, connect_from_environment

SERVICE = "OMERO"
SERVICE_VERSION = "0.1"
# Galaxy writes credentials into the job script between double quotes and escapes only the quote itself
# (measured on 26.1): the shell would expand or swallow these characters.
UNSAFE_IN_JOB_SCRIPT = "$`\\\n\r\0"


@dataclass(frozen=True)
class OmeroLogin:
    """Login to OMERO: user and password, or the key of an open session, which takes precedence."""

    user: str = ""
    password: str = ""
    session_key: str = ""

    def __post_init__(self) -> None:
        """Reject values that Galaxy's job script would change on the way to the tool."""
        for name in ("user", "password", "session_key"):
            if any(character in getattr(self, name) for character in UNSAFE_IN_JOB_SCRIPT):
                raise ScriptError(
                    f"OMERO {name.replace('_', ' ')}: has one of the characters $ ` \\ or a line break, which "
                    "Galaxy's job script would change. Use a session key, or choose another password."
                )

    @property
    def variables(self) -> list[dict[str, str]]:
        """Return the values that Galaxy may show again."""
        return [{"name": "username", "value": self.user}] if self.user else []

    @property
    def secrets(self) -> list[dict[str, str]]:
        """Return the values that Galaxy encrypts in its vault and never shows again."""
        pairs = (("password", self.password), ("session_key", self.session_key))
        return [{"name": name, "value": value} for name, value in pairs if value]


def login_from_environment() -> OmeroLogin:
    """Read `OMERO_USER` and `OMERO_PASSWORD`, or `OMERO_SESSION_KEY`, from the environment.

    Raises:
        ScriptError: There is neither a session key nor a user with a password.
    """
    login = OmeroLogin(
        user=os.environ.get("OMERO_USER", ""),
        password=os.environ.get("OMERO_PASSWORD", ""),
        session_key=os.environ.get("OMERO_SESSION_KEY", ""),
    )
    if not login.session_key and not (login.user and login.password):
        raise ScriptError(
            "OMERO login: not in the environment. Export OMERO_USER and OMERO_PASSWORD, or OMERO_SESSION_KEY."
        )
    return login


def tools_that_want_omero(gi: GalaxyInstance) -> list[tuple[str, str]]:
    """Return `(tool id, tool version)` of each installed OMERO tool of the suite.

    A tool from the Tool Shed has an id such as `toolshed.g2.bx.psu.edu/repos/owner/omero_find/omero_find/0.1.0`.
    """
    return [
        (tool["id"], tool["version"]) for tool in gi.tools.get_tools() if _short_id(tool["id"]).startswith("omero_")
    ]


def _short_id(tool_id: str) -> str:
    return tool_id.split("/")[-2] if "/" in tool_id else tool_id


def store_omero_login(
    gi: GalaxyInstance, login: OmeroLogin, tools: list[tuple[str, str]], group_name: str = "bioimage-suite"
) -> None:
    """Store the login for each tool and select it; replace the login that an earlier call stored as `group_name`.

    Args:
        gi: Connection of the user who owns the credentials.
        login: Login that the tools will use.
        tools: `(tool id, tool version)` pairs.
        group_name: Name of the credential group in Galaxy (three characters or more).
    """
    user_id = gi.users.get_current_user()["id"]
    for tool_id, version in tools:
        _forget_group(gi, user_id, tool_id, version, group_name)
        group = gi.users.create_credentials(
            user_id,
            "tool",
            tool_id,
            version,
            SERVICE,
            SERVICE_VERSION,
            group_name,
            login.variables,
            login.secrets,
        )
        stored = next(
            entry
            for entry in gi.users.get_credentials(user_id, "tool", tool_id, version)
            if any(candidate["id"] == group["id"] for candidate in entry["groups"])
        )
        gi.users.select_credential_group(user_id, "tool", tool_id, version, stored["id"], group["id"])


def _forget_group(gi: GalaxyInstance, user_id: str, tool_id: str, version: str, group_name: str) -> None:
    for entry in gi.users.get_credentials(user_id, "tool", tool_id, version):
        for group in entry["groups"]:
            if entry["name"] == SERVICE and group["name"] == group_name:
                # A selected group cannot be deleted (Galaxy 26.1).
                gi.users.select_credential_group(user_id, "tool", tool_id, version, entry["id"], None)
                url = f"{gi.url}/users/{user_id}/credentials/{entry['id']}/groups/{group['id']}"
                gi.make_delete_request(url).raise_for_status()


def main(argv: list[str] | None = None) -> int:
    """Store the login for each OMERO tool; login, server and API key come from the environment."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="scripts.set_credentials",
    )
    parser.add_argument("--group", default="bioimage-suite", help="name of the credential group in Galaxy")
    arguments = parser.parse_args(argv)
    try:
        login = login_from_environment()
        gi = connect_from_environment()
        tools = tools_that_want_omero(gi)
        if not tools:
            raise ScriptError(
                f"Galaxy {gi.base_url}: has no OMERO tool of the suite. Ask its administrator to install it."
            )
        try:
            store_omero_login(gi, login, tools, arguments.group)
        except (GalaxyConnectionError, OSError) as error:
            reason = str(getattr(error, "body", None) or error)
            raise ScriptError(
                f"Galaxy {gi.base_url}: did not store the login. It says: {reason}. Credentials need Galaxy 25.1 or "
                "newer with a vault; ask its administrator (docs/deploy.md)."
            ) from None
    except ScriptError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    print(f"Stored the OMERO login for {len(tools)} tools: {', '.join(_short_id(tool) for tool, _ in tools)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
