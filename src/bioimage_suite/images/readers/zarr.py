"""OME-Zarr (OME-NGFF 0.4 and 0.5) for `image_file`, a folder or one zip file (`.ozx`): a multiscale image of it."""

from __future__ import annotations

import math
import re
import zipfile
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from bioimage_suite.core.damage import pass_fault_of_machine
from bioimage_suite.core.errors import UserError
from bioimage_suite.core.repeats import repeated
from bioimage_suite.core.texts import whole_number
from bioimage_suite.core.untrusted_files import ANY_SIZE, MAX_JSON_BYTES, open_zip, read_member
from bioimage_suite.images.model.calibration import pixel_sizes, time_step
from bioimage_suite.images.model.image_file import ImageFile, PhysicalSize
from bioimage_suite.images.model.series import Reading, SeriesDocuments, choose_series
from bioimage_suite.images.ome_zarr.archive import METADATA
from bioimage_suite.images.ome_zarr.metadata import pixel_scale

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import zarr

    from bioimage_suite.images.model.ome_facts import Fact

MAX_CHUNK_BYTES = 1 << 30
# An array of more bytes than this of which less than one chunk in so many is there has not the size that it states.
MAX_HOLLOW_BYTES, LEAST_SHARE = 1 << 33, 1000
LARGER = 1 << 20  # Bytes that a chunk may have beyond twice its pixels: headers, the index of a shard.
CHUNK_KEY, NUMBERS = re.compile(r"(c[/.])?\d+([/.]\d+)*"), re.compile(r"\d+")


def open_ome_zarr(path: Path, name: str, reading: Reading) -> ImageFile:
    """Open an OME-Zarr image from a folder or a zip file.

    Args:
        path: The folder or zip file of the image, or one that holds exactly one such folder (as Galaxy's `ome_zarr`).
        name: Name of the image in messages.
        reading: Which of its images: series as bioformats2raw numbers them, or fields of a plate (`A/1/0`).

    Raises:
        UserError: The folder holds no multiscale image, or its array is missing or has unknown axes.
    """
    source = _source(path, name)
    return _open_place(source, choose_series(source.places, reading.series, name), name)


def open_ome_zarr_images(path: Path, name: str) -> list[ImageFile]:
    """Open every image of an OME-Zarr: series, or fields of a plate. What describes all of them is read once.

    Args:
        path: As for `open_ome_zarr`.
        name: Name of the image in messages.

    Raises:
        UserError: As `open_ome_zarr`.
    """
    source = _source(path, name)
    return [_open_place(source, number, name) for number in range(len(source.places))]


def open_ome_zarr_labels(path: Path, name: str) -> list[ImageFile]:
    """Open the label maps that an OME-Zarr lists for its image (of several, for the first); each has its own name.

    Args:
        path: As for `open_ome_zarr`.
        name: Name of the image in messages.

    Raises:
        UserError: As `open_ome_zarr`, or a label map that is listed is missing.
    """
    source = _source(path, name)
    place = f"{source.places[0]}/labels".lstrip("/")
    if not any(source.text(f"{place}/{file}") for file in ("zarr.json", ".zattrs")):
        return []
    names = _group(source.store, place, name)[1].get("labels", [])
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise UserError(f"Image {name}: the list of its label maps is no list of names. Export the OME-Zarr again.")
    below = replace(source, places=[f"{place}/{one}" for one in names], plate=())
    return [replace(_open_place(below, number, f"{name}, labels {one}"), name=one) for number, one in enumerate(names)]


@dataclass(frozen=True)
class _Source:
    """An OME-Zarr: its store, and the places of its images in it."""

    path: Path
    store: Any
    places: list[str]
    sizes: dict[str, int]
    """Bytes of each file of a zip; empty for a folder."""
    plate: tuple[Fact, ...] = ()
    """What is said of the plate whose fields the images are."""
    read_documents: dict[str, SeriesDocuments] = field(default_factory=dict)
    """OME-XML by file, as far as it was asked for."""

    @cached_property
    def field_numbers(self) -> dict[str, int]:
        """Return the number of each field in its well, from 1."""
        counts: Counter[str] = Counter()
        numbers = {}
        for place in self.places:
            well = place.rpartition("/")[0]
            counts[well] += 1
            numbers[place] = counts[well]
        return numbers

    @cached_property
    def names(self) -> list[str]:
        """Return the files of a zip in their order, so that those below a place follow each other."""
        return sorted(self.sizes)

    def below(self, place: str) -> list[str]:
        """Return the files of a zip below a place, which ends in `/`."""
        return self.names[bisect_left(self.names, place) : bisect_left(self.names, f"{place}\U0010ffff")]

    def text(self, name: str) -> str | None:
        """Return a text of the folder or zip; None where it has no such file."""
        if self.path.is_dir():
            _refuse_links(self.path, [self.path / name], self.path.name)
            return (self.path / name).read_text(encoding="utf-8") if (self.path / name).is_file() else None
        if name not in self.sizes:
            return None
        with zipfile.ZipFile(self.path) as archive:
            return read_member(archive, name, self.path.name).decode("utf-8")

    def documents(self, name: str) -> SeriesDocuments:
        """Return the OME-XML of a file by image; it is read once, as the images of a plate may share it."""
        if name not in self.read_documents:
            self.read_documents[name] = SeriesDocuments(self.text(name))
        return self.read_documents[name]


