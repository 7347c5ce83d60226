"""Scripts for users of a Galaxy server: run a workflow, store credentials, install the suite, run the demo."""
