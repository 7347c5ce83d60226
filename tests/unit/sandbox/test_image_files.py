"""The sandbox's reading of image files: exact pixels of any region, and what files say about themselves."""

import datetime

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.omero.image_files import ImageFileError, Quantity, open_image_file

SHAPE = (2, 3, 4, 45, 61)  # T, C, Z, Y, X


def stack(dtype="uint16", seed=0):
    generator = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return generator.normal(size=SHAPE).astype(dtype)
    return generator.integers(0, np.iinfo(dtype).max, SHAPE, dtype=dtype)


def assert_all_planes(reader, expected):
    sizes = reader.description
    assert (sizes.size_t, sizes.size_c, sizes.size_z, sizes.size_y, sizes.size_x) == expected.shape
    for t, c, z in np.ndindex(expected.shape[:3]):
        plane = reader.read_tile(0, z, c, t, 0, 0, sizes.size_x, sizes.size_y)
        assert plane.dtype == expected.dtype
        np.testing.assert_array_equal(plane, expected[t, c, z])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_ome_tiff_of_every_pixel_type(tmp_path, dtype):
    path = tmp_path / "a.ome.tiff"
    tifffile.imwrite(path, stack(dtype), metadata={"axes": "TCZYX"}, photometric="minisblack")
    assert_all_planes(open_image_file(path).series[0], stack(dtype))


