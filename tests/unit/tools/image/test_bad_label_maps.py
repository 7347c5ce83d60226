"""Bad and extreme input of the tools that track, evaluate, relate, stain and draw: a right answer or a clear error."""

import contextlib
import csv
import json
from collections.abc import Callable
from pathlib import Path

import analyze_spatial_pattern
import evaluate_segmentation
import evaluate_tracking
import filter_objects
import numpy as np
import overlay_objects
import pytest
import quantify_staining
import tifffile
import track_objects

from bioimage_suite.core.errors import UserError

DATA = Path(__file__).parents[4] / "test-data"


def save(path: Path, pixels: np.ndarray, axes: str, **sizes: object) -> Path:
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata={"axes": axes, **sizes})
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def track(folder: Path, labels: Path, *more: str) -> None:
    outputs = ["--objects-out", str(folder / "o"), "--tracks-out", str(folder / "t"), "--images-out", str(folder / "i"),
               "--figure", str(folder / "f.png"), "--relabelled", str(folder / "r.tiff"),
               "--challenge-zip", str(folder / "c.zip"), "--trackmate-xml", str(folder / "x")]  # fmt: skip
    track_objects.main(["--labels", str(labels), "--max-distance", "9", *outputs, *more])


def evaluate(folder: Path, labels: Path, reference: Path | None = None) -> None:
    paths = ["--reference", str(reference or labels), "--result", str(labels)]
    evaluate_tracking.main([*paths, "--measures", str(folder / "o"), "--figure", str(folder / "f.png")])


def relate(folder: Path, labels: Path) -> None:
    tables = ["--objects-out", str(folder / "o"), "--summary-out", str(folder / "s"), "--curves-out", str(folder / "c")]
    pictures = ["--figure", str(folder / "f.png"), "--density-out", str(folder / "d")]
    words = ["--labels", str(labels), "--neighbour-distance", "9", "--simulations", "3", "--radii", "4"]
    analyze_spatial_pattern.main([*words, *tables, *pictures])


def stain(folder: Path, regions: Path) -> None:
    words = ["--image", str(DATA / "ihc.png"), "--regions", str(regions), "--stains", "h_dab", "--positive", "0.2"]
    quantify_staining.main([*words, "--table", str(folder / "o"), "--vectors-out", str(folder / "v")])


def stain_image(folder: Path, image: Path) -> None:
    words = ["--image", str(image), "--stains", "h_dab", "--positive", "0.2", "--figure", str(folder / "f.png")]
    quantify_staining.main([*words, "--table", str(folder / "o"), "--vectors-out", str(folder / "v")])


def draw(folder: Path, labels: Path, image: Path | None = None) -> None:
    listed = {"images": [["a", str(image or labels)]], "labels": [["a", str(labels)]]}
    (folder / "in.json").write_text(json.dumps(listed))
    outputs = ["--output-png", str(folder / "f.png"), "--output-html", str(folder / "o"), "--time=last"]
    overlay_objects.main(["--pairs", str(folder / "in.json"), *outputs])


def draw_image(folder: Path, image: Path) -> None:
    draw(folder, DATA / "nuclei_truth.ome.tiff", image)


def keep(folder: Path, labels: Path, table: str = "label\tarea_px\n", condition: str = "area_px > 1") -> None:
    (folder / "rows.tsv").write_text(table)
    words = ["--labels", str(labels), "--table", str(folder / "rows.tsv"), "--keep", condition]
    filter_objects.main([*words, "--output-labels", str(folder / "r.tiff"), "--output-table", str(folder / "o")])


def judge(folder: Path, labels: Path, true: Path | None = None) -> None:
    words = ["--true", str(true or labels), "--found", str(labels), "--output", str(folder / "o")]
    evaluate_segmentation.main(words)


FROM_LABELS = [track, evaluate, relate, stain, draw, keep, judge]
FROM_IMAGES = [stain_image, draw_image]
Tool = Callable[[Path, Path], None]


