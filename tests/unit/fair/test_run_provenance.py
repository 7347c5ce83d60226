"""Workflow runs in crates: what the run read and made, and only that, is said to come from it."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.products.package import make_package, write_package
from bioimage_suite.fair.products.run_provenance import RUN_PATH, read_workflow_run, run_summary
from tests.unit.fair.made_crates import DATA, crate, entity, of_type, root, study

RUN = DATA / "workflow_run.crate.zip"


def _changed(tmp_path: Path, change: Any, *extra: tuple[str, bytes]) -> Path:
    """The run's crate with another graph and further members."""
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(RUN) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "ro-crate-metadata.json":
                document = json.loads(data)
                change(document)
                data = json.dumps(document).encode()
            target.writestr(name, data)
        for name, data in extra:
            target.writestr(name, data)
    return path


def test_files_of_a_run_are_found_by_name_and_by_content():
    """The images stand in a collection by name; the label map has Galaxy's name, but its bytes are in the crate."""
    action = next(of_type(crate("general"), "CreateAction"))
    assert action["object"] == [{"@id": "images/cells_a.ome.tiff"}, {"@id": "images/cells_b.ome.tiff"}]
    assert action["result"] == [{"@id": "annotations/cells_a.ome.tiff"}]
    assert action["startTime"] == "2026-01-20T10:00:00Z"


def test_an_image_that_the_run_did_not_read_is_not_said_to_be_its_input(tmp_path: Path):
    def one_image(document: dict[str, Any]) -> None:
        entity(document, "#images")["hasPart"].pop()
        entity(document, "#run").pop("result")

    run = read_workflow_run(_changed(tmp_path, one_image), "run")
    made = make_package("general", study("general"), run=run).crate
    assert made is not None
    action = next(of_type(made, "CreateAction"))
    assert action["object"] == [{"@id": "images/cells_a.ome.tiff"}]
    assert "result" not in action
    assert run_summary(study("general"), run) == "Run of Find nuclei: read 1 of 2 images, made 0 of 2 other files"


def test_the_workflow_is_a_computational_workflow_that_the_root_mentions():
    document = crate("general")
    workflow = entity(document, "#workflow")
    assert workflow["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    assert workflow["url"] == "https://example.org/workflows/nuclei"
    assert {"@id": "#workflow-run"} in root(document)["mentions"]
    assert entity(document, "#workflow-run")["subjectOf"] == {"@id": RUN_PATH}


def test_gide_names_the_workflow_but_no_file():
    run = read_workflow_run(RUN, "run")
    document = make_package("gide", study("gide"), run=run).crate
    assert document is not None
    assert {"@id": "#workflow-run"} in root(document)["mentions"]
    action = entity(document, "#workflow-run")
    assert action["instrument"] == {"@id": "#workflow"}
    assert not {"object", "result", "subjectOf"} & set(action)


def test_the_bioimage_archive_gets_the_run_as_a_dataset_with_its_protocol():
    run = read_workflow_run(RUN, "run")
    package = make_package("bia", study("bia"), run=run)
    assert package.files[RUN_PATH] == RUN
    assert package.crate is not None
    assert {"@id": "#workflow-run/"} in root(package.crate)["hasPart"]
    rows = {
        row["file_path"]: row for row in csv.DictReader(io.StringIO(package.texts["file_list.tsv"]), delimiter="\t")
    }
    protocols = {path for path, row in rows.items() if row["associated_protocol"] == "#workflow-run-protocol"}
    assert protocols == {RUN_PATH, "annotations/cells_a.ome.tiff"}
    assert RUN_PATH in package.texts["file_lists/results.json"]


def test_a_crate_above_2_gb_is_read(tmp_path: Path):
    """Its directory says 3 GB; only the metadata are unpacked."""
    path = tmp_path / "big.zip"
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        archive.writestr("datasets/big.tiff", b"")
        archive.writestr("ro-crate-metadata.json", zipfile.ZipFile(RUN).read("ro-crate-metadata.json"))
        big = archive.getinfo("datasets/big.tiff")
        big.file_size = 3 << 30
    assert read_workflow_run(path, "run").workflow_name == "Find nuclei"


def test_what_is_wrong_with_a_run_s_crate_is_said(tmp_path: Path):
    run = read_workflow_run(_changed(tmp_path, lambda d: entity(d, "./").pop("datePublished")), "run")
    assert "breaks rules of RO-Crate (1): ./" in run_summary(study("general"), run)
    assert read_workflow_run(RUN, "run").findings == ()


def test_a_zip_that_is_no_workflow_run_is_refused(tmp_path: Path):
    write_package(tmp_path / "p.zip", make_package("general", study("general")))
    with pytest.raises(UserError, match="names no ComputationalWorkflow"):
        read_workflow_run(tmp_path / "p.zip", "p.zip")
    workflow = _changed(tmp_path, lambda d: d["@graph"].remove(entity(d, "#run")))
    with pytest.raises(UserError, match="no run of it"):
        read_workflow_run(workflow, "w.zip")
