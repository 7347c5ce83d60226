"""Three tasks with data and hidden truth, and a table of who is how far.

Everybody works in a history named `Datathon` and hands in by naming a dataset: `segmentation`, a label map; `tracking`,
a zip in the layout of the Cell Tracking Challenge; `metadata`, a filled template. The truth stays on the teacher's
machine, where the newest dataset of each name is scored by the suite's own tools.
"""

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bioblend.galaxy import GalaxyInstance

from sandbox.process import ROOT
from scripts.galaxy_connection import ScriptError
from scripts.suite_files import tool_script

DATA = ROOT / "test-data"
HISTORY = "Datathon"
PAGE = "datathon"


def _run(tool: str, *arguments: str) -> None:
    """Run a tool's script; a submission that it refuses is an error with the tool's own words."""
    command = [sys.executable, str(tool_script(tool)), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise ScriptError(lines[-1].removeprefix("ERROR: ") if lines else f"{tool} ended with {done.returncode}")


def _row(table: Path) -> dict[str, str]:
    with table.open(newline="", encoding="utf-8") as handle:
        return next(csv.DictReader(handle, delimiter="\t"))


def score_segmentation(handed_in: Path, folder: Path) -> float:
    """Return F1 at an intersection over union of 0.5."""
    table = folder / "scores.tsv"
    truth = DATA / "nuclei_truth.ome.tiff"
    _run("evaluate_segmentation", f"--found={handed_in}", f"--true={truth}", f"--output={table}")
    return float(_row(table)["f1_0.5"])


def score_tracking(handed_in: Path, folder: Path) -> float:
    """Return LNK: the share of right links, which TRA hides where all objects are found."""
    table = folder / "scores.tsv"
    outputs = [f"--measures={table}", f"--errors={folder / 'errors.tsv'}", f"--figure={folder / 'figure.png'}"]
    _run("evaluate_tracking", f"--reference={DATA / 'moving_cells_truth.zip'}", f"--result={handed_in}", *outputs)
    return float(_row(table)["LNK"])


def score_metadata(handed_in: Path, folder: Path) -> float:
    """Return the mean completeness of REMBI's modules over both images, from 0 to 1; only valid values count."""
    images = [DATA / "fair" / name for name in ("cells_a.ome.tiff", "cells_b.ome.tiff")]
    listed, given = folder / "images.json", folder / "given.json"
    listed.write_text(json.dumps([{"path": str(one), "name": one.name} for one in images]))
    given.write_text(json.dumps([{"path": str(handed_in), "name": handed_in.name}]))
    table, by_image = folder / "metadata.tsv", folder / "by_image.tsv"
    report = f"--report={folder / 'report.html'}"
    _run("validate_metadata", f"--metadata={given}", f"--images={listed}", f"--table={table}",
         f"--findings={folder / 'findings.tsv'}", report)  # fmt: skip
    _run("metadata_report", f"--images={listed}", f"--metadata={table}", "--standards=rembi",
         f"--image-completeness={by_image}", f"--field-completeness={folder / 'by_field.tsv'}", report)  # fmt: skip
    with by_image.open(newline="", encoding="utf-8") as handle:
        shares = [
            float(value) / 100
            for row in csv.DictReader(handle, delimiter="\t")
            for name, value in row.items()
            if name.endswith("(%)") and value
        ]
    return sum(shares) / len(shares)


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        name: What a dataset is named to hand it in.
        title: For people.
        data: What everybody gets.
        suffix: Of the file that is handed in.
        score: Gives the score of a file, from 0 to 1; it may write into a folder.
    """

    name: str
    title: str
    data: tuple[Path, ...]
    suffix: str
    score: Callable[[Path, Path], float]


TASKS = (
    Task("segmentation", "find the nuclei", (DATA / "nuclei.ome.tiff",), ".ome.tiff", score_segmentation),
    Task("tracking", "follow the cells", (DATA / "moving_cells.ome.tiff",), ".zip", score_tracking),
    Task(
        "metadata", "describe the images",
        (DATA / "fair" / "cells_a.ome.tiff", DATA / "fair" / "cells_b.ome.tiff"), ".csv", score_metadata,
    ),
)  # fmt: skip


def handed_in(gi: GalaxyInstance, name: str) -> str | None:
    """Return the id of the newest dataset of a name in the person's history of the datathon."""
    found = [
        one["id"]
        for history in gi.histories.get_histories(name=HISTORY)
        for one in gi.histories.show_history(history["id"], contents=True, visible=True, deleted=False)
        if one["name"] == name and one.get("state") == "ok" and one["history_content_type"] == "dataset"
    ]
    return found[-1] if found else None


def leaderboard(people: Mapping[str, GalaxyInstance]) -> str:
    """Return a Markdown table of scores, the best mean first; what cannot be scored says why below it."""
    scores: dict[str, dict[str, float]] = {}
    notes = []
    for person, gi in people.items():
        scores[person] = {}
        for task in TASKS:
            dataset = handed_in(gi, task.name)
            if dataset is None:
                continue
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / f"handed_in{task.suffix}"
                gi.datasets.download_dataset(dataset, file_path=str(file), use_default_filename=False)
                try:
                    scores[person][task.name] = task.score(file, Path(folder))
                except ScriptError as error:
                    notes.append(f"{person}, {task.name}: {error}")
    return table_of(scores, notes)


def table_of(scores: Mapping[str, Mapping[str, float]], notes: list[str]) -> str:
    """Return the table; a task that was not handed in counts as 0."""
    names = [task.name for task in TASKS]
    means = {person: sum(own.values()) / len(names) for person, own in scores.items()}
    lines = [f"| place | who | {' | '.join(names)} | mean |", "|" + "---|" * (len(names) + 3)]
    for place, person in enumerate(sorted(means, key=lambda one: (-means[one], one)), start=1):
        cells = [f"{scores[person][name]:.3f}" if name in scores[person] else "" for name in names]
        lines.append(f"| {place} | {person} | {' | '.join(cells)} | {means[person]:.3f} |")
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)]).rstrip() + "\n"


def publish(gi: GalaxyInstance, table: str) -> str:
    """Put the table into a page of Galaxy that everybody can read; return its address."""
    content = f"# Datathon\n\n{table}"
    known = [one for one in gi.make_get_request(f"{gi.url}/pages").json() if one["slug"] == PAGE]
    if known:
        page = known[0]["id"]
        gi.make_post_request(
            f"{gi.url}/pages/{page}/revisions", payload={"content": content, "content_format": "markdown"}
        )
    else:
        payload = {"title": "Datathon", "slug": PAGE, "content": content, "content_format": "markdown"}
        page = gi.make_post_request(f"{gi.url}/pages", payload=payload)["id"]
    gi.make_put_request(f"{gi.url}/pages/{page}/publish")
    return f"{gi.base_url}/published/page?id={page}"
