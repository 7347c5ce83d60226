"""build_crate and validate_crate, one after the other."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from build_crate import main as build_main
from validate_crate import main as validate_main

from bioimage_suite.core.errors import UserError
from bioimage_suite.fair.products.package import (
    PRODUCTS,
)
from tests.unit.fair.made_crates import DATA, NAMES


def _list(path: Path, names: list[str]) -> Path:
    path.write_text(json.dumps([{"path": str(DATA / name), "name": name} for name in names]))
    return path


def _run(main: Callable[[list[str]], object], *arguments: object) -> None:
    main([str(argument) for argument in arguments])


@pytest.mark.parametrize("product", PRODUCTS)
def test_build_and_validate(tmp_path: Path, product: str):
    images = _list(tmp_path / "i", NAMES)
    output = tmp_path / "made"
    inputs = ["--metadata", DATA / "metadata.tsv", "--images", images, "--annotations", images, "--with-images"]
    _run(build_main, "--product", product, *inputs, "--crate" if product == "gide" else "--package", output)
    if product in {"idr", "arc"}:  # They are no crates.
        with zipfile.ZipFile(output) as package:
            assert any(name.endswith(("-study.txt", "isa.investigation.xlsx")) for name in package.namelist())
        return
    reports = ["--findings", tmp_path / "f", "--report", tmp_path / "r", "--mended", tmp_path / "m"]
    _run(validate_main, "--crate", output, "--on-errors", "fail", *reports)
    assert "No errors." in (tmp_path / "r").read_text()


def test_a_broken_crate_stops_a_workflow(tmp_path: Path):
    reports = ["--findings", tmp_path / "f", "--report", tmp_path / "r"]
    with pytest.raises(UserError, match="expected a license"):
        _run(validate_main, "--crate", DATA / "gide_broken.jsonld", "--on-errors", "fail", *reports)
    assert list(tmp_path.iterdir()) == []


def test_a_general_package_needs_the_images_themselves(tmp_path: Path):
    with pytest.raises(UserError, match="2 have no file"):
        _run(build_main, "--product", "general", "--metadata", DATA / "metadata.tsv", "--package", tmp_path / "p")
    assert list(tmp_path.iterdir()) == []
