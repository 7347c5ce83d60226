"""analyze_spatial_pattern as a whole: tables, label maps, regions; what it refuses."""

import csv

import numpy as np
import pytest
import tifffile
from analyze_spatial_pattern import main

from bioimage_suite.core.errors import UserError


def write_table(path, header, rows):
    path.write_text("\n".join("\t".join(map(str, row)) for row in [header, *rows]) + "\n", encoding="utf-8")
    return path


def run(tmp_path, *arguments):
    names = {name: tmp_path / name for name in ("objects-out", "summary-out", "curves-out")}
    main([*map(str, arguments), *(str(part) for name, path in names.items() for part in (f"--{name}", path))])
    tables = []
    for path in names.values():
        with path.open(encoding="utf-8") as stream:
            tables.append(list(csv.DictReader(stream, delimiter="\t")))
    return tables


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(8)
    rows = [(f"im{k // 40}", k % 40 + 1, *rng.uniform(0, 50, 2).round(3), "AB"[k % 2], k) for k in range(80)]
    return write_table(
        tmp_path / "t.tsv", ("image", "label", "centroid_x_um", "centroid_y_um", "type", "mean_GFP"), rows
    )


def test_table_with_classes_and_images(table, tmp_path):
    files = tmp_path / "figure", tmp_path / "density"
    arguments = ("--table", table, "--unit", "um", "--class-column", "type", "--neighbour-distance", 6,
                  "--simulations", 5,
                 "--width", 50, "--height", 50, "--radii", 5)  # fmt: skip
    objects, summary, curves = run(tmp_path, *arguments, "--figure", files[0], "--density-out", files[1])
    assert len(objects) == 80
    assert list(objects[0])[-4:] == ["nearest_A_um", "nearest_B_um", "neighbours", "cluster"]
    assert objects[3]["mean_GFP"] == "3"
    assert [(r["image"], r["from_class"], r["to_class"]) for r in summary[:4]] == [
        ("im0", "A", "A"), ("im0", "A", "B"), ("im0", "B", "A"), ("im0", "B", "B"),
    ]  # fmt: skip
    assert {r["window_um2"] for r in summary} == {"2500.0"}
    assert all(1 / 6 <= float(r["L_p"]) <= 1 for r in summary)
    assert len(curves) == 2 * 4 * 5
    assert float(curves[0]["L_low_um"]) <= float(curves[0]["L_high_um"])
    assert files[0].read_bytes().startswith(b"\x89PNG")
    assert tifffile.imread(files[1]).dtype == np.float32
    again = run(tmp_path, *arguments)
    assert again == [objects, summary, curves]
    assert run(tmp_path, *arguments, "--seed", 1)[1] != summary


def labels_file(path, centres, shape=(60, 80), **sizes):
    pixels = np.zeros(shape, np.uint16)
    for number, centre in enumerate(centres, 1):
        pixels[tuple(centre)] = number
    metadata = {"axes": "ZYX"[-len(shape) :], **sizes}
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata=metadata)
    return path


def test_label_maps_are_classes(tmp_path):
    size = {"PhysicalSizeX": 2.0, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 2.0, "PhysicalSizeYUnit": "µm"}
    a = labels_file(tmp_path / "a.tiff", [(10, 10), (10, 20), (40, 60)], **size)
    b = labels_file(tmp_path / "b.tiff", [(10, 13)], **size)
    objects, summary, _ = run(
        tmp_path, "--labels", a, b, "--class-names", "cell", "spot", "--unit", "um", "--neighbour-distance", 25,
        "--min-cluster", 2, "--simulations", 3, "--figure", tmp_path / "f",
    )  # fmt: skip
    columns = ("class", "nearest_cell_um", "nearest_spot_um", "neighbours", "cluster")
    assert [tuple(row[name] for name in columns) for row in objects] == [
        ("cell", "20.0", "6.0", "1", "1"), ("cell", "20.0", "14.0", "1", "1"),
        ("cell", "100.0", objects[2]["nearest_spot_um"], "0", ""), ("spot", "6.0", "", "0", ""),
    ]  # fmt: skip
    assert {r["window_um2"] for r in summary} == {str(60 * 80 * 4.0)}
    assert summary[0]["clusters"] == "1"
    assert summary[3]["mean_nearest_um"] == ""


def test_region_leaves_objects_out(tmp_path):
    labels = labels_file(tmp_path / "a.tiff", [(10, 10), (10, 20), (12, 30), (40, 60)])
    region = np.zeros((60, 80), np.uint8)
    region[:20, :40] = 3
    tifffile.imwrite(tmp_path / "r.tiff", region, photometric="minisblack")
    objects, summary, _ = run(
        tmp_path, "--labels", labels, "--region", tmp_path / "r.tiff", "--neighbour-distance", 5, "--simulations", 2,
        "--figure", tmp_path / "f",
    )  # fmt: skip
    assert (summary[0]["from_objects"], summary[0]["objects_outside_window"], summary[0]["window_px2"]) == (
        "3",
        "1",
        "800.0",
    )
    assert objects[3]["nearest_all_px"] == ""


def test_3d_label_map(tmp_path):
    labels = labels_file(tmp_path / "a.tiff", [(1, 10, 10), (3, 10, 10), (3, 30, 30)], (5, 60, 80))
    objects, summary, curves = run(
        tmp_path, "--labels", labels, "--neighbour-distance", 5, "--simulations", 2, "--figure", tmp_path / "f"
    )
    assert objects[0]["nearest_all_px"] == "2.0"
    assert summary[0]["window_px3"] == str(5 * 60 * 80.0)
    assert "K_px3" in curves[0]


