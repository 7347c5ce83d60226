"""Plates: wells and their conditions, profiles, quality of the assay, hits and their pictures."""
