"""An OMERO server in Python that speaks the real protocol, for the demo, for training and for the tests."""
