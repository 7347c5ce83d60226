"""Users, groups and what each may do with an object."""
