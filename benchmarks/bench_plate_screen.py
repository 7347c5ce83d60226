"""Measure a screen from OMERO to its hits: 384 wells, 2 fields each, 3 channels of 512 x 512 px, 16 bit.

The steps are those of the workflow `plate-screen`, each a whole process as Galaxy starts it, segmenting and measuring
over the list in one job on 2 cores: find the images, export them, segment with one threshold for all fields, measure,
profile, find hits. The sandbox runs on the same machine. No public tool does the same from OMERO on; the goals are the
project's own. The plate is made so that the truth is known: the number of nuclei of each field, and the hits. Every
count and the hits are checked; `tests/omero/tools/test_plate_screen.py` holds the way back into OMERO.

`python -m benchmarks.bench_plate_screen` prints the figures; `make bench` collects `records()`. With `galaxy` it runs
the workflow itself, with the way back into OMERO, on a Galaxy and an OMERO sandbox of their own, which takes longer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measuring import OWN_GOAL, ROOT, Cost, Record, figure, part_of, run_process
from scripts.suite_files import tool_script

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, COLUMNS, FIELDS, SIDE = 16, 24, 2, 512
CHANNELS: tuple[str, ...] = ("DAPI", "GFP", "RFP")
PLATE, PATTERNS = "plate of 384", 8
HITS = {(row, 3 + 2 * row % 20) for row in range(1, ROWS - 1)}
EMPTY = (7, 11)
"""A well without a cell; the negative controls are the first two columns, the positive ones the last."""
Well = tuple[int, int]
WELLS: list[Well] = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]


def control_of(well: Well) -> str:
    """Return what a well is: negative, positive or nothing."""
    return "negative" if well[1] < 2 else "positive" if well[1] == COLUMNS - 1 else ""


def nuclei(pattern: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (y, x) noise and (y, x) labels of one of the patterns of nuclei, 40 to 47 of them, none at another."""
    generator = np.random.default_rng(pattern)
    labels = np.zeros((SIDE, SIDE), np.int32)
    places = generator.permutation(64)[: 40 + pattern]
    y, x = np.mgrid[:SIDE, :SIDE]
    for number, place in enumerate(places, 1):
        at = np.array(divmod(int(place), 8)) * 62 + 39 + generator.uniform(-8, 8, 2)
        radius = generator.uniform(10, 15)
        labels[(y - at[0]) ** 2 + (x - at[1]) ** 2 <= radius**2] = number
    return generator.normal(200, 8, (SIDE, SIDE)), labels


def planes_of(well: Well, patterns: list[tuple[np.ndarray, np.ndarray]], field: int) -> list[bytes]:
    """Return the planes of a field as OMERO takes them; wells differ a little without a reason."""
    noise, labels = patterns[pattern_of(well, field)]
    inside = (labels > 0) * (well != EMPTY)
    spread = ((well[0] * 5 + well[1] * 3 + field) % 7 - 3) * 10.0
    effect = 1200.0 if well in HITS or control_of(well) == "positive" else 0.0
    levels = (1500 + spread, 400 + spread + effect, 600 - spread)
    return [np.rint(np.clip(noise + level * inside, 0, 65535)).astype(">u2").tobytes() for level in levels]


def pattern_of(well: Well, field: int) -> int:
    """Return which pattern of nuclei a field has."""
    return (well[0] * COLUMNS + well[1] + field * 3) % PATTERNS


def label_of(well: Well) -> str:
    """Return the label of a well, such as A1."""
    return f"{chr(ord('A') + well[0])}{well[1] + 1}"


def make_plate(address: str) -> None:
    """Create the plate in OMERO, its conditions as key-value pairs of the wells."""
    import omero
    import omero.clients
    from omero.rtypes import rint, rstring

    host, _, port = address.rpartition(":")
    client = omero.clients.BaseClient(host=host, port=int(port))
    client.createSession(os.environ["OMERO_USER"], os.environ["OMERO_PASSWORD"])
    client.enableKeepAlive(60)
    patterns = [nuclei(number) for number in range(PATTERNS)]
    plate = omero.model.PlateI()
    plate.name = rstring(PLATE)
    update = client.sf.getUpdateService()
    plate = omero.model.PlateI(update.saveAndReturnObject(plate).id.val, False)
    for well in WELLS:
        made = omero.model.WellI()
        made.row, made.column, made.plate = rint(well[0]), rint(well[1]), plate
        for field in range(FIELDS):
            sample = omero.model.WellSampleI()
            image = new_image(client, f"{label_of(well)} f{field + 1}", planes_of(well, patterns, field))
            sample.image = omero.model.ImageI(image, False)
            made.addWellSample(sample)
        if control_of(well):
            pairs = omero.model.MapAnnotationI()
            pairs.ns = rstring("openmicroscopy.org/omero/client/mapAnnotation")
            pairs.mapValue = [omero.model.NamedValue("control", control_of(well))]
            made.linkAnnotation(pairs)
        update.saveObject(made)
    client.closeSession()


