"""Which objects a form or a table names."""

from pathlib import Path

from bioimage_suite.omero.objects import Target, read_target, split_terms
from bioimage_suite.tables.plate_layout import well_label


def test_the_finest_id_column_counts(tmp_path: Path):
    path = tmp_path / "t.tsv"
    path.write_text("project_id\tdataset_id\n1\t5\n1\t6\n")
    target = read_target({"source": "table", "table": {"source_path": str(path)}})
    assert target == Target("dataset", ids=(5, 6))


def test_typed_terms():
    assert split_terms(' a ,b\n\n"c, d" ,\na') == ("a", "b", "c, d")
    assert well_label(701, 23) == "ZZ24"
