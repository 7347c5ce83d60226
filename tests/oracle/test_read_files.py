"""What we read is what Bio-Formats reads: sizes, pixels, physical sizes and names, of files of many kinds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import convert_image
import numpy as np
import pytest
import tifffile
from PIL import Image

from bioimage_suite.core.errors import UserError
from bioimage_suite.core.units import micrometres
from bioimage_suite.images.model.series import Reading
from bioimage_suite.images.readers.opening import open_image, open_images
from tests.oracle.bioformats import BioFormats, OracleError, Series, checksum
from tests.oracle.png_files import write_png
from tests.unit.images.tiff_files import write_stk
from tests.unit.images.vendor_files import write_lif

if TYPE_CHECKING:
    from bioimage_suite.images.model.image_file import ImageFile

DATA = Path(__file__).parents[2] / "test-data"
STACK = np.random.default_rng(0).integers(0, 999, (2, 3, 4, 20, 30)).astype("u2")  # T, C, Z, Y, X


def ours(image: ImageFile) -> tuple[dict[str, int], dict[tuple[int, int, int], int]]:
    sizes = {axis: getattr(image, f"size_{axis.lower()}") for axis in "XYZCT"}
    places = np.ndindex(image.size_t, image.size_c, image.size_z)
    return sizes, {place: checksum(image.read_plane(*place)) for place in places}


def assert_same(image: ImageFile, series: Series, *, lengths: bool = True) -> None:
    """Compare sizes, all pixels and, if wanted, the physical sizes."""
    sizes, planes = ours(image)
    assert sizes == series.sizes
    assert planes == series.planes
    if lengths:
        found = {axis: (size.value, size.unit) for axis, size in image.physical_size.items()}
        assert found.keys() == series.physical.keys()
        for axis, (value, unit) in series.physical.items():
            assert found[axis] == (pytest.approx(value), unit)


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.glob("*.ome.tiff")))
def test_ome_tiff_of_the_suite(oracle: BioFormats, file: str):
    images, seen = open_images(DATA / file), oracle.read(DATA / file).series
    for image, series in zip(images, seen, strict=True):
        assert_same(image, series)


@pytest.mark.parametrize("file", ["synthetic_imagej.tiff", "synthetic_rgb.png", "ihc.png"])
def test_pictures_and_stacks(oracle: BioFormats, file: str):
    assert_same(open_image(DATA / file), oracle.read(DATA / file).series[0])


@pytest.mark.parametrize("file", ["made.czi", "made.dv", "made.lif", "made.nd2"])
def test_makers_formats(oracle: BioFormats, file: str):
    """Of the made ND2 and CZI Bio-Formats finds fewer metadata than their own readers."""
    series = oracle.read(DATA / file).series[0]
    image = open_image(DATA / file)
    if file == "made.nd2":  # one time point for Bio-Formats: compare those
        _, planes = ours(image)
        assert {place: planes[place] for place in series.planes} == series.planes
    else:
        assert_same(image, series, lengths=file != "made.czi")


@pytest.mark.parametrize("order", ["TZCYX", "TCZYX", "CTZYX", "ZTCYX", "CZTYX"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_orders_of_planes(tmp_path, oracle, order, compression):
    pixels = STACK.transpose(["TCZYX".index(axis) for axis in order])
    tifffile.imwrite(
        tmp_path / "a.ome.tif", pixels, ome=True, photometric="minisblack", compression=compression,
        metadata={"axes": order},
    )  # fmt: skip
    assert_same(open_image(tmp_path / "a.ome.tif"), oracle.read(tmp_path / "a.ome.tif").series[0])


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("samples", [3, 4])
def test_colours(tmp_path, oracle, planar, samples, compression):
    shape = (20, 30, samples) if planar == "contig" else (samples, 20, 30)
    pixels = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb", planarconfig=planar, compression=compression,
        extrasamples=["unassalpha"] * (samples - 3), metadata=None,
    )  # fmt: skip
    image, series = open_image(tmp_path / "a.tif"), oracle.read(tmp_path / "a.tif").series[0]
    assert_same(image, series, lengths=False)  # tifffile's default resolution is 1 µm for Bio-Formats
    assert series.rgb
    assert image.read_interleaved is not None


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i2"])
def test_white_is_zero(tmp_path, oracle, dtype):
    pixels = np.arange(600).reshape(20, 30).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite", metadata=None)
    assert_same(open_image(tmp_path / "a.tif"), oracle.read(tmp_path / "a.tif").series[0], lengths=False)


def test_truth_values_are_read_as_they_are_stored(tmp_path, oracle, capsys):
    """tifffile writes a mask with true as black: Bio-Formats and OMERO show it inverted, tools say so."""
    mask = np.arange(600).reshape(20, 30) % 7 == 0
    tifffile.imwrite(tmp_path / "a.tif", mask, metadata=None)
    image, series = open_image(tmp_path / "a.tif"), oracle.read(tmp_path / "a.tif").series[0]
    np.testing.assert_array_equal(image.read_plane(0, 0, 0), mask)
    assert series.planes == {(0, 0, 0): checksum((~mask).astype("u1"))}
    assert "OMERO shows them inverted" in " ".join((*image.notes, capsys.readouterr().out))


def test_pages_without_axes(tmp_path, oracle):
    tifffile.imwrite(tmp_path / "a.tif", STACK[0, 0], photometric="minisblack", metadata=None)
    assert_same(open_image(tmp_path / "a.tif"), oracle.read(tmp_path / "a.tif").series[0], lengths=False)


@pytest.mark.parametrize(("unit", "resolution"), [("CENTIMETER", 20_000), ("CENTIMETER", 400), ("INCH", 50_800)])
def test_resolution_tags(tmp_path, oracle, unit, resolution):
    tifffile.imwrite(
        tmp_path / "a.tif", STACK[0, 0, 0], resolution=(resolution, resolution), resolutionunit=unit, metadata=None
    )
    assert_same(open_image(tmp_path / "a.tif"), oracle.read(tmp_path / "a.tif").series[0])


@pytest.mark.parametrize(("unit", "resolution"), [("CENTIMETER", 1), ("INCH", 72), ("INCH", 300)])
def test_resolutions_for_printing_are_no_sizes(tmp_path, unit, resolution):
    """Bio-Formats makes 10 mm, 0.35 mm and 0.08 mm of them; no microscope wrote these."""
    tifffile.imwrite(
        tmp_path / "a.tif", STACK[0, 0, 0], resolution=(resolution, resolution), resolutionunit=unit, metadata=None
    )
    assert open_image(tmp_path / "a.tif").physical_size == {}


@pytest.mark.parametrize("spacing", [-0.5, 0, 1.5])
def test_spacing_of_imagej(tmp_path, oracle, spacing):
    tifffile.imwrite(
        tmp_path / "a.tif", STACK[0, 0], imagej=True, resolution=(2, 2),
        metadata={"axes": "ZYX", "unit": "um", "spacing": spacing},
    )  # fmt: skip
    assert_same(open_image(tmp_path / "a.tif"), oracle.read(tmp_path / "a.tif").series[0])


def test_units_of_each_axis_of_imagej(tmp_path):
    """ImageJ's own rule (Calibration); Bio-Formats 7.3.1 takes `unit` for x and y, and µm for z."""
    tifffile.imwrite(
        tmp_path / "a.tif", STACK[0, 0], imagej=True, resolution=(2, 2),
        metadata={"axes": "ZYX", "unit": "um", "yunit": "mm", "zunit": "nm", "spacing": 500},
    )  # fmt: skip
    sizes = open_image(tmp_path / "a.tif").physical_size
    assert {axis: size.micrometres for axis, size in sizes.items()} == {"x": 0.5, "y": 500, "z": 0.5}


