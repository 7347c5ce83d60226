"""measure_objects: the summary of an image, nothing to measure, large labels, small differences, bad options."""

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from tests.unit.tools.image.measuring import DATA, column, measure, read_table


def test_summary_is_one_row_for_the_image(tmp_path):
    rows = measure(
        tmp_path, DATA / "nuclei_truth.ome.tiff", DATA / "nuclei.ome.tiff", f"--output-summary={tmp_path / 's.tsv'}"
    )
    (summary,) = read_table(tmp_path / "s.tsv")
    area = column(rows, "area_px")
    assert (summary["image"], summary["objects"], summary["sum_of_area_px"]) == (
        "nuclei.ome.tiff",
        "125",
        str(int(area.sum())),
    )
    assert float(summary["mean_of_area_px"]) == pytest.approx(area.mean())
    assert float(summary["median_of_mean_Nuclei"]) == pytest.approx(np.median(column(rows, "mean_Nuclei")))
    assert float(summary["std_of_solidity"]) == pytest.approx(column(rows, "solidity").std())
    assert float(summary["foreground_fraction"]) == pytest.approx(area.sum() / 512**2)
    assert not any("centroid" in name or "bbox" in name for name in summary)


def test_nothing_in_the_image_gives_headers_and_a_summary_of_zero(tmp_path):
    options = [f"--output-summary={tmp_path / 's.tsv'}", "--texture-channels=all", "--neighbours-within=9", "--volume",
               "--children", str(DATA / "synthetic_zero.ome.tiff"), "--children-name=spots",
               f"--output-children={tmp_path / 'c.tsv'}"]  # fmt: skip
    zero = DATA / "synthetic_zero.ome.tiff"
    assert measure(tmp_path, zero, zero, *options) == read_table(tmp_path / "c.tsv") == []
    (summary,) = read_table(tmp_path / "s.tsv")
    assert (summary["objects"], summary["sum_of_area_px"], summary["mean_of_area_px"]) == ("0", "0", "")
    header = (tmp_path / "table.tsv").read_text()
    assert all(name in header for name in ("haralick_contrast_DAPI", "neighbours_within_9px", "spots_count"))


def test_labels_above_65535(tmp_path):
    labels = np.zeros((12, 12), np.int32)
    labels[1:3, 1:3], labels[5:8, 5:8] = 70_000, 2_000_000_000
    tifffile.imwrite(tmp_path / "l.tiff", labels)
    rows = measure(tmp_path, tmp_path / "l.tiff", None, "--neighbours-within=9")
    assert [(row["label"], row["area_px"]) for row in rows] == [("70000", "4"), ("2000000000", "9")]
    assert rows[0]["nearest_neighbour_label"] == "2000000000"


def test_standard_deviation_keeps_its_digits(tmp_path):
    image = np.full((50, 50), 65_535, np.uint16)
    image[7, 7] = 65_534
    tifffile.imwrite(tmp_path / "i.tiff", image)
    tifffile.imwrite(tmp_path / "l.tiff", np.ones((50, 50), np.uint8))
    (row,) = measure(tmp_path, tmp_path / "l.tiff", tmp_path / "i.tiff")
    assert float(row["std_channel_0"]) == pytest.approx(np.sqrt(1 / 2500 - 1 / 2500**2), rel=1e-9)


def test_nan_in_an_object_is_refused_and_outside_is_not(tmp_path):
    image = np.ones((20, 20), np.float32)
    image[3, 3] = np.nan
    labels = np.zeros((20, 20), np.uint8)
    labels[10:15, 10:15] = 1
    tifffile.imwrite(tmp_path / "i.tiff", image)
    tifffile.imwrite(tmp_path / "l.tiff", labels)
    (row,) = measure(tmp_path, tmp_path / "l.tiff", tmp_path / "i.tiff")
    assert row["mean_channel_0"] == "1.0"
    tifffile.imwrite(tmp_path / "l.tiff", np.ones((20, 20), np.uint8))
    with pytest.raises(UserError, match="NaN or infinite"):
        measure(tmp_path, tmp_path / "l.tiff", tmp_path / "i.tiff")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--texture-channels=Cy5"], "does not exist"),
        (["--texture-levels=1"], "between 2 and 256"),
        (["--texture-distance=0"], "between 1 and 100"),
        (["--texture-low=5", "--texture-high=5"], "must be less"),
        (["--neighbours-within=-1"], "above 0"),
        (["--children", "nuclei_upper_left.ome.tiff"], "as grey values are. Was the image given"),
        (["--children", "synthetic_labels.ome.tiff"], "Give the label map"),
        (["--children", "nuclei_truth.ome.tiff", "nuclei_truth.ome.tiff"], "name of its own"),
    ],
)
def test_bad_options_are_refused(tmp_path, options, message):
    options = [str(DATA / word) if word.endswith(".tiff") else word for word in options]
    with pytest.raises(UserError, match=message):
        measure(tmp_path, DATA / "nuclei_truth.ome.tiff", DATA / "nuclei.ome.tiff", *options)
    assert list(tmp_path.iterdir()) == []
