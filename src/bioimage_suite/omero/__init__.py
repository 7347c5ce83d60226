"""OMERO: session, objects, containers, undo."""
