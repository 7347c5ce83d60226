"""Plates of OME-Zarr, from `omero import` into a screen to the wells, and back by omero-cli-zarr."""

import json

import ezomero
import numpy as np
import pytest
import zarr

pytest.importorskip("omero.clients")

from sandbox.omero.client_import import ImportFailed, ImportOptions, fileset_files, import_fileset, import_with_options

WELLS = {"A/1": 2, "B/3": 1}  # fields of each


def field(row: str, column: str, number: int) -> np.ndarray:
    return np.random.default_rng(ord(row) * 100 + int(column) * 10 + number).integers(0, 255, (2, 1, 16, 20), np.uint8)


def attributes(group, values: dict, version: str) -> None:
    group.attrs.update(values if version == "0.4" else {"ome": values | {"version": version}})


def write_plate(folder, version="0.4", name="screen.zarr", **more):
    """A plate of two rows and three columns with images of two channels in two wells."""
    root = zarr.open_group(folder / name, mode="w", zarr_format=2 if version == "0.4" else 3)
    wells = [{"path": path, "rowIndex": "AB".index(path[0]), "columnIndex": int(path[2]) - 1} for path in WELLS]
    plate = {
        "name": "the plate",
        "rows": [{"name": "A"}, {"name": "B"}],
        "columns": [{"name": str(n)} for n in (1, 2, 3)],
        "wells": wells,
        "acquisitions": [{"id": 7, "name": "first run", "maximumfieldcount": 2, "starttime": 1_700_000_000_000}],
        "version": version,
    }
    attributes(root, {"plate": plate | more}, version)
    axes = [
        {"name": n, "type": {"c": "channel"}.get(n, "space"), **({} if n == "c" else {"unit": "micrometer"})}
        for n in "czyx"
    ]
    for path, fields in WELLS.items():
        row, column = path.split("/")
        well = root.require_group(row).require_group(column)
        images = [{"path": str(n), "acquisition": 7} for n in range(fields)]
        attributes(well, {"well": {"images": images, "version": version}}, version)
        for number in range(fields):
            image = well.require_group(str(number))
            image.create_array("0", data=field(row, column, number), chunks=(1, 1, 16, 20))
            scale = [{"type": "scale", "scale": [1, 1, 0.5, 0.25]}]
            datasets = [{"path": "0", "coordinateTransformations": scale}]
            attributes(image, {"multiscales": [{"axes": axes, "datasets": datasets, "version": version}]}, version)
    return folder / name


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_plate_comes_with_its_wells_fields_and_acquisition(gateway, tmp_path, version):
    screen = ezomero.post_screen(gateway, "screen")
    files = fileset_files(write_plate(tmp_path, version))
    done = import_with_options(gateway.c, files, ImportOptions(("Screen", screen)))
    assert len(done.image_ids) == 3
    (plate_id,) = done.plate_ids
    plate = gateway.getObject("Plate", plate_id)
    assert (plate.getName(), plate.rows, plate.columns) == ("the plate", 2, 3)
    assert plate.getParent().getId() == screen
    assert [str(label) for label in plate.getRowLabels()] == ["A", "B"]
    assert [int(label) for label in plate.getColumnLabels()] == [1, 2, 3]
    (run,) = plate.listPlateAcquisitions()
    assert (run.getName(), run.maximumFieldCount) == ("first run", 2)
    wells = {well.getWellPos(): well for well in plate.listChildren()}
    assert {place: well.countWellSample() for place, well in wells.items()} == {"A1": 2, "B3": 1}
    for place, well in wells.items():
        for number, sample in enumerate(well.listChildren()):
            image = sample.getImage()
            assert image.getName() == f"screen.zarr [Well {place[0]}-{place[1]}, Field #{number + 1}]"
            assert sample.getPlateAcquisition().getId() == run.getId()
            assert image.getPixelSizeX() == 0.25
            found = ezomero.get_image(gateway, image.getId())[1][0].transpose(3, 0, 1, 2)
            np.testing.assert_array_equal(found, field(place[0], place[1], number))
    gateway.deleteObjects("Plate", [plate_id], deleteChildren=True, wait=True)
    assert gateway.getObject("Image", done.image_ids[0]) is None


def test_plates_and_images_go_where_they_belong(gateway, tmp_path):
    files = fileset_files(write_plate(tmp_path))
    dataset = ezomero.post_dataset(gateway, "d")
    with pytest.raises(ImportFailed, match="is a plate: it can go into a Screen"):
        import_fileset(gateway.c, files, dataset)
    image = tmp_path / "i.png"
    from PIL import Image

    Image.fromarray(np.zeros((4, 4), np.uint8)).save(image)
    screen = ezomero.post_screen(gateway, "s")
    with pytest.raises(ImportFailed, match="is no plate: it can go into a Dataset"):
        import_with_options(gateway.c, [image], ImportOptions(("Screen", screen)))


@pytest.mark.parametrize(
    "more",
    [
        {"wells": []},
        {"wells": [{"path": "Z/9"}]},
        {"wells": [{"path": "../..", "rowIndex": 0, "columnIndex": 0}]},
        {"wells": None},
        {"rows": [{}]},
        {"acquisitions": [{}]},
    ],
    ids=["no wells", "unknown well", "path out of the plate", "null", "row without name", "acquisition without id"],
)
def test_a_broken_plate_is_named(gateway, tmp_path, more):
    files = fileset_files(write_plate(tmp_path, **more))
    with pytest.raises(ImportFailed, match=r"screen\.zarr"):
        import_fileset(gateway.c, files)


def test_a_plate_is_imported_packed_and_exported_by_the_command(clients):
    write_plate(clients.folder)
    said = clients.omero("import", "-T", "Screen:name:from the shell", "screen.zarr")
    kind, plate = said.split(":")
    assert kind == "Plate"
    assert clients.rows(f"select s.name from ScreenPlateLink l join l.parent s where l.child.id = {plate}") == [
        ["from the shell"]
    ]
    clients.omero("zarr", "export", "--format", "0.4", f"Plate:{plate}")
    root = clients.folder / f"{plate}.ome.zarr"
    exported = json.loads((root / ".zattrs").read_text())["plate"]
    assert {well["path"] for well in exported["wells"]} == set(WELLS)
    found = zarr.open_array(root / "A" / "1" / "1" / "0", mode="r")[:]
    np.testing.assert_array_equal(found, field("A", "1", 1)[:, 0])


def test_a_file_of_several_plates_and_screens(clients):
    (clients.folder / "s&screens=2&plates=2&plateRows=1&plateCols=2&sizeX=8&sizeY=8.fake").touch()
    (clients.folder / "p&plates=2&sizeX=8&sizeY=8.fake").touch()
    said = clients.omero("import", "s&screens=2&plates=2&plateRows=1&plateCols=2&sizeX=8&sizeY=8.fake")
    ids = said.strip().partition("Plate:")[2]
    hql = f"select p.name, s.name from Plate p left join p.screenLinks l left join l.parent s where p.id in ({ids})"
    named = [[f"Plate Name {n}", f"Screen Name {n // 2}"] for n in range(4)]
    assert clients.rows(f"{hql} order by p.id") == named
    images = "select count(w.image.id) from WellSample w where w.well.plate.id in"
    assert clients.rows(f"{images} ({ids})") == [[8]]
    said = clients.omero("import", "--output", "legacy", "p&plates=2&sizeX=8&sizeY=8.fake", stderr=True)
    assert said.count("Plate:") == 2
