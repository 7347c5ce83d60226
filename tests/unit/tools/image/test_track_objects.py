"""The tool as a whole: label maps and tables in, tables, movies and exports out; what it refuses."""

import csv
import zipfile
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import tifffile
from track_objects import main

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.label_objects import measure_movie
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.tracking.movie import as_movie, overlaps_of


def movie_pixels():
    """Two cells move, the first divides after frame 2, the second is missing in frame 2; labels differ per frame."""
    pixels = np.zeros((5, 40, 60), np.uint16)
    for t in range(5):
        if t < 3:
            pixels[t, 8:14, 10 + t : 16 + t] = 3
        else:
            pixels[t, 5 - t + 3 : 8 - t + 3, 12:17] = 1
            pixels[t, 11 + t - 3 : 14 + t - 3, 12:17] = 5
        if t != 2:
            pixels[t, 30:34, 40 - 2 * t : 44 - 2 * t] = 20 + t
    return pixels


def save(path, pixels, axes="TYX", **metadata):
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata={"axes": axes, **metadata})
    return path


def rows_of(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def run(tmp_path, *arguments):
    """Run the tool; give its tables."""
    main([*map(str, arguments), "--objects-out", str(tmp_path / "o"), "--tracks-out", str(tmp_path / "t"),
          "--images-out", str(tmp_path / "i")])  # fmt: skip
    return rows_of(tmp_path / "o"), rows_of(tmp_path / "t"), rows_of(tmp_path / "i")


@pytest.fixture
def movie(tmp_path):
    return save(
        tmp_path / "movie.ome.tiff", movie_pixels(), PhysicalSizeX=500.0, PhysicalSizeXUnit="nm", PhysicalSizeY=0.5,
        PhysicalSizeYUnit="µm", TimeIncrement=2.0, TimeIncrementUnit="min",
    )  # fmt: skip


def test_movie_with_gap_and_division(movie, tmp_path):
    objects, tracks, images = run(
        tmp_path, "--labels", movie, "--name", "cells", "--max-distance", 8, "--divisions", "--max-gap", 1
    )
    assert [(r["track"], r["parent_track"], r["objects"], r["missing_frames"]) for r in tracks] == [
        ("1", "", "3", "0"), ("2", "", "4", "1"), ("3", "1", "2", "0"), ("4", "1", "2", "0"),
    ]  # fmt: skip
    assert objects[0]["image"] == "cells"
    assert [r["time_s"] for r in objects if r["track"] == "2"] == ["0.0", "120.0", "360.0", "480.0"]
    first = next(r for r in objects if r["track"] == "2")
    assert (first["centroid_x_px"], first["centroid_y_px"], first["area_px"]) == ("41.5", "31.5", "16")
    assert float(first["centroid_x_um"]) == pytest.approx(20.75)
    assert float(tracks[1]["path_length_px"]) == pytest.approx(8)
    assert float(tracks[1]["mean_speed_px_per_s"]) == pytest.approx(8 / 480)
    assert [(r["frames"], r["objects"], r["tracks"], r["divisions"]) for r in images] == [("5", "11", "4", "1")]


def test_micrometres_are_used_for_distances(movie, tmp_path):
    _, tracks, _ = run(tmp_path, "--labels", movie, "--max-distance", 4, "--unit", "um")
    assert float(tracks[1]["path_length_um"]) == pytest.approx(4)
    _, apart, _ = run(tmp_path, "--labels", movie, "--max-distance", 0.4, "--unit", "um")
    assert len(apart) == 11


def test_relabelled_movie_and_challenge_layout_and_trackmate(movie, tmp_path):
    files = {
        name: tmp_path / name for name in ("relabelled", "challenge-zip", "trackmate-xml", "trackmate-csv", "figure")
    }
    outputs = [part for name, path in files.items() for part in (f"--{name}", path)]
    objects, _, _ = run(tmp_path, "--labels", movie, "--max-distance", 8, "--divisions", *outputs)
    new = open_image(files["relabelled"])
    assert (new.size_t, new.micrometres("x")) == (5, pytest.approx(0.5))
    old = movie_pixels()
    for row in objects:
        t = int(row["frame"])
        assert set(new.read_plane(t)[old[t] == int(row["label"])]) == {int(row["track"])}
    with zipfile.ZipFile(files["challenge-zip"]) as archive:
        lines = archive.read("01_RES/res_track.txt").decode().split("\n")
        # The gap makes two tracks of track 2; the second has the first as its only parent.
        assert lines[:-1] == ["1 0 2 0", "2 0 1 0", "3 3 4 2", "4 3 4 1", "5 3 4 1"]
        assert [name for name in archive.namelist() if name.endswith(".tif")] == [
            f"01_RES/mask{t:03}.tif" for t in range(5)
        ]
    root = ET.parse(files["trackmate-xml"]).getroot()
    assert root.find("Model").attrib == {"spatialunits": "pixel", "timeunits": "sec"}
    assert [len(track) for track in root.iter("Track")] == [6, 3]
    assert len(list(root.iter("Spot"))) == int(root.find("Model/AllSpots").get("nspots")) == 11
    assert [track.get("NUMBER_SPOTS") for track in root.iter("Track")] == ["7", "4"]
    assert dict(root.find("Settings/ImageData").attrib) == {
        "filename": "movie.ome.tiff", "folder": "", "timeinterval": "120.0", "width": "60", "height": "40",
        "nslices": "1", "nframes": "5", "pixelwidth": "1.0", "pixelheight": "1.0", "voxeldepth": "1.0",
    }  # fmt: skip
    # pytrackmate stops without the filters, pycellin without the type of each attribute.
    for name in ("DetectorSettings", "InitialSpotFilter", "SpotFilterCollection", "TrackFilterCollection"):
        assert root.find(f"Settings/{name}") is not None
    for kind in ("Spot", "Edge", "Track"):
        declared = {one.get("feature") for one in root.iterfind(f"Model/FeatureDeclarations/{kind}Features/Feature")}
        used = {key for one in root.iter(kind) for key in one.attrib} - {"ID", "name"}
        assert used == declared
    lines = files["trackmate-csv"].read_text().splitlines()
    assert len(lines) == 12
    assert lines[1].split(",")[:3] == ["ID0", "0", "0"]
    assert files["figure"].read_bytes().startswith(b"\x89PNG")


def test_same_input_gives_same_files(movie, tmp_path):
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        outputs = ("--relabelled", folder / "r", "--challenge-zip", folder / "c", "--trackmate-xml", folder / "x")
        run(folder, "--labels", movie, "--max-distance", 8, *outputs, "--figure", folder / "f")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_overlap_agrees_with_counting(movie):
    image = as_movie(open_image(movie))
    objects = measure_movie(image)
    found = overlaps_of(image, objects)
    pixels = movie_pixels()
    for a, b, iou in zip(found.earlier, found.later, found.iou, strict=True):
        first = pixels[objects.frame[a]] == objects.label[a]
        second = pixels[objects.frame[b]] == objects.label[b]
        assert iou == pytest.approx((first & second).sum() / (first | second).sum())
    assert len(found.iou) == 7


def test_linking_by_overlap(movie, tmp_path):
    _, tracks, _ = run(tmp_path, "--labels", movie, "--max-distance", 20, "--linking", "overlap", "--max-gap", 0)
    assert [row["objects"] for row in tracks] == ["5", "2", "2", "2"]


def test_three_dimensions_use_the_z_step(tmp_path):
    pixels = np.zeros((2, 4, 8, 8), np.uint8)
    pixels[0, 0, 2:4, 2:4] = 1
    pixels[1, 3, 2:4, 2:4] = 1
    path = save(tmp_path / "m.tiff", pixels, "TZYX", PhysicalSizeX=1.0, PhysicalSizeXUnit="µm", PhysicalSizeY=1.0,
                PhysicalSizeYUnit="µm", PhysicalSizeZ=5.0, PhysicalSizeZUnit="µm")  # fmt: skip
    objects, tracks, _ = run(tmp_path, "--labels", path, "--max-distance", 15, "--unit", "um")
    assert tracks[0]["path_length_um"] == "15.0"
    assert objects[1]["centroid_z_px"] == "3.0"
    assert objects[1]["volume_px"] == "4"
    assert len(run(tmp_path, "--labels", path, "--max-distance", 14)[1]) == 2


def test_planes_as_frames(tmp_path):
    path = tmp_path / "stack.tiff"
    tifffile.imwrite(path, movie_pixels(), photometric="minisblack", metadata={"axes": "ZYX"})
    with pytest.raises(UserError, match="choose z as the axis"):
        run(tmp_path, "--labels", path, "--max-distance", 8)
    assert len(run(tmp_path, "--labels", path, "--max-distance", 8, "--frames-along", "z")[1]) == 3


def test_pages_without_axes_are_frames(tmp_path):
    path = tmp_path / "stack.tiff"
    tifffile.imwrite(path, movie_pixels(), photometric="minisblack")
    assert len(run(tmp_path, "--labels", path, "--max-distance", 8)[1]) == 3
    assert len(run(tmp_path, "--labels", path, "--max-distance", 8, "--frames-along", "z")[1]) == 3


@pytest.mark.parametrize("pixels", [np.zeros((3, 9, 9), np.uint16), np.zeros((1, 9, 9), np.uint16)])
def test_no_object(pixels, tmp_path):
    path = save(tmp_path / "m.tiff", pixels)
    objects, tracks, _ = run(
        tmp_path, "--labels", path, "--max-distance", 8, "--divisions", "--figure", tmp_path / "f", "--relabelled",
        tmp_path / "r", "--challenge-zip", tmp_path / "c", "--trackmate-xml", tmp_path / "x", "--linking", "overlap",
    )  # fmt: skip
    assert objects == tracks == []
    assert not open_image(tmp_path / "r").read_plane().any()


def test_a_movie_of_one_frame(tmp_path):
    path = save(tmp_path / "m.tiff", movie_pixels()[0], "YX")
    _, tracks, _ = run(tmp_path, "--labels", path, "--max-distance", 8, "--figure", tmp_path / "f")
    assert [(r["objects"], r["mean_speed_px_per_frame"]) for r in tracks] == [("1", ""), ("1", "")]


def test_labels_above_65535(tmp_path):
    pixels = movie_pixels().astype(np.uint32)
    pixels[pixels > 0] += 3_000_000_000
    path = tmp_path / "m.ome.tiff"
    save(path, pixels)
    objects, tracks, _ = run(tmp_path, "--labels", path, "--max-distance", 8, "--relabelled", tmp_path / "r")
    assert len(tracks) == 3
    assert int(objects[0]["label"]) > 3_000_000_000
    assert open_image(tmp_path / "r").dtype == np.uint16


def test_short_tracks_are_left_out_but_families_stay(movie, tmp_path):
    objects, tracks, images = run(
        tmp_path, "--labels", movie, "--max-distance", 8, "--divisions", "--max-gap", 0, "--min-objects", 3
    )
    assert [r["objects"] for r in tracks] == ["3", "2", "2"]
    assert sum(r["track"] == "" for r in objects) == 4
    assert images[0]["objects_without_track"] == "4"


def write_table(path, header, *lines):
    path.write_text("\n".join("\t".join(map(str, line)) for line in [header, *lines]) + "\n", encoding="utf-8")
    return path


def test_table_keeps_its_columns_and_images_apart(tmp_path):
    table = write_table(
        tmp_path / "m.tsv", ("image", "label", "frame", "centroid_y_um", "centroid_x_um", "mean_GFP"),
        ("b", 1, 0, 0, 0, 7), ("b", 1, 1, 0, 1, 8), ("a", 1, 1, 0, 2, 9), ("a", 4, 2, 0, 2.5, 1),
    )  # fmt: skip
    objects, tracks, images = run(
        tmp_path, "--table", table, "--max-distance", 3, "--unit", "um", "--frame-interval", 0.5
    )
    assert [r["track"] for r in objects] == ["1", "1", "2", "2"]
    assert [r["mean_GFP"] for r in objects] == ["7", "8", "9", "1"]
    assert [(r["image"], r["mean_speed_um_per_s"]) for r in tracks] == [("b", "2.0"), ("a", "1.0")]
    assert [r["image"] for r in images] == ["b", "a"]


def test_table_with_columns_of_any_name(tmp_path):
    table = write_table(tmp_path / "m.csv", ("when", "h", "v"), (1, 5, 5), (2, 5, 6))
    columns = ("--frame-column", "when", "--x-column", "h", "--y-column", "v")
    assert len(run(tmp_path, "--table", table, "--max-distance", 3, *columns)[1]) == 1
    with pytest.raises(UserError, match="no column for the frame"):
        run(tmp_path, "--table", table, "--max-distance", 3)


@pytest.mark.parametrize(
    ("cell", "message"), [("nan", "not a finite number"), ("", "not a finite number"), ("1.5", "not a whole number"),
                          ("-1", "negative")],
)  # fmt: skip
def test_frames_that_are_none(cell, message, tmp_path):
    table = write_table(tmp_path / "m.tsv", ("frame", "x", "y"), (cell, 5, 5))
    with pytest.raises(UserError, match=message):
        run(tmp_path, "--table", table, "--max-distance", 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max-distance", "0"], "max distance 0"),
        (["--max-distance", "-4"], "max distance -4"),
        (["--max-distance", "nan"], "max distance nan"),
        (["--max-distance", "5", "--max-gap", "-1"], "max gap -1"),
        (["--max-distance", "5", "--pixel-size", "-0.5"], "pixel size -0.5"),
        (["--max-distance", "5", "--division-area-ratio", "0.5"], "division area ratio"),
    ],
)
def test_parameters_without_sense(movie, tmp_path, arguments, message):
    with pytest.raises(UserError, match=message):
        run(tmp_path, "--labels", movie, *arguments)
    assert not (tmp_path / "o").exists()


