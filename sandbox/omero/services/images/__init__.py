"""Services about pixels: read, write, render, project and export them."""
