"""Make the pictures of the tools' help from runs of the tools on the test data.

    python -m scripts.help_pictures [TOOL ...]     # all that are made here: docs/images/tools/<tool>.png or .jpg

A picture is what the tool itself draws, or its result drawn by `overlay_objects`. Those of pages and forms come from
Chromium: `python -m tests.browser.pictures`.
"""
