"""omero_export_images: parts of images, OME-Zarr, original files, pyramids, checksums; and what breaks on the way."""

import errno
import json
import os
import re
import shutil
import signal
import zipfile
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import numpy as np
import omero
import omero_export_images
import pytest
import tifffile
import zarr
from omero.rtypes import rdouble, rint, rstring

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.ome_zarr.half_size import halved
from bioimage_suite.omero import reconnect as omero_reconnect
from bioimage_suite.omero.images import export as image_export
from bioimage_suite.omero.images import ome_tiff
from bioimage_suite.omero.images import pixels as omero_pixels
from bioimage_suite.omero.session import Session
from sandbox.omero.client_import import ImportOptions, import_with_options
from sandbox.omero.launch import running_server
from tests.omero.tool_support import CuttingProxy, Lab, fail_at, make_lab, read_rows, typed

NAMES = ("a", "b")


@pytest.fixture
def export(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(omero_reconnect, "WAITS", (0.05,) * 20)

    def run(target: dict, kind: str = "ome_tiff", selection: dict | None = None, **form):
        host = form.pop("omero_host", lab.address)
        form = {"kind": kind, "selection": selection or {}, "version": "0.5", **form}
        outputs = {"folder": "images", "metadata": "meta.tsv"}
        shutil.rmtree(tmp_path / "images", ignore_errors=True)
        paths = lab.run(omero_export_images, tmp_path, outputs, target=target, format=form, omero_host=host)
        # By ids as numbers: 9 goes before 10.
        files = sorted(paths["folder"].iterdir(), key=lambda path: [*map(int, re.findall(r"\d+", path.name))])
        return files, read_rows(paths["metadata"])

    return run


def noise(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    generator = np.random.default_rng(7)
    if dtype.startswith("float"):
        return generator.normal(0, 1e4, shape).astype(dtype)
    info = np.iinfo(dtype)
    return generator.integers(info.min, info.max, shape, dtype, endpoint=True)


def five_d(lab: Lab, pixels: np.ndarray, name: str = "five d", dataset: int | None = None) -> int:
    """An image from pixels (t, c, z, y, x)."""
    planes = {(z, c, t): pixels[t, c, z] for t, c, z in np.ndindex(pixels.shape[:3])}
    return lab.image(name, planes, dataset, NAMES[: pixels.shape[1]])


def by_id(image: int) -> dict:
    return typed("image", image, by="id")


def read(path: Path) -> np.ndarray:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        assert series.get_axes(squeeze=False) == "TCZYXS"
        return series.asarray(squeeze=False)[..., 0]


def unpacked(path: Path, folder: Path) -> Path:
    target = folder / f"{path.name}.unpacked"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target)
    return target


# Parts of images


def test_channels_planes_and_times_are_chosen_and_nothing_else_changes(lab: Lab, export):
    pixels = noise((3, 2, 4, 20, 30))
    image = five_d(lab, pixels)
    [path], [row] = export(by_id(image), selection={"channels": "b, 1", "planes": "2-3", "times": "3,1"})
    np.testing.assert_array_equal(read(path), pixels[[2, 0]][:, [1, 0]][:, :, 1:3])
    assert (row["channel_names"], row["size_z"], row["size_t"]) == ("b; a", "2", "2")
    assert row["checked"] == "a part: OMERO has no checksum of it"


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "float32"])
@pytest.mark.parametrize("how", ["max", "mean"])
def test_projections_along_z(lab: Lab, export, monkeypatch, dtype, how):
    monkeypatch.setattr(image_export, "TILE", 16)
    pixels = noise((2, 2, 5, 20, 30), dtype)
    image = five_d(lab, pixels)
    [path], [row] = export(by_id(image), selection={"projection": how, "planes": "2-"})
    if how == "max":
        expected = pixels[:, :, 1:].max(2, keepdims=True)
    else:
        mean = pixels[:, :, 1:].astype(np.float64).mean(2, keepdims=True)
        expected = (mean if dtype.startswith("float") else np.rint(mean)).astype(dtype)
    np.testing.assert_array_equal(read(path), expected)
    assert (row["projection"], row["size_z"]) == (how, "1")