def test_label_maps_that_are_none(tmp_path):
    floats = save(tmp_path / "f.tiff", np.full((2, 8, 8), 0.5, np.float32))
    with pytest.raises(UserError, match="which is no label"):
        run(tmp_path, "--labels", floats, "--max-distance", 3)
    channels = save(tmp_path / "c.tiff", np.zeros((2, 2, 8, 8), np.uint8), "TCYX")
    with pytest.raises(UserError, match="2 channels"):
        run(tmp_path, "--labels", channels, "--max-distance", 3)
    unknown = save(tmp_path / "u.tiff", movie_pixels())
    with pytest.raises(UserError, match="unknown"):
        run(tmp_path, "--labels", unknown, "--max-distance", 3, "--unit", "um")
    negative = tmp_path / "n.tiff"
    tifffile.imwrite(negative, np.full((8, 8), -1, np.int32), photometric="minisblack")
    with pytest.raises(UserError, match="label -1"):
        run(tmp_path, "--labels", negative, "--max-distance", 3)


def test_pixel_outputs_need_pixels(tmp_path):
    table = write_table(tmp_path / "m.tsv", ("frame", "x", "y"), (0, 5, 5))
    with pytest.raises(UserError, match="A table has no pixels"):
        run(tmp_path, "--table", table, "--max-distance", 3, "--relabelled", tmp_path / "r")
