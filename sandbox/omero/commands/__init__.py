"""Commands: requests that run in the background, behind a handle that tells their state and response."""
