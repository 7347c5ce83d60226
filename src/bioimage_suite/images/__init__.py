"""Images on disk: the image model, readers, OME documents, pyramids, OME-Zarr, label maps."""
