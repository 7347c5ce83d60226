"""The server's side of an import: from uploaded files to rows."""
