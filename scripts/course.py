"""Set up a course on one machine: `python -m scripts.course --people 12`, or `make course PEOPLE=12`.

OMERO, OMERO.web and Galaxy are started (or those of `make up` are used). Each person gets an account in both with one
password, a private group in OMERO with the demo's images, and the login stored in Galaxy. The data of all tutorials
stand in a data library. The logins are a page to print and cut, `.sandbox/course/logins.html`. Run it again with more
people to add some. `--score` scores the datathon (scripts/datathon.py).
"""

import argparse
import html
import json
import secrets
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from bioblend import ConnectionError as GalaxyConnectionError
from bioblend import TimeoutException
from bioblend.galaxy import GalaxyInstance

from sandbox import servers, state
from sandbox.omero.client_import import import_files
from sandbox.private_file import write_private
from sandbox.process import ROOT, SandboxError
from sandbox.state import Sandbox
from scripts.datathon import TASKS, leaderboard, publish
from scripts.demo_images import put_demo_images
from scripts.examples import publish_workflows
from scripts.galaxy_connection import ScriptError, connect
from scripts.omero_users import OmeroUser, gateway_of, make_user
from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero
from scripts.suite_files import ADDRESS

LIBRARY = "Bioimage Suite - Material"
MOST_PEOPLE = 100
LONGEST_WAIT = 900
"""Seconds for Galaxy to take one file of the library."""


@dataclass(frozen=True)
class Account:
    """One person's account in Galaxy and OMERO.

    Attributes:
        name: Login in OMERO; with `@example.org`, the login in Galaxy.
        password: In both.
        key: API key in Galaxy.
    """

    name: str
    password: str
    key: str = ""

    @property
    def email(self) -> str:
        """Return the login in Galaxy."""
        return f"{self.name}@example.org"


def load_accounts(folder: Path) -> list[Account]:
    """Return the accounts that were made before."""
    file = folder / "accounts.json"
    return [Account(**one) for one in json.loads(file.read_text())] if file.exists() else []


def make_accounts(sandbox: Sandbox, folder: Path, people: int) -> list[Account]:
    """Make the accounts that are missing; what is there stays as it is.

    Args:
        sandbox: Running servers.
        folder: Keeps the accounts, readable by its owner only.
        people: How many there shall be.
    """
    accounts = load_accounts(folder)
    for number in range(len(accounts) + 1, people + 1):
        # Letters and digits only: the password is typed from paper, and passes Galaxy's job script unchanged.
        account = Account(f"person{number:02}", secrets.token_hex(5))
        accounts.append(_made(sandbox, account))
        write_private(folder / "accounts.json", json.dumps([asdict(one) for one in accounts], indent=1))
        print(f"{account.name}: ready", flush=True)
    return accounts


def _made(sandbox: Sandbox, account: Account) -> Account:
    person = OmeroUser(account.name, "Person", account.name.removeprefix("person"), f"{account.name}-private")
    make_user(sandbox.omero, person, account.password)
    with gateway_of(sandbox.omero, account.name, account.password) as gateway:
        put_demo_images(gateway, import_files)
    admin = GalaxyInstance(sandbox.galaxy.url, key=sandbox.galaxy.admin_key)
    known = admin.users.get_users(f_email=account.email)
    user = known[0] if known else admin.users.create_local_user(account.name, account.email, account.password)
    key = admin.users.get_or_create_user_apikey(user["id"])
    gi = connect(sandbox.galaxy.url, key)
    store_omero_login(gi, OmeroLogin(account.name, account.password), tools_that_want_omero(gi))
    return Account(account.name, account.password, key)


def fill_library(gi: GalaxyInstance) -> int:
    """Put the data of all tutorials and of the datathon into a data library once; return how many files are new."""
    known = [one for one in gi.libraries.get_libraries(name=LIBRARY) if not one["deleted"]]
    library = known[0] if known else gi.libraries.create_library(LIBRARY, "Data of the tutorials")
    have = {one["name"] for one in gi.libraries.show_library(library["id"], contents=True)}
    new = []
    for folder, files in material_of_tutorials().items():
        place = gi.libraries.get_folders(library["id"], name=f"/{folder}") if f"/{folder}" in have else None
        place = place or gi.libraries.create_folder(library["id"], folder)
        for file, kind in files:
            if f"/{folder}/{file.name}" not in have:
                new += gi.libraries.upload_file_from_local_path(
                    library["id"], str(file), place[0]["id"], file_type=kind
                )
    # Else the first jobs of the people would stand behind these.
    for one in new:
        _wait_for(gi, library["id"], one)
    return len(new)


