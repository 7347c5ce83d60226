"""What every tool needs: errors, arguments, image names, outputs, units, HTML pages, untrusted files."""
