"""ROIs, shapes and label maps in OMERO."""
