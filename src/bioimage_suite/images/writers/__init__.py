"""Writers of OME-TIFF, OME-Zarr and label maps, and the OME documents in them."""
