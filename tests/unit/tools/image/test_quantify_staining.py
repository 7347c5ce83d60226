"""quantify_staining as a whole: image and regions, thresholds, areas; what it refuses."""

import csv
from pathlib import Path

import numpy as np
import pytest
import tifffile
from quantify_staining import main

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image
from bioimage_suite.staining.quantities import separate
from bioimage_suite.staining.vectors import (
    STAIN_SETS,
    make_stains,
)
from tests.unit.staining.stained import options_for

IHC = Path(__file__).resolve().parents[4] / "test-data/ihc.png"


def run(tmp_path, *arguments):
    main([*map(str, arguments), "--table", str(tmp_path / "t"), "--vectors-out", str(tmp_path / "v")])
    tables = []
    for name in ("t", "v"):
        with (tmp_path / name).open(encoding="utf-8") as stream:
            tables.append(list(csv.DictReader(stream, delimiter="\t")))
    return tables


def test_image_whole_and_by_region(tmp_path):
    labels = np.zeros((256, 256), np.uint16)
    labels[:, :100], labels[:, 100:] = 3, 9
    tifffile.imwrite(tmp_path / "r.tiff", labels, photometric="minisblack")
    files = {name: tmp_path / name for name in ("figure", "amounts", "masks")}
    outputs = [part for name, path in files.items() for part in (f"--{name}", path)]
    levels = ("--positive", 0.2, "--moderate", 0.5, "--strong", 0.9)
    rows, vectors = run(
        tmp_path, "--image", IHC, "--stains", "h_dab", "--regions", tmp_path / "r.tiff", *levels, *outputs
    )
    assert [(r["region"], r["stain"]) for r in rows] == [
        (region, stain) for region in ("whole image", "3", "9") for stain in ("Hematoxylin", "DAB")
    ]
    for column in ("area_px", "tissue_px", "positive_px"):
        assert int(rows[1][column]) == int(rows[3][column]) + int(rows[5][column])
    assert rows[1]["area_px"] == str(256 * 256)
    image = open_image(IHC)
    stains = make_stains(STAIN_SETS["h_dab"])
    amounts, density = separate(image.read_colour(0, 0, slice(0, 256), slice(0, 256)), options_for(stains))
    dab = amounts[..., 1][density >= 0.1]
    assert float(rows[1]["mean_amount"]) == pytest.approx(dab.mean(dtype=float))
    assert int(rows[1]["positive_px"]) == (dab >= 0.2).sum()
    assert float(rows[1]["mean_positive_amount"]) == pytest.approx(dab[dab >= 0.2].mean(dtype=float))
    shares = [((dab >= a) & (dab < b)).mean() for a, b in ((0.2, 0.5), (0.5, 0.9), (0.9, 99))]
    assert [float(rows[1][f"{name}_fraction"]) for name in ("weak", "moderate", "strong")] == pytest.approx(shares)
    assert float(rows[1]["h_score"]) == pytest.approx(100 * (shares[0] + 2 * shares[1] + 3 * shares[2]))
    assert [v["stain"] for v in vectors] == ["white", "Hematoxylin", "DAB"]
    written = open_image(files["amounts"])
    assert written.channels == ("Hematoxylin", "DAB")
    assert written.read_plane(0, 1) == pytest.approx(amounts[..., 1] * 1000, abs=0.51)
    masks = open_image(files["masks"])
    assert masks.channels == ("Tissue", "Hematoxylin positive", "DAB positive")
    assert (masks.read_plane(0, 2) == 255).sum() == int(rows[1]["positive_px"])
    assert files["figure"].read_bytes().startswith(b"\x89PNG")


def test_thresholds_and_white_are_found(tmp_path):
    rows, vectors = run(
        tmp_path, "--image", IHC, "--stains", "estimate_h_dab", "--white", "estimate", "--tissue", "otsu"
    )
    assert 200 < float(vectors[0]["red"]) <= 255
    assert float(vectors[1]["red"]) > float(vectors[2]["red"])
    assert 0 < float(rows[1]["positive_fraction"]) < 1
    assert run(tmp_path, "--image", IHC, "--stains", "own", "--vectors", "A: 0.65 0.7 0.29; B: 0.27,0.57,0.78")[0][0][
        "stain"
    ] == "A"  # fmt: skip


def test_areas_in_micrometres(tmp_path):
    pixels = np.full((32, 32, 3), 120, np.uint8)
    pixels[:8] = 255
    pixels[20:, 20:, 0] = 30
    size = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
    tifffile.imwrite(tmp_path / "a.ome.tiff", pixels, ome=True, photometric="rgb", metadata={"axes": "YXS", **size})
    rows, _ = run(tmp_path, "--image", tmp_path / "a.ome.tiff", "--stains", "h_dab")
    assert (rows[0]["tissue_px"], rows[0]["tissue_um2"], rows[0]["area_um2"]) == ("768", "192.0", "256.0")


def test_an_image_without_tissue(tmp_path):
    tifffile.imwrite(tmp_path / "w.tiff", np.full((32, 32, 3), 254, np.uint8), photometric="rgb")
    arguments = ("--image", tmp_path / "w.tiff", "--stains", "h_dab")
    rows, _ = run(tmp_path, *arguments, "--positive", 0.2, "--figure", tmp_path / "f")
    assert (rows[0]["tissue_px"], rows[0]["positive_fraction"], rows[0]["h_score"]) == ("0", "", "")
    with pytest.raises(UserError, match="alike in stain Hematoxylin"):
        run(tmp_path, *arguments)
    with pytest.raises(UserError, match="alike in tissue"):
        run(tmp_path, *arguments, "--tissue", "otsu")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--positive", "-1"), "positive -1"),
        (("--tissue", "much"), "tissue much"),
        (("--white", "0"), "White 0"),
        (("--white", "bright"), "White bright"),
        (("--positive", "0.5", "--moderate", "0.4"), "do not ascend"),
    ],
)
def test_parameters_without_sense(arguments, message, tmp_path):
    with pytest.raises(UserError, match=message):
        run(tmp_path, "--image", IHC, "--stains", "h_dab", *arguments)
    assert not (tmp_path / "t").exists()


def test_images_that_are_none(tmp_path):
    for pixels, message in (
        (np.zeros((8, 8), np.uint8), "1 channels"),
        (np.zeros((8, 8, 3), np.uint16), "uint16"),
        (np.zeros((2, 8, 8, 3), np.uint8), "2 time points"),
    ):
        tifffile.imwrite(tmp_path / "a.tiff", pixels, photometric="rgb" if pixels.ndim > 2 else "minisblack")
        with pytest.raises(UserError, match=message):
            run(tmp_path, "--image", tmp_path / "a.tiff", "--stains", "h_dab")
    tifffile.imwrite(tmp_path / "r.tiff", np.ones((8, 9), np.uint8), photometric="minisblack")
    with pytest.raises(UserError, match="same size"):
        run(tmp_path, "--image", IHC, "--stains", "h_dab", "--regions", tmp_path / "r.tiff")
