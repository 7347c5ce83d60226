"""Compare convert_image with ome-zarr-py and ngff-zarr (OME-Zarr 0.5) and with plain tifffile (OME-TIFF).

Whole processes are compared. All of them write a pyramid with chunks of 512 x 512 pixels from the same tiled OME-TIFF.
The other libraries, used as their documentation shows, read the whole image with tifffile. Plain tifffile reads and
writes only the full resolution, with the same codec. The pixels at full resolution must be equal.
`python -m benchmarks.bench_image_convert` prints the figures; `make bench` collects `records()`.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import OWN_GOAL, Record, figure, part_of, run_process
from scripts.suite_files import tool_script

TOOL = tool_script("convert_image")
SIZE = 8192
LARGE = 32768
CODEC: dict[str, Any] = {"compression": "zlib", "compressionargs": {"level": 1}, "predictor": True}


def make_image(path: Path, size: int) -> None:
    """Write noise on a slope as a tiled OME-TIFF; without compression, reading it costs every side the least."""
    import numpy as np
    import tifffile

    rng = np.random.default_rng(5)
    tile = rng.poisson(300, (512, 512)).astype(np.uint16)
    tiles = (tile + np.uint16(number % 64) for number in range((size // 512) ** 2))
    tifffile.imwrite(path, tiles, shape=(size, size), dtype=np.uint16, tile=(512, 512), ome=True, bigtiff=True,
                     metadata={"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"})  # fmt: skip


def with_ome_zarr_py(image: Path, output: Path) -> None:
    """Write an array as the documentation of ome-zarr-py shows."""
    import tifffile
    import zarr
    from ome_zarr.writer import write_image

    group = zarr.open_group(output, mode="w", zarr_format=3)
    write_image(tifffile.imread(image), group, axes="yx", storage_options={"chunks": (512, 512)})


def with_ngff_zarr(image: Path, output: Path) -> None:
    """Write an array as the documentation of ngff-zarr shows."""
    import ngff_zarr
    import tifffile

    found = ngff_zarr.to_ngff_image(tifffile.imread(image), dims=["y", "x"], scale={"y": 0.5, "x": 0.5})
    multiscales = ngff_zarr.to_multiscales(found, scale_factors=[2, 4, 8, 16], chunks=512)
    ngff_zarr.to_ngff_zarr(str(output), multiscales, version="0.5")


def with_tifffile(image: Path, output: Path) -> None:
    """Read and write with plain tifffile: tiles of 512 pixels, two threads as in the tool."""
    import tifffile

    tifffile.imwrite(output, tifffile.imread(image), tile=(512, 512), maxworkers=2, **CODEC)


OTHERS = {"ome-zarr-py": with_ome_zarr_py, "ngff-zarr": with_ngff_zarr, "tifffile": with_tifffile}


def check(ours: Path, theirs: Path) -> None:
    """Check that both have equal pixels at full resolution, and that ours has a pyramid of five levels.

    Raises:
        AssertionError: They differ, or a level is missing.
    """
    import numpy as np
    import tifffile
    import zarr

    if ours.is_file():
        with tifffile.TiffFile(ours) as tiff:
            assert len(tiff.series[0].levels) == 5
        np.testing.assert_array_equal(tifffile.imread(ours), tifffile.imread(theirs))
        return
    levels, pixels = [], []
    for path in (ours, theirs):
        group: Any = zarr.open_group(path, mode="r")
        datasets = group.attrs["ome"]["multiscales"][0]["datasets"]
        levels.append(len(datasets))
        pixels.append(np.squeeze(group[datasets[0]["path"]][:]))
    assert levels[0] == 5 <= levels[1]
    np.testing.assert_array_equal(*pixels)


def tool(form: str, image: Path, output: Path) -> list[str]:
    """Return the command line of the tool."""
    return [sys.executable, str(TOOL), "--image", str(image), "--format", form, "--output", str(output)]


def compare(image: Path, folder: Path, other: str, form: str, repeats: int) -> dict[str, float]:
    """Run both in turns, and return the medians."""
    ours, theirs = folder / "ours", folder / "theirs"
    rounds = []
    for _ in range(repeats):
        for path in (ours, theirs):
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
        mine = run_process(tool(form, image, ours))
        cost = run_process(part_of(__file__, other, image, theirs))
        rounds.append((cost.seconds / mine.seconds, mine.seconds, cost.seconds, mine.peak_mib, cost.peak_mib))
    run_process(part_of(__file__, "check", ours, theirs))
    names = ("speedup", "seconds", "other_seconds", "peak", "other_peak")
    return {name: statistics.median(values) for name, values in zip(names, zip(*rounds, strict=True), strict=True)}


def records() -> list[Record]:
    """Measure, and return the figures."""
    found: list[Record] = []
    label = f"convert_image {SIZE}x{SIZE} 16-bit"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        image = folder / "image.ome.tiff"
        run_process(part_of(__file__, "make", image, SIZE))
        for other, version, goal in (("ome-zarr-py", "0.18", ">= 5"), ("ngff-zarr", "0.50", ">= 2.5")):
            one = compare(image, folder, other, "ome-zarr-0.5", 3)
            name, against = f"{label} to OME-Zarr 0.5", f"{other} {version}"
            theirs = f"{one['other_seconds']:.1f} s and {one['other_peak']:.0f} MiB, {against}"
            found += [
                figure(f"{name}: speed-up over {other}", one["speedup"], "x", goal, against),
                figure(f"{name}, beside {other}: time", one["seconds"], "s", "", theirs),
                figure(f"{name}, beside {other}: peak memory", one["peak"], "MiB", "<= 512", theirs),
            ]  # fmt: skip
        one = compare(image, folder, "tifffile", "ome-tiff", 3)
        found += [
            figure(f"{label} to pyramidal OME-TIFF: time over plain tifffile", 1 / one["speedup"], "x", "<= 2",
                   "tifffile read + write, no pyramid, same codec"),
            figure(f"{label} to pyramidal OME-TIFF: time", one["seconds"], "s", "", f"{one['other_seconds']:.1f} s"),
            figure(f"{label} to pyramidal OME-TIFF: peak memory", one["peak"], "MiB", "<= 1024",
                   f"{one['other_peak']:.0f} MiB, tifffile"),
        ]  # fmt: skip
        found += large(folder)
    return found


def large(folder: Path) -> list[Record]:
    """Measure memory and time for an image that is 16 times as large."""
    image, output = folder / "large.ome.tiff", folder / "large"
    run_process(part_of(__file__, "make", image, LARGE))
    found: list[Record] = []
    for form, limit in (("ome-zarr-0.5", 512), ("ome-zarr-0.4", 512), ("ome-tiff", 1024)):
        cost = run_process(tool(form, image, output))
        shutil.rmtree(output, ignore_errors=True)
        output.unlink(missing_ok=True)
        name = f"convert_image {LARGE}x{LARGE} 16-bit (2.1 GB) to {form}"
        found.append(figure(f"{name}: peak memory", cost.peak_mib, "MiB", f"<= {limit}", OWN_GOAL))
        found.append(figure(f"{name}: time", cost.seconds, "s"))
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make_image(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["check"]:
        check(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:2] and sys.argv[1] in OTHERS:
        OTHERS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        print(json.dumps(records(), indent=1))
