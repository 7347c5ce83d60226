"""profile_wells and find_hits from the made plate's tables to its known hits, with all outputs."""

import json
from pathlib import Path

import find_hits
import profile_wells
import pytest

from bioimage_suite.core.errors import UserError

ROOT = Path(__file__).parents[4]
DATA = ROOT / "test-data"


def named(name: str) -> dict[str, str]:
    return {"source_path": str(DATA / name), "element_identifier": name}


def rows_of(path: Path) -> list[dict[str, str]]:
    header, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


def run(module, folder: Path, config: dict, *outputs: str) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    module.main(["--config", str(folder / "config.json"), *(f"--{name}={folder / name}" for name in outputs)])
    return folder


def hits(folder: Path, **more: object) -> Path:
    score = {"by": "feature", "feature": "mean_GFP", "limit": 5, "side": "above", "least_objects": 1}
    config = {"profiles": named("plate_profiles.tabular"), "column": "control", "negative": "negative"}
    config |= {"positive": "positive", "score": score, "title": "<b>Screen", "replicates": "compound"}
    config |= {"dose": {"fit": "yes", "compound": "compound", "dose": "dose_uM"}, **more}
    outputs = ("hits", "notes", "quality", "plates", "report", "report-markdown", "curves", "curves-plot")
    return run(find_hits, folder, config, *outputs)


def test_profiles_of_the_made_plate_are_those_of_the_test_data(tmp_path: Path):
    reference = {"wells": "negative", "column": "control", "negative": "negative"}
    config = {"tables": [named("plate_cells.tabular")], "layout": [named("plate_layout.tabular")], "features": "*"}
    config |= {"reference": reference, "method": "mad_robustize", "more": None}
    config["selection"] = {"operations": ["drop_na_columns", "variance_threshold", "correlation_threshold"]}
    run(profile_wells, tmp_path, config, "profiles", "normalized", "features")
    assert (tmp_path / "normalized").read_text() == (DATA / "plate_profiles.tabular").read_text()
    said = {row["feature"]: row["reason"] for row in rows_of(tmp_path / "features")}
    assert said["constant"] == "the same in all reference wells of a plate"
    assert said["class"] == "holds texts"


def test_the_known_hits_and_what_is_said_of_them(tmp_path: Path):
    hits(tmp_path)
    assert {row["well"]: row["rank"] for row in rows_of(tmp_path / "hits") if row["hit"] == "yes"} == {
        "B4": "1",
        "B3": "2",
    }
    [curve, other] = rows_of(tmp_path / "curves")
    assert float(curve["ec50"]) == pytest.approx(10, rel=0.1)
    assert other["note"] == "fewer than 4 doses"
    page = (tmp_path / "report").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert "<b>Screen" not in page
    markdown = (tmp_path / "report-markdown").read_text()
    assert 'output="plates"' in markdown
    assert 'output="curves_plot"' in markdown
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("plates", "curves-plot"))


def test_a_real_plate_gives_the_curves_and_hits_of_its_case_study(tmp_path: Path):
    table = ROOT / "tools" / "plate" / "find_hits" / "test-data" / "translocation_profiles.tabular"
    score = {"by": "feature", "feature": "nuclei_ratio_GFP", "limit": 10, "side": "above", "least_objects": 20}
    dose = {"fit": "yes", "compound": "compound", "dose": "dose_nM"}
    profiles = {"source_path": str(table), "element_identifier": "profiles"}
    hits(tmp_path, profiles=profiles, score=score, dose=dose)
    known = json.loads((ROOT / "docs" / "case-studies" / "results.json").read_text())["plate-translocation"]
    for curve in rows_of(tmp_path / "curves"):
        name = curve["compound"]
        assert float(curve["ec50"]) == pytest.approx(known[f"ec50_{name}"], rel=1e-3)
        found = [row for row in rows_of(tmp_path / "hits") if row["compound"] == name and row["hit"] == "yes"]
        assert len(found) == known[f"hits_{name}"]
        assert min(float(row["dose_nM"]) for row in found) == pytest.approx(
            known[f"least_dose_of_hits_{name}"], rel=1e-3
        )
    quality = {row["feature"]: row for row in rows_of(tmp_path / "quality")}
    assert float(quality["nuclei_ratio_GFP"]["z_prime"]) == pytest.approx(known["z_prime"], rel=1e-3)
    assert "1 plate, 96 wells, 18,207 objects, 6 features" in (tmp_path / "report").read_text()


def test_a_failed_run_leaves_nothing(tmp_path: Path):
    with pytest.raises(UserError, match="condition 'treatment'"):
        hits(tmp_path, replicates="treatment")
    assert {path.name for path in tmp_path.iterdir()} == {"config.json"}
