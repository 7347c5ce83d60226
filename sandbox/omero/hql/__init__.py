"""HQL: from the text of a query to a syntax tree, to SQL, to rows and objects."""
