"""A public plate of 96 wells through OMERO: the hits of its case study come out, and come home as tags.

It needs the plate's pixels, which this repository does not hold: `PLATE_REPOSITORY` names a clone of the repository
that `tests/training/studies/translocation.py` takes them from.
"""

import json
import os
from pathlib import Path

import numpy as np
import omero_annotate
import omero_arrange_plates
import omero_export_images
import omero_find
import pytest
import tifffile

from tests.omero.tool_support import Lab, from_table, named, read_rows, typed
from tests.training.studies import translocation

KNOWN = Path(__file__).parents[3] / "docs" / "case-studies" / "results.json"
pytestmark = pytest.mark.skipif("PLATE_REPOSITORY" not in os.environ, reason="no clone with the plate's pixels")


@pytest.fixture
def pixels(lab: Lab, tmp_path: Path) -> dict[str, np.ndarray]:
    """The plate in OMERO, with its conditions as key-value pairs; returns the pixels by well."""
    known, dataset, found = translocation.repository(), lab.container("Dataset", "fields"), {}
    for well in translocation.WELLS:
        found[well] = translocation.pixels_of(known, well)
        planes = {(0, c, 0): plane for c, plane in enumerate(found[well])}
        lab.image(f"BBBC013_{well}.tif", planes, dataset, channels=translocation.CHANNELS)
    layout = tmp_path / "layout.tsv"
    layout.write_text("image\twell\n" + "".join(f"BBBC013_{well}.tif\t{well}\n" for well in found))
    values = {"layout": named("layout", layout), "target": typed("dataset", "fields"), "plate": "BBBC013"}
    lab.run(omero_arrange_plates, tmp_path, {"output": "p.tsv"}, screen={"by": "none"}, dry_run=False, **values)
    rows = ["\t".join(("BBBC013", well, *translocation.said_of(well))) for well in found]
    table = tmp_path / "conditions.tsv"
    table.write_text("\n".join(["plate\twell\tcontrol\tcompound\tdose_nM", *rows]) + "\n")
    annotate(lab, tmp_path, table, "")
    return found


def annotate(lab: Lab, folder: Path, table: Path, namespace: str) -> None:
    values = {"table": named(table.name, table), "within": typed("plate", "BBBC013"), "kind": "well"}
    values |= {"mode": "replace", "namespace": namespace, "dry_run": False}
    lab.run(omero_annotate, folder, {"output": "a.tsv", "changes": "c.tsv"}, **values)


def test_a_public_plate_goes_from_omero_to_its_hits_and_back(lab: Lab, tmp_path: Path, pixels: dict[str, np.ndarray]):
    listing = {"rows": "image", "columns": ["hierarchy", "conditions"]}
    target = typed("plate", "BBBC013")
    found = lab.run(omero_find, tmp_path, {"output": "found.tsv"}, target=target, listing=listing)["output"]
    outputs = {"folder": "images", "metadata": "images.tsv"}
    form = {"kind": "ome_tiff", "names": "well"}
    exported = lab.run(omero_export_images, tmp_path, outputs, target=from_table(found), format=form)
    wells = {row["image_id"]: row["well"] for row in read_rows(found)}
    for row in read_rows(exported["metadata"]):
        image = tifffile.imread(exported["folder"] / f"{row['image']}.ome.tiff")
        np.testing.assert_array_equal(image, pixels[wells[row["image_id"]]])
    translocation.screen(tmp_path, list(translocation.measured(exported["folder"])), found)
    annotate(lab, tmp_path, tmp_path / "notes", "github.com/bioimage-suite-galaxy/hits")
    known = json.loads(KNOWN.read_text())["plate-translocation"]
    known = {name: number for name, number in known.items() if not name.startswith("workflow_")}
    hits = [row["well"] for row in read_rows(tmp_path / "hits") if row["hit"] == "yes"]
    assert len(hits) == known["hits_wortmannin"] + known["hits_LY294002"]
    numbers = translocation.numbers_of(tmp_path)
    assert {name: number == pytest.approx(known[name], rel=1e-3) for name, number in numbers.items()} == dict.fromkeys(
        known, True
    )
    hql = "select w.row, w.column from WellAnnotationLink l join l.parent w, TagAnnotation t where l.child.id = t.id"
    assert {f"{'ABCDEFGH'[row]}{column + 1}" for row, column in lab.rows(hql)} == set(hits)
