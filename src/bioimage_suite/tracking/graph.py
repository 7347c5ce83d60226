"""Comparison of two lineages of one movie: the measures of the Cell Tracking Challenge, links and divisions.

Sources: Matula P et al. (2015) Cell tracking accuracy measurement based on comparison of acyclic oriented graphs.
PLoS ONE 10, e0144959, doi:10.1371/journal.pone.0144959 (AOGM, TRA, DET); Maška M et al. (2023) Nature Methods 20,
1010-1020, doi:10.1038/s41592-023-01879-y (SEG, LNK); Ulman V et al. (2017) Nature Methods 14, 1141-1152,
doi:10.1038/nmeth.4473 (CT, TF, BC(i)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bioimage_suite.core.ratios import ratio

# Costs of the operations that turn the result's graph into the reference's (Matula et al., table 1).
COSTS = {"NS": 5.0, "FN": 10.0, "FP": 1.0, "ED": 1.0, "EA": 1.5, "EC": 1.0}
MEANING = {
    "NS": "objects of the reference merged into one",
    "FN": "object missed",
    "FP": "object that the reference does not have",
    "ED": "link that the reference does not have",
    "EA": "link missed",
    "EC": "link of the wrong kind (division or not)",
}
MOST_TOLERANCE = 3  # BC(i) is computed for i from 0 to this number of frames


@dataclass(frozen=True)
class Lineage:
    """The objects of a movie and their descent.

    Attributes:
        frame: (n,) frame of each object.
        label: (n,) label of each object in its frame.
        pixels: (n,) number of its pixels.
        tracks: (k, 4) label, first frame, last frame and parent label or 0 of each track, without gaps.
    """

    frame: np.ndarray
    label: np.ndarray
    pixels: np.ndarray
    tracks: np.ndarray


@dataclass(frozen=True)
class Matching:
    """The object of the result that matches each object of the reference.

    Attributes:
        result_of: (n,) index of the object of the result that covers more than half of each object of the reference;
            -1 for none.
        iou: (n,) intersection over union of both, 0 for none.
        matches: (m,) number of objects of the reference that each object of the result matches.
    """

    result_of: np.ndarray
    iou: np.ndarray
    matches: np.ndarray


@dataclass(frozen=True)
class Edges:
    """Links of a lineage: `source` and `target` are objects, `division` marks those from a parent to its child."""

    source: np.ndarray
    target: np.ndarray
    division: np.ndarray


def match_objects(
    reference: Lineage, result: Lineage, first: np.ndarray, second: np.ndarray, shared: np.ndarray
) -> Matching:
    """Match by the detection test: a result's object covers more than half of a reference's (Matula et al.).

    Args:
        reference: The reference lineage.
        result: The lineage to evaluate.
        first: (p,) object of the reference in each pair that shares pixels.
        second: (p,) object of the result in each pair.
        shared: (p,) number of pixels in both.
    """
    covers = 2 * shared > reference.pixels[first]
    a, b, both = first[covers], second[covers], shared[covers]
    result_of, iou = np.full(len(reference.frame), -1), np.zeros(len(reference.frame))
    result_of[a] = b
    iou[a] = both / (reference.pixels[a] + result.pixels[b] - both)
    return Matching(result_of, iou, np.bincount(b, minlength=len(result.frame)))


def edges_of_lineage(lineage: Lineage) -> Edges:
    """Return all links of a label in successive frames, and from a parent's last object to children."""
    order = np.lexsort((lineage.frame, lineage.label))
    f, k = lineage.frame[order], lineage.label[order]
    runs = (k[1:] == k[:-1]) & (f[1:] == f[:-1] + 1)
    place = {(int(a), int(b)): i for i, (a, b) in enumerate(zip(lineage.frame, lineage.label, strict=True))}
    last = {int(label): int(end) for label, _, end, _ in lineage.tracks}
    born = [(place[last[p], p], place[begin, label]) for label, begin, _, p in lineage.tracks.tolist() if p]
    parents = np.array(born, dtype=np.int64).reshape(-1, 2)
    division = np.r_[np.zeros(runs.sum(), bool), np.ones(len(parents), bool)]
    return Edges(np.r_[order[:-1][runs], parents[:, 0]], np.r_[order[1:][runs], parents[:, 1]], division)


