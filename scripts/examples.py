"""Fill the sandbox's Galaxy with what a new user finds there: public workflows and two example histories.

    python -m scripts.examples

Workflows are published once, and again when their files have changed. The jobs of the example histories are started and
not waited for.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from bioblend.galaxy import GalaxyInstance

from sandbox import state
from sandbox.process import ROOT
from scripts.galaxy_connection import ScriptError, connect, exit_code, refusals_explained
from scripts.workflow_import import import_workflow, tag_of

WORKFLOWS = ROOT / "workflows"
START_HERE = "omero-nuclei-measurement"
"""The workflow that the welcome page names."""
DATA = ROOT / "test-data"
Put = Callable[..., dict[str, Any]]


def publish_workflows(gi: GalaxyInstance) -> int:
    """Publish the workflows that this Galaxy does not have in today's state; return how many there were to publish."""
    have = gi.workflows.get_workflows()
    tags = {tag for one in have if one["published"] for tag in one["tags"]}
    due = [path for path in sorted(WORKFLOWS.glob("*/*.ga")) if tag_of(path) not in tags]
    for path in due:
        made = import_workflow(gi, path).id
        shown = gi.workflows.show_workflow(made)
        more = ["name:start-here"] if path.stem == START_HERE else []
        gi.workflows.update_workflow(made, tags=[*shown["tags"], *more])
        # So that others may run and import it, too: `published` alone only lists it (26.1).
        gi.make_put_request(f"{gi.url}/workflows/{made}/publish")
        for older in have:
            if older["published"] and older["name"] == shown["name"] and older["id"] != made:
                gi.workflows.update_workflow(older["id"], published=False)
    return len(due)


def nuclei(put: Put, run: Put) -> None:
    """Segment, measure and draw the nuclei of one image."""
    image = put("nuclei.ome.tiff", "ome.tiff")
    labels = run("segment_objects", image=image)["output"]
    run("measure_objects", labels=labels, image=image)
    run("overlay_objects", images=image, labels=labels, title="Nuclei of one image")


def tissue(put: Put, run: Put) -> None:
    """Take the stains of tissue apart and measure them."""
    run("quantify_staining", image=put("ihc.png", "png"))


EXAMPLES = {"Example 1: nuclei in one image": nuclei, "Example 2: stained tissue": tissue}


def make_histories(gi: GalaxyInstance) -> int:
    """Make the example histories that this Galaxy lacks, public; return how many."""
    have = {one["name"] for one in gi.histories.get_histories()}
    due = {name: make for name, make in EXAMPLES.items() if name not in have}
    for name, make in due.items():
        history = gi.histories.create_history(name)["id"]
        gi.histories.update_history(history, published=True, importable=True, tags=["name:example"])
        make(_putter(gi, history), _runner(gi, history))
    return len(due)


def _putter(gi: GalaxyInstance, history: str) -> Put:
    def put(name: str, kind: str) -> dict[str, Any]:
        uploaded = gi.tools.upload_file(str(DATA / name), history, file_type=kind, file_name=name)
        return {"src": "hda", "id": uploaded["outputs"][0]["id"]}

    return put


def _runner(gi: GalaxyInstance, history: str) -> Put:
    def run(tool: str, **inputs: Mapping[str, str] | str) -> dict[str, Any]:
        ran = gi.tools.run_tool(history, tool, inputs)
        return {one["output_name"]: {"src": "hda", "id": one["id"]} for one in ran["outputs"]}

    return run


def prepare(gi: GalaxyInstance) -> None:
    """Publish workflows and make example histories; say what was new."""
    workflows, histories = publish_workflows(gi), make_histories(gi)
    if workflows or histories:
        print(f"Galaxy: {workflows} workflows and {histories} example histories published", flush=True)


def main() -> int:
    """Prepare the running sandbox's Galaxy; 0, or 1 with a message."""
    return exit_code(_prepare_sandbox)


def _prepare_sandbox() -> int:
    known = state.load(state.folder_of_sandbox())
    if known is None:
        raise ScriptError("sandbox: does not run. Start it: make up")
    with refusals_explained(f"Galaxy {known.galaxy.url}: did not take the examples"):
        prepare(connect(known.galaxy.url, known.galaxy.user_key))
    return 0


if __name__ == "__main__":
    sys.exit(main())
