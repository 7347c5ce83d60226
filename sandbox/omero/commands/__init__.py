"""Commands: requests that are submitted, run in the background, and asked about through a handle."""
