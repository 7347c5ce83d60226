"""The base of all services: the shared state of the server, sessions, logging in, servants."""