def _source(path: Path, name: str) -> _Source:
    """Find the images of a folder or zip file; its content is listed once."""
    from bioimage_suite.images.ome_zarr.checked_codecs import use_checked_codecs
    from bioimage_suite.images.ome_zarr.checked_zip import CheckedZipStore

    use_checked_codecs()
    if path.is_dir():
        found = [*path.glob("*"), *path.glob("*/*")]
        files = {file.relative_to(path).as_posix() for file in found}
        places, plate = _places(path, files, name)
        return _Source(path, path, places, {}, plate)
    with open_zip(path, name, ANY_SIZE) as archive:
        sizes = {one.filename: one.file_size for one in archive.infolist()}
    _refuse_large_metadata(((one, size) for one, size in sizes.items() if PurePosixPath(one).name in METADATA), name)
    store = CheckedZipStore(path, mode="r")
    places, plate = _places(store, set(sizes), name)
    return _Source(path, store, places, sizes, plate)


def _refuse_large_metadata(files: Iterable[tuple[str, int]], name: str) -> None:
    large = next((one for one in files if one[1] > MAX_JSON_BYTES), None)
    if large:
        raise UserError(
            f"Image {name}: its metadata {PurePosixPath(large[0]).name} have {large[1]:,} bytes, at most "
            f"{MAX_JSON_BYTES:,} are read. Export the OME-Zarr again."
        )


def _refuse_links(top: Path, files: Iterable[Path], name: str) -> None:
    """Refuse a folder whose links or `..` lead out of it: a stranger's image would show other files of the server.

    Raises:
        UserError: One does.
    """
    inside = top.resolve()
    outside = next((one for one in files if not one.resolve().is_relative_to(inside)), None)
    if outside is not None:
        raise UserError(
            f"Image {name}: its part {outside.relative_to(top).as_posix()!r} leads (by a link or '..') to a place "
            "outside of it, and other files are not read. Copy the OME-Zarr with the files themselves."
        )


def _refuse_large_files(store: Any, place: str, name: str) -> None:
    """Refuse what no metadata can be in a folder; those of a zip file are all looked at when it is opened."""
    if isinstance(store, Path):
        files = [store / place / one for one in sorted(METADATA)]
        _refuse_links(store, files, name)
        _refuse_large_metadata(((str(one), one.stat().st_size) for one in files if one.is_file()), name)


def _open_place(source: _Source, chosen: int, name: str) -> ImageFile:
    import zarr

    place = source.places[chosen]
    group, attributes = _group(source.store, place, name)
    multiscale = attributes["multiscales"][0]
    dataset = multiscale["datasets"][0]
    _refuse_large_files(source.store, f"{place}/{dataset['path']}".lstrip("/"), name)
    try:
        array = group[dataset["path"]]
    except KeyError as error:
        raise UserError(
            f"Image {name}: its array {dataset['path']!r} is missing. Export the OME-Zarr again."
        ) from error
    if not isinstance(array, zarr.Array):
        raise UserError(f"Image {name}: {dataset['path']!r} is no array. Export the OME-Zarr again.")
    notes: list[str] = []
    _check_chunks(array, _chunk_files(source, f"{place}/{dataset['path']}/".lstrip("/")), name, notes)
    _check_first_is_largest(source.store, place, multiscale["datasets"], array, name)
    axes = _axes(multiscale.get("axes"), array.ndim, name, notes)
    sizes = dict.fromkeys("TCZYX", 1) | dict(zip(axes, array.shape, strict=True))
    physical_size, time_increment = _sizes(multiscale, dataset, axes, notes)
    omero = _omero(attributes)
    names = [_label(channel.get("label")) for channel in omero.get("channels", [])]

    # Zarr 2 keeps big-endian pixels as such; compiled code takes those of this machine only.
    dtype = array.dtype.newbyteorder("=")

    def read_region(t: int, c: int, z: int, rows: slice, columns: slice) -> np.ndarray:
        import numpy as np

        at: dict[str, Any] = {"T": t, "C": c, "Z": z, "Y": rows, "X": columns}
        try:
            return np.asarray(array[tuple(at[axis] for axis in axes)], dtype)
        except (ValueError, RuntimeError, OSError, zipfile.BadZipFile) as error:
            pass_fault_of_machine(error)
            raise UserError(
                f"Image {name}: the pixels at t={t}, c={c}, z={z} cannot be read ({error}). "
                "A chunk of the OME-Zarr is damaged or cut short: export it again."
            ) from error

    return ImageFile(
        name=name, size_t=sizes["T"], size_c=sizes["C"], size_z=sizes["Z"], size_y=sizes["Y"], size_x=sizes["X"],
        dtype=dtype, channels=tuple(names) if len(names) == sizes["C"] else (None,) * sizes["C"],
        physical_size=physical_size, time_increment=time_increment, read_region=read_region, notes=tuple(notes),
        details={"format": f"OME-Zarr {attributes.get('version') or multiscale.get('version', '')}".strip(),
                 "axes": "".join(axes), "series": source.places, "levels": len(multiscale["datasets"]),
                 "omero": omero or None, "ome_xml": _ome_xml(source, place, chosen),
                 "facts": [*source.plate, *_field_facts(source, place)] if source.plate else []},
    )  # fmt: skip