@dataclass(frozen=True)
class Errors:
    """Errors of the result, one in each row; -1 where a side has no object."""

    kind: list[str]
    reference: np.ndarray
    result: np.ndarray


def find_errors(reference: Lineage, result: Lineage, matching: Matching) -> tuple[Errors, int]:
    """Return every operation that turns the graph of the result into that of the reference.

    Returns:
        The errors (for links, of the later object), and the number of correct links of the result.
    """
    n = len(reference.frame)
    missed = np.flatnonzero(matching.result_of < 0)
    false = np.flatnonzero(matching.matches == 0)
    found = np.flatnonzero(matching.result_of >= 0)
    # All but the first of several merged objects must be split off.
    firsts = np.unique(matching.result_of[found], return_index=True)[1]
    merged = np.delete(found, firsts)
    ours, theirs = edges_of_lineage(result), edges_of_lineage(reference)
    reference_of = np.full(len(result.frame), -1)
    alone = found[matching.matches[matching.result_of[found]] == 1]
    reference_of[matching.result_of[alone]] = alone
    a, b = reference_of[ours.source], reference_of[ours.target]
    certain = (a >= 0) & (b >= 0)
    code, wanted = a[certain] * n + b[certain], theirs.source * n + theirs.target
    right = np.isin(code, wanted)
    lost = ~np.isin(wanted, code)
    kind_of = dict(zip(wanted.tolist(), theirs.division.tolist(), strict=True))
    division = ours.division[certain]
    other_kind = np.array([kind_of.get(c, d) != d for c, d in zip(code.tolist(), division.tolist(), strict=True)], bool)
    result_end, reference_end = ours.target[certain], b[certain]
    parts = [
        ("FN", missed, np.full(len(missed), -1)),
        ("FP", np.full(len(false), -1), false),
        ("NS", merged, matching.result_of[merged]),
        ("ED", reference_end[~right], result_end[~right]),
        ("EA", theirs.target[lost], matching.result_of[theirs.target[lost]]),
        ("EC", reference_end[other_kind], result_end[other_kind]),
    ]
    kinds = [name for name, rows, _ in parts for _ in range(len(rows))]
    columns = [np.concatenate([part[side] for part in parts]) for side in (1, 2)]
    return Errors(kinds, columns[0], columns[1]), int(right.sum())


def measure_tracking(reference: Lineage, result: Lineage, matching: Matching) -> tuple[dict[str, float], Errors]:
    """Compute all measures; those without anything to measure in the reference are NaN.

    Returns:
        By name: SEG, DET, TRA, LNK, OP_CTB = (SEG + TRA) / 2, CT, TF, BC(0) to BC(3), precision, recall and F1 of links
        and (exact in time) of divisions, the number of errors of each kind, and sizes. Then the errors.
    """
    errors, right = find_errors(reference, result, matching)
    count = {kind: errors.kind.count(kind) for kind in COSTS}
    vertices = len(reference.frame)
    edges, of_result = len(edges_of_lineage(reference).source), len(edges_of_lineage(result).source)
    on_vertices = sum(COSTS[kind] * count[kind] for kind in ("NS", "FN", "FP"))
    on_edges = sum(COSTS[kind] * count[kind] for kind in ("ED", "EA", "EC"))
    seg = ratio(float(matching.iou.sum()), vertices)
    tra = _without(on_vertices + on_edges, COSTS["FN"] * vertices + COSTS["EA"] * edges)
    measures = {
        "SEG": seg,
        "DET": _without(on_vertices, COSTS["FN"] * vertices),
        "TRA": tra,
        "LNK": _without(on_edges, COSTS["EA"] * edges),
        "OP_CTB": (seg + tra) / 2,
        "CT": complete_tracks(reference, result, matching),
        "TF": track_fractions(reference, result, matching),
        "link_precision": ratio(right, of_result),
        "link_recall": ratio(right, edges),
        "link_F1": ratio(2 * right, edges + of_result),
    }
    for tolerance in range(MOST_TOLERANCE + 1):
        hits, in_reference, in_result = match_divisions(reference, result, matching, tolerance)
        measures[f"BC({tolerance})"] = ratio(2 * hits, in_reference + in_result) if in_reference else float("nan")
        if tolerance == 0:
            measures |= {"division_precision": ratio(hits, in_result), "division_recall": ratio(hits, in_reference),
                         "divisions_in_reference": in_reference, "divisions_in_result": in_result}  # fmt: skip
    measures |= {kind: float(number) for kind, number in count.items()}
    measures |= {
        "objects_in_reference": vertices, "objects_in_result": len(result.frame), "links_in_reference": edges,
        "links_in_result": of_result, "tracks_in_reference": len(reference.tracks),
        "tracks_in_result": len(result.tracks),
    }  # fmt: skip
    return measures, errors