@pytest.mark.parametrize("tool", [*FROM_LABELS, *FROM_IMAGES])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((DATA / "not_an_image.tiff").read_bytes(), "not an image of a known format"),
        ((DATA / "truncated.tiff").read_bytes(), "cut short"),
        (b"", "empty"),
    ],
)
def test_files_that_are_no_image(tool: Tool, content: bytes, message: str, tmp_path):
    (tmp_path / "bad.tiff").write_bytes(content)
    with pytest.raises(UserError, match=message):
        tool(tmp_path, tmp_path / "bad.tiff")
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("tool", FROM_LABELS)
def test_float_labels(tool: Tool, tmp_path):
    labels = save(tmp_path / "l.tiff", np.full((3, 256, 256), 0.5, np.float32), "TYX")
    with pytest.raises(UserError, match=r"is 0\.5, which is no label|time points|same size|they differ in T"):
        tool(tmp_path, labels)


@pytest.mark.parametrize("tool", FROM_LABELS)
def test_labels_with_channels(tool: Tool, tmp_path):
    labels = save(tmp_path / "l.tiff", np.zeros((2, 256, 256), np.uint16), "CYX")
    with pytest.raises(UserError, match="2 channels"):
        tool(tmp_path, labels)


NEGATIVE = {"PhysicalSizeX": -0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}


@pytest.mark.parametrize("tool", [*FROM_LABELS, *FROM_IMAGES])
def test_a_physical_size_that_no_pixel_has(tool: Tool, tmp_path, capsys):
    """It is unknown; what else is wrong with this image is another message."""
    labels = save(tmp_path / "l.tiff", np.zeros((64, 64), np.uint16), "YX", **NEGATIVE)
    with contextlib.suppress(UserError):
        tool(tmp_path, labels)
    assert "the physical size along x is -0.5 µm, which cannot be" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", [-5.0, float("nan"), float("inf")])
def test_a_time_between_frames_that_no_movie_has(seconds: float, tmp_path, capsys):
    movie = save(tmp_path / "l.tiff", np.ones((3, 64, 64), np.uint16), "TYX", TimeIncrement=seconds)
    track(tmp_path, movie)
    assert "the time between frames is" in capsys.readouterr().out
    assert "duration_s" not in rows(tmp_path / "t")[0]
    track(tmp_path, movie, "--frame-interval", "5")
    assert rows(tmp_path / "t")[0]["duration_s"] == "10.0"


@pytest.mark.parametrize(
    ("tool", "shape", "axes", "message"),
    [
        (relate, (3, 64, 64), "TYX", "3 time points"),
        (stain, (3, 256, 256), "ZYX", "same size"),
        (stain, (3, 256, 256), "TYX", "same size"),
        (track, (3, 64, 64), "ZYX", "choose z as the axis"),
        (evaluate, (3, 64, 64), "ZYX", "time axis"),
        (draw_image, (3, 512, 512), "TYX", "Give the label map that was made from this image"),
    ],
)
def test_axes_that_a_tool_has_no_use_for(tool: Tool, shape: tuple[int, ...], axes: str, message: str, tmp_path):
    with pytest.raises(UserError, match=message):
        tool(tmp_path, save(tmp_path / "l.tiff", np.ones(shape, np.uint16), axes))
    assert not (tmp_path / "o").exists()


