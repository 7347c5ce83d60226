"""Columns that follow from the runs of objects: label, shape and grey values, some objects at a time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bioimage_suite.core.in_order import in_order
from bioimage_suite.images.model.label_runs import distinct
from bioimage_suite.measurement import object_shape
from bioimage_suite.measurement.object_runs import object_intensities
from bioimage_suite.measurement.object_scan import LabelScan, scan_channels
from bioimage_suite.measurement.whole_objects import ObjectRuns, whole_objects

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from bioimage_suite.images.model.image_file import ImageFile

Columns = dict[str, np.ndarray]
Sections = dict[str, Columns]
"""Columns that stand together in a table; those of `outline` need the whole scan, the others only an object's runs."""

OF_PLANES = ("label", "moments", "hull", "outline", "feret", "grey")
OF_VOLUMES = ("label", "moments", "outline", "hull", "grey")


def basic_columns(
    image: ImageFile | None,
    t: int,
    scan: LabelScan,
    solid: np.ndarray | None,
    *,
    z_step: float,
    groups: frozenset[str],
    pool: Executor,
) -> Columns:
    """Measure label, shape and grey values of all objects.

    Args:
        image: Opened image, or None to measure shapes only.
        t: Time point.
        scan: The objects of a plane or a volume.
        solid: (Z, Y, X) label map of a volume; None for a plane.
        z_step: Distance of two planes in pixels of the plane.
        groups: Which of `measured_columns.GROUPS`.
        pool: Threads to compute in.

    Returns:
        (n,) values by column name, in the order of the labels.
    """
    from bioimage_suite.measurement import volume_shape

    channels = image.channel_labels() if image is not None and "intensity" in groups else []
    surface = None
    if solid is not None and "outline" in groups:
        surface = pool.submit(volume_shape.surface_areas, solid, scan.label, z_step)
    found = whole_objects(scan, scan_channels(image if channels else None, t, scan, pool))
    tasks = (partial(_of_group, one, channels, z_step if solid is not None else None, groups) for one in found)
    sections = _by_label(list(in_order(pool, tasks, ahead=1)))
    if surface is not None:
        sections["outline"] = _surface(sections["moments"]["volume_voxels"], *surface.result(), z_step)
    elif "outline" in groups and solid is None:
        sections["outline"] = _outline(sections["moments"]["area_px"], sections["runs"]["runs"], scan.borders)
    order = OF_PLANES if solid is None else OF_VOLUMES
    return {name: column for one in order for name, column in sections.get(one, {}).items()}


def _of_group(group: ObjectRuns, channels: list[str], z_step: float | None, groups: frozenset[str]) -> Sections:
    """Measure some objects; `z_step` is None for those of a plane."""
    label, index = distinct(group.runs.label)
    count = len(label)
    if z_step is None:
        sections = _flat_shapes(group, index, count, groups)
    else:
        sections = _solid_shapes(group, index, count, z_step, groups)
    grey = {
        f"{statistic}_{name}": column
        for name, of_runs in zip(channels, group.grey, strict=True)
        for statistic, column in object_intensities(group.runs, index, count, of_runs).items()
    }
    runs = np.bincount(index, minlength=count)
    return {"label": {"label": label}, "runs": {"runs": runs}, **sections, "grey": grey}


def _flat_shapes(group: ObjectRuns, index: np.ndarray, count: int, groups: frozenset[str]) -> Sections:
    moments = object_shape.moments(group.runs, index, count)
    if "hull" not in groups:
        return {"moments": moments}
    area = moments["area_px"]
    feret = dict.fromkeys(("feret_max_px", "feret_min_px"), area.astype(np.float64))
    convex = {"convex_area_px": area, **feret}  # of no object
    if count:
        convex = object_shape.convex_shapes(group.runs, index, count)
    hull = {"convex_area_px": convex["convex_area_px"], "solidity": ratio(area, convex["convex_area_px"])}
    return {"moments": moments, "hull": hull, "feret": {name: convex[name] for name in feret}}


def _solid_shapes(group: ObjectRuns, index: np.ndarray, count: int, z_step: float, groups: frozenset[str]) -> Sections:
    from bioimage_suite.measurement import volume_shape

    moments = volume_shape.moments(group.runs, group.z, index, count, z_step)
    if "hull" not in groups:
        return {"moments": moments}
    convex = volume_shape.convex_volumes(group.runs, group.z, index, count)
    hull = {"convex_volume_voxels": convex, "solidity": ratio(moments["volume_voxels"], convex)}
    return {"moments": moments, "hull": hull}


def _by_label(parts: list[Sections]) -> Sections:
    """Join the columns of groups of objects, in the order of the labels."""
    order = np.argsort(np.concatenate([part["label"]["label"] for part in parts]))
    return {
        section: {name: np.concatenate([part[section][name] for part in parts])[order] for name in columns}
        for section, columns in parts[0].items()
    }


def _outline(area: np.ndarray, runs: np.ndarray, borders: np.ndarray) -> Columns:
    crofton = object_shape.crofton_perimeters(runs, borders)
    # The line through border pixels is too short for thin and small objects, whose circularity would be above 1.
    circularity = np.minimum(ratio(4 * np.pi * area, crofton**2), 1.0)
    perimeter = object_shape.perimeters(borders)
    return {"perimeter_px": perimeter, "circularity": circularity, "perimeter_crofton_px": crofton}


def _surface(voxels: np.ndarray, meshed: np.ndarray, crofton: np.ndarray, z_step: float) -> Columns:
    ball = np.cbrt(np.pi * (6 * voxels * z_step) ** 2)
    # The steps of a mesh are area too: a ball would have 0.92. Objects of a few voxels would be above 1.
    sphericity = np.minimum(ratio(ball, crofton), 1.0)
    return {"surface_area_px2": meshed, "sphericity": sphericity, "surface_crofton_px2": crofton}


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return the quotient, NaN where the denominator is zero."""
    array: np.ndarray = np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0)
    return array
