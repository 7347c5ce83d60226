"""Packages of networks: planes stand alone, what is no number does not pass, and nothing is asked of the network."""

import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import tifffile
from segment_with_model import main

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.segmentation import model_files
from scripts.suite_files import tool_script
from tests.unit.segmentation.model_packages import make_package, make_passing_package, make_stain_package

# What a package of the zoo may name beside its ONNX weights; {0} is an address.
OTHERS = """
covers: ["{0}/cover.png"]
documentation: "{0}/README.md"
git_repo: "{0}/code"
maintainers: [{{github_user: somebody}}]
attachments: [{{source: "{0}/notebook.ipynb"}}]
links: [ilastik/ilastik]
training_data: {{id: somebody/data}}
"""
OTHER_WEIGHTS = """onnx: {{source: weights.onnx, opset_version: 13, parent: pytorch_state_dict}}
  pytorch_state_dict:
    source: "{0}/weights.pt"
    sha256: {1}
    architecture: {{source: "{0}/net.py", sha256: {1}, callable: Net}}
    pytorch_version: 2.0
  torchscript: {{source: weights.pt, pytorch_version: 2.0, parent: pytorch_state_dict}}"""


def run(tmp_path, image, package, *arguments):
    main(["--image", str(image), "--model", str(package), "--labels", str(tmp_path / "labels"), "--prediction",
          str(tmp_path / "p"), "--meaning", "foreground", *map(str, arguments)])  # fmt: skip
    return open_image(tmp_path / "p")


@pytest.mark.parametrize(
    "preprocessing",
    [
        "scale_range, kwargs: {}",
        "scale_range, kwargs: {axes: [batch, channel, y, x]}",
        "zero_mean_unit_variance, kwargs: {}",
        "zero_mean_unit_variance, kwargs: {axes: [batch, channel, y, x]}",
        "zero_mean_unit_variance, kwargs: {axes: [channel, y, x]}",
    ],
)
def test_a_plane_does_not_depend_on_those_before_it(preprocessing, tmp_path):
    package = make_package(tmp_path / "p.zip", preprocessing=f"[{{id: {preprocessing}}}]")
    planes = np.random.default_rng(0).random((3, 40, 40), np.float32) * np.array([1, 100, 7])[:, None, None]
    pixels = planes.astype(np.float32)
    tifffile.imwrite(tmp_path / "all.tiff", pixels, ome=True, metadata={"axes": "TYX"})
    together = run(tmp_path, tmp_path / "all.tiff", package, "--skip-test")
    found = [together.read_plane(t).copy() for t in range(3)]
    for t in range(3):
        tifffile.imwrite(tmp_path / "one.tiff", pixels[t])
        alone = run(tmp_path, tmp_path / "one.tiff", package, "--skip-test").read_plane()
        assert np.array_equal(found[t], alone)


def test_a_network_that_gives_nan_does_not_pass(tmp_path):
    """Also where the package's own expected output is NaN, which the library takes as met."""
    package = make_passing_package(tmp_path / "p.zip", 1, spoil="nan")
    tifffile.imwrite(tmp_path / "a.tiff", np.ones((40, 40), np.float32))
    with pytest.raises(UserError, match="1024 values that are no finite numbers in its output prediction"):
        run(tmp_path, tmp_path / "a.tiff", package)
    with pytest.raises(UserError, match="1600 of 1600 predicted values are no finite numbers"):
        run(tmp_path, tmp_path / "a.tiff", package, "--skip-test")
    assert not (tmp_path / "labels").exists()


ALIASES = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (f"{ALIASES}test_inputs: *a39", "more than 100,000 parts, those that aliases repeat counted each time"),
        ("test_inputs: &a [*a]", "more than 100,000 parts"),
        ("test_inputs: " + "[" * 500, "nested too deep to read"),
        (r'test_inputs: ["\ud800"]', "surrogates not allowed"),
        ("test_inputs: 2001-13-45", "month must be in 1..12"),
    ],
    ids=["aliases of aliases", "an alias of itself", "brackets", "half a character", "no date"],
)
def test_a_description_that_is_no_description_is_refused(more, said, tmp_path):
    package = make_package(tmp_path / "p.zip", more=more)
    tifffile.imwrite(tmp_path / "a.tiff", np.ones((40, 40), np.float32))
    with pytest.raises(UserError, match=rf"^Package p\.zip: its rdf\.yaml is no YAML: .*{said}.*Download it again\.$"):
        run(tmp_path, tmp_path / "a.tiff", package)


