"""Put the workflows that take a list of images between export from OMERO and import to OMERO, each as a subworkflow.

The made workflow has the inputs `OMERO server` and `Dataset` and those of the subworkflow but its images. Its first
step exports the images of the dataset; its last import the label maps as ROIs and the measurements as a table. These
three steps are those of the workflow omero-nuclei-measurement, so that they follow their tools.
"""

import copy
import json
import uuid
from pathlib import Path
from typing import Any

MODEL = "omero-nuclei-measurement"
PREFIX = "omero-"
# What the test of each gives, and how many objects it must find back in OMERO: a pattern of ROIs an image.
CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "signal-intensity": ({"Dataset": "round trip nuclei", "Channel": "Nuclei"}, "2\\d|3\\d", "5\\d|6\\d"),
    "spatial-pattern": (
        {"Dataset": "round trip nuclei", "Channel": "Nuclei", "Condition": "mean_Nuclei > 65", "Random patterns": 9},
        "2\\d|3\\d", "5\\d|6\\d",
    ),
    "cell-tracking": (
        {"Dataset": "round trip movie", "Channel": "Telomeres", "Background radius": 6, "Seed distance": 3,
         "Smallest object": 5, "Largest distance": 6.0, "Divisions": False, "Shortest track": 4},
        "\\d+", "\\d{2,3}",
    ),
    "stained-tissue": ({"Dataset": "round trip tissue", "Stains": "h_dab"}, "\\d{2,3}", "\\d{2,3}"),
}  # fmt: skip


def round_trip_of(workflow: Path) -> Path:
    """Where `write_round_trips` puts the workflow around another."""
    name = f"{PREFIX}{workflow.stem}"
    return workflow.parents[1] / name / f"{name}.ga"


def write_round_trips(workflows: Path) -> None:
    """Write a workflow with its test for each of CASES beside the others.

    Args:
        workflows: Folder with one folder a workflow.
    """
    model = json.loads((workflows / MODEL / f"{MODEL}.ga").read_text())
    for name in CASES:
        inner = workflows / name / f"{name}.ga"
        made = round_trip_of(inner)
        made.parent.mkdir()
        made.write_text(json.dumps(round_trip(json.loads(inner.read_text()), model, name)))
        # JSON is YAML.
        made.with_name(f"{made.stem}-tests.yml").write_text(json.dumps([test_of(name)]))


def round_trip(inner: dict[str, Any], model: dict[str, Any], name: str) -> dict[str, Any]:
    """The workflow around `inner`, in Galaxy's format.

    Args:
        inner: A workflow whose first input is a list of images, with outputs `Label maps` and `Measurements`.
        model: The workflow that has the three steps of OMERO.
        name: Of the ROIs and the table.
    """
    by_label = {step["label"]: step for step in model["steps"].values()}
    inputs = [step for _, step in sorted(inner["steps"].items(), key=lambda one: int(one[0])) if step["type"] != "tool"]
    steps = [by_label["OMERO server"], by_label["Dataset"], *inputs[1:]]
    export, sub, rois = (len(steps) + number for number in range(3))
    outer = {step["label"]: number for number, step in enumerate(steps)}

    def of(step: int, output: str = "output") -> dict[str, Any]:
        return {"id": step, "output_name": output}

    server = {"omero_host": of(outer["OMERO server"])}
    connected = {
        inputs[0]["label"]: of(export, "images"),
        **{one["label"]: of(outer[one["label"]]) for one in inputs[1:]},
    }
    maps, tables = of(sub, "Label maps"), of(sub, "Measurements")
    steps += [
        _tool(by_label["Export images"], {**server, "target|objects": of(outer["Dataset"])}, {}),
        {
            "annotation": inner["annotation"], "content_id": None, "input_connections": {
                label: {**source, "input_subworkflow_step_id": inputs[k]["id"]}
                for k, (label, source) in enumerate(connected.items())
            },
            "inputs": [], "label": name, "name": inner["name"], "outputs": [], "subworkflow": inner, "tool_id": None,
            "type": "subworkflow", "when": None, "workflow_outputs": [],
        },
        _tool(by_label["Bring ROIs to OMERO"], {**server, "label_maps": maps}, {"roi_name": name}),
        _tool(
            by_label["Bring tables to OMERO"], {**server, "tables": tables, "rois": of(rois, "rois")},
            {"table_name": name},
        ),
    ]  # fmt: skip
    numbered = {}
    for number, step in enumerate(steps):
        numbered[str(number)] = {**copy.deepcopy(step), "id": number, "uuid": str(uuid.uuid4())}
        numbered[str(number)]["position"] = {"left": 200 * number, "top": 0}
    return {
        "a_galaxy_workflow": "true", "annotation": f"{inner['name']}, from OMERO and back.", "format-version": "0.1",
        "name": f"{inner['name']} (OMERO)", "creator": model["creator"], "license": model["license"],
        "steps": numbered, "tags": [], "uuid": str(uuid.uuid4()), "version": 1,
    }  # fmt: skip


def _tool(step: dict[str, Any], connections: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """A step of a tool with other connections and some other parameters; it keeps its outputs."""
    state = {**json.loads(step["tool_state"]), **changed}
    return {**step, "input_connections": connections, "tool_state": json.dumps(state)}


def test_of(name: str) -> dict[str, Any]:
    """planemo's test: ROIs and one table stand in OMERO, as many rows as there are objects."""
    job, rois, rows = CASES[name]
    dataset = job["Dataset"]
    return {
        "doc": f"{name} between export and import: ROIs and table in OMERO.",
        "job": {"OMERO server": "127.0.0.1:14064", **job},
        "outputs": {
            "ROIs in OMERO": {
                "asserts": {"has_line_matching": {"expression": f"\\d+\\t.*\\t{name}\\t({rois})\\t0\\timported"}}
            },
            "Tables in OMERO": {
                "asserts": {
                    "has_n_lines": {"n": 2},
                    "has_line_matching": {"expression": f"\\d+\\t{dataset}\\t{name}\\t.*\\t({rows})\\t0\\timported"},
                }
            },
            "All measurements": {"asserts": {"has_line_matching": {"expression": "image_id\\timage\\tlabel\\t.*"}}},
        },
    }
