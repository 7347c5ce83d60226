"""Services that find, load and store objects."""