def _wait_for(gi: GalaxyInstance, library_id: str, dataset: dict[str, Any]) -> None:
    remedy = "Delete it from the library and run `make course` again."
    try:
        taken = gi.libraries.wait_for_dataset(library_id, dataset["id"], maxwait=LONGEST_WAIT, interval=1)
    except TimeoutException:
        raise ScriptError(f"Galaxy: took no file {dataset['name']!r} in {LONGEST_WAIT} s. {remedy}") from None
    if taken["state"] != "ok":
        raise ScriptError(f"Galaxy: took file {dataset['name']!r} with state {taken['state']!r}. {remedy}")


def material_of_tutorials() -> dict[str, list[tuple[Path, str]]]:
    """Return files and formats by folder: a tutorial's title, or a task of the datathon."""
    found: dict[str, list[tuple[Path, str]]] = {}
    for file in sorted(ROOT.glob("docs/training/topics/*/tutorials/*/data-library.yaml")):
        (lesson,) = yaml.safe_load(file.read_text(encoding="utf-8"))["items"][0]["items"]
        items = lesson["items"][0]["items"]
        found[lesson["name"]] = [(ROOT / one["url"].removeprefix(ADDRESS), one["ext"]) for one in items]
    for task in TASKS:
        found[f"Datathon: {task.title}"] = [(file, "auto") for file in task.data]
    return found


def login_sheet(sandbox: Sandbox, accounts: list[Account]) -> str:
    """Return a page to print: a slip for each person, with addresses, names and password."""
    web = f"{sandbox.web.url}/webclient/" if sandbox.web else "not started"
    slips = "".join(
        "<section><h2>" + html.escape(one.name) + "</h2><dl>"
        + "".join(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>"
            for name, text in (
                ("Galaxy", sandbox.galaxy.url), ("login", one.email), ("OMERO in a browser", web), ("login", one.name),
                ("OMERO server in tools", sandbox.omero.address), ("password of both", one.password),
            )
        )
        + "</dl></section>"
        for one in accounts
    )  # fmt: skip
    style = (
        "body{font:12pt sans-serif}section{border:1px dashed #888;padding:0 1em;margin:0 0 1em;break-inside:avoid}"
        "dl{display:grid;grid-template-columns:12em 1fr;gap:.2em}dd{margin:0;font-family:monospace}"
    )
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Logins</title><style>{style}</style>'
        f"<body>{slips}</body></html>\n"
    )


def main(argv: list[str] | None = None) -> int:
    """Set up, or score; 0, or 1 with a message."""
    parser = argparse.ArgumentParser(prog="python -m scripts.course", description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=4, help=f"how many, at most {MOST_PEOPLE}")
    parser.add_argument("--score", action="store_true", help="score the datathon instead")
    args = parser.parse_args(argv)
    if not 1 <= args.people <= MOST_PEOPLE:
        parser.error(f"--people {args.people}: give 1 to {MOST_PEOPLE}")
    folder = state.folder_of_sandbox() / "course"
    try:
        if args.score:
            return score(folder)
        return set_up(folder, args.people)
    except (ScriptError, SandboxError) as error:
        print(f"ERROR: {error}", file=sys.stderr)
    except (GalaxyConnectionError, OSError) as error:
        print(f"ERROR: Galaxy: {getattr(error, 'body', None) or error}", file=sys.stderr)
    return 1


def set_up(folder: Path, people: int) -> int:
    """Start the servers, make the accounts, and write the sheet of logins."""
    sandbox = servers.up(folder.parent, ROOT / "tools", detached=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    gi = connect(sandbox.galaxy.url, sandbox.galaxy.user_key)
    print("servers: run", flush=True)
    publish_workflows(gi)
    print("workflows: published", flush=True)
    files = fill_library(gi)
    print(f"library: {files} new files", flush=True)
    accounts = make_accounts(sandbox, folder, people)
    sheet = folder / "logins.html"
    write_private(sheet, login_sheet(sandbox, accounts))
    print(f"{len(accounts)} people, {files} new files in the library {LIBRARY!r}. Logins to print: {sheet}")
    print(f"Galaxy  {sandbox.galaxy.url}\nThe servers keep running; `make down` stops them.")
    return 0


def score(folder: Path) -> int:
    """Score what everybody handed in, and publish the table as a page of Galaxy."""
    sandbox = state.load(folder.parent)
    accounts = load_accounts(folder)
    if sandbox is None or not accounts:
        raise ScriptError("course: is not set up. Run `make course` first.")
    people = {one.name: connect(sandbox.galaxy.url, one.key) for one in accounts}
    teacher = connect(sandbox.galaxy.url, sandbox.galaxy.user_key)
    table = leaderboard(teacher, people)
    print(table)
    print(publish(teacher, table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
