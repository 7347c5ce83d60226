"""Bad and extreme input of the tools that track, evaluate, relate, stain and draw: a right answer or a clear error."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import analyze_spatial_pattern
import evaluate_tracking
import numpy as np
import overlay_objects
import pytest
import quantify_staining
import tifffile
import track_objects
from tool_errors import UserError

DATA = Path(__file__).parents[2] / "test-data"


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


FROM_LABELS = [track, evaluate, relate, stain, draw]
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
    labels = save(tmp_path / "l.tiff", np.zeros((3, 256, 256), np.float32), "TYX")
    with pytest.raises(UserError, match="not integers"):
        tool(tmp_path, labels)


@pytest.mark.parametrize("tool", FROM_LABELS)
def test_labels_with_channels(tool: Tool, tmp_path):
    labels = save(tmp_path / "l.tiff", np.zeros((2, 256, 256), np.uint16), "CYX")
    with pytest.raises(UserError, match="2 channels"):
        tool(tmp_path, labels)


@pytest.mark.parametrize("tool", [track, relate, draw])
def test_a_physical_size_that_no_pixel_has(tool: Tool, tmp_path):
    sizes = {"PhysicalSizeX": -0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
    labels = save(tmp_path / "l.tiff", np.zeros((64, 64), np.uint16), "YX", **sizes)
    with pytest.raises(UserError, match=r"physical size along x is -0\.5"):
        tool(tmp_path, labels)


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


def test_reference_and_result_of_different_size_or_length(tmp_path):
    pixels = np.zeros((3, 40, 40), np.uint16)
    pixels[:, 5:9, 5:9] = 1
    whole = save(tmp_path / "a.tiff", pixels, "TYX")
    with pytest.raises(UserError, match="40"):
        evaluate(tmp_path, save(tmp_path / "b.tiff", pixels[:, :30], "TYX"), whole)
    with pytest.raises(UserError, match="frames"):
        evaluate(tmp_path, save(tmp_path / "c.tiff", pixels[:2], "TYX"), whole)
