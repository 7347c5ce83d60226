"""Store one OMERO login in Galaxy's vault for all OMERO tools.

    export GALAXY_URL=https://galaxy.example.org GALAXY_API_KEY=...
    export OMERO_USER=jane OMERO_PASSWORD=...        # or: export OMERO_SESSION_KEY=...
    python -m scripts.set_credentials

Galaxy keeps credentials for each tool and version (26.1), so this script stores the login for every tool whose id
begins with `omero` and that asks for credentials named OMERO: those of this suite, and those of others that define them
alike, such as the Helmholtz suite's. A rerun replaces the login that it stored before and leaves other credential
groups as they are. Run it again after tools were upgraded; `--check` says which tools have no login yet.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from typing import Any

from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance

from scripts.galaxy_connection import ScriptError, connect_from_environment, exit_code, refusals_explained

SERVICE = "OMERO"
SERVICE_VERSION = "0.1"
# Galaxy writes credentials into the job script between double quotes and escapes only the quote itself
# (measured on 26.1): the shell would expand or swallow these characters.
UNSAFE_IN_JOB_SCRIPT = "$`\\\n\r\0"
NOT_ASKED_FOR, OTHER_NAMES = 404, 400  # what Galaxy answers for a tool without such credentials, or with other names
KEY_NAMES = ("session_key", "uuid-key")
"""How tools call the key of a session: this suite, and the Helmholtz suite, whose definition is the same but for that
(github.com/Helmholtz-UFZ/galaxy-tools at fe2fc4d, tools/omero/macros.xml)."""


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

    def values(self, key_name: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """Return the values that Galaxy may show again, and the secrets that it encrypts in its vault.

        Args:
            key_name: How the tool calls the key of a session, one of KEY_NAMES.
        """
        secrets = (("password", self.password), (key_name, self.session_key))
        return (
            [{"name": "username", "value": self.user}] if self.user else [],
            [{"name": name, "value": value} for name, value in secrets if value],
        )


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
    """Return `(tool id, tool version)` of each installed OMERO tool.

    A tool from the Tool Shed has an id such as `toolshed.g2.bx.psu.edu/repos/owner/omero_find/omero_find/0.1.0`.
    """
    return [(tool["id"], tool["version"]) for tool in gi.tools.get_tools() if _short_id(tool["id"]).startswith("omero")]


def _short_id(tool_id: str) -> str:
    return tool_id.split("/")[-2] if "/" in tool_id else tool_id


def store_omero_login(
    gi: GalaxyInstance, login: OmeroLogin, tools: list[tuple[str, str]], group_name: str = "bioimage-suite"
) -> list[str]:
    """Store the login for each tool and select it; replace the login that an earlier call stored as `group_name`.

    Args:
        gi: Connection of the user who owns the credentials.
        login: Login that the tools will use.
        tools: `(tool id, tool version)` pairs; those that ask for no credentials named OMERO are passed over.
        group_name: Name of the credential group in Galaxy (three characters or more).

    Returns:
        Short ids of the tools that have the login now.
    """
    account = Account(gi, gi.users.get_current_user()["id"], group_name)
    stored = stored_credentials(account)
    done = []
    for tool in tools:
        entry = stored.get(tool)
        if not (entry and _updated(account, entry, login)):
            _forget_group(account, entry)
            made = _created(account, tool, login)
            if made is None:
                continue
            _select(account, stored_credentials(account)[tool], made)
        done.append(_short_id(tool[0]))
    return done


@dataclass(frozen=True)
class Account:
    """A user of Galaxy, and the name of the group in which this script keeps the login."""

    gi: GalaxyInstance
    user_id: str
    group_name: str = ""

    @property
    def address(self) -> str:
        """Return where Galaxy keeps the user's credentials."""
        return f"{self.gi.url}/users/{self.user_id}/credentials"


def stored_credentials(account: Account) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what Galaxy has of the user's OMERO credentials, with definitions, by tool id and version."""
    entries = account.gi.make_get_request(account.address, params={"include_definition": "true"})
    entries.raise_for_status()
    return {(one["source_id"], one["source_version"]): one for one in entries.json() if one["name"] == SERVICE}


