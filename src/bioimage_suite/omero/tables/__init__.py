"""OMERO.tables."""
