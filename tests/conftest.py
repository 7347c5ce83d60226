"""Fixtures that tests of every kind share."""

import os
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Tests import a tool's script by its name, as the script stands in a folder of its own.
sys.path += map(str, sorted(Path(__file__).resolve().parents[1].glob("tools/*/*/")))

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
        return int(probe.getsockname()[1])