@given(data=st.data(), tiled=st.booleans(), level=st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_any_tile_of_any_level(tmp_path_factory, data, tiled, level):
    folder = tmp_path_factory.getbasetemp() / f"pyramid-{tiled}"
    path = folder / "p.ome.tiff"
    base = np.random.default_rng(1).integers(0, 4096, (3, 150, 210), dtype=np.uint16)
    levels = [base, base[:, ::2, ::2], base[:, ::4, ::4]]
    if not path.exists():
        folder.mkdir(exist_ok=True)
        options = {"tile": (64, 48)} if tiled else {"rowsperstrip": 7}
        with tifffile.TiffWriter(path) as writer:
            writer.write(base, subifds=2, metadata={"axes": "CYX"}, photometric="minisblack", **options)
            for smaller in levels[1:]:
                writer.write(smaller, subfiletype=1, photometric="minisblack", **options)
    height, width = levels[level].shape[1:]
    x = data.draw(st.integers(0, width - 1))
    y = data.draw(st.integers(0, height - 1))
    w = data.draw(st.integers(1, width - x))
    h = data.draw(st.integers(1, height - y))
    c = data.draw(st.integers(0, 2))
    image = open_image_file(path)
    assert image.series[0].description.level_sizes == ((210, 150), (105, 75), (53, 38))
    tile = image.series[0].read_tile(level, 0, c, 0, x, y, w, h)
    image.close()
    np.testing.assert_array_equal(tile, levels[level][c, y : y + h, x : x + w])


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_rgb_becomes_three_channels(tmp_path, planar):
    rgb = np.random.default_rng(2).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    written = rgb if planar == "contig" else np.ascontiguousarray(rgb.transpose(2, 0, 1))
    tifffile.imwrite(tmp_path / "rgb.tif", written, photometric="rgb", planarconfig=planar)
    assert_all_planes(open_image_file(tmp_path / "rgb.tif").series[0], rgb.transpose(2, 0, 1)[None, :, None])


def test_imagej_axes_and_physical_sizes(tmp_path):
    pixels = stack()
    tifffile.imwrite(
        tmp_path / "ij.tif",
        pixels.transpose(0, 2, 1, 3, 4),
        imagej=True,
        resolution=(4, 2),
        metadata={"axes": "TZCYX", "unit": "um", "spacing": 0.7, "finterval": 2.5},
    )
    reader = open_image_file(tmp_path / "ij.tif").series[0]
    assert_all_planes(reader, pixels)
    assert reader.description.physical_size_x == Quantity(0.25, "µm")
    assert reader.description.physical_size_y == Quantity(0.5, "µm")
    assert reader.description.physical_size_z == Quantity(0.7, "µm")
    assert reader.description.time_increment == Quantity(2.5, "s")


def test_plain_pages_are_time_points(tmp_path):
    pixels = np.arange(5 * 20 * 30, dtype=np.uint16).reshape(5, 20, 30)
    with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
        for page in pixels:
            writer.write(page, metadata=None, contiguous=False, resolution=(100, 100), resolutionunit="CENTIMETER")
    reader = open_image_file(tmp_path / "pages.tif").series[0]
    assert_all_planes(reader, pixels[:, None, None])
    assert reader.description.physical_size_x == Quantity(100.0, "µm")


OME_XML = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
 <Instrument ID="Instrument:0"><Microscope Manufacturer="Zeiss" Model="Axio" Type="Inverted"/>
  <Objective ID="Objective:0" Model="Plan-Apo" NominalMagnification="63" LensNA="1.4" Immersion="Oil"/></Instrument>
 <Image ID="Image:0" Name="cells"><AcquisitionDate>2020-02-03T04:05:06</AcquisitionDate>
  <Description>two channels</Description><InstrumentRef ID="Instrument:0"/>
  <ObjectiveSettings ID="Objective:0"/>
  <Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="8" SizeY="6" SizeZ="1" SizeC="2" SizeT="1"
   PhysicalSizeX="65" PhysicalSizeXUnit="nm" PhysicalSizeY="0.13">
   <Channel ID="Channel:0:0" Name="DAPI" Color="65535" EmissionWavelength="461" ExcitationWavelength="358"/>
   <Channel ID="Channel:0:1" Name="GFP" Color="16711935" Fluor="EGFP"/><TiffData/></Pixels></Image></OME>"""


def test_ome_xml_metadata(tmp_path):
    pixels = np.arange(96, dtype=np.uint8).reshape(2, 6, 8)
    tifffile.imwrite(
        tmp_path / "m.ome.tif", pixels, description=OME_XML.encode(), metadata=None, photometric="minisblack"
    )
    description = open_image_file(tmp_path / "m.ome.tif").series[0].description
    assert description.name == "cells"
    assert description.acquisition_date == datetime.datetime(2020, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
    assert description.physical_size_x == Quantity(65.0, "nm")
    assert description.physical_size_y == Quantity(0.13, "µm")
    assert [c.name for c in description.channels] == ["DAPI", "GFP"]
    assert description.channels[0].color == (0, 0, 255, 255)
    assert description.channels[1].color == (0, 255, 0, 255)
    assert description.channels[0].emission == Quantity(461.0, "nm")
    assert description.channels[1].fluor == "EGFP"
    assert description.ome.image.get("Name") == "cells"
    assert [element.tag.rpartition("}")[2] for element in description.ome.document] == ["Instrument", "Image"]


def test_several_series(tmp_path):
    images = [np.full((10 + i, 12), i, np.uint8) for i in range(3)]
    with tifffile.TiffWriter(tmp_path / "s.ome.tif", ome=True) as writer:
        for number, image in enumerate(images):
            writer.write(image, metadata={"axes": "YX", "Name": f"field {number}"})
    opened = open_image_file(tmp_path / "s.ome.tif")
    assert [reader.description.name for reader in opened.series] == ["field 0", "field 1", "field 2"]
    for reader, image in zip(opened.series, images, strict=True):
        assert_all_planes(reader, image[None, None, None])


def write_two_files(folder):
    """Write one two-channel image into two files, as OME-TIFF allows, described by a companion file."""
    pixels = np.random.default_rng(3).integers(0, 255, (2, 20, 30), dtype=np.uint8)
    data = "".join(
        f'<TiffData FirstC="{c}" IFD="0" PlaneCount="1"><UUID FileName="c{c}.ome.tif">urn:uuid:{c}</UUID></TiffData>'
        for c in range(2)
    )
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        'UUID="urn:uuid:{}"><Image ID="Image:0" Name="pair"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" '
        'Type="uint8" SizeX="30" SizeY="20" SizeZ="1" SizeC="2" SizeT="1">'
        f'<Channel ID="Channel:0:0"/><Channel ID="Channel:0:1"/>{data}</Pixels></Image></OME>'
    )
    for c in range(2):
        description = xml.format(c).encode()
        tifffile.imwrite(folder / f"c{c}.ome.tif", pixels[c], description=description, metadata=None)
    (folder / "pair.companion.ome").write_text(xml.format(9))
    return pixels


@pytest.mark.parametrize("opened", ["c0.ome.tif", "pair.companion.ome"])
def test_image_in_two_files(tmp_path, opened):
    pixels = write_two_files(tmp_path)
    image = open_image_file(tmp_path / opened)
    assert_all_planes(image.series[0], pixels[None, :, None])
    assert {"c0.ome.tif", "c1.ome.tif"} <= {file.name for file in image.files}


def test_missing_file_of_a_set(tmp_path):
    write_two_files(tmp_path)
    (tmp_path / "c1.ome.tif").unlink()
    with pytest.raises(ImageFileError, match=r"missing: c1\.ome\.tif"):
        open_image_file(tmp_path / "c0.ome.tif")


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_png_exact(tmp_path, dtype, samples):
    from imagecodecs import png_encode

    shape = (9, 11) if samples == 1 else (9, 11, samples)
    pixels = np.random.default_rng(4).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    (tmp_path / "a.png").write_bytes(png_encode(pixels))
    expected = pixels.reshape(9, 11, samples).transpose(2, 0, 1)[None, :, None]
    assert_all_planes(open_image_file(tmp_path / "a.png").series[0], expected)


def test_a_palette_png_is_its_numbers_and_a_jpeg_is_rgb(tmp_path):
    from PIL import Image

    rgb = np.zeros((8, 8, 3), np.uint8)
    rgb[:4] = (255, 0, 0)
    Image.fromarray(rgb).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "p.png")
    Image.fromarray(rgb).save(tmp_path / "j.jpg", quality=100, subsampling=0)
    numbers = np.asarray(Image.open(tmp_path / "p.png"))
    assert_all_planes(open_image_file(tmp_path / "p.png").series[0], numbers[None, None, None])
    reader = open_image_file(tmp_path / "j.jpg").series[0]
    assert reader.description.size_c == 3
    assert abs(int(reader.read_tile(0, 0, 0, 0, 0, 0, 1, 1)[0, 0]) - 255) <= 2


def write_zarr(folder, version, pixels):
    import zarr

    group = zarr.open_group(folder, mode="w", zarr_format=2 if version == "0.4" else 3)
    for level, step in enumerate((1, 2)):
        group.create_array(str(level), data=np.ascontiguousarray(pixels[..., ::step, ::step]), chunks=(1, 1, 1, 16, 16))
    axes = [
        {"name": n, "type": k} for n, k in zip("tczyx", ("time", "channel", "space", "space", "space"), strict=True)
    ]
    for axis in axes[2:]:
        axis["unit"] = "micrometer"
    datasets = [
        {"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 0.5, 0.1 * s, 0.1 * s]}]}
        for i, s in enumerate((1, 2))
    ]
    channel = {"label": "DAPI", "color": "0000FF", "window": {"start": 1, "end": 9, "min": 0, "max": 10}}
    ome = {"multiscales": [{"name": "z", "axes": axes, "datasets": datasets, "version": version}]}
    ome["omero"] = {"channels": [channel]}
    group.attrs.update(ome if version == "0.4" else {"ome": {**ome, "version": version}})


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr(tmp_path, version):
    write_zarr(tmp_path / "a.zarr", version, stack())
    image = open_image_file(tmp_path / "a.zarr")
    reader = image.series[0]
    assert_all_planes(reader, stack())
    assert reader.description.level_sizes == ((61, 45), (31, 23))
    np.testing.assert_array_equal(reader.read_tile(1, 3, 2, 1, 0, 0, 31, 23), stack()[1, 2, 3, ::2, ::2])
    assert reader.description.physical_size_x == Quantity(0.1, "µm")
    assert reader.description.physical_size_z == Quantity(0.5, "µm")
    assert reader.description.channels[0].name == "DAPI"
    assert reader.description.channels[0].color == (0, 0, 255, 255)
    assert reader.description.channels[0].window == (1.0, 9.0)
    metadata = ".zattrs" if version == "0.4" else "zarr.json"
    assert open_image_file(tmp_path / "a.zarr" / metadata).series[0].description == reader.description


def test_zarr_collection(tmp_path):
    import zarr

    root = zarr.open_group(tmp_path / "c.zarr", mode="w", zarr_format=2)
    root.attrs["bioformats2raw.layout"] = 3
    for number in range(2):
        write_zarr(tmp_path / "c.zarr" / str(number), "0.4", stack(seed=number))
    image = open_image_file(tmp_path / "c.zarr")
    assert len(image.series) == 2
    assert_all_planes(image.series[1], stack(seed=1))


def test_region_outside_the_image(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((10, 12), np.uint8))
    reader = open_image_file(tmp_path / "a.tif").series[0]
    for region in [(0, 0, 13, 1), (0, 10, 1, 1), (-1, 0, 1, 1), (0, 0, 0, 1)]:
        with pytest.raises(IndexError, match="outside"):
            reader.read_tile(0, 0, 0, 0, *region)
    with pytest.raises(IndexError, match="resolution level 1 of 1"):
        reader.read_tile(1, 0, 0, 0, 0, 0, 1, 1)
    with pytest.raises(IndexError, match="z=1"):
        reader.read_tile(0, 1, 0, 0, 0, 0, 1, 1)


def broken_files(folder):
    tifffile.imwrite(folder / "whole.tif", np.random.default_rng(5).integers(0, 255, (200, 200), dtype=np.uint8))
    whole = (folder / "whole.tif").read_bytes()
    (folder / "truncated.tif").write_bytes(whole[: len(whole) // 2])
    tifffile.imwrite(folder / "pages.tif", stack(), metadata={"axes": "TCZYX"}, photometric="minisblack", ome=True)
    (folder / "lost pages.tif").write_bytes((folder / "pages.tif").read_bytes()[:30000])
    (folder / "header.tif").write_bytes(whole[:6])
    (folder / "noise.tif").write_bytes(bytes(range(256)) * 8)
    (folder / "text.png").write_text("not a picture")
    (folder / "empty.tif").write_bytes(b"")
    (folder / "unknown.xyz").write_text("what is this")
    tifffile.imwrite(folder / "int64.tif", np.zeros((4, 4), np.int64))
    (folder / "plain folder").mkdir()
    (folder / "broken.zarr").mkdir()
    (folder / "broken.zarr" / ".zattrs").write_text("{ not json")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("truncated.tif", "truncated"),
        ("lost pages.tif", "truncated"),
        ("header.tif", "TIFF"),
        ("noise.tif", "not a readable TIFF"),
        ("text.png", "not a readable picture"),
        ("empty.tif", "empty"),
        ("unknown.xyz", "unknown file format"),
        ("int64.tif", "int64"),
        ("plain folder", "not an OME-Zarr"),
        ("broken.zarr", "unreadable zarr metadata"),
        ("absent.tif", "no such file"),
    ],
)
def test_broken_file_is_named(tmp_path, name, message):
    broken_files(tmp_path)
    with pytest.raises(ImageFileError, match=message) as caught:
        open_image_file(tmp_path / name)
    assert name in str(caught.value)


def test_large_tiled_file_is_read_in_little_memory(tmp_path):
    """A 30,000 x 30,000 image (of one repeated tile): reading a few tiles costs a few megabytes."""
    import tracemalloc
    import zlib

    path = tmp_path / "large.tif"
    tile = zlib.compress(np.full((512, 512), 7, np.uint8))
    tiles = (tile for _ in range(59 * 59))
    options = {"shape": (30000, 30000), "dtype": np.uint8, "tile": (512, 512), "compression": "zlib"}
    tifffile.imwrite(path, tiles, **options)
    reader = open_image_file(path).series[0]
    tracemalloc.start()
    for x in range(0, 29000, 5000):
        assert (reader.read_tile(0, 0, 0, 0, x, 29000, 512, 512) == 7).all()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
