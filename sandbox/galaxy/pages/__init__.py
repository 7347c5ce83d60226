"""The sandbox's own pages in Galaxy: the welcome page, and a form that stores an OMERO login for all tools."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from sandbox.process import ROOT

PAGES = Path(__file__).parent
PICTURES = ROOT / "docs" / "images" / "tools"
TOLD = "sandbox.json"


def write_pages(static: Path, client: Path, addresses: Mapping[str, str]) -> None:
    """Make Galaxy's folder of static files: links to the web client and its viewers, and the pages of this folder.

    Args:
        static: Folder to make; what it held is removed.
        client: Web client and viewers, as the set-up assembled them.
        addresses: What the pages tell, as `sandbox.json` beside them.
    """
    if static.is_symlink():
        static.unlink()
    shutil.rmtree(static, ignore_errors=True)
    static.mkdir(parents=True)
    own = {page.name: page for page in PAGES.glob("*.html")}
    for name, page in own.items():
        shutil.copyfile(page, static / name)
    for one in client.iterdir():
        if one.name not in own:
            (static / one.name).symlink_to(one)
    # Where the help of tools that are served from a checkout looks for its pictures.
    (static / "bioimage_suite").symlink_to(PICTURES)
    (static / TOLD).write_text("{}", encoding="utf-8")
    tell(static, addresses)


def tell(static: Path, more: Mapping[str, str]) -> None:
    """Add to what the pages know: `omero`, `web`, `dataset` (name of a dataset in OMERO to try)."""
    file = static / TOLD
    known = json.loads(file.read_text(encoding="utf-8")) | dict(more)
    file.write_text(json.dumps(known) + "\n", encoding="utf-8")
