"""Spatial statistics of points and objects."""
