"""A Galaxy with the suite as a Tool Shed installs it: long ids, workflows by script, bioblend and browser."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bioblend.galaxy import GalaxyInstance

from sandbox import process, servers
from sandbox.galaxy import server as galaxy_server
from sandbox.galaxy.server import GalaxyServer
from sandbox.process import ROOT
from sandbox.state import OmeroServer
from scripts.release_workflows import OWNER, SHED, long_id
from scripts.release_workflows import main as release
from scripts.run_workflow import start_run
from scripts.set_credentials import OmeroLogin, store_omero_login, tools_that_want_omero, tools_without_login
from scripts.workflow_import import import_workflow
from scripts.workflow_inputs import RunInputs
from scripts.workflow_progress import collect_result, show_progress
from tests.galaxy.run import seed
from tests.galaxy.seed_omero import PASSWORD, USER
from tests.galaxy.shed_repositories import OLDER_VERSION, install, unpack_repositories

pytestmark = pytest.mark.slow
NUCLEI = "omero-nuclei-measurement"


@dataclass(frozen=True)
class Installed:
    """The servers, the long ids, and the workflows as a release has them."""

    omero: OmeroServer
    galaxy: GalaxyServer
    ids: set[str]
    workflows: Path

    @property
    def gi(self) -> GalaxyInstance:
        return GalaxyInstance(self.galaxy.url, key=self.galaxy.user_key)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Galaxy with unpacked repositories, an OMERO with the images of the tests, and a login for all tools."""
    folder = tmp_path_factory.mktemp("installed")
    unpacked = unpack_repositories(folder / "pack", folder / "unpacked")
    ids = install(unpacked, folder / "shed", folder / "galaxy", older="omero_find")
    assert release(["--output", str(folder / "workflows")]) == 0
    omero = servers.start_omero(folder / "omero")
    try:
        seed(omero)
        galaxy = galaxy_server.start(folder / "galaxy", folder / "shed")
        try:
            found = Installed(omero, galaxy, ids, folder / "workflows")
            store_omero_login(found.gi, OmeroLogin(USER, PASSWORD), tools_that_want_omero(found.gi))
            yield found
        finally:
            galaxy_server.stop(galaxy)
    finally:
        process.stop(omero.processes)


def test_every_tool_has_its_long_id(installed: Installed) -> None:
    here = {tool["id"] for tool in installed.gi.tools.get_tools()}
    assert installed.ids <= here
    assert len(installed.ids) >= 36


def test_a_tool_runs_by_bioblend(installed: Installed) -> None:
    gi = installed.gi
    history = gi.histories.create_history("bioblend")["id"]
    image = gi.tools.upload_file(str(ROOT / "test-data/nuclei_upper_left.ome.tiff"), history, file_type="ome.tiff")
    (tool,) = (one for one in installed.ids if "/segment_objects/" in one)
    ran = gi.tools.run_tool(history, tool, {"image": {"src": "hda", "id": image["outputs"][0]["id"]}})
    gi.jobs.wait_for_job(ran["jobs"][0]["id"])
    assert "24 objects" in gi.jobs.show_job(ran["jobs"][0]["id"], full_details=True)["tool_stdout"]


def test_a_login_of_a_tools_older_version_is_missed_after_an_upgrade_and_carried_over_by_the_script(
    installed: Installed,
) -> None:
    """Galaxy keeps a login by tool and version (26.1); nobody can read a stored one, so it is stored once more."""
    admin = GalaxyInstance(installed.galaxy.url, key=installed.galaxy.admin_key)
    user = admin.users.create_local_user("grace", "grace@example.org", "hopper-1952")
    gi = GalaxyInstance(installed.galaxy.url, key=admin.users.get_or_create_user_apikey(user["id"]))
    old = (long_id(SHED, OWNER, "omero_find", OLDER_VERSION), OLDER_VERSION)
    (new,) = (tool for tool in tools_that_want_omero(gi) if "/omero_find/" in tool[0] and tool != old)
    login = OmeroLogin(USER, PASSWORD)
    assert store_omero_login(gi, login, [old]) == ["omero_find"]
    assert tools_without_login(gi, [old, new]) == ["omero_find"]  # the new one
    assert store_omero_login(gi, login, tools_that_want_omero(gi))
    assert tools_without_login(gi, [old, *tools_that_want_omero(gi)]) == []


@pytest.mark.parametrize("released", [True, False], ids=["long ids", "short ids"])
def test_a_workflow_runs_by_script(installed: Installed, released: bool) -> None:
    folder = installed.workflows if released else ROOT / "workflows"
    workflow = import_workflow(installed.gi, folder / NUCLEI / f"{NUCLEI}.ga")
    values = {"OMERO server": installed.omero.address, "Dataset": "nuclei", "Channel": "DAPI"}
    invocation = start_run(installed.gi, workflow, RunInputs(values, {}), f"released {released}")
    show_progress(installed.gi, invocation, "installed")
    result = collect_result(installed.gi, invocation)
    assert result.succeeded, result.problems
    # A step keeps the id of its file; a job has that of the tool that ran. Galaxy's own begin with __.
    used = {job["tool_id"] for job in installed.gi.jobs.get_jobs(invocation_id=invocation)}
    ran = {one for one in used if not one.startswith("__")}
    assert ran
    assert ran <= installed.ids


def test_a_workflow_is_ready_to_run_in_a_browser(installed: Installed) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    workflow = import_workflow(installed.gi, installed.workflows / NUCLEI / f"{NUCLEI}.ga")
    pictures = ROOT / ".sandbox" / "reports"
    pictures.mkdir(parents=True, exist_ok=True)
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 950})
        page.set_default_timeout(240_000)
        page.goto(f"{installed.galaxy.url}/login/start")
        page.fill("input[name=login]", installed.galaxy.user_email)
        page.fill("input[name=password]", installed.galaxy.password)
        page.click("button[name=login]")
        page.locator("iframe:visible").wait_for()
        page.goto(f"{installed.galaxy.url}/workflows/run?id={workflow.id}")
        page.get_by_text("You have already provided credentials for this workflow").wait_for()
        page.screenshot(path=pictures / "installed_run.png")
        for place, value in enumerate((installed.omero.address, "nuclei", "DAPI")):
            page.get_by_placeholder("please provide text input").nth(place).fill(value)
        page.get_by_role("button", name="Run Workflow").click()
        page.get_by_text("of 9 steps successfully scheduled").or_(
            page.get_by_text("steps successfully")
        ).first.wait_for()
        page.screenshot(path=pictures / "installed_started.png")
        browser.close()


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
