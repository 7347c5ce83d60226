"""Files of several images: each is found by name or index, none is taken in silence."""

from pathlib import Path

import image_info
import numpy as np
import pytest
import tifffile
import zarr

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.model.series import Reading, choose_series
from bioimage_suite.images.readers.opening import open_image, open_images
from tests.unit.images.tiff_files import write_micro_manager
from tests.unit.images.vendor_files import made_pixels, write_lif, write_nd2


@pytest.mark.parametrize(
    ("wanted", "index"), [("left", 0), ("RIGHT", 1), ("1", 1), ("2", 2), (" left ", 0), (1, 1), ("A/1/0", 2)]
)
def test_by_name_or_index(wanted, index):
    assert choose_series(["left", "right", "A/1/0"], wanted, "a") == index


@pytest.mark.parametrize(
    ("names", "wanted", "message"),
    [
        (["left", "right"], "", "it holds 2 images and none was chosen.*0: left; 1: right"),
        (["left", "right"], "2", "'2' is none of its 2 images"),
        (["a", "a"], "a", "'a' is the name of several of its 2 images"),
        (["", ""], "", "0: without a name; 1: without a name"),
        ([str(n) for n in range(60)], "", "49: 49; and 10 more"),
    ],
)
def test_none_or_several(names, wanted, message):
    with pytest.raises(UserError, match=message):
        choose_series(names, wanted, "a")


def test_an_index_is_no_name_of_another():
    """A series that is called "0" is found by that name, not the first one."""
    assert choose_series(["1", "0"], "0", "a") == 1


def test_positions_of_micro_manager(tmp_path):
    pixels = np.arange(2 * 3 * 2 * 2 * 4 * 5, dtype=np.uint16).reshape(2, 3, 2, 2, 4, 5)  # T, position, Z, C, Y, X
    path = tmp_path / "a_MMStack_Pos0.ome.tif"
    write_micro_manager(path, pixels)
    with pytest.raises(UserError, match=r"it holds 3 images.*1: position 1"):
        open_image(path)
    for position in range(3):
        image = open_image(path, reading=Reading(f"position {position}"))
        assert (image.size_t, image.size_c, image.size_z) == (2, 2, 2)
        for t, c, z in np.ndindex(2, 2, 2):
            np.testing.assert_array_equal(image.read_plane(t, c, z), pixels[t, position, z, c])


def test_images_of_a_lif(tmp_path):
    write_lif(tmp_path / "a.lif", made_pixels(), images=2)
    with pytest.raises(UserError, match=r"it holds 2 images.*0: Series 1; 1: Series 2"):
        open_image(tmp_path / "a.lif")
    first = open_image(tmp_path / "a.lif", reading=Reading("Series 1")).read_plane()
    second = open_image(tmp_path / "a.lif", reading=Reading("1")).read_plane()
    np.testing.assert_array_equal(first, made_pixels()[0, 0, 0])
    np.testing.assert_array_equal(second, made_pixels()[0, 0, 0] + 1)


def test_positions_of_an_nd2(tmp_path, monkeypatch):
    """The images share a reader, which has one scene at a time: read in turns, each gives its own pixels."""
    import nd2

    pixels = np.random.default_rng(1).integers(0, 4000, (2 * 5, 2, 3, 6, 8)).astype(np.uint16)  # time point by position
    write_nd2(tmp_path / "a.nd2", pixels, positions=5)
    translated, translate = [], nd2.ND2File.ome_metadata
    monkeypatch.setattr(nd2.ND2File, "ome_metadata", lambda *a, **k: translated.append(1) or translate(*a, **k))
    images = open_images(tmp_path / "a.nd2")
    assert len(translated) == 1  # for all positions: it goes through all frames of the file
    assert images[0].details["series"] == ["A0", "A1", "A2", "A3", "A4"]
    assert len({image.details["ome_xml"] for image in images}) == 5
    for t, c, z in np.ndindex(2, 2, 3):
        for number, image in enumerate(images):
            np.testing.assert_array_equal(image.read_plane(t, c, z), pixels[5 * t + number, c, z])


def test_scenes_of_a_czi(tmp_path):
    from pylibCZIrw import czi

    with czi.create_czi(str(tmp_path / "a.czi")) as document:
        for scene in (0, 1):
            plane = np.full((20 + scene, 30, 1), scene + 1, np.uint16)
            document.write(plane, plane={"C": 0}, scene=scene, location=(100 * scene, 0))
    with pytest.raises(UserError, match="it holds 2 images"):
        open_image(tmp_path / "a.czi")
    for scene in (0, 1):
        image = open_image(tmp_path / "a.czi", reading=Reading(scene))
        assert (image.size_y, image.size_x) == (20 + scene, 30)
        assert image.read_plane().tolist() == np.full((20 + scene, 30), scene + 1).tolist()