def new_image(client: Any, name: str, planes: list[bytes]) -> int:
    """Create an image of 16 bit with the channels of the plate; return its id."""
    from omero.rtypes import rstring

    kind = client.sf.getTypesService().getEnumeration("PixelsType", "uint16")
    channels = list(range(len(CHANNELS)))
    image = client.sf.getPixelsService().createImage(SIDE, SIDE, 1, 1, channels, kind, name, "").val
    hql = "select p from Pixels p left outer join fetch p.channels c left outer join fetch c.logicalChannel "
    pixels = client.sf.getQueryService().findByQuery(f"{hql} where p.image.id = {image}", None)
    store = client.sf.createRawPixelsStore()
    store.setPixelsId(pixels.id.val, True)
    for channel, plane in enumerate(planes):
        store.setPlane(plane, 0, channel, 0)
    store.save()
    store.close()
    # The store has written a checksum to the object meanwhile.
    pixels = client.sf.getQueryService().findByQuery(f"{hql} where p.image.id = {image}", None)
    for number, channel in enumerate(pixels.copyChannels()):
        channel.logicalChannel.name = rstring(CHANNELS[number])
    client.sf.getUpdateService().saveObject(pixels)
    return int(image)


def named(path: Path) -> dict[str, str]:
    """Return a file of a Galaxy list."""
    return {"element_identifier": path.name.removesuffix(".ome.tiff"), "source_path": str(path)}


def run_form(tool: str, folder: Path, outputs: dict[str, str], **config: object) -> Cost:
    """Run a tool that takes its form as JSON."""
    file = folder / f"{tool}.json"
    file.write_text(json.dumps(config))
    made = [part for name, value in outputs.items() for part in (f"--{name}", str(folder / value))]
    return run_process([sys.executable, str(tool_script(tool)), "--config", str(file), *made])


def run_list(tool: str, folder: Path, names: list[str], sides: dict[str, list[Path]], *words: str) -> Cost:
    """Run a tool over a list in one job; its outputs are `folder/elements/outputs/0`, `1`, ..."""
    folder.mkdir()
    inputs = [
        {"flag": flag, "called": flag, "elements": [[[n], str(path)] for n, path in zip(names, paths, strict=True)]}
        for flag, paths in sides.items()
    ]
    listing = {
        "inputs": inputs, "names": ["--image-name"], "report": "report.tsv", "fail": "any",
        "outputs": [{"flag": "--output", "collection": "outputs", "ext": "data"}],
    }  # fmt: skip
    (folder / "listing").write_text(json.dumps(listing))
    words = ("--list", "listing", *words)
    return run_process(part_of(__file__, "in", folder, str(tool_script(tool)), *words))


