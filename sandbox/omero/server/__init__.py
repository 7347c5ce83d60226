"""What the services stand on: the shared state of the server, sessions, logging in, servants."""
