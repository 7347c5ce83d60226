"""Ask TPV where jobs of tools go, with the suite's shared rules and one destination; writes JSON.

Runs with Galaxy's own Python, which has TPV: `.venv/galaxy/bin/python -m tests.galaxy.tpv_places RULES < questions`.
Each question is a tool's id with width and height of its input, or null, and its size in bytes; an answer is
`[memory in GiB, minutes, cores]` or the reason why the job is not started.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from galaxy.jobs.mapper import JobMappingException
from tpv.commands.test import mock_galaxy
from tpv.rules import gateway

DESTINATIONS = {
    "destinations": {
        "batch": {
            "runner": "slurm",
            "max_accepted_cores": 64,
            "max_accepted_mem": 512,
            "params": {"mem": "{mem}", "minutes": "{walltime_minutes}", "cores": "{cores}"},
        }
    }
}


def job_with(width: int | None, height: int | None, size: int) -> Any:
    """Return a job on one file, with the metadata that Galaxy has of a TIFF, or none."""
    job = mock_galaxy.Job()
    given = mock_galaxy.DatasetAssociation("image", mock_galaxy.Dataset("a", file_size=size))
    given.metadata = SimpleNamespace(width=width, height=height)  # type: ignore[attr-defined]
    job.add_input_dataset(given)
    job.history = mock_galaxy.History()
    return job


def place(rules: list[str], tool: str, width: int | None, height: int | None, size: int = 0) -> Any:
    """Return memory, minutes and cores of a job, or the reason why TPV refuses it."""
    app = SimpleNamespace(config=SimpleNamespace(watch_job_rules=False))
    try:
        found = gateway.map_tool_to_destination(
            app,  # type: ignore[arg-type]
            job_with(width, height, size),
            mock_galaxy.Tool(tool),  # type: ignore[arg-type]
            None,
            tpv_config_files=rules,
        )
    except JobMappingException as error:
        return str(error.failure_message)
    return [float(found.params["mem"]), int(found.params["minutes"]), int(found.params["cores"])]


def main() -> None:
    """Answer the questions."""
    with TemporaryDirectory() as folder:
        site = Path(folder) / "site.yml"
        site.write_text(json.dumps(DESTINATIONS), encoding="utf-8")
        print(json.dumps([place([sys.argv[1], str(site)], *question) for question in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
