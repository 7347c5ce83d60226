"""segment_with_model runs packages of StarDist's and Cellpose's kind."""

import numpy as np
import pytest
import tifffile
from segment_with_model import main

from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.segmentation.model_prediction import scaled
from tests.unit.segmentation.model_outputs import RAYS, TWO_TOUCH, ellipses, flows_of, matched, stars_of
from tests.unit.segmentation.model_packages import make_passing_package


def run(tmp_path, pixels, package, *arguments):
    tifffile.imwrite(tmp_path / "a.tiff", pixels, ome=True, photometric="minisblack", metadata={"axes": "CYX"})
    words = ["--image", str(tmp_path / "a.tiff"), "--model", str(package), "--labels", str(tmp_path / "labels")]
    main([*words, *arguments])
    return open_image(tmp_path / "labels").read_plane()


@pytest.mark.parametrize(
    ("own", "given", "count"), [(0.45, [], 3), (0.999, ["--tile=48"], 0), (1, ["--threshold=0.4"], 3)]
)
def test_a_package_of_stardists_kind(tmp_path, own, given, count):
    """A network that passes on what it gets; its package carries thresholds as StarDist's do."""
    config = f"config: {{stardist: {{thresholds: {{prob: {own}, nms: 0.3}}}}}}"
    package = make_passing_package(tmp_path / "stars.zip", 1 + RAYS, more=config)
    labels = ellipses((60, 70), *TWO_TOUCH)
    words = ("--meaning", "star_polygons", "--tile", "32", "--overlap", "4", "--skip-test")
    found = run(tmp_path, 0.99 * stars_of(labels), package, *words, *given)
    assert found.max() == count
    assert not count or min(matched(found, labels)) > 0.85


def test_a_package_of_cellposes_kind(tmp_path):
    """Cellpose's axes: z, which stands for the images of a batch, before the channels."""
    package = make_passing_package(tmp_path / "flows.zip", 3, leading="z")
    labels = ellipses((64, 80), *TWO_TOUCH)
    found = run(tmp_path, flows_of(labels), package, "--meaning", "flows")
    assert found.max() == 3
    assert min(matched(found, labels)) > 0.95


def test_a_channel_that_the_image_lacks_is_empty(tmp_path):
    package = make_passing_package(tmp_path / "p.zip", 3)
    flows = flows_of(ellipses((64, 80), *TWO_TOUCH))
    words = ("--meaning=foreground", "--skip-test", "--channel=-", "--channel=2", "--channel=2")
    assert run(tmp_path, flows, package, *words, "--foreground=0").max() == 0
    assert run(tmp_path, flows, package, *words, "--foreground=1").max() == 2


def test_scaling_is_by_percentiles_of_each_channel():
    volume = np.stack([np.arange(101.0).reshape(1, 101, 1), np.full((1, 101, 1), 7.0)]).astype(np.float32)
    found = scaled(volume)
    assert found[0, 0, [1, 50, 99], 0].tolist() == [0, 0.5, 1]
    assert (found[1] == 0).all()
