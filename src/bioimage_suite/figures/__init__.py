"""Pictures of objects and measurements."""
