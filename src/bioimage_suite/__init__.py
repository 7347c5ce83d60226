"""The library of the Bioimage Suite for Galaxy: what its tools share, one folder a subject."""
