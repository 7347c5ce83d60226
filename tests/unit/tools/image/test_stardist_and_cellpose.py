"""segment_with_model runs packages of StarDist's, Cellpose's and nnU-Net's kind."""

import numpy as np
import pytest
import tifffile
from segment_with_model import main

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.segmentation.model_prediction import scaled
from bioimage_suite.segmentation.star_polyhedra import label_polyhedra
from tests.unit.segmentation.model_outputs import (
    RAYS,
    TWO_TOUCH,
    ellipses,
    ellipsoids,
    flows_of,
    matched,
    polyhedra_of,
    stars_of,
)
from tests.unit.segmentation.model_packages import make_passing_package


def run(tmp_path, pixels, package, *arguments):
    axes = "CYX" if pixels.ndim == 3 else "CZYX"
    tifffile.imwrite(tmp_path / "a.tiff", pixels, ome=True, photometric="minisblack", metadata={"axes": axes})
    words = ["--image", str(tmp_path / "a.tiff"), "--model", str(package), "--labels", str(tmp_path / "labels")]
    main([*words, *arguments])
    labels = open_image(tmp_path / "labels")
    planes = [labels.read_plane(0, 0, z) for z in range(labels.size_z)]
    return planes[0] if pixels.ndim == 3 else np.stack(planes)


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


@pytest.mark.parametrize(("said", "anisotropy"), [("[2, 1, 1]", (2.0, 1.0, 1.0)), ("null", (1.0, 1.0, 1.0))])
def test_a_package_of_stardists_kind_in_3d(tmp_path, said, anisotropy):
    """The rays are those that the package's configuration names."""
    rays = f"{{name: Rays_GoldenSpiral, kwargs: {{n: 32, anisotropy: {said}}}}}"
    config = f"config: {{stardist: {{thresholds: {{prob: 0.5, nms: 0.3}}, config: {{rays_json: {rays}}}}}}}"
    package = make_passing_package(tmp_path / "stars.zip", 33, more=config, axes="zyx")
    prediction = polyhedra_of(anisotropy, 32)
    found = run(tmp_path, prediction, package, "--meaning=star_polygons", "--tile=32", "--overlap=4", "--skip-test")
    assert found.max() == 3
    assert min(matched(found, ellipsoids())) > 0.75
    alone = label_polyhedra(prediction, 0.5, 0.3, anisotropy)
    np.testing.assert_array_equal(found > 0, alone > 0)


@pytest.mark.parametrize(
    "rays", ["{name: Rays_Octo}", "{kwargs: {anisotropy: [1, 0, 1]}}", "{kwargs: {anisotropy: 3}}"]
)
def test_rays_of_another_kind_are_refused(tmp_path, rays):
    config = f"config: {{stardist: {{config: {{rays_json: {rays}}}}}}}"
    package = make_passing_package(tmp_path / "stars.zip", 33, more=config, axes="zyx")
    with pytest.raises(UserError, match="rays"):
        run(tmp_path, np.zeros((33, 9, 9, 9), np.float32), package, "--meaning=star_polygons", "--skip-test")


def test_a_package_of_nnu_nets_kind(tmp_path):
    """Logits of classes, in patches of a fixed size, of which the largest decides."""
    truth = (ellipsoids() > 0) + (ellipsoids() == 2).astype(int)
    logits = np.stack([np.where(truth == number, 3.0, -2.0) for number in range(3)]).astype(np.float32)
    package = make_passing_package(tmp_path / "nnunet.zip", 3, axes="zyx", space="{{type: space, id: {a}, size: 32}}")
    found = run(tmp_path, logits, package, "--meaning=classes", "--overlap=4", "--skip-test")
    np.testing.assert_array_equal(found, truth)


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
