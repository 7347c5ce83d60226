"""OMERO's binary repository: where files and pixels lie, how they are read, written and removed."""
