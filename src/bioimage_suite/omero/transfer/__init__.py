"""Transfer of objects between OMERO servers."""
