"""Of the same prediction StarDist 0.9.2 keeps the same polyhedra, and draws the same voxels."""

from pathlib import Path

import numpy as np
import pytest

from bioimage_suite.segmentation.star_polyhedra import golden_spiral, label_polyhedra
from tests.unit.segmentation.model_outputs import polyhedra_of

DRAW = """
import numpy as np
from stardist import Rays_GoldenSpiral, non_maximum_suppression_3d, polyhedron_to_label
prediction = np.load(sys.argv[1])
probability, distance = prediction[0], np.maximum(np.moveaxis(prediction[1:], 0, -1), 1e-3)
rays = Rays_GoldenSpiral(len(prediction) - 1, anisotropy=tuple(json.loads(sys.argv[2])))
points, kept, lengths = non_maximum_suppression_3d(distance, probability, rays, nms_thresh=0.3, prob_thresh=0.5)
labels = polyhedron_to_label(lengths, points, rays, probability.shape, prob=kept, verbose=False)
np.save(sys.argv[1] + ".labels.npy", labels)
answer = {"objects": len(points), "ends": rays.vertices.tolist(), "faces": sorted(map(sorted, rays.faces.tolist()))}
"""


@pytest.mark.parametrize("anisotropy", [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0)])
def test_stardist_draws_the_same(peer, tmp_path: Path, anisotropy: tuple[float, ...]):
    prediction, file = polyhedra_of(anisotropy), tmp_path / "prediction.npy"
    np.save(file, prediction)
    theirs = peer(DRAW, file, list(anisotropy))
    rays = golden_spiral(len(prediction) - 1, anisotropy)
    assert theirs["ends"] == pytest.approx(rays.ends, abs=1e-6)
    assert theirs["faces"] == sorted(map(sorted, rays.faces.tolist()))
    found, drawn = label_polyhedra(prediction, 0.5, 0.3, anisotropy), np.load(f"{file}.labels.npy")
    assert found.max() == theirs["objects"] == 3
    assert ((found > 0) != (drawn > 0)).sum() <= 10  # voxels whose centre lies on a surface
