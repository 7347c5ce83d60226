"""OMERO's binary repository: the places of files and pixels, their reading, writing and removal."""
