"""Image tools over a list in one job: each element has, to the byte, what a job for it alone gives."""

import json
from collections.abc import Callable
from pathlib import Path

import filter_objects
import image_info
import measure_objects
import pytest
import quantify_staining
import segment_objects
import segment_with_model

from bioimage_suite.core.errors import UserError

DATA = Path(__file__).parents[4] / "test-data"
NUCLEI = {"left": "nuclei_upper_left.ome.tiff", "right": "nuclei_lower_right.ome.tiff"}
LABELS = {"right": "nuclei_truth.ome.tiff", "left": "nuclei_truth.ome.tiff"}
WHOLE = {"left": "nuclei.ome.tiff", "right": "nuclei.ome.tiff"}
Main = Callable[[list[str]], int | None]
CASES: dict[str, tuple[Main, dict[str, dict[str, str]], list[str], list[str], list[str]]] = {
    "segment_objects": (
        segment_objects.main, {"--image": NUCLEI}, ["--image-name"],
        ["--cells-by", "distance", "--cell-distance", "5", "--method", "otsu",
         "--threshold-images", *(str(DATA / name) for name in NUCLEI.values())],
        ["--output", "--output-cells"],
    ),
    "segment_with_model": (
        segment_with_model.main, {"--image": NUCLEI}, ["--image-name"],
        ["--model", str(DATA / "tiny_model.zip"), "--meaning", "foreground"], ["--labels", "--prediction"],
    ),
    "measure_objects": (
        measure_objects.main, {"--labels": LABELS, "--image": WHOLE}, ["--image-name"],
        ["--texture-channels", "all"], ["--output", "--output-summary"],
    ),
    "image_info": (
        image_info.main, {"--image": NUCLEI}, ["--image-name"], [], ["--output", "--output-json", "--output-xml"],
    ),
    "quantify_staining": (
        quantify_staining.main, {"--image": {"a": "ihc.png", "b": "ihc.png"}}, ["--name"],
        ["--stains", "h_dab"], ["--table", "--vectors-out", "--figure", "--masks"],
    ),
}  # fmt: skip


def write_listing(folder: Path, files: dict[str, dict[str, str]], names: list[str], made: list[str]) -> None:
    """Write what the wrapper of a tool says of lists whose files lie in the test data."""
    inputs = [
        {"flag": flag, "called": flag.strip("-"), "elements": [[[name], str(DATA / f)] for name, f in given.items()]}
        for flag, given in files.items()
    ]
    outputs = [{"flag": flag, "collection": flag.strip("-"), "ext": "data"} for flag in made]
    listing = {"inputs": inputs, "names": names, "outputs": outputs, "report": "report.tsv", "fail": "all"}
    (folder / "listing").write_text(json.dumps(listing))


@pytest.mark.parametrize("tool", CASES)
def test_a_list_gives_what_a_job_for_each_element_gives(tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    main, files, names, options, made = CASES[tool]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GALAXY_SLOTS", "2")
    write_listing(tmp_path, files, names, made)
    assert main(["--list", "listing", *options]) == 0
    collections = json.loads(Path("galaxy.json").read_text())
    for number, name in enumerate(next(iter(files.values()))):
        words = [word for flag, given in files.items() for word in (flag, str(DATA / given[name]))]
        words += [f"{flag}={name}" for flag in names]
        main([*options, *words, *(word for flag in made for word in (flag, f"alone{flag}"))])
        for flag in made:
            element = collections[flag.strip("-")]["elements"][number]
            assert element["name"] == name
            assert Path(element["filename"]).read_bytes() == Path(f"alone{flag}").read_bytes(), flag


def test_a_table_of_another_label_map_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    files = {
        "--labels": {"a": "synthetic_labels.ome.tiff", "b": "synthetic_zero.ome.tiff"},
        "--table": {"b": "filter_objects.tabular", "a": "filter_objects.tabular"},
    }
    write_listing(tmp_path, files, ["--labels-name", "--table-name"], ["--output-labels", "--output-table"])
    assert filter_objects.main(["--list", "listing", "--keep", "area_px > 0"]) == 0
    report = Path("report.tsv").read_text().splitlines()
    assert report[1].startswith("a\tok\ta: ")
    assert report[2].startswith("b\tfailed\tTable b: object ")


def test_an_option_that_no_image_can_have_fails_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    write_listing(tmp_path, {"--image": {}}, [], [])
    with pytest.raises(UserError, match="List of images: it is empty"):
        segment_objects.main(["--list", "listing"])