def test_a_description_that_takes_too_long_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(model_files, "MAX_SECONDS", 0.5)
    package = make_package(tmp_path / "p.zip", more="test_inputs: " + "[" * 50_000)
    tifffile.imwrite(tmp_path / "a.tiff", np.ones((40, 40), np.float32))
    with pytest.raises(
        UserError, match=r"^Package p\.zip: its rdf\.yaml took longer than 0\.5 s\. Download it again\.$"
    ):
        run(tmp_path, tmp_path / "a.tiff", package)


@pytest.fixture
def listener():
    """A server that remembers what it is asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def stained_nuclei():
    """A picture of three round nuclei on white, darkest in the middle."""
    y, x = np.indices((60, 80))
    distance = np.min([np.hypot(y - row, x - column) for row, column in ((15, 15), (20, 50), (45, 35))], axis=0)
    dark = np.where(distance <= 5, 20 + 20 * distance, 255)
    return np.stack([dark, dark, np.maximum(dark, 60)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("kind", ["probability", "StarDist for H&E"])
def test_nothing_is_asked_of_the_network(listener, tmp_path, kind):
    """A process of its own with a proxy for all other addresses, so that what a library asks elsewhere is heard too."""
    address, asked = listener
    weights = OTHER_WEIGHTS.format(address, "0" * 64)
    if kind == "probability":
        package = make_package(tmp_path / "p.zip", weights=weights, more=OTHERS.format(address))
        tifffile.imwrite(tmp_path / "a.tiff", np.zeros((40, 40), np.float32))
    else:
        more = OTHERS.format(address) + "config: {stardist: {thresholds: {prob: 0.5, nms: 0.3}}}"
        package = make_stain_package(tmp_path / "p.zip", weights, more)
        tifffile.imwrite(tmp_path / "a.tiff", stained_nuclei(), photometric="rgb")
    meaning, objects = ("foreground", 0) if kind == "probability" else ("star_polygons", 3)
    command = [sys.executable, tool_script("segment_with_model"), "--image", tmp_path / "a.tiff", "--model", package,
               "--meaning", meaning, "--labels", tmp_path / "labels"]  # fmt: skip
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"), address)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | proxies)
    assert done.returncode == 0, done.stderr
    assert f"{objects} objects by Tiny network" in done.stdout
    assert asked == []
    if objects:
        labels = open_image(tmp_path / "labels").read_plane()
        middles = [labels[15, 15], labels[20, 50], labels[45, 35]]
        assert sorted(middles) == [1, 2, 3]
        assert [int((labels == one).sum()) for one in middles] == pytest.approx([np.pi * 25] * 3, rel=0.15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"postprocessing": "[{id: custom, source: own.py, callable: run, kwargs: {}}]"}, "program own.py"),
        ({"weights": "onnx: {source: ../weights.onnx, opset_version: 13}"}, "which is not in it"),
        ({"weights": "onnx: {source: other.onnx, opset_version: 13}"}, "file other.onnx, which is not in it"),
        ({"weights": "onnx"}, "only ONNX weights run here"),
    ],
)
def test_packages_that_need_more_than_they_hold(change, message, tmp_path):
    package = make_package(tmp_path / "p.zip", **change)
    with zipfile.ZipFile(package, "a") as archive:
        archive.writestr("own.py", "raise SystemExit('a program of the package ran')")
    tifffile.imwrite(tmp_path / "a.tiff", np.zeros((40, 40), np.float32))
    with pytest.raises(UserError, match=message):
        run(tmp_path, tmp_path / "a.tiff", package)
