"""search_archives as a whole."""

import csv
import json
from pathlib import Path

import search_archives

from tests.unit.fair.archive_server import serving
from tests.unit.fair.good_archives import GOOD, addresses


def test_tables_hold_no_formula_and_no_script_link(tmp_path: Path) -> None:
    with serving(dict(GOOD)) as server:
        config = tmp_path / "config.json"
        where = {"kind": "archives", "archives": ["bia"], "addresses": addresses(server, "bia"), "seconds": 10}
        config.write_text(json.dumps({"text": "nuclei", "where": where}))
        studies, notes = tmp_path / "studies.tsv", tmp_path / "notes.tsv"
        arguments = ["--config", str(config), "--studies", str(studies), "--notes", str(notes)]
        search_archives.main(arguments)
    rows = list(csv.DictReader(studies.open(), delimiter="\t"))
    assert rows[1]["title"].startswith("'=HYPERLINK")
    assert rows[1]["thumbnail"] == ""
    assert notes.read_text().splitlines()[0] == "source\taddress\tstatus\tstudies\tnote"
