"""A laptop-sized OMERO and Galaxy, for the demo, for training and for the tests."""
