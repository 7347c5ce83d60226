"""The HTML reports of overlay_objects, summarize_measurements and metadata_report, as a browser shows them.

Pictures of what was seen are kept in `.sandbox/reports/`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import metadata_report
import overlay_objects
import pytest
import summarize_measurements

from sandbox.setup import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
REPORTS = ROOT / ".sandbox" / "reports"
IMAGE, LABELS = ROOT / "test-data" / "nuclei.ome.tiff", ROOT / "test-data" / "nuclei_truth.ome.tiff"
LONG = "Image_12_" + "a_name_without_any_space_as_microscopes_write_them" * 4
WIDTHS = {"phone": 390, "screen": 1400}


def overlay_page(folder: Path) -> Path:
    pairs = {"images": [[LONG, str(IMAGE)]], "labels": [[LONG, str(LABELS)]]}
    (folder / "pairs.json").write_text(json.dumps(pairs))
    paths = {"pairs": folder / "pairs.json", "output-png": folder / "sheet.png", "output-html": folder / "page.html"}
    overlay_objects.main([f"--{name}={path}" for name, path in paths.items()] + [f"--title={LONG}"])
    return paths["output-html"]


def summary_page(folder: Path) -> Path:
    table = folder / "cells.tsv"
    table.write_text(f"image\tlabel\tarea_px\n{LONG}\t1\t80\n{LONG}\t2\t120\n{LONG}\t3\t95\n")
    (folder / "in.json").write_text(json.dumps({"tables": [[LONG, str(table)]], "pictures": []}))
    outputs = {name: folder / name for name in ("table-out", "statistics-out", "plot", "report")}
    more = [f"--inputs={folder / 'in.json'}", "--features=area_px", f"--title={LONG}"]
    summarize_measurements.main([f"--{name}={path}" for name, path in outputs.items()] + more)
    return outputs["report"].rename(folder / "page.html")


def metadata_page(folder: Path) -> Path:
    (folder / "images.json").write_text(json.dumps([{"path": str(IMAGE), "name": LONG}]))
    outputs = {name: folder / name for name in ("image-completeness", "field-completeness", "report")}
    arguments = [f"--images={folder / 'images.json'}", *(f"--{name}={path}" for name, path in outputs.items())]
    metadata_report.main(arguments)
    return outputs["report"].rename(folder / "page.html")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("make", "pictures"), [(overlay_page, 2), (summary_page, 1), (metadata_page, 0)])
def test_a_report_fits_its_window_and_shows_its_pictures(
    page: "Page", tmp_path: Path, make: Callable[[Path], Path], pictures: int, width: str
) -> None:
    file = make(tmp_path)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.set_viewport_size({"width": WIDTHS[width], "height": 900})
    page.goto(file.as_uri())
    REPORTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=REPORTS / f"{make.__name__}_{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    shown = page.evaluate("[...document.images].map(one => [one.naturalWidth, one.alt])")
    assert len(shown) == pictures
    assert all(wide > 0 and text for wide, text in shown)
