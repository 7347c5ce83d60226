"""Fill an OMERO server with what the tool tests expect: project "planemo-fixture" of user "planemo".

It makes what is missing and leaves what is there, so it may run twice. It needs nothing but omero-py:
`OMERO_SANDBOX_ROOT_PASSWORD=... python -m tests.galaxy.seed_omero HOST PORT`.

- dataset "nuclei": images "cell_1.tif" and "cell_2.tif", 64 x 48 pixels, uint16, channels DAPI and GFP, 0.25 um a
  pixel; key-value pairs (stage, replicate); tag "planemo-tag" on "cell_1.tif".
- dataset "stack": image "stack.tif", 40 x 30 pixels, 3 planes, 2 time points, uint8; three ROIs "planemo drawn" in
  plane 1; OMERO.table "planemo-table.h5"; attached file "planemo-note.txt"; number 0.25 in namespace "planemo.example".
- dataset "empty": no image.
- dataset "twin": two datasets of this name.

Dataset "to plate", in no project: images "plate_1.tif" and "plate_2.tif" of one pixel, for a plate.
In project "planemo-round-trip", datasets "round trip nuclei", "round trip movie" and "round trip tissue" with real
images of test-data/, for workflows between export and import.
Plate "planemo plate": the twelve wells of test-data/plate, one field each in the acquisition run "day 1"; their
conditions as key-value pairs of the wells.
In project "planemo-labels", dataset "stack labels": label map "planemo seeded" of "stack.tif", int32, which the tool
omero_import_labels puts there, as it takes an import.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import omero
import omero.clients
from omero.rtypes import rbool, rdouble, rint, rstring, unwrap

from scripts.suite_files import tool_script

DATA = Path(__file__).parents[2] / "test-data"
ROUND_TRIP_PROJECT = "planemo-round-trip"
PLATE = "planemo plate"
# Files and channels of each dataset.
ROUND_TRIP: dict[str, tuple[list[str], list[str]]] = {
    "round trip nuclei": (["nuclei_upper_left.ome.tiff", "nuclei_lower_right.ome.tiff"], ["Nuclei"]),
    "round trip movie": (["telomeres_early.ome.tiff"], ["Telomeres"]),
    "round trip tissue": (["ihc.png"], ["Red", "Green", "Blue"]),
}
USER, PASSWORD, GROUP, PROJECT = "planemo", "planemo-test", "planemo-group", "planemo-fixture"


def nuclei_pixels(number: int, channel: int) -> np.ndarray:
    """Pixels of a channel of "cell_<number>.tif": (48, 64), uint16, two bright rectangles on a gradient."""
    rows, columns = np.mgrid[0:48, 0:64]
    pixels = 100 * channel + rows + columns
    pixels[8:20, 6 + number : 24] += 1000 * (channel + 1)
    pixels[28:40, 36:58] += 2000 * (channel + 1)
    array: np.ndarray = pixels.astype(np.uint16)
    return array


def stack_pixels(z: int, t: int) -> np.ndarray:
    """Pixels of plane z at time point t of "stack.tif": (30, 40), uint8."""
    rows, columns = np.mgrid[0:30, 0:40]
    array: np.ndarray = (rows + columns + 50 * z + 20 * t).astype(np.uint8)
    return array


def make_user(host: str, port: int, root_password: str) -> None:
    """Create the user and group of the tests unless they exist."""
    client = omero.client(host=host, port=port)
    try:
        admin = client.createSession("root", root_password).getAdminService()
        if USER in (unwrap(one.omeName) for one in admin.lookupExperimenters()):
            return
        group = omero.model.ExperimenterGroupI()
        group.name, group.ldap = rstring(GROUP), rbool(False)
        group.details.permissions = omero.model.PermissionsI("rwra--")
        group_id = admin.createGroup(group)
        person = omero.model.ExperimenterI()
        person.omeName = person.firstName = person.lastName = rstring(USER)
        person.ldap = rbool(False)
        groups = [
            omero.model.ExperimenterGroupI(number, False) for number in (group_id, admin.getSecurityRoles().userGroupId)
        ]
        admin.createExperimenterWithPassword(person, rstring(PASSWORD), groups[0], groups)
    finally:
        client.closeSession()


def make_image(session: Any, name: str, planes: dict[tuple[int, int, int], np.ndarray], channels: list[str]) -> int:
    """Create an image from its planes by (z, c, t); returns its id."""
    first = next(iter(planes.values()))
    sizes = [max(key[axis] for key in planes) + 1 for axis in range(3)]
    type_name = {"float32": "float", "float64": "double"}.get(str(first.dtype), str(first.dtype))
    pixels_type = session.getTypesService().getEnumeration("PixelsType", type_name)
    height, width = first.shape
    image_id = session.getPixelsService().createImage(
        width, height, sizes[0], sizes[2], list(range(len(channels))), pixels_type, name, "made by seed_omero.py"
    )
    hql = (
        "select p from Pixels p left outer join fetch p.channels c left outer join fetch c.logicalChannel "
        f"where p.image.id = {image_id.val}"
    )
    pixels = session.getQueryService().findByQuery(hql, None)
    store = session.createRawPixelsStore()
    try:
        store.setPixelsId(pixels.id.val, False)
        for (z, c, t), plane in planes.items():
            store.setPlane(plane.astype(plane.dtype.newbyteorder(">")).tobytes(), z, c, t)
        store.save()
    finally:
        store.close()
    # The store has written a checksum to the object meanwhile.
    pixels = session.getQueryService().findByQuery(hql, None)
    size = omero.model.LengthI(0.25, omero.model.enums.UnitsLength.MICROMETER)
    pixels.setPhysicalSizeX(size)
    pixels.setPhysicalSizeY(size)
    colours = ((0, 0, 255), (0, 255, 0))
    for number, channel in enumerate(pixels.copyChannels()):
        channel.logicalChannel.name = rstring(channels[number])
        channel.red, channel.green, channel.blue = (rint(value) for value in colours[number % 2])
        channel.alpha = rint(255)
    session.getUpdateService().saveObject(pixels)
    return int(image_id.val)


def draw(session: Any, image_id: int) -> None:
    """Draw a rectangle and an ellipse that overlap in plane 1, and a line, as ROIs named "planemo drawn"."""
    rectangle, ellipse, line = omero.model.RectangleI(), omero.model.EllipseI(), omero.model.LineI()
    numbers = {
        rectangle: {"x": 2, "y": 3, "width": 10, "height": 8},
        ellipse: {"x": 12, "y": 9, "radiusX": 5, "radiusY": 4},
        line: {"x1": 0, "y1": 0, "x2": 20, "y2": 20},
    }
    for (shape, values), text in zip(numbers.items(), ("box", "cell", "scale"), strict=True):
        for name, value in values.items():
            setattr(shape, name, rdouble(value))
        shape.theZ, shape.theT, shape.textValue = rint(1), rint(0), rstring(text)
        roi = omero.model.RoiI()
        roi.image, roi.name = omero.model.ImageI(image_id, False), rstring("planemo drawn")
        roi.addShape(shape)
        session.getUpdateService().saveObject(roi)


def attach_note(session: Any, image_id: int) -> None:
    """Attach a text file "planemo-note.txt" to an image."""
    file, annotation, data = omero.model.OriginalFileI(), omero.model.FileAnnotationI(), b"seen under the microscope\n"
    file.name, file.path, file.mimetype = rstring("planemo-note.txt"), rstring(""), rstring("text/plain")
    file.size = omero.rtypes.rlong(len(data))
    number = session.getUpdateService().saveAndReturnObject(file).id
    store = session.createRawFileStore()
    store.setFileId(number.val)
    store.write(data, 0, len(data))
    store.save()
    store.close()
    annotation.file = omero.model.OriginalFileI(number, False)
    annotate(session, image_id, annotation)


def attach_number(session: Any, image_id: int) -> None:
    """Attach the number 0.25 to an image."""
    annotation = omero.model.DoubleAnnotationI()
    annotation.ns, annotation.doubleValue = rstring("planemo.example"), rdouble(0.25)
    annotate(session, image_id, annotation)


def attach_table(session: Any, image_id: int) -> None:
    """Attach an OMERO.table "planemo-table.h5" with three rows to an image."""
    resources = session.sharedResources()
    table = resources.newTable(resources.repositories().descriptions[0].id.val, "planemo-table.h5")
    columns = [
        omero.grid.ImageColumn("Image", "", [image_id] * 3),
        omero.grid.LongColumn("label", "", [1, 2, 3]),
        omero.grid.DoubleColumn("area_px", "", [80.0, 120.5, 300.0]),
    ]
    table.initialize(columns)
    table.addData(columns)
    annotation = omero.model.FileAnnotationI()
    annotation.file = omero.model.OriginalFileI(table.getOriginalFile().id.val, False)
    table.close()
    annotate(session, image_id, annotation)


def annotate(session: Any, image_id: int, annotation: Any) -> None:
    """Save a new annotation and link it to an image."""
    saved = type(annotation)(session.getUpdateService().saveAndReturnObject(annotation).id, False)
    link(session, "ImageAnnotationLinkI", omero.model.ImageI(image_id, False), saved)


def link(session: Any, kind: str, parent: Any, child: Any) -> None:
    """Link two objects by ids: `kind` is the class of the link."""
    made = getattr(omero.model, kind)()
    made.parent, made.child = parent, child
    session.getUpdateService().saveObject(made)


def make_content(host: str, port: int) -> None:
    """Create the project with its datasets, images and annotations unless it exists."""
    client = omero.client(host=host, port=port)
    try:
        session = client.createSession(USER, PASSWORD)
        parameters = omero.sys.ParametersI({"name": rstring(PROJECT)})
        if session.getQueryService().findAllByQuery("select p from Project p where p.name = :name", parameters):
            return
        update = session.getUpdateService()
        datasets = {}
        for key, name in (
            ("nuclei", "nuclei"),
            ("stack", "stack"),
            ("empty", "empty"),
            ("twin", "twin"),
            ("twin2", "twin"),
        ):
            dataset = omero.model.DatasetI()
            dataset.name = rstring(name)
            datasets[key] = omero.model.DatasetI(update.saveAndReturnObject(dataset).id, False)
        images = [
            make_image(session, f"cell_{n}.tif", {(0, c, 0): nuclei_pixels(n, c) for c in (0, 1)}, ["DAPI", "GFP"])
            for n in (1, 2)
        ]
        stack = make_image(
            session, "stack.tif", {(z, 0, t): stack_pixels(z, t) for z in range(3) for t in range(2)}, ["DAPI"]
        )
        for image_id in images:
            link(session, "DatasetImageLinkI", datasets["nuclei"], omero.model.ImageI(image_id, False))
        link(session, "DatasetImageLinkI", datasets["stack"], omero.model.ImageI(stack, False))
        draw(session, stack)
        attach_table(session, stack)
        attach_note(session, stack)
        attach_number(session, stack)
        dataset = omero.model.DatasetI()
        dataset.name = rstring("to plate")
        dataset = omero.model.DatasetI(update.saveAndReturnObject(dataset).id, False)
        for name in ("plate_1.tif", "plate_2.tif"):
            image_id = make_image(session, name, {(0, 0, 0): np.zeros((1, 1), np.uint8)}, ["DAPI"])
            link(session, "DatasetImageLinkI", dataset, omero.model.ImageI(image_id, False))
        for number, image_id in enumerate(images, 1):
            pairs = omero.model.MapAnnotationI()
            pairs.ns = rstring("openmicroscopy.org/omero/client/mapAnnotation")
            stage = "interphase" if number == 1 else "mitosis"
            pairs.mapValue = [omero.model.NamedValue("stage", stage), omero.model.NamedValue("replicate", str(number))]
            annotate(session, image_id, pairs)
        tag = omero.model.TagAnnotationI()
        tag.textValue = rstring("planemo-tag")
        annotate(session, images[0], tag)
        project = omero.model.ProjectI()
        project.name = rstring(PROJECT)
        for dataset in datasets.values():
            project.linkDataset(dataset)
        update.saveObject(project)  # Last, because its presence says that all is there.
    finally:
        client.closeSession()


def make_labels(host: str, port: int) -> None:
    """Import the label map of "stack.tif" unless it is there, by the tool itself."""
    import tifffile

    labels = np.stack([np.stack([stack_pixels(z, t) // 30 for z in range(3)]) for t in range(2)]).astype(np.int32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tifffile.imwrite(folder / "stack.tif", labels, metadata={"axes": "TZYX"})
        config = {
            "omero_host": f"{host}:{port}",
            "label_maps": {"element_identifier": "stack.tif", "source_path": str(folder / "stack.tif")},
            "match": {"source": "typed", "kind": "dataset", "by": "name", "objects": "stack"},
            "labels_name": "planemo seeded",
            "place": {"by": "name", "dataset": "stack labels", "project": "planemo-labels", "create": True},
        }
        (folder / "config.json").write_text(json.dumps(config))
        tool = tool_script("omero_import_labels")
        subprocess.run(
            [sys.executable, str(tool), "--config", "config.json", "--output", "output.tsv"],
            cwd=folder,
            env={**os.environ, "OMERO_USER": USER, "OMERO_PASSWORD": PASSWORD},
            check=True,
        )


def make_round_trip(host: str, port: int) -> None:
    """Create the datasets of ROUND_TRIP unless they exist; the pixel size of 0.25 um that they get is made up."""
    client = omero.client(host=host, port=port)
    try:
        session = client.createSession(USER, PASSWORD)
        parameters = omero.sys.ParametersI({"name": rstring(ROUND_TRIP_PROJECT)})
        if session.getQueryService().findAllByQuery("select p from Project p where p.name = :name", parameters):
            return
        project = omero.model.ProjectI()
        project.name = rstring(ROUND_TRIP_PROJECT)
        for dataset_name, (files, channels) in ROUND_TRIP.items():
            dataset = omero.model.DatasetI()
            dataset.name = rstring(dataset_name)
            dataset = omero.model.DatasetI(session.getUpdateService().saveAndReturnObject(dataset).id, False)
            for file in files:
                image_id = make_image(session, file, file_planes(DATA / file), channels)
                link(session, "DatasetImageLinkI", dataset, omero.model.ImageI(image_id, False))
            project.linkDataset(dataset)
        session.getUpdateService().saveObject(project)
    finally:
        client.closeSession()


def make_plate(host: str, port: int) -> None:
    """Create the plate of test-data/plate unless it exists."""
    import tifffile

    client = omero.client(host=host, port=port)
    try:
        session = client.createSession(USER, PASSWORD)
        parameters = omero.sys.ParametersI({"name": rstring(PLATE)})
        if session.getQueryService().findAllByQuery("select p from Plate p where p.name = :name", parameters):
            return
        header, *rows = [line.split("\t") for line in (DATA / "plate_layout.tabular").read_text().splitlines()]
        wells = []
        for row in rows:
            said = dict(zip(header, row, strict=True))
            pixels = tifffile.imread(DATA / "plate" / said["image"])
            conditions = {key: said[key] for key in header[3:] if said[key]}
            wells.append(PlateWell(said["well"], said["image"], pixels, conditions))
        save_plate(session, PLATE, wells, ["DAPI", "GFP"])
    finally:
        client.closeSession()


@dataclass(frozen=True)
class PlateWell:
    """A well with one field: its label, such as A1, the name and the (C, Y, X) pixels of its image, its conditions."""

    label: str
    image: str
    pixels: np.ndarray
    conditions: dict[str, str]


def save_plate(session: Any, name: str, wells: list[PlateWell], channels: list[str]) -> None:
    """Create a plate with its images in the acquisition run "day 1", and conditions as key-value pairs of wells."""
    plate, run = omero.model.PlateI(), omero.model.PlateAcquisitionI()
    plate.name, run.name = rstring(name), rstring("day 1")
    plate.addPlateAcquisition(run)
    for one in wells:
        sample, well = omero.model.WellSampleI(), omero.model.WellI()
        planes = {(0, c, 0): channel for c, channel in enumerate(one.pixels)}
        image_id = make_image(session, one.image, planes, channels)
        sample.image, sample.plateAcquisition = omero.model.ImageI(image_id, False), run
        well.row, well.column = rint(ord(one.label[0]) - ord("A")), rint(int(one.label[1:]) - 1)
        well.addWellSample(sample)
        pairs = omero.model.MapAnnotationI()
        pairs.ns = rstring("openmicroscopy.org/omero/client/mapAnnotation")
        pairs.mapValue = [omero.model.NamedValue(key, value) for key, value in one.conditions.items()]
        well.linkAnnotation(pairs)
        plate.addWell(well)
    session.getUpdateService().saveObject(plate)


def file_planes(path: Path) -> dict[tuple[int, int, int], np.ndarray]:
    """Planes of a file by (z, c, t): an RGB picture has three channels, a TIFF with three axes time points."""
    if path.suffix == ".png":
        from PIL import Image

        return {
            (0, c, 0): np.ascontiguousarray(p) for c, p in enumerate(np.moveaxis(np.asarray(Image.open(path)), 2, 0))
        }
    import tifffile

    pixels = tifffile.imread(path)
    return {(0, 0, t): plane for t, plane in enumerate(pixels.reshape(-1, *pixels.shape[-2:]))}


def main() -> None:
    """Seed the server that the command line names."""
    host, port = sys.argv[1], int(sys.argv[2])
    make_user(host, port, os.environ.get("OMERO_SANDBOX_ROOT_PASSWORD", "omero"))
    make_content(host, port)
    make_labels(host, port)
    make_round_trip(host, port)
    make_plate(host, port)


if __name__ == "__main__":
    main()
