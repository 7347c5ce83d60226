"""Services about pixels: reading, writing, rendering, projecting, exporting them."""
