#!/usr/bin/env bash
# frictionless 5.21.0: the constraint "pattern" of a Table Schema with alternatives.
#
# Expected: the whole value must match (patterns are regular expressions of XML Schema, which have no part match), as
#           frictionless does for patterns without alternatives: with [A-H]\d\d, A01x is an error.
# Seen:     the pattern is put between ^ and $ as it is, without brackets, so that ^ holds for the first alternative alone and
#           $ for the last: DAPI|GFP takes "DAPI and dirt". A table whose wells or channels are wrong is valid.
#           With brackets round the whole, (DAPI|GFP), which mean the same, the error is found.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check frictionless==5.21.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
from frictionless import Resource, Schema


def refused(pattern, values):
    schema = Schema.from_descriptor({"fields": [{"name": "v", "type": "string", "constraints": {"pattern": pattern}}]})
    rows = [["v"], *([value] for value in values)]
    wrong = {row - 2 for row, in Resource(data=rows, schema=schema).validate().flatten(["rowNumber"])}
    return [value for number, value in enumerate(values) if number in wrong]


channels = ["DAPI", "GFP", "DAPI and dirt", "noGFP"]
plain, bracketed = refused("DAPI|GFP", channels), refused("(DAPI|GFP)", channels)
wells = refused(r"[A-H]\d\d", ["A01", "A01x", "xA01"])
print(f"values {channels}: refused with DAPI|GFP {plain}, with (DAPI|GFP) {bracketed}")
print(f"values A01, A01x, xA01: refused with [A-H]\\d\\d {wells}")
assert wells == ["A01x", "xA01"] and bracketed == ["DAPI and dirt", "noGFP"], "patterns are looked at in another way"
assert plain == ["noGFP"], "the behaviour changed"
PYTHON
echo "as described: of alternatives, the first is not held at its end"