@pytest.mark.parametrize("count", [0, 1])
def test_no_object_and_one_object(count, tmp_path):
    labels = labels_file(tmp_path / "a.tiff", [(10, 10)][:count])
    objects, summary, _ = run(
        tmp_path, "--labels", labels, "--neighbour-distance", 5, "--simulations", 2, "--figure", tmp_path / "f"
    )
    assert len(objects) == count
    assert all(r["mean_nearest_px"] == r["nearest_p"] == r["L_p"] == "" for r in summary)


def test_a_table_without_rows(tmp_path):
    table = write_table(tmp_path / "t", ("x", "y"), [])
    assert run(tmp_path, "--table", table, "--neighbour-distance", 5) == [[], [], []]


def test_a_condition_makes_two_classes_in_the_window_of_the_image(tmp_path):
    rows = [(10.5, 10, 3), (20, 10, 9), (30, 10, 9)]
    table = write_table(tmp_path / "t", ("centroid_x_px", "centroid_y_px", "mean_GFP"), rows)
    image = labels_file(tmp_path / "a.tiff", [])
    objects, summary, _ = run(
        tmp_path, "--table", table, "--class-condition", "mean_GFP > 5", "--window-image", image,
        "--neighbour-distance", 12, "--simulations", 2, "--figure", tmp_path / "f",
    )  # fmt: skip
    assert [(r["nearest_other_px"], r["nearest_selected_px"]) for r in objects] == [
        ("", "9.5"), ("9.5", "10.0"), ("19.5", "10.0"),
    ]  # fmt: skip
    assert {r["window_px2"] for r in summary} == {"4800.0"}
    assert [(r["from_class"], r["from_objects"]) for r in summary[::2]] == [("other", "1"), ("selected", "2")]


@pytest.mark.parametrize("rows", [[], [(3, 4, 7)]])
def test_no_row_and_one_row_with_a_condition(rows, tmp_path):
    table = write_table(tmp_path / "t", ("centroid_x_px", "centroid_y_px", "mean_GFP"), rows)
    image = labels_file(tmp_path / "a.tiff", [])
    objects, summary, _ = run(
        tmp_path, "--table", table, "--class-condition", "mean_GFP > 5", "--window-image", image,
        "--neighbour-distance", 12, "--simulations", 2, "--figure", tmp_path / "f", "--density-out", tmp_path / "d",
    )  # fmt: skip
    assert len(objects) == len(rows)
    assert [r["from_objects"] for r in summary] == ["0", "0", str(len(rows)), str(len(rows))]
    assert (tmp_path / "f").read_bytes().startswith(b"\x89PNG")


def test_a_table_without_rows_and_classes_still_has_a_figure(tmp_path):
    table = write_table(tmp_path / "t", ("x", "y"), [])
    run(tmp_path, "--table", table, "--neighbour-distance", 5, "--figure", tmp_path / "f")
    assert (tmp_path / "f").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--neighbour-distance", 5, "--class-column", "type", "--class-condition", "label > 2"), "exclude each other"),
        (("--neighbour-distance", 5, "--class-condition", "nothing > 2"), "nothing"),
        (("--neighbour-distance", 5, "--window-image", "x", "--width", 4, "--height", 4), "exclude each other"),
        (("--neighbour-distance", 5, "--window-image", "x"), "Window x: it serves one image, here are 2"),
        (("--neighbour-distance", 0), "neighbour distance 0"),
        (("--neighbour-distance", 5, "--max-radius", -1), "max radius -1"),
        (("--neighbour-distance", 5, "--simulations", -1), "simulations -1"),
        (("--neighbour-distance", 5, "--width", 4), "belong together"),
        (("--neighbour-distance", 5, "--x-column", "nothing"), "no column 'nothing'"),
        (("--neighbour-distance", 5, "--class-column", "mean_GFP"), "at most 20"),
        (("--neighbour-distance", 5, "--unit", "px"), "in px"),
    ],
)
def test_refused(arguments, message, table, tmp_path):
    with pytest.raises(UserError, match=message):
        run(tmp_path, "--table", table, "--unit", "um", *arguments)
    assert not (tmp_path / "objects-out").exists()


def test_refused_windows(tmp_path):
    line = write_table(tmp_path / "t", ("x", "y"), [(1, 1), (2, 1), (3, 1)])
    with pytest.raises(UserError, match="span no area"):
        run(tmp_path, "--table", line, "--neighbour-distance", 5)
    tifffile.imwrite(tmp_path / "r.tiff", np.zeros((9, 9), np.uint8), photometric="minisblack")
    with pytest.raises(UserError, match="every pixel is 0"):
        run(tmp_path, "--table", line, "--neighbour-distance", 5, "--region", tmp_path / "r.tiff")
    tifffile.imwrite(tmp_path / "r.tiff", np.ones((9, 9), np.uint8), photometric="minisblack")
    with pytest.raises(UserError, match="no rectangle"):
        run(tmp_path, "--table", line, "--neighbour-distance", 5, "--region", tmp_path / "r.tiff", "--correction",
            "isotropic")  # fmt: skip
    with pytest.raises(UserError, match="more than one class"):
        run(tmp_path, "--labels", tmp_path / "r.tiff", "--neighbour-distance", 5, "--null", "labels")
    nan = write_table(tmp_path / "n", ("x", "y"), [("nan", 1), (2, 1), (3, 1)])
    with pytest.raises(UserError, match="not a finite number"):
        run(tmp_path, "--table", nan, "--neighbour-distance", 5)
