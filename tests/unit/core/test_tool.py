"""The frame of a tool's script."""

import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from bioimage_suite.core.errors import StartAgainError, UserError
from bioimage_suite.core.outputs import Outputs
from bioimage_suite.core.tool import CONFIG, argument, run_tool, tool


@tool("Writes a text.", argument("--text", required=True), argument("--output", type=Path, required=True))
def write(args: Namespace, outputs: Outputs) -> int:
    """Write."""
    outputs.file(args.output).write_text(args.text)
    if args.text == "bad":
        raise UserError("Text bad: is refused. Write another.")
    return len(args.text)


def test_main_takes_a_command_line_and_returns_the_exit_code(tmp_path: Path):
    assert write(["--text", "abc", "--output", str(tmp_path / "a")]) == 3
    assert (tmp_path / "a").read_text() == "abc"


def test_nothing_is_left_where_it_fails(tmp_path: Path):
    with pytest.raises(UserError):
        write(["--text", "bad", "--output", str(tmp_path / "a")])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_a_run_that_has_to_begin_anew_does_so_twice(tmp_path: Path, capsys, failures: int):
    begun: list[int] = []

    @tool("", argument("--output", type=Path, required=True))
    def work(args: Namespace, outputs: Outputs) -> int:
        begun.append(1)
        outputs.file(args.output).write_text(f"{len(begun)}")
        if len(begun) <= failures:
            raise StartAgainError("Lease: lost.")
        return 0

    words = ["--output", str(tmp_path / "a")]
    if failures == 3:
        with pytest.raises(UserError, match="Lease: lost"):
            work(words)
        assert not list(tmp_path.iterdir())
    else:
        assert work(words) == 0
        assert (tmp_path / "a").read_text() == f"{failures + 1}"
    assert capsys.readouterr().out == "the run begins anew: Lease: lost.\n" * min(failures, 2)


def test_texts_of_a_file_keep_every_character(tmp_path: Path):
    text = 'it\'s $HOME `id` \\ "µm"'
    (tmp_path / "arguments").write_text(json.dumps(["--text", text]), encoding="utf-8")
    write(["--arguments", str(tmp_path / "arguments"), "--output", str(tmp_path / "a")])
    assert (tmp_path / "a").read_text() == text


@pytest.mark.parametrize("content", [b"{", b"\xff", None])
def test_a_broken_file_of_arguments_is_a_clear_error(tmp_path: Path, content: bytes | None):
    if content is not None:
        (tmp_path / "config").write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as JSON"):
        tool("", CONFIG)(lambda *_: None)(["--config", str(tmp_path / "config")])


def test_the_form_is_a_dictionary(tmp_path: Path):
    (tmp_path / "config").write_text('{"name": "a"}')
    seen = []
    tool("", CONFIG)(lambda args, _: seen.append(args.config))(["--config", str(tmp_path / "config")])
    assert seen == [{"name": "a"}]


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]):
    def main() -> int:
        raise UserError("Text bad: is refused. Write another.")

    with pytest.raises(SystemExit) as ended:
        run_tool(main)
    assert ended.value.code == 1
    assert capsys.readouterr().err == "ERROR: Text bad: is refused. Write another.\n"


@pytest.mark.parametrize(
    ("given", "threads"), [({}, "1"), ({"GALAXY_SLOTS": "3"}, "3"), ({"OPENBLAS_NUM_THREADS": "2"}, "2")]
)
def test_linear_algebra_starts_as_many_threads_as_the_job_has_cores(given: dict[str, str], threads: str):
    said = "import bioimage_suite.core.tool, os; print(os.environ['OPENBLAS_NUM_THREADS'])"
    clean = {key: value for key, value in os.environ.items() if key not in ("GALAXY_SLOTS", "OPENBLAS_NUM_THREADS")}
    run = subprocess.run([sys.executable, "-c", said], env=clean | given, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == threads


def test_half_a_character_in_a_json_file_is_refused(tmp_path: Path):
    (tmp_path / "config").write_text('{"name": "\\ud800"}')
    with pytest.raises(UserError, match=r"cannot be read as JSON.*surrogates"):
        tool("", CONFIG)(lambda *_: None)(["--config", str(tmp_path / "config")])
    (tmp_path / "config").write_text('{"name": "\\ud83d\\ude00"}')
    tool("", CONFIG)(lambda *_: None)(["--config", str(tmp_path / "config")])
