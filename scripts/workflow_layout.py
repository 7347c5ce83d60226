"""Place the boxes of the workflows in Galaxy's editor: stages from left to right, each in a frame, and a note above.

    python -m scripts.workflow_layout          # all workflows/*/*.ga

Boxes never overlap: each is given the height that it has with its inputs and outputs. A step never stands left of one
that it takes data from.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from scripts.suite_files import tool_xml_files

WORKFLOWS = Path(__file__).parents[1] / "workflows"
# Pixels of Galaxy 26.1's editor: a box is 200 wide; its title has two lines, a name may need two.
COLUMN, TITLE, INPUT, OUTPUT, GAP, MARGIN, FRAME_TITLE = 260, 75, 45, 50, 40, 30, 50
NOTE_HEIGHT, NOTE_WIDTH = 190, 700
INPUTS = "Inputs"
STAGES = {
    INPUTS: (),
    "Get images": ("omero_find", "omero_export_images", "omero_export_rois", "search_archives", "fetch_archive"),
    "Check metadata": ("validate_metadata", "metadata_report"),
    "Find and measure": (
        "convert_image", "segment_objects", "measure_objects", "track_objects", "quantify_staining",
        "analyze_spatial_pattern", "profile_wells", "find_hits",
    ),
    "Look and compare": ("overlay_objects", "summarize_measurements", "attribute_results"),
    "Bring home": ("omero_import_rois", "omero_import_table", "omero_annotate", "build_crate"),
    "Check": ("validate_crate", "omero_get_annotations", "evaluate_segmentation", "evaluate_tracking"),
}  # fmt: skip
COLOURS = ("blue", "turquoise", "yellow", "green", "lime", "orange", "pink")


@dataclass(frozen=True)
class Box:
    """A step in the editor: its stage and column from 0, and its height in pixels."""

    step: int
    stage: int
    column: int
    height: int


def data_inputs() -> dict[str, int]:
    """Return how many inputs for data each tool's form may show, by tool id."""
    roots = (ElementTree.parse(path).getroot() for path in tool_xml_files())  # noqa: S314  (our own files)
    return {
        root.get("id", ""): sum(param.get("type", "").startswith("data") for param in root.iterfind(".//inputs//param"))
        for root in roots
    }


def boxes(content: dict[str, Any], known: dict[str, int]) -> list[Box]:
    """Return the boxes of a workflow, in the order of its steps."""
    names = list(STAGES)
    made: dict[int, Box] = {}
    for step in sorted(content["steps"].values(), key=lambda one: int(one["id"])):
        tool = str(step.get("tool_id") or "").split("/")
        short = tool[-2] if len(tool) > 1 else tool[0]
        own = next((names.index(name) for name, tools in STAGES.items() if short in tools), 0 if not short else 3)
        before = [made[source["id"]] for source in _sources(step)]
        stage = max([own, *(one.stage for one in before)])
        column = max([0, *(one.column + 1 for one in before if one.stage == stage)])
        count = max(known.get(short, 0), len(step["input_connections"]))
        outputs = max(1, len(step["outputs"]))
        made[step["id"]] = Box(step["id"], stage, column, TITLE + INPUT * count + OUTPUT * outputs)
    return list(made.values())


def _sources(step: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        one for given in step["input_connections"].values() for one in (given if isinstance(given, list) else [given])
    ]


def laid_out(content: dict[str, Any], known: dict[str, int]) -> dict[str, Any]:
    """Return the workflow with a place for each box, a frame around each stage, and its readme as a note above."""
    placed = boxes(content, known)
    steps = {number: dict(step) for number, step in content["steps"].items()}
    note = {
        "id": 0, "type": "markdown", "color": "none", "position": [0, -NOTE_HEIGHT - MARGIN],
        "size": [NOTE_WIDTH, NOTE_HEIGHT], "data": {"text": content.get("readme") or content["annotation"]},
    }  # fmt: skip
    comments, left = [note], 0
    for stage in sorted({one.stage for one in placed}):
        members = [one for one in placed if one.stage == stage]
        bottom = 0
        tops: dict[int, int] = {}
        for one in members:
            top = tops.get(one.column, FRAME_TITLE)
            steps[str(one.step)]["position"] = {"left": left + MARGIN + one.column * COLUMN, "top": top}
            tops[one.column] = top + one.height + GAP
            bottom = max(bottom, top + one.height)
        width = (max(one.column for one in members) + 1) * COLUMN - (COLUMN - 200) + 2 * MARGIN
        comments.append({
            "id": len(comments), "type": "frame", "color": COLOURS[stage], "position": [left, 0],
            "size": [width, bottom + MARGIN], "data": {"title": list(STAGES)[stage]},
            "child_steps": [one.step for one in members],
        })  # fmt: skip
        left += width + GAP
    return {**content, "comments": comments, "steps": steps}


def main() -> int:
    """Lay out all workflows."""
    known = data_inputs()
    for path in sorted(WORKFLOWS.glob("*/*.ga")):
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        as_ascii = json.dumps(content, indent=4) + "\n" == text
        new = json.dumps(laid_out(content, known), indent=4, ensure_ascii=as_ascii) + "\n"
        if new != text:
            path.write_text(new, encoding="utf-8")
            print(path.parent.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
