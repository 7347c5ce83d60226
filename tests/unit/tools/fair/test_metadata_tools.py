"""metadata_template, validate_metadata and metadata_report, one after the other."""

import csv
import json
from pathlib import Path

import pytest
from metadata_report import main as report_main
from metadata_template import main as template_main
from validate_metadata import main as validate_main

from bioimage_suite.core.errors import UserError
from tests.unit.fair.metadata_samples import DATA


def write_list(path: Path, *names: str) -> Path:
    path.write_text(json.dumps([{"path": str(DATA / name), "name": name} for name in names]))
    return path


def run(main, *arguments: object) -> None:
    main([str(argument) for argument in arguments])


def test_template_validation_and_report_chain(tmp_path: Path):
    files = write_list(tmp_path / "images.json", "cells_a.ome.tiff", "cells_b.ome.tiff")
    run(template_main, "--images", files, "--form", "schema", "--output", tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text())["type"] == "array"
    filled = write_list(tmp_path / "filled.json", "template_rembi.csv")
    outputs = ("--table", tmp_path / "m.tsv", "--findings", tmp_path / "f.tsv", "--report", tmp_path / "f.html")
    run(validate_main, "--metadata", filled, "--images", files, "--on-errors", "fail", *outputs)
    counts = ("--image-completeness", tmp_path / "i.tsv", "--field-completeness", tmp_path / "c.tsv")
    run(
        report_main,
        "--metadata",
        tmp_path / "m.tsv",
        "--images",
        files,
        *counts,
        "--report",
        tmp_path / "r.html",
    )
    with (tmp_path / "i.tsv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert [row["image"] for row in rows] == ["cells_a.ome.tiff", "cells_b.ome.tiff"]
    assert rows[0]["Study component (%)"] == "100"


def test_a_workflow_stops_with_a_readable_list_and_nothing_is_written(tmp_path: Path):
    filled = write_list(tmp_path / "filled.json", "key_values_old_scripts.csv")
    arguments = ("--metadata", filled, "--on-errors", "fail", "--table", tmp_path / "m", "--findings", tmp_path / "f")
    with pytest.raises(UserError, match=r"key_values_old_scripts.csv line 2: B \(Organism\): 'Homo sapien'"):
        run(validate_main, *arguments, "--report", tmp_path / "r")
    assert [path.name for path in tmp_path.iterdir()] == ["filled.json"]
