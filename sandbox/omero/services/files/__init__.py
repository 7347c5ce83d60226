"""Services about files: uploads, imports, tables."""
