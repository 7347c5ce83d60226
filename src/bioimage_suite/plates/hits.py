"""Hits: wells that differ from the negative controls by more than a limit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.errors import UserError
from bioimage_suite.plates.profiles import COUNT
from bioimage_suite.plates.wells import PLATE, WELL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioimage_suite.plates.controls import Controls
    from bioimage_suite.plates.profiles import Profiles

INDUCTION = "induction"
"""Name of the score of whole profiles."""
SIDES = ("both", "above", "below")


@dataclass(frozen=True)
class Scores:
    """Scores of wells.

    Attributes:
        name: The feature, or `INDUCTION`.
        values: (wells,) float64; NaN where a well has no value.
        hits: (wells,) bool; a control is never a hit.
        limit: The limit that a hit passes.
        side: One of `SIDES`.
    """

    name: str
    values: np.ndarray
    hits: np.ndarray
    limit: float
    side: str

    def ranked(self) -> list[int]:
        """Return the places of the hits, the strongest first."""
        strength = np.where(self.hits, -self._strength(), np.inf)
        return [int(place) for place in np.argsort(strength, kind="stable") if self.hits[place]]

    def _strength(self) -> np.ndarray:
        return np.abs(self.values) if self.side == "both" else self.values * (1 if self.side == "above" else -1)


def induction(profiles: Profiles, limit: float) -> np.ndarray:
    """Return the share of the features whose absolute value is above `limit`, for each well.

    Features without a value do not count; a well without any has NaN. Of robust z-scores with the limit 3 this is the
    induction of Christoforow et al. 2019 (doi:10.1002/anie.201907853).
    """
    there = ~np.isnan(profiles.values)
    count = there.sum(axis=1)
    with np.errstate(invalid="ignore"):
        beyond = (np.abs(profiles.values) > limit).sum(axis=1)
    return np.where(count > 0, beyond / np.maximum(count, 1), np.nan)


def find_hits(
    profiles: Profiles,
    controls: Controls,
    *,
    feature: str,
    limit: float,
    side: str = "both",
    share: float = 0.05,
    least_objects: int = 1,
) -> Scores:
    """Score all wells and find hits among those that are no control.

    Args:
        profiles: Normalized profiles.
        controls: The controls.
        feature: Name of the feature that is the score; empty for the induction of the whole profile.
        limit: A well is a hit if the score is beyond it; for the induction: from which value on a feature counts.
        side: For a feature: "both", "above" `limit`, or "below" -`limit`.
        share: For the induction: a hit has a larger one.
        least_objects: Wells with fewer objects are no hits: their profiles are noise.

    Raises:
        UserError: There is no such feature, or the limit is not above 0.
    """
    if not limit > 0:
        raise UserError(f"limit {limit:g}: it must be above 0. Write one such as 3.")
    if feature:
        values, bound, name = profiles.column(feature), limit, feature
    else:
        values, bound, name, side = induction(profiles, limit), share, INDUCTION, "above"
    with np.errstate(invalid="ignore"):
        beyond = {"both": np.abs(values) > bound, "above": values > bound, "below": values < -bound}[side]
    hits = beyond & controls.samples & (profiles.counts >= least_objects)
    return Scores(name, values, hits, bound, side)


def hit_columns(profiles: Profiles) -> tuple[str, ...]:
    """Return the columns of the table of hits: those of the profiles without features, then `score` and `hit`."""
    return (PLATE, WELL, *profiles.conditions, COUNT, "score_name", "score", "hit", "rank")


def hit_rows(profiles: Profiles, scores: Scores) -> Iterator[tuple[object, ...]]:
    """Yield one row for each well; `rank` counts from 1 for the strongest hit and is empty for other wells."""
    ranks = {place: rank for rank, place in enumerate(scores.ranked(), 1)}
    for place, well in enumerate(profiles.wells):
        texts = (texts[place] for texts in profiles.conditions.values())
        score = float(scores.values[place])
        hit = "yes" if scores.hits[place] else "no"
        count = int(profiles.counts[place])
        yield (well.plate, well.label, *texts, count, scores.name, score, hit, ranks.get(place))


def parse_hit_tag(text: str) -> tuple[str, str] | None:
    """Return the tag of hits and its tag set, which lets a rerun find the tag again; None for an empty text.

    >>> parse_hit_tag("hit[screen hits]"), parse_hit_tag(" ")
    (('hit', 'screen hits'), None)

    Raises:
        UserError: It is not `tag[tag set]`.
    """
    if not text.strip():
        return None
    found = re.fullmatch(r"\s*([^\[\],;]*[^\[\],;\s])\s*\[\s*([^\[\],;]*[^\[\],;\s\d][^\[\],;]*?)\s*\]\s*", text)
    if found is None:
        raise UserError(
            f"tag {text!r}: not a tag with its tag set, without commas and semicolons. Write it like hit[screen hits]."
        )
    return found[1].strip(), found[2]


def note_columns(tag: tuple[str, str] | None) -> tuple[str, ...]:
    """Return the columns of `note_rows`: the keys are the same on each well, so that a rerun replaces them."""
    return (PLATE, WELL, "hit", "hit score", "hit score of", *(("TAG",) if tag else ()))


def note_rows(profiles: Profiles, scores: Scores, tag: tuple[str, str] | None = None) -> Iterator[tuple[object, ...]]:
    """Yield what OMERO should say of each well, for `omero_annotate`: plate, well, hit, score, name of the score, tag.

    A well that is no hit names the tag set alone: a rerun takes the tag off wells that are no hits any more.
    """
    for place, well in enumerate(profiles.wells):
        score, hit = scores.values[place], bool(scores.hits[place])
        shown = "" if np.isnan(score) else f"{score:.6g}"
        tags = (f"{tag[0] if hit else ''}[{tag[1]}]",) if tag else ()
        yield (well.plate, well.label, "yes" if hit else "no", shown, scores.name, *tags)
