"""Pages of one image that are stored in several ways are each read by their own tags; other pixels are refused."""

import numpy as np
import pytest
import tifffile

from bioimage_suite.core.errors import UserError
from bioimage_suite.images.readers.opening import open_image, open_images

PIXELS = np.random.default_rng(7).integers(0, 60000, (12, 16, 20)).astype(np.uint16)
ODD = 5
GREY = {"photometric": "minisblack"}
STORED = [{"compression": "lzw"}, {"compression": "zlib", "predictor": 2}, {"compression": "zstd"}]


def document(count):
    return (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="20" SizeY="16" SizeZ="{count}" SizeC="1" '
        'SizeT="1"><TiffData/></Pixels></Image></OME>'
    )


def written(path, described, planes=PIXELS, odd=None, **choices):
    """Write a page for each plane, one of them with other pixels or choices of the writer."""
    with tifffile.TiffWriter(path) as tiff:
        for number, plane in enumerate(planes):
            here = odd if number == ODD and odd is not None else plane
            tiff.write(here, contiguous=False, metadata=None, description=described if number == 0 else None,
                       **{**GREY, **(choices if number == ODD else {})})  # fmt: skip
    return path


@pytest.mark.parametrize("described", [document(12), None], ids=["OME", "plain"])
@pytest.mark.parametrize("choices", STORED)
def test_a_page_that_is_stored_in_another_way_is_read_by_its_own_tags(described, choices, tmp_path):
    image = open_image(written(tmp_path / "a.tiff", described, **choices))
    axis = "z" if described else "t"
    found = np.stack([image.read_plane(**{axis: number}) for number in range(len(PIXELS))])
    np.testing.assert_array_equal(found, PIXELS)


@pytest.mark.parametrize(
    ("odd", "choices"),
    [
        ((PIXELS[ODD] >> 8).astype(np.uint8), {}),
        (PIXELS[ODD].view(np.int16), {}),
        (PIXELS[ODD].view(np.float16), {}),
        (PIXELS[ODD, :8], {}),
        (PIXELS[ODD], {"photometric": "miniswhite"}),
        (np.dstack([PIXELS[ODD]] * 3), {"photometric": "rgb"}),
    ],
)
def test_a_page_of_other_pixels_is_no_plane_of_the_same_image(odd, choices, tmp_path):
    path = written(tmp_path / "a.tiff", document(12), odd=odd, **choices)
    with pytest.raises(
        UserError, match=r"Image a.tiff: its page 5 has other pixels \(.*\) than page 0 \(16 x 20, uint16"
    ):
        open_image(path)


@pytest.mark.parametrize(("pixels", "kind"), [(PIXELS[:2], "uint16"), (PIXELS[:2] > 30000, "bit")])
def test_files_of_a_set_may_be_stored_in_several_ways(pixels, kind, tmp_path):
    data = "".join(
        f'<TiffData FirstZ="{number}" PlaneCount="1"><UUID FileName="{number}.ome.tiff">urn:uuid:0000000{number}-1111-'
        "1111-1111-111111111111</UUID></TiffData>"
        for number in range(2)
    )
    for number in range(2):
        own = f'<OME UUID="urn:uuid:0000000{number}-1111-1111-1111-111111111111" '
        text = document(2).replace("<TiffData/>", data).replace("<OME ", own).replace("uint16", kind)
        tifffile.imwrite(tmp_path / f"{number}.ome.tiff", pixels[number], metadata=None, description=text, **GREY,
                         byteorder="<>"[number], compression=[None, "zlib"][number])  # fmt: skip
    image = open_image(tmp_path / "0.ome.tiff")
    np.testing.assert_array_equal([image.read_plane(z=number) for number in range(2)], pixels)


@pytest.mark.parametrize("images", [3, 11])
def test_pages_that_imagej_does_not_count_are_read_all_the_same(images, tmp_path, capsys):
    path = written(tmp_path / "a.tiff", f"ImageJ=1.53\nimages={images}\nslices={images}\n")
    assert open_image(path).size_t == len(PIXELS)
    assert "its 12 pages have no axes" in capsys.readouterr().out


@pytest.mark.parametrize("colours", ["cielab", "icclab"])
def test_lightness_and_two_differences_are_not_taken_for_red_green_and_blue(colours, tmp_path):
    tifffile.imwrite(tmp_path / "a.tiff", np.zeros((8, 8, 3), np.uint8), photometric=colours)
    with pytest.raises(UserError, match=r"Image a.tiff: its colours are stored as lightness .* Save it as RGB"):
        open_image(tmp_path / "a.tiff")


def test_samples_are_called_by_colours_only_where_the_page_is_a_picture_in_colours(tmp_path):
    pixels = np.zeros((8, 8, 4), np.uint8)
    tifffile.imwrite(tmp_path / "a.tiff", pixels, photometric="rgb", extrasamples=["unassalpha"])
    assert open_image(tmp_path / "a.tiff").channels == ("Red", "Green", "Blue", "Alpha")
    tifffile.imwrite(tmp_path / "a.tiff", pixels, **GREY, planarconfig="contig", extrasamples=[0, 0, 0])
    assert open_image(tmp_path / "a.tiff").channels == (None,) * 4
    tifffile.imwrite(tmp_path / "a.tiff", pixels[..., :2], **GREY, planarconfig="contig", extrasamples=["unassalpha"])
    assert open_image(tmp_path / "a.tiff").channels == ("Grey", "Alpha")


def test_a_file_without_a_page_is_damaged(tmp_path):
    tifffile.imwrite(tmp_path / "a.tiff", PIXELS[0], bigtiff=True)
    data = bytearray((tmp_path / "a.tiff").read_bytes())
    data[8:16] = bytes(8)  # where the first page begins
    (tmp_path / "a.tiff").write_bytes(data)
    for opened in (open_image, open_images):
        with pytest.raises(UserError, match=r"Image a.tiff: the TIFF file is damaged or cut short"):
            opened(tmp_path / "a.tiff")