@pytest.mark.parametrize("tiles", [1, 2])
@pytest.mark.parametrize("scenes", [(3,), (3, 7)])
def test_scenes_of_a_czi_that_begin_anywhere(tmp_path, scenes, tiles):
    """As ZEN writes when it splits scenes into files."""
    from pylibCZIrw import czi

    with czi.create_czi(str(tmp_path / "a.czi")) as document:
        for scene in scenes:
            for tile in range(tiles):
                plane = np.full((20, 30, 1), 10 * scene + tile, np.uint16)
                document.write(plane, plane={"C": 0}, scene=scene, location=(100 * scene + 30 * tile - 350, -7))
        document.write_metadata("made", scale_x=1e-7, scale_y=1e-7)
    for index, scene in enumerate(scenes):
        image = open_image(tmp_path / "a.czi", reading=Reading(index))
        expected = np.repeat([10 * scene + tile for tile in range(tiles)], 30)
        np.testing.assert_array_equal(image.read_plane(), np.broadcast_to(expected, (20, 30 * tiles)))
    if len(scenes) == 2:
        with pytest.raises(UserError, match="0: scene 3; 1: scene 7"):
            open_image(tmp_path / "a.czi")


def multiscale(group: zarr.Group, pixels: np.ndarray) -> None:
    scale = {"datasets": [{"path": "0"}], "axes": [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [scale]}
    group.create_array("0", data=pixels)


def test_series_of_an_ome_zarr(tmp_path):
    """As bioformats2raw writes them: numbered groups."""
    root = zarr.open_group(tmp_path / "a.zarr", mode="w")
    for number in range(12):
        multiscale(root.create_group(str(number)), np.full((4, 5), number, np.uint8))
    with pytest.raises(UserError, match="it holds 12 images"):
        open_image(tmp_path / "a.zarr")
    assert open_image(tmp_path / "a.zarr", reading=Reading("10")).read_plane().max() == 10


def test_fields_of_a_plate(tmp_path):
    root = zarr.open_group(tmp_path / "a.zarr", mode="w")
    lines = {"rows": [{"name": "A"}, {"name": "B"}], "columns": [{"name": "1"}, {"name": "2"}, {"name": "3"}]}
    plate = {"name": "assay", **lines, "wells": [{"path": "A/1"}, {"path": "B/2"}]}
    root.attrs["ome"] = {"version": "0.5", "plate": plate}
    for number, well in enumerate(["A/1", "B/2"]):
        group = root.create_group(well)
        group.attrs["ome"] = {"version": "0.5", "well": {"images": [{"path": "0"}]}}
        multiscale(group.create_group("0"), np.full((4, 5), number, np.uint8))
    with pytest.raises(UserError, match="0: A/1/0; 1: B/2/0"):
        open_image(tmp_path / "a.zarr")
    assert open_image(tmp_path / "a.zarr", reading=Reading("B/2/0")).read_plane().max() == 1
    image_info.main([f"--image={tmp_path / 'a.zarr'}", f"--output={tmp_path / 'o'}"])
    lines = [line.split("\t")[:4] for line in (tmp_path / "o").read_text().splitlines()]
    for field, well in (("0: A/1/0", "A1"), ("1: B/2/0", "B2")):
        said = [line[1:] for line in lines if line[0] == f"a.zarr [{field}]"]
        assert [value for thing, _, value in said if thing == "plate"] == ["assay", "2", "3", "2", "2"]
        assert ["image", "Well", well] in said
        assert ["image", "Field", "1"] in said


def test_smaller_versions_are_no_images(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(np.zeros((40, 50), np.uint8), metadata=None)
        tiff.write(np.zeros((20, 25), np.uint8), metadata=None, subfiletype=1)
    assert open_image(tmp_path / "a.tif").size_y == 40


def test_image_info_lists_all(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tiff:
        for name, width in (("left", 8), ("right", 16)):
            tiff.write(np.zeros((8, width), np.uint8), metadata={"axes": "YX", "Name": name})
    image_info.main(
        [f"--image={tmp_path / 'a.ome.tif'}", f"--output={tmp_path / 'o'}", f"--output-xml={tmp_path / 'x'}"]
    )
    lines = (tmp_path / "o").read_text().splitlines()
    assert "a.ome.tif [0: left]\tpixels\tSizeX\t8\tpx" in lines
    assert "a.ome.tif [1: right]\tpixels\tSizeX\t16\tpx" in lines
    assert (tmp_path / "x").read_text().count("<Image ") == 2


def test_every_image_tool_takes_the_choice():
    """Each form of a tool that opens images has the two parameters."""
    tools = Path(__file__).parents[3] / "tools" / "image"
    opening = [
        xml
        for xml in tools.glob("*/*.xml")
        if "open_" in xml.with_suffix(".py").read_text() or "reading" in xml.read_text()
    ]
    assert len(opening) >= 12
    for xml in opening:
        assert "reading_params" in xml.read_text(), xml.name
        assert "@READING@" in xml.read_text(), xml.name
