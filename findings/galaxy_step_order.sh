#!/usr/bin/env bash
# galaxy-app 26.1.2: in which order Galaxy starts the steps of a workflow (galaxy.workflow.steps).
#
# Expected: of two steps that wait for the same step, the one with the lower number in the .ga file is started first, as
#           the file numbers its steps in their order.
# Seen:     on import, Galaxy numbers all steps anew by the distance of their boxes from the top left corner of the
#           editor; the numbers of the file are gone, and links follow. A box that is moved down in the editor
#           starts later, and jobs of a long list wait behind those of its neighbour. Boxes without a position keep the
#           order of the file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check galaxy-app==26.1.2
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from types import SimpleNamespace

from galaxy.workflow.steps import attach_ordered_steps


def order(places):
    """Return the names of steps as Galaxy orders them: B and C wait for A, and stand in the file as A, B, C."""

    class Step(SimpleNamespace):
        __hash__ = object.__hash__
        __eq__ = object.__eq__

    steps = [Step(name=name, subworkflow=None, position=places.get(name), input_connections=[]) for name in "ABC"]
    for step in steps[1:]:
        step.input_connections.append(SimpleNamespace(output_step=steps[0], input_step=step))
    workflow = SimpleNamespace(steps=steps, comments=[])
    attach_ordered_steps(workflow)
    return "".join(step.name for step in workflow.steps)


left = {"A": {"left": 0, "top": 0}}
seen = {
    "no positions": order({}),
    "B above C": order({**left, "B": {"left": 300, "top": 0}, "C": {"left": 300, "top": 200}}),
    "C above B": order({**left, "B": {"left": 300, "top": 200}, "C": {"left": 300, "top": 0}}),
}
print(seen)
assert seen == {"no positions": "ABC", "B above C": "ABC", "C above B": "ACB"}, "the behaviour changed"
PYTHON
echo "as described: the place of a box decides which step starts first"
