"""Measures of tracks: equal to py-ctcmetrics on random errors, known where they can be counted by hand."""

import csv
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from evaluate_tracking import main

from bioimage_suite.core.errors import UserError

DATA = Path(__file__).resolve().parents[4] / "test-data"
TRUTH = DATA / "moving_cells_truth.zip"


def run(tmp_path, *arguments):
    main([*map(str, arguments), "--measures", str(tmp_path / "m"), "--errors", str(tmp_path / "e")])
    tables = []
    for name in ("m", "e"):
        with (tmp_path / name).open(encoding="utf-8") as stream:
            tables.append(list(csv.DictReader(stream, delimiter="\t")))
    return tables[0][0], tables[1]


def write_zip(path, folder, masks, tracks, prefix="mask", text="res_track.txt"):
    """Write masks and tracks as a folder (for py-ctcmetrics) and as a zip."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for t, mask in enumerate(masks):
            file = folder / f"{prefix}{t:03}.tif"
            tifffile.imwrite(file, mask)
            archive.write(file, f"{folder.name}/{file.name}")
        (folder / text).write_text("".join(f"{a} {b} {c} {d}\n" for a, b, c, d in tracks))
        archive.write(folder / text, f"{folder.name}/{text}")
    return path


def truth():
    with zipfile.ZipFile(TRUTH) as archive:
        lines = archive.read("TRA/man_track.txt").decode().splitlines()
        tracks = [tuple(map(int, line.split())) for line in lines]
        from io import BytesIO

        masks = [tifffile.imread(BytesIO(archive.read(f"TRA/man_track{t:03}.tif"))) for t in range(10)]
    return np.stack(masks), tracks


def spoiled(seed):
    """The truth with random errors: lost, merged, invented, shifted and renamed objects, divisions lost."""
    rng = np.random.default_rng(seed)
    masks, tracks = truth()
    masks = masks.copy()
    parent = {label: p for label, _, _, p in tracks}
    for _ in range(rng.integers(1, 9)):
        t, label = int(rng.integers(10)), int(rng.integers(1, 10))
        match rng.integers(5):
            case 0:
                masks[t][masks[t] == label] = 0
            case 1:
                masks[t][masks[t] == label] = int(rng.integers(1, 10))
            case 2:
                y, x = rng.integers(0, 110, 2)
                masks[t][y : y + 9, x : x + 9] = 20 + int(rng.integers(4))
            case 3:
                masks[t] = np.roll(masks[t], int(rng.integers(1, 7)), axis=1)
            case 4:
                parent[label] = 0
    # Every gap begins a new track, as the layout wants.
    out, rows, following = np.zeros_like(masks), [], 0
    last_part = {}
    for label in sorted(set(np.unique(masks)) - {0}):
        frames = [t for t in range(10) if (masks[t] == label).any()]
        runs = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
        for number, span in enumerate(runs):
            following += 1
            for t in span:
                out[t][masks[t] == label] = following
            of = following - 1 if number else last_part.get(parent.get(int(label), 0), 0)
            if of and rows[of - 1][2] >= span[0]:
                of = 0
            rows.append((following, int(span[0]), int(span[-1]), of))
        last_part[int(label)] = following
    return out, rows


@pytest.mark.parametrize("seed", range(12))
def test_equal_to_py_ctcmetrics(seed, tmp_path):
    from ctc_metrics.scripts.evaluate import evaluate_sequence

    masks, tracks = truth()
    write_zip(tmp_path / "gt.zip", tmp_path / "gt/TRA", masks, tracks, "man_track", "man_track.txt")
    (tmp_path / "gt/SEG").mkdir()
    for t, mask in enumerate(masks):
        tifffile.imwrite(tmp_path / f"gt/SEG/man_seg{t:03}.tif", mask)
    write_zip(tmp_path / "res.zip", tmp_path / "res", *spoiled(seed))
    names = ["Valid", "SEG", "DET", "TRA", "LNK", "CT", "TF", "BC"]
    expected = evaluate_sequence(str(tmp_path / "res"), str(tmp_path / "gt"), names, threads=1)
    assert expected["Valid"] == 1
    found, errors = run(tmp_path, "--reference", tmp_path / "gt.zip", "--result", tmp_path / "res.zip")
    for name in ("SEG", "DET", "TRA", "LNK", "CT", "TF", "BC(0)", "BC(1)", "BC(2)", "BC(3)"):
        assert float(found[name]) == pytest.approx(expected[name], abs=1e-12), name
    for kind in ("NS", "FN", "FP", "ED", "EA", "EC"):
        assert float(found[kind]) == expected[f"AOGM_{kind}"] == sum(row["error"] == kind for row in errors), kind


def test_a_perfect_result(tmp_path):
    found, errors = run(tmp_path, "--reference", TRUTH, "--result", TRUTH)
    assert errors == []
    assert {found[name] for name in ("SEG", "DET", "TRA", "LNK", "CT", "TF", "link_F1", "BC(0)")} == {"1.0"}


def test_label_map_and_table_of_parents_against_the_challenges_layout(tmp_path):
    from track_objects import main as track

    track(["--labels", str(DATA / "moving_cells.ome.tiff"), "--max-distance", "12", "--divisions", "--objects-out",
           str(tmp_path / "o"), "--tracks-out", str(tmp_path / "t"), "--relabelled", str(tmp_path / "r.tiff"),
           "--challenge-zip", str(tmp_path / "c.zip")])  # fmt: skip
    figure = tmp_path / "figure"
    parents = ("--result-parents", tmp_path / "t", "--figure", figure)
    found, _ = run(tmp_path, "--reference", TRUTH, "--result", tmp_path / "r.tiff", *parents)
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert found["TRA"] == found["link_F1"] == "1.0"
    found, _ = run(tmp_path, "--reference", TRUTH, "--result", tmp_path / "c.zip")
    assert found["TRA"] == "1.0"
    # Without the parents the division is missing: two links of 58.
    found, errors = run(tmp_path, "--reference", TRUTH, "--result", tmp_path / "r.tiff")
    assert float(found["link_recall"]) == pytest.approx(56 / 58)
    assert [row["error"] for row in errors] == ["EA", "EA"]
    assert float(found["TRA"]) == pytest.approx(1 - 2 * 1.5 / (10 * 64 + 1.5 * 58))


def test_the_challenges_layout_is_valid_for_py_ctcmetrics(tmp_path):
    from ctc_metrics.scripts.evaluate import evaluate_sequence
    from track_objects import main as track

    track(["--labels", str(DATA / "moving_cells.ome.tiff"), "--max-distance", "12", "--divisions", "--objects-out",
           str(tmp_path / "o"), "--tracks-out", str(tmp_path / "t"), "--challenge-zip",
           str(tmp_path / "c.zip")])  # fmt: skip
    with zipfile.ZipFile(tmp_path / "c.zip") as archive:
        archive.extractall(tmp_path)
    masks, tracks = truth()
    write_zip(tmp_path / "gt.zip", tmp_path / "gt/TRA", masks, tracks, "man_track", "man_track.txt")
    found = evaluate_sequence(str(tmp_path / "01_RES"), str(tmp_path / "gt"), ["Valid", "DET", "TRA", "CT"], threads=1)
    assert {name: found[name] for name in ("Valid", "DET", "TRA", "CT")} == {"Valid": 1, "DET": 1, "TRA": 1, "CT": 1}


def test_an_empty_result_is_all_wrong(tmp_path):
    masks, _ = truth()
    write_zip(tmp_path / "r.zip", tmp_path / "r", np.zeros_like(masks), [])
    found, errors = run(tmp_path, "--reference", TRUTH, "--result", tmp_path / "r.zip")
    assert (found["SEG"], found["TRA"], found["FN"], found["TF"]) == ("0.0", "0.0", "64.0", "0.0")
    assert found["link_precision"] == ""
    assert len(errors) == 64 + 58


@pytest.mark.parametrize(
    ("masks", "tracks", "message"),
    [
        (np.zeros((3, 128, 128), np.uint16), [], "result r.zip has 3"),
        (np.zeros((10, 64, 128), np.uint16), [], "same movie"),
        (np.ones((10, 128, 128), np.uint16), [(1, 0, 8, 0)], "not in its track file"),
        (np.ones((10, 128, 128), np.uint16), [(1, 0, 9, 0), (2, 4, 9, 0)], "says label 2 is in frame 4"),
        (np.ones((10, 128, 128), np.uint16), [(1, 0, 9, 7)], "parent 7"),
        (
            np.ones((10, 128, 128), np.uint16),
            [(1, 0, 10**12, 0)],
            "in frames 0 to 1000000000000, but there are 10 frames",
        ),
        (np.ones((10, 128, 128), np.uint16), [(1, 9, 0, 0)], "label 1 is in frames 9 to 0"),
        (np.ones((10, 128, 128), np.uint16), [(1, 0, 10**30, 0)], "line 1 of its track file"),
        (np.ones((10, 128, 128), np.uint16), [(1, 0, "9" * 5000, 0)], "line 1 of its track file"),
        (np.ones((10, 128, 128), np.uint16), [(1, 0, 9, 0), (1, 0, 9, 0)], "twice"),
        (np.ones((10, 128, 128), np.float32), [(1, 0, 9, 0)], "not integers"),
    ],
)
def test_refused(masks, tracks, message, tmp_path):
    write_zip(tmp_path / "r.zip", tmp_path / "r", masks, tracks)
    with pytest.raises(UserError, match=message):
        run(tmp_path, "--reference", TRUTH, "--result", tmp_path / "r.zip")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        ("2 1 1 2\n", "track 2 begins in frame 1, its parent 2 does not end before"),
        ("2 1 1 3\n3 1 1 2\n", "track 2 begins in frame 1, its parent 3 does not end before"),
        ("1 0 0 2\n", "track 1 begins in frame 0, its parent 2 does not end before"),
        ("2 1 1 9\n", "its parent 9 does not end before"),
        ("2 1 1 1\n2 1 1 3\n", "the parent of track 2 is 1, but also 3"),
        ("track\tparent_track\n2\t1\n2\t3\n", "the parent of track 2 is 1, but also 3"),
        ("10 11 12 13\n" * 40 + "x\n", "no column 'parent_track'"),
        ("10 11 12\n" * 40, "line 1 of its track file: '10 11 12' is not four whole numbers"),
    ],
)
def test_parents_of_a_label_map_that_cannot_be(parents, message, tmp_path):
    movie = np.zeros((2, 9, 9), np.uint8)
    movie[0, :4], movie[1, :2], movie[1, 2:4] = 1, 2, 3
    tifffile.imwrite(tmp_path / "m.tif", movie, imagej=True, metadata={"axes": "TYX"})
    (tmp_path / "p").write_text(parents)
    files = ("--reference", tmp_path / "m.tif", "--result", tmp_path / "m.tif", "--result-parents", tmp_path / "p")
    with pytest.raises(UserError, match=message):
        run(tmp_path, *files)


def test_refused_zips(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a/readme.txt", "nothing")
    with pytest.raises(UserError, match="0 track files"):
        run(tmp_path, "--reference", TRUTH, "--result", tmp_path / "z.zip")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a/res_track.txt", "1 2 x 4\n")
        archive.writestr("a/mask000.tif", "x")
    with pytest.raises(UserError, match="four whole numbers"):
        run(tmp_path, "--reference", TRUTH, "--result", tmp_path / "z.zip")
    empty = tmp_path / "empty.zip"
    write_zip(empty, tmp_path / "empty", np.zeros((2, 4, 4), np.uint8), [])
    with pytest.raises(UserError, match="no object"):
        run(tmp_path, "--reference", empty, "--result", TRUTH)
