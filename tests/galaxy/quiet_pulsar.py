"""Start a job on a Pulsar by the client of `deploy/pulsar/`, as Galaxy does.

Runs with Galaxy's own Python: `.venv/galaxy/bin/python -m tests.galaxy.quiet_pulsar`; standard input is JSON with the
`destination`, the `job`, its `env` and its `command`.
"""

import json
import sys
from pathlib import Path

from pulsar.client import build_client_manager

sys.path.append(str(Path(__file__).parents[2] / "deploy" / "pulsar"))

from bioimage_pulsar import quiet


def main() -> int:
    """Set the job up and start it; 1 and the reason on standard error if that fails."""
    given = json.load(sys.stdin)
    manager = build_client_manager()
    manager.client_class = quiet(manager.client_class)
    client = manager.get_client(given["destination"], given["job"])
    client.setup()
    env = [{"name": name, "value": value} for name, value in given["env"].items()]
    client.launch(given["command"], env=env)
    return 0


if __name__ == "__main__":
    sys.exit(main())