@pytest.mark.parametrize(
    ("wavelengths", "z", "times"),
    [
        ([405, 488, 561, 640], [0] * 4, ()),
        ([405] * 4, [0.75] * 4, ()),
        ([405] * 4, [0] * 4, [0, 1000, 2000, 3000]),
        ([405, 561, 405, 561], [0.75] * 4, ()),
    ],
)
def test_metamorph_stacks(tmp_path, oracle, wavelengths, z, times):
    write_stk(tmp_path / "movie.stk", STACK[0, 0], wavelengths, z, times)
    assert_same(open_image(tmp_path / "movie.stk"), oracle.read(tmp_path / "movie.stk").series[0])


def test_a_metamorph_stack_without_order_is_refused(tmp_path):
    write_stk(tmp_path / "movie.stk", STACK[0, 0], [405, 405, 561, 561], [0] * 4)
    with pytest.raises(UserError, match="change between 2 wavelengths in no order"):
        open_image(tmp_path / "movie.stk")


@pytest.mark.parametrize("z_step", [5e-7, -5e-7])
def test_z_steps_of_a_lif(tmp_path, oracle, z_step):
    write_lif(tmp_path / "a.lif", STACK[:, :2], z_step=z_step)
    image, series = open_image(tmp_path / "a.lif"), oracle.read(tmp_path / "a.lif").series[0]
    assert image.micrometres("z") == pytest.approx(series.physical["z"][0]) == 0.5


