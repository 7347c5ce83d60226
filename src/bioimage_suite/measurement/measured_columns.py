"""All measurements of the objects of a plane or a volume, as columns of a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bioimage_suite.core.scratch import IN_MEMORY, on_disk, release
from bioimage_suite.images.model.bands import bands
from bioimage_suite.images.model.grown_labels import grown_bands, grown_planes
from bioimage_suite.images.model.image_file import ImageFile, with_numbers_only
from bioimage_suite.images.model.planes import z_step
from bioimage_suite.measurement.basic_columns import Columns, basic_columns
from bioimage_suite.measurement.object_relations import (
    Children,
    GreyParts,
    by_parent,
    children_of,
    grey_parts,
    neighbours,
    touching_pairs,
)
from bioimage_suite.measurement.object_scan import scan_labels
from bioimage_suite.measurement.object_texture import TextureOptions, levels_of, textures
from bioimage_suite.tables.measurement_table import as_positions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

# Beginnings of the names of columns by the group that a user chooses; label and size are always there.
GROUPS: dict[str, tuple[str, ...]] = {
    "position": ("centroid_",),
    "box": ("bbox_",),
    "ellipse": ("major_axis_", "middle_axis_", "minor_axis_", "eccentricity", "orientation_"),
    "outline": ("perimeter_", "circularity", "surface_", "sphericity"),
    "hull": ("convex_", "solidity", "feret_"),
    "intensity": (),  # measured only where chosen
}


@dataclass(frozen=True)
class MeasureOptions:
    """What to measure.

    Attributes:
        groups: Which of GROUPS.
        volume: Whether the planes of a stack are one volume.
        texture: How texture is measured.
        texture_ranges: Lowest and highest grey value of the channels whose texture is measured, by channel.
        neighbours_within: Distance up to which neighbours count, px; None to measure no neighbours.
        children: Label maps of objects inside the objects, by their names in columns.
        children_grey: Whether grey values are measured within and outside of children.
        ring: Width of the ring around each object in which grey values are measured, px; None for no ring.
    """

    groups: frozenset[str] = frozenset(GROUPS)
    volume: bool = False
    texture: TextureOptions = field(default_factory=TextureOptions)
    texture_ranges: dict[int, tuple[float, float]] = field(default_factory=dict)
    neighbours_within: float | None = None
    children: dict[str, ImageFile] = field(default_factory=dict)
    children_grey: bool = False
    ring: int | None = None


@dataclass(frozen=True)
class Measured:
    """Measurements of the objects of a plane or a volume.

    Attributes:
        t: Time point.
        z: The z-plane, None for a volume.
        columns: (n,) values by column name, `label` among them, in the order of the labels.
        children: Children with their parents, by the name of their label map.
    """

    t: int
    z: int | None
    columns: Columns
    children: dict[str, Children]

    @property
    def size_column(self) -> str:
        """Return the name of the column that counts pixels or voxels."""
        return _size_column(volume=self.z is None)

    def place(self, labels: ImageFile) -> dict[str, int]:
        """Return the columns of the place: `t` for a movie, `z` for a stack measured plane by plane."""
        place = {"t": self.t} if labels.size_t > 1 else {}
        return place | ({"z": self.z} if labels.size_z > 1 and self.z is not None else {})


def measure_body(
    labels: ImageFile, image: ImageFile | None, t: int, planes: list[int], options: MeasureOptions, *, pool: Executor
) -> Measured:
    """Measure the objects of one plane, or of several as one volume.

    Args:
        labels: Opened label map.
        image: Opened image of the same size, or None.
        t: Time point.
        planes: Index z of the plane or planes.
        options: What to measure.
        pool: Threads to compute in.
    """
    volume = len(planes) > 1
    known = image if image is not None and image.physical_size else labels
    x, y, z = (known.micrometres(axis) for axis in "xyz")
    step = z_step(known) if volume else 1.0
    scan = scan_labels(labels, t, planes, pool, perimeter=not volume and "outline" in options.groups)
    stack = _stacked(labels, t, planes) if volume or options.texture_ranges else None
    solid = stack if volume else None
    basic = basic_columns(image, t, scan, solid, z_step=step, groups=options.groups, pool=pool)
    texture, near = {}, {}
    if image is not None and stack is not None:
        texture = _textures(image, t, planes, stack, basic, options=options)
    if options.neighbours_within is not None:
        near = _neighbours(labels, t, planes[0], solid, basic, within=options.neighbours_within, z_step=step)
    children = {name: _children(labels, child, t, planes) for name, child in options.children.items()}
    size = _size_column(volume)
    inside = {k: v for name, found in children.items() for k, v in by_parent(scan.label, found, name, size).items()}
    if image is not None and options.children_grey:
        for name, child in options.children.items():
            inside |= _children_grey(labels, image, t, planes, scan.label, name=name, child=child)
    if image is not None and options.ring is not None:
        inside |= _rings(labels, image, t, planes, solid, label=scan.label, width=options.ring, z_step=step)
    columns = with_units({**_chosen(basic, options.groups), **texture, **near, **inside}, x, y, z if volume else None)
    return Measured(t, None if volume else planes[0], _short_positions(columns), children)


def _short_positions(columns: Columns) -> Columns:
    """Round positions to the digits that tables hold, after all that is computed of them."""
    return {name: as_positions(one) if name.startswith("centroid_") else one for name, one in columns.items()}


def _chosen(columns: Columns, groups: frozenset[str]) -> Columns:
    """Leave out the columns of the groups that were not chosen; those that other measurements need exist until here."""
    left_out = tuple(begin for group, begins in GROUPS.items() if group not in groups for begin in begins)
    return {name: column for name, column in columns.items() if not name.startswith(left_out)}


def _size_column(volume: bool) -> str:
    return "volume_voxels" if volume else "area_px"


def _stacked(labels: ImageFile, t: int, planes: list[int]) -> np.ndarray:
    """Return the planes as one (Z, Y, X) array: in memory for one plane that fits there, else on disk."""
    height, width = labels.size_y, labels.size_x
    if len(planes) == 1 and height * width * labels.dtype.itemsize <= IN_MEMORY:
        return labels.read_plane(t, 0, planes[0])[None]
    stack = on_disk((len(planes), height, width), np.int32)
    for plane, z in zip(stack, planes, strict=True):
        read = labels.plane_reader(t, 0, z)
        for first, last in bands(height, width):
            plane[first:last] = read(first, last)
            release(stack)
    return stack


def _textures(
    image: ImageFile, t: int, planes: list[int], stack: np.ndarray, columns: Columns, *, options: MeasureOptions
) -> Columns:
    """Return Haralick features of the chosen channels in columns `haralick_<feature>_<channel>`."""
    axes = ("z", "y", "x") if len(planes) > 1 else ("y", "x")
    low, high = ([columns[f"bbox_{end}_{axis}_px"].tolist() for axis in axes] for end in ("min", "max"))
    boxes: list[tuple[Any, ...]] = [
        tuple(map(slice, *ends)) for ends in zip(zip(*low, strict=True), zip(*high, strict=True), strict=True)
    ]
    objects = [
        (label, (slice(0, 1), *box) if len(planes) == 1 else box)
        for label, box in zip(columns["label"].tolist(), boxes, strict=True)
    ]
    found: Columns = {}
    names = image.channel_labels()
    for channel, (lowest, highest) in options.texture_ranges.items():
        grey = on_disk(stack.shape, np.uint8)
        for plane, z in zip(grey, planes, strict=True):
            read = image.plane_reader(t, channel, z)
            for first, last in bands(image.size_y, image.size_x):
                plane[first:last] = levels_of(read(first, last), lowest, highest, options.texture.levels)
                release(grey)
        for feature, column in textures(stack, grey, objects, options.texture).items():
            found[f"haralick_{feature}_{names[channel]}"] = column
    return found


def _neighbours(
    labels: ImageFile,
    t: int,
    plane: int,
    stack: np.ndarray | None,
    columns: Columns,
    *,
    within: float,
    z_step: float,
) -> Columns:
    height, width = labels.size_y, labels.size_x

    def blocks() -> Iterator[np.ndarray]:
        read = labels.plane_reader(t, 0, plane)
        for first, last in bands(height, width):
            rows = (first, min(height, last + 1))
            if stack is None:
                yield read(*rows)[None]
            else:
                for z in range(len(stack)):
                    yield stack[z : z + 2, rows[0] : rows[1]]
                    release(stack)

    z = columns.get("centroid_z_px", np.zeros(len(columns["label"]))) * z_step
    points = np.stack([z, columns["centroid_y_px"], columns["centroid_x_px"]], axis=1)
    return neighbours(columns["label"], points, touching_pairs(blocks()), within)


def _children(labels: ImageFile, children: ImageFile, t: int, planes: list[int]) -> Children:
    readers = ((labels.plane_reader(t, 0, z), children.plane_reader(t, 0, z)) for z in planes)
    size = (labels.size_y, labels.size_x)
    return children_of((parent(*band), child(*band)) for parent, child in readers for band in bands(*size))


def _grey_parts(
    image: ImageFile, t: int, planes: list[int], label: np.ndarray, *, whole: Iterator[np.ndarray], inner: ImageFile
) -> GreyParts:
    """Measure grey values of objects within and outside of those of the label map `inner`.

    Args:
        image: Opened image.
        t: Time point.
        planes: Index z of the plane or planes.
        label: (n,) ascending labels of the objects.
        whole: (rows, X) bands of the objects' label map, plane by plane.
        inner: Opened label map of what is inside.
    """
    checked = with_numbers_only(image)

    def read() -> Iterator[tuple[np.ndarray, np.ndarray, list[np.ndarray]]]:
        for z in planes:
            inside = inner.plane_reader(t, 0, z)
            channels = [checked.plane_reader(t, c, z) for c in range(image.size_c)]
            for band in bands(image.size_y, image.size_x):
                yield next(whole), inside(*band), [one(*band) for one in channels]

    return grey_parts(label, read(), image.size_c)


def _children_grey(
    labels: ImageFile, image: ImageFile, t: int, planes: list[int], label: np.ndarray, *, name: str, child: ImageFile
) -> Columns:
    """Measure grey values of objects within and outside of children called `name`."""

    def whole() -> Iterator[np.ndarray]:
        for z in planes:
            read = labels.plane_reader(t, 0, z)
            yield from (read(*band) for band in bands(labels.size_y, labels.size_x))

    columns: Columns = {}
    found = _grey_parts(image, t, planes, label, whole=whole(), inner=child)
    for channel, means, ratio in zip(image.channel_labels(), found.means, found.ratio, strict=True):
        columns |= {f"{name}_mean_{channel}": means[0], f"outside_{name}_mean_{channel}": means[1]}
        columns[f"{name}_ratio_{channel}"] = ratio
    return columns


def _rings(
    labels: ImageFile,
    image: ImageFile,
    t: int,
    planes: list[int],
    solid: np.ndarray | None,
    *,
    label: np.ndarray,
    width: int,
    z_step: float,
) -> Columns:
    """Measure the ring around each object: background at most `width` away, where no other object is nearer.

    Args:
        labels: Opened label map.
        image: Opened image.
        t: Time point.
        planes: Index z of the plane or planes.
        solid: (Z, Y, X) label map of a volume; None for a plane.
        label: (n,) ascending labels of the objects.
        width: Width of the ring, px of the plane.
        z_step: Distance of two planes in pixels of the plane.
    """
    height, width_x = labels.size_y, labels.size_x

    def whole() -> Iterator[np.ndarray]:
        if solid is None:
            yield from grown_bands(labels.plane_reader(t, 0, planes[0]), (height, width_x), width)
            return
        for plane in grown_planes(solid, width, z_step):
            yield from (plane[first:last] for first, last in bands(height, width_x))

    found = _grey_parts(image, t, planes, label, whole=whole(), inner=labels)
    columns = {f"ring_{_size_column(solid is not None)}": found.pixels[1]}
    for channel, means, ratio in zip(image.channel_labels(), found.means, found.ratio, strict=True):
        columns |= {f"ring_mean_{channel}": means[1], f"ring_ratio_{channel}": ratio}
    return columns


def with_units(columns: Columns, x: float | None, y: float | None, z: float | None = None) -> Columns:
    """Add columns in µm: positions, areas and volumes where sizes are known, lengths where pixels are square.

    Args:
        columns: Columns in pixels.
        x: Width of a pixel in µm, None where unknown.
        y: Height of a pixel in µm, None where unknown.
        z: Distance of planes in µm, None where unknown or not needed.
    """
    if x is None or y is None:
        return columns
    factors = {"centroid_y_px": y, "centroid_x_px": x}
    is_volume = "volume_voxels" in columns
    if not is_volume:
        factors |= {name: x * y for name in columns if name.endswith("area_px")}
    elif z is not None:
        factors |= {"centroid_z_px": z}
        factors |= {name: x * y * z for name in columns if name.endswith("_voxels")}
    # With pixels that are not square the factor of a length depends on its direction.
    if abs(x - y) <= 1e-6 * x and (z is not None or not is_volume):
        lengths = (
            "_diameter_px",
            "_axis_px",
            "perimeter_px",
            "perimeter_crofton_px",
            "nearest_neighbour_px",
            "feret_max_px",
            "feret_min_px",
        )
        factors |= {name: x for name in columns if name.endswith(lengths)} | {
            name: x * x for name in columns if name.endswith("_px2")
        }
    out: Columns = {}
    for name, column in columns.items():
        out[name] = column
        if name in factors:
            out[_in_micrometres(name)] = column * factors[name]
    return out


def _in_micrometres(name: str) -> str:
    """Return the name of the column in µm.

    >>> [_in_micrometres(name) for name in ("area_px", "surface_area_px2", "volume_voxels", "perimeter_px")]
    ['area_um2', 'surface_area_um2', 'volume_um3', 'perimeter_um']
    """
    for ending, unit in (("area_px", "area_um2"), ("_px2", "_um2"), ("volume_voxels", "volume_um3"), ("_px", "_um")):
        if name.endswith(ending):
            return name.removesuffix(ending) + unit
    return name