def _without(cost: float, all_from_scratch: float) -> float:
    """Return one minus the cost over that of building the reference from nothing, not below 0."""
    return 1 - min(cost, all_from_scratch) / all_from_scratch if all_from_scratch else float("nan")


def _assigned(reference: Lineage, result: Lineage, matching: Matching) -> dict[int, np.ndarray]:
    """Return, by track of the reference, the result's label in each of its frames; 0 for no label of its own."""
    found = matching.result_of >= 0
    label = np.zeros(len(reference.frame), np.int64)
    found[found] = matching.matches[matching.result_of[found]] == 1
    label[found] = result.label[matching.result_of[found]]
    order = np.lexsort((reference.frame, reference.label))
    ids, begin = np.unique(reference.label[order], return_index=True)
    return dict(zip(ids.tolist(), np.split(label[order], begin[1:]), strict=False))


def complete_tracks(reference: Lineage, result: Lineage, matching: Matching) -> float:
    """Return CT: F1 of tracks that one track of the result follows from first to last frame, and no further."""
    spans = {label: (begin, end) for label, begin, end, _ in result.tracks.tolist()}
    assigned = _assigned(reference, result, matching)
    complete = 0
    for label, begin, end, _ in reference.tracks.tolist():
        labels = set(assigned[label].tolist())
        complete += len(labels) == 1 and 0 not in labels and spans[labels.pop()] == (begin, end)
    return ratio(2 * complete, len(reference.tracks) + len(result.tracks))


def track_fractions(reference: Lineage, result: Lineage, matching: Matching) -> float:
    """Return TF: mean over detected tracks of the longest part that one track of the result follows."""
    fractions = []
    for labels in _assigned(reference, result, matching).values():
        longest = run = last = 0
        for label in labels.tolist():
            run = run + 1 if label == last and label else int(label > 0)
            longest, last = max(longest, run), label
        if longest:
            fractions.append(longest / len(labels))
    return sum(fractions) / len(fractions) if fractions else 0.0


def match_divisions(reference: Lineage, result: Lineage, matching: Matching, tolerance: int) -> tuple[int, int, int]:
    """Count divisions that agree in parent and daughters, each up to `tolerance` frames early or late.

    Returns:
        Divisions that agree, those of the reference, those of the result.
    """
    ours, theirs = _divisions(result), _divisions(reference)
    own = {
        (int(reference.frame[i]), int(reference.label[i])): int(result.label[j])
        for i, j in enumerate(matching.result_of.tolist())
        if j >= 0 and matching.matches[j] == 1
    }
    by_parent = {parent: (end, children) for parent, end, children in ours}
    hits = 0
    for parent, end, children in theirs:
        # The parent's label in the result can only be one that matches it in a frame within the tolerance.
        for candidate in {own.get((t, parent)) for t in range(end - tolerance, end + 1)} & set(by_parent):
            other_end, others = by_parent[candidate]  # type: ignore[index]
            near = abs(end - other_end) <= tolerance and own.get((min(end, other_end), parent)) == candidate
            if near and len(others) == len(children) and _same_children(children, others, own, tolerance):
                hits += 1
                break
    return hits, len(theirs), len(ours)


def _divisions(lineage: Lineage) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Return parents of two or more: label, last frame, and label and first frame of each child."""
    children: dict[int, list[tuple[int, int]]] = {}
    for label, begin, _, parent in lineage.tracks.tolist():
        if parent:
            children.setdefault(parent, []).append((label, begin))
    return [(k, end, children[k]) for k, _, end, _ in lineage.tracks.tolist() if len(children.get(k, ())) > 1]


def _same_children(
    children: list[tuple[int, int]], others: list[tuple[int, int]], own: dict[tuple[int, int], int], tolerance: int
) -> bool:
    """Return whether children of the result match those of the reference at the later of their first frames."""
    met = {
        label
        for child, begin in children
        for label, start in others
        if abs(begin - start) <= tolerance and own.get((max(begin, start), child)) == label
    }
    return len(met) == len(children)