def multi_file(folder: Path, root: str | None) -> None:
    """An OME-TIFF of 2 channels and 3 z-planes that calls itself `old.ome.tif`."""
    uuid = "urn:uuid:11111111-1111-1111-1111-111111111111"
    xml = (
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"{f" UUID={root!r}" if root else ""}>'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" Type="uint16" DimensionOrder="XYZCT" SizeX="30" SizeY="20" '
        'SizeZ="3" SizeC="2" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><Channel ID="Channel:0:1" '
        f'SamplesPerPixel="1"/><TiffData PlaneCount="6"><UUID FileName="old.ome.tif">{uuid}</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    folder.mkdir()
    tifffile.imwrite(
        folder / "old.ome.tif", STACK[0, :2, :3].reshape(6, 20, 30), photometric="minisblack", metadata=None,
        description=xml.encode(),
    )  # fmt: skip


@pytest.mark.parametrize("root", [None, "urn:uuid:11111111-1111-1111-1111-111111111111"])
def test_a_renamed_file(tmp_path, oracle, root):
    multi_file(tmp_path / "a", root)
    shutil.move(tmp_path / "a" / "old.ome.tif", tmp_path / "dataset_1.dat")
    assert_same(open_image(tmp_path / "dataset_1.dat"), oracle.read(tmp_path / "dataset_1.dat").series[0])


def test_a_file_whose_planes_are_elsewhere(tmp_path, oracle):
    multi_file(tmp_path / "a", "urn:uuid:22222222-2222-2222-2222-222222222222")
    shutil.move(tmp_path / "a" / "old.ome.tif", tmp_path / "dataset_1.dat")
    with pytest.raises(OracleError, match=r"Missing file old\.ome\.tif"):
        oracle.read(tmp_path / "dataset_1.dat")
    with pytest.raises(UserError, match=r"its planes are in the file 'old\.ome\.tif'"):
        open_image(tmp_path / "dataset_1.dat")


def test_two_files_that_form_one_image(tmp_path, oracle):
    """Each holds a channel and repeats the document; opened by the second, as long as the first is beside it."""
    uuids = [f"urn:uuid:{digit * 8}-1111-1111-1111-111111111111" for digit in "12"]
    data = "".join(
        f'<TiffData FirstC="{c}" PlaneCount="3"><UUID FileName="{c}.ome.tif">{uuid}</UUID></TiffData>'
        for c, uuid in enumerate(uuids)
    )
    for c, uuid in enumerate(uuids):
        xml = (
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{uuid}"><Image ID="Image:0">'
            '<Pixels ID="Pixels:0" Type="uint16" DimensionOrder="XYZCT" SizeX="30" SizeY="20" SizeZ="3" SizeC="2" '
            'SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><Channel ID="Channel:0:1" SamplesPerPixel="1"/>'
            f"{data}</Pixels></Image></OME>"
        )
        tifffile.imwrite(
            tmp_path / f"{c}.ome.tif", STACK[0, c, :3], photometric="minisblack", metadata=None,
            description=xml.encode(), compression="zlib",
        )  # fmt: skip
    assert_same(open_image(tmp_path / "1.ome.tif"), oracle.read(tmp_path / "1.ome.tif").series[0], lengths=False)
    (tmp_path / "0.ome.tif").unlink()
    with pytest.raises(UserError, match="is not in this file"):
        open_image(tmp_path / "1.ome.tif")


def test_each_of_several_images(tmp_path, oracle):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tiff:
        tiff.write(STACK[0, 0], photometric="minisblack", metadata={"axes": "ZYX", "Name": "first"})
        tiff.write(STACK[1, :, 0, :9], photometric="minisblack", metadata={
            "axes": "CYX", "Name": "second", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm",
            "Channel": {"Name": ["a", "b", "c"]},
        })  # fmt: skip
    seen = oracle.read(tmp_path / "a.ome.tif").series
    with pytest.raises(UserError, match=r"it holds 2 images and none was chosen.*0: first; 1: second"):
        open_image(tmp_path / "a.ome.tif")
    for number, name in enumerate(["first", "second"]):
        for wanted in (number, str(number), name):
            assert_same(open_image(tmp_path / "a.ome.tif", reading=Reading(wanted)), seen[number])
    assert open_image(tmp_path / "a.ome.tif", reading=Reading("second")).channels == ("a", "b", "c")


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("palette", [False, True])
def test_png_of_few_bits(tmp_path, oracle, bits, palette):
    if palette and bits == 16:
        pytest.skip("PNG has no such palettes")
    pixels = np.arange(20 * 30).reshape(20, 30) % 2 ** min(bits, 10)
    write_png(tmp_path / "a.png", pixels, bits, palette)
    image, series = open_image(tmp_path / "a.png"), oracle.read(tmp_path / "a.png").series[0]
    np.testing.assert_array_equal(image.read_plane(), pixels)
    assert_same(image, series)


@pytest.mark.parametrize("form", ["jp2", "j2k", "bmp"])
@pytest.mark.parametrize("samples", [1, 3])
def test_other_pictures(tmp_path, oracle, form, samples):
    import imagecodecs

    pixels = np.random.default_rng(2).integers(0, 255, (20, 30, samples), dtype=np.uint8).squeeze()
    if form == "bmp":
        data = imagecodecs.bmp_encode(pixels)
    else:
        data = imagecodecs.jpeg2k_encode(pixels, codecformat=form, reversible=True, level=0)
    (tmp_path / f"a.{form}").write_bytes(data)
    image, series = open_image(tmp_path / f"a.{form}"), oracle.read(tmp_path / f"a.{form}").series[0]
    for c, plane in enumerate([pixels] if samples == 1 else np.moveaxis(pixels, -1, 0)):
        np.testing.assert_array_equal(image.read_plane(0, c), plane)
    assert_same(image, series, lengths=form != "bmp")  # a BMP has a resolution for screens


def test_jpeg_2000_with_a_palette(tmp_path, oracle):
    """The numbers of its entries, as those of PNG, TIFF and BMP: its boxes `pclr` and `cmap` make colours of them."""
    import imagecodecs

    pixels = np.random.default_rng(2).integers(0, 3, (20, 30), dtype=np.uint8)
    data = imagecodecs.jpeg2k_encode(pixels, codecformat="jp2", reversible=True, level=0)
    palette = b"pclr\x00\x03\x03\x07\x07\x07" + bytes([255, 0, 0, 0, 255, 0, 0, 0, 255])
    columns = b"cmap" + b"".join(bytes([0, 0, 1, number]) for number in range(3))
    boxes = b"".join((len(box) + 4).to_bytes(4, "big") + box for box in (palette, columns))
    at = data.index(b"jp2h") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    head = (length + len(boxes)).to_bytes(4, "big") + data[at + 4 : at + length] + boxes
    (tmp_path / "a.jp2").write_bytes(data[:at] + head + data[at + length :])
    image = open_image(tmp_path / "a.jp2")
    np.testing.assert_array_equal(image.read_plane(), pixels)
    assert_same(image, oracle.read(tmp_path / "a.jp2").series[0])


@pytest.mark.parametrize("compression", [None, "lzw", "packbits"])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_inks_of_a_tiff(tmp_path, oracle, dtype, compression):
    """Bio-Formats inverts them."""
    pixels = np.random.default_rng(3).integers(0, 255, (20, 30, 4)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="separated", compression=compression, metadata=None)
    image = open_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.read_plane(0, 3), ~pixels[..., 3])
    assert (image.channels, image.read_interleaved) == ((None,) * 4, None)
    assert_same(image, oracle.read(tmp_path / "a.tif").series[0], lengths=False)


