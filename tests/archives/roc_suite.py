"""Compare validate_crate with roc-validator on the crates of roc-validator's own tests: see docs/crate-verdicts.md.

    PEER tests/archives/roc_suite.py collect FOLDER --checkout DIR --contexts DIR    # or gather
    PEER tests/archives/roc_suite.py theirs FOLDER --contexts DIR
    PYTHON tests/archives/roc_suite.py ours FOLDER
    PYTHON tests/archives/roc_suite.py compare FOLDER

`PEER` is the Python of an environment with roc-validator and pytest, `PYTHON` this project's, which has both too;
`--checkout` a checkout of crs4/rocrate-validator, `--contexts` a folder with RO-Crate's contexts as `1.1.jsonld`,
`1.2.jsonld` and so on, and those of ResearchObject/ro-terms as `terms/<name>.jsonld`. `collect` keeps each crate that
the tests hand to their validator, with their patches; `gather` instead takes the metadata of all published crates below
a folder, which has one for each repository, named `owner+name`. `compare` prints each difference and exits with 1 where
one is not in `roc_suite_differences.tsv`. Nothing is fetched.
"""

import argparse
import csv
import hashlib
import io
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DIFFERENCES = Path(__file__).with_name("roc_suite_differences.tsv")
DESCRIPTOR = "ro-crate-metadata.json"
# roc-validator's profiles by ours.
PROFILES = {
    "process-run-crate": "process-run",
    "workflow-run-crate": "workflow-run",
    "provenance-run-crate": "provenance-run",
    "workflow-ro-crate": "workflow",
    "workflow-testing-ro-crate": "workflow-testing",
    "isa-ro-crate": "isa",
}
# Rules that these profiles repeat of RO-Crate's own: `validate_crate` has them there, and whole verdicts hold them.
REPEATED = re.compile(r"Main Workflow .* not found in crate|The Crate \(Root Data Entity\) must specify a license")


ADDRESSES = {
    "process-run-crate": "https://w3id.org/ro/wfrun/process/",
    "workflow-run-crate": "https://w3id.org/ro/wfrun/workflow/",
    "provenance-run-crate": "https://w3id.org/ro/wfrun/provenance/",
    "workflow-ro-crate": "https://w3id.org/workflowhub/workflow-ro-crate/",
    "workflow-testing-ro-crate": "https://w3id.org/ro/wftest/",
}


class Recorder:
    """A plugin of pytest that keeps the crates that tests validate, instead of validating them."""

    def __init__(self, folder: Path) -> None:
        """Keep the crates in a folder."""
        self.folder = folder
        self.kept: dict[str, dict[str, Any]] = {}

    def pytest_configure(self) -> None:
        """Replace the function that all tests call, before they import it."""
        import tests.shared as shared

        prepare = shared._prepare_temp_rocrate

        # The names of the parameters are those of the tests: some tests name all of them.
        def keep(
            rocrate_path: Any,
            requirement_severity: Any,
            expected_validation_result: bool,
            *_args: Any,
            **named: Any,
        ) -> None:
            path, severity, expected = rocrate_path, requirement_severity, expected_validation_result
            patch, query = named.get("rocrate_entity_patch"), named.get("rocrate_entity_mod_sparql")
            if named.get("metadata_dict") is not None or str(path).startswith("http"):
                return
            whole = Path(path)
            if whole.is_dir() and patch:
                whole = prepare(whole, patch, None)
            if whole.is_dir() and query:
                whole = _changed(whole, query, shared.load_graph_and_preserve_relative_ids)
            self._keep(
                whole / (named.get("rocrate_relative_root_path") or ""), str(path), severity.name, expected, named
            )

        shared.do_entity_test = keep

    def _keep(self, crate: Path, origin: str, severity: str, expected: bool, named: dict[str, Any]) -> None:
        if not crate.exists():
            return
        profile = named.get("profile_identifier", "ro-crate")
        if profile.startswith("ro-crate"):
            profile = "ro-crate"
        alone = bool(named.get("metadata_only"))
        digest = f"{_digest(crate)}-{profile}{'-alone' if alone else ''}"
        if digest not in self.kept:
            copy = shutil.copytree if crate.is_dir() else shutil.copyfile
            copy(crate, self.folder / digest)
            name = origin.partition("/crates/")[2] or Path(origin).name
            self.kept[digest] = {"name": name, "profile": profile, "alone": alone, "expected": []}
        # A change in SPARQL makes the test's ids absolute, so that it accepts a crate whose files are not there.
        skips = named.get("skip_checks") or (expected and named.get("rocrate_entity_mod_sparql"))
        self.kept[digest]["expected"].append([severity, bool(expected), bool(skips)])

    def pytest_sessionfinish(self) -> None:
        """Write what was kept."""
        (self.folder / "crates.json").write_text(json.dumps(self.kept, indent=1), encoding="utf-8")


