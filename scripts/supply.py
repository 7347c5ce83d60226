"""What the pinned packages are: their licences, known weaknesses, and the hashes of their files.

    python -m scripts.supply licences [ENVIRONMENT ...]    table of name, version, licence of what is installed
    python -m scripts.supply advisories [ENVIRONMENT ...]  what the database of osv.dev knows of the pins
    python -m scripts.supply hashes [ENVIRONMENT ...]      writes requirements/hashes/<environment>.txt
    python -m scripts.supply check FILE ...                compares downloaded wheels with the recorded hashes
    python -m scripts.supply images                        pins the images of the workflows by digest; needs Docker

Environments are the files of `requirements/`; none means all. `advisories` needs the network, and says so without.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.setup import REQUIREMENTS, ROOT, VENVS
from sandbox.setup.freeze import normalized, pins
from sandbox.setup.venvs import python_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATABASE = "https://api.osv.dev"
HASHES = REQUIREMENTS / "hashes"
AT_ONCE = 500  # packages of one question; the database takes 1,000
SECONDS = 60
NOT_ASKED = 3  # exit code
# An image of a service in a workflow: indentation and key, name, tag.
IMAGE = re.compile(r"^( +image: )([\w./-]+):([\w.-]+)$", re.MULTILINE)
# Compiled on this machine by sandbox/setup/ice_wheel.py, so that each machine has a file of its own.
MADE_HERE = {"zeroc-ice"}


def environments() -> list[str]:
    """Return the names of the files of requirements."""
    return sorted(file.stem for file in REQUIREMENTS.glob("*.txt"))


def pinned(names: list[str]) -> dict[str, set[str]]:
    """Return the versions of each package that the environments pin."""
    found: dict[str, set[str]] = {}
    for name in names:
        for package, version in pins((REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")).items():
            found.setdefault(package, set()).add(version)
    return found


def licence_of(package: metadata.Distribution) -> str:
    """Return the licence that a package declares: its expression (PEP 639), else classifiers, else the free text."""
    said = package.metadata
    expressions = said.get_all("License-Expression")
    if expressions:
        return str(expressions[0])
    classifiers = [one for one in said.get_all("Classifier") or [] if one.startswith("License ::")]
    named = [one.rpartition(" :: ")[2] for one in classifiers if one != "License :: OSI Approved"]
    first = "\n".join(said.get_all("License") or []).strip().splitlines()
    return "; ".join(named) or (first[0][:80] if first else "not said")


def licences(names: list[str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield environment, package, version and licence of all that is installed of the pins."""
    for name in names:
        folders = [str(folder) for folder in (VENVS / name).glob("lib/python*/site-packages")]
        wanted = pinned([name])
        for package in sorted(metadata.distributions(path=folders), key=lambda one: normalized(one.name)):
            if normalized(package.name) in wanted:
                yield name, package.name, package.version, licence_of(package)


def advisories(packages: dict[str, set[str]], database: str = DATABASE) -> dict[str, list[str]]:
    """Ask a database in the form of OSV for the known weaknesses of packages.

    Args:
        packages: Versions by name.
        database: Address of the database.

    Returns:
        Ids of advisories by `name==version`, for those that have some.

    Raises:
        OSError: The database cannot be reached, or its answer is not as specified.
    """
    asked = [(name, version) for name in sorted(packages) for version in sorted(packages[name])]
    found = {}
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in part]
        answer = _post(f"{database}/v1/querybatch", {"queries": queries})
        results = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(results, list) or len(results) != len(part):
            raise OSError(f"{database}: its answer is not that of an advisory database")
        for (name, version), result in zip(part, results, strict=True):
            if result.get("vulns"):
                found[f"{name}=={version}"] = sorted(one["id"] for one in result["vulns"])
    return found


