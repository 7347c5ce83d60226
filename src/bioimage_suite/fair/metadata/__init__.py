"""Metadata of a study: fields, tables, checks, templates, linked data."""
