"""Files to import."""

import numpy as np
import tifffile

SHAPE = (2, 3, 2, 20, 30)  # T, C, Z, Y, X
ARRAY = np.random.default_rng(0).integers(0, 65535, SHAPE, dtype=np.uint16)


def write_tiff(folder, name="stack.ome.tif"):
    metadata = {
        "axes": "TCZYX",
        "PhysicalSizeX": 65.0,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 0.13,
        "PhysicalSizeYUnit": "µm",
        "PhysicalSizeZ": 0.5,
        "PhysicalSizeZUnit": "µm",
        "Channel": {"Name": ["DAPI", "GFP", "RFP"], "EmissionWavelength": [461, 509, 600]},
        "Name": "inner name",
    }
    tifffile.imwrite(folder / name, ARRAY, metadata=metadata, photometric="minisblack")
    return folder / name
