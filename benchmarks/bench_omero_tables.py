"""Measure omero_import_table and omero_export_table: time and memory for 1,000,000 rows.

`python -m benchmarks.bench_omero_tables` prints the figures; `make bench` collects `records()`. Both tools run as whole
processes with an OMERO sandbox on this machine, whose tables are omero-py's own PyTables files. No public tool does the
same; the goal is the project's own: memory must not grow with the number of rows. There are eight columns: ids of image
and ROI, name of the image, whole and real numbers (every tenth cell empty), text, true or false. The exported rows are
compared with the imported ones.
"""

from __future__ import annotations

import csv
import json
import os
import random
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Record, figure, part_of, run_process
from scripts.suite_files import tool_script

ROWS = 1_000_000
SMALL = 50_000
LIMIT = "<= 200"
BOUND = "the project's own goal: memory does not grow with the rows"


def make_input(folder: Path, address: str, password: str) -> None:
    """Create an image, and write measurement tables of it with the tools' configurations."""
    import omero
    import omero.clients

    host, _, port = address.rpartition(":")
    client = omero.clients.BaseClient(host=host, port=int(port))
    session = client.createSession("root", password)
    kind = omero.model.PixelsTypeI()
    kind.value = omero.rtypes.rstring("uint8")
    image = session.getPixelsService().createImage(4, 4, 1, 1, [0], kind, "measured", "").val
    client.closeSession()
    match = {"source": "typed", "kind": "image", "by": "id", "objects": str(image)}
    for count in (SMALL, ROWS):
        numbers = random.Random(0)
        with (folder / f"{count}.tsv").open("w") as file:
            file.write("image\tlabel\troi_id\tarea_px\tmean_DAPI\tclass\tgood\n")
            for row in range(count):
                mean = "" if row % 10 == 0 else repr(numbers.random())
                text = ("round", "long", "µ-shaped")[row % 3]
                file.write(f"Image_{image}_measured\t{row + 1}\t{row}\t{row % 977}\t{mean}\t{text}\t{row % 2 == 0}\n")
        table = {"element_identifier": f"Image_{image}_measured", "source_path": str(folder / f"{count}.tsv")}
        config = {"omero_host": address, "tables": table, "match": match, "attach": "image", "table_name": str(count)}
        (folder / f"import_{count}.json").write_text(json.dumps(config))
        config = {"omero_host": address, "target": match, "of": "objects", "table_name": str(count), "query": ""}
        (folder / f"export_{count}.json").write_text(json.dumps(config))


def check(folder: Path) -> None:
    """Check that the exported rows equal the imported ones.

    Raises:
        RuntimeError: They differ.
    """
    [exported] = (folder / f"exported_{ROWS}").iterdir()
    with (folder / f"{ROWS}.tsv").open() as before, exported.open() as after:
        rows, others = (csv.DictReader(file, delimiter="\t") for file in (before, after))
        count = 0
        for row, other in zip(rows, others, strict=True):
            count += 1
            if any(row[name] != other[name] for name in row):
                raise RuntimeError(f"row {count}: {row} came back as {other}")
    if count != ROWS:
        raise RuntimeError(f"{count} rows came back")


def records() -> list[Record]:
    """Start a sandbox, measure, and return the figures."""
    from sandbox.omero.launch import running_server

    found = []
    with tempfile.TemporaryDirectory() as name, running_server(Path(name) / "data") as server:
        folder, address = Path(name), f"{server.host}:{server.port}"
        os.environ |= {"OMERO_USER": "root", "OMERO_PASSWORD": server.root_password}
        run_process(part_of(__file__, "make_input", folder, address))
        for verb, outputs in (("import", ("merged", "output")), ("export", ("folder", "output"))):
            peaks = {}
            for count in (SMALL, ROWS):
                command = [sys.executable, str(tool_script(f"omero_{verb}_table"))]
                command += ["--config", str(folder / f"{verb}_{count}.json")]
                paths = {"folder": folder / f"{verb}ed_{count}"}
                for output in outputs:
                    command += [f"--{output}", str(paths.get(output, folder / f"{verb}_{output}"))]
                cost = run_process(command)
                peaks[count] = cost.peak_mib
            title = f"omero_{verb}_table: {ROWS:,} rows"
            found += [
                figure(f"{title}, time", cost.seconds, "s"),
                figure(f"{title}, memory", peaks[ROWS], "MiB", LIMIT, BOUND),
                figure(f"{title}, memory beyond {SMALL:,} rows", peaks[ROWS] - peaks[SMALL], "MiB", "<= 20", BOUND),
            ]
        run_process(part_of(__file__, "check", folder))
    return found


if __name__ == "__main__":
    if len(sys.argv) > 3:
        make_input(Path(sys.argv[2]), sys.argv[3], os.environ["OMERO_PASSWORD"])
    elif len(sys.argv) > 1:
        check(Path(sys.argv[2]))
    else:
        for record in records():
            print(record)
