"""What the tests of OMERO.web look at: a user's images, results that our tools brought back, a plate, and its ids."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import omero
import omero_import_rois
import omero_import_table
import pytest
import requests
import tifffile
from omero.rtypes import rint, rstring

from sandbox.omero.client_import import import_files
from sandbox.omero_web import server as omero_web
from tests.galaxy.seed_omero import link
from tests.omero.tool_support import Lab, make_lab, named

HEIGHT, WIDTH = 90, 120
OBJECTS = ((20, 60, 30, 80), (40, 70, 90, 110))  # first and last row and column of each


@dataclass(frozen=True)
class Content:
    """Who may log in, and the ids of what is there."""

    lab: Lab
    url: str
    other_group: str
    ids: dict[str, int]

    def address(self, pattern: str) -> str:
        """Return the address of a page; `{image}` in the pattern stands for the image's id."""
        return self.url + pattern.format(**self.ids)


def labels() -> np.ndarray:
    """Two rectangular objects, shape (Y, X), uint16."""
    made = np.zeros((HEIGHT, WIDTH), np.uint16)
    for number, (top, bottom, left, right) in enumerate(OBJECTS, 1):
        made[top:bottom, left:right] = number
    return made


@contextmanager
def running_web(server: Any, folder: Path) -> Iterator[omero_web.OmeroWeb]:
    """An OMERO.web on the server, for the block; the test is skipped where it is not installed."""
    from sandbox import process

    if not omero_web.STATIC.exists():
        pytest.skip("OMERO.web is not installed: make setup")
    web = omero_web.start(folder, (server.host, server.port))
    try:
        omero_web.wait(web, folder)
        yield web
    finally:
        process.stop(web.processes)


@contextmanager
def content(server: Any, folder: Path) -> Iterator[Content]:
    """Make a user with content, and an OMERO.web to look at it."""
    with pytest.MonkeyPatch.context() as patch, make_lab(server, patch, permissions="rwra--") as lab:
        other = lab.stranger().group
        lab.join(other)
        with running_web(server, folder / "web") as web:
            yield Content(lab, web.url, other, _fill(lab, folder))


def _fill(lab: Lab, folder: Path) -> dict[str, int]:
    ids = {"user": lab.session.getAdminService().getEventContext().userId}
    for kind in ("Project", "Dataset", "Screen", "Plate"):
        ids[kind.lower()] = lab.container(kind, f"{kind} one")
    for parent, child in (("Project", "Dataset"), ("Screen", "Plate")):
        ends = [getattr(omero.model, f"{kind}I")(ids[kind.lower()], False) for kind in (parent, child)]
        link(lab.session, f"{parent}{child}LinkI", *ends)
    ids["image"], ids["second"] = _import_images(lab, folder, ids["dataset"])
    ids["orphan"] = lab.image("orphan.tif", np.full((8, 9), 100, np.uint8))
    _annotate(lab, ids)
    _bring_back(lab, folder, ids)
    _fill_plate(lab, ids)
    return ids


