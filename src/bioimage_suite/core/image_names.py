"""Names of images: `Image_<id>_<name>` links a file to its OMERO image; suffixes of image files and tables."""

import re

from bioimage_suite.core.texts import whole_number

LONGEST_NAME = 120  # Characters: with id and suffix far below the limit of 255 bytes for a file name.
SUFFIXES = (
    *(".ome.tiff", ".ome.tif", ".ome.btf", ".ome.tf8", ".ome.tf2", ".tiff", ".tif", ".btf", ".tf8", ".tf2"),
    *(".ome.zarr.zip", ".ome_zarr.zip", ".zarr.zip", ".ome.zarr", ".ome_zarr", ".zarr", ".ozx", ".companion.ome"),
    *(".ome.xml", ".ome", ".png", ".jpeg", ".jpg", ".jp2", ".jpx", ".bmp", ".gif", ".webp"),
    # Formats of microscopes, as Bio-Formats knows them.
    *(".czi", ".zvi", ".lsm", ".nd2", ".nd", ".lif", ".lof", ".xlef", ".dv", ".r3d", ".ims", ".vsi", ".oib", ".oif"),
    *(".oir", ".sld", ".sldy", ".stk", ".htd", ".mes", ".mea", ".flex", ".xdce", ".ics", ".ids", ".ipl", ".ipw"),
    *(".svs", ".ndpi", ".ndpis", ".mrxs", ".scn", ".bif", ".qptiff", ".vms", ".afi", ".lei", ".liff", ".mvd2", ".obf"),
    *(".msr", ".rcpnl", ".cxd", ".pcoraw", ".spe", ".tnb", ".mnc", ".mrc", ".map", ".dm2", ".dm3", ".dm4", ".al3d"),
    *(".nii.gz", ".nii", ".nrrd", ".nhdr", ".hdr", ".img", ".dcm", ".dicom", ".fits", ".ch5", ".h5", ".klb", ".inr"),
    *(".avi", ".mov", ".mng", ".seq", ".sif", ".c01", ".dib", ".frm", ".am", ".gel", ".raw", ".pic", ".zip"),
    *(".geojson", ".json", ".tabular", ".tsv", ".csv"),  # Files with objects of an image.
)
"""Suffixes that a file gains or loses when it is converted; a longer one stands before one that ends it."""
_IDENTIFIER = re.compile(r"Image_([0-9]+)(?![^\W_])(.*)", re.DOTALL)


def safe_name(name: str) -> str:
    """Make a name safe for files and Galaxy identifiers: ASCII letters, digits, `.`, `-` and single `_`.

    >>> safe_name("a/b: ä [Series 1].lif")
    'a_b_Series_1_.lif'
    """
    return re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("_")[:LONGEST_NAME]


def image_identifier(image_id: int | str, name: str = "") -> str:
    """Return the identifier of an image from OMERO.

    >>> image_identifier(12, "nuclei 01.tif"), image_identifier(12, "核")
    ('Image_12_nuclei_01.tif', 'Image_12')
    """
    return f"Image_{image_id}_{safe_name(name)}".rstrip("_")


def object_identifier(kind: str, number: int, name: str) -> str:
    """Return the name for files of an object in OMERO: `Image_<id>_<name>`, `Dataset_<id>_<name>`.

    >>> object_identifier("image", 7, "a b"), object_identifier("well", 8, "")
    ('Image_7_a_b', 'Well_8')
    """
    return image_identifier(number, name).replace("Image", kind.capitalize(), 1)


def parse_image_identifier(identifier: str) -> int | None:
    """Return the id of the OMERO image that a file belongs to, or None if its name has none.

    >>> parse_image_identifier("Image_12_nuclei_01.tif"), parse_image_identifier("Image_12.ome.tiff")
    (12, 12)
    >>> parse_image_identifier("nuclei_01.tif"), parse_image_identifier("Image_12a")
    (None, None)
    """
    match = _IDENTIFIER.match(identifier)
    return whole_number(match[1]) if match else None


def name_in_identifier(identifier: str) -> str:
    """Return the image's name within its identifier; "" if there is no identifier, or only an id and a suffix.

    >>> name_in_identifier("Image_12_nuclei_01.tif"), name_in_identifier("Image_12-a.tif")
    ('nuclei_01.tif', 'a.tif')
    >>> name_in_identifier("Image_12.ome.tiff"), name_in_identifier("nuclei_01.tif")
    ('', '')
    """
    match = _IDENTIFIER.match(identifier)
    name = match[2].strip("_").removeprefix("-") if match else ""
    return name if without_suffix(name) else ""


def without_suffix(name: str) -> str:
    """Return the name of a file without the suffix of its format, in lower or upper case; others are kept.

    >>> without_suffix("cell.ome.tiff"), without_suffix("slide.NDPI"), without_suffix("scan_1.5um")
    ('cell', 'slide', 'scan_1.5um')
    """
    lower = name.lower()
    if not lower.endswith(SUFFIXES):
        return name
    return name[: -len(next(suffix for suffix in SUFFIXES if lower.endswith(suffix)))]