def run_in(folder: str, script: str, *words: str) -> None:
    """Run a script in a folder, where it reads its list and leaves its outputs."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, script, *words], cwd=folder, env=env, stdout=subprocess.DEVNULL, check=True)


def screen(address: str, folder: Path) -> dict[str, Cost]:
    """Run the steps of the workflow; return the cost of each."""
    server = {"omero_host": address, "omero_group": ""}
    target = {"source": "typed", "kind": "plate", "by": "name", "objects": PLATE}
    listing = {"rows": "image", "columns": ["hierarchy", "conditions"]}
    costs = {"find": run_form("omero_find", folder, {"output": "found.tsv"}, target=target, listing=listing, **server)}
    table = {"source": "table", "table": named(folder / "found.tsv")}
    outputs = {"folder": "images", "metadata": "images.tsv"}
    form = {"kind": "ome_tiff", "names": "well"}
    costs["export"] = run_form("omero_export_images", folder, outputs, target=table, format=form, **server)
    images = sorted((folder / "images").iterdir())
    names = [named(path)["element_identifier"] for path in images]
    shared = ["--channel=DAPI", "--smoothing-sigma", "1", "--threshold-images", *map(str, images)]
    costs["segment"] = run_list("segment_objects", folder / "segmented", names, {"--image": images}, *shared)
    labels = [folder / "segmented" / "elements" / "outputs" / str(number) for number in range(len(images))]
    sides = {"--labels": labels, "--image": images}
    costs["measure"] = run_list("measure_objects", folder / "measured", names, sides)
    made = folder / "measured" / "elements" / "outputs"
    tables = [{"element_identifier": name, "source_path": str(made / str(n))} for n, name in enumerate(names)]
    wanted: dict[str, Any] = {"tables": tables, "layout": [named(folder / "found.tsv")], "features": "area_*, mean_*"}
    wanted |= {"reference": {"wells": "negative", "column": "control", "negative": "negative"}}
    wanted |= {"method": "mad_robustize", "selection": {"operations": ["drop_na_columns", "variance_threshold"]}}
    outputs = {name: f"{name}.tsv" for name in ("profiles", "normalized", "features")}
    costs["profile"] = run_form("profile_wells", folder, outputs, **wanted)
    score = {"by": "feature", "feature": "mean_GFP", "limit": 10, "side": "both", "least_objects": 5}
    asked: dict[str, Any] = {"profiles": named(folder / "normalized.tsv"), "column": "control", "negative": "negative"}
    asked |= {"positive": "positive", "score": score, "title": "Screen", "dose": {"fit": "no"}, "tag": "hit[hits]"}
    outputs = {name: f"{name}.out" for name in ("hits", "notes", "quality", "plates", "report")}
    costs["hits"] = run_form("find_hits", folder, outputs, **asked)
    return costs


def check(folder: Path) -> int:
    """Return the number of objects if every well has as many as were made, and the hits are those that were made.

    Raises:
        RuntimeError: A well or a hit differs.
    """
    header, *rows = [line.split("\t") for line in (folder / "hits.out").read_text().splitlines()]
    found = {row[header.index("well")]: dict(zip(header, row, strict=True)) for row in rows}
    total = 0
    for well in WELLS:
        made = 0 if well == EMPTY else sum(40 + pattern_of(well, field) for field in range(FIELDS))
        row = found[label_of(well)]
        if int(row["object_count"]) != made or (row["hit"] == "yes") != (well in HITS):
            raise RuntimeError(f"well {label_of(well)}: {row['object_count']} objects of {made}, hit {row['hit']}")
        total += made
    return total


def records() -> list[Record]:
    """Start a sandbox, fill it, measure, and return the figures."""
    from sandbox.omero.launch import running_server

    with tempfile.TemporaryDirectory() as name, running_server(Path(name) / "data") as server:
        folder, address = Path(name), f"{server.host}:{server.port}"
        os.environ |= {"OMERO_USER": "root", "OMERO_PASSWORD": server.root_password, "GALAXY_SLOTS": "2"}
        filling = run_process(part_of(__file__, "make", address))
        costs = screen(address, folder)
        objects = check(folder)
    what = f"screen of {ROWS * COLUMNS} wells x {FIELDS} fields x {len(CHANNELS)} channels of {SIDE} x {SIDE} px"
    total = sum(cost.seconds for cost in costs.values())
    return [
        figure(f"{what}: from OMERO to hits", total, "s", "<= 600", OWN_GOAL),
        figure(f"{what}: memory", max(cost.peak_mib for cost in costs.values()), "MiB", "<= 2048", OWN_GOAL),
        figure(f"{what}: objects", objects, "objects"),
        *(figure(f"{what}: {step}", cost.seconds, "s") for step, cost in costs.items()),
        figure(f"{what}: filling the sandbox, not counted above", filling.seconds, "s"),
    ]


def galaxy_records() -> list[Record]:
    """Run the workflow on a Galaxy, check its hits, and return the figures.

    Raises:
        RuntimeError: A job failed, or a well or hit differs.
    """
    from benchmarks.bench_galaxy_lists import servers, timed_run

    (ROOT / ".sandbox").mkdir(exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / ".sandbox") as name, servers(Path(name)) as site:
        run_process(part_of(__file__, "make", site.address))
        inputs = {
            **{"OMERO server": site.address, "Plate": PLATE, "Channel": "DAPI", "Feature": "mean_GFP", "Limit": "10"},
            **{"Condition that names controls": "control", "Negative controls": "negative"},
            **{"Positive controls": "positive", "Images a job": "192"},
        }
        file = ROOT / "workflows" / "plate-screen" / "plate-screen.ga"
        result, seconds, memory = timed_run(site, file, inputs, PLATE)
        (Path(name) / "hits.out").write_bytes(site.gi.datasets.download_dataset(result.outputs["Hits"]["id"]))
        objects = check(Path(name))
    what = f"plate-screen on Galaxy, {ROWS * COLUMNS} wells x {FIELDS} fields"
    return [
        figure(f"{what}: from OMERO to hits and back", seconds, "s"),
        figure(f"{what}: jobs", result.jobs, ""),
        figure(f"{what}: objects", objects, "objects"),
        figure(f"{what}: memory of its largest job", memory.job, "MiB"),
        figure(f"{what}: memory of Galaxy itself", memory.galaxy, "MiB"),
    ]


PARTS: dict[str, Callable[..., None]] = {"make": make_plate, "in": run_in}

if __name__ == "__main__":
    if sys.argv[1:] == ["galaxy"]:
        print(json.dumps(galaxy_records(), indent=1))
    elif len(sys.argv) > 1:
        PARTS[sys.argv[1]](*sys.argv[2:])
    else:
        print(json.dumps(records(), indent=1))
