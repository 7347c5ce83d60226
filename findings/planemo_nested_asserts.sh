#!/usr/bin/env bash
# planemo 0.75.47 (galaxy-tool-util 26.1.2): `asserts` of an element that is a list itself, in a workflow's test.
#
# Expected: asserts on an element of an output are looked at, or said to be out of place where the element is a list.
# Seen:     on a dataset they are looked at. On an element that is a list, as the outputs of a step that is mapped over
#           a list and gives lists are, they are passed over without a word: the test is green whatever the files hold.
#           One level deeper, as `elements` of the element, the same asserts fail as they should.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check planemo==0.75.47 galaxy-tool-util==26.1.2 \
  2>"$folder/pip.txt" || { cat "$folder/pip.txt"; exit 1; }
cd "$folder"
echo "label	area" >table.tsv
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from types import SimpleNamespace

from planemo.test._check_output import check_output

workflow = SimpleNamespace(path="workflow.ga")


def dataset(name):
    return {"element_identifier": name, "element_type": "hda", "_output_object": {"path": "table.tsv"}}


def problems(elements, tests):
    return check_output(workflow, {"elements": elements}, {"name": "Scores", "element_tests": tests})


def absent():
    return {"asserts": {"has_text": {"text": "this text is in no file"}}}


flat = [dataset("ada")]
nested = [{"element_identifier": "ada", "element_type": "dataset_collection", "object": {"elements": [dataset("a")]}}]
found = {
    "a dataset": problems(flat, {"ada": absent()}),
    "a list": problems(nested, {"ada": absent()}),
    "an element of the list": problems(nested, {"ada": {"elements": {"a": absent()}}}),
}
for what, said in found.items():
    print(f"asserts of {what}: {'FAILED' if said else 'passed'}")
assert [bool(said) for said in found.values()] == [True, False, True], "the behaviour changed"
PYTHON
echo "as described: asserts of an element that is a list are not looked at"
