"""What a biologist types finds the tool: in the box above Galaxy's tool panel, and in Galaxy's server.

The box looks for the words in names and descriptions only: side by side in this order, or two of them anywhere, written
in the same way. The server reads the help, too. Words of methods that the suite has not, such as colocalization by
correlation, find nothing.
"""

import json
import subprocess
from functools import cache
from xml.etree import ElementTree

import pytest

from scripts.suite_files import ROOT, tool_xml_files

GALAXY = ROOT / ".venv" / "galaxy"
QUERIES = {
    "segment_objects": ["nuclei", "cells", "segmentation", "cell segmentation", "segment nuclei", "find cells", "DAPI",
                        "nuclei segmentation", "spot detection", "threshold", "otsu", "watershed"],
    "segment_with_model": ["deep learning", "stardist", "cellpose", "u-net", "unet", "onnx", "bioimage model zoo"],
    "measure_objects": ["count cells", "cell counting", "count nuclei", "count", "nuclei", "intensity",
                        "mean intensity", "shape", "texture", "measure", "spots in nuclei"],
    "track_objects": ["cell tracking", "track cells", "time-lapse", "time lapse", "migration", "lineage", "speed",
                      "movie"],
    "analyze_spatial_pattern": ["nearest neighbour", "ripley", "clusters", "spatial", "density"],
    "quantify_staining": ["histology", "ihc", "h&e", "dab", "staining", "colour deconvolution", "color deconvolution"],
    "overlay_objects": ["outlines", "overlay", "check segmentation"],
    "convert_image": ["convert", "czi", "nd2", "ome-tiff", "ome-zarr", "microscope"],
    "image_info": ["pixel size", "channels", "metadata"],
    "summarize_measurements": ["statistics", "box plot", "boxplot", "compare groups", "summary"],
    "filter_objects": ["small objects", "remove small objects", "filter"],
    "evaluate_segmentation": ["ground truth", "iou", "dice", "evaluate"],
    "omero_find": ["omero", "find images"],
    "omero_export_images": ["download images", "omero export", "export images"],
    "omero_import_images": ["upload images", "import images", "upload"],
    "omero_import_rois": ["roi", "regions of interest", "import rois"],
    "omero_annotate": ["key-value", "tags", "annotate"],
    "correct_illumination": ["flat field", "flatfield", "shading", "illumination"],
    "profile_wells": ["cell painting", "profiling", "wells"],
    "find_hits": ["dose response", "dose-response", "hits", "screen", "ec50"],
    "import_measurements": ["cellprofiler", "qupath"],
    "build_crate": ["ro-crate", "zenodo", "deposit", "publish"],
    "search_archives": ["bioimage archive", "idr", "archives"],
    "metadata_template": ["rembi", "metadata template"],
    "montage_hits": ["gallery", "montage"],
    "vitessce_view": ["vitessce", "view image"],
}  # fmt: skip
ALL = sorted({query for queries in QUERIES.values() for query in queries})
OF_HELP = {"analyze_spatial_pattern": ["tumour"], "measure_objects": ["haralick"]}
OF_BOX = {"h&e"}
"""Found in names and descriptions only: the server's index drops words of one letter."""


@cache
def found_in_box() -> dict[str, list[str]]:
    """The ids that the search box of Galaxy's client lists for each query."""
    (worker,) = (GALAXY / "static" / "dist" / "assets").glob("toolSearch.worker-*.js")
    roots = [ElementTree.parse(path).getroot() for path in tool_xml_files()]
    tools = [
        {"id": one.get("id"), "name": one.get("name"), "description": one.findtext("description")} for one in roots
    ]
    command = [str(GALAXY / "bin" / "node"), str(ROOT / "tests/galaxy/tool_search.mjs"), str(worker)]
    asked = json.dumps({"tools": tools, "queries": ALL})
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@cache
def found_by_server() -> dict[str, list[str]]:
    """The ids that Galaxy's server finds for each query."""
    words = [*ALL, *(query for queries in OF_HELP.values() for query in queries)]
    command = [str(GALAXY / "bin" / "python"), "-m", "tests.galaxy.tool_search", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("tool", QUERIES)
def test_the_box_above_the_tools_finds_what_a_biologist_types(tool: str) -> None:
    missed = {query: found_in_box()[query] for query in QUERIES[tool] if tool not in found_in_box()[query]}
    assert missed == {}


@pytest.mark.parametrize("tool", QUERIES)
def test_the_server_finds_it_too(tool: str) -> None:
    queries = [query for query in QUERIES[tool] if query not in OF_BOX]
    missed = {query: found_by_server()[query] for query in queries if tool not in found_by_server()[query]}
    assert missed == {}


def test_the_server_reads_the_help() -> None:
    for tool, queries in OF_HELP.items():
        assert all(tool in found_by_server()[query] for query in queries), tool


def test_a_method_that_is_not_there_is_not_promised() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in tool_xml_files()).lower()
    assert "colocali" not in texts
