"""Run tutorials on a real Galaxy: do each hands-on box, compare each solution that is a number, make the pictures.

    python -m tests.training.run                        # all tutorials: `make test-training`
    python -m tests.training.run omero-round-trip       # this one; `make test` runs it
    python -m tests.training.run --pictures docs/training   # and put the pictures where the tutorials show them

OMERO and Galaxy are started for the run and thrown away.
"""

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance
from playwright.sync_api import Error as BrowserError

from sandbox import process, servers
from sandbox.galaxy import server as galaxy_server
from sandbox.omero.client_import import import_files
from sandbox.omero_web import server as omero_web
from sandbox.process import SandboxError
from sandbox.state import OmeroServer, Sandbox
from scripts.demo import USER, demo_gateway, make_demo_user
from scripts.demo_images import put_demo_images
from scripts.galaxy_connection import ScriptError, connect
from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero
from tests.browser.chromium import chromium
from tests.run import REPORTS, ROOT, SHORTEST_TUTORIAL
from tests.training.by_hand import store_login
from tests.training.execute import Run, RunError, do_guide, do_tutorial
from tests.training.pictures import Camera, open_camera, take
from tests.training.tours import drive_all
from tests.training.tutorial import Picture, Tutorial, read_tutorial
from tests.unit.fair.archive_server import ranged, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

TRAINING = ROOT / "docs" / "training"
DATA_ADDRESS = "https://raw.githubusercontent.com/bioimage-suite-galaxy/bioimage-suite-galaxy/main/"
OMERO_PLACEHOLDER = "omero.example.org"
Photograph = Callable[[Run, Picture], None]
Results = dict[str, tuple[float, list[str]]]
"""Seconds, and what is wrong, by a tutorial's name."""
PASSWORD = "learn-1-2-3"


def tutorial_files() -> list[Path]:
    """Return the tutorials of this repository."""
    return sorted(TRAINING.glob("topics/*/tutorials/*/tutorial.md"))


def prepare_omero(omero: OmeroServer) -> None:
    """Give OMERO the user and the images that the demo has, which the tutorials start from."""
    make_demo_user(omero, PASSWORD)
    with demo_gateway(omero, PASSWORD) as gateway:
        put_demo_images(gateway, import_files)


def run_tutorial(
    gi: GalaxyInstance, sandbox: Sandbox, tutorial: Tutorial, photograph: Photograph | None, page: "Page | None" = None
) -> list[str]:
    """Run one tutorial in a new history, its forms by hand where there is a page; return what is wrong."""
    history = gi.histories.create_history(str(tutorial.front["title"]))["id"]
    print(f"{tutorial.name}:", flush=True)
    with tempfile.TemporaryDirectory() as folder, serving_data() as data:
        live = {OMERO_PLACEHOLDER: sandbox.omero.address, f"{DATA_ADDRESS}test-data": data}
        run = Run(gi, history, live, {DATA_ADDRESS: ROOT}, TRAINING, Path(folder), page)
        try:
            return do_tutorial(run, tutorial, photograph)
        except (RunError, ScriptError, GalaxyConnectionError, BrowserError) as error:
            return [str(error)]


@contextlib.contextmanager
def serving_data() -> Iterator[str]:
    """Serve `test-data/` as its public address does, which a test does not reach; yield the address."""
    names = [file for file in (ROOT / "test-data").iterdir() if file.is_file()]
    with serving({f"/{file.name}": ranged(file.read_bytes()) for file in names}) as server:
        yield server.address


@contextlib.contextmanager
def running(folder: Path, with_web: bool) -> Iterator[Sandbox]:
    """Start OMERO with what the tutorials start from, Galaxy with the learner's login, and OMERO.web where asked."""
    omero = servers.start_omero(folder / "omero")
    started = list(omero.processes)
    try:
        prepare_omero(omero)
        web = omero_web.start(folder / "web", (omero.host, omero.port)) if with_web else None
        started += web.processes if web else ()
        galaxy = galaxy_server.start(folder / "galaxy", ROOT / "tools")
        started += galaxy.processes
        if web:
            omero_web.wait(web, folder / "web")
        gi = connect(galaxy.url, galaxy.user_key)
        store_omero_login(gi, OmeroLogin(USER, PASSWORD), tools_that_want_omero(gi))
        yield Sandbox(omero, galaxy, web)
    finally:
        process.stop(started)


