"""Measure omero_find over 20,000 and over 200,000 images: its time a page of 4,000 images must not grow with them.

`python -m benchmarks.bench_omero_find` prints the figures; `make bench` collects `records()`. The tool runs as a
process of its own on an OMERO sandbox on the same machine, with its default columns. The goals are the project's own.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from pathlib import Path

from benchmarks.bench_omero_outward import connect, empty_images, main_of, new_dataset
from benchmarks.measuring import OWN_GOAL, Record, figure, peak_mib, run_process

FEW, MANY, PAGE = 20_000, 200_000, 4_000
REPEATS = 3


def find(folder: Path, address: str, dataset: int, count: int) -> tuple[float, float]:
    """Return the median wall time of the tool, and its peak memory in MiB.

    Raises:
        RuntimeError: The tool did not find all images.
    """
    target = {"source": "typed", "kind": "dataset", "by": "id", "objects": str(dataset)}
    config, found = folder / "find.json", folder / "found.tsv"
    config.write_text(json.dumps({"omero_host": address, "target": target}))
    costs = [run_process(main_of("find", "--config", config, "--output", found)) for _ in range(REPEATS)]
    rows = sum(1 for _ in found.open()) - 1
    if rows != count:
        raise RuntimeError(f"omero_find: {rows} of {count} images found")
    return statistics.median(cost.seconds for cost in costs), max(cost.peak_mib for cost in costs)


def records() -> list[Record]:
    """Start a sandbox, measure, and return the figures."""
    from sandbox.omero.launch import running_server

    with tempfile.TemporaryDirectory() as name, running_server(Path(name) / "data") as server:
        address = f"{server.host}:{server.port}"
        os.environ |= {"OMERO_USER": "root", "OMERO_PASSWORD": server.root_password}
        client = connect(address)
        datasets = {count: new_dataset(client) for count in (FEW, MANY)}
        for count, dataset in datasets.items():
            empty_images(client, dataset, count)
        client.closeSession()
        few, few_mib = find(Path(name), address, datasets[FEW], FEW)
        many, many_mib = find(Path(name), address, datasets[MANY], MANY)
        ratio = (many / (MANY / PAGE)) / (few / (FEW / PAGE))
        return [
            figure(f"omero_find {FEW} images: wall, of {REPEATS}", few, "s", "<= 3", OWN_GOAL),
            figure(f"omero_find {FEW} images: memory", few_mib, "MiB"),
            figure(f"omero_find {MANY} images: wall, of {REPEATS}", many, "s", "<= 15", OWN_GOAL),
            figure(f"omero_find {MANY} images: time a page, of that at {FEW}", ratio, "x", "<= 1.5", OWN_GOAL),
            figure(f"omero_find {MANY} images: memory", many_mib, "MiB", "<= 1024", OWN_GOAL),
            figure(f"omero_find {MANY} images: memory of the OMERO sandbox", peak_mib(server.pid), "MiB"),
        ]


if __name__ == "__main__":
    print(json.dumps(records(), indent=1))
