"""Names and annotations that a spreadsheet would compute: made safe in tables, and taken for what they are."""

from pathlib import Path

import numpy as np
import omero
import omero_annotate
import omero_find
import omero_get_annotations
import pytest

from tests.omero.tool_support import Lab, named, typed

NAME, KEY, VALUE = "=HYPERLINK(1)", "@key", "-A1"


@pytest.fixture
def image(lab: Lab) -> int:
    number = lab.image(NAME, np.zeros((3, 4), np.uint8), lab.container("Dataset", "d"))
    pairs = omero.model.MapAnnotationI()
    pairs.mapValue = [omero.model.NamedValue(KEY, VALUE)]
    lab.annotate(number, pairs)
    return number


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("exact", [False, True])
def test_tables_show_them_as_text_unless_exact_values_are_asked_for(lab: Lab, tmp_path: Path, exact: bool):
    target, sign = typed("dataset", "d"), "" if exact else "'"
    found = lab.run(omero_find, tmp_path, {"output": "found.tsv"}, target=target, exact_texts=exact)["output"]
    assert f"\t{sign}{NAME}\t" in found.read_text()
    outputs = {"output": "tidy.tsv", "wide": "wide.tsv", "folder": "folder"}
    config = {"target": target, "of": "images", "types": ["key_value"], "one_each": True, "exact_texts": exact}
    made = lab.run(omero_get_annotations, tmp_path, outputs, **config)
    assert f"\t{sign}{KEY}\t{sign}{VALUE}\n" in made["output"].read_text()
    assert made["wide"].read_text().splitlines()[0].endswith(f"\t{sign}{KEY}")
    [one] = (made["folder"] / "each").iterdir()
    assert f"\t{sign}{KEY}\t{sign}{VALUE}\n" in one.read_text()


@pytest.mark.usefixtures("image")
def test_what_a_table_made_safe_goes_back_as_it_was(lab: Lab, tmp_path: Path):
    table = tmp_path / "words.tsv"
    table.write_text(f"image\tmore\n'{NAME}\t'={VALUE}\n")
    config = {"table": named("words", table), "attachments": [], "kind": "image", "mode": "merge"}
    outputs = {"output": "out.tsv", "changes": "changes.tsv"}
    lab.run(omero_annotate, tmp_path, outputs, within=typed("dataset", "d"), **config)
    found = lab.rows("select v.name, v.value from MapAnnotation m join m.mapValue v order by m.id")
    assert found == [[KEY, VALUE], ["more", f"={VALUE}"]]
