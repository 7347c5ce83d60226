"""The suite's Tool Shed repositories, as planemo would upload them, unpacked, and how a Galaxy has them installed."""

import re
import shutil
import subprocess
import tarfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from scripts.release_workflows import OWNER, SHED, long_id, versions

ROOT = Path(__file__).resolve().parents[2]
PLANEMO = ROOT / ".venv/galaxy/bin/planemo"
OLDER_REVISION, OLDER_VERSION = "ba9876543210", "0.0.1+galaxy0"
REVISION = "0123456789ab"
"""What stands for the revision of every repository: only a Tool Shed has real ones."""


@dataclass(frozen=True)
class Repository:
    """One repository, unpacked."""

    name: str
    folder: Path
    members: list[tarfile.TarInfo]


def unpack_repositories(target: Path, places: Path) -> dict[str, Repository]:
    """Pack all repositories by planemo and unpack each below `places`; planemo speaks to no Tool Shed.

    Args:
        target: Empty folder to work in.
        places: Folder that gets one folder a repository.

    Returns:
        The repositories by name.
    """
    for name in ("tools", "test-data", "src", "docs/images"):
        # A copy without the virtual environments and checkouts that planemo would search too.
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, target / "suite" / name, symlinks=True, ignore=ignored)
    for name in (".shed.yml", "LICENSE"):
        shutil.copyfile(ROOT / name, target / "suite" / name)
    packed = target / "packed"
    packed.mkdir()
    command = [str(PLANEMO), "--directory", str(target / "planemo"), "shed_upload", "--tar_only", "--recursive"]
    command += ["--shed_target", "local", str(target / "suite")]
    built = subprocess.run(command, cwd=packed, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    found = {}
    for file in packed.glob("*.tar.gz"):
        name = file.name.removeprefix("shed_upload_").removesuffix(".tar.gz")
        with tarfile.open(file) as archive:
            members = archive.getmembers()
            archive.extractall(places / name, filter="data")
        found[name] = Repository(name, places / name, members)
    return found


def install(repositories: dict[str, Repository], shed: Path, galaxy: Path, older: str = "") -> set[str]:
    """Put repositories where Galaxy has those of a Tool Shed, and write its list of them.

    Args:
        repositories: As `unpack_repositories` returns them.
        shed: Folder that gets `<host>/repos/<owner>/<name>/<revision>/<name>/`, as an installation makes it.
        galaxy: Folder of a Galaxy that has not started yet.
        older: Name of a tool that is there in an older version, too: OLDER_VERSION.

    Returns:
        The tools' long ids, without that of the older version.
    """
    entries, ids, known = [], set(), versions()
    if older:
        entries.append(_older(repositories[older], shed))
    for name, repository in sorted(repositories.items()):
        if name not in known:  # a suite of repositories has no tool
            continue
        place = shed / SHED / "repos" / OWNER / name / REVISION / name
        shutil.copytree(repository.folder, place)
        (xml,) = place.glob(f"*/{name}/{name}.xml")
        if ET.parse(xml).getroot().get("tool_type") == "manage_data":
            continue
        entries.append(_entry(xml, shed, name, REVISION, known[name]))
        ids.add(long_id(SHED, OWNER, name, known[name]))
    listed = galaxy / "data" / "config" / "shed_tool_conf.xml"
    listed.parent.mkdir(parents=True)
    section = f'<section id="bioimage" name="Bioimage Suite" version="">{"".join(entries)}</section>'
    listed.write_text(f"<toolbox tool_path={quoteattr(str(shed))}>{section}</toolbox>\n")
    return ids


def _entry(xml: Path, shed: Path, name: str, revision: str, version: str) -> str:
    """Return how Galaxy lists a tool of a Tool Shed."""
    identity = long_id(SHED, OWNER, name, version)
    parts = {"tool_shed": SHED, "repository_name": name, "repository_owner": OWNER,
             "installed_changeset_revision": revision, "id": identity, "version": version}  # fmt: skip
    inside = "".join(f"<{tag}>{text}</{tag}>" for tag, text in parts.items())
    return f"<tool file={quoteattr(str(xml.relative_to(shed)))} guid={quoteattr(identity)}>{inside}</tool>"


def _older(repository: Repository, shed: Path) -> str:
    """Install a tool as an earlier release would have it; return its entry."""
    place = shed / SHED / "repos" / OWNER / repository.name / OLDER_REVISION / repository.name
    shutil.copytree(repository.folder, place)
    (xml,) = place.glob(f"*/{repository.name}/{repository.name}.xml")
    text = xml.read_text(encoding="utf-8")
    xml.write_text(re.sub(r'version="@TOOL_VERSION@[^"]*"', f'version="{OLDER_VERSION}"', text, count=1))
    return _entry(xml, shed, repository.name, OLDER_REVISION, OLDER_VERSION)
