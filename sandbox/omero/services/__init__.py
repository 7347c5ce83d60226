"""The services of OMERO, and the factory that hands them out."""
