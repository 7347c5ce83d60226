"""What OMERO's data consist of, taken from omero-py's own class definitions: entities, properties, tables."""
