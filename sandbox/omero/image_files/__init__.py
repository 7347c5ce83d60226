"""Read microscopy images by tile: a file's metadata, and the pixels of one region at a time.

Begin with `open_image_file(path)`. Nothing here depends on OMERO's protocol.
"""

from sandbox.omero.image_files.description import (
    ChannelDescription,
    ImageFileError,
    OmeSource,
    PlateDescription,
    Quantity,
    SeriesDescription,
)
from sandbox.omero.image_files.ome_xml import read_date
from sandbox.omero.image_files.opening import ImageFile, open_image_file
from sandbox.omero.image_files.series_reader import SeriesReader

__all__ = [
    "ChannelDescription",
    "ImageFile",
    "ImageFileError",
    "OmeSource",
    "PlateDescription",
    "Quantity",
    "SeriesDescription",
    "SeriesReader",
    "open_image_file",
    "read_date",
]
