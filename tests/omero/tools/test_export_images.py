from pathlib import Path

import numpy as np
import omero
import omero_export_images
import pytest
import tifffile
from omero.rtypes import rstring, rtime

from bioimage_suite.core.errors import UserError
from bioimage_suite.omero import reconnect as omero_reconnect
from bioimage_suite.omero.images import details as omero_image_details
from bioimage_suite.omero.images import export as image_export
from bioimage_suite.omero.images import pixels as omero_pixels
from tests.galaxy.seed_omero import link
from tests.omero.tool_support import CuttingProxy, Lab, fail_at, read_rows, typed


@pytest.fixture
def export(lab: Lab, tmp_path: Path):
    def run(target: dict, **config) -> tuple[dict[str, Path], list[dict[str, str]]]:
        outputs = lab.run(
            omero_export_images, tmp_path, {"folder": "images", "metadata": "meta.tsv"}, target=target, **config
        )
        return {path.name: path for path in outputs["folder"].iterdir()}, read_rows(outputs["metadata"])

    return run


def noise(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Values over the whole range of a type."""
    generator = np.random.default_rng(5)
    if dtype.startswith("float"):
        return generator.normal(0, 1e6, shape).astype(dtype)
    info = np.iinfo(dtype)
    return generator.integers(info.min, info.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_every_pixel_of_every_type_arrives_in_tiles_and_planes(lab: Lab, export, monkeypatch, dtype):
    monkeypatch.setattr(image_export, "TILE", 32)
    pixels = noise((2, 3, 2, 50, 70), dtype)  # t, c, z, y, x
    planes = {(z, c, t): pixels[t, c, z] for z in range(2) for c in range(3) for t in range(2)}
    dataset = lab.container("Dataset", "d")
    image = lab.image("five d", planes, dataset, ["a", "b", "c"])
    files, _ = export(typed("dataset", "d"))
    with tifffile.TiffFile(files[f"Image_{image}_five_d.ome.tiff"]) as file:
        series = file.series[0]
        assert (series.axes, series.dtype) == ("TCZYX", np.dtype(dtype))
        assert series.pages[0].tilewidth == 32
        np.testing.assert_array_equal(series.asarray(), pixels)


@pytest.mark.parametrize("kind", ["ome_tiff", "ome_zarr"])
def test_a_list_of_parts_has_the_images_of_the_list_in_its_order(lab: Lab, export, kind):
    dataset = lab.container("Dataset", "d")
    for number in range(11):
        lab.image(f"im{number}", {(0, 0, 0): noise((5, 6), "uint8")}, dataset, ["a"])
    whole, _ = export(typed("dataset", "d"), format={"kind": kind, "version": "0.5"})
    form = {"kind": kind, "version": "0.5", "part_size": "4"}
    found, rows = export(typed("dataset", "d"), format=form)
    folders = {name: path for name, path in found.items() if path.is_dir()}  # Beside the files of the whole list.
    parts = {name: sorted(path.name for path in folder.iterdir()) for name, folder in sorted(folders.items())}
    assert [len(names) for names in parts.values()] == [4, 4, 3]
    assert list(parts) == ["1", "2", "3"]
    assert [name for names in parts.values() for name in names] == sorted(whole)
    assert all(
        (folders[part] / name).read_bytes() == whole[name].read_bytes() for part in parts for name in parts[part]
    )
    assert [row["status"] for row in rows] == ["exported"] * 11


def test_parts_of_no_image_are_refused(lab: Lab, export):
    lab.image("im", {(0, 0, 0): noise((5, 6), "uint8")}, lab.container("Dataset", "d"), ["a"])
    with pytest.raises(UserError, match="Images a job -1: it must be at least 1"):
        export(typed("dataset", "d"), format={"kind": "ome_tiff", "part_size": "-1"})


def describe(lab: Lab, image: int) -> None:
    """Give an image of two channels physical sizes, a description, a date, a wavelength and key-value pairs."""
    query = lab.session.getQueryService()
    pixels = query.findByQuery(
        "select p from Pixels p join fetch p.image left outer join fetch p.channels c "
        f"left outer join fetch c.logicalChannel where p.image.id = {image}", None
    )  # fmt: skip
    pixels.setPhysicalSizeX(omero.model.LengthI(325, omero.model.enums.UnitsLength.NANOMETER))
    pixels.setPhysicalSizeZ(omero.model.LengthI(2, omero.model.enums.UnitsLength.PIXEL))
    pixels.image.description = rstring('line 1\nline "2" µ')
    pixels.image.acquisitionDate = rtime(1577934245000)
    logical = pixels.getChannel(0).logicalChannel
    logical.emissionWave = omero.model.LengthI(461.5, omero.model.enums.UnitsLength.NANOMETER)
    lab.session.getUpdateService().saveObject(pixels)
    annotation = omero.model.MapAnnotationI()
    named = omero.model.NamedValue
    annotation.mapValue = [named("dose", "1"), named("stage", "a\tb"), named("dose", "2"), named("image_id", "x")]
    lab.annotate(image, annotation)


def assert_described(path: Path) -> None:
    from ome_types import from_xml

    with tifffile.TiffFile(path) as file:
        found = from_xml(file.ome_metadata)
    [written] = found.images
    assert (written.name, written.description) == ("a & b <1>", 'line 1\nline "2" µ')
    assert written.acquisition_date.isoformat().startswith("2020-01-02T03:04:05")
    assert (written.pixels.physical_size_x, written.pixels.physical_size_x_unit.value) == (325, "nm")
    assert (written.pixels.physical_size_y, written.pixels.physical_size_y_unit.value) == (0.25, "µm")
    assert (written.pixels.physical_size_z, written.pixels.physical_size_z_unit.value) == (2, "pixel")
    first, second = written.pixels.channels
    assert (first.name, second.name) == ("DAPI", "ü GFP")
    assert (first.emission_wavelength, second.emission_wavelength) == (461.5, None)
    assert first.color.as_rgb_tuple() == (0, 0, 255)
    stored = [pair for one in found.structured_annotations.map_annotations for pair in one.value.ms]
    assert {(pair.k, pair.value) for pair in stored} >= {("dose", "1"), ("dose", "2"), ("stage", "a\tb")}


def test_metadata_stand_in_the_file_and_in_the_table(lab: Lab, export):
    image = lab.image("a & b <1>", {(0, c, 0): np.zeros((3, 5), np.uint16) for c in (0, 1)}, None, ["DAPI", "ü GFP"])
    describe(lab, image)
    files, rows = export(typed("image", image, by="id"))
    assert len(rows) == 1
    assert rows[0]["image"] == f"Image_{image}_a_b_1"
    assert rows[0]["image_name"] == "a & b <1>"
    assert (rows[0]["physical_size_x_um"], rows[0]["physical_size_z_um"]) == ("0.325", "")
    assert rows[0]["channel_names"] == "DAPI; ü GFP"
    assert rows[0]["acquisition_date"] == "2020-01-02T03:04:05Z"
    assert (rows[0]["dose"], rows[0]["stage"], rows[0]["key image_id"]) == ("1; 2", "a b", "x")
    assert_described(files[f"Image_{image}_a_b_1.ome.tiff"])


def test_same_image_same_file(lab: Lab, export):
    image = lab.image("x", noise((9, 9), "uint16"))
    first = {name: path.read_bytes() for name, path in export(typed("image", image, by="id"))[0].items()}
    second = {name: path.read_bytes() for name, path in export(typed("image", image, by="id"))[0].items()}
    assert first == second
    assert len(first) == 1


def test_images_of_one_name_do_not_collide(lab: Lab, export):
    dataset = lab.container("Dataset", "d")
    images = [lab.image("same/name", np.full((2, 2), number, np.uint8), dataset) for number in range(2)]
    files, _ = export(typed("dataset", "d"))
    assert [tifffile.imread(files[f"Image_{image}_same_name.ome.tiff"])[0, 0] for image in images] == [0, 1]


def test_an_image_that_cannot_be_read_leaves_no_file_behind(lab: Lab, export, tmp_path: Path, monkeypatch):
    dataset = lab.container("Dataset", "d")
    for number in range(3):
        lab.image(f"im {number}", noise((20, 20), "uint8"), dataset)

    def refuse() -> None:
        raise UserError("image 2: OMERO cannot deliver its pixels")

    fail_at(monkeypatch, image_export, "check_pixels", 2, refuse)
    with pytest.raises(UserError, match="cannot deliver"):
        export(typed("dataset", "d"))
    assert not list((tmp_path / "images").glob("*"))
    statuses = [row["status"] for row in read_rows(tmp_path / "meta.tsv")]
    assert statuses == ["taken back", "failed: image 2: OMERO cannot deliver its pixels", "not done"]


def test_every_image_that_does_not_have_what_was_chosen_is_named(lab: Lab, export, tmp_path: Path):
    dataset = lab.container("Dataset", "d")
    for number, name in enumerate(("DAPI", "GFP", "DAPI", "RFP")):
        lab.image(f"im {number}", np.zeros((2, 2), np.uint8), dataset, [name])
    form = {"kind": "ome_tiff", "selection": {"channels": "DAPI"}}
    with pytest.raises(UserError, match=r"'im 1': no channel 'DAPI'.* 1 more failed: the column status says why"):
        export(typed("dataset", "d"), format=form)
    statuses = [row["status"] for row in read_rows(tmp_path / "meta.tsv")]
    assert [status[:8] for status in statuses] == ["not done", "failed: ", "not done", "failed: "]
    assert (
        "'im 3': no channel 'DAPI'. Give one of these by its name, or by its index counted from 0: 0: RFP"
        in statuses[3]
    )


def test_a_connection_that_breaks_leaves_no_file_behind(
    lab: Lab, export, tmp_path: Path, monkeypatch, proxy: CuttingProxy
):
    monkeypatch.setattr(omero_pixels, "WINDOW", 2)
    monkeypatch.setattr(omero_reconnect, "WAITS", (0.01, 0.01))
    dataset = lab.container("Dataset", "d")
    for number in range(4):
        lab.image(f"im {number}", noise((20, 20), "uint8"), dataset)
    fail_at(monkeypatch, image_export, "write_ome_tiff", 2, proxy.cut)
    with pytest.raises(UserError, match="the connection broke while the tool was at work"):
        export(typed("dataset", "d"), omero_host=proxy.address)
    assert not list((tmp_path / "images").glob("*"))
    monkeypatch.undo()
    lab.sign_in()
    files, _ = export(typed("dataset", "d"))
    assert len(files) == 4


def test_tiles_in_memory_stay_few(lab: Lab, export, monkeypatch):
    monkeypatch.setattr(image_export, "TILE", 16)
    held: list[int] = []
    balance = [0]
    original_read = omero_pixels._Stores.read
    original_tiles = image_export.fetch_tiles

    def read(*args):
        balance[0] += 1
        held.append(balance[0])
        return original_read(*args)

    def tiles(*args):
        for tile in original_tiles(*args):
            balance[0] -= 1
            yield tile

    monkeypatch.setattr(omero_pixels._Stores, "read", read)
    monkeypatch.setattr(image_export, "fetch_tiles", tiles)
    image = lab.image("large", noise((200, 200), "uint8"))
    export(typed("image", image, by="id"))
    assert len(held) == 13 * 13
    assert max(held) <= omero_pixels.WINDOW


def test_metadata_of_many_images_take_a_fixed_number_of_queries(lab: Lab, monkeypatch):
    from bioimage_suite.omero.session import Session, open_session

    images = [lab.image(str(number), np.zeros((2, 2), np.uint8)) for number in range(5)]
    calls = []
    for name in ("rows", "objects"):
        original = getattr(Session, name)
        monkeypatch.setattr(Session, name, lambda *a, _o=original, **k: calls.append(a) or _o(*a, **k))
    with open_session(lab.address) as session:
        found = omero_image_details.load_image_details(session, images[::-1])
    assert [image.image_id for image in found] == images[::-1]
    assert len(calls) <= 5


def test_nothing_to_export_is_an_error(lab: Lab, export):
    lab.container("Dataset", "empty")
    with pytest.raises(UserError, match="dataset empty: holds no image"):
        export(typed("dataset", "empty"))


def test_the_target_may_be_a_whole_project(lab: Lab, export):
    dataset = lab.container("Dataset", "d")
    lab.image("im", np.zeros((2, 2), np.uint8), dataset)
    project = lab.container("Project", "p")
    link(lab.session, "ProjectDatasetLinkI", omero.model.ProjectI(project, False), omero.model.DatasetI(dataset, False))
    assert len(export(typed("project", "p"))[0]) == 1
