"""From pixels to label maps."""
