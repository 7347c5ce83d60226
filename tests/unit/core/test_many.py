"""A list of elements in one job."""

import errno
import json
import os
import signal
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.tool import argument, tool

FLAGS = {"image": "--image", "label map": "--labels"}


@tool(
    "Doubles a number.",
    argument("--image", type=Path, required=True),
    argument("--labels", type=Path),
    argument("--children", type=Path, nargs="*", default=[]),
    argument("--image-name"),
    argument("--more", type=int, default=0),
    argument("--output", type=Path, required=True),
)
def double(args: Namespace, outputs: Outputs) -> None:
    """Write twice the number of the image; words make it fail in a way of their own."""
    text = args.image.read_text()
    output = outputs.file(args.output)
    if text == "broken":
        output.write_text("half")
        raise UserError(f"Image {args.image_name}: is broken. Give another.")
    if text == "defect":
        raise ValueError("a defect")
    if text == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if text.startswith("killed"):
        # The second try finds what the first one left.
        mark = args.image.with_name("tried")
        if text == "killed" or not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        text = "7"
    if text == "slow":
        time.sleep(0.5)
        text = "1"
    others = [path.read_text() for path in [args.labels, *args.children] if path]
    output.write_text(" ".join([args.image_name, str(2 * int(text) + args.more), os.environ["GALAXY_SLOTS"], *others]))
    print(f"{args.image_name}: done")


