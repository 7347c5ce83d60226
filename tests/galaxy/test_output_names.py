"""The name of every output says which tool made it, of what, and what it is."""

import json
import subprocess
from functools import cache
from typing import Any
from xml.etree import ElementTree

from scripts.suite_files import ROOT, tool_xml_files

PYTHON = ROOT / ".venv" / "galaxy" / "bin" / "python"


@cache
def named(form: str) -> dict[str, dict[str, str]]:
    """Names of outputs, by tool and output, as Galaxy makes them."""
    command = [str(PYTHON), "-m", "tests.galaxy.output_names", form]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def names(**form: Any) -> dict[str, dict[str, str]]:
    return named(json.dumps(form))


FILES = {
    "target": {"source": "table"}, "do": {"mode": "unpack"}, "what": {"kind": "list"}, "standard": "rembi",
    "source": "x",
}  # fmt: skip


def test_what_is_made_from_files_says_from_which() -> None:
    found = names(on="dataset 5 and collection 7", **FILES)
    title = {path.stem: ElementTree.parse(path).getroot().get("name") for path in tool_xml_files()}
    assert set(found) == set(title)
    for tool, outputs in found.items():
        assert outputs, tool
        for output, name in outputs.items():
            begin, _, what = name.partition(": ")
            assert begin == f"{title[tool]} on dataset 5 and collection 7", (tool, output, name)
            assert what, (tool, output, name)


def test_a_label_map_says_so_that_no_form_offers_it_as_an_image() -> None:
    found = names(on="dataset 5", **FILES)
    for tool, output in (
        ("segment_objects", "output"), ("segment_objects", "output_cells"), ("segment_with_model", "labels"),
        ("filter_objects", "output_labels"), ("track_objects", "relabelled"), ("omero_export_labels", "labels"),
        ("omero_export_rois", "label_maps"),
    ):  # fmt: skip
        assert "label map" in found[tool][output].partition(": ")[2]


def test_no_two_outputs_of_a_tool_have_one_name() -> None:
    for tool, outputs in names(on="dataset 5", **FILES).items():
        assert len(set(outputs.values())) == len(outputs), (tool, outputs)


def test_what_comes_out_of_omero_says_of_which_objects() -> None:
    target = {"source": "typed", "kind": "dataset", "objects": 'Nuclei upper half\n"a, b"'}
    found = names(target=target, do={"mode": "pack", "target": target})
    exported = found["omero_export_images"]["images"]
    assert exported == 'Export images from OMERO on dataset Nuclei upper half, "a, b": images'
    for tool in ("find", "export_labels", "export_rois", "export_table", "get_annotations", "transfer"):
        for name in found[f"omero_{tool}"].values():
            assert ' on dataset Nuclei upper half, "a, b": ' in name
    found = names(target={"source": "all"})
    assert found["omero_find"]["output"] == "Find images in OMERO on all images: object table"


def test_what_comes_from_archives_says_of_which_study() -> None:
    searched = names(text="mitosis", organism="", method=None)["search_archives"]
    assert searched["studies"] == "Search image archives for mitosis: studies"
    assert names(text="", organism="", method="")["search_archives"]["studies"] == "Search image archives: studies"
    fetched = names(what={"kind": "accession", "accession": " S-BIAD1026"})["fetch_archive"]
    assert fetched["files"] == "Fetch files of an archive on S-BIAD1026: files"
    remote = names(what={"kind": "zarr", "address": "https://example.org/a.zarr"})["fetch_archive"]
    assert remote["files"] == "Fetch files of an archive on https://example.org/a.zarr: files"


def test_what_is_made_of_nothing_has_a_plain_name() -> None:
    assert names(standard="rembi")["metadata_template"]["output"] == "Make a metadata template: rembi"
