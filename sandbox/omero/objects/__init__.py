"""Ice objects: made from rows, stored as rows, taken from messages."""
