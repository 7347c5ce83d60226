"""Tables that pass between tools: object table, measurement table, key-value pairs, plate layout."""