def _created(account: Account, tool: tuple[str, str], login: OmeroLogin) -> str | None:
    """Make a group with the login; return its id, or None if the tool asks for no credentials named OMERO."""
    create = account.gi.users.create_credentials
    for key_name in KEY_NAMES if login.session_key else KEY_NAMES[:1]:
        try:
            values = login.values(key_name)
            made = create(account.user_id, "tool", *tool, SERVICE, SERVICE_VERSION, account.group_name, *values)
        except GalaxyConnectionError as error:
            if error.status_code == NOT_ASKED_FOR:
                return None
            if error.status_code != OTHER_NAMES or key_name == KEY_NAMES[-1]:
                raise
        else:
            return str(made["id"])
    return None


def _updated(account: Account, entry: dict[str, Any], login: OmeroLogin) -> bool:
    """Write new values into the group of this name and select it; False if there is none with the same values set."""
    group = next((one for one in entry["groups"] if one["name"] == account.group_name), None)
    known = {one["name"] for one in entry["definition"]["secrets"]}
    variables, secrets = login.values(next((name for name in KEY_NAMES if name in known), KEY_NAMES[0]))
    if group is None or {one["name"] for one in variables + secrets} != _names_set(group):
        return False
    address = f"{account.address}/{entry['id']}/groups/{group['id']}"
    account.gi.make_put_request(
        address, payload={"name": account.group_name, "variables": variables, "secrets": secrets}
    )
    if entry["current_group_id"] != group["id"]:
        _select(account, entry, group["id"])
    return True


def _names_set(group: dict[str, Any]) -> set[str]:
    variables = {one["name"] for one in group["variables"] if one.get("value")}
    return variables | {one["name"] for one in group["secrets"] if one["is_set"]}


def _select(account: Account, entry: dict[str, Any], group_id: str | None) -> None:
    source = entry["source_id"], entry["source_version"]
    account.gi.users.select_credential_group(account.user_id, "tool", *source, entry["id"], group_id)


def _forget_group(account: Account, entry: dict[str, Any] | None) -> None:
    """Remove the group of this name, if there is one."""
    for group in entry["groups"] if entry else ():
        if entry and group["name"] == account.group_name:
            # A selected group cannot be deleted (Galaxy 26.1).
            _select(account, entry, None)
            account.gi.make_delete_request(f"{account.address}/{entry['id']}/groups/{group['id']}").raise_for_status()


def tools_without_login(gi: GalaxyInstance, tools: list[tuple[str, str]]) -> list[str]:
    """Return the short ids of the tools that have no login selected, in the order given."""
    stored = stored_credentials(Account(gi, gi.users.get_current_user()["id"]))
    chosen = {tool for tool, entry in stored.items() if entry["current_group_id"]}
    return [_short_id(tool[0]) for tool in tools if tool not in chosen]


def main(argv: list[str] | None = None) -> int:
    """Store the login for each OMERO tool; login, server and API key come from the environment."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="scripts.set_credentials",
    )
    parser.add_argument("--group", default="bioimage-suite", help="name of the credential group in Galaxy")
    parser.add_argument(
        "--check", action="store_true", help="store nothing; say which tools have no login, exit code 3"
    )
    arguments = parser.parse_args(argv)
    return exit_code(lambda: _check_or_store(arguments.check, arguments.group))


def _check_or_store(check: bool, group_name: str) -> int:
    gi = connect_from_environment()
    remedy = "Credentials need a vault and Galaxy 25.1 or newer; ask its administrator (docs/guides/administrators.md)."
    with refusals_explained(f"Galaxy {gi.base_url}: did not store the login", remedy):
        return _check(gi) if check else _store(gi, login_from_environment(), group_name)


def _tools(gi: GalaxyInstance) -> list[tuple[str, str]]:
    tools = tools_that_want_omero(gi)
    if not tools:
        raise ScriptError(f"Galaxy {gi.base_url}: has no OMERO tool. Ask its administrator to install the suite.")
    return tools


def _store(gi: GalaxyInstance, login: OmeroLogin, group_name: str) -> int:
    done = store_omero_login(gi, login, _tools(gi), group_name)
    print(f"Stored the OMERO login for {len(done)} tools: {', '.join(done)}")
    return 0


def _check(gi: GalaxyInstance) -> int:
    lacking = tools_without_login(gi, _tools(gi))
    print(
        f"No OMERO login for {len(lacking)} tools: {', '.join(lacking)}" if lacking else "Every OMERO tool has a login"
    )
    return 3 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
