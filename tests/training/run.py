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
from sandbox.galaxy.config import tour_files
from sandbox.omero.client_import import import_files
from sandbox.omero_web import server as omero_web
from sandbox.process import SandboxError
from sandbox.state import OmeroServer, Sandbox
from scripts.demo import USER, demo_gateway, make_demo_user
from scripts.demo_images import put_demo_images
from scripts.galaxy_connection import ScriptError, connect
from scripts.omero_users import OmeroUser, make_user
from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero
from scripts.suite_files import ADDRESS
from tests.browser.chromium import chromium
from tests.browser.pictures import register
from tests.run import REPORTS, ROOT, SHORTEST_TUTORIAL
from tests.training.by_hand import store_login
from tests.training.by_pages import new_history, open_tool
from tests.training.execute import WORKFLOWS, Run, RunError, do_guide, do_tutorial
from tests.training.pictures import Camera, aged, new_page, open_camera, open_omero, rois_seen, take
from tests.training.tours import drive
from tests.training.tutorial import Picture, Tutorial, read_tutorial
from tests.unit.fair.archive_server import ranged, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TRAINING = ROOT / "docs" / "training"
OMERO_PLACEHOLDER = "omero.example.org"
Photograph = Callable[[Run, Picture], None]
Results = dict[str, tuple[float, list[str]]]
"""Seconds, and what is wrong, by a tutorial's name."""
PASSWORD = "learn-1-2-3"
NEWCOMER = OmeroUser("newcomer", "Nora", "New", "newcomer-lab")


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
    """Run one tutorial in a new history, all of it by hand where there is a page; return what is wrong."""
    print(f"{tutorial.name}:", flush=True)
    title = str(tutorial.front["title"])
    with tempfile.TemporaryDirectory() as folder, serving_data() as data:
        live = {OMERO_PLACEHOLDER: sandbox.omero.address, f"{ADDRESS}test-data": data, WORKFLOWS: f"{data}/"}
        try:
            if page:
                new_history(page, gi.base_url, title)
                history = gi.histories.get_most_recently_used_history()["id"]
            else:
                history = gi.histories.create_history(title)["id"]
            run = Run(gi, history, live, {ADDRESS: ROOT}, TRAINING, Path(folder), page)
            return do_tutorial(run, tutorial, photograph)
        except (RunError, ScriptError, GalaxyConnectionError, BrowserError) as error:
            return [str(error)]


@contextlib.contextmanager
def serving_data() -> Iterator[str]:
    """Serve `test-data/` and workflows as their public address does, which a test does not reach; yield the address."""
    files = {file.name: file for file in (ROOT / "test-data").iterdir() if file.is_file()}
    files |= {str(file.relative_to(TRAINING)): file for file in TRAINING.glob("topics/*/tutorials/*/workflows/*.ga")}
    with serving({f"/{name}": ranged(file.read_bytes()) for name, file in files.items()}) as server:
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
        # The data of tutorials are served on this machine, from which Galaxy fetches nothing by itself.
        galaxy = galaxy_server.start(folder / "galaxy", ROOT / "tools", settings={"fetch_url_allowlist": "127.0.0.1"})
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
            place = pictures / tutorial.path.parent.relative_to(TRAINING) if pictures else None
            photograph = partial(_photograph, camera, place) if camera and place else None
            problems = run_tutorial(gi, sandbox, tutorial, photograph)
            problems += aged(tutorial, place) if place else []
            results[tutorial.name] = (time.monotonic() - begin, problems)
        if tours:
            begin = time.monotonic()
            problems = follow_guide(gi, sandbox)
            results["guide for analysts"] = (time.monotonic() - begin, problems)
        if camera and tours:
            results |= by_newcomer(sandbox, camera, browser, (pictures or REPORTS) / "by_hand")
            for file in tour_files():
                begin = time.monotonic()
                problems = drive(camera.galaxy, sandbox.galaxy.url, file)
                results[f"tour {file.stem}"] = (time.monotonic() - begin, problems)
    return results


def by_newcomer(sandbox: Sandbox, camera: Camera, browser: "Browser", pictures: Path) -> Results:
    """Do the shortest tutorial by hand as somebody new to both servers: from registering to the ROIs in OMERO.

    Args:
        sandbox: Running servers.
        camera: Knows their addresses.
        browser: Opens pages of the newcomer's own.
        pictures: Folder that gets what the newcomer sees.
    """
    begin = time.monotonic()
    tutorial = read_tutorial(next(file for file in tutorial_files() if file.parent.name == SHORTEST_TUTORIAL))
    make_user(sandbox.omero, NEWCOMER, PASSWORD)
    page = new_page(browser)
    try:
        gi = connect(sandbox.galaxy.url, registered(page, sandbox.galaxy.url))
        for tool in {
            step.short_id: step for step in tutorial.tool_steps if step.short_id.startswith("omero_")
        }.values():
            open_tool(page, sandbox.galaxy.url, tool.short_id, tool.title)
            store_login(page, (NEWCOMER.name, PASSWORD))
        own = Camera(page, open_omero(browser, sandbox.web, (NEWCOMER.name, PASSWORD)), camera.urls)
        photograph = partial(_photograph, own, pictures) if own.omero else None
        problems = run_tutorial(gi, sandbox, tutorial, photograph, page)
        if own.omero and not problems:
            told = next(one.number for one in tutorial.answers if "ROI of each label" in one.check)
            seen = rois_seen(own)
            problems += [f"the viewers of OMERO list {seen} ROIs, the text says {told}"] if str(seen) != told else []
    except BrowserError as error:
        problems = [str(error)]
    if problems:
        page.screenshot(path=REPORTS / "by_hand.png")
    return {f"{tutorial.name} by hand": (time.monotonic() - begin, problems)}


def registered(page: "Page", url: str) -> str:
    """Register a new user of Galaxy; return a key of theirs, with which results are looked at."""
    register(page, url)
    user = page.request.get(f"{url}/api/users/current").json()["id"]
    return str(page.request.post(f"{url}/api/users/{user}/api_key").json())


def follow_guide(gi: GalaxyInstance, sandbox: Sandbox) -> list[str]:
    """Do what the guide for analysts says, word by word."""
    with tempfile.TemporaryDirectory() as folder:
        exported = {"OMERO_USER": USER, "OMERO_PASSWORD": PASSWORD}
        live = {OMERO_PLACEHOLDER: sandbox.omero.address}
        run = Run(gi, "", live, {}, TRAINING, Path(folder), environment=exported)
        return do_guide(run, ROOT / "docs" / "guides" / "analysts.md")


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
