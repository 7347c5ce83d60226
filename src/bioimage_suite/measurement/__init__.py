"""From label maps to measurement tables."""
