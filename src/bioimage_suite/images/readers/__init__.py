"""Opening of image files of any format."""
