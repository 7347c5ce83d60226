"""vitessce_view in Debian's Chromium, without a network: the page, and the configuration in Galaxy's own viewer.

Pictures of what was seen are kept in `.sandbox/reports/`.
"""

import io
import json
import tarfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from bioimage_suite.fair.vitessce.page import INLINE, build_page
from bioimage_suite.fair.vitessce.view import Inputs, carry, make_view
from sandbox.setup import ROOT, SetupError
from sandbox.setup.frontend import VITESSCE, fetch_package
from tests.unit.fair.archive_server import Reply, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
REPORTS = ROOT / ".sandbox" / "reports"
DATA = ROOT / "test-data"
OPEN = {"Access-Control-Allow-Origin": "*"}
IMAGE_IN_PANEL = {"x": 170, "y": 100, "width": 380, "height": 400}


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The viewer's script, from the npm package that Galaxy's set-up fetches too."""
    try:
        package = fetch_package(VITESSCE)
    except (SetupError, OSError) as error:
        pytest.skip(f"the npm package of the viewer cannot be had here: {error}")
    path = tmp_path_factory.mktemp("viewer") / "index.js"
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/static/index.js")
        assert member is not None
        path.write_bytes(member.read())
    return path


def inputs(**changes: Any) -> Inputs:
    table = DATA / "fair_archives" / "nuclei_measured.tabular"
    return Inputs("nuclei", DATA / "nuclei.ome.tiff", DATA / "nuclei_truth.ome.tiff", table, **changes)


def picture(page: "Page", name: str) -> np.ndarray:
    """What is seen once all pixels are there, kept as a PNG; as an array of rows, columns, RGB."""
    page.get_by_text("125 segmentations, 1 image").wait_for()
    page.wait_for_function("document.querySelectorAll('[role=progressbar]').length === 0")
    # The last chunk is drawn after its loading ended, objects after the image: until the panel is bright and coloured.
    for _ in range(60):
        shot = page.screenshot()
        pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
        if spatial(pixels).mean() > 10 and coloured(spatial(pixels)) > 0.05:
            break
        page.wait_for_timeout(1000)
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / name).write_bytes(shot)
    return pixels


def spatial(pixels: np.ndarray) -> np.ndarray:
    box = IMAGE_IN_PANEL
    return pixels[box["y"] : box["y"] + box["height"], box["x"] : box["x"] + box["width"]]


def coloured(pixels: np.ndarray) -> float:
    """Share of pixels whose red, green and blue differ: the image is grey, only coloured objects are not."""
    return float((np.ptp(pixels, axis=-1) > 40).mean())


def test_the_page_shows_everything_linked_without_a_network(page: "Page", viewer: Path, tmp_path: Path) -> None:
    file = tmp_path / "nuclei.html"
    file.write_text(make_view({}, inputs(viewer=viewer))[1], encoding="utf-8")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    seen = picture(page, "vitessce_page.png")
    # The 125 nuclei cover 20 % of the image (test-data/nuclei_truth.ome.tiff).
    assert 0.1 < coloured(spatial(seen)) < 0.4
    assert page.get_by_text("Scatterplot (area_px and mean_DAPI)").count() == 1
    assert coloured(seen[100:480, 940:1380]) > 0.005
    # The views are linked: a feature chosen in the list changes plot and image.
    page.get_by_text("eccentricity", exact=True).first.click()
    for _ in range(60):
        page.wait_for_timeout(1000)
        after = picture(page, "vitessce_page_eccentricity.png")
        if np.abs(spatial(after) - spatial(seen)).max(axis=-1).mean() > 5:
            break
    assert np.abs(spatial(after) - spatial(seen)).max(axis=-1).mean() > 5
    assert np.abs(after[100:480, 940:1380] - seen[100:480, 940:1380]).mean() > 0.2
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def galaxy_page() -> bytes:
    """What Galaxy makes of its visualization's script: an element with the dataset's id, and the script."""
    told = escape(json.dumps({"root": "/", "visualization_config": {"dataset_id": "abc123"}}))
    style = "<style>html,body,#app,#app>div,.vitessce-container{height:100%;margin:0}</style>"
    script = '<script type="module" src="/index.js"></script>'
    return (
        f'<!DOCTYPE html><html><head>{style}</head><body><div id="app" data-incoming="{told}"></div>{script}'.encode()
    )


def test_galaxys_visualization_takes_the_configuration(page: "Page", viewer: Path) -> None:
    """As in Galaxy: the viewer fetches the dataset by its id, and image and labels from their addresses."""
    with serving() as server:
        address = {kind: f"{server.address}/{kind}.zarr" for kind in ("image", "labels")}
        view, _ = make_view({f"{kind}_address": url for kind, url in address.items()}, inputs())
        files = carry(inputs(), 20_000_000).files
        server.routes = {
            **{f"/{path}": Reply(data, headers=OPEN) for path, data in files.items()},
            "/": Reply(galaxy_page(), headers={"Content-Type": "text/html"}),
            "/index.js": Reply(viewer.read_bytes(), headers={"Content-Type": "text/javascript"}),
            "/api/datasets/abc123/display": Reply(
                json.dumps(view).encode(), headers={"Content-Type": "application/json"}
            ),
        }
        page.goto(server.address + "/")
        seen = picture(page, "vitessce_galaxy.png")
    assert 0.1 < coloured(spatial(seen)) < 0.4


def test_the_viewer_is_loaded_by_its_hash(page: "Page", viewer: Path, tmp_path: Path) -> None:
    script = viewer.read_bytes()
    headers = OPEN | {"Content-Type": "text/javascript"}
    with serving({"/index.js": Reply(script, headers=headers)}) as server:
        file = tmp_path / "nuclei.html"
        file.write_text(make_view({"viewer_address": f"{server.address}/index.js"}, inputs())[1], encoding="utf-8")
        page.goto(file.as_uri())
        seen = picture(page, "vitessce_page_by_hash.png")
        assert coloured(spatial(seen)) > 0.1
        # One byte more: the browser does not run it, and the page says so.
        server.routes = {"/index.js": Reply(script + b"\n", headers=headers)}
        page.goto(file.as_uri())
        page.get_by_text("The viewer could not be loaded from").wait_for()


def test_the_page_answers_only_for_its_own_files(page: "Page", tmp_path: Path) -> None:
    """The page's fetch: its files come from the page, a missing one is a 404, all else is left to the browser."""
    config = {"name": "x"}
    file = tmp_path / "page.html"
    file.write_text(build_page(config, {"image.zarr/a b": b"\x00\xff"}), encoding="utf-8")
    page.route("**/*.js", lambda route: route.abort())
    page.goto(file.as_uri())
    answers = page.evaluate(
        """async (base) => {
          const found = await fetch(base + "/image.zarr/a%20b");
          const missing = await fetch(base + "/image.zarr/none");
          const other = await fetch("data:text/plain,there").then((response) => response.text());
          return [found.status, Array.from(new Uint8Array(await found.arrayBuffer())), missing.status, other];
        }""",
        INLINE,
    )
    assert answers == [200, [0, 255], 404, "there"]
