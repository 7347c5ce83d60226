"""Pictures of tutorials: one that no longer shows what the run sees is named."""

from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw

from tests.training.pictures import MOST_CHANGED, aged, changed
from tests.training.run import TRAINING, tutorial_files
from tests.training.tutorial import read_tutorial

HISTORY = TRAINING / "topics" / "imaging" / "tutorials" / "omero-round-trip" / "images" / "history.png"


def saved(file: Path, picture: Image.Image) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file)
    return file


def test_a_date_or_letters_a_little_aside_are_no_change(tmp_path: Path) -> None:
    picture = Image.open(HISTORY).convert("L")
    dated = picture.copy()
    ImageDraw.Draw(dated).text((990, 275), "2026-11-30 09:02:02", fill=0)
    assert changed(HISTORY, HISTORY) == 0
    assert changed(HISTORY, saved(tmp_path / "dated.png", dated)) <= MOST_CHANGED
    assert changed(HISTORY, saved(tmp_path / "aside.png", ImageChops.offset(picture, 3, 2))) <= MOST_CHANGED


@pytest.mark.parametrize("lost", [(384, 80, 900, 780), (905, 275, 1200, 680)], ids=["welcome", "datasets"])
def test_a_page_with_another_text_or_history_is_a_change(tmp_path: Path, lost: tuple[int, int, int, int]) -> None:
    picture = Image.open(HISTORY).convert("L")
    ImageDraw.Draw(picture).rectangle(lost, fill=255)
    assert changed(HISTORY, saved(tmp_path / "other.png", picture)) > MOST_CHANGED


def test_another_size_is_a_change(tmp_path: Path) -> None:
    assert changed(HISTORY, saved(tmp_path / "small.png", Image.open(HISTORY).resize((600, 400)))) == 1


def test_the_aged_picture_of_a_tutorial_is_named_and_how_to_make_it(tmp_path: Path) -> None:
    file = next(one for one in tutorial_files() if one.parent.name == "omero-round-trip")
    tutorial = read_tutorial(file)
    names = [box.picture.file for box in tutorial.boxes if box.picture]
    for name in names:
        saved(tmp_path / name, Image.open(file.parent / name))
    assert aged(tutorial, tmp_path) == []
    saved(tmp_path / "images" / "history.png", Image.new("L", Image.open(HISTORY).size))
    (said,) = aged(tutorial, tmp_path)
    assert str(HISTORY) in said
    assert "--pictures docs/training" in said
