"""Images in OMERO: finding, details, pixels, export."""
