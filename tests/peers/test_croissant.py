"""mlcroissant finds no issue in the Croissant description of a package, and loads its pixels, pairs and columns."""

import json
from pathlib import Path

from bioimage_suite.fair.products.croissant import croissant, package_name
from bioimage_suite.fair.products.package import make_package, write_product
from tests.unit.fair.made_crates import study

LOAD = """
import mlcroissant
dataset = mlcroissant.Dataset(sys.argv[1])
records = {one.id: list(dataset.records(one.id)) for one in dataset.metadata.record_sets}
answer = {
    "issues": dataset.metadata.issues.report(),
    "records": {name: len(found) for name, found in records.items()},
    "fields": {name: sorted(found[0]) for name, found in records.items()},
}
"""


def test_mlcroissant_loads_what_is_described(peer, tmp_path: Path):
    package = tmp_path / "made.zip"
    write_product(package, make_package("general", study("general")))
    package = package.rename(tmp_path / package_name(package))
    (tmp_path / "croissant.json").write_text(json.dumps(croissant(study("general"), package)))
    found = peer(LOAD, tmp_path / "croissant.json")
    assert found["issues"] == ""
    assert found["records"]["records-images"] == 2
    assert min(found["records"].values()) > 0
    assert all(found["fields"].values())
