"""Annotations in OMERO: tags, key-value pairs, attachments."""
