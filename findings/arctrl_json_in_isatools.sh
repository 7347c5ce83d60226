#!/usr/bin/env bash
# arctrl 3.1.1 and isatools 0.14.3: the ISA-JSON of one cannot be loaded by the other.
#
# Expected: arctrl's ISA-JSON of a small investigation (one study, one assay) is valid by the schemas of ISA-JSON 1.0 that
#           isatools ships, which require no key; what is valid loads.
# Seen:     the schemas accept it. isatools.isajson.load raises KeyError 'characteristicCategories' (arctrl leaves out
#           lists that are empty), and isatools.isajson.validate says "JSON Error", key 'otherMaterials', of the document
#           that its own schema check has just passed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
install() { python3 -m venv "$1"; "$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}" 2>pip.txt || { cat pip.txt; exit 1; }; }
install arc arctrl==3.1.1
install isa isatools==0.14.3 pandas==2.3.3 numpy==2.2.6 rdflib==7.2.1 networkx==3.4.2 jsonschema==4.26.0
arc/bin/python - <<'PYTHON'
from pathlib import Path

from arctrl import (
    ArcAssay, ArcInvestigation, ArcStudy, ArcTable, CompositeCell, CompositeHeader, IOType, JsonController,
)


def table(name, given, made, kind):
    found = ArcTable.init(name)
    for header, cells in ((CompositeHeader.input(given[0]), given[1]), (CompositeHeader.output(kind), made)):
        found.AddColumn(header, cells)
    return found


texts = [CompositeCell.free_text(name) for name in ("dish 1", "dish 2")]
files = [CompositeCell.create_data_from_string(f"image{number}.tif") for number in range(2)]
study, assay = ArcStudy.init("cells"), ArcAssay.init("images")
study.AddTable(table("growing", (IOType.source(), [CompositeCell.free_text("culture")] * 2), texts, IOType.sample()))
assay.AddTable(table("imaging", (IOType.sample(), texts), files, IOType.data()))
investigation = ArcInvestigation.init("i1")
investigation.Title = "Cells"
investigation.AddStudy(study)
investigation.AddAssay(assay)
study.RegisterAssay("images")
Path("isa.json").write_text(JsonController.Investigation().to_isajson_string(investigation), encoding="utf-8")
PYTHON
isa/bin/python -W ignore - <<'PYTHON'
import json
import logging
from pathlib import Path

import isatools
from isatools import isajson
from isatools.isajson.validate import check_isa_schemas

logging.disable(logging.CRITICAL)
core = Path(isatools.__file__).parent / "resources/schemas/isa_model_version_1_0_schemas/core"
assert not [one.name for one in core.glob("*.json") if isinstance(json.loads(one.read_text()).get("required"), list)]
check_isa_schemas(json.loads(Path("isa.json").read_text()), str(core / "investigation_schema.json"))
print("schemas of ISA-JSON 1.0: accepted")
missing = ""
try:
    with open("isa.json") as stream:
        isajson.load(stream)
except KeyError as error:
    missing = error.args[0]
with open("isa.json") as stream:
    errors = isajson.validate(stream)["errors"]
print(f"load: KeyError {missing!r}; validate: {errors}")
assert missing == "characteristicCategories", "the behaviour of load changed"
assert [(one["code"], "otherMaterials" in one["supplemental"]) for one in errors] == [(2, True)], "validate changed"
PYTHON
echo "as described: arctrl's valid ISA-JSON is not loaded by isatools"