def test_inks_of_a_jpeg(tmp_path, capsys):
    colours = np.repeat(np.repeat(np.random.default_rng(3).integers(0, 255, (3, 4, 3)), 16, 0), 16, 1).astype("u1")
    Image.fromarray(colours).convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    image = open_image(tmp_path / "a.jpg")
    assert image.channels == ("Red", "Green", "Blue")
    assert "inks for printing" in capsys.readouterr().out
    found = image.read_colour(0, 0, slice(0, 48), slice(0, 64)).astype(int)
    np.testing.assert_allclose(found, np.asarray(Image.open(tmp_path / "a.jpg").convert("RGB")), atol=1)


@pytest.mark.parametrize("compression", [None, "lzw", "jpeg"])
def test_brightness_and_colour_differences(tmp_path, oracle, compression):
    """Bio-Formats 7.3.1 shows other colours than Pillow, which wrote them, unless they are in JPEG."""
    colours = np.repeat(np.repeat(np.random.default_rng(3).integers(0, 255, (4, 4, 3)), 16, 0), 16, 1).astype("u1")
    if compression == "jpeg":
        tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb", compression="jpeg", metadata=None)
        assert_same(open_image(tmp_path / "a.tif"), oracle.read(tmp_path / "a.tif").series[0], lengths=False)
        return
    said = {"compression": "tiff_lzw"} if compression else {}
    Image.fromarray(colours).convert("YCbCr").save(tmp_path / "a.tif", **said)
    with pytest.raises(UserError, match="brightness and two differences"):
        open_image(tmp_path / "a.tif")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