def run_all(tutorials: list[Tutorial], folder: Path, pictures: Path | None, tours: bool) -> Results:
    """Start the servers and run the tutorials.

    Args:
        tutorials: Tutorials to run.
        folder: Folder of the servers.
        pictures: Folder that gets the pictures, where the tutorials' own places are below their topic; None for none.
        tours: Whether the tours are driven too.
    """
    results: Results = {}
    with running(folder, bool(pictures)) as sandbox, contextlib.ExitStack() as stack:
        camera = None
        if pictures or tours:
            browser = stack.enter_context(chromium())
            camera = open_camera(browser, sandbox.galaxy, sandbox.web, (USER, PASSWORD))
        gi = connect(sandbox.galaxy.url, sandbox.galaxy.user_key)
        for tutorial in tutorials:
            begin = time.monotonic()
            photograph = None
            if camera and pictures:
                place = pictures / tutorial.path.parent.relative_to(TRAINING)
                photograph = partial(_photograph, camera, place)
            problems = run_tutorial(gi, sandbox, tutorial, photograph)
            results[tutorial.name] = (time.monotonic() - begin, problems)
        if tours:
            begin = time.monotonic()
            results["guide for analysts"] = (time.monotonic() - begin, follow_guide(gi, sandbox))
        if camera and tours:
            results |= by_newcomer(gi, sandbox, camera)
            begin = time.monotonic()
            for name, problems in drive_all(camera.galaxy, sandbox.galaxy.url).items():
                results[f"tour {name}"] = (time.monotonic() - begin, problems)
    return results


def by_newcomer(gi: GalaxyInstance, sandbox: Sandbox, camera: Camera) -> Results:
    """Do the shortest tutorial by hand in the browser, from storing the login on, without the stored logins."""
    begin = time.monotonic()
    tutorial = read_tutorial(next(file for file in tutorial_files() if file.parent.name == SHORTEST_TUTORIAL))
    tools = sorted({step.short_id for step in tutorial.tool_steps if step.short_id.startswith("omero_")})
    forget_logins(gi)
    try:
        for tool in tools:
            store_login(camera.galaxy, sandbox.galaxy.url, tool, (USER, PASSWORD))
        problems = run_tutorial(gi, sandbox, tutorial, None, camera.galaxy)
    except BrowserError as error:
        problems = [str(error)]
    if problems:
        camera.galaxy.screenshot(path=REPORTS / "by_hand.png")
    return {f"{tutorial.name} by hand": (time.monotonic() - begin, problems)}


def follow_guide(gi: GalaxyInstance, sandbox: Sandbox) -> list[str]:
    """Do what the guide for analysts says, word by word."""
    with tempfile.TemporaryDirectory() as folder:
        exported = {"OMERO_USER": USER, "OMERO_PASSWORD": PASSWORD}
        live = {OMERO_PLACEHOLDER: sandbox.omero.address}
        run = Run(gi, "", live, {}, TRAINING, Path(folder), environment=exported)
        return do_guide(run, ROOT / "docs" / "guides" / "analysts.md")


def forget_logins(gi: GalaxyInstance) -> None:
    """Delete all credentials of the user."""
    user = gi.users.get_current_user()["id"]
    for entry in gi.users.get_credentials(user):
        gi.users.select_credential_group(user, "tool", entry["source_id"], entry["source_version"], entry["id"], None)
        gi.make_delete_request(f"{gi.url}/users/{user}/credentials/{entry['id']}").raise_for_status()


def _photograph(camera: Camera, place: Path, run: Run, picture: Picture) -> None:
    take(camera, run, picture, place / picture.file)


def write_report(results: Results, file: Path) -> None:
    """Write a JUnit file with one test a tutorial."""
    bad = sum(bool(problems) for _, problems in results.values())
    suite = ET.Element("testsuite", name="tutorials", tests=str(len(results)), failures=str(bad))
    for name, (seconds, problems) in results.items():
        case = ET.SubElement(suite, "testcase", classname="tutorial", name=name, time=f"{seconds:.1f}")
        if problems:
            ET.SubElement(case, "failure", message="\n".join(problems))
    ET.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)


def main(argv: list[str] | None = None) -> int:
    """Run the tutorials; 0 if every step ended well and every number agrees."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="names of tutorials; none means all")
    parser.add_argument("--reports", type=Path, default=REPORTS, help="folder for the JUnit file")
    parser.add_argument("--tours", action="store_true", help="also tours, a guide, and a tutorial by hand")
    parser.add_argument("--pictures", type=Path, help="make the pictures too, in this folder")
    args = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tutorials = [read_tutorial(file) for file in tutorial_files() if not args.name or file.parent.name in args.name]
    if unknown := set(args.name) - {tutorial.name for tutorial in tutorials}:
        parser.error(f"no tutorial {', '.join(sorted(unknown))}")
    args.reports.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="training-", dir=ROOT / ".sandbox"))
    try:
        results = run_all(tutorials, folder, args.pictures, args.tours)
    except SandboxError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    write_report(results, args.reports / "training.xml")
    for name, (seconds, problems) in results.items():
        print(f"{'FAILED' if problems else 'ok':6}  {name}  {seconds:.0f} s", *problems, sep="\n    ")
    return 1 if any(problems for _, problems in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
