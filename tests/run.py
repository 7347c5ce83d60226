"""Run every check of the suite: `make test`. The last lines say how many tests passed and failed.

Two lanes side by side for two cores: the real Galaxy with planemo in one, all the rest in the other.
Output of each check goes to `.sandbox/reports/`; what failed is shown.
"""

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / ".sandbox" / "reports"
TOOLS_BIN = ROOT / ".venv" / "tools" / "bin"
PLANEMO = [str(ROOT / ".venv" / "galaxy" / "bin" / "planemo"), "--directory", str(ROOT / ".sandbox" / "planemo")]
ASKS_OUTSIDE = "BioToolsValid"  # a check of planemo that asks bio.tools over the network, and fails without one
SHORTEST_TUTORIAL = "omero-round-trip"
SHOWN_LINES = 80
# More failures than this are no accident of timing.
FEW_FAILURES = 3
SHOWN_LETTERS = 600


@dataclass(frozen=True)
class Check:
    """One command that must end with exit code 0."""

    name: str
    command: tuple[str, ...]
    results: str = ""
    """Pattern of the JUnit files that it writes to the reports folder; empty if it counts no tests."""
    again: tuple[str, ...] = ()
    """Command that runs what failed once more, by itself: a machine under load makes a test late now and then."""

    @property
    def log(self) -> Path:
        """Return the file that gets its output."""
        return REPORTS / f"{self.name.replace(' ', '-')}.log"


@dataclass(frozen=True)
class Outcome:
    """How a check ended, with the tests it counted. A check that failed counts as one failure at least."""

    passed: int
    failed: int
    skipped: int


def python_folders() -> list[str]:
    """Return the folders that have Python of ours."""
    names = ("src", "tools", "sandbox", "scripts", "tests", "benchmarks", "test-data")
    return [name for name in names if any((ROOT / name).rglob("*.py"))]


def tool_files() -> list[str]:
    """Return the tools' XML files, macros left out."""
    return [str(file) for file in sorted((ROOT / "tools").glob("*/*/*.xml")) if "<tool " in file.read_text()]


def lint_checks() -> Iterator[Check]:
    """Yield the checks that run nothing of ours."""
    yield Check("ruff check", (str(TOOLS_BIN / "ruff"), "check", *python_folders()))
    yield Check("ruff format", (str(TOOLS_BIN / "ruff"), "format", "--check", *python_folders()))
    yield Check("mypy", (str(TOOLS_BIN / "mypy"), *python_folders()))
    yield Check(
        "actionlint", (str(TOOLS_BIN / "actionlint"), *map(str, (ROOT / ".github" / "workflows").glob("*.yml")))
    )
    # Collections of a list in one job have the type of the list, which this check does not know of (`type_source`).
    yield Check("planemo lint", (*PLANEMO, "lint", "--skip", f"OutputsCollectionType,{ASKS_OUTSIDE}", *tool_files()))
    for folder in sorted(path.parent for path in (ROOT / "workflows").glob("*/*.ga")):
        yield Check(f"workflow_lint {folder.name}", (*PLANEMO, "workflow_lint", "--iwc", str(folder)))
    # The version of a tool can only be compared with the Tool Shed's over the network.
    skipped = f"version_bumped,OutputsCollectionType,{ASKS_OUTSIDE}"
    shed_lint = (*PLANEMO, "shed_lint", "--recursive", "--tools", "--skip", skipped, str(ROOT / "tools"))
    yield Check("shed_lint", shed_lint)


def pytest_checks() -> Iterator[Check]:
    """Yield the tests that need no Galaxy."""
    command = (str(TOOLS_BIN / "python"), "-m", "pytest", "-q")
    together = (*command, "-n", "2", "--dist", "loadfile", f"--junitxml={REPORTS / 'pytest.xml'}")
    # Without a failed test on record (a crash, say) this runs nothing and ends with exit code 5.
    alone = (*command, "--last-failed", "--last-failed-no-failures", "none")
    yield Check("pytest", together, "pytest.xml", alone)


def galaxy_checks() -> Iterator[Check]:
    """Yield the tests on a real Galaxy and an OMERO sandbox."""
    command = (str(TOOLS_BIN / "python"), "-m", "tests.galaxy.run", "--reports", str(REPORTS))
    yield Check("galaxy", command, "planemo-*.xml")
    yield _tutorials("shortest tutorial", (SHORTEST_TUTORIAL,))


def training_checks() -> Iterator[Check]:
    """Yield tutorials with pictures, case studies, guides and a new user's first hour: too long for every run."""
    yield _tutorials("tutorials", ("--tours", "--pictures", str(REPORTS / "training")))
    command = (str(TOOLS_BIN / "python"), "-m", "tests.training.studies.run", "--reports", str(REPORTS))
    yield Check("case studies", command, "studies.xml")
    for name in ("administrators", "trainers"):
        module = (str(TOOLS_BIN / "python"), "-m", f"tests.training.{name}", "--reports", str(REPORTS))
        yield Check(f"guide for {name}", module, f"guide-{name}.xml")
    first_hour = ("env", "BIOIMAGE_TEST_FIRST_HOUR=1", str(TOOLS_BIN / "python"), "-m", "pytest", "-q")
    results = f"--junitxml={REPORTS / 'first_hour.xml'}"
    pages = [f"tests/browser/test_{name}.py" for name in ("first_hour", "galaxy_pages", "upload_dialog")]
    yield Check("first hour", (*first_hour, results, *pages), "first_hour.xml")


def _tutorials(name: str, arguments: tuple[str, ...]) -> Check:
    command = (str(TOOLS_BIN / "python"), "-m", "tests.training.run", "--reports", str(REPORTS), *arguments)
    return Check(name, command, "training.xml")


