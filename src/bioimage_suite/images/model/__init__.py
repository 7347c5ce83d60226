"""The image model: what a file says of itself, how to read its pixels, and label maps as runs."""
