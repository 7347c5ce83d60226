"""Run the case studies: `python -m tests.training.studies.run [NAME ...] [--write]`.

Without `--write` what comes out is compared with `docs/case-studies/results.json`, from which the pages have their
numbers (test_case_studies.py); with it, results and figures are written there.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

from tests.run import REPORTS, ROOT
from tests.training.studies import choosing, intensity, metadata, movement, pattern, screen, tissue
from tests.training.studies.data import NotReachable, Study

PAGES = ROOT / "docs" / "case-studies"
RESULTS = PAGES / "results.json"
STUDIES: dict[str, Callable[[Path], Study]] = {
    "signal-intensity": intensity.study,
    "cell-movement": movement.study,
    "spatial-pattern": pattern.study,
    "stained-tissue": tissue.study,
    "metadata-and-reuse": metadata.study,
    "choosing-a-method": choosing.study,
    "plate-translocation": screen.study,
}
DIGITS = 4
"""Results are compared to as many digits: the last ones of a sum may differ between processors."""


def rounded(value: float) -> float:
    """Return a number with DIGITS significant digits."""
    return float(f"{value:.{DIGITS}g}")


def differences(name: str, study: Study, known: dict[str, dict[str, float]]) -> list[str]:
    """Say which numbers differ from those that the pages have."""
    here, there = {key: rounded(value) for key, value in study.numbers.items()}, known.get(name, {})
    changed = [key for key in sorted({*here, *there}) if here.get(key) != there.get(key)]
    return [f"{key}: {there.get(key)} in the page, {here.get(key)} now" for key in changed]


def done(name: str, known: dict[str, dict[str, float]], write: bool) -> list[str]:
    """Run a study; return the differences, after results and figures are written if asked."""
    with tempfile.TemporaryDirectory() as folder:
        study = STUDIES[name](Path(folder))
        if write:
            known[name] = {key: rounded(value) for key, value in study.numbers.items()}
            (PAGES / "figures").mkdir(parents=True, exist_ok=True)
            for figure, file in study.figures.items():
                shutil.copy(file, PAGES / "figures" / f"{figure}.png")
    return differences(name, study, known)


def main(argv: list[str] | None = None) -> int:
    """Run; 0 if nothing differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.training.studies.run", description=__doc__)
    parser.add_argument("name", nargs="*", choices=[*STUDIES, []])
    parser.add_argument("--write", action="store_true", help="write results and figures into docs/case-studies")
    parser.add_argument("--reports", type=Path, default=REPORTS)
    args = parser.parse_args(argv)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    suite = ET.Element("testsuite", name="case studies")
    bad = 0
    for name in args.name or STUDIES:
        begin = time.monotonic()
        case = ET.SubElement(suite, "testcase", classname="case study", name=name)
        try:
            wrong = done(name, known, args.write)
        except NotReachable as error:
            ET.SubElement(case, "skipped", message=str(error))
            print(f"skipped {name}: {error}")
            continue
        bad += bool(wrong)
        if wrong:
            ET.SubElement(case, "failure", message="\n".join(wrong))
        print(f"{'FAILED' if wrong else 'ok':6}  {name}  {time.monotonic() - begin:.0f} s", *wrong, sep="\n    ")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(bad))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    args.reports.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(args.reports / "studies.xml", encoding="utf-8", xml_declaration=True)
    if args.write:
        RESULTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
