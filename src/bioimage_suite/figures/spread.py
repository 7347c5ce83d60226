"""Numbers that follow each other, spread over an interval so that neighbours lie apart."""

import numpy as np

GOLDEN = 0.618034  # fraction of the golden ratio: its multiples, modulo 1, spread evenly at any number of them


def spread(numbers: np.ndarray) -> np.ndarray:
    """Return a place from 0 to below 1 for each whole number, the same in every run."""
    return numbers * GOLDEN % 1
