"""OMERO's data model, taken from omero-py's own class definitions: entities, properties, tables."""
