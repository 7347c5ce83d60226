"""An OMERO server in Python that speaks OMERO's protocol, for the demo, for training and for the tests."""
