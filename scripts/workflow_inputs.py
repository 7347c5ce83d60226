"""What a run of a workflow is given: values and files from the command line or from a table of runs."""

import csv
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioblend.galaxy import GalaxyInstance
from tqdm import tqdm

from scripts.galaxy_connection import ScriptError
from scripts.workflow_import import WorkflowInput

UPLOADS_AT_ONCE = 4
POLL_SECONDS = 1.0
UPLOAD_FAILED = {"error", "discarded", "failed_metadata", "deleted"}


@dataclass(frozen=True)
class RunInputs:
    """What one run is given.

    Attributes:
        values: Texts by input label.
        files: Files by input label; several for a list.
    """

    values: dict[str, str]
    files: dict[str, tuple[Path, ...]]


def parse_assignment(text: str) -> tuple[str, str]:
    """Split `LABEL=VALUE` at its first equals sign.

    Raises:
        ScriptError: There is no equals sign, or nothing before it.
    """
    label, equals, value = text.partition("=")
    if not equals or not label.strip():
        raise ScriptError(f"Input {text!r}: is not LABEL=VALUE. Write it as --input 'Dataset=Plate 7'.")
    return label.strip(), value


def assigned_values(texts: Sequence[str]) -> dict[str, str]:
    """Read the values of `--input LABEL=VALUE`.

    Raises:
        ScriptError: A label is given twice.
    """
    values: dict[str, str] = {}
    for label, value in map(parse_assignment, texts):
        if label in values:
            raise ScriptError(
                f"Input {label!r}: is given twice ({values[label]!r} and {value!r}). Give it once, or use --table for "
                "several runs."
            )
        values[label] = value
    return values


def assigned_files(texts: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    """Read the files of `--file LABEL=PATH`; a label that is given again has a list of files, in this order."""
    files: dict[str, tuple[Path, ...]] = {}
    for label, path in map(parse_assignment, texts):
        files[label] = (*files.get(label, ()), *_files_at(label, Path(path)))
    return files


def _files_at(label: str, path: Path) -> tuple[Path, ...]:
    """Return a file, or the files of a folder in the order of their names."""
    if not path.is_dir():
        return (path,)
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise ScriptError(f"Input {label!r}: folder {path} has no files. Name a folder with files.")
    return tuple(files)


def read_runs(path: Path) -> list[dict[str, str]]:
    """Read a tab-separated table of runs: a header of input labels, then one run a row.

    Raises:
        ScriptError: The file is missing, has no rows, names an input twice, or a row has more or fewer cells than the
            header.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            rows = [row for row in csv.reader(handle, delimiter="\t") if row]
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"Table {path}: cannot be read ({error}). Check the path; save it as UTF-8.") from None
    if len(rows) < 2:
        raise ScriptError(f"Table {path}: has no runs. It needs a header of input labels and a row for each run.")
    header = [name.strip() for name in rows[0]]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ScriptError(f"Table {path}: has several columns {', '.join(twice)}. Keep one column for each input.")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise ScriptError(
                f"Table {path}, line {number}: has {len(row)} cells, the header has {len(header)}. Separate by tabs."
            )
    return [dict(zip(header, row, strict=True)) for row in rows[1:]]


def with_row(given: RunInputs, row: Mapping[str, str], inputs: Sequence[WorkflowInput], folder: Path) -> RunInputs:
    """Add a row of a table to what all runs are given; a cell replaces what the command line says.

    Args:
        given: What the command line says.
        row: Cells by input label; of an input that takes files, the path of a file or folder.
        inputs: The inputs of the workflow.
        folder: Folder that the paths of the table start from.
    """
    kinds = {one.label: one.kind for one in inputs}
    values, files = dict(given.values), dict(given.files)
    for label, cell in row.items():
        if kinds.get(label) in ("dataset", "list"):
            files[label] = _files_at(label, folder / cell)
        else:
            values[label] = cell
    return RunInputs(values, files)


def check_inputs(given: RunInputs, inputs: Sequence[WorkflowInput]) -> None:
    """Refuse inputs that the workflow cannot take, before anything is made in Galaxy.

    Raises:
        ScriptError: A label is no input of the workflow, a required input is missing, a file does not exist, or a value
            and a file are mixed up.
    """
    kinds = {one.label: one.kind for one in inputs}
    for label in [*given.values, *given.files]:
        if label not in kinds:
            raise ScriptError(f"Input {label!r}: the workflow has no such input. It has: {', '.join(sorted(kinds))}.")
    for label, value in given.values.items():
        if kinds[label] != "value":
            raise ScriptError(f"Input {label!r}: takes a file, not the text {value!r}. Write --file '{label}=PATH'.")
    for label, files in given.files.items():
        if kinds[label] == "value":
            raise ScriptError(f"Input {label!r}: takes a text, not a file. Write --input '{label}=VALUE'.")
        if kinds[label] == "dataset" and len(files) > 1:
            raise ScriptError(f"Input {label!r}: takes one file, not {len(files)}. Use --table for several runs.")
        for file in files:
            if not file.is_file():
                raise ScriptError(f"Input {label!r}: there is no file {file}. Check the path.")
        names = [file.name for file in files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ScriptError(f"Input {label!r}: several files are called {', '.join(twice)}. Give each its own name.")
    missing = [one for one in inputs if one.required and one.label not in [*given.values, *given.files]]
    if missing:
        asked = ", ".join(f"{one.label} (a {'text' if one.kind == 'value' else one.kind})" for one in missing)
        raise ScriptError(f"Inputs without a value: {asked}. Give them by --input or --file.")


def upload_inputs(
    gi: GalaxyInstance, history_id: str, files: Mapping[str, tuple[Path, ...]], inputs: Sequence[WorkflowInput]
) -> dict[str, dict[str, str]]:
    """Upload the files of a run, several at once with a progress bar; make a list of those of one list input.

    A list is made when its files have arrived: before, Galaxy knows neither their formats nor, for some, their names.

    Returns:
        Galaxy's reference by input label.

    Raises:
        ScriptError: Galaxy could not take a file.
    """
    jobs = [(label, file) for label, group in files.items() for file in group]
    with (
        ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool,
        tqdm(desc="upload", unit="file", total=len(jobs), disable=not jobs, dynamic_ncols=True) as bar,
    ):
        uploaded = []
        for dataset_id in pool.map(lambda job: _upload(gi, history_id, job[1]), jobs):
            uploaded.append(dataset_id)
            bar.update()
    kinds = {one.label: one.kind for one in inputs}
    references = {}
    ids: Iterator[str] = iter(uploaded)
    for label, group in files.items():
        elements = [{"name": file.name, "id": next(ids), "src": "hda"} for file in group]
        if kinds[label] == "list":
            description = {"collection_type": "list", "name": label, "element_identifiers": elements}
            made = gi.histories.create_dataset_collection(history_id, description)
            references[label] = {"id": made["id"], "src": "hdca"}
        else:
            references[label] = {"id": elements[0]["id"], "src": "hda"}
    return references


def _upload(gi: GalaxyInstance, history_id: str, file: Path) -> str:
    """Upload a file and wait until Galaxy has it."""
    dataset_id = str(gi.tools.upload_file(str(file), history_id, file_name=file.name)["outputs"][0]["id"])
    while True:
        dataset: dict[str, Any] = gi.datasets.show_dataset(dataset_id)
        if dataset["state"] in UPLOAD_FAILED:
            said = dataset.get("misc_info") or dataset["state"]
            raise ScriptError(f"File {file}: Galaxy could not take it ({said}). Check the file.")
        if dataset["state"] == "ok":
            return dataset_id
        time.sleep(POLL_SECONDS)