def test_channels_that_an_image_has_not(tmp_path):
    grey = save(tmp_path / "i.tiff", np.zeros((2, 64, 64), np.uint8), "CYX")
    with pytest.raises(UserError, match="2 channels; stains need red, green and blue"):
        stain_image(tmp_path, grey)
    listed = {
        "images": [["a", str(grey)]],
        "labels": [["a", str(save(tmp_path / "l.tiff", np.ones((64, 64), np.uint8), "YX"))]],
    }
    (tmp_path / "in.json").write_text(json.dumps(listed))
    words = ["--pairs", str(tmp_path / "in.json"), "--output-png", str(tmp_path / "f.png"), "--output-html"]
    for channel in ("DAPI", "2", "-1"):
        with pytest.raises(UserError, match=r"does not exist\. Give one of these"):
            overlay_objects.main([*words, str(tmp_path / "o"), f"--channel={channel}"])
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("axes", ["YX", "TYX"])
def test_one_object_that_fills_the_image(axes: str, tmp_path):
    """Constant, one object, at every border: and, with TYX, a movie of one frame that says so."""
    shape = (256, 256) if axes == "YX" else (1, 256, 256)
    labels = save(tmp_path / "l.tiff", np.full(shape, 5, np.uint16), axes)
    track(tmp_path, labels)
    assert [(row["label"], row["area_px"], row["centroid_x_px"]) for row in rows(tmp_path / "o")] == [
        ("5", "65536", "127.5")
    ]
    evaluate(tmp_path, labels)
    assert rows(tmp_path / "o")[0]["SEG"] == "1.0"
    relate(tmp_path, labels)
    assert [row["neighbours"] for row in rows(tmp_path / "o")] == ["0"]
    stain(tmp_path, labels)
    found = rows(tmp_path / "o")
    assert {**found[0], "region": "5"} == found[2]
    draw(tmp_path, labels)
    assert "1 object in 1 image." in (tmp_path / "o").read_text()
    judge(tmp_path, labels)
    assert [rows(tmp_path / "o")[0][name] for name in ("matched_0.7", "dice", "split_objects")] == ["1", "1.0", "0"]
    keep(tmp_path, labels, "label\tarea_px\n5\t65536\n")
    assert (tifffile.imread(tmp_path / "r.tiff") == 5).all()
    keep(tmp_path, labels, "label\tarea_px\n5\t65536\n", "area_px < 9")
    assert not tifffile.imread(tmp_path / "r.tiff").any()
    assert rows(tmp_path / "o") == []


@pytest.mark.parametrize("cell", ["nan", ""])
def test_an_object_without_a_value_is_left_out(cell: str, tmp_path):
    labels = save(tmp_path / "l.tiff", np.array([[1, 1], [2, 0]], np.uint16), "YX")
    keep(tmp_path, labels, f"label\tarea_px\n1\t{cell}\n2\t7\n", "area_px < 9")
    assert [row["label"] for row in rows(tmp_path / "o")] == ["2"]
    assert tifffile.imread(tmp_path / "r.tiff").tolist() == [[0, 0], [2, 0]]


def test_an_infinite_value_is_no_number(tmp_path):
    labels = save(tmp_path / "l.tiff", np.array([[1, 1], [2, 0]], np.uint16), "YX")
    with pytest.raises(UserError, match="a text is compared with a number"):
        keep(tmp_path, labels, "label\tarea_px\n1\tinf\n2\t7\n", "area_px < 9")
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("cell", ["nan", "inf", ""])
def test_values_that_are_no_number_in_tables(cell: str, tmp_path):
    (tmp_path / "t.tsv").write_text(f"frame\tx\ty\n0\t{cell}\t3\n1\t4\t3\n")
    for main, words in (
        (track_objects.main, ["--max-distance", "9", "--objects-out", "--tracks-out"]),
        (analyze_spatial_pattern.main, ["--neighbour-distance", "9", "--curves-out", "--summary-out", "--objects-out"]),
    ):
        files = [
            word for n, one in enumerate(words) for word in ([one, str(tmp_path / f"x{n}")] if "out" in one else [one])
        ]
        with pytest.raises(UserError, match=f"row 1 below the header: x is '{cell}', not a finite number"):
            main(["--table", str(tmp_path / "t.tsv"), *files])


@pytest.mark.parametrize("objects", [0, 1])
def test_a_movie_of_one_frame_with_no_and_with_one_object(objects: int, tmp_path):
    pixels = np.zeros((64, 80), np.uint16)
    pixels[:5, :6] = 70 * objects  # at the border
    labels = save(tmp_path / "l.tiff", pixels, "YX")
    track(tmp_path, labels, "--divisions")
    assert [row["label"] for row in rows(tmp_path / "o")] == ["70"] * objects
    assert [row["mean_speed_px_per_frame"] for row in rows(tmp_path / "t")] == [""] * objects
    assert int(tifffile.imread(tmp_path / "r.tiff").max()) == objects
    relate(tmp_path, labels)
    assert [row["nearest_all_px"] for row in rows(tmp_path / "o")] == [""] * objects
    draw(tmp_path, labels)
    assert f"{objects} object{'' if objects else 's'} in 1 image." in (tmp_path / "o").read_text()
    if not objects:
        with pytest.raises(UserError, match="no object"):
            evaluate(tmp_path, labels)
        return
    evaluate(tmp_path, labels)
    [measures] = rows(tmp_path / "o")
    assert (measures["SEG"], measures["DET"], measures["LNK"], measures["links_in_reference"]) == (
        "1.0",
        "1.0",
        "",
        "0",
    )


