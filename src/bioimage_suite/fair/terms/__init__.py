"""Ontology terms, with their tables."""
