"""omero_export_images: OME-TIFF and OME-Zarr with pyramids, plates, metadata and checksums."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import omero
import pytest
import tifffile
import zarr
from omero.rtypes import rdouble, rint, rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.ome_zarr.half_size import halved
from bioimage_suite.omero.images import export as image_export
from bioimage_suite.omero.images import ome_tiff
from tests.omero.tool_support import Lab, typed
from tests.omero.tools.export.pictures import by_id, five_d, noise, unpacked


def test_a_large_image_gets_a_pyramid_whose_levels_halve_each_other(lab: Lab, export, monkeypatch):
    monkeypatch.setattr(image_export, "TILE", 32)
    monkeypatch.setattr(ome_tiff, "LARGE", 100 * 100)
    monkeypatch.setattr(ome_tiff, "SMALLEST_LEVEL", 40)
    pixels = noise((1, 2, 2, 131, 150))
    [path], _ = export(by_id(five_d(lab, pixels)))
    with tifffile.TiffFile(path) as file:
        levels = [level.asarray() for level in file.series[0].levels]
        levels = [level.reshape(1, 2, 2, *level.shape[-2:]) for level in levels]
        assert file.series[0].is_pyramidal
    assert [level.shape[-2:] for level in levels] == [(131, 150), (66, 75), (33, 38)]
    np.testing.assert_array_equal(levels[0], pixels)
    for larger, smaller in pairwise(levels):
        for place in np.ndindex(1, 2, 2):
            np.testing.assert_array_equal(smaller[place], halved(larger[place], is_labels=False))
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_compression_is_used_where_it_is_worth_it(lab: Lab, export):
    empty, full = five_d(lab, np.zeros((1, 1, 1, 64, 64), np.uint8)), five_d(lab, noise((1, 1, 1, 64, 64)))

    def scheme(image: int, **form: str) -> str:
        [path], _ = export(by_id(image), **form)
        with tifffile.TiffFile(path) as file:
            return file.pages[0].compression.name

    assert (scheme(empty), scheme(full)) == ("ADOBE_DEFLATE", "NONE")
    assert (scheme(empty, compression="none"), scheme(full, compression="zlib")) == ("NONE", "ADOBE_DEFLATE")


def save_instrument(lab: Lab) -> omero.model.Instrument:
    types = lab.session.getTypesService()
    objective, microscope, detector = omero.model.ObjectiveI(), omero.model.MicroscopeI(), omero.model.DetectorI()
    objective.model, objective.lensNA, objective.nominalMagnification = rstring("Plan <60x>"), rdouble(1.4), rdouble(60)
    objective.immersion = types.getEnumeration("Immersion", "Oil")
    objective.correction = types.getEnumeration("Correction", "PlanApo")
    objective.workingDistance = omero.model.LengthI(0.13, omero.model.enums.UnitsLength.MILLIMETER)
    microscope.manufacturer, microscope.type = rstring("Makers"), types.getEnumeration("MicroscopeType", "Inverted")
    detector.model, detector.type = rstring("cam"), types.getEnumeration("DetectorType", "CCD")
    instrument = omero.model.InstrumentI()
    instrument.setMicroscope(microscope)
    instrument.addObjective(objective)
    instrument.addDetector(detector)
    return lab.session.getUpdateService().saveAndReturnObject(instrument)


def describe(lab: Lab, image: int) -> None:
    """Give an image an instrument, key-value pairs in two namespaces and a tag."""
    instrument = save_instrument(lab)
    settings = omero.model.ObjectiveSettingsI()
    settings.objective = omero.model.ObjectiveI(instrument.copyObjective()[0].id.val, False)
    thing = lab.session.getQueryService().get("Image", image)
    thing.instrument = omero.model.InstrumentI(instrument.id.val, False)
    thing.objectiveSettings = settings
    lab.session.getUpdateService().saveObject(thing)
    for namespace in ("lab/dose", "lab/stage"):
        annotation = omero.model.MapAnnotationI()
        annotation.ns = rstring(namespace)
        annotation.mapValue = [omero.model.NamedValue("k", "1"), omero.model.NamedValue("k", "2\x01")]
        lab.annotate(image, annotation)
    tag = omero.model.TagAnnotationI()
    tag.textValue = rstring("good & bad")
    lab.annotate(image, tag)


def assert_described(document: str) -> None:
    from ome_types import from_xml

    found = from_xml(document)
    [lens] = found.instruments[0].objectives
    assert (lens.model, lens.lens_na, lens.nominal_magnification) == ("Plan <60x>", 1.4, 60)
    assert (lens.immersion.value, lens.correction.value) == ("Oil", "PlanApo")
    assert (lens.working_distance, lens.working_distance_unit.value) == (0.13, "mm")
    assert found.instruments[0].microscope.manufacturer == "Makers"
    assert found.instruments[0].detectors[0].type.value == "CCD"
    [one] = found.images
    assert (one.instrument_ref.id, one.objective_settings.id) == (found.instruments[0].id, lens.id)
    notes = found.structured_annotations
    assert [note.value for note in notes.tag_annotations] == ["good & bad"]
    maps = {note.namespace: [(pair.k, pair.value) for pair in note.value.ms] for note in notes.map_annotations}
    assert maps == {key: [("k", "1"), ("k", "2\ufffd")] for key in ("lab/dose", "lab/stage")}
    assert len(one.annotation_refs) == 3


def test_the_ome_xml_has_instrument_namespaces_repeated_keys_and_tags(lab: Lab, export, tmp_path: Path):
    image = five_d(lab, noise((1, 2, 1, 8, 9)))
    describe(lab, image)
    [path], _ = export(by_id(image))
    with tifffile.TiffFile(path) as file:
        assert_described(file.ome_metadata)
    [path], _ = export(by_id(image), kind="ome_zarr")
    assert_described((unpacked(path, tmp_path) / "OME" / "METADATA.ome.xml").read_text())


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_has_every_pixel_and_what_omero_knows_of_them(lab: Lab, export, tmp_path: Path, monkeypatch, version):
    from bioimage_suite.images.readers.opening import open_image

    monkeypatch.setattr(image_export, "TILE", 32)
    pixels = noise((2, 2, 3, 50, 70))
    image = five_d(lab, pixels)
    [path], [row] = export(by_id(image), kind="ome_zarr", version=version)
    assert path.name == f"Image_{image}_five_d.ome_zarr.zip"
    assert row["image"] == f"Image_{image}_five_d"
    assert row["checked"] == "equals OMERO's checksum"
    folder = unpacked(path, tmp_path)
    np.testing.assert_array_equal(zarr.open_array(folder / "0" / "0", mode="r")[:], pixels)
    found = open_image(path)  # the image tools take the zip as it is
    np.testing.assert_array_equal(found.read_plane(t=1, c=1, z=2), pixels[1, 1, 2])
    assert found.channels == ("a", "b")
    assert found.physical_size["x"].value == 0.25
    assert (found.size_t, found.size_z) == (2, 3)
    attributes = dict(zarr.open_group(folder, mode="r").attrs)
    assert (attributes.get("ome") or attributes)["bioformats2raw.layout"] == 3
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_plate_is_one_ome_zarr_with_wells_and_fields(lab: Lab, export, tmp_path: Path, version):
    plate = omero.model.PlateI()
    plate.name = rstring("plate 1")
    images = {}
    for row, column, fields in ((1, 2, 2), (0, 0, 1)):
        well = omero.model.WellI()
        well.row, well.column = rint(row), rint(column)
        for field in range(fields):
            pixels = noise((1, 1, 1, 12, 14)) + row + field
            image = five_d(lab, pixels, f"{row} {column} {field}")
            images[f"{'AB'[row]}/{column + 1}/{field}"] = (image, pixels)
            sample = omero.model.WellSampleI()
            sample.image = omero.model.ImageI(image, False)
            well.addWellSample(sample)
        plate.addWell(well)
    plate_id = lab.save(plate)
    [path], rows = export(typed("plate", "plate 1"), kind="ome_zarr", version=version, plates=True)
    assert path.name == f"Plate_{plate_id}_plate_1.ome_zarr.zip"
    assert {row["image"] for row in rows} == {f"Plate_{plate_id}_plate_1"}
    assert {int(row["image_id"]) for row in rows} == {image for image, _ in images.values()}
    folder = unpacked(path, tmp_path)
    for place, (_, pixels) in images.items():
        np.testing.assert_array_equal(zarr.open_array(folder / place / "0", mode="r")[:], pixels)
    attributes = dict(zarr.open_group(folder, mode="r").attrs)
    found = (attributes.get("ome") or attributes)["plate"]
    assert [well["path"] for well in found["wells"]] == ["A/1", "B/3"]
    assert (found["name"], found["field_count"]) == ("plate 1", 2)
    files, _ = export(typed("plate", "plate 1"), kind="ome_zarr", version=version, plates=False)
    assert [one.name.startswith("Image_") for one in files] == [True] * 3


def test_pixels_that_differ_from_omeros_checksum_are_refused(lab: Lab, export, tmp_path: Path):
    image = five_d(lab, noise((1, 1, 1, 20, 20)))
    [_], [row] = export(by_id(image))
    assert row["checked"] == "equals OMERO's checksum"
    pixels = lab.session.getQueryService().findByQuery(f"select p from Pixels p where p.image.id = {image}", None)
    assert row["sha1"] == pixels.sha1.val
    pixels.sha1 = rstring("0" * 40)
    lab.session.getUpdateService().saveObject(pixels)
    with pytest.raises(UserError, match=f"the SHA-1 of its pixels is {row['sha1']}, but 0000"):
        export(by_id(image))
    assert not list((tmp_path / "images").glob("*"))
    _, [row] = export(by_id(image), mismatch="report")
    assert row["checked"] == f"differs from OMERO's checksum {'0' * 40}"


def test_the_checksum_does_not_depend_on_tiles(lab: Lab, export, monkeypatch):
    image = five_d(lab, noise((2, 2, 2, 70, 90)))
    monkeypatch.setattr(image_export, "TILE", 16)
    assert export(by_id(image))[1][0]["checked"] == "equals OMERO's checksum"


def test_the_form_reaches_the_script_as_galaxy_writes_it(lab: Lab, export):
    """Booleans are booleans and empty texts are nothing: "False" that counts as true was a defect of old tools."""
    image = five_d(lab, noise((1, 1, 1, 6, 6)))
    form = json.loads('{"selection": {"channels": "", "planes": null, "times": "", "projection": "none", "level": 0}}')
    [path], _ = export(by_id(image), kind="ome_zarr", plates=False, selection=form["selection"])
    assert path.name.startswith("Image_")
