"""Download the labelled outputs of a run of a workflow, of a run that failed in part too."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioblend.galaxy import GalaxyInstance

from scripts.workflow_progress import RunResult


@dataclass(frozen=True)
class Output:
    """One dataset of a run.

    Attributes:
        id: Galaxy's id.
        stem: Where to save it, relative to the folder of the run, without extension.
    """

    id: str
    stem: Path


def list_outputs(gi: GalaxyInstance, result: RunResult) -> Iterator[Output]:
    """Yield each labelled output as `<label>`, or `<label>/<element>` for a list and so on for nested lists."""
    taken: set[str] = set()
    for label, output in result.outputs.items():
        stem = Path(_new_name(label, taken))
        if output["src"] == "hda":
            yield Output(output["id"], stem)
        else:
            yield from _elements(gi.dataset_collections.show_dataset_collection(output["id"])["elements"], stem)


def _elements(elements: list[dict[str, Any]], stem: Path) -> Iterator[Output]:
    taken: set[str] = set()
    for element in elements:
        below = stem / _new_name(element["element_identifier"], taken)
        made = element["object"] or {}
        if "elements" in made:
            yield from _elements(made["elements"], below)
        elif made:
            yield Output(made["id"], below)


def _new_name(text: str, taken: set[str]) -> str:
    """Return a name for a file that is not taken yet: `a b` and `a_b` are two elements."""
    name = safe = re.sub(r"[^\w.-]+", "_", text).strip("._") or "output"
    number = 2
    while name.lower() in taken:
        name, number = f"{safe}_{number}", number + 1
    taken.add(name.lower())
    return name


def download_outputs(gi: GalaxyInstance, result: RunResult, folder: Path) -> tuple[list[Path], list[str]]:
    """Save each labelled output that the run made.

    Args:
        gi: Connection to the server.
        result: The run.
        folder: Where to save.

    Returns:
        Paths of the written files; name and state of each output that has no content, such as that of a failed job.
    """
    written, missing = [], []
    for output in list_outputs(gi, result):
        dataset = gi.datasets.show_dataset(output.id)
        if dataset["state"] == "ok":
            written.append(_download(gi, output.id, dataset["file_ext"], folder / output.stem))
        else:
            missing.append(f"{output.stem} ({dataset['state']})")
    return written, missing


def _download(gi: GalaxyInstance, dataset_id: str, extension: str, stem: Path) -> Path:
    path = stem.parent / f"{stem.name.removesuffix('.' + extension)}.{extension}"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")  # so that an interrupted download leaves no file that looks whole
    if extension == "html":
        # Galaxy's download packs a page into a zip (26.1), as if it had further files; its raw view is the page.
        page = gi.make_get_request(f"{gi.url}/datasets/{dataset_id}/display", params={"raw": "true"})
        page.raise_for_status()
        part.write_bytes(page.content)
    else:
        gi.datasets.download_dataset(dataset_id, file_path=str(part), use_default_filename=False)
    return part.replace(path)