def test_labels_above_65535(tmp_path):
    pixels = np.zeros((2, 256, 256), np.int32)
    pixels[:, 10:20, 10:20], pixels[:, 30:40, 30:40] = 70_000, 70_001
    movie = save(tmp_path / "m.tiff", pixels, "TYX")
    track(tmp_path, movie)
    assert {row["label"] for row in rows(tmp_path / "o")} == {"70000", "70001"}
    evaluate(tmp_path, movie)
    assert rows(tmp_path / "o")[0]["TRA"] == "1.0"
    draw(tmp_path, movie)
    assert "2 objects in 1 image." in (tmp_path / "o").read_text()
    flat = save(tmp_path / "l.tiff", pixels[0], "YX")
    relate(tmp_path, flat)
    assert [row["label"] for row in rows(tmp_path / "o")] == ["70000", "70001"]
    stain(tmp_path, flat)
    assert [row["region"] for row in rows(tmp_path / "o")] == ["whole image"] * 2 + ["70000"] * 2 + ["70001"] * 2
    judge(tmp_path, flat)
    assert [rows(tmp_path / "o")[0][name] for name in ("found_objects", "matched_0.7")] == ["2", "2"]
    keep(tmp_path, flat, "label\tarea_px\n70000\t1\n70001\t2\n")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "r.tiff"), np.where(pixels[0] == 70_001, 70_001, 0))


def test_regions_without_a_label(tmp_path):
    stain(tmp_path, save(tmp_path / "l.tiff", np.zeros((256, 256), np.uint16), "YX"))
    assert {row["region"] for row in rows(tmp_path / "o")} == {"whole image"}


@pytest.mark.parametrize("value", [0, 128, 255])
def test_constant_colour_images(value: int, tmp_path):
    from PIL import Image

    Image.new("RGB", (40, 30), (value,) * 3).save(tmp_path / "i.png")
    stain_image(tmp_path, tmp_path / "i.png")
    found = rows(tmp_path / "o")
    assert {row["tissue_px"] for row in found} == {"0" if value == 255 else "1200"}


@pytest.mark.parametrize("fill", [np.nan, np.inf, 5.0])
def test_images_of_nan_and_of_one_value_are_drawn_black(fill: float, tmp_path):
    image = save(tmp_path / "i.tiff", np.full((512, 512), fill, np.float32), "YX")
    draw_image(tmp_path, image)
    assert "125 objects" in (tmp_path / "o").read_text()


def test_what_belongs_together_but_differs_in_size_or_length(tmp_path):
    pixels = np.zeros((3, 40, 40), np.uint16)
    pixels[:, 5:9, 5:9] = 1
    whole = save(tmp_path / "a.tiff", pixels, "TYX")
    with pytest.raises(UserError, match="40"):
        evaluate(tmp_path, save(tmp_path / "b.tiff", pixels[:, :30], "TYX"), whole)
    with pytest.raises(UserError, match="frames"):
        evaluate(tmp_path, save(tmp_path / "c.tiff", pixels[:2], "TYX"), whole)
    flat, less = save(tmp_path / "d.tiff", pixels[0], "YX"), save(tmp_path / "e.tiff", pixels[0, :30], "YX")
    for tool in (judge, draw):
        with pytest.raises(UserError, match=r"T, Z, Y, X = \(1, 1, 30, 40\)"):
            tool(tmp_path, less, flat)
    with pytest.raises(UserError, match=r"image ihc\.png has Y, X = \(256, 256\)"):
        stain(tmp_path, flat)
    words = ["--labels", str(flat), str(less), "--neighbour-distance", "9", "--objects-out", str(tmp_path / "x")]
    with pytest.raises(UserError, match="their sizes"):
        analyze_spatial_pattern.main(
            [*words, "--summary-out", str(tmp_path / "s"), "--curves-out", str(tmp_path / "c")]
        )
    with pytest.raises(UserError, match="object 7 is not in label map"):
        keep(tmp_path, flat, "label\tarea_px\n1\t16\n7\t3\n")
    assert not (tmp_path / "o").exists()