def _axes(said: Any, count: int, name: str, notes: list[str]) -> list[str]:
    """Return the letter of each axis of an array.

    Args:
        said: The `axes` of a multiscale. Before 0.4 they were names alone, before 0.3 there were none.
        count: Dimensions of the array.
        name: Name of the image in messages.
        notes: Gets a sentence if the axes have no names and could be others.

    Raises:
        UserError: They are not those of an image of rows and columns, or not those of the array.
    """
    if not said:
        axes = list("TCZYX")[-count:]
        if 2 < count < 5:
            notes.append(f"its axes have no names and are taken as {', '.join(axes).lower()}")
    else:
        names = (
            [one.get("name") if isinstance(one, dict) else one for one in said] if isinstance(said, list) else [said]
        )
        axes = [one.upper() if isinstance(one, str) else repr(one) for one in names]
    known = set(axes) <= set("TCZYX") and len(set(axes)) == len(axes)
    if len(axes) != count or not known or axes[-2:] != ["Y", "X"]:
        raise UserError(
            f"Image {name}: its axes {axes} do not fit an array of {count} dimensions that ends in y, x. "
            "Write it again with its axes in the order t, c, z, y, x."
        )
    return axes


def _check_first_is_largest(store: Any, place: str, datasets: list[Any], first: zarr.Array[Any], name: str) -> None:
    """Refuse levels in the wrong order: the first, which is read, has to be the full resolution.

    Raises:
        UserError: The last level is larger than the first, or its metadata are no metadata of this OME-Zarr.
    """
    import zarr

    path = datasets[-1].get("path") if len(datasets) > 1 and isinstance(datasets[-1], dict) else None
    if not isinstance(path, str):
        return
    below = f"{place}/{path}".lstrip("/")
    _refuse_large_files(store, below, name)
    try:
        shape = zarr.open_array(store, path=below, mode="r").shape
    except (ValueError, KeyError, TypeError, FileNotFoundError):
        return  # Levels that are not read may be missing.
    if len(shape) == first.ndim and any(there > here for there, here in zip(shape, first.shape, strict=True)):
        raise UserError(
            f"Image {name}: its levels are not in order: the first, {datasets[0]['path']!r}, has the shape "
            f"{first.shape} and the last, {path!r}, the larger {shape}. List them from the largest to the smallest."
        )


