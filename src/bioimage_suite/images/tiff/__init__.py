"""Readers of TIFF and its dialects."""
