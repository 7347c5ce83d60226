"""Plugins of the `omero` command from PyPI (metadata, zarr), its chown, fs and export; and omero-rois."""

import ezomero
import numpy as np
import pytest
import tifffile
import zarr

pytest.importorskip("omero.clients")

from sandbox.omero.client_import import import_files
from tests.omero.client_processes import clients_of

PIXELS = np.random.default_rng(21).integers(1, 999, (2, 3, 40, 30), dtype=np.uint16)  # C, Z, Y, X


@pytest.fixture
def image(clients) -> int:
    metadata = {"axes": "CZYX", "Channel": {"Name": ["DAPI", "GFP"]}, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(clients.folder / "a.ome.tif", PIXELS, metadata=metadata, photometric="minisblack")
    (made,) = import_files(clients.gateway.c, [clients.folder / "a.ome.tif"])
    return made


def make_plate(gateway) -> int:
    import omero
    from omero.rtypes import rint, rstring

    plate = omero.model.PlateI()
    plate.name = rstring("plate")
    for column in range(2):
        well, sample = omero.model.WellI(), omero.model.WellSampleI()
        well.row, well.column = rint(0), rint(column)
        made = ezomero.post_image(gateway, np.full((8, 8, 1, 1, 1), column, np.uint8), f"well {column}")
        sample.image = omero.model.ImageI(made, False)
        well.addWellSample(sample)
        plate.addWell(well)
    return gateway.getUpdateService().saveAndReturnObject(plate).id.val


def test_metadata_of_a_plate_as_table_and_as_key_value_pairs(clients):
    plate = make_plate(clients.gateway)
    (clients.folder / "plate.csv").write_text("Well,Drug,Conc\nA1,x,1.5\nA2,y,2\n")
    (clients.folder / "map.yml").write_text(
        "name: map\nversion: 1\ndefaults:\n  include: true\ncolumns:\n- name: Drug\n  clientname: Drug name\n"
        "  includeclient: true\nadvanced:\n  well_to_images: true\n"
    )
    clients.omero("metadata", "populate", "--file", "plate.csv", f"Plate:{plate}")
    assert clients.omero("metadata", "bulkanns", f"Plate:{plate}").startswith("FileAnnotation:")
    clients.omero("metadata", "populate", "--context", "bulkmap", "--cfg", "map.yml", f"Plate:{plate}")
    query = "select v.name, v.value from Well w join w.annotationLinks l join l.child a join a.mapValue v"
    pairs = clients.rows(f"{query} where w.plate.id = {plate} and a.class = MapAnnotation")
    assert ["Drug name", "x"] in pairs
    assert ["Drug name", "y"] in pairs
    clients.omero("metadata", "populate", "--context", "deletemap", "--cfg", "map.yml", f"Plate:{plate}")
    clients.omero("metadata", "deletebulkanns", f"Plate:{plate}")
    assert clients.omero("metadata", "bulkanns", f"Plate:{plate}") == ""
    assert "Bulk annotations: 0" in clients.omero("metadata", "summary", f"Plate:{plate}")


def test_metadata_of_images(clients, image):
    dataset = ezomero.post_dataset(clients.gateway, "described")
    ezomero.link_images_to_dataset(clients.gateway, [image], dataset)
    (clients.folder / "images.csv").write_text("Image Name,Kind,Value\na.ome.tif,control,2\n")
    clients.omero("metadata", "populate", "--file", "images.csv", f"Dataset:{dataset}")
    query = f"select a.file.id from DatasetAnnotationLink l join l.child a where l.parent.id = {dataset}"
    ((file,),) = clients.rows(query)
    table = clients.gateway.c.sf.sharedResources().openTable(__import__("omero").model.OriginalFileI(file, False))
    columns = {column.name: list(column.values) for column in table.readCoordinates([0]).columns}
    table.close()
    assert columns["Image"] == [image]
    assert [str(v) for v in columns["Kind"]] == ["control"]
    roi = ezomero.post_roi(clients.gateway, image, [ezomero.rois.Point(1, 1)])
    pairs = ezomero.post_map_annotation(clients.gateway, "Image", image, {"a": "b"}, ns="n")
    assert clients.omero("metadata", "mapanns", f"Image:{image}") == f"MapAnnotation:{pairs}"
    assert clients.omero("metadata", "rois", f"Image:{image}") == f"Roi:{roi}"
    clients.omero("metadata", "rois", "--delete", f"Image:{image}")
    assert ezomero.get_roi_ids(clients.gateway, image) == []
    clients.omero("metadata", "pixelsize", "--x", "0.25", "--y", "0.75", "--unit", "micrometer", f"Image:{image}")
    found = clients.gateway.getObject("Image", image)
    assert (found.getPixelSizeX(), found.getPixelSizeY()) == (0.25, 0.75)
    assert "[SeriesMetadata]" in clients.omero("metadata", "original", f"Image:{image}")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_zarr_export_with_polygons(clients, image, version):
    triangle = ezomero.rois.Polygon([(2, 2), (20, 2), (2, 20)], z=0, t=0)
    ezomero.post_roi(clients.gateway, image, [triangle])
    clients.omero("zarr", "export", "--format", version, f"Image:{image}")
    root = clients.folder / f"{image}.ome.zarr"
    np.testing.assert_array_equal(zarr.open_array(root / "0", mode="r")[:], PIXELS)
    found = zarr.open_group(root, mode="r").attrs.asdict()
    found = found.get("ome", found)
    assert [channel["label"] for channel in found["omero"]["channels"]] == ["DAPI", "GFP"]
    assert found["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"][-2:] == [0.5, 0.5]
    clients.omero("zarr", "polygons", f"Image:{image}")
    labels = zarr.open_array(root / "labels" / "0" / "s0", mode="r")[:]
    assert 100 < (labels > 0).sum() < 300


def test_export_without_a_file(clients):
    pixels = np.arange(8 * 6 * 2 * 3, dtype=np.uint16).reshape(8, 6, 2, 3, 1)  # x, y, z, c, t
    made = ezomero.post_image(clients.gateway, pixels, "drawn", description="by hand")
    clients.omero("export", "--file", "drawn.ome.tif", f"Image:{made}")
    with tifffile.TiffFile(clients.folder / "drawn.ome.tif") as tiff:
        np.testing.assert_array_equal(tiff.asarray(), pixels[..., 0].transpose(3, 2, 1, 0))
        assert 'Name="drawn"' in tiff.ome_metadata
    clients.omero("export", "--type", "XML", "--file", "drawn.xml", f"Image:{made}")
    text = (clients.folder / "drawn.xml").read_text()
    assert 'SizeZ="2" SizeC="3"' in text
    assert "by hand" in text


def test_masks_of_omero_rois(clients, image):
    said = clients.python(f"""
        from omero_rois import masks_from_label_image, shape_to_binary_image
        labels = np.zeros((40, 30), np.uint8)
        labels[3:9, 5:17] = 1
        labels[20:30, 2:6] = 2
        update = conn.getUpdateService()
        for mask in masks_from_label_image(labels, z=0, t=0):
            roi = omero.model.RoiI()
            roi.image = omero.model.ImageI({image}, False)
            roi.addShape(mask)
            update.saveObject(roi)
        found = np.zeros_like(labels)
        rois = conn.getRoiService().findByImage({image}, None).rois
        for number, roi in enumerate(sorted(rois, key=lambda roi: roi.id.val), 1):
            for shape in roi.copyShapes():
                binary, place = shape_to_binary_image(shape)
                x, y = int(shape.x.val), int(shape.y.val)
                found[y:y + binary.shape[0], x:x + binary.shape[1]][binary > 0] = number
        print((found == labels).all(), len(rois))
    """)
    assert said.splitlines()[-1] == "True 2"


def test_chown_and_what_fs_tells(client_lab, clients, image, tmp_path_factory):
    (group,) = clients.gateway.getGroupsMemberOf()
    heir = client_lab.user(group.getName())
    root = clients_of(client_lab, "root", tmp_path_factory.mktemp("root"), client_lab.server.root_password)
    assert "may not give" in clients.omero("chown", heir, f"Image:{image}", stderr=True)
    said = root.omero("chown", heir, f"Image:{image}", "--report")
    assert "Image:" in said
    gateway = client_lab.connect(heir)
    assert gateway.getObject("Image", image).getOwnerOmeName() == heir
    assert f"Image:{image}" not in root.omero("fs", "images", "--limit", "1")
    fileset = gateway.getObject("Image", image).getFileset().getId()
    assert "a.ome.tif" in root.omero("fs", "ls", f"Fileset:{fileset}")
    assert "bytes" in root.omero("fs", "usage", f"Image:{image}")
    listed = root.omero("fs", "sets", "--style", "plain", "--limit", "200")
    assert any(line.split(",")[1] == str(fileset) for line in listed.splitlines() if line)