def _omero(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the display settings; those that are none are left out, as an image is whole without them."""
    said = attributes.get("omero")
    if not isinstance(said, dict):
        return {}
    channels = said.get("channels", [])
    return said if isinstance(channels, list) and all(isinstance(one, dict) for one in channels) else {}


def _label(found: object) -> str | None:
    """Return the name of a channel; a number, which some programs write without quotes, is one too."""
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _chunk_files(source: _Source, place: str) -> dict[str, int]:
    """Return the bytes of each file of chunks (0.5: of shards) by its key below a place that ends in `/`."""
    if source.path.is_dir():
        folder = source.path / place
        every = [*folder.rglob("*")]
        _refuse_links(source.path, [folder, *(file for file in every if file.is_symlink())], source.path.name)
        files = ((file.relative_to(folder).as_posix(), file) for file in every)
        return {key: file.stat().st_size for key, file in files if CHUNK_KEY.fullmatch(key) and file.is_file()}
    found = {name.removeprefix(place): source.sizes[name] for name in source.below(place)}
    return {key: size for key, size in found.items() if CHUNK_KEY.fullmatch(key)}


def _check_chunks(array: zarr.Array[Any], files: dict[str, int], name: str, notes: list[str]) -> None:
    """Count the chunks (0.5: shards) that are in the store; a missing one stands for the fill value, or was lost.

    Args:
        array: The full resolution.
        files: Of `_chunk_files`.
        name: Name of the image in messages.
        notes: Gets a sentence if some are missing, or belong to no pixel of the array.

    Raises:
        UserError: A chunk would take too much memory or is empty, or hardly any of a large array are there: its size
            is wrong. Or chunks are missing and others lie where the array has none: they are cut or named otherwise.
    """
    chunk = math.prod(array.chunks) * array.dtype.itemsize
    if chunk > MAX_CHUNK_BYTES:
        raise UserError(
            f"Image {name}: its chunks of {array.chunks} pixels unpack to {chunk:,} bytes each, at most "
            f"{MAX_CHUNK_BYTES:,} are read. Write the OME-Zarr again in smaller chunks."
        )
    edges = array.shards or array.chunks
    _check_chunk_sizes([*files.values()], edges, array.dtype.itemsize, name)
    grid = tuple(-(-size // edge) for size, edge in zip(array.shape, edges, strict=True))
    outside = [key for key in files if not _is_chunk(array, key, grid)]
    count, there = math.prod(grid), len(files) - len(outside)
    kind = "shards" if array.shards else "chunks"
    if outside and there < count:
        raise UserError(
            f"Image {name}: {count - there} of its {count:,} {kind} are not in the file, and {len(outside)} files such "
            f"as {min(outside)!r} are none of them: its metadata have a wrong size, or chunks of a wrong size or name. "
            "Export the OME-Zarr again."
        )
    if there < count / LEAST_SHARE and math.prod(array.shape) * array.dtype.itemsize > MAX_HOLLOW_BYTES:
        raise UserError(
            f"Image {name}: {there} of its {count:,} chunks are in the file, so its size {array.shape} is wrong or its "
            "pixels were lost. Export the OME-Zarr again."
        )
    if outside:
        notes.append(
            f"{len(outside)} files of {kind} such as {min(outside)!r} lie outside its size {array.shape} and are not "
            "read. If the image is larger its metadata are wrong: export it again"
        )
    if there < count:
        notes.append(
            f"{count - there} of its {count} {kind} are not in the file; they are read as {array.fill_value}, as the "
            "specification says. If the image has no such empty parts they were lost: export it again"
        )


def _check_chunk_sizes(sizes: list[int], edges: tuple[int, ...], itemsize: int, name: str) -> None:
    """Refuse chunks (0.5: shards) whose files are empty, or larger than their pixels can be.

    Raises:
        UserError: One is so.
    """
    if 0 in sizes:
        raise UserError(
            f"Image {name}: {sizes.count(0)} of its chunks are empty files (0 bytes): they were cut short. "
            "Export the OME-Zarr again."
        )
    # Compressed, what cannot be made smaller gets a little larger.
    most = 2 * math.prod(edges) * itemsize + LARGER
    if max(sizes, default=0) > most:
        raise UserError(
            f"Image {name}: one of its chunks is a file of {max(sizes):,} bytes, at most {most:,} can be right for "
            f"{edges} pixels. Export the OME-Zarr again."
        )


def _is_chunk(array: zarr.Array[Any], key: str, grid: tuple[int, ...]) -> bool:
    """Say whether a file is one of the chunks that the metadata of an array tell of, by their names and number."""
    place = tuple(map(int, NUMBERS.findall(key)))
    if len(place) != len(grid) or any(at >= count for at, count in zip(place, grid, strict=True)):
        return False
    return bool(array.metadata.encode_chunk_key(place) == key)


def _places(store: Any, files: set[str], name: str) -> tuple[list[str], tuple[Fact, ...]]:
    """Return where the images are, at the root or in its only subfolder: one, numbered series, or fields of wells.

    For fields also what is said of their plate.
    """
    inside = sorted({file.partition("/")[0] for file in files if "/" in file})
    for folder in ["", *([f"{inside[0]}/"] if len(inside) == 1 else [])]:
        if not {f"{folder}zarr.json", f"{folder}.zgroup"} & files:
            continue
        _, attributes = _group(store, folder, name)
        if attributes.get("multiscales"):
            return [folder.rstrip("/")], ()
        if attributes.get("plate"):
            fields = _fields(store, folder, attributes["plate"], name)
            return fields, _plate_facts(attributes["plate"], len(fields))
        numbers = {file.removeprefix(folder).partition("/")[0] for file in files if file.startswith(folder)}
        series = [
            f"{folder}{number}" for number in sorted((n for n in numbers if whole_number(n) is not None), key=int)
        ]
        series = [one for one in series if {f"{one}/zarr.json", f"{one}/.zgroup"} & files]
        if series and _group(store, series[0], name)[1].get("multiscales"):
            return series, ()
    raise UserError(
        f"Image {name}: there is no OME-Zarr image (no `multiscales`) in it. Give the folder or the .ozx of an image "
        "or a plate, not a plain Zarr or another archive."
    )


def _fields(store: Any, folder: str, plate: dict[str, Any], name: str) -> list[str]:
    """Return the images of a plate: row, column and field."""
    found = []
    for well in plate.get("wells", []):
        path = str(well["path"]).strip("/")
        place = f"{folder}{path}"
        images = _group(store, place, name)[1].get("well", {}).get("images")
        if images is None:
            raise UserError(f"Image {name}: its well {path} does not list its images. Export the plate again.")
        found += [f"{place}/{str(image['path']).strip('/')}" for image in images]
    twice = repeated(found)
    if twice:
        raise UserError(f"Image {name}: the plate lists its image {twice[0]!r} more than once. Export it again.")
    if not found:
        raise UserError(f"Image {name}: the plate has no images in its wells. Export it again.")
    return found


def _group(store: Any, place: str, name: str) -> tuple[Any, dict[str, Any]]:
    """Return a group and its OME metadata."""
    import zarr

    _refuse_large_files(store, place, name)
    try:
        # What was consolidated once may be older than the metadata of the array itself.
        group = zarr.open_group(store, path=place.rstrip("/"), mode="r", use_consolidated=False)
        attributes: dict[str, Any] = dict(group.attrs)
    except (FileNotFoundError, zarr.errors.ContainsArrayError) as error:
        # The library's message names the place of the file on the server.
        raise UserError(
            f"Image {name}: its Zarr metadata cannot be read (no group {place.rstrip('/')!r} in it). Export it again."
        ) from error
    except (ValueError, KeyError, OSError) as error:
        pass_fault_of_machine(error)
        raise UserError(f"Image {name}: its Zarr metadata cannot be read ({error}). Export it again.") from error
    return group, attributes.get("ome") or attributes


def _ome_xml(source: _Source, place: str, number: int) -> str | None:
    """Return the OME-XML beside an image, if its writer left one: convert_image its own, bioformats2raw that of all."""
    above = place.rpartition("/")[0]
    for folder, chosen in ((place, 0), (above, number)) if place else (("", 0),):
        found = source.documents(f"{folder}/OME/METADATA.ome.xml".lstrip("/")).of(chosen)
        if found:
            return found
    return None


def _sizes(
    multiscale: dict[str, Any], dataset: dict[str, Any], axes: list[str], notes: list[str]
) -> tuple[dict[str, PhysicalSize], PhysicalSize | None]:
    """Return physical sizes: scale of the dataset times that of the multiscale; axes without a unit are left out."""
    said = multiscale.get("axes") or []
    units = [axis.get("unit") if isinstance(axis, dict) else None for axis in said] or [None] * len(axes)
    if not any(units):
        return {}, None
    try:
        scale = pixel_scale(multiscale, dataset, len(axes))
    except ValueError as error:
        notes.append(f"what should give the size of its pixels {error}; they are taken as unknown")
        return {}, None
    given = {axis: (value, str(unit)) for axis, value, unit in zip(axes, scale, units, strict=True) if unit}
    physical_size = pixel_sizes({axis.lower(): given[axis] for axis in "XYZ" if axis in given}, notes)
    return physical_size, time_step(*given["T"], notes) if "T" in given else None


def _plate_facts(plate: dict[str, Any], fields: int) -> tuple[Fact, ...]:
    """Return what the metadata of a plate say; `fields` is the number of its images."""
    numbers = {key.capitalize(): len(plate[key]) for key in ("rows", "columns", "wells") if key in plate}
    named = {"Name": plate["name"]} if plate.get("name") else {}
    found = {**named, **numbers, "Fields": fields}
    return tuple(("plate", key, str(value), "") for key, value in found.items())


def _field_facts(source: _Source, place: str) -> list[Fact]:
    """Return the position of a field: its well, such as B3, and its number there, from 1."""
    row, column, _ = place.split("/")[-3:]
    number = source.field_numbers[place]
    return [("image", "Well", f"{row}{column}", ""), ("image", "Field", str(number), "")]
