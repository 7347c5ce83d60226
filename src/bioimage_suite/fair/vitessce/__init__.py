"""Vitessce configurations and pages."""
