"""OMERO.web from PyPI, unmodified, with iviewer, figure and vitessce: the field's own pages on the OMERO sandbox."""
