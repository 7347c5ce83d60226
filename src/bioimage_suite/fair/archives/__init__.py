"""Public image archives: search, files, download."""
