"""Follow the guide for trainers with two people on new servers: `python -m tests.training.trainers`.

Each block of `bash` of the page is run in its order, for two people. After `make course` each slip of the sheet is
tried in Galaxy and OMERO, and the first person follows the first tutorial to its end. Before the scoring both hand
something in: the truth, a poor label map, a file that is no spreadsheet. One of them then reads the table.
"""

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import requests
from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance

from sandbox import state
from sandbox.state import Sandbox
from scripts.course import LIBRARY, Account, load_accounts, material_of_tutorials
from scripts.datathon import HISTORY, TRUTH
from scripts.galaxy_connection import ScriptError, connect
from scripts.omero_users import gateway_of
from tests.run import ROOT, SHORTEST_TUTORIAL
from tests.training.execute import Run, RunError, run_code
from tests.training.guides import main
from tests.training.run import run_tutorial, tutorial_files
from tests.training.tutorial import CODE, CodeStep, read_tutorial

GUIDE = ROOT / "docs" / "guides" / "trainers.md"
MANY, FEW = "PEOPLE=12", "PEOPLE=2"
DATA = ROOT / "test-data"
NONSENSE = "this is no spreadsheet"


def follow(folder: Path) -> list[str]:
    """Do what the page says in a sandbox of its own; return what went wrong."""
    environment = {"BIOIMAGE_SANDBOX": str(folder)}
    run = Run(
        GalaxyInstance("http://127.0.0.1:1", key="none"), "", {MANY: FEW}, {}, ROOT, ROOT, environment=environment
    )
    set_up, score = CODE.findall(GUIDE.read_text(encoding="utf-8"))
    try:
        run_code(run, CodeStep("bash", set_up[2]))
        sandbox = state.load(folder)
        if sandbox is None:
            return ["the course's servers do not run"]
        accounts = load_accounts(folder / "course")
        problems = [*_slips(sandbox, accounts, folder), *_library(sandbox), *_first_tutorial(sandbox, accounts[0])]
        _hand_in(sandbox, accounts)
        run_code(run, CodeStep("bash", score[2]))
        return [*problems, *_table(sandbox, accounts[1])]
    except (RunError, ScriptError, GalaxyConnectionError) as error:
        return [str(error)]
    finally:
        down = [sys.executable, "-m", "sandbox", "down"]
        subprocess.run(down, cwd=ROOT, env={**os.environ, **environment}, check=False)


def _slips(sandbox: Sandbox, accounts: list[Account], folder: Path) -> Iterator[str]:
    """Try what stands on each slip, in Galaxy and in OMERO, where a person sees the own images only."""
    sheet = folder / "course" / "logins.html"
    if sheet.stat().st_mode & 0o077:
        yield f"{sheet} can be read by others"
    slips = re.findall(r"<section>(.*?)</section>", sheet.read_text(encoding="utf-8"), re.DOTALL)
    if len(slips) != 2:
        yield f"the sheet has {len(slips)} slips, not 2"
    for slip, account in zip(slips, accounts, strict=True):
        told = [html.unescape(one) for one in re.findall(r"<dd>(.*?)</dd>", slip)]
        login = (account.email, account.password)
        answer = requests.get(f"{told[0]}/api/authenticate/baseauth", auth=login, timeout=60)
        if not answer.ok or not {*login, account.name} <= set(told):
            yield f"{account.name}: Galaxy answers {answer.status_code} to what the slip says, {told}"
        with gateway_of(sandbox.omero, account.name, account.password) as gateway:
            images = [one.getOwnerOmeName() for one in gateway.getObjects("Image")]
        if set(images) != {account.name} or len(images) != 4:
            yield f"{account.name}: sees {len(images)} images in OMERO, of {sorted(set(images))}"


def _library(sandbox: Sandbox) -> Iterator[str]:
    gi = connect(sandbox.galaxy.url, sandbox.galaxy.user_key)
    (library,) = (one for one in gi.libraries.get_libraries(name=LIBRARY) if not one["deleted"])
    have = {one["name"] for one in gi.libraries.show_library(library["id"], contents=True) if one["type"] == "file"}
    wanted = {f"/{folder}/{file.name}" for folder, files in material_of_tutorials().items() for file, _ in files}
    if have != wanted:
        yield f"the library lacks {sorted(wanted - have)}, and has {sorted(have - wanted)} besides"


def _first_tutorial(sandbox: Sandbox, account: Account) -> list[str]:
    tutorial = read_tutorial(next(file for file in tutorial_files() if file.parent.name == SHORTEST_TUTORIAL))
    return run_tutorial(connect(sandbox.galaxy.url, account.key), sandbox, tutorial, None)


def _hand_in(sandbox: Sandbox, accounts: list[Account]) -> None:
    """Let the first person hand in the truth, and the second a poor label map and nonsense."""
    label_map, tracks = TRUTH.values()
    good, poor = (connect(sandbox.galaxy.url, one.key) for one in accounts)
    history = good.histories.create_history(HISTORY)["id"]
    for name, (file, kind) in {"segmentation": label_map, "tracking": tracks}.items():
        good.tools.upload_file(str(file), history, file_name=name, file_type=kind)
    good.tools.upload_file(str(DATA / "fair/template_rembi.csv"), history, file_name="metadata", file_type="csv")
    other = poor.histories.create_history(HISTORY)["id"]
    poor.tools.paste_content(NONSENSE, other, file_name="metadata", file_type="csv")
    image = poor.tools.upload_file(str(DATA / "nuclei.ome.tiff"), other, file_type="ome.tiff")["outputs"][0]["id"]
    made = poor.tools.run_tool(
        other, "segment_objects", {"image": {"src": "hda", "id": image}, "splitting|seeds": "none"}
    )["outputs"][0]["id"]
    poor.datasets.wait_for_dataset(made)
    poor.histories.update_dataset(other, made, name="segmentation")
    for gi, one in ((good, history), (poor, other)):
        for dataset in gi.histories.show_history(one, contents=True):
            gi.datasets.wait_for_dataset(dataset["id"], check=False)


def _table(sandbox: Sandbox, account: Account) -> Iterator[str]:
    """Read the table as one of the people."""
    gi = connect(sandbox.galaxy.url, account.key)
    pages = gi.make_get_request(f"{gi.url}/pages", params={"show_published": True, "show_own": False}).json()
    found = [gi.make_get_request(f"{gi.url}/pages/{one['id']}").json() for one in pages if one["slug"] == "datathon"]
    text = found[0]["content"] if found else ""
    print(text, flush=True)
    first = re.search(r"\| 1 \| person01 \| 1\.000 \| 1\.000 \| 0\.\d{3} \|", text)
    second = re.search(r"\| 2 \| person02 \| 0\.[2-8]\d\d \|  \|  \|", text)
    reason = re.search(r"- person02, metadata: validate_metadata finds nothing in it", text)
    if not (first and second and reason):
        yield f"the page says:\n{text}"


if __name__ == "__main__":
    sys.exit(main("trainers", follow))