def test_a_rectangle_across_tiles(lab: Lab, export, monkeypatch):
    monkeypatch.setattr(image_export, "TILE", 16)
    pixels = noise((1, 1, 1, 70, 90))
    image = five_d(lab, pixels)
    region = {"kind": "rectangle", "x": 11, "y": 7, "width": 50, "height": 40}
    [path], [row] = export(by_id(image), selection={"region": region})
    np.testing.assert_array_equal(read(path), pixels[..., 7:47, 11:61])
    assert [row[f"region_{name}"] for name in ("x", "y", "width", "height")] == ["11", "7", "50", "40"]
    with pytest.raises(UserError, match="is not inside the image of 90 x 70 pixels"):
        export(by_id(image), selection={"region": region | {"x": 60}})


def test_each_roi_is_a_crop_that_keeps_the_images_name(lab: Lab, export):
    pixels = noise((1, 2, 1, 40, 50))
    image = five_d(lab, pixels, "cells.tif")
    other = five_d(lab, pixels, "none.tif")
    rois = []
    for name, x in (("nuclei", 5), ("scale", 20)):
        roi, rectangle = omero.model.RoiI(), omero.model.RectangleI()
        rectangle.x, rectangle.y, rectangle.width, rectangle.height = map(rdouble, (x, 4, 8, 6))
        roi.image, roi.name = omero.model.ImageI(image, False), rstring(name)
        roi.addShape(rectangle)
        rois.append(lab.save(roi))
    target = typed("image", f"{image},{other}", by="id")
    files, rows = export(target, selection={"region": {"kind": "rois", "roi_name": ""}})
    assert [path.name for path in files] == [f"Image_{image}_cells.tif_roi_{roi}.ome.tiff" for roi in rois]
    np.testing.assert_array_equal(read(files[0]), pixels[..., 4:10, 5:13])
    assert [(row["image_id"], row["roi_id"], row["region_x"]) for row in rows] == [
        (str(image), str(rois[0]), "5"),
        (str(image), str(rois[1]), "20"),
        (str(other), "", ""),
    ]
    assert [(row["image"] != "", row["status"]) for row in rows] == [(True, "exported")] * 2 + [(False, "no ROI")]
    assert len(export(target, selection={"region": {"kind": "rois", "roi_name": "scale"}})[0]) == 1
    with pytest.raises(UserError, match=r"none of the 1 images has a ROI of name 'x'"):
        export(by_id(image), selection={"region": {"kind": "rois", "roi_name": "x"}})


