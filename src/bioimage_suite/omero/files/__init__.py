"""Files in OMERO: filesets, imports, original files."""
