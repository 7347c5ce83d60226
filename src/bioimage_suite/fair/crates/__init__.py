"""RO-Crates: reading and checking."""