def pyramid_file(path: Path, full: np.ndarray) -> list[np.ndarray]:
    levels = [full, full[::2, ::2] // 2, full[::4, ::4] // 4]
    with tifffile.TiffWriter(path, ome=True) as writer:
        for number, level in enumerate(levels):
            options = {"subifds": 2, "metadata": {"axes": "YX", "PhysicalSizeX": 0.5}} if not number else {}
            writer.write(level, tile=(64, 64), subfiletype=int(number > 0), **options)
    return levels


def test_a_resolution_level_is_what_omero_keeps_at_that_level(lab: Lab, export, tmp_path: Path):
    levels = pyramid_file(tmp_path / "large.ome.tif", noise((400, 600)))
    [image] = import_with_options(lab.client, [tmp_path / "large.ome.tif"], ImportOptions()).image_ids
    for number, level in enumerate(levels):
        [path], [row] = export(by_id(image), selection={"level": number})
        np.testing.assert_array_equal(read(path)[0, 0, 0], level)
        assert (row["level"], row["physical_size_x_um"]) == (str(number), str(0.5 * 2**number))
    region = {"kind": "rectangle", "x": 100, "y": 200, "width": 40, "height": 20}
    [path], _ = export(by_id(image), selection={"level": 2, "region": region})
    np.testing.assert_array_equal(read(path)[0, 0, 0], levels[2][50:55, 25:35])
    with pytest.raises(UserError, match="resolution level 3 is not there, it has 3"):
        export(by_id(image), selection={"level": 3})


# OME-TIFF


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


def test_the_ome_xml_has_instrument_namespaces_repeated_keys_and_tags(lab: Lab, export, tmp_path: Path):
    from ome_types import from_xml

    image = five_d(lab, noise((1, 2, 1, 8, 9)))
    update, query = lab.session.getUpdateService(), lab.session.getQueryService()
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
    instrument = update.saveAndReturnObject(instrument)
    settings = omero.model.ObjectiveSettingsI()
    settings.objective = omero.model.ObjectiveI(instrument.copyObjective()[0].id.val, False)
    thing = query.get("Image", image)
    thing.instrument = omero.model.InstrumentI(instrument.id.val, False)
    thing.objectiveSettings = settings
    update.saveObject(thing)
    for namespace in ("lab/dose", "lab/stage"):
        annotation = omero.model.MapAnnotationI()
        annotation.ns = rstring(namespace)
        annotation.mapValue = [omero.model.NamedValue("k", "1"), omero.model.NamedValue("k", "2\x01")]
        lab.annotate(image, annotation)
    tag = omero.model.TagAnnotationI()
    tag.textValue = rstring("good & bad")
    lab.annotate(image, tag)

    [path], _ = export(by_id(image))
    with tifffile.TiffFile(path) as file:
        documents = [file.ome_metadata]
    [path], _ = export(by_id(image), kind="ome_zarr")
    documents.append((unpacked(path, tmp_path) / "OME" / "METADATA.ome.xml").read_text())
    for document in documents:
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


# OME-Zarr


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_has_every_pixel_and_what_omero_knows_of_them(lab: Lab, export, tmp_path: Path, monkeypatch, version):
    from bioimage_suite.images.opening import open_image

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


# Original files


def import_series(lab: Lab, folder: Path, algorithm: str = "SHA1-160") -> tuple[list[int], dict[str, bytes]]:
    """Import an OME-TIFF with a companion in a folder below; returns images and the files by their place."""
    (folder / "set" / "notes").mkdir(parents=True)
    pixels = noise((2, 30, 40))
    with tifffile.TiffWriter(folder / "set" / "im.ome.tiff", ome=True) as writer:
        for plane in pixels:
            writer.write(plane, metadata={"axes": "YX"})
    (folder / "set" / "notes" / "readme.txt").write_bytes(b"kept")
    paths = [folder / "set" / "im.ome.tiff", folder / "set" / "notes" / "readme.txt"]
    made = import_with_options(lab.client, paths, ImportOptions(algorithm=algorithm))
    return list(made.image_ids), {str(path.relative_to(folder / "set")): path.read_bytes() for path in paths}


def test_files_of_a_fileset_stay_together_in_their_folders(lab: Lab, export, tmp_path: Path):
    images, files = import_series(lab, tmp_path)
    [path], rows = export(typed("image", ",".join(map(str, images)), by="id"), kind="original")
    assert path.name.startswith("Fileset_")
    assert path.name.endswith("_im.ome.tiff__zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
    assert [row["image_id"] for row in rows] == [str(image) for image in images]
    assert {row["checked"] for row in rows} == {"SHA1-160 of 2 files"}


@pytest.mark.parametrize(
    ("algorithm", "said"),
    [("MD5-128", "MD5-128"), ("CRC-32", "CRC-32"), ("Adler-32", "Adler-32"), ("File-Size-64", "size")],
)
def test_a_single_file_comes_as_it_is_and_is_checked_as_omero_can(lab: Lab, export, tmp_path: Path, algorithm, said):
    source = tmp_path / "cell.tif"
    tifffile.imwrite(source, noise((20, 30)), metadata=None)
    [image] = import_with_options(lab.client, [source], ImportOptions(algorithm=algorithm)).image_ids
    [path], [row] = export(by_id(image), kind="original")
    assert path.name == f"Image_{image}_cell.tif__tiff"
    assert path.read_bytes() == source.read_bytes()
    assert (row["image"], row["checked"]) == (f"Image_{image}_cell.tif", f"{said} of 1 file")


def test_an_image_that_was_not_imported_has_no_original(lab: Lab, export):
    image = five_d(lab, noise((1, 1, 1, 4, 4)), "made")
    with pytest.raises(UserError, match=f"image {image} 'made': it was not imported from files"):
        export(by_id(image), kind="original")


def test_a_file_that_is_not_what_was_imported_is_refused(lab: Lab, export, tmp_path: Path, monkeypatch):
    from bioimage_suite.omero.images import fileset_files

    images, _ = import_series(lab, tmp_path)
    original = fileset_files._read
    monkeypatch.setattr(fileset_files, "_read", lambda *args: original(*args)[:-1] + b"!")
    with pytest.raises(UserError, match=r"its SHA1-160 is [0-9a-f]{40}, but [0-9a-f]{40} in OMERO"):
        export(by_id(images[0]), kind="original")
    assert list((tmp_path / "images").iterdir()) == []


# Checksums


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
    assert list((tmp_path / "images").iterdir()) == []
    _, [row] = export(by_id(image), mismatch="report")
    assert row["checked"] == f"differs from OMERO's checksum {'0' * 40}"


def test_the_checksum_does_not_depend_on_tiles(lab: Lab, export, monkeypatch):
    image = five_d(lab, noise((2, 2, 2, 70, 90)))
    monkeypatch.setattr(image_export, "TILE", 16)
    assert export(by_id(image))[1][0]["checked"] == "equals OMERO's checksum"


# What breaks


@pytest.fixture
def three(lab: Lab) -> dict:
    dataset = lab.container("Dataset", "three")
    for number in range(3):
        five_d(lab, noise((1, 2, 2, 70, 90)), f"im {number}", dataset)
    return typed("dataset", "three")


@pytest.mark.parametrize("kind", ["ome_tiff", "ome_zarr"])
def test_a_connection_that_breaks_is_made_again_and_every_pixel_arrives(
    lab: Lab, export, three, monkeypatch, tmp_path: Path, proxy: CuttingProxy, kind
):
    monkeypatch.setattr(image_export, "TILE", 32)
    for call in (1, 30, 60):
        fail_at(monkeypatch, omero_pixels._Stores, "_fetch", call, proxy.interrupt)
    files, rows = export(three, kind, omero_host=proxy.address)
    assert len(files) == 3
    assert {row["checked"] for row in rows} == {"equals OMERO's checksum"}
    for path in files:
        if kind == "ome_tiff":
            np.testing.assert_array_equal(read(path), noise((1, 2, 2, 70, 90)))
        else:
            found = unpacked(path, tmp_path)
            np.testing.assert_array_equal(zarr.open_array(found / "0" / "0", mode="r")[:], noise((1, 2, 2, 70, 90)))


def test_a_download_goes_on_where_the_connection_broke(lab: Lab, export, tmp_path: Path, monkeypatch, proxy):
    from bioimage_suite.omero.images import fileset_files

    images, files = import_series(lab, tmp_path)
    monkeypatch.setattr(fileset_files, "BLOCK", 1000)
    blocks = []
    original = fileset_files._read

    def counted(store, file, position):
        blocks.append(position)
        if len(blocks) in (1, 3):
            proxy.interrupt()
        return original(store, file, position)

    monkeypatch.setattr(fileset_files, "_read", counted)
    [path], _ = export(by_id(images[0]), kind="original", omero_host=proxy.address)
    with zipfile.ZipFile(path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    assert blocks[:2] == [0, 0]  # the first block is asked for again, not the file from its beginning
    assert len(blocks) == 2 + sum(-(-len(data) // 1000) for data in files.values())


def test_a_session_that_the_server_ended_is_replaced_by_a_new_login(lab: Lab, export, three, monkeypatch):
    def end() -> None:
        key = seen[0].client.getSessionId()
        killer = omero.client(lab.host, lab.port)
        try:
            killer.createSession(lab.user, lab.password)
            session = omero.model.SessionI()
            session.uuid = rstring(key)
            killer.getSession().getSessionService().closeSession(session)
            killer.getSession().getSessionService().closeSession(session)
        finally:
            killer.closeSession()

    seen: list[Session] = []
    original = image_export.fetch_tiles
    monkeypatch.setattr(image_export, "fetch_tiles", lambda *args: seen.append(args[0]) or original(*args))
    fail_at(monkeypatch, omero_pixels._Stores, "_fetch", 5, end)
    files, _ = export(three)
    assert len(files) == 3


def test_a_server_that_restarts_meanwhile_delivers_the_rest(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(omero_reconnect, "WAITS", (0.2,) * 300)
    monkeypatch.setattr(image_export, "TILE", 32)
    with ExitStack() as stack:
        server = stack.enter_context(running_server(tmp_path / "server"))

        def restart() -> None:
            stack.close()
            stack.enter_context(running_server(tmp_path / "server", port=server.port))

        with make_lab(server, monkeypatch) as lab:
            image = five_d(lab, noise((1, 2, 2, 70, 90)))
            fail_at(monkeypatch, omero_pixels._Stores, "_fetch", 9, restart)
            paths = lab.run(
                omero_export_images, tmp_path, {"folder": "images", "metadata": "meta.tsv"}, target=by_id(image)
            )
    [path] = paths["folder"].iterdir()
    np.testing.assert_array_equal(read(path), noise((1, 2, 2, 70, 90)))


@pytest.mark.parametrize("kind", ["ome_tiff", "ome_zarr"])
def test_a_cancelled_job_leaves_no_file(lab: Lab, export, three, monkeypatch, tmp_path: Path, kind):
    fail_at(monkeypatch, image_export, "check_pixels", 2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit, match="143"):
        export(three, kind)
    assert list((tmp_path / "images").iterdir()) == []
    assert [row["status"] for row in read_rows(tmp_path / "meta.tsv")] == ["taken back", "failed: stopped", "not done"]


STAGES = [
    (Session, "rows", 1),
    (Session, "rows", 2),
    (Session, "objects", 1),
    (omero_pixels._Stores, "_fetch", 1),
    (omero_pixels._Stores, "_fetch", 20),
    (image_export, "write_ome_tiff", 3),
    (image_export, "check_pixels", 2),
]


@pytest.mark.parametrize(("owner", "name", "number"), STAGES)
def test_a_connection_cut_for_good_at_any_stage_leaves_nothing_and_a_rerun_completes(
    lab: Lab, export, three, monkeypatch, tmp_path: Path, proxy: CuttingProxy, owner, name, number
):
    monkeypatch.setattr(image_export, "TILE", 32)
    monkeypatch.setattr(omero_pixels, "WINDOW", 2)
    fail_at(monkeypatch, owner, name, number, proxy.cut)
    with pytest.raises(UserError, match="the connection broke while the tool was at work"):
        export(three, omero_host=proxy.address)
    if (tmp_path / "meta.tsv").exists():  # It could say which images there are.
        statuses = [row["status"].partition(":")[0] for row in read_rows(tmp_path / "meta.tsv")]
        assert set(statuses) <= {"failed", "taken back", "not done"}
        assert len(statuses) == 3
    assert not (tmp_path / "images").exists() or list((tmp_path / "images").iterdir()) == []
    monkeypatch.undo()
    lab.sign_in()
    assert len(export(three)[0]) == 3


@pytest.mark.parametrize("kind", ["ome_tiff", "ome_zarr"])
def test_a_full_disk_is_named_and_leaves_nothing(lab: Lab, export, three, monkeypatch, tmp_path: Path, kind):
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    fail_at(monkeypatch, image_export, {"ome_tiff": "write_ome_tiff", "ome_zarr": "write_zarr"}[kind], 2, full)
    with pytest.raises(UserError, match="disk: full while writing Image_"):
        export(three, kind)
    assert list((tmp_path / "images").iterdir()) == []


def test_a_server_that_stays_away_ends_the_waiting(lab: Lab, export, three, monkeypatch, proxy: CuttingProxy):
    waited = []
    monkeypatch.setattr(omero_reconnect, "WAITS", (0.01,) * 4)
    monkeypatch.setattr(omero_reconnect, "rejoin", lambda session: waited.append(1) or 1 / 0)
    fail_at(monkeypatch, omero_pixels._Stores, "_fetch", 2, proxy.cut)
    with pytest.raises(UserError, match="the connection broke while the tool was at work"):
        export(three, omero_host=proxy.address)
    assert len(waited) >= 4


def test_the_form_reaches_the_script_as_galaxy_writes_it(lab: Lab, export):
    """Booleans are booleans and empty texts are nothing: "False" that counts as true was a defect of old tools."""
    image = five_d(lab, noise((1, 1, 1, 6, 6)))
    form = json.loads('{"selection": {"channels": "", "planes": null, "times": "", "projection": "none", "level": 0}}')
    [path], _ = export(by_id(image), kind="ome_zarr", plates=False, selection=form["selection"])
    assert path.name.startswith("Image_")


def test_a_channel_is_found_by_its_name_wherever_it_stands_in_each_image(lab: Lab, export):
    dataset = lab.container("Dataset", "mixed")
    pixels = noise((1, 3, 1, 6, 7))
    for number, names in enumerate((("DAPI", "GFP"), ("GFP", "RFP", "DAPI"))):
        planes = {(0, c, 0): pixels[0, c, 0] for c in range(len(names))}
        lab.image(f"im {number}", planes, dataset, list(names))
    files, rows = export(typed("dataset", "mixed"), selection={"channels": "DAPI"})
    for path, place in zip(files, (0, 2), strict=True):
        np.testing.assert_array_equal(read(path)[0, 0, 0], pixels[0, place, 0])
    assert {row["channel_names"] for row in rows} == {"DAPI"}
    with pytest.raises(UserError, match=r"'im 0': no channel 'RFP'. It has: 1 DAPI, 2 GFP"):
        export(typed("dataset", "mixed"), selection={"channels": "RFP"})


def test_one_login_few_stores_and_requests_far_below_ices_limit(lab: Lab, export, three, monkeypatch):
    """Connecting twice, exhausting the server and planes above 256 MB were defects of other tools."""
    from bioimage_suite.omero import session as omero_session

    logins, stores, tiles = [], [], []
    connect, fetch, open_store = omero_session._connect, omero_pixels._Stores._fetch, omero_pixels._Stores._store
    monkeypatch.setattr(omero_session, "_connect", lambda *args: logins.append(1) or connect(*args))
    monkeypatch.setattr(
        omero_pixels._Stores, "_fetch", lambda self, tile, number: tiles.append(tile) or fetch(self, tile, number)
    )

    def opened(self, *args):
        found = open_store(self, *args)
        stores.append(found)
        return found

    monkeypatch.setattr(omero_pixels._Stores, "_store", opened)
    monkeypatch.setattr(image_export, "TILE", 32)
    export(three)
    assert len(logins) == 1
    assert len({id(store) for store in stores}) <= omero_pixels.THREADS
    assert max(tile.width * tile.height for tile in tiles) <= 32 * 32
    assert omero_pixels.TILE**2 * 16 < 256 << 20
