"""From label maps of a movie to tracks."""