def test_png_with_transparency(tmp_path, oracle, mode):
    colours = np.random.default_rng(3).integers(0, 255, (20, 30, 3)).astype("u1")
    said = {"transparency": (1, 2, 3) if mode == "RGB" else 1} if mode in {"L", "RGB", "P"} else {}
    Image.fromarray(colours).convert(mode).save(tmp_path / "a.png", **said)
    image, series = open_image(tmp_path / "a.png"), oracle.read(tmp_path / "a.png").series[0]
    assert (image.read_interleaved is not None) == (image.size_c > 1)
    assert_same(image, series)


def test_an_ome_tiff_that_does_not_say_where_its_planes_are(tmp_path, oracle):
    """They follow each other."""
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'Type="uint16" DimensionOrder="XYZCT" SizeX="30" SizeY="20" SizeZ="2" SizeC="3" SizeT="1" PhysicalSizeX="0.5">'
        '<Channel ID="Channel:0:0" SamplesPerPixel="1"/><Channel ID="Channel:0:1" SamplesPerPixel="1"/>'
        '<Channel ID="Channel:0:2" SamplesPerPixel="1"/></Pixels></Image></OME>'
    )
    pixels = STACK[0, :, :2].reshape(6, 20, 30)
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, photometric="minisblack", metadata=None, description=xml.encode())
    assert_same(open_image(tmp_path / "a.ome.tif"), oracle.read(tmp_path / "a.ome.tif").series[0])


