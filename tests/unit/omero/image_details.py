"""An image as OMERO describes it, made up."""

from bioimage_suite.omero.images.details import Channel, ImageDetails
from bioimage_suite.omero.images.instruments import Length

MICROMETRE = Length(0.5, "µm", 0.5)


def details(names: tuple[str, ...] = ("DAPI", "GFP", "2"), **more) -> ImageDetails:
    channels = tuple(Channel(name, None, None, None) for name in names)
    values = {"size_x": 100, "size_y": 60, "size_z": 8, "size_c": len(names), "size_t": 3, "pixel_type": "uint16"}
    values |= {"physical_x": MICROMETRE, "physical_y": MICROMETRE, "physical_z": None, **more}
    return ImageDetails(
        image_id=7, name="im", description=None, acquired=None, pixels_id=9, channels=channels, **values
    )
