"""fetch_archive as a whole."""

import json
from pathlib import Path

import fetch_archive

from bioimage_suite.fair.archives import fetching
from tests.unit.fair.archive_server import serving
from tests.unit.fair.made_archive import archive


def test_the_command_writes_the_table(tmp_path: Path) -> None:
    with serving(archive()) as server:
        what = {
            "kind": "accession",
            "accession": "S-TEST1",
            "address": f"{server.address}/api",
            "files_address": f"{server.address}/files",
            "patterns": "*.csv",
        }
        config, table = tmp_path / "config.json", tmp_path / "provenance.tsv"
        config.write_text(json.dumps({"what": what}))
        arguments = ["--config", str(config), "--folder", str(tmp_path / "out"), "--provenance", str(table)]
        fetch_archive.main(arguments)
    lines = table.read_text().splitlines()
    assert lines[0].split("\t") == list(fetching.ORIGIN_COLUMNS)
    assert lines[1].startswith("notes.csv\tS-TEST1\tNuclei of mitotic HeLa cells\tCC BY 4.0\tJosiah Carberry")