@pytest.fixture(autouse=True)
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in the folder of a job with two cores."""
    folder = tmp_path / "job"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GALAXY_SLOTS", "2")
    return folder


def run(contents: dict[str, str], fail: str = "any", *words: str, **partners: dict[str, str]) -> int | None:
    """Run the tool over elements, written as `outer/inner`, with these contents."""
    listed: list[dict[str, Any]] = []
    for called, files in {"image": contents, **{k.replace("_", " "): v for k, v in partners.items()}}.items():
        elements = []
        for number, (name, text) in enumerate(files.items()):
            path = Path("..") / f"{called}_{number}"
            path.write_text(text)
            elements.append([name.split("/"), str(path)])
        listed.append({"flag": FLAGS.get(called, "--children"), "called": called, "elements": elements})
    outputs = [{"flag": "--output", "collection": "outputs", "ext": "txt"}]
    write_listing(inputs=listed, names=["--image-name"], outputs=outputs, report="report.tsv", fail=fail)
    return double(["--list", "../listing", *words])


def write_listing(**listing: Any) -> None:
    Path("../listing").write_text(json.dumps(listing), encoding="utf-8")


def collection() -> list[Any]:
    """Return names and contents of the elements that Galaxy is told of."""

    def read(elements: list[dict[str, Any]]) -> list[Any]:
        return [
            [one["name"], read(one["elements"]) if "elements" in one else Path(one["filename"]).read_text()]
            for one in elements
        ]

    return read(json.loads(Path("galaxy.json").read_text(encoding="utf-8"))["outputs"]["elements"])


def report() -> list[list[str]]:
    return [line.split("\t") for line in Path("report.tsv").read_text(encoding="utf-8").splitlines()]


def test_each_element_has_its_output_in_the_order_of_the_list(capsys: pytest.CaptureFixture[str]):
    assert run({"b": "slow", "a µ": "2", "c": "3"}, "any", "--more", "1") == 0
    assert collection() == [["b", "b 3 1"], ["a µ", "a µ 5 1"], ["c", "c 7 1"]]
    assert report() == [
        ["element", "status", "message"],
        *(["b", "ok", "b: done"], ["a µ", "ok", "a µ: done"], ["c", "ok", "c: done"]),
    ]
    assert capsys.readouterr().out == "b: done\na µ: done\nc: done\n"


def test_nested_lists_stay_nested():
    run({"p1/A1": "1", "p2/A1": "2", "p1/B1": "3"})
    assert collection() == [["p1", [["A1", "A1 2 1"], ["B1", "B1 6 1"]]], ["p2", [["A1", "A1 4 1"]]]]
    assert [row[0] for row in report()[1:]] == ["p1/A1", "p2/A1", "p1/B1"]


def test_all_cores_serve_a_single_element():
    run({"a": "1"})
    assert collection() == [["a", "a 2 2"]]


def test_two_elements_are_worked_on_at_once():
    began = time.monotonic()
    run({"a": "slow", "b": "slow"})
    assert time.monotonic() - began < 0.95


def test_a_broken_element_is_left_out_where_that_is_allowed(capsys: pytest.CaptureFixture[str]):
    assert run({"a": "1", "b": "broken", "c": "defect", "d": "4"}, "all") == 0
    assert collection() == [["a", "a 2 1"], ["d", "d 8 1"]]
    assert report()[2:4] == [
        ["b", "failed", "Image b: is broken. Give another."],
        ["c", "failed", "ValueError: a defect"],
    ]
    said = capsys.readouterr().err
    assert "2 of 4 elements failed" in said
    assert "b: Image b: is broken. Give another." in said


def test_a_broken_element_fails_the_job_and_the_others_are_there():
    assert run({"a": "1", "b": "broken", "d": "4"}) == 1
    # Galaxy shows them as failed: an empty file for the broken one, so that nothing after the job takes them.
    assert collection() == [["a", "a 2 1"], ["b", ""], ["d", "d 8 1"]]


def test_a_job_whose_elements_all_fail_fails():
    assert run({"a": "broken", "b": "broken"}, "all") == 1


def test_an_element_whose_process_is_killed_is_named():
    assert run({"a": "1", "b": "killed", "c": "3", "d": "4"}, "all") == 0
    assert [name for name, _ in collection()] == ["a", "c", "d"]
    assert report()[2][1:] == [
        "failed",
        "its process was killed, as the system does where memory runs out. Give the job more memory.",
    ]


def test_an_element_whose_process_is_killed_has_a_second_try_alone():
    assert run({"a": "1", "b": "killed once", "c": "3"}) == 0
    assert collection()[1] == ["b", "b 14 2"]


def test_a_full_disk_ends_all_and_leaves_nothing(job: Path):
    with pytest.raises(UserError, match=r"a: disk: full while writing 0\. Make room and run again\."):
        run({"a": "full", "b": "2"}, "all")
    assert not list(job.iterdir())


def test_partners_are_found_by_name():
    run({"a": "1", "b": "2"}, label_map={"b": "of b", "a": "of a"}, spot={"b": "s2", "a": "s1"})
    assert collection() == [["a", "a 2 1 of a s1"], ["b", "b 4 1 of b s2"]]


def test_several_lists_may_serve_one_argument():
    run({"a": "1", "b": "1"}, spot={"a": "s", "b": "s"}, cell={"a": "c", "b": "c"})
    assert collection() == [["a", "a 2 1 s c"], ["b", "b 2 1 s c"]]


def test_a_missing_partner_is_named():
    assert run({"a": "1", "b": "2"}, "all", label_map={"a": "x", "z": "y"}) == 0
    assert report()[2:] == [
        ["b", "failed", "there is no label map of this name. Give lists whose elements have the same names."],
        ["z", "failed", "there is no image of this name. Give lists whose elements have the same names."],
    ]


def test_an_empty_list_is_an_error():
    with pytest.raises(UserError, match=r"List of images: it is empty\. Choose a list with at least one image\."):
        run({})


def test_two_elements_of_one_name_are_an_error():
    element = [["a"], "x"]
    write_listing(
        inputs=[{"flag": "--image", "called": "image", "elements": [element, element]}],
        names=[], outputs=[], report="report.tsv", fail="any",
    )  # fmt: skip
    with pytest.raises(UserError, match=r"List of images: 2 elements are called a\. Give each a name of its own\."):
        double(["--list", "../listing"])


def test_a_wrong_option_is_told_once(capsys: pytest.CaptureFixture[str], job: Path):
    with pytest.raises(SystemExit):
        run({"a": "1", "b": "2"}, "all", "--more", "x")
    assert capsys.readouterr().err.count("invalid int value") == 1
    assert not list(job.iterdir())


def test_a_list_that_cannot_be_read_is_an_error():
    Path("../listing").write_text("{")
    with pytest.raises(UserError, match="List listing: cannot be read"):
        double(["--list", "../listing"])