def _post(address: str, question: dict[str, Any]) -> Any:
    if not address.startswith(("https://", "http://127.0.0.1:")):
        raise OSError(f"{address}: not an https address")
    request = urllib.request.Request(  # noqa: S310  (checked above)
        address, json.dumps(question).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as reply:  # noqa: S310
            return json.load(reply)
    except ValueError as error:
        raise OSError(f"{address}: its answer is no JSON") from error


def recorded_hashes(report: dict[str, Any]) -> list[str]:
    """Return a line `name==version sha256:...` for each file that a report of pip's installation names, sorted.

    Of a file's address nothing is kept.
    """
    lines = []
    for one in report["install"]:
        named = one["metadata"]
        digest = one["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{normalized(named['name'])}=={named['version']} sha256:{digest}")
    return sorted(lines)


def write_hashes(name: str) -> int:
    """Record the files that pip would install here for an environment; return how many. Needs the package index."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, report = Path(folder) / "wanted.txt", Path(folder) / "report.json"
        found = pinned([name])
        wanted.write_text("".join(f"{one}=={min(found[one])}\n" for one in sorted(set(found) - MADE_HERE)))
        python = python_of(name) if python_of(name).exists() else sys.executable  # Not every list is installed.
        command = [str(python), "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        subprocess.run([*command, "--no-deps", "--report", str(report), "--requirement", str(wanted)], check=True)
        lines = recorded_hashes(json.loads(report.read_text(encoding="utf-8")))
    HASHES.mkdir(exist_ok=True)
    (HASHES / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def unknown_files(files: list[Path]) -> list[Path]:
    """Return the files whose hash stands in no list."""
    known = {line.rpartition("sha256:")[2] for one in HASHES.glob("*.txt") for line in one.read_text().split()}
    return [file for file in files if hashlib.sha256(file.read_bytes()).hexdigest() not in known]


def pin_images(text: str, digest_of: Callable[[str], str]) -> str:
    """Return a workflow whose images of services have a digest; the tag stays as a comment.

    Args:
        text: The workflow.
        digest_of: Function from `name:tag` to `sha256:...`.
    """

    def pin(found: re.Match[str]) -> str:
        return f"{found[1]}{found[2]}@{digest_of(f'{found[2]}:{found[3]}')} # {found[3]}"

    return IMAGE.sub(pin, text)


def _docker_digest(image: str) -> str:
    command = ["docker", "buildx", "imagetools", "inspect", image, "--format", "{{json .Manifest}}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["digest"])


def _pin_all_images() -> int:
    count = 0
    for file in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        text = file.read_text(encoding="utf-8")
        count += len(IMAGE.findall(text))
        pinned_text = pin_images(text, _docker_digest)
        if pinned_text != text:
            file.write_text(pinned_text, encoding="utf-8")
    return count


def main(argv: list[str] | None = None) -> int:
    """Do what was asked; 1 where a weakness or an unknown file was found, 3 where the database was not asked."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.supply", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("licences", "advisories", "hashes", "check", "images"))
    parser.add_argument("names", nargs="*", help="environments; for check, files")
    parser.add_argument("--database", default=DATABASE, help="address of an advisory database in the form of OSV")
    args = parser.parse_args(argv)
    names = args.names or environments()
    if args.what == "licences":
        for row in licences(names):
            print("\t".join(row))
        return 0
    if args.what == "advisories":
        return _say_advisories(names, args.database)
    if args.what == "hashes":
        for name in names:
            print(f"{name}: {write_hashes(name)} files")
        return 0
    if args.what == "images":
        print(f"{_pin_all_images()} images pinned")
        return 0
    unknown = unknown_files([Path(name) for name in args.names])
    for file in unknown:
        print(f"{file.name}: its hash stands in no list of requirements/hashes")
    return 1 if unknown else 0


def _say_advisories(names: list[str], database: str) -> int:
    packages = pinned(names)
    try:
        found = advisories(packages, database)
    except OSError as error:
        print(f"The advisory database was not asked: {error}. Run this where there is a network.", file=sys.stderr)
        return NOT_ASKED
    for package, ids in found.items():
        print(f"{package}\t{', '.join(ids)}")
    print(f"{sum(map(len, packages.values()))} pins asked, {len(found)} with known weaknesses")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
