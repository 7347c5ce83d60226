"""Bioblend automation for users: run a workflow, set credentials, install the suite, see the demo."""
