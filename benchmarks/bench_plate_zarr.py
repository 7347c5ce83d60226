"""Measure the export of a plate of 384 wells from OMERO to one OME-Zarr: of many small files, and of a whole screen.

The sandbox runs on the same machine. With a checkout of version 0.1.0, which wrote each file with zarr into a folder
and packed it afterwards, its tool exports the same plate in turns with this one; every array and all metadata that zarr
reads must be equal. `python -m benchmarks.bench_plate_zarr [CHECKOUT]` prints the figures; `make bench` collects
`records()`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import bench_plate_screen as screen
from benchmarks.measuring import Cost, Record, figure, part_of, run_process
from scripts.suite_files import tool_script

RUNS = 3
PLATES = ((1, 1, 64), (2, 3, 512))
"""Fields of a well, channels of 16 bit, and pixels of a side."""
FORM = {"kind": "ome_zarr", "version": "0.5", "plates": True}


def make_plate(address: str, fields: str, channels: str, side: str) -> None:
    """Create the plate of the screen with so many fields, channels and pixels of a side."""
    planes_of = screen.planes_of
    screen.FIELDS, screen.SIDE, screen.CHANNELS = int(fields), int(side), screen.CHANNELS[: int(channels)]
    screen.planes_of = lambda *of: planes_of(*of)[: int(channels)]
    screen.make_plate(address)


def export(script: Path, address: str, folder: Path) -> Cost:
    """Export the plate with a tool into a new folder."""
    folder.mkdir()
    target = {"source": "typed", "kind": "plate", "by": "name", "objects": screen.PLATE}
    config = {"omero_host": address, "omero_group": "", "target": target, "format": FORM}
    (folder / "config.json").write_text(json.dumps(config))
    files = [str(folder / name) for name in ("config.json", "images", "images.tsv")]
    options = ("--config", "--folder", "--metadata")
    words = [word for pair in zip(options, files, strict=True) for word in pair]
    return run_process([sys.executable, str(script), *words])


def nodes(folder: Path) -> dict[str, tuple[Any, np.ndarray]]:
    """Return what zarr reads of an exported plate: metadata of each group and array, with the pixels of arrays."""
    import zarr

    [path] = (folder / "images").iterdir()
    root = zarr.open_group(zarr.storage.ZipStore(path, mode="r"), mode="r")
    found: dict[str, tuple[Any, np.ndarray]] = {"": (dict(root.attrs), np.zeros(0))}
    for name, node in root.members(max_depth=None):
        found[name] = (
            (node.metadata, np.asarray(node[...])) if isinstance(node, zarr.Array) else (dict(node.attrs), np.zeros(0))
        )
    return found


def check_equal(ours: dict[str, tuple[Any, np.ndarray]], theirs: dict[str, tuple[Any, np.ndarray]]) -> None:
    """Compare two plates.

    Raises:
        RuntimeError: They differ.
    """
    wrong = ours.keys() ^ theirs.keys()
    wrong |= {
        name for name in ours.keys() & theirs.keys()
        if ours[name][0] != theirs[name][0] or not np.array_equal(ours[name][1], theirs[name][1])
    }  # fmt: skip
    if wrong:
        raise RuntimeError(f"{sorted(wrong)[:5]}: they differ from what version 0.1.0 wrote")


def records(old: Path | None = None) -> list[Record]:
    """Start a sandbox for each plate, fill it, measure, and return the figures."""
    return [record for plate in PLATES for record in _records(plate, old)]


def _records(plate: tuple[int, int, int], old: Path | None) -> list[Record]:
    from sandbox.omero.launch import running_server

    scripts = {"ours": tool_script("omero_export_images")}
    if old:
        scripts["theirs"] = old / "tools" / "omero" / "omero_export_images.py"
    costs: dict[str, list[Cost]] = {name: [] for name in scripts}
    with tempfile.TemporaryDirectory() as name, running_server(Path(name) / "data") as server:
        os.environ |= {"OMERO_USER": "root", "OMERO_PASSWORD": server.root_password}
        address = f"{server.host}:{server.port}"
        run_process(part_of(__file__, "make", address, *plate))
        for number in range(RUNS):
            for who, script in scripts.items():
                costs[who].append(export(script, address, Path(name) / f"{who}-{number}"))
        if old:
            check_equal(nodes(Path(name) / "ours-0"), nodes(Path(name) / "theirs-0"))
    seconds = {who: sorted(cost.seconds for cost in each)[RUNS // 2] for who, each in costs.items()}
    fields, channels, side = plate
    what = f"{len(screen.WELLS)} wells x {fields} fields x {channels} channels of {side} x {side} px"
    what += " from OMERO to one OME-Zarr"
    found = [
        figure(f"{what}: time", seconds["ours"], "s"),
        figure(f"{what}: memory", max(cost.peak_mib for cost in costs["ours"]), "MiB"),
    ]
    if old:
        ratio = seconds["theirs"] / seconds["ours"]
        found.append(figure(f"{what}: speed", ratio, "x", ">= 4", "version 0.1.0 of this suite"))
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make_plate(*sys.argv[2:])
    else:
        print(json.dumps(records(Path(sys.argv[1]).resolve() if sys.argv[1:] else None), indent=1))
