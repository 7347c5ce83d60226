"""arctrl, the ISA library of the ARC, loads the context that build_crate makes, with every row and every value."""

from pathlib import Path

from tests.peers.filled_arc import write_filled_arc
from tests.unit.fair.every_field import FREE

LOAD = """
import zipfile
from pathlib import Path
from arctrl import ARC
folder = Path(sys.argv[1]).parent / "arc"
zipfile.ZipFile(sys.argv[1]).extractall(folder)
arc = ARC.load(str(folder))
parts = [*arc.Studies, *arc.Assays]
answer = {
    "title": arc.Title,
    "people": [[one.LastName, one.FirstName, one.ORCID] for one in arc.Contacts],
    "tables": {f"{part.Identifier}/{table.Name}": table.RowCount for part in parts for table in part.Tables},
    "texts": [str(table.GetCellAt(column, row)) for part in parts for table in part.Tables
              for column in range(table.ColumnCount) for row in range(table.RowCount)],
}
"""


def test_arctrl_loads_the_context(peer, tmp_path: Path):
    write_filled_arc(tmp_path / "arc.zip")
    found = peer(LOAD, tmp_path / "arc.zip")
    assert found["title"] == "<study.title>"
    assert found["people"] == [
        ["Surname", "Forename", "0000-0001-2345-6789"],
        ["Zweit", "Name", "0000-0002-1694-233X"],
    ]
    assert found["tables"] == {"samples/preparation": 1, "imaging/acquisition": 2, "annotation/annotation": 1}
    text = "\n".join(found["texts"])
    second = ["<second organism>", "<second cell line>", "<acquisition.imaging_method 2>"]
    assert [one for one in (*second, *FREE) if one not in text] == []
