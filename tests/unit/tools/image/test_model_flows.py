"""segment_with_model on flows as Cellpose's networks predict them: errors of flows, and cells of another diameter."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from segment_with_model import main

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.segmentation.model_prediction import resized
from tests.unit.segmentation.model_outputs import TWO_TOUCH, ellipses, flows_of, matched
from tests.unit.segmentation.model_packages import make_package, make_passing_package

LABELS = ellipses((60, 70), *TWO_TOUCH)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """An image of flows, and networks that pass on three channels, or take one."""
    made: Path = tmp_path_factory.mktemp("flows")
    tifffile.imwrite(made / "flows.tif", flows_of(LABELS), ome=True, photometric="minisblack", metadata={"axes": "CYX"})
    make_passing_package(made / "passing.zip", 3)
    make_package(made / "one.zip")
    return made


def run(folder: Path, *arguments: str, model: str = "passing.zip", meaning: str = "flows") -> np.ndarray:
    main([f"--image={folder / 'flows.tif'}", f"--model={folder / model}", f"--meaning={meaning}", "--skip-test",
          f"--labels={folder / 'labels.tif'}", *arguments])  # fmt: skip
    return open_image(folder / "labels.tif").read_plane()


@pytest.mark.parametrize(
    "diameter", [[], ["--diameter=20"], ["--diameter=45"], ["--diameter=11", "--model-diameter=17"]]
)
def test_planes_are_resized_to_the_models_diameter_and_back(folder: Path, diameter: list[str]):
    found = run(folder, *diameter)
    assert found.max() == 3
    assert min(matched(found, LABELS)) > 0.9


def test_no_object_has_no_error_at_all(folder: Path):
    assert run(folder, "--flow-error=0.000001").max() == 0
    assert run(folder, "--flow-error=0").max() == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--flow-error=-1"], "Flow error -1: must be 0 or more"),
        (["--diameter=0"], "Diameter 0 px: it must be at least 1"),
        (["--diameter=nan"], "Diameter nan px"),
        (["--diameter=10", "--model-diameter=0.5"], r"Diameter of the model 0\.5 px"),
    ],
)
def test_sizes_that_cannot_be_are_refused(folder: Path, arguments: list[str], message: str):
    with pytest.raises(UserError, match=message):
        run(folder, *arguments)


def test_a_diameter_is_for_flows_alone(folder: Path):
    with pytest.raises(UserError, match="planes are resized for flows of a network of planes alone"):
        run(folder, "--diameter=20", "--channel=0", model="one.zip", meaning="foreground")


def test_a_plane_of_the_same_size_stays_as_it_is():
    plane = np.random.default_rng(0).random((2, 9, 7), np.float32)
    assert resized(plane, (9, 7)) is plane
    assert resized(plane, (0, 14)).shape == (2, 1, 14)
