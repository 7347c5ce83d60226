"""Bad and extreme input of the tools that describe, convert, segment and measure: a right answer or a clear error."""

import csv
from collections.abc import Callable
from pathlib import Path

import convert_image
import image_info
import measure_objects
import numpy as np
import pytest
import segment_objects
import segment_with_model
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.image_file import ImageFile
from bioimage_suite.images.readers.opening import open_image
from tests.unit.tools.image.ome_documents import RICH

DATA = Path(__file__).parents[4] / "test-data"
Tool = Callable[..., None]


def save(path: Path, pixels: np.ndarray, axes: str = "YX", **sizes: object) -> Path:
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata={"axes": axes, **sizes})
    return path


def describe(folder: Path, image: Path, *more: str) -> None:
    image_info.main(["--image", str(image), "--output", str(folder / "o"), *more])


def to_tiff(folder: Path, image: Path, *more: str) -> None:
    convert_image.main(["--image", str(image), "--format=ome-tiff", "--check", "--output", str(folder / "o"), *more])


def to_zarr(folder: Path, image: Path, *more: str) -> None:
    convert_image.main(["--image", str(image), "--format=ozx", "--check", "--output", str(folder / "o"), *more])


def segment(folder: Path, image: Path, *more: str) -> None:
    segment_objects.main(["--image", str(image), "--output", str(folder / "o"), "--min-area=1", *more])


def segment_volume(folder: Path, image: Path, *more: str) -> None:
    segment(folder, image, "--volume", *more)


def segment_cells(folder: Path, image: Path, *more: str) -> None:
    segment(folder, image, "--cells-by=distance", "--cell-distance=2", "--output-cells", str(folder / "c"), *more)


def predict(folder: Path, image: Path, *more: str) -> None:
    words = ["--image", str(image), "--model", str(DATA / "tiny_model.zip"), "--skip-test", "--meaning=foreground"]
    segment_with_model.main([*words, "--min-size=1", "--labels", str(folder / "o"), *more])


def measure(folder: Path, labels: Path, *more: str) -> None:
    outputs = ["--output", str(folder / "o"), "--output-summary", str(folder / "s")]
    measure_objects.main(["--labels", str(labels), "--neighbours-within=9", *outputs, *more])


def measure_grey(folder: Path, image: Path, *more: str) -> None:
    """Measure an image with the label map of its own size."""
    pixels = np.ones((64, 64), np.uint8)
    measure(folder, save(folder / "labels.tiff", pixels), "--image", str(image), *more)


SEGMENTING = [segment, segment_volume, segment_cells, predict]
EVERY = [describe, to_tiff, to_zarr, *SEGMENTING, measure, measure_grey]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def label_map(folder: Path) -> tuple[ImageFile, np.ndarray]:
    labels = open_image(folder / "o")
    return labels, np.stack([[labels.read_plane(t, 0, z) for z in range(labels.size_z)] for t in range(labels.size_t)])


def disks(*centres: tuple[int, int]) -> np.ndarray:
    y, x = np.indices((64, 64))
    return np.any([np.hypot(y - row, x - column) <= 6 for row, column in centres], axis=0) * np.uint8(200)


@pytest.mark.parametrize("tool", EVERY)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((DATA / "not_an_image.tiff").read_bytes(), "not an image of a known format"),
        ((DATA / "truncated.tiff").read_bytes(), "cut short"),
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n and no more", "damaged or cut short"),
        (b"PK\x03\x04 and no more", "damaged or cut short"),
    ],
)
def test_files_that_are_no_image(tool: Tool, content: bytes, message: str, tmp_path):
    (tmp_path / "bad.tiff").write_bytes(content)
    with pytest.raises(UserError, match=rf"bad\.tiff.*{message}"):
        tool(tmp_path, tmp_path / "bad.tiff")
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("tool", EVERY)
def test_axes_that_no_image_has(tool: Tool, tmp_path):
    pixels = np.zeros((2, 3, 4, 8, 8), np.uint8)
    tifffile.imwrite(tmp_path / "a.tiff", pixels, metadata={"axes": "QRZYX"}, photometric="minisblack")
    with pytest.raises(UserError, match=r"a\.tiff: its axes are QRZYX"):
        tool(tmp_path, tmp_path / "a.tiff")
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("tool", EVERY)
@pytest.mark.parametrize("size", [-0.5, 0.0])
def test_a_physical_size_that_no_pixel_has(tool: Tool, size: float, tmp_path, capsys):
    """The size is unknown; the pixels are there all the same."""
    image = save(tmp_path / "a.tiff", disks((30, 30)), PhysicalSizeX=size, PhysicalSizeXUnit="µm")
    tool(tmp_path, image)
    assert f"NOTE: Image a.tiff: the physical size along x is {size} µm" in capsys.readouterr().out
    assert (tmp_path / "o").exists()


