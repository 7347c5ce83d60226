"""RO-Crates and deposition files: building and checking."""
