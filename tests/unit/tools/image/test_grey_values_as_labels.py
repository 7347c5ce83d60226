"""An image given in place of a label map: a tool that makes objects of it refuses, one that only shows it says so."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import analyze_spatial_pattern
import convert_image
import evaluate_segmentation
import evaluate_tracking
import export_qupath
import export_spatialdata
import filter_objects
import measure_objects
import overlay_objects
import pytest
import quantify_staining
import track_objects
import vitessce_view

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero.rois.label_map_file import describe_label_map
from scripts.suite_files import ROOT, tool_xml_files

DATA = ROOT / "test-data"
IMAGE, LABELS = DATA / "nuclei.ome.tiff", DATA / "nuclei_truth.ome.tiff"
Call = Callable[[Path, Path], object]


def run(tool: object, **words: object) -> None:
    """Call a tool's main: `a_b="x"` is `--a-b x`, True is a flag."""
    made = [[f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])] for name, value in words.items()]
    tool.main([word for one in made for word in one])  # type: ignore[attr-defined]


def listed(folder: Path, **kinds: Path) -> Path:
    (folder / "in.json").write_text(json.dumps({kind: [["a", str(path)]] for kind, path in kinds.items()}))
    return folder / "in.json"


def keep(labels: Path, to: Path) -> None:
    (to / "t.tsv").write_text("label\tarea_px\n1\t9\n")
    run(
        filter_objects,
        labels=labels,
        table=to / "t.tsv",
        keep="area_px > 1",
        output_labels=to / "l",
        output_table=to / "o",
    )


def relate(to: Path, **more: Path) -> None:
    where = {"objects_out": to / "o", "summary_out": to / "s", "curves_out": to / "c"}
    run(analyze_spatial_pattern, neighbour_distance=9, simulations=3, radii=4, **more, **where)


def show(labels: Path, to: Path) -> None:
    (to / "name").write_text("a")
    (to / "config").write_text('{"image_address": "https://example.org/image.zarr"}')
    run(vitessce_view, config=to / "config", name=to / "name", labels=labels, view=to / "o", page=to / "p")


def track(labels: Path, to: Path) -> None:
    run(track_objects, labels=labels, max_distance=9, objects_out=to / "o", tracks_out=to / "t")


def stain(labels: Path, to: Path) -> None:
    run(quantify_staining, image=DATA / "ihc.png", regions=labels, stains="h_dab", positive=0.2, table=to / "o",
        vectors_out=to / "v")  # fmt: skip


def carry(labels: Path, to: Path) -> None:
    run(convert_image, image=IMAGE, labels=labels, format="ozx", output=to / "o")


REFUSE: dict[str, Call] = {
    "measure_objects": lambda labels, to: run(measure_objects, labels=labels, output=to / "o"),
    "measure_objects: children": lambda labels, to: run(
        measure_objects, labels=LABELS, children=labels, children_name="x", output=to / "o", output_children=to / "p"
    ),
    "filter_objects": keep,
    "overlay_objects": lambda labels, to: run(
        overlay_objects, pairs=listed(to, images=IMAGE, labels=labels), output_png=to / "f.png", output_html=to / "o"
    ),
    "analyze_spatial_pattern": lambda labels, to: relate(to, labels=labels),
    "analyze_spatial_pattern: region": lambda labels, to: relate(to, labels=LABELS, region=labels),
    "evaluate_segmentation": lambda labels, to: run(evaluate_segmentation, true=LABELS, found=labels, output=to / "o"),
    "evaluate_segmentation: true": lambda labels, to: run(
        evaluate_segmentation, true=labels, found=LABELS, output=to / "o"
    ),
    "evaluate_tracking": lambda labels, to: run(evaluate_tracking, reference=LABELS, result=labels, measures=to / "o"),
    "track_objects": track,
    "quantify_staining": stain,
    "export_qupath": lambda labels, to: run(export_qupath, labels=labels, output=to / "o"),
    "export_spatialdata": lambda labels, to: run(
        export_spatialdata, inputs=listed(to, images=IMAGE, labels=labels), spatialdata=to / "o"
    ),
    "omero_import_rois": lambda labels, _: describe_label_map("a", labels),
}
NOTE: dict[str, Call] = {
    "convert_image": carry,
    "vitessce_view": show,
    "omero_import_labels": lambda labels, _: describe_label_map("a", labels, carried=True),
}


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The image, or one of the size of the tissue, with grey values."""
    import numpy as np
    import tifffile

    folder = tmp_path_factory.mktemp("grey")
    noise = np.random.default_rng(1).poisson(40, (256, 256)).astype(np.uint16)
    tifffile.imwrite(folder / "tissue.ome.tiff", noise, photometric="minisblack", metadata={"axes": "YX"})
    return lambda tool: folder / "tissue.ome.tiff" if tool == "quantify_staining" else IMAGE


@pytest.mark.parametrize("tool", REFUSE)
def test_objects_are_not_made_of_grey_values(tool: str, grey: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"pieces, as grey values are\. Was the image given in its place\?"):
        REFUSE[tool](grey(tool), tmp_path)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("tool", NOTE)
def test_grey_values_are_carried_with_a_note(tool: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    NOTE[tool](IMAGE, tmp_path)
    assert re.search(r"NOTE: Label map .* pieces, as grey values are\. Was the image", capsys.readouterr().out)


def test_every_tool_that_takes_label_maps_is_here() -> None:
    data = re.compile(r"<param[^>]*type=\"data[^>]*label=\"[^\"]*(?:[Ll]abel map|Regions?\")|LABEL_FORMATS")
    taking = {path.stem for path in tool_xml_files() if data.search(path.read_text(encoding="utf-8"))}
    known = {name.partition(":")[0] for name in (*REFUSE, *NOTE)}
    # What it takes are files of any kind, to list them.
    assert taking - {"build_crate"} == known