@pytest.mark.parametrize("said", ["slices=5", "channels=2\nslices=2", "frames=9"])
def test_an_imagej_stack_whose_numbers_do_not_fit(tmp_path, oracle, said):
    """It is a stack of all its pages."""
    tifffile.imwrite(tmp_path / "a.tif", STACK[0, 0].repeat(2, axis=0)[:6], photometric="minisblack", metadata=None,
                     description=f"ImageJ=1.53t\nimages=6\n{said}\n")  # fmt: skip
    image = open_image(tmp_path / "a.tif")
    assert image.size_t == 6
    assert_same(image, oracle.read(tmp_path / "a.tif").series[0], lengths=False)


@pytest.mark.parametrize("axis", "TZC")
@pytest.mark.parametrize("steps", [6, 3])
def test_axes_within_axes_count_as_one(tmp_path, oracle, axis, steps):
    """Lifetimes, angles, wavelengths: `Modulo` annotations, which conversion keeps."""
    sizes = " ".join(f'Size{one}="{6 if one == axis else 1}"' for one in "ZCT")
    channels = "".join(f'<Channel ID="Channel:0:{n}" SamplesPerPixel="1"/>' for n in range(6 if axis == "C" else 1))
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        f'Type="uint16" DimensionOrder="XYZCT" SizeX="30" SizeY="20" {sizes}>{channels}<TiffData/></Pixels>'
        '<AnnotationRef ID="Annotation:1"/></Image><StructuredAnnotations><XMLAnnotation ID="Annotation:1" '
        'Namespace="openmicroscopy.org/omero/dimension/modulo"><Value><Modulo '
        'namespace="http://www.openmicroscopy.org/Schemas/Additions/2011-09">'
        f'<ModuloAlong{axis} Type="lifetime" Unit="ps" Start="0" End="{steps - 1}" Step="1"/></Modulo></Value>'
        "</XMLAnnotation></StructuredAnnotations></OME>"
    )
    pixels = np.random.default_rng(5).integers(0, 999, (6, 20, 30)).astype("u2")
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, photometric="minisblack", metadata=None, description=xml.encode())
    convert_image.main([f"--image={tmp_path / 'a.ome.tif'}", "--format=ome-tiff", f"--output={tmp_path / 'b.ome.tif'}"])
    for name in "ab":
        image = open_image(tmp_path / f"{name}.ome.tif")
        assert_same(image, oracle.read(tmp_path / f"{name}.ome.tif").series[0])
        assert f"ModuloAlong{axis}" in image.details["ome_xml"]


def test_pixels_of_an_electron_microscope(tmp_path, oracle):
    """FEI's are in metres; Bio-Formats gives millimetres."""
    said = "[User]\r\nUser=ada\r\n[System]\r\nType=DualBeam\r\n[Scan]\r\nPixelWidth=2.5e-009\r\nPixelHeight=5e-009\r\n"
    tifffile.imwrite(tmp_path / "a.tif", STACK[0, 0, 0], metadata=None, extratags=[(34682, "s", 0, said, True)])
    image, series = open_image(tmp_path / "a.tif"), oracle.read(tmp_path / "a.tif").series[0]
    assert_same(image, series, lengths=False)
    for axis, expected in (("x", 0.0025), ("y", 0.005)):
        assert image.micrometres(axis) == pytest.approx(expected)
        assert micrometres(*series.physical[axis]) == pytest.approx(expected)
    assert ("microscope", "Model", "DualBeam", "") in image.details["facts"]


def test_pixels_of_an_electron_microscope_of_zeiss(tmp_path):
    """Bio-Formats 7.3.1 does not read its tag."""
    said = "\r\n0\r\n0\r\n0\r\n2.5e-9\r\nAP_PIXEL_SIZE\r\nPixel Size = 2.5 nm\r\n"
    tifffile.imwrite(tmp_path / "a.tif", STACK[0, 0, 0], metadata=None, extratags=[(34118, "s", 0, said, True)])
    image = open_image(tmp_path / "a.tif")
    assert [(one.value, one.unit) for one in image.physical_size.values()] == [(2.5, "nm")] * 2
    assert image.details["format"] == "Zeiss SEM TIFF"