def _import_images(lab: Lab, folder: Path, dataset: int) -> list[int]:
    pixels = np.random.default_rng(0).integers(0, 500, (2, 2, 1, HEIGHT, WIDTH), dtype=np.uint16)  # T, C, Z, Y, X
    pixels[:, 0] += 2000 * (labels() == 1).astype(np.uint16)
    pixels[:, 1] += 3000 * (labels() == 2).astype(np.uint16)
    found = []
    for number in (1, 2):
        path = folder / f"cells_{number}.ome.tif"
        metadata = {"axes": "TCZYX", "Channel": {"Name": ["DAPI", "GFP"]}, "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
        tifffile.imwrite(path, pixels, metadata=metadata, photometric="minisblack")
        found += import_files(lab.client, [path], dataset)
    return found


def _annotate(lab: Lab, ids: dict[str, int]) -> None:
    tag = omero.model.TagAnnotationI()
    tag.textValue = rstring("a tag of mine")
    pairs = omero.model.MapAnnotationI()
    pairs.ns = rstring(omero.constants.metadata.NSCLIENTMAPANNOTATION)
    pairs.mapValue = [omero.model.NamedValue("gene", "TP53"), omero.model.NamedValue("<b>dose</b>", "1 µM")]
    comment = omero.model.CommentAnnotationI()
    comment.textValue = rstring("a comment of mine")
    for name, annotation in (("tag", tag), ("map", pairs), ("comment", comment)):
        ids[name] = lab.annotate(ids["image"], annotation)


def _bring_back(lab: Lab, folder: Path, ids: dict[str, int]) -> None:
    """Let our tools write ROIs and a table."""
    path = folder / "labels.ome.tif"
    tifffile.imwrite(path, labels(), metadata={"axes": "YX"})
    identifier = f"Image_{ids['image']}_cells_1.ome.tif"
    match = {"source": "identifier"}
    values = {"label_maps": [named(identifier, path)], "match": match, "roi_name": "nuclei", "shape": "auto"}
    lab.run(omero_import_rois, folder, {"output": "out.tsv", "rois": "rois.tsv"}, dry_run=False, **values)
    rows = folder / "measured.tsv"
    rows.write_text("image\tlabel\tarea_px\n" + "".join(f"{identifier}\t{n}\t{1000 * n}\n" for n in (1, 2)))
    config = {"tables": [named(identifier, rows)], "match": match, "table_name": "measurements", "attach": "image"}
    config["rois"] = {"element_identifier": "", "source_path": None}
    lab.run(omero_import_table, folder, {"output": "out.tsv", "merged": "merged.tsv"}, **config)
    ids["roi"], ids["shape"] = lab.rows(
        f"select r.id, s.id from Shape s join s.roi r where r.image.id = {ids['image']} order by s.id"
    )[0]
    ids["table"], ids["table_annotation"] = lab.rows(
        "select f.id, a.id from ImageAnnotationLink l, FileAnnotation a join a.file f where l.child.id = a.id"
        f" and l.parent.id = {ids['image']}"
    )[0]


def _fill_plate(lab: Lab, ids: dict[str, int]) -> None:
    plate = omero.model.PlateI(ids["plate"], False)
    run = omero.model.PlateAcquisitionI()
    run.plate, run.name = plate, rstring("run one")
    ids["run"] = lab.save(run)
    for row, column in ((0, 0), (0, 1), (1, 0)):
        well, sample = omero.model.WellI(), omero.model.WellSampleI()
        well.plate, well.row, well.column = plate, rint(row), rint(column)
        field = lab.image(f"well_{row}{column}.tif", np.arange(600, dtype=np.uint16).reshape(20, 30) * (1 + column))
        sample.image = omero.model.ImageI(field, False)
        sample.plateAcquisition = omero.model.PlateAcquisitionI(ids["run"], False)
        well.addWellSample(sample)
        ids.setdefault("field", field)
        ids.setdefault("well", lab.save(well)) if "well" not in ids else lab.save(well)


class Visitor:
    """A browser without a window: cookies, and the token that OMERO.web wants with each form."""

    def __init__(self, found: Content) -> None:
        self._content = found
        self._session = requests.Session()
        self._session.get(f"{found.url}/webclient/login/", timeout=60)
        form = {"username": found.lab.user, "password": found.lab.password, "server": "1"}
        answer = self.post("/webclient/login/", form)
        assert "login" not in answer.url, answer.text

    def get(self, pattern: str, **query: Any) -> requests.Response:
        """Ask for a page."""
        return self._session.get(self._content.address(pattern), params=query, timeout=60)

    def post(self, pattern: str, form: dict[str, Any] | None = None, **more: Any) -> requests.Response:
        """Send a form, JSON or files."""
        headers = {"Referer": self._content.url, "X-CSRFToken": str(self._session.cookies["csrftoken"])}
        return self._session.post(self._content.address(pattern), data=form, headers=headers, timeout=60, **more)