def test_a_time_between_frames_that_is_no_number(tmp_path, capsys):
    image = save(tmp_path / "a.tiff", disks((30, 30)), TimeIncrement="2.5")
    image.write_bytes(image.read_bytes().replace(b'TimeIncrement="2.5"', b'TimeIncrement="now"'))
    describe(tmp_path, image)
    assert "NOTE: Image a.tiff: the time between frames is now s" in capsys.readouterr().out
    assert "TimeIncrement" not in (tmp_path / "o").read_text()


@pytest.mark.parametrize("tool", [*SEGMENTING, measure_grey])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_pixels_that_are_no_numbers(tool: Tool, bad: float, tmp_path):
    pixels = np.zeros((2, 64, 64), np.float32)
    pixels[:, 30:40, 30:40] = 9
    pixels[1, 35, 35] = bad
    if tool is measure_grey:
        pixels = pixels[1]
    image = save(tmp_path / "a.tiff", pixels, "YX" if pixels.ndim == 2 else "ZYX")
    with pytest.raises(UserError, match=r"a\.tiff.*NaN"):
        tool(tmp_path, image)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("tool", [describe, to_tiff, to_zarr])
def test_pixels_that_are_no_numbers_are_described_and_converted(tool: Tool, tmp_path):
    pixels = np.full((64, 64), np.nan, np.float32)
    tool(tmp_path, save(tmp_path / "a.tiff", pixels))
    if tool is not describe:
        assert np.isnan(open_image(tmp_path / "o").read_plane()).all()


@pytest.mark.parametrize("value", [0, 7, 255])
@pytest.mark.parametrize("tool", SEGMENTING)
def test_a_constant_image_has_no_objects(tool: Tool, value: int, tmp_path):
    tool(tmp_path, save(tmp_path / "a.tiff", np.full((3, 64, 64), value, np.uint8), "ZYX"))
    assert label_map(tmp_path)[1].max() == 0


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_image_has_its_value_as_every_statistic(value: int, tmp_path):
    measure_grey(tmp_path, save(tmp_path / "a.tiff", np.full((64, 64), value, np.uint8)), "--texture-channels=all")
    (row,) = rows(tmp_path / "o")
    found = [float(row[f"{name}_channel_0"]) for name in ("mean", "min", "max", "std", "sum")]
    assert found == [value, value, value, 0, value * 64 * 64]
    assert float(row["haralick_contrast_channel_0"]) == 0


@pytest.mark.parametrize("tool", [segment, segment_volume, predict])
@pytest.mark.parametrize("wanted", ["Cy5", "1", "-1"])
def test_a_channel_that_is_missing(tool: Tool, wanted: str, tmp_path):
    image = save(tmp_path / "a.tiff", disks((30, 30)))
    with pytest.raises(UserError, match=f"Channel '{wanted}' of image a.tiff: does not exist.*0: without a name"):
        tool(tmp_path, image, f"--channel={wanted}")
    assert not (tmp_path / "o").exists()


def test_a_channel_of_cells_or_texture_that_is_missing(tmp_path):
    image = save(tmp_path / "a.tiff", disks((30, 30)))
    with pytest.raises(UserError, match="Channel 'Cy5' of image"):
        segment(tmp_path, image, "--cells-by=channel", "--cell-channel=Cy5", "--output-cells", str(tmp_path / "c"))
    with pytest.raises(UserError, match="Channel 'Cy5' of image"):
        measure_grey(tmp_path, image, "--texture-channels=Cy5")
    assert not {"o", "c"} & {path.name for path in tmp_path.iterdir()}


def labels_beside(folder: Path, labels: Path) -> None:
    to_zarr(folder, save(folder / "image.tiff", disks((30, 30))), "--labels", str(labels))


def children_in(folder: Path, labels: Path) -> None:
    measure(folder, save(folder / "parents.tiff", disks((30, 30))), "--children", str(labels))


TAKE_LABELS = [labels_beside, measure, children_in]


@pytest.mark.parametrize("tool", TAKE_LABELS)
def test_float_labels(tool: Tool, tmp_path):
    with pytest.raises(UserError, match=r"a pixel of plane t=0, z=0 is [0-9.]+, which is no label"):
        tool(tmp_path, save(tmp_path / "l.tiff", disks((30, 30)) * np.float32(0.0125)))
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("tool", TAKE_LABELS)
def test_labels_with_channels(tool: Tool, tmp_path):
    with pytest.raises(UserError, match="2 channels, a label map has one"):
        tool(tmp_path, save(tmp_path / "l.tiff", np.stack([disks((30, 30))] * 2), "CYX"))
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("tool", [labels_beside, children_in, measure_grey])
@pytest.mark.parametrize(("shape", "axes"), [((64, 63), "YX"), ((2, 64, 64), "ZYX"), ((2, 64, 64), "TYX")])
def test_image_and_labels_of_different_size(tool: Tool, shape: tuple[int, ...], axes: str, tmp_path):
    with pytest.raises(UserError, match=r"63.*64|64.*63|size_[tz] is 2|\(1, 1, 64, 64\), image"):
        tool(tmp_path, save(tmp_path / "l.tiff", np.ones(shape, np.uint8), axes))
    assert not (tmp_path / "o").exists()


