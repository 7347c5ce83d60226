"""Amounts of stain in colour images."""
