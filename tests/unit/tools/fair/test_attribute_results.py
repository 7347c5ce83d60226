"""attribute_results as a whole."""

import json
from pathlib import Path

import attribute_results

DATA = Path(__file__).resolve().parents[4] / "test-data" / "fair_archives"


def test_the_command(tmp_path: Path) -> None:
    listed = [
        {"path": str(DATA / f"{name}.tabular"), "name": name} for name in ("measured_cells", "measured_more_cells")
    ]
    (tmp_path / "list.json").write_text(json.dumps(listed))
    arguments = ["--results", str(tmp_path / "list.json"), "--origin", str(DATA / "origin.tabular")]
    arguments += ["--output", str(tmp_path / "out.tsv"), "--report", str(tmp_path / "out.html")]
    attribute_results.main(arguments)
    lines = (tmp_path / "out.tsv").read_text().splitlines()
    assert len(lines) == 4
    assert all(line.count("\t") == 8 for line in lines)
    assert "Josiah Carberry" in (tmp_path / "out.html").read_text()
