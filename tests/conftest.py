"""Fixtures that tests of every kind share."""

import os
import socket

import pytest
from hypothesis import settings

# The same examples in every run, so that a change fails for its own fault only. To look for new ones:
# HYPOTHESIS_PROFILE=explore; what that finds becomes an @example of its test.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture
def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
