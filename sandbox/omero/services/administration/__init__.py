"""Services about users, sessions and the server itself."""