def _changed(crate: Path, query: str, load: Callable[[Any], Any]) -> Path:
    """Return a copy of a crate with a change in SPARQL.

    The tests write it with the context of RO-Crate alone and ids that are no longer relative, so each would be refused
    for that; here it keeps its context and its ids.
    """
    copy = Path(tempfile.mkdtemp())
    shutil.copytree(crate, copy, dirs_exist_ok=True)
    file = copy / DESCRIPTOR
    document = json.loads(file.read_text(encoding="utf-8"))
    graph = load(document)
    graph.update(query)
    text = graph.serialize(format="json-ld", context=document["@context"], indent=2, use_native_types=True)
    file.write_text(text.replace('"http://example.org/"', '"./"').replace("http://example.org/", ""), encoding="utf-8")
    return copy


def _digest(crate: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(crate.rglob("*")) if crate.is_dir() else [crate]:
        if file.is_file():
            found.update(file.relative_to(crate).as_posix().encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


def collect(folder: Path, args: argparse.Namespace) -> int:
    """Run the tests with the recorder."""
    import pytest
    from judge import answer_contexts

    answer_contexts(args.contexts)

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.chdir(args.checkout)
    # The tests need their own release of the program.
    sys.path.insert(0, str(Path.cwd()))
    # Its own settings ask for plugins, which run the tests in several processes.
    options = ["-q", "--no-header", "-p", "no:cacheprovider", "-o", "addopts=", "tests/integration/profiles"]
    pytest.main(options, [Recorder(folder)])
    print(f"{len(json.loads((folder / 'crates.json').read_text())):,} crates")
    return 0


def gather(folder: Path, args: argparse.Namespace) -> int:
    """Take the metadata of crates that others published: with RO-Crate's own rules, and those of profiles it names."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kept: dict[str, dict[str, Any]] = {}
    for file in sorted(args.checkout.rglob(DESCRIPTOR)):
        text = file.read_text(encoding="utf-8", errors="replace")
        name = file.relative_to(args.checkout).as_posix()
        for profile in ("ro-crate", *(one for one, address in ADDRESSES.items() if address in text)):
            digest = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}-{profile}-alone"
            kept.setdefault(digest, {"name": name, "profile": profile, "alone": True, "expected": []})
            shutil.copytree(file.parent, folder / digest, ignore=_all_but_metadata, dirs_exist_ok=True)
    (folder / "crates.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
    print(f"{len(kept):,} crates and profiles")
    return 0


def _all_but_metadata(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name != DESCRIPTOR}


def _records(folder: Path) -> Iterator[tuple[str, dict[str, Any], Path]]:
    for digest, record in json.loads((folder / "crates.json").read_text(encoding="utf-8")).items():
        yield digest, record, folder / digest


def _text(crate: Path) -> str:
    """Return the metadata of a crate: a folder, a zip, or the file itself."""
    if crate.is_dir():
        file = crate / DESCRIPTOR
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    if zipfile.is_zipfile(crate):
        with zipfile.ZipFile(crate) as archive:
            return archive.read(DESCRIPTOR).decode() if DESCRIPTOR in archive.namelist() else ""
    return crate.read_text(encoding="utf-8", errors="replace")


def theirs(folder: Path, args: argparse.Namespace) -> int:
    """Ask roc-validator with the profile of the test and the crate's version of RO-Crate.

    Kept are the findings at REQUIRED level, which are its verdict, and those at RECOMMENDED level.
    """
    from bioimage_suite.fair.crates.prepared_queries import prepare_queries

    logging.disable(logging.CRITICAL)
    prepare_queries()  # as in the tool: a few seconds for a crate, not half a minute
    ask = Asker(_filled_cache(args.contexts))
    file = folder / "theirs.json"
    verdicts: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for digest, record, crate in _records(folder):
        if digest not in verdicts:
            with _as_named(crate, record["name"]) as named:
                verdicts[digest] = _asked(record, named, ask)
            # Hundreds of crates take long: a run that ends early goes on where it was.
            file.write_text(json.dumps(verdicts, indent=1), encoding="utf-8")
    return 0


def _asked(record: dict[str, Any], crate: Path, ask: "Asker") -> dict[str, list[tuple[str, ...]]]:
    """Return what roc-validator says of a crate, by level."""
    from rocrate_validator import models

    version = re.search(r"w3id\.org/ro/crate/(1\.[123])/context", _text(crate))
    base = f"ro-crate-{version[1] if version else '1.1'}"
    profile = base if record["profile"] == "ro-crate" else record["profile"]
    said: dict[str, list[tuple[str, ...]]] = {"REQUIRED": [], "RECOMMENDED": []}
    try:
        issues = ask(crate, profile, record["alone"]).get_issues(min_severity=models.Severity.RECOMMENDED)
        for level, *rest in sorted({_said(issue) for issue in issues}):
            said[level].append(tuple(rest))
    except Exception as error:  # an error of the program is no verdict
        said["REQUIRED"].append(("", "", "", f"CRASH {type(error).__name__}: {str(error)[:200]}"))
    return said


@contextmanager
def _as_named(crate: Path, name: str) -> Iterator[Path]:
    """Give a zip or a metadata file the name that it has in the tests: roc-validator goes by it."""
    if crate.is_dir():
        yield crate
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copyfile(crate, Path(folder) / Path(name).name))


class Asker:
    """roc-validator, which keeps the rules of each profile: to read them takes longer than to check a crate."""

    def __init__(self, cache: Path) -> None:
        """Ask with the contexts of a cache, without the network."""
        self.cache = cache
        self.prepared: dict[tuple[str, bool], Any] = {}

    def __call__(self, crate: Path, profile: str, alone: bool) -> Any:
        """Return the result of validating a folder, a zip, or a metadata file."""
        from rocrate_validator import models, services

        settings = models.ValidationSettings(
            rocrate_uri=models.URI(str(crate)),
            profile_identifier=profile,
            requirement_severity=models.Severity.RECOMMENDED,
            offline=True,
            cache_path=self.cache,
            cache_max_age=-1,
            metadata_only=alone,
        )
        if not crate.is_dir():
            return services.validate(settings)
        validator = self.prepared.setdefault((profile, alone), models.Validator(settings))
        return validator.validate(str(crate))


def _said(issue: Any) -> tuple[str, str, str, str, str]:
    """Return level, profile, entity, property and message of a finding of roc-validator."""
    profile = str(issue.check.requirement.profile.identifier)
    entity, key = str(issue.violatingEntity or ""), str(issue.violatingProperty or "")
    return issue.severity.name, profile, entity, key, str(issue.message)


def _filled_cache(contexts: Path) -> Path:
    """Return an HTTP cache of roc-validator that has the contexts."""
    from requests.adapters import BaseAdapter, HTTPAdapter
    from requests_cache import CachedSession
    from urllib3.response import HTTPResponse

    files = {f"https://w3id.org/ro/crate/{file.stem}/context": file for file in contexts.glob("*.jsonld")}
    for file in contexts.glob("terms/*.jsonld"):
        files |= dict.fromkeys((f"https://w3id.org/ro/terms/{file.stem}{end}" for end in ("", "/context")), file)

    class Shipped(BaseAdapter):
        def send(self, request: Any, *_args: Any, **_kwargs: Any) -> Any:
            body = io.BytesIO(files[str(request.url)].read_bytes())
            headers = {"Content-Type": "application/ld+json"}
            answer = HTTPResponse(body=body, headers=headers, status=200, preload_content=False)
            return HTTPAdapter().build_response(request, answer)

        def close(self) -> None:
            pass

    cache = Path(tempfile.mkdtemp(prefix="roc-suite-")) / "http"
    with CachedSession(cache_name=str(cache), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", Shipped())
        for address in files:
            for accept in (None, "application/ld+json", "application/ld+json, application/json;p=0.9, */*;q=0.1"):
                session.get(address, headers={"Accept": accept} if accept else {})
    return cache


def ours(folder: Path, _args: argparse.Namespace) -> int:
    """Ask validate_crate, without roc-validator: its own rules alone."""
    from bioimage_suite.core.errors import UserError
    from bioimage_suite.fair.crates.reading import read_crate
    from bioimage_suite.fair.crates.shapes import own_findings
    from bioimage_suite.fair.crates.validation import validate_crate
    from bioimage_suite.fair.terms.json_ld import by_id, root_id

    verdicts: dict[str, dict[str, list[Any]]] = {}
    with tempfile.TemporaryDirectory() as made:
        for digest, record, crate in _records(folder):
            file = _as_file(crate, Path(made) / "crate", record["alone"])
            verdicts[digest] = {"REQUIRED": [], "own REQUIRED": [], "own RECOMMENDED": []}
            try:
                profile = PROFILES.get(record["profile"], "base")
                opened = read_crate(file, "crate")
                findings = [one for one in validate_crate(opened, profile, with_roc=False) if one.level == "error"]
                verdicts[digest]["REQUIRED"] = sorted({_line(one) for one in findings})
                root = root_id(by_id(opened.document.get("@graph")))
                for one in own_findings(opened.document, root, "crate", profile) if root and profile != "base" else ():
                    level = {"error": "own REQUIRED", "warning": "own RECOMMENDED"}[one.level]
                    verdicts[digest][level].append([one.column.partition(" ")[0], one.expected])
            except UserError as error:
                verdicts[digest]["REQUIRED"] = [str(error)]
    (folder / "ours.json").write_text(json.dumps(verdicts, indent=1), encoding="utf-8")
    return 0


def _line(finding: Any) -> str:
    return f"{finding.column}: {finding.found}, {finding.expected}"


def _as_file(crate: Path, target: Path, alone: bool) -> Path:
    """Return a crate as validate_crate takes it: a zip, or the metadata alone."""
    if not crate.is_dir():
        return crate
    if alone:
        return crate / DESCRIPTOR
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(crate.rglob("*")):
            archive.write(file, file.relative_to(crate).as_posix())
    return target


def compare(folder: Path, _args: argparse.Namespace) -> int:
    """Print the count of equal verdicts by profile, each difference, and those that the table does not explain.

    A crate is accepted or refused as a whole; beside that, what a profile's own rules say of it is compared: whether
    they refuse it, and of which entities they give advice.
    """
    left, right = (json.loads((folder / f"{name}.json").read_text()) for name in ("theirs", "ours"))
    with DIFFERENCES.open(encoding="utf-8", newline="") as stream:
        explained = {(row["crate"], row["profile"]): row["reason"] for row in csv.DictReader(stream, delimiter="\t")}
    counts: Counter[tuple[str, str]] = Counter()
    advice: Counter[tuple[str, str, str]] = Counter()
    unexplained = 0
    for digest, record, _ in _records(folder):
        named, theirs, ours = record["profile"], left[digest], right[digest]
        expected = {says for level, says, skips in record["expected"] if (level == "REQUIRED" or says) and not skips}
        wanted = {"the test": next(iter(expected))} if len(expected) == 1 else {}
        own = {
            level: [one for one in theirs[level] if not one[0].startswith("ro-crate") and not REPEATED.match(one[-1])]
            for level in theirs
        }
        asked = {"whole": {"roc-validator": not theirs["REQUIRED"], "validate_crate": not ours["REQUIRED"], **wanted}}
        if named != "ro-crate":
            asked["own rules"] = {"roc-validator": not own["REQUIRED"], "validate_crate": not ours["own REQUIRED"]}
            for says, found in (("roc-validator", own["RECOMMENDED"]), ("validate_crate", ours["own RECOMMENDED"])):
                advice.update((named, says, one[-1]) for one in found)
        for what, verdicts in asked.items():
            same = len(set(verdicts.values())) == 1
            counts[f"{named}, {what}", "same" if same else "different"] += 1
            if not same:
                reason = explained.get((record["name"], named), "")
                unexplained += not reason
                said = ", ".join(f"{who} {'accepts' if accepts else 'refuses'}" for who, accepts in verdicts.items())
                print(f"{named}, {what}\t{record['name']}\t{digest}\t{said}\t{reason or 'NOT EXPLAINED'}")
                if not reason:
                    print(f"    theirs: {theirs['REQUIRED'][:3]}\n    ours: {ours['REQUIRED'][:3]}")
    for (profile, kind), count in sorted(counts.items()):
        print(f"{profile}: {count} {kind}")
    for (profile, says, text), count in sorted(advice.items()):
        print(f"advice\t{profile}\t{says}\t{count}\t{text}")
    return int(unexplained > 0)


COMMANDS = {command.__name__: command for command in (collect, gather, theirs, ours, compare)}


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--checkout", type=Path, default=Path())
    parser.add_argument("--contexts", type=lambda text: Path(text).resolve(), default=Path())
    args = parser.parse_args()
    return COMMANDS[args.command](args.folder.resolve(), args)


if __name__ == "__main__":
    sys.exit(main())
