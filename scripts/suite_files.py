"""Where the files of a tool stand: `tools/<group>/<tool>/<tool>.xml` and `<tool>.py`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = "https://raw.githubusercontent.com/bioimage-suite-galaxy/bioimage-suite-galaxy/main/"
"""Where anybody can fetch a file of this repository, by its path."""
TOOLS = ROOT / "tools"
GROUPS = ("omero", "image", "plate", "fair", "data_managers")


def tool_xml_files() -> list[Path]:
    """Return the XML file of every tool, in the order of their paths; macros are left out."""
    return sorted(file for file in TOOLS.glob("*/*/*.xml") if file.stem == file.parent.name)


def tool_xml(name: str) -> Path:
    """Return the XML file of a tool.

    Raises:
        FileNotFoundError: No group has a tool of this name.
    """
    for group in GROUPS:
        file = TOOLS / group / name / f"{name}.xml"
        if file.exists():
            return file
    raise FileNotFoundError(
        f"Tool {name}: no folder of {TOOLS} has it. Give one of: {[f.stem for f in tool_xml_files()]}"
    )


def tool_script(name: str) -> Path:
    """Return the script of a tool."""
    return tool_xml(name).with_suffix(".py")