def test_labels_above_65535_are_made_converted_and_measured(tmp_path):
    image = np.zeros((514, 520), np.uint8)
    image[1::2, 1::2] = 200
    save(tmp_path / "a.tiff", image)
    segment(tmp_path, tmp_path / "a.tiff", "--smoothing-sigma=0", "--seeds=none")
    labels, stack = label_map(tmp_path)
    assert (labels.dtype, stack.max(), len(np.unique(stack))) == (np.int32, 66_820, 66_821)
    (tmp_path / "o").rename(tmp_path / "l.tiff")
    to_tiff(tmp_path, tmp_path / "l.tiff", "--smaller=nearest")
    assert open_image(tmp_path / "o").read_plane().max() == 66_820
    (tmp_path / "o").unlink()
    to_zarr(tmp_path, tmp_path / "a.tiff", "--labels", str(tmp_path / "l.tiff"))
    measure(tmp_path, tmp_path / "l.tiff")
    assert rows(tmp_path / "o")[-1]["label"] == "66820"


def test_labels_above_65535_of_a_model():
    from bioimage_suite.segmentation.model_objects import ObjectOptions, find_objects

    grid = np.zeros((1, 514, 520), np.float32)
    grid[0, 1::2, 1::2] = 1
    assert find_objects(grid, ObjectOptions(min_size=1)).max() == 66_820


@pytest.mark.parametrize("tool", SEGMENTING)
@pytest.mark.parametrize("centres", [((30, 30),), ((0, 30), (63, 0), (40, 40))])
def test_one_object_and_objects_on_the_border(tool: Tool, centres: tuple[tuple[int, int], ...], tmp_path):
    pixels = disks(*centres)
    exact = [] if tool is predict else ["--smoothing-sigma=0"]
    tool(tmp_path, save(tmp_path / "a.tiff", np.stack([pixels] * 2), "ZYX"), *exact)
    stack = label_map(tmp_path)[1][0]
    assert [len(np.unique(plane)) - 1 for plane in stack] == [len(centres)] * 2
    assert np.all(stack[:, pixels > 0] > 0)
    measure(tmp_path, tmp_path / "o")


@pytest.mark.parametrize("objects", [0, 1])
def test_labels_of_no_and_of_one_object(objects: int, tmp_path):
    labels = save(tmp_path / "l.tiff", disks((30, 30)) // 200 * np.uint8(objects))
    measure(tmp_path, labels, "--image", str(labels), "--texture-channels=all", "--children", str(labels))
    assert len(rows(tmp_path / "o")) == objects
    (summary,) = rows(tmp_path / "s")
    assert int(summary["objects"]) == objects


@pytest.mark.parametrize("tool", [*EVERY, labels_beside])
def test_a_movie_of_one_frame(tool: Tool, tmp_path):
    movie = save(tmp_path / "a.tiff", disks((30, 30), (50, 50))[None], "TYX", TimeIncrement=2.5, TimeIncrementUnit="s")
    tool(tmp_path, movie)
    if tool is describe:
        assert ("TimeIncrement", "2.5", "s") in {(r["property"], r["value"], r["unit"]) for r in rows(tmp_path / "o")}
    elif tool in (measure, measure_grey):
        assert "t" not in rows(tmp_path / "o")[0]
    else:
        made = open_image(tmp_path / "o")
        assert (made.size_t, made.size_z) == (1, 1)
        assert tool is labels_beside or (made.time_increment and made.time_increment.value == 2.5)


@pytest.mark.parametrize("tool", [describe, to_tiff, to_zarr])
def test_a_document_nested_too_deep_costs_what_it_says_and_nothing_else(tool: Tool, tmp_path: Path, capsys):
    deep = RICH.replace("</OME>", "<a>" * 30_000 + "</a>" * 30_000 + "</OME>")
    tifffile.imwrite(tmp_path / "deep.ome.tiff", np.full((8, 8), 3, np.uint8), description=deep, metadata=None)
    tool(tmp_path, tmp_path / "deep.ome.tiff")
    if tool is not describe:
        assert open_image(tmp_path / "o").read_plane().max() == 3
        assert "its OME-XML cannot be kept (" in capsys.readouterr().out


@pytest.mark.parametrize("tool", [to_tiff, to_zarr])
def test_a_name_that_fits_into_no_document_is_refused(tool: Tool, tmp_path: Path):
    large = RICH.replace('Name="488"', f'Name="{"a" * 11_000_000}"')
    tifffile.imwrite(tmp_path / "large.ome.tiff", np.zeros((8, 8), np.uint8), description=large, metadata=None)
    with pytest.raises(UserError, match=r"^Image .*: the names in it fit into no OME-XML \(.*\)\. Shorten"):
        tool(tmp_path, tmp_path / "large.ome.tiff")
    assert not (tmp_path / "o").exists()
