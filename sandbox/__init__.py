"""An OMERO and a Galaxy that fit on a laptop, for the demo, for training and for the tests."""
