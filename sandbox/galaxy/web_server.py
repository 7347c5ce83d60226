"""Galaxy's web server over SQLite as `database.py` has it, which sees soon that a task of Celery has ended.

Runs in Galaxy's own environment: `python -P web_server.py -c galaxy.yml -b 127.0.0.1:8080`, as `galaxy-web` does.

The runner for Pulsar of `deploy/pulsar/` is found here, as by a site's PYTHONPATH, which jobs would inherit.
"""

import gc
import sys
from functools import partialmethod
from pathlib import Path

ROOT = Path(__file__).parents[2]
RESULT_SECONDS = 0.05
"""Between two looks for the result of a task. Celery's half a second is most of what a short job's metadata takes."""
COLLECTOR_THRESHOLDS = (10_000, 20, 100)
"""Python's defaults are 700, 10, 10. Galaxy's tools and mappings are millions of objects that stay: with the defaults,
looking through them for garbage was a tenth of its time while it loaded long lists."""

if __name__ == "__main__":
    sys.path += [str(ROOT), str(ROOT / "deploy" / "pulsar")]
    from celery.result import AsyncResult
    from galaxy.webapps.galaxy.script import main

    from sandbox.galaxy import database, image_values  # noqa: F401 - prepare SQLAlchemy and Galaxy's datatypes

    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    AsyncResult.get = partialmethod(AsyncResult.get, interval=RESULT_SECONDS)
    sys.exit(main())
