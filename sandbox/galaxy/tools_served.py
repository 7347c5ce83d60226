"""The tools as the sandbox's Galaxy serves them: those of the checkout, whose forms know the sandbox's OMERO."""

import shutil
from pathlib import Path

from sandbox.process import SandboxError

MACROS = Path("macros") / "omero.xml"
DEFAULT_HOST = '<token name="@OMERO_HOST@"></token>'
"""What the macros say where no administrator has written the address of an OMERO server."""


def serve_tools(tools_dir: Path, folder: Path, omero_address: str) -> Path:
    """Make a copy of the tools in which the form's OMERO server is `omero_address` until a user writes another.

    Scripts are links: a change in the checkout is a change here. Forms are copies, since Galaxy follows links of them.

    Args:
        tools_dir: Folder `tools/` of the checkout, beside `src/`.
        folder: Folder that gets `tools/` and a link to `src/`; what it held is removed.
        omero_address: `host:port`.

    Returns:
        The copy of `tools_dir`.

    Raises:
        SandboxError: The macros of the OMERO tools have no place for the address.
    """
    shutil.rmtree(folder, ignore_errors=True)
    target = folder / "tools"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(tools_dir.resolve(), target, symlinks=False, ignore=ignored, copy_function=_taken)
    (folder / "src").symlink_to(tools_dir.resolve().parent / "src")
    text = (target / MACROS).read_text(encoding="utf-8")
    if DEFAULT_HOST not in text:
        raise SandboxError(f"{tools_dir / MACROS}: has no line {DEFAULT_HOST}. Is this the suite's checkout?")
    told = DEFAULT_HOST.replace("><", f">{omero_address}<")
    (target / MACROS).write_text(text.replace(DEFAULT_HOST, told), encoding="utf-8")
    return target


def _taken(source: str, target: str) -> None:
    """Copy a form, link anything else."""
    if source.endswith(".xml"):
        shutil.copyfile(source, target)
    else:
        Path(target).symlink_to(source)
