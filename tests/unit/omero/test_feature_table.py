"""Several measurement tables as one OMERO.table: its columns and their types."""

import math
from pathlib import Path

import pytest

from bioimage_suite.omero.named_files import NamedFile
from bioimage_suite.omero.tables.feature_table import convert, read_measurements, survey_tables


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", "+3"], "long"),
        (["9223372036854775807"], "long"),
        (["9223372036854775808"], "string"),
        (["9007199254740993", "1.5"], "string"),
        (["9007199254740993", ""], "string"),
        (["1", ""], "double"),
        (["1", "2.5", "1e-9", ".5", "5."], "double"),
        (["nan", "-Infinity", "3"], "double"),
        (["", ""], "double"),
        (["True", "false"], "bool"),
        (["True", ""], "string"),
        (["1", "True"], "string"),
        (["007"], "string"),
        (["1_000"], "string"),
        (["1,5"], "string"),
        (["0x10"], "string"),
    ],
)
def test_types_of_columns(tmp_path: Path, values, kind):
    path = tmp_path / "t.tsv"
    path.write_text("x\ty\n" + "".join(f"{value}\t-\n" for value in values))
    file = NamedFile("Image_1_a", path)
    features = survey_tables([file]).features
    assert features[0].kind == kind
    for (_, texts), value in zip(read_measurements([file], features), values, strict=True):
        found = convert(kind, texts[0])
        if kind == "string":
            assert found == value
        elif kind == "long":
            assert found == int(value)
        elif kind == "double":
            assert found == float(value or "nan") or math.isnan(found)


def test_a_column_that_one_table_lacks_is_blank_there(tmp_path: Path):
    texts = {"a": "label\tx\n1\t2\n", "b": "label\ty\n1\t5\n", "c": "label\tz\n"}
    files = []
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        files.append(NamedFile(f"Image_1_{name}", tmp_path / name))
    survey = survey_tables(files)
    assert {feature.name: feature.kind for feature in survey.features} == {
        "label": "long", "x": "double", "y": "double", "z": "double"
    }  # fmt: skip
    assert survey.images == ("Image_1_a", "Image_1_b", "Image_1_c")
    assert list(read_measurements(files, survey.features))[1] == ("Image_1_b", ["1", "", "5", ""])
