"""A screen from OMERO to hits and back: a made plate of 12 wells with known hits, through every tool of the way."""

import importlib.util
from pathlib import Path
from types import ModuleType

import find_hits
import measure_objects
import numpy as np
import omero
import omero_annotate
import omero_arrange_plates
import omero_export_images
import omero_find
import omero_import_table
import profile_wells
import pytest
import segment_objects
import tifffile

from tests.omero.tool_support import Lab, from_table, named, read_rows, typed

DATA = Path(__file__).parents[3] / "test-data"
NAMESPACE = "github.com/bioimage-suite-galaxy/hits"


@pytest.fixture(scope="module")
def made() -> ModuleType:
    """The script that makes the plate, which knows what is in it."""
    spec = importlib.util.spec_from_file_location("made_plate", DATA / "make_plate_test_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def plate(lab: Lab, tmp_path: Path, made: ModuleType) -> None:
    """The plate in OMERO, its layout as key-value pairs of the wells."""
    dataset = lab.container("Dataset", "fields")
    for well in made.WELLS:
        pixels = tifffile.imread(DATA / "plate" / f"made_{well}.ome.tiff")
        planes = {(0, c, 0): channel for c, channel in enumerate(pixels)}
        lab.image(f"made_{well}.ome.tiff", planes, dataset, channels=("DAPI", "GFP"))
    layout = tmp_path / "layout.tsv"
    layout.write_text("image\twell\n" + "".join(f"made_{well}.ome.tiff\t{well}\n" for well in made.WELLS))
    values = {"layout": named("layout", layout), "target": typed("dataset", "fields"), "plate": "made"}
    values |= {"screen": {"by": "none"}, "dry_run": False}
    lab.run(omero_arrange_plates, tmp_path, {"output": "plate.tsv"}, **values)
    rows = ["\t".join(("made", well, *said)) for well, said in made.WELLS.items()]
    notes = tmp_path / "conditions.tsv"
    notes.write_text("\n".join(["plate\twell\tcontrol\tcompound\tdose_uM", *rows]) + "\n")
    annotate(lab, tmp_path, notes, namespace="")


def annotate(lab: Lab, folder: Path, table: Path, namespace: str) -> list[dict[str, str]]:
    values = {"table": named(table.name, table), "within": typed("plate", "made"), "kind": "well"}
    values |= {"mode": "replace", "namespace": namespace, "dry_run": False}
    outputs = {"output": "annotated.tsv", "changes": "changes.tsv"}
    return read_rows(lab.run(omero_annotate, folder, outputs, **values)["changes"])


def measured(lab: Lab, folder: Path, found: Path) -> list[dict[str, str]]:
    """Export, segment and measure each image; return the tables as Galaxy lists them."""
    outputs = {"folder": "images", "metadata": "images.tsv"}
    form = {"kind": "ome_tiff", "names": "well"}
    exported = lab.run(omero_export_images, folder, outputs, target=from_table(found), format=form)
    tables = []
    # An empty well has no threshold of its own: noise would become cells.
    shared = ["--threshold-images", *map(str, sorted(exported["folder"].iterdir()))]
    for row in read_rows(exported["metadata"]):
        image = exported["folder"] / f"{row['image']}.ome.tiff"
        labels, table = folder / f"{row['image']}.labels.tiff", folder / f"{row['image']}.tsv"
        segment_objects.main(["--image", str(image), "--channel=DAPI", "--output", str(labels), *shared])
        measure = ["--labels", str(labels), "--image", str(image), "--image-name", row["image"]]
        measure_objects.main([*measure, "--features", "outline", "intensity", "--output", str(table)])
        tables.append(named(row["image"], table))
    return tables


def screen(lab: Lab, folder: Path, limit: float = 5.0) -> dict[str, Path]:
    """From the plate in OMERO to profiles and hits."""
    listing = {"rows": "image", "columns": ["hierarchy", "conditions"]}
    values = {"target": typed("plate", "made"), "listing": listing}
    found = lab.run(omero_find, folder, {"output": "found.tsv"}, **values)["output"]
    profile = {
        "tables": measured(lab, folder, found),
        "layout": [named("found", found)],
        "features": "area_px, mean_*",
        "reference": {"wells": "negative", "column": "control", "negative": "negative"},
        "method": "mad_robustize",
        "selection": {"operations": ["drop_na_columns"]},
    }
    outputs = {name: f"{name}.tsv" for name in ("profiles", "normalized", "features")}
    profiles = lab.run(profile_wells, folder, outputs, **profile)
    score = {"by": "feature", "feature": "mean_GFP", "limit": limit, "side": "above", "least_objects": 5}
    scoring = {"profiles": named("profiles", profiles["normalized"]), "column": "control", "negative": "negative"}
    scoring |= {"positive": "positive", "score": score, "title": "Screen", "dose": {"fit": "no"}}
    scoring["tag"] = "hit[screen hits]"
    files = {name: f"{name}.out" for name in ("hits", "notes", "quality", "plates", "report")}
    return profiles | lab.run(find_hits, folder, files, **scoring)


def well_pairs(lab: Lab) -> dict[str, dict[str, str]]:
    """Key-value pairs of the wells in the namespace of hits, by well."""
    rows = lab.rows(
        "select l.parent.row, l.parent.column, v.name, v.value from WellAnnotationLink l, MapAnnotation m "
        f"join m.mapValue v where l.child.id = m.id and m.ns = '{NAMESPACE}'"
    )
    found: dict[str, dict[str, str]] = {}
    for row, column, key, value in rows:
        found.setdefault(f"{'ABC'[row]}{column + 1}", {})[key] = value
    return found


def tagged_wells(lab: Lab) -> set[str]:
    """Wells with the tag of hits, which is in its tag set."""
    hql = "select w.row, w.column from WellAnnotationLink l join l.parent w, TagAnnotation t where l.child.id = t.id"
    sets = lab.rows("select p.textValue, c.textValue from AnnotationAnnotationLink l, TagAnnotation p, TagAnnotation c "
                    "where l.parent.id = p.id and l.child.id = c.id")  # fmt: skip
    assert sets == [["screen hits", "hit"]]
    return {f"{'ABC'[row]}{column + 1}" for row, column in lab.rows(f"{hql} and t.textValue = 'hit'")}


@pytest.mark.usefixtures("plate")
def test_the_known_hits_come_home(lab: Lab, tmp_path: Path, made: ModuleType):
    found = screen(lab, tmp_path)
    hits = [row["well"] for row in read_rows(found["hits"]) if row["hit"] == "yes"]
    assert sorted(hits) == sorted(made.HITS)
    counts = {row["well"]: int(row["object_count"]) for row in read_rows(found["profiles"])}
    assert counts == {well: 0 if well == made.EMPTY else 9 for well in made.WELLS}
    for _ in range(2):  # a rerun replaces its own
        annotate(lab, tmp_path, found["notes"], NAMESPACE)
        values = {"tables": [named("profiles", found["normalized"])], "match": typed("plate", "made")}
        values |= {"attach": "container", "table_name": "profiles", "existing": "replace"}
        lab.run(omero_import_table, tmp_path, {"output": "o.tsv", "merged": "m.tsv"}, **values)
    pairs = well_pairs(lab)
    assert {well for well, said in pairs.items() if said["hit"] == "yes"} == set(made.HITS)
    assert len(pairs) == 12
    assert tagged_wells(lab) == set(made.HITS)
    [[links]] = lab.rows(f"select count(l) from WellAnnotationLink l where l.child.ns = '{NAMESPACE}'")
    assert links == 12
    tables = "select count(l) from PlateAnnotationLink l, FileAnnotation f where l.child.id = f.id"
    assert lab.rows(tables) == [[1]]


@pytest.mark.usefixtures("plate")
def test_profiles_stand_in_an_omero_table_with_their_wells(lab: Lab, tmp_path: Path):
    found = screen(lab, tmp_path)
    values = {"tables": [named("profiles", found["normalized"])], "match": typed("plate", "made")}
    values |= {"attach": "container", "table_name": "profiles", "existing": "replace"}
    lab.run(omero_import_table, tmp_path, {"output": "o.tsv", "merged": "m.tsv"}, **values)
    resources = lab.session.sharedResources()
    [[file]] = lab.rows("select f.file.id from PlateAnnotationLink l, FileAnnotation f where l.child.id = f.id")
    table = resources.openTable(omero.model.OriginalFileI(file, False))
    columns = {column.name: type(column).__name__ for column in table.getHeaders()}
    assert (columns["Well"], columns["Plate"]) == ("WellColumn", "PlateColumn")
    data = {column.name: column.values for column in table.read(list(range(len(columns))), 0, 12).columns}
    table.close()
    ids = {(row, column): number for number, row, column in lab.rows("select w.id, w.row, w.column from Well w")}
    written = read_rows(found["normalized"])
    assert data["Well"] == [ids["ABC".index(row["well"][0]), int(row["well"][1:]) - 1] for row in written]
    np.testing.assert_array_equal(data["mean_GFP"], [float(row["mean_GFP"] or "nan") for row in written])


@pytest.mark.usefixtures("plate")
def test_a_rerun_with_another_limit_takes_back_what_is_no_hit_any_more(lab: Lab, tmp_path: Path):
    annotate(lab, tmp_path, screen(lab, tmp_path)["notes"], NAMESPACE)
    annotate(lab, tmp_path, screen(lab, tmp_path, limit=20.0)["notes"], NAMESPACE)
    assert {well for well, said in well_pairs(lab).items() if said["hit"] == "yes"} == {"B4"}
    assert tagged_wells(lab) == {"B4"}
