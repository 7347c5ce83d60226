"""OME-Zarr: folders, metadata and pixels, without any image model."""
