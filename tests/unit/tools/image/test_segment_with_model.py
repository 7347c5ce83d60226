"""A tiny network, made here, runs like any package of the zoo; packages that cannot run are refused."""

import re
import socket
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import tifffile
from segment_with_model import main

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from scripts.suite_files import tool_script
from tests.unit.segmentation.model_packages import make_package, run_by_hand
from tests.unit.segmentation.round_objects import blobs


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Refuse every call, and remember it: the library swallows errors of the network."""
    asked = []

    def refuse(*arguments, **_):
        asked.append(arguments)
        raise OSError("cut")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield
    assert not asked, "a tool spoke to the network"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return make_package(tmp_path_factory.mktemp("model") / "tiny.zip")


def run(tmp_path, image, package, *arguments):
    main(["--image", str(image), "--model", str(package), "--labels", str(tmp_path / "labels"), *map(str, arguments)])
    return open_image(tmp_path / "labels")


def test_tiles_make_no_seam(package, tmp_path):
    pixels = blobs((150, 203), [(20, 20), (64, 64), (140, 190), (60, 130)])
    size = {"PhysicalSizeX": 0.3, "PhysicalSizeXUnit": "µm"}
    tifffile.imwrite(tmp_path / "a.tiff", pixels, ome=True, metadata={"axes": "YX", **size})
    found = {}
    for tile in (64, 1024):
        prediction = tmp_path / f"p{tile}"
        labels = run(tmp_path, tmp_path / "a.tiff", package, "--meaning", "foreground", "--tile", tile, "--overlap", 4,
                     "--prediction", prediction)  # fmt: skip
        assert labels.micrometres("x") == pytest.approx(0.3)
        found[tile] = open_image(prediction)
        assert len(np.unique(labels.read_plane())) == 5
        assert (labels.read_plane() > 0).sum() == (run_by_hand(pixels) >= 0.5).sum()
    # Inside, where the padding at the image's border plays no part, a tile gives what the whole gives.
    inner = np.s_[2:-2, 2:-2]
    for tile in found:
        assert found[tile].read_plane()[inner] == pytest.approx(run_by_hand(pixels)[inner], abs=1e-5)
        assert found[tile].read_plane(0, 1)[inner] == pytest.approx(1 - run_by_hand(pixels)[inner], abs=1e-5)


def test_planes_of_a_movie_and_channels(package, tmp_path):
    movie = np.zeros((2, 2, 40, 40), np.float32)
    movie[0, 1], movie[1, 1] = blobs((40, 40), [(10, 10)]), blobs((40, 40), [(30, 30), (10, 30)])
    metadata = {"axes": "TCYX", "Channel": {"Name": ["Other", "Nuclei"]}}
    tifffile.imwrite(tmp_path / "a.tiff", movie, ome=True, photometric="minisblack", metadata=metadata)
    labels = run(tmp_path, tmp_path / "a.tiff", package, "--meaning", "foreground", "--channel=Nuclei", "--skip-test")
    assert labels.size_t == 2
    assert [sorted(set(labels.read_plane(t).ravel())) for t in range(2)] == [[0, 1], [0, 2, 3]]
    with pytest.raises(UserError, match="takes 1 channels, 2 are given"):
        run(tmp_path, tmp_path / "a.tiff", package, "--meaning", "foreground", "--skip-test")


def test_volumes(tmp_path):
    package = make_package(tmp_path / "volume.zip", "zyx")
    pixels = blobs((20, 40, 40), [(9, 10, 10), (9, 28, 28)], 6)
    tifffile.imwrite(tmp_path / "a.tiff", pixels, ome=True, photometric="minisblack", metadata={"axes": "ZYX"})
    labels = run(tmp_path, tmp_path / "a.tiff", package, "--meaning", "foreground", "--seeds", "distance")
    stack = np.stack([labels.read_plane(0, 0, z) for z in range(20)])
    assert sorted(np.unique(stack)) == [0, 1, 2]
    assert stack[9, 10, 10] != stack[9, 28, 28] > 0


def test_preprocessing_sees_the_whole_image(tmp_path):
    package = make_package(tmp_path / "p.zip", preprocessing="[{id: scale_range, kwargs: {axes: [channel, y, x]}}]")
    pixels = 100 + 900 * blobs((90, 90), [(20, 20), (70, 70)])
    pixels[:, 45:] *= 0.999
    tifffile.imwrite(tmp_path / "a.tiff", pixels.astype(np.uint16))
    labels = run(tmp_path, tmp_path / "a.tiff", package, "--meaning", "foreground", "--tile", 32, "--skip-test")
    assert len(np.unique(labels.read_plane())) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": "torchscript: {source: weights.onnx, pytorch_version: 2.0}"}, "weights are torchscript"),
        ({"weights": "onnx: {source: 'https://example.org/weights.onnx', opset_version: 13}"}, "from the network"),
        ({"spoil": ("output",)}, "does not reproduce"),
        ({"preprocessing": "[{id: nonsense}]"}, "invalid"),
    ],
)
def test_packages_that_cannot_run(change, message, tmp_path):
    package = make_package(tmp_path / "p.zip", **change)
    tifffile.imwrite(tmp_path / "a.tiff", np.zeros((40, 40), np.float32))
    with pytest.raises(UserError, match=message):
        run(tmp_path, tmp_path / "a.tiff", package, "--meaning", "foreground")
    assert not (tmp_path / "labels").exists()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "no model description"),
        ({"rdf.yaml": "type: dataset"}, "describes 'dataset'"),
        ({"rdf.yaml": "{["}, "no YAML"),
        ({"../rdf.yaml": "type: model"}, "leave its folder"),
        (None, "not a readable zip"),
    ],
)
def test_files_that_are_no_package(members, message, tmp_path):
    package = tmp_path / "p.zip"
    if members is None:
        package.write_text("no zip")
    else:
        with zipfile.ZipFile(package, "w") as archive:
            for name, text in members.items():
                archive.writestr(name, text)
    tifffile.imwrite(tmp_path / "a.tiff", np.zeros((40, 40), np.float32))
    with pytest.raises(UserError, match=message):
        run(tmp_path, tmp_path / "a.tiff", package, "--meaning", "foreground")


def test_pixels_that_are_no_numbers(package, tmp_path):
    pixels = np.zeros((2, 40, 40), np.float32)
    pixels[1] = np.nan
    tifffile.imwrite(tmp_path / "a.tiff", pixels, ome=True, metadata={"axes": "ZYX"})
    with pytest.raises(UserError, match="NaN"):
        run(tmp_path, tmp_path / "a.tiff", package, "--meaning", "foreground", "--skip-test")
    assert not (tmp_path / "labels").exists()
    with pytest.raises(UserError, match="no output 'mask'"):
        run(tmp_path, tmp_path / "a.tiff", package, "--meaning", "foreground", "--skip-test", "--model-output", "mask")


def test_one_model_is_given(package, tmp_path):
    tifffile.imwrite(tmp_path / "a.tiff", np.zeros((40, 40), np.float32))
    start = ["--image", f"{tmp_path}/a.tiff", "--labels", f"{tmp_path}/labels", "--meaning", "foreground"]
    gone = ["--stored-model", f"{tmp_path}/gone.zip", "--model-name", "Nuclei 1.2"]
    for more, message in (([], "none is given"), (["--model", str(package), *gone], "two are given"),
                          (gone, "Model Nuclei 1.2: its package is missing")):  # fmt: skip
        with pytest.raises(UserError, match=message):
            main([*start, *more])
    main([*start, "--stored-model", str(package)])
    assert not open_image(tmp_path / "labels").read_plane().any()


@pytest.mark.parametrize(
    ("spoil", "arguments", "message"),
    [
        ("cut", [], "cut short"),
        ("nan", [], "NaN"),
        (None, ["--channel", "7"], "Channel '7' of image a.tiff: does not exist"),
    ],
)
def test_an_image_that_fails_does_so_before_the_libraries_load(spoil, arguments, message, package, tmp_path):
    """A process of its own, as this one has loaded them: the importing of bioimageio.core would end it."""
    pixels = np.full((40, 40), np.nan if spoil == "nan" else 1, np.float32)
    tifffile.imwrite(tmp_path / "a.tiff", pixels)
    if spoil == "cut":
        (tmp_path / "a.tiff").write_bytes((tmp_path / "a.tiff").read_bytes()[:-3000])
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv[0].rpartition('/')[0]); "
        "sys.modules['bioimageio.core'] = None; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    script = tool_script("segment_with_model")
    command = [sys.executable, "-c", code, script, "--image", tmp_path / "a.tiff", "--model", package, "--meaning",
               "foreground", "--labels", tmp_path / "labels", *arguments]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search(message, done.stderr), done.stderr
    assert not (tmp_path / "labels").exists()
