"""HQL queries: text to a syntax tree, to SQL, to rows and objects."""
