"""Follow the guide for administrators word by word on a new Galaxy: `python -m tests.training.administrators`.

Each block of the page with a name in its head is written to that file, each block of `bash` is run, in the order of
the page; Galaxy starts once the page has come to `galaxy.yml`. Then what the page promises is looked at: every tool is
there, the report's HTML is shown as a page, the table of models and the tool that fills it are there. OMERO and Galaxy
are started for the run and thrown away; the Galaxy knows nothing of the suite but what the page says.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance

from sandbox import process, servers
from sandbox.galaxy import server as galaxy_server
from sandbox.galaxy.dependencies import link_requirements
from scripts.demo import USER
from scripts.galaxy_connection import ScriptError, connect
from scripts.suite_files import tool_xml_files
from tests.run import ROOT
from tests.training.execute import Run, RunError, run_code
from tests.training.guides import main
from tests.training.run import OMERO_PLACEHOLDER, PASSWORD, TRAINING, prepare_omero
from tests.training.tutorial import CodeStep

GUIDE = ROOT / "docs" / "guides" / "administrators.md"
BLOCK = re.compile(r'^```(?P<kind>\w+)(?: title="(?P<file>[^"]+)")?\n(?P<text>.*?)^```', re.MULTILINE | re.DOTALL)
ETC, SUITE, GALAXY = "/etc/galaxy", "/srv/bioimage-suite", "/srv/galaxy/galaxy"
SETTINGS = f"{ETC}/galaxy.yml"
KEY = "THE-KEY-IN-vault_key"
MANAGER = "data_manager_bioimage_models"
UNSAFE = "not known to create safe HTML"


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """Yield kind, file and text of each block that is followed: those with a file, and those of bash."""
    for found in BLOCK.finditer(page):
        if found["file"] or found["kind"] == "bash":
            yield found["kind"], found["file"] or "", found["text"]


def follow(folder: Path) -> list[str]:
    """Do what the page says; return what went wrong.

    Args:
        folder: Folder of the servers; the page's `/etc/galaxy` is in it.
    """
    for name in ("etc", "learner", "galaxy", "no-tools"):
        (folder / name).mkdir()
    omero = servers.start_omero(folder / "omero")
    started = list(omero.processes)
    try:
        prepare_omero(omero)
        nobody = GalaxyInstance("http://127.0.0.1:1", key="none yet")
        exported = {"OMERO_USER": USER, "OMERO_PASSWORD": PASSWORD}
        run = Run(
            nobody, "", {OMERO_PLACEHOLDER: omero.address}, {}, TRAINING, folder / "learner", environment=exported
        )
        for _, file, text in blocks(GUIDE.read_text(encoding="utf-8")):
            if not file:
                run_code(run, CodeStep("bash", text))
                continue
            text = _here(text, folder)
            Path(_here(file, folder)).write_text(text, encoding="utf-8")
            if file == SETTINGS:
                galaxy = _start(folder, yaml.safe_load(text)["galaxy"])
                started += galaxy.processes
                run.gi = connect(galaxy.url, galaxy.user_key)
        return list(_broken_promises(run.gi, galaxy.url))
    except (RunError, ScriptError, GalaxyConnectionError) as error:
        return [str(error)]
    finally:
        process.stop(started)


def _here(text: str, folder: Path) -> str:
    """Return a text of the page with what its stand-ins stand for on this machine."""
    installed = next((galaxy_server.VENV / "lib").glob("python3.*")) / "site-packages" / "galaxy"
    key = folder / "learner" / "vault_key"
    stand_ins = {
        f"{ETC}/tool_conf.xml": str(folder / "galaxy" / "tool_conf.xml"),
        ETC: str(folder / "etc"),
        GALAXY: str(installed),
        SUITE: str(ROOT),
        KEY: key.read_text().strip() if key.exists() else KEY,
    }
    for word, here in stand_ins.items():
        text = text.replace(word, here)
    return text


def _start(folder: Path, settings: dict[str, object]) -> galaxy_server.GalaxyServer:
    """Start a Galaxy without the suite, but for the packages of its tools, with the settings of the page."""
    link_requirements(ROOT / "tools", folder / "galaxy" / "deps", galaxy_server.TOOLS_VENV)
    return galaxy_server.start(folder / "galaxy", folder / "no-tools", settings=settings)


def _broken_promises(gi: GalaxyInstance, url: str) -> Iterator[str]:
    here = {tool["id"] for tool in gi.tools.get_tools()}
    expected = {xml.stem for xml in tool_xml_files() if xml.parents[1].name != "data_managers"}
    if missing := sorted(expected - here):
        yield f"Galaxy has no {', '.join(missing)}"
    reports = [one for one in _datasets(gi) if one["extension"] == "html" and one["state"] == "ok"]
    shown = [gi.make_get_request(f"{url}/datasets/{one['id']}/display/", params={"preview": True}) for one in reports]
    if not shown or any(UNSAFE in one.text or "<title>" not in one.text for one in shown):
        yield f"{len(reports)} reports in HTML, not all shown as a page"
    if "bioimage_models" not in {one["name"] for one in gi.make_get_request(f"{url}/api/tool_data").json()}:
        yield "Galaxy has no table bioimage_models"
    try:
        gi.tools.show_tool(MANAGER)
    except GalaxyConnectionError as error:
        yield f"Galaxy has no data manager {MANAGER}: {error.body!s}"


def _datasets(gi: GalaxyInstance) -> list[dict[str, Any]]:
    return [
        one
        for history in gi.histories.get_histories()
        for one in gi.histories.show_history(history["id"], contents=True)
        if one["history_content_type"] == "dataset"
    ]


if __name__ == "__main__":
    sys.exit(main("administrators", follow))
