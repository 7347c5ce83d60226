"""Stain vectors (published, given, or estimated from the image) and the matrix that separates stains.

Light through stains loses optical density OD = -log10(I / I0) in each of red, green and blue, in proportion to the
amount of each stain: OD = amounts @ vectors (Beer-Lambert). The vector of a stain has length 1, so an amount is the
optical density of the stain along its own vector.
Sources: Ruifrok AC, Johnston DA (2001) Anal Quant Cytol Histol 23, 291-299; Macenko M et al. (2009) ISBI, 1107-1110,
doi:10.1109/ISBI.2009.5193250.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bioimage_suite.core.errors import UserError

# Optical densities in red, green, blue by Ruifrok and Johnston, as in scikit-image and ImageJ.
HEMATOXYLIN, EOSIN, DAB = (0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78)
STAIN_SETS: dict[str, dict[str, tuple[float, ...]]] = {
    "h_e": {"Hematoxylin": HEMATOXYLIN, "Eosin": EOSIN},
    "h_dab": {"Hematoxylin": HEMATOXYLIN, "DAB": DAB},
    "h_e_dab": {"Hematoxylin": HEMATOXYLIN, "Eosin": EOSIN, "DAB": DAB},
}
# Macenko et al.: pixels below this optical density are background; this percentage of angles at each end are outliers.
MACENKO_LEAST_OD, MACENKO_PERCENT = 0.15, 1.0
# Volume that three unit vectors span, 1 at right angles: below it, separation multiplies noise up to a thousandfold.
LEAST_VOLUME = 1e-3
LEAST_ANGLE = 0.05  # sine of the angle between two estimated stains, about 3 degrees: less is noise of one stain
MACENKO_LEAST_PIXELS = 100  # fewer stained pixels give no estimate


@dataclass(frozen=True)
class Stains:
    """Stains with their vectors.

    Attributes:
        names: Two or three names, without the residual of two stains.
        vectors: (3, 3) unit vectors (rows) in red, green, blue; the third of two stains is at right angles to both.
    """

    names: tuple[str, ...]
    vectors: np.ndarray

    @property
    def separation(self) -> np.ndarray:
        """Return the (3, 3) matrix S with amounts = OD @ S."""
        return np.linalg.inv(self.vectors)


def make_stains(vectors: dict[str, tuple[float, ...]]) -> Stains:
    """Normalize vectors; complete two vectors by a third at right angles.

    Args:
        vectors: Red, green, blue by name, for two or three stains.

    Raises:
        UserError: There are not two or three vectors, a vector has the length 0, or the vectors lie in one plane.
    """
    rows = [np.array(vector, float) for vector in vectors.values()]
    if len(rows) not in (2, 3):
        raise UserError(f"Stain vectors: {len(rows)} given. Give two or three.")
    for name, row in zip(vectors, rows, strict=True):
        if row.shape != (3,) or not np.isfinite(row).all() or not (row > -1e-9).all() or not row.any():
            raise UserError(
                f"Stain vector {name} {[float(v) for v in row]}: it needs three numbers from 0, not all 0: the optical "
                "densities in red, green and blue."
            )
    if len(rows) == 2:
        rows.append(np.cross(rows[0], rows[1]))
    lengths = [np.linalg.norm(row) for row in rows]
    if min(lengths) == 0 or abs(np.linalg.det(np.array(rows) / np.array(lengths)[:, None])) < LEAST_VOLUME:
        raise UserError(f"Stain vectors of {', '.join(vectors)}: they are nearly alike. Give vectors of other colours.")
    return Stains(tuple(vectors), np.array(rows) / np.array(lengths)[:, None])


def parse_vectors(text: str) -> dict[str, tuple[float, ...]]:
    """Read vectors of the user, one per line: `name: red, green, blue`.

    Raises:
        UserError: A line has another form, or a name occurs twice.
    """
    vectors: dict[str, tuple[float, ...]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, numbers = line.rpartition(":")
        try:
            vector = tuple(float(part) for part in numbers.replace(",", " ").split())
        except ValueError:
            vector = ()
        if not name.strip() or len(vector) != 3 or name.strip() in vectors:
            raise UserError(f"Stain vector {line!r}: write each once, as 'name: red, green, blue', for instance "
                            "'DAB: 0.27, 0.57, 0.78'.")  # fmt: skip
        vectors[name.strip()] = vector
    return vectors


def optical_density_table(white: float) -> np.ndarray:
    """Return the (256,) float32 optical density of each 8-bit pixel value; 0 for values brighter than white.

    Args:
        white: Value of unstained background (I0).
    """
    # A value of 0 has no logarithm: it counts as 1, the darkest value that differs from black.
    values = np.maximum(np.arange(256), 1)
    array: np.ndarray = np.maximum(np.log10(white / values), 0).astype(np.float32)
    return array


def estimate_vectors(
    density: np.ndarray, counts: np.ndarray, names: tuple[str, str], image: str
) -> dict[str, tuple[float, ...]]:
    """Estimate the vectors of two stains from the pixels (Macenko et al.).

    Args:
        density: (n, 3) optical densities.
        counts: (n,) number of pixels of each.
        names: Names of the stain with more and of that with less red in its vector (Hematoxylin before Eosin or DAB).
        image: Name of the image in messages.

    Raises:
        UserError: There are too few stained pixels, or all have one colour.
    """
    dark = (density >= MACENKO_LEAST_OD).all(axis=1)
    stained, weight = density[dark].astype(np.float64), counts[dark]
    if weight.sum() < MACENKO_LEAST_PIXELS or len(stained) < 3:
        raise UserError(
            f"Image {image}: only {weight.sum()} pixels are stained (optical density of {MACENKO_LEAST_OD} in all "
            "colours), too few to estimate vectors. Choose published vectors."
        )
    # eigh: ascending eigenvalues; the last two span the plane of the two stains.
    plane = np.linalg.eigh(np.cov(stained.T, fweights=weight))[1][:, [2, 1]]
    plane *= np.where(plane.sum(axis=0) < 0, -1, 1)
    angle = np.arctan2(stained @ plane[:, 1], stained @ plane[:, 0])
    order = np.argsort(angle)
    rank = np.cumsum(weight[order]) / weight.sum() * 100
    low, high = angle[order][np.searchsorted(rank, [MACENKO_PERCENT, 100 - MACENKO_PERCENT])]
    found = [np.clip(plane @ (np.cos(a), np.sin(a)), 0, None) for a in (low, high)]
    found.sort(key=lambda vector: -vector[0])
    if np.linalg.norm(np.cross(found[0], found[1])) < LEAST_ANGLE:
        raise UserError(
            f"Image {image}: its stained pixels have one colour, so two stains cannot be told apart. "
            "Choose published vectors."
        )
    return {name: tuple(vector.tolist()) for name, vector in zip(names, found, strict=True)}
