"""Metadata that another lab can read."""