def cluster_checks() -> Iterator[Check]:
    """Yield the tests of Slurm and Pulsar, with a Galaxy of their own; without the variable they are left out."""
    command = ("env", "BIOIMAGE_TEST_CLUSTER=1", str(TOOLS_BIN / "python"), "-m", "pytest", "-q", "tests/cluster")
    yield Check("cluster", (*command, f"--junitxml={REPORTS / 'cluster.xml'}"), "cluster.xml")


PARTS = {
    "lint": lint_checks,
    "pytest": pytest_checks,
    "galaxy": galaxy_checks,
    "training": training_checks,
    "cluster": cluster_checks,
}
EVERY_RUN = ("lint", "pytest", "galaxy")
"""What `make test` runs."""


def count_tests(files: list[Path]) -> tuple[int, int, int]:
    """Return passed, failed and skipped tests of JUnit files."""
    total = failed = skipped = 0
    for file in files:
        try:
            root = ET.parse(file).getroot()
        except ET.ParseError:
            # planemo does not escape the message of a workflow that failed, and then its file is no XML.
            total, failed = total + 1, failed + 1
            continue
        for suite in [root] if root.tag == "testsuite" else root.iter("testsuite"):
            total += int(suite.get("tests", 0))
            failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0) or suite.get("skip", 0))
    return total - failed - skipped, failed, skipped


def failed_tests(files: list[Path]) -> list[str]:
    """Return name and message of each test of JUnit files that failed; the message is cut to a line's length."""
    return [
        " ".join(f"{case.get('classname')} {case.get('name')}: {problem.get('message')}".split())[:SHOWN_LETTERS]
        for file in files
        if count_tests([file])[1]  # planemo gives workflows that passed a `failure`, too
        for case in _cases(file)
        for problem in [*case.findall("failure"), *case.findall("error")]
    ]


def _cases(file: Path) -> list[ET.Element]:
    try:
        return list(ET.parse(file).getroot().iter("testcase"))
    except ET.ParseError as error:
        problem = ET.Element("error", message=f"the report is no XML ({error}): see the log")
        case = ET.Element("testcase", classname="report", name=file.name)
        case.append(problem)
        return [case]


def run_check(check: Check) -> Outcome:
    """Run a check, say how it ended, and show its output if it failed."""
    begin = time.monotonic()
    with check.log.open("w") as log, ended_with_us(check, log) as process:
        code = process.wait()
    files = sorted(REPORTS.glob(check.results)) if check.results else []
    passed, failed, skipped = count_tests(files)
    if code != 0 or (check.results and not files):
        failed = max(failed, 1)
    unsteady = failed_tests(files) if 0 < failed <= FEW_FAILURES and passes_alone(check) else []
    if unsteady:
        passed, failed = passed + failed, 0
    counted = f"  {passed} passed, {failed} failed" if check.results else ""
    text = f"{'FAILED' if failed else 'ok':6}  {check.name}  {time.monotonic() - begin:.0f} s{counted}"
    if failed:
        lines = check.log.read_text(errors="replace").splitlines()
        shown = [*lines[-SHOWN_LINES:], f"All of it: {check.log}", *(f"FAILED {test}" for test in failed_tests(files))]
        text = "\n".join([text, *(f"    {line}" for line in shown)])
    text = "\n".join([text, *(f"    UNSTEADY {test} (failed beside others, passed alone)" for test in unsteady)])
    print(text, flush=True)
    return Outcome(passed, failed, skipped)


def passes_alone(check: Check) -> bool:
    """Run a check's tests that failed once more, with nothing of the check beside them."""
    if not check.again:
        return False
    alone = Check(f"{check.name} again", check.again)
    with alone.log.open("w") as log, ended_with_us(alone, log) as process:
        return process.wait() == 0


@contextlib.contextmanager
def ended_with_us(check: Check, log: IO[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a check; whatever ends the `with` block ends its process too."""
    process = subprocess.Popen(check.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    RUNNING.append(process)
    try:
        yield process
    finally:
        RUNNING.remove(process)


RUNNING: list[subprocess.Popen[bytes]] = []


def run_lane(checks: list[Check]) -> list[Outcome]:
    """Run checks one after the other."""
    return [run_check(check) for check in checks]


def run_all(parts: list[str]) -> list[Outcome]:
    """Run the parts in two lanes; an interruption ends what runs."""
    rest = [check for part in parts if part != "galaxy" for check in PARTS[part]()]
    lanes = [lane for lane in (rest, list(galaxy_checks()) if "galaxy" in parts else []) if lane]
    with ThreadPoolExecutor(len(lanes)) as pool:
        running = [pool.submit(run_lane, lane) for lane in lanes]
        try:
            return [outcome for lane in running for outcome in lane.result()]
        except KeyboardInterrupt:
            for process in RUNNING:
                process.terminate()
            raise


def main(argv: list[str] | None = None) -> int:
    """Run the parts of `make test` or those named; 0 if everything passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.run", description=__doc__)
    parser.add_argument(
        "part", nargs="*", choices=[*PARTS, []], help=f"{', '.join(PARTS)}; none: {', '.join(EVERY_RUN)}"
    )
    parts = parser.parse_args(argv).part or list(EVERY_RUN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    begin = time.monotonic()
    try:
        outcomes = run_all(parts)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    passed, failed, skipped = (sum(getattr(one, kind) for one in outcomes) for kind in ("passed", "failed", "skipped"))
    print(f"{', '.join(parts)}: {time.monotonic() - begin:.0f} s; reports in {REPORTS}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
