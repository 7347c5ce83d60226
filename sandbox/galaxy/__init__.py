"""A real Galaxy from PyPI: its configuration, its start and its end."""
