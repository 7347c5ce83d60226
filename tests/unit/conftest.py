"""Images that tests of several rooms take."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

DATA = Path(__file__).parents[2] / "test-data"


@pytest.fixture(scope="module")
def nuclei() -> np.ndarray:
    """Real nuclei, 512 x 512 pixels."""
    return tifffile.imread(DATA / "nuclei.ome.tiff")
