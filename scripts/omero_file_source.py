"""Give a Galaxy user an OMERO server to browse in the upload dialog: Galaxy's own OMERO file source.

    export GALAXY_URL=https://galaxy.example.org GALAXY_API_KEY=...
    export OMERO_USER=jane OMERO_PASSWORD=...
    python -m scripts.omero_file_source omero.example.org:4064

Needs a Galaxy 26.0 or newer whose administrator offers the template `omero-server`
(docs/guides/administrators.md). A rerun changes server and password of the file source that has the same name.
"""

import argparse
import sys
from typing import Any

from bioblend.galaxy import GalaxyInstance

from scripts.galaxy_connection import ScriptError, connect_from_environment, exit_code, refusals_explained
from scripts.set_credentials import OmeroLogin, login_from_environment

TEMPLATE = "omero-server"
DEFAULT_NAME = "OMERO"
DEFAULT_PORT = 4064


def store_omero_source(
    gi: GalaxyInstance, login: OmeroLogin, host: str, port: int, name: str = DEFAULT_NAME
) -> dict[str, Any]:
    """Make the user's OMERO file source, or change the one of this name; return Galaxy's description of it.

    Args:
        gi: Connection of the user who gets it.
        login: User and password; Galaxy's file source takes no session key.
        host: Name or address of the OMERO server.
        port: Its port for encrypted connections.
        name: What the upload dialog shows.

    Raises:
        ScriptError: Galaxy does not offer the template.
    """
    templates = gi.make_get_request(f"{gi.url}/file_source_templates").json()
    versions = [one["version"] for one in templates if one["id"] == TEMPLATE]
    if not versions:
        raise ScriptError(
            f"Galaxy {gi.base_url}: offers no template {TEMPLATE!r}. Ask its administrator "
            "(docs/guides/administrators.md)."
        )
    url = f"{gi.url}/file_source_instances"
    variables = {"host": host, "port": port, "username": login.user}
    for one in gi.make_get_request(url).json():
        if one["name"] == name and one["template_id"] == TEMPLATE:
            place = f"{url}/{one['uuid']}"
            gi.make_put_request(place, {"secret_name": "password", "secret_value": login.password})
            changed: dict[str, Any] = gi.make_put_request(place, {"variables": variables})
            return changed
    made: dict[str, Any] = gi.make_post_request(
        url,
        {
            "name": name,
            "template_id": TEMPLATE,
            "template_version": max(versions),
            "variables": variables,
            "secrets": {"password": login.password},
        },
    )
    return made


def main(argv: list[str] | None = None) -> int:
    """Make or change the file source; login, Galaxy and API key come from the environment."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="scripts.omero_file_source",
    )
    parser.add_argument("server", help="address of the OMERO server, host or host:port")
    parser.add_argument("--name", default=DEFAULT_NAME, help="what the upload dialog shows")
    arguments = parser.parse_args(argv)
    return exit_code(lambda: _store(arguments.server, arguments.name))


def _store(server: str, name: str) -> int:
    host, _, port = server.partition(":")
    if not host or not (port or "1").isdecimal():
        raise ScriptError(f"OMERO server {server!r}: no address. Write host or host:port.")
    login = login_from_environment()
    if not login.password:
        raise ScriptError(
            "OMERO login: Galaxy's file source takes no session key. Export OMERO_USER and OMERO_PASSWORD."
        )
    gi = connect_from_environment()
    remedy = "File sources of users need a vault; ask its administrator (docs/guides/administrators.md)."
    with refusals_explained(f"Galaxy {gi.base_url}: did not store the file source", remedy):
        made = store_omero_source(gi, login, host, int(port or DEFAULT_PORT), name)
    print(f"The upload dialog (Choose from repository) shows {host} as {made['name']!r}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
