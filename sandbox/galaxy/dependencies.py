"""Tool packages for Galaxy without conda: each `<requirement>` of the tools is a link to `.venv/tools`.

If Galaxy cannot resolve a tool's requirement it runs the tool with its own Python, without a word. So the links are
made from the XML files themselves, and a package that is not installed is an error here.
"""

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

from sandbox.process import SandboxError

# conda-forge name -> the module it is imported as, where that is not the name itself with underscores
MODULES = {
    "beautifulsoup4": "bs4",
    "matplotlib-base": "matplotlib",
    "omero-py": "omero",
    "opencv": "cv2",
    "pillow": "PIL",
    "py-opencv": "cv2",
    "pylibczirw": "pylibCZIrw",
    "pytables": "tables",
    "python": "sys",
    "python-blosc2": "blosc2",
    "python-dateutil": "dateutil",
    "pynrrd": "nrrd",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
}


def requirement_names(tools_dir: Path) -> set[str]:
    """Return the package names that the tools and their macros ask for."""
    names: set[str] = set()
    for file in sorted(tools_dir.rglob("*.xml")):
        if "test-data" in file.parts:
            continue
        try:
            root = ET.parse(file).getroot()  # noqa: S314 - files of this repository
        except ET.ParseError as error:
            raise SandboxError(f"{file}: not an XML file: {error}") from error
        found = root.iter("requirement")
        names |= {(entry.text or "").strip() for entry in found if entry.get("type") == "package"}
    return names


def link_requirements(tools_dir: Path, target: Path, environment: Path) -> None:
    """Make `target/<name>/default` a link to the virtual environment, for every package that a tool asks for.

    Args:
        tools_dir: Folder with the tools' XML files.
        target: Folder for the links: `base_path` of Galaxy's resolver `galaxy_packages`.
        environment: The virtual environment with the packages.

    Raises:
        SandboxError: A package cannot be imported there; names all such packages.
    """
    names = sorted(requirement_names(tools_dir))
    modules = {name: MODULES.get(name, name.replace("-", "_")) for name in names}
    missing = _not_importable(modules, environment / "bin" / "python")
    if missing:
        raise SandboxError(
            f"the tools ask for {', '.join(missing)}, which {environment} does not have. "
            "Add it to requirements/tools.txt (and to MODULES in sandbox/galaxy/dependencies.py if it is imported "
            "by another name), then run: make setup"
        )
    for name in names:
        link = target / name / "default"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(environment)


def _not_importable(modules: dict[str, str], python: Path) -> list[str]:
    """Return the names whose module the interpreter does not find; the modules are not imported."""
    code = "import sys, importlib.util as u; print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])"
    asked = subprocess.run([str(python), "-c", code, *modules.values()], capture_output=True, text=True, check=True)
    absent = set(asked.stdout.split())
    return [name for name, module in modules.items() if module in absent]
