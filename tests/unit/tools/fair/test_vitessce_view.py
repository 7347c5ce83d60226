"""vitessce_view as a whole."""

import json
from pathlib import Path

import vitessce_view

DATA = Path(__file__).resolve().parents[4] / "test-data"


def test_the_command(tmp_path: Path) -> None:
    config, name, view, page = (tmp_path / file for file in ("c.json", "name.txt", "v.json", "p.html"))
    config.write_text(json.dumps({"feature_x": "eccentricity"}))
    name.write_text("nuclei\n")
    table = DATA / "fair_archives" / "nuclei_measured.tabular"
    arguments = ["--config", config, "--name", name, "--table", table, "--view", view, "--page", page]
    vitessce_view.main([str(argument) for argument in arguments])
    assert json.loads(view.read_text())["coordinationSpace"]["embeddingType"] == {"A": "eccentricity and area_px"}
    assert page.read_text().startswith("<!DOCTYPE html>")
