"""The runner behind `make test`: it counts what the runners report, and no failure stays silent."""

import sys
from pathlib import Path

import pytest

from tests import run
from tests.galaxy.run import OMERO_PLACEHOLDER, copy_suite
from tests.run import Check, Outcome, count_tests, run_check

PYTEST = '<testsuites><testsuite tests="5" failures="1" errors="1" skipped="1"/></testsuites>'
PLANEMO = '<testsuites><testsuite tests="3" errors="0" failures="0" skipped="0"><testcase/></testsuite></testsuites>'


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "REPORTS", tmp_path)
    return tmp_path


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_tests_of_both_runners_are_counted(tmp_path: Path):
    files = [tmp_path / "pytest.xml", tmp_path / "planemo-tools-1.xml"]
    files[0].write_text(PYTEST)
    files[1].write_text(PLANEMO)
    assert count_tests(files) == (5, 2, 1)


def test_a_check_without_tests_passes_silently(reports: Path):
    assert run_check(Check("lint", python("print('fine')"))) == Outcome(0, 0, 0)
    assert (reports / "lint.log").read_text() == "fine\n"


@pytest.mark.usefixtures("reports")
def test_a_check_that_fails_counts_as_a_failure_and_is_shown(capsys: pytest.CaptureFixture[str]):
    assert run_check(Check("lint", python("print('line 3 is bad'); exit(2)"))) == Outcome(0, 1, 0)
    shown = capsys.readouterr().out
    assert shown.startswith("FAILED  lint")
    assert "line 3 is bad" in shown


@pytest.mark.usefixtures("reports")
def test_a_runner_that_reports_nothing_failed():
    assert run_check(Check("galaxy", python("pass"), "planemo-*.xml")) == Outcome(0, 1, 0)


def test_a_runner_that_fails_after_good_tests_failed(reports: Path):
    code = f"import pathlib; pathlib.Path({str(reports / 'pytest.xml')!r}).write_text({PLANEMO!r}); exit(1)"
    assert run_check(Check("pytest", python(code), "pytest.xml")) == Outcome(3, 1, 0)


def test_what_failed_is_named(reports: Path, capsys: pytest.CaptureFixture[str]):
    case = '<testcase classname="omero_find (Test #4)" name="3"><failure message="Tool exit code: 1"/></testcase>'
    (reports / "pytest.xml").write_text(f'<testsuite tests="1" failures="1">{case}<testcase name="fine"/></testsuite>')
    run_check(Check("pytest", python("exit(1)"), "pytest.xml"))
    assert capsys.readouterr().out.splitlines()[-1].strip() == "FAILED omero_find (Test #4) 3: Tool exit code: 1"


@pytest.mark.usefixtures("reports")
def test_the_last_line_says_how_many(monkeypatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(run, "PARTS", {"lint": lambda: [Check("a", python("pass")), Check("b", python("exit(1)"))]})
    assert run.main(["lint"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


def test_a_copy_of_the_suite_names_the_live_server(tmp_path: Path):
    copy_suite(tmp_path, {OMERO_PLACEHOLDER: "127.0.0.1:4711"})
    macros = tmp_path / "tools/macros/omero.xml"
    assert "127.0.0.1:4711" in macros.read_text()
    assert not [file for file in tmp_path.glob("tools/**/*.xml") if OMERO_PLACEHOLDER in file.read_text()]
    assert not [file for file in (tmp_path / "tools").rglob("*") if file.is_symlink()]


def test_a_report_that_is_no_xml_counts_as_a_failure(tmp_path: Path):
    """planemo 0.75.47 writes the message of a workflow that failed without escaping it."""
    (tmp_path / "planemo.xml").write_text(
        '<testsuite tests="1"><testcase name="a"><failure message="{"a": "b"}" /></testcase>'
    )
    assert run.count_tests([tmp_path / "planemo.xml"]) == (0, 1, 0)
    assert "no XML" in run.failed_tests([tmp_path / "planemo.xml"])[0]


def failing(reports: Path, failures: int, again: str) -> Check:
    """Return a check whose tests fail beside others and which runs them again by `again`."""
    case = '<testcase classname="a" name="late"><failure message="137"/></testcase>'
    (reports / "pytest.xml").write_text(f'<testsuite tests="9" failures="{failures}">{case * failures}</testsuite>')
    return Check("pytest", python("exit(1)"), "pytest.xml", python(again))


@pytest.mark.parametrize(("failures", "again", "outcome"), [
    (1, "pass", Outcome(9, 0, 0)),
    (1, "exit(1)", Outcome(8, 1, 0)),
    (1, "exit(5)", Outcome(8, 1, 0)),
    (4, "pass", Outcome(5, 4, 0)),
])  # fmt: skip
def test_few_failures_run_once_more_alone(reports: Path, failures: int, again: str, outcome: Outcome):
    assert run_check(failing(reports, failures, again)) == outcome


def test_a_test_that_passes_alone_only_is_named(reports: Path, capsys: pytest.CaptureFixture[str]):
    run_check(failing(reports, 1, "pass"))
    assert "UNSTEADY a late: 137" in capsys.readouterr().out
