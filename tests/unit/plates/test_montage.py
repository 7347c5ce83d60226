"""A montage shows controls, then hits by rank, with one contrast."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.plates.montage import choose, fields_of, montage
from bioimage_suite.plates.wells import read_wells
from bioimage_suite.tables.measurement_table import MeasurementTable, read_measurement_table

DATA = Path(__file__).parents[3] / "test-data"
KINDS = {"negative": "negative", "positive": "positive"}


@pytest.fixture
def hits() -> MeasurementTable:
    return read_measurement_table(DATA / "plate_hits.tabular", "hits")


def test_controls_come_first_and_hits_by_rank(hits: MeasurementTable):
    shown = choose(hits, "control", KINDS, 5, 1)
    assert [one.title for one in shown] == ["A1 negative", "B2 positive", "B4 27.8", "B3 14.6"]
    assert [one.title for one in choose(hits, "control", {}, 1, 9)] == ["B4 27.8"]
    with pytest.raises(UserError, match="neither hits nor controls"):
        choose(hits, "control", {}, 0, 9)


def test_wells_without_an_image_are_left_out(hits: MeasurementTable):
    wells = read_wells([(DATA / "plate_layout.tabular", "layout")])
    images = [open_image(DATA / "plate" / name, name) for name in ("made_A1.ome.tiff", "made_B3.ome.tiff")]
    fields = fields_of(choose(hits, "control", KINDS, 5, 2), images, wells)
    assert [(one.title, image.name) for one, image in fields] == [
        ("A1 negative", "made_A1.ome.tiff"),
        ("B3 14.6", "made_B3.ome.tiff"),
    ]
    with pytest.raises(UserError, match="none is of a hit or control"):
        fields_of(choose(hits, "control", {}, 5, 2), images[:1], wells)


def test_brightness_compares(hits: MeasurementTable, tmp_path: Path):
    wells = read_wells([(DATA / "plate_layout.tabular", "layout")])
    images = [open_image(DATA / "plate" / name, name) for name in ("made_A1.ome.tiff", "made_B4.ome.tiff")]
    fields = fields_of(choose(hits, "control", KINDS, 5, 1), images, wells)
    (tmp_path / "m.png").write_bytes(montage(fields, "GFP"))
    grey = np.asarray(Image.open(tmp_path / "m.png").convert("L"))[40:]
    left, right = np.array_split(grey, 2, axis=1)
    assert (right[right < 250] > 180).sum() > 10 * (left[left < 250] > 180).sum()


@pytest.mark.parametrize("column", ["rank", "score"])
def test_a_rank_or_score_that_is_no_number_is_named(hits: MeasurementTable, column: str):
    at, hit = hits.columns.index(column), hits.columns.index("hit")
    row = next(number for number, cells in enumerate(hits.rows) if cells[hit] == "yes")
    rows = [[*cells] for cells in hits.rows]
    rows[row][at] = "1\u00f62"
    wrong = replace(hits, rows=tuple(map(tuple, rows)))
    with pytest.raises(UserError, match=f"row {row + 1} below the header: {column} is '1\u00f62'"):
        choose(wrong, "control", KINDS, 5, 1)
