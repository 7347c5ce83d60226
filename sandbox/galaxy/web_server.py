"""Galaxy's web server over SQLite, which knows the one function that its job cache needs.

Runs in Galaxy's own environment: `python -P web_server.py -c galaxy.yml -b 127.0.0.1:8080`, as `galaxy-web` does.

A run that may take results of equal earlier jobs ends as failed ("no such function: concat_ws") where a step takes a
list: Galaxy 26.1 looks for them by that function (galaxy.managers.jobs), and SQLite has it from 3.44 on. Debian 12 has
3.40. PostgreSQL, which a Galaxy in production uses, has it.

The runner for Pulsar of `deploy/pulsar/` is found here, as by a site's PYTHONPATH, which jobs would inherit.
"""

import sys
from pathlib import Path
from typing import Any

from galaxy.webapps.galaxy.script import main
from sqlalchemy import event
from sqlalchemy.engine import Engine


def concat_ws(separator: str | None, *values: Any) -> str | None:
    """Join the values that are not NULL, as SQLite 3.44 and PostgreSQL do."""
    return None if separator is None else separator.join(str(value) for value in values if value is not None)


@event.listens_for(Engine, "connect")
def _add_function(connection: Any, _record: Any) -> None:
    connection.create_function("concat_ws", -1, concat_ws, deterministic=True)


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2] / "deploy" / "pulsar"))
    sys.exit(main())
