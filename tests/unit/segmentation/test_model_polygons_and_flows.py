"""Star-convex polygons (StarDist) and flows (Cellpose) become the objects that they were made from."""

import numpy as np
import pytest
import tifffile
from scipy import ndimage
from segment_with_model import main

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.image_file import open_image
from bioimage_suite.segmentation.flow_objects import label_flows
from bioimage_suite.segmentation.model_objects import ObjectOptions, find_objects
from bioimage_suite.segmentation.model_prediction import scaled
from bioimage_suite.segmentation.star_polygons import label_stars
from tests.unit.segmentation.model_packages import make_passing_package

RAYS = 32


def ellipses(shape: tuple[int, int], *which: tuple[int, int, int, int]) -> np.ndarray:
    """Labels of ellipses of the given centre and half axes, along y and x; later ones lie on top."""
    y, x = np.indices(shape)
    labels = np.zeros(shape, np.int32)
    for number, (row, column, tall, wide) in enumerate(which, 1):
        labels[((y - row) / tall) ** 2 + ((x - column) / wide) ** 2 <= 1] = number
    return labels


def stars_of(labels: np.ndarray) -> np.ndarray:
    """What StarDist learns: the distance to the background over its largest one, and to the outline along each ray."""
    out = np.zeros((1 + RAYS, *labels.shape), np.float32)
    for number in range(1, labels.max() + 1):
        distance = ndimage.distance_transform_edt(labels == number)
        out[0] += distance / distance.max()
    for point in np.argwhere(labels):
        for ray, angle in enumerate(np.linspace(0, 2 * np.pi, RAYS, endpoint=False)):
            way = np.arange(0, 100, 0.25)
            y = np.rint(point[0] + way * np.sin(angle)).astype(int)
            x = np.rint(point[1] + way * np.cos(angle)).astype(int)
            inside = (y >= 0) & (x >= 0) & (y < labels.shape[0]) & (x < labels.shape[1])
            same = labels[np.where(inside, y, 0), np.where(inside, x, 0)] == labels[tuple(point)]
            out[1 + ray, *point] = way[np.argmin(inside & same)]
    return out


def flows_of(labels: np.ndarray) -> np.ndarray:
    """What Cellpose learns, for convex objects: five times the direction to the centre, and a logit."""
    out = np.zeros((3, *labels.shape), np.float32)
    out[2] = np.where(labels > 0, 6, -6)
    y, x = np.indices(labels.shape)
    for number in range(1, labels.max() + 1):
        inside = labels == number
        to = np.stack([y[inside].mean() - y[inside], x[inside].mean() - x[inside]])
        out[:2, inside] = 5 * to / np.maximum(np.hypot(*to), 1)
    return out


TWO_TOUCH = ((20, 20, 9, 12), (20, 43, 9, 11), (45, 30, 7, 7))


def matched(found: np.ndarray, labels: np.ndarray) -> list[float]:
    """The best intersection over union of each object."""
    numbers = [range(1, one.max() + 1) for one in (labels, found)]
    pairs = [[(labels == one, found == other) for other in numbers[1]] for one in numbers[0]]
    return [max((a & b).sum() / (a | b).sum() for a, b in of_one) for of_one in pairs]


def test_polygons_are_the_objects_they_were_made_from():
    labels = ellipses((60, 70), *TWO_TOUCH)
    found = label_stars(stars_of(labels), 0.4, 0.4)
    assert found.max() == 3
    assert min(matched(found, labels)) > 0.85
    assert label_stars(np.zeros((1 + RAYS, 9, 9), np.float32), 0.5, 0.4).max() == 0


def test_of_overlapping_polygons_the_most_probable_stays_and_is_on_top():
    prediction = np.zeros((1 + RAYS, 60, 60), np.float32)
    for row, column, probability in ((30, 20, 0.9), (30, 24, 0.8), (30, 38, 0.7)):
        prediction[0, row, column], prediction[1:, row, column] = probability, 10
    # The second disk shares three quarters of its area with the first one, the third a tenth with the first.
    found = label_stars(prediction, 0.5, 0.4)
    assert found.max() == 2
    assert (found[30, 22], found[30, 29], found[30, 40]) == (1, 1, 2)
    assert label_stars(prediction, 0.5, 0.95).max() == 3
    assert label_stars(prediction, 0.75, 0.95).max() == 2
    assert (found == 1).sum() == pytest.approx(np.pi * 100, rel=0.03)


def test_small_polygons_inside_of_a_large_one_are_dropped():
    prediction = np.zeros((1 + RAYS, 60, 60), np.float32)
    for column, probability, radius in ((30, 0.9, 20), (40, 0.8, 3)):
        prediction[0, 30, column], prediction[1:, 30, column] = probability, radius
    assert label_stars(prediction, 0.5, 0.4).max() == 1


def test_pixels_at_the_border_propose_nothing():
    prediction = np.ones((1 + RAYS, 5, 5), np.float32)
    assert (label_stars(prediction, 0.5, 1) > 0).sum() < 10


def test_flows_lead_to_the_objects_they_were_made_from():
    labels = ellipses((60, 70), *TWO_TOUCH)
    found = label_flows(flows_of(labels), 0.0)
    assert found.max() == 3
    assert min(matched(found, labels)) > 0.95
    assert label_flows(np.full((3, 9, 9), -1, np.float32), 0.0).max() == 0


def test_flows_fill_holes_and_stop_at_the_border():
    labels = ellipses((40, 40), (0, 20, 9, 9))
    flows = flows_of(labels)
    flows[2, 3, 22] = -6
    flows[0] -= 0.5  # beyond the border
    found = label_flows(flows, 0.0)
    assert ((found > 0) == (labels > 0)).all()


def test_planes_of_a_volume_have_labels_of_their_own():
    flows = flows_of(ellipses((60, 70), *TWO_TOUCH))
    found = find_objects(np.stack([flows, flows], axis=1), ObjectOptions("flows", threshold=0), 5)
    assert [sorted(np.unique(plane)) for plane in found] == [[0, 5, 6, 7], [0, 8, 9, 10]]


def test_outputs_that_are_neither_are_refused():
    with pytest.raises(UserError, match="its output has 2 channels"):
        ObjectOptions("star_polygons").check(2, "m")
    with pytest.raises(UserError, match="33 channels of volumes"):
        ObjectOptions("star_polygons").check(33, "m", volume=True)
    with pytest.raises(UserError, match="Flows have 3"):
        ObjectOptions("flows").check(2, "m")


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
