"""Duplicate: copies of images with files and without, and what the lists of types say; wells and what they hold."""

import numpy as np
import pytest
import tifffile

pytest.importorskip("omero.clients")
import ezomero
import omero.all
from omero.rtypes import rint, rstring, unwrap

from sandbox.omero.client_import import import_files

PIXELS = np.random.default_rng(11).integers(0, 999, (2, 12, 16), dtype=np.uint16)


def submit(gateway, request):
    callback = gateway.c.submit(request, failonerror=False)
    response = callback.getResponse()
    callback.close(True)
    return response


def duplicate(gateway, kind: str, number: int, **lists) -> dict[str, list[int]]:
    """The copies, by class."""
    response = submit(gateway, omero.cmd.Duplicate(targetObjects={kind: [number]}, **lists))
    assert isinstance(response, omero.cmd.DuplicateResponse), response
    return {name.rpartition(".")[2]: ids for name, ids in response.duplicates.items()}


def count(gateway, kind: str) -> int:
    query = f"select count(x.id) from {kind} x"
    return unwrap(gateway.getQueryService().projection(query, None, {"omero.group": "-1"}))[0][0]


@pytest.fixture
def imported(gateway, tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", PIXELS, metadata={"axes": "CYX"}, photometric="minisblack")
    [image] = import_files(gateway.c, [tmp_path / "a.ome.tif"])
    ezomero.post_roi(gateway, image, [ezomero.rois.Rectangle(1, 2, 3, 4)], name="roi")
    ezomero.post_map_annotation(gateway, "Image", image, {"a": "1"}, ns="n")
    tag = omero.gateway.TagAnnotationWrapper(gateway)
    tag.setValue("tag")
    tag.save()
    gateway.getObject("Image", image).linkAnnotation(tag)
    return image


def test_an_imported_image_is_copied_with_its_pixels_and_without_its_files(gateway, imported):
    files, filesets = count(gateway, "OriginalFile"), count(gateway, "Fileset")
    [copy] = duplicate(gateway, "Image", imported)["Image"]
    assert (count(gateway, "OriginalFile"), count(gateway, "Fileset")) == (files, filesets)
    assert gateway.getObject("Image", copy).getFileset() is None
    gateway.deleteObjects("Image", [imported], wait=True)
    found = ezomero.get_image(gateway, copy)[1]
    np.testing.assert_array_equal(found[0, 0].transpose(2, 0, 1), PIXELS)
    assert len(ezomero.get_roi_ids(gateway, copy)) == 1
    assert gateway.getObject("Image", copy).renderImage(0, 0).size == (16, 12)
    assert ezomero.get_tag_ids(gateway, "Image", copy)


def test_one_image_of_two_in_a_fileset(gateway, tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.ome.tif", ome=True) as writer:
        for number in range(2):
            writer.write(np.full((10, 12), number + 5, np.uint8), metadata={"axes": "YX"})
    _, second = import_files(gateway.c, [tmp_path / "s.ome.tif"])
    [copy] = duplicate(gateway, "Image", second)["Image"]
    assert (ezomero.get_image(gateway, copy)[1] == 6).all()
    gateway.deleteObjects("Image", [copy], wait=True)
    assert (ezomero.get_image(gateway, second)[1] == 6).all()


def test_types_to_ignore_reference_and_duplicate(gateway, imported):
    copies = duplicate(gateway, "Image", imported, typesToIgnore=["Annotation", "Roi"])
    [copy] = copies["Image"]
    assert not {"Roi", "ImageAnnotationLink", "MapAnnotation"} & copies.keys()
    assert not list(gateway.getObject("Image", copy).listAnnotations())

    copies = duplicate(gateway, "Image", imported, typesToReference=["Annotation"])
    assert "MapAnnotation" not in copies
    [copy] = copies["Image"]
    original = {a.getId() for a in gateway.getObject("Image", imported).listAnnotations()}
    assert {a.getId() for a in gateway.getObject("Image", copy).listAnnotations()} == original

    copies = duplicate(gateway, "Image", imported, typesToDuplicate=["ome.model.annotations.TagAnnotation"])
    assert len(copies["TagAnnotation"]) == 1

    lists = {"typesToIgnore": ["Annotation"], "typesToReference": ["TagAnnotation"]}
    [copy] = duplicate(gateway, "Image", imported, **lists)["Image"]
    assert [type(a).__name__ for a in gateway.getObject("Image", copy).listAnnotations()] == ["TagAnnotationWrapper"]


@pytest.mark.parametrize(
    "lists",
    [{"typesToIgnore": ["Nothing"]}, {"typesToIgnore": ["Roi"], "typesToReference": ["Roi"]}],
)
def test_bad_lists_of_types(gateway, imported, lists):
    response = submit(gateway, omero.cmd.Duplicate(targetObjects={"Image": [imported]}, **lists))
    assert isinstance(response, omero.cmd.ERR)
    assert response.parameters["type"] == "ApiUsageException"


def test_a_dry_run_and_a_dataset(gateway, imported):
    dataset = ezomero.post_dataset(gateway, "d")
    ezomero.link_images_to_dataset(gateway, [imported], dataset)
    before = count(gateway, "Image")
    planned = duplicate(gateway, "Dataset", dataset, dryRun=True)
    assert (planned["Dataset"], planned["Image"]) == ([dataset], [imported])
    assert count(gateway, "Image") == before
    copies = duplicate(gateway, "Dataset", dataset)
    assert ezomero.get_image_ids(gateway, dataset=copies["Dataset"][0]) == copies["Image"]
    copies = duplicate(gateway, "Dataset", dataset, typesToReference=["Image"])
    assert "Image" not in copies
    assert ezomero.get_image_ids(gateway, dataset=copies["Dataset"][0]) == [imported]


def make_plate(gateway) -> tuple[int, list[int], int]:
    """A plate of two wells with an image each, in a screen: plate, images, screen."""
    screen = ezomero.post_screen(gateway, "screen")
    plate, acquisition = omero.model.PlateI(), omero.model.PlateAcquisitionI()
    plate.name = rstring("plate")
    plate.addPlateAcquisition(acquisition)
    images = [ezomero.post_image(gateway, np.full((4, 5, 1, 1, 1), n, np.uint8), f"w{n}") for n in range(2)]
    for column, image in enumerate(images):
        well, sample = omero.model.WellI(), omero.model.WellSampleI()
        well.row, well.column = rint(0), rint(column)
        sample.image, sample.plateAcquisition = omero.model.ImageI(image, False), acquisition
        well.addWellSample(sample)
        plate.addWell(well)
    saved = gateway.getUpdateService().saveAndReturnObject(plate).id.val
    ezomero.link_plates_to_screen(gateway, [saved], screen)
    return saved, images, screen


KINDS = ("Plate", "PlateAcquisition", "Well", "WellSample", "Image", "Pixels")


def test_a_screen_takes_its_plates_wells_and_images_along(gateway):
    before = [count(gateway, kind) for kind in KINDS]
    _, _, screen = make_plate(gateway)
    gateway.deleteObjects("Screen", [screen], deleteChildren=True, wait=True)
    assert [count(gateway, kind) for kind in KINDS] == before


def test_an_image_of_a_well_survives_its_plate_in_a_dataset(gateway):
    plate, images, screen = make_plate(gateway)
    dataset = ezomero.post_dataset(gateway, "kept")
    ezomero.link_images_to_dataset(gateway, images[:1], dataset)
    gateway.deleteObjects("Plate", [plate], deleteChildren=True, wait=True)
    assert gateway.getObject("Screen", screen) is not None
    assert gateway.getObject("Image", images[0]) is not None
    assert gateway.getObject("Image", images[1]) is None


def test_one_well_goes_and_an_image_in_a_well_stays_with_it(gateway):
    plate, images, _ = make_plate(gateway)
    wells = sorted(gateway.getObject("Plate", plate).listChildren(), key=lambda well: well.column)
    gateway.deleteObjects("Well", [wells[0].getId()], wait=True)
    assert gateway.getObject("Image", images[0]) is None
    assert [w.getId() for w in gateway.getObject("Plate", plate).listChildren()] == [wells[1].getId()]
    with pytest.raises(omero.CmdError, match="needed by WellSample"):
        gateway.deleteObjects("Image", [images[1]], wait=True)


def test_a_plate_is_copied_with_its_wells_and_moves_to_another_group(lab):
    first, second = lab.group("rwra--"), lab.group("rwra--")
    gateway = lab.connect(lab.user(first, second))
    plate, _, _ = make_plate(gateway)
    copies = duplicate(gateway, "Plate", plate)
    assert {kind: len(copies[kind]) for kind in KINDS} == dict(zip(KINDS, (1, 1, 2, 2, 2, 2), strict=True))
    copy = gateway.getObject("Plate", copies["Plate"][0])
    assert sorted(w.getWellSample().getImage().getId() for w in copy.listChildren()) == sorted(copies["Image"])
    target = gateway.getAdminService().lookupGroup(second).id.val
    response = submit(gateway, omero.cmd.Chgrp2(targetObjects={"Plate": [plate]}, groupId=target))
    assert isinstance(response, omero.cmd.Chgrp2Response), response
    query = "select w.details.group.id, i.details.group.id from Well w join w.wellSamples s join s.image i"
    query = f"{query} where w.plate.id = {plate}"
    found = unwrap(gateway.getQueryService().projection(query, None, {"omero.group": "-1"}))
    assert found == [[target, target]] * 2
