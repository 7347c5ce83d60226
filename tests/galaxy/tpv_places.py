"""Ask TPV where jobs of tools go, and with what; writes JSON.

Runs with Galaxy's own Python, which has TPV: `.venv/galaxy/bin/python -m tests.galaxy.tpv_places RULES`, questions on
standard input. RULES is a file of rules. A question is an object: `site`, a file of rules with the destinations;
`tool`, the id; `width` and `height` of its input, or neither; `size` of the file in bytes; `history`, its name;
`files`, how many equal ones. An answer is an object with `runner`, `params` and `env`, or the reason why the job is not
started.
"""

import json
import sys
from types import SimpleNamespace
from typing import Any

from galaxy.jobs.mapper import JobMappingException
from tpv.commands.test import mock_galaxy
from tpv.rules import gateway


def job_of(question: dict[str, Any]) -> Any:
    """Return a job on one file, with the metadata that Galaxy has of a TIFF."""
    job = mock_galaxy.Job()
    given = mock_galaxy.DatasetAssociation("image", mock_galaxy.Dataset("a", file_size=question.get("size", 0)))
    sizes = SimpleNamespace(width=question.get("width"), height=question.get("height"))
    given.metadata = sizes
    for number in range(question.get("files", 1)):
        job.add_input_dataset(given, f"image{number}")
    # Galaxy records an optional input that was left empty.
    job.add_input_dataset(None, "empty")
    job.history = mock_galaxy.History(question.get("history", "some history"))
    return job


def place(rules: str, question: dict[str, Any]) -> dict[str, Any] | str:
    """Return runner and parameters of a job, or the reason why TPV refuses it."""
    app = SimpleNamespace(config=SimpleNamespace(watch_job_rules=False))
    tool = mock_galaxy.Tool(question["tool"])
    try:
        found = gateway.map_tool_to_destination(
            app,
            job_of(question),
            tool,
            None,
            # TPV keeps the rules of each, and does not look at others given later.
            SimpleNamespace(id=question["site"], params={}),
            tpv_config_files=[rules, question["site"]],
        )
    except JobMappingException as error:
        return str(error.failure_message)
    return {"runner": found.runner, "params": found.params, "env": found.env}


if __name__ == "__main__":
    print(json.dumps([place(sys.argv[1], question) for question in json.load(sys.stdin)]))
