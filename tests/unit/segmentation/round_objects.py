"""Round objects in a plane or a volume."""

import numpy as np


def blobs(shape, centres, radius=5):
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    return np.any([((grid - c) ** 2).sum(axis=-1) <= radius**2 for c in centres], axis=0).astype(np.float32)


def balls(shape=(20, 60, 70), z_step=2.0, places=((8, 20, 20, 9), (10, 20, 33, 9), (9, 45, 45, 12))) -> np.ndarray:
    """Bright balls (z, y, x, radius in pixels) in physical space, noisy."""
    z, y, x = np.indices(shape)
    volume = np.full(shape, 100.0)
    for cz, cy, cx, radius in places:
        volume[((z - cz) * z_step) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = 900
    return np.random.default_rng(1).poisson(volume).astype(np.uint16)
