"""Look for secrets where they must never be while Galaxy runs OMERO tools, and afterwards.

While jobs run: the command lines of Galaxy and its jobs, every file of the job folders, and what Galaxy's API says of
each job and its outputs. Afterwards: every file of Galaxy (logs, outputs, database), OMERO's log and the reports.
One file is left out: `galaxy_<n>.sh`, Galaxy's own launcher, by which Galaxy hands the credentials to the job's
environment. It must be gone when the job has ended (`cleanup_job: always`).
"""

import json
import re
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import omero
import omero.clients
from bioblend.galaxy import GalaxyInstance

from sandbox.state import Sandbox
from scripts.set_credentials import KEY_NAMES, SERVICE, SERVICE_VERSION, OmeroLogin
from tests.galaxy.seed_omero import PASSWORD, USER

# Galaxy puts a copy of the tool, and so of its tests with the test account's password, into the job's folder.
TOOL_COPY = re.compile(r"tool\.xml")
LAUNCHER = re.compile(rf"galaxy_\d+\.sh|{TOOL_COPY.pattern}")
LARGEST = 50_000_000  # Bytes of a file that is looked at; while jobs run, they need the disk themselves.
LARGEST_AT_WORK = 500_000
PAUSE = 0.2
ENDED = ("ok", "error", "deleted", "paused")
JOB_SECONDS = 180
ALL_JOBS = 2000  # More than a whole test run has.


def command_lines_with(secret: bytes, folder: Path) -> set[str]:
    """Processes at work below a folder that have a secret among their arguments."""
    found = set()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # It has ended meanwhile.
            arguments = file.read_bytes()
            # Somebody may look for the word elsewhere on this machine.
            if secret in arguments and (file.parent / "cwd").readlink().is_relative_to(folder):
                found.add(f"command line of {arguments.split(bytes(1))[0].decode(errors='replace')}")
    return found


def files_with(
    secret: bytes, folders: Iterable[Path], leave_out: re.Pattern[str] | None = None, largest: int = LARGEST
) -> set[str]:
    """Files below folders that hold a secret."""
    found = set()
    for folder in folders:
        for file in folder.rglob("*"):
            with suppress(OSError):
                if file.is_symlink() or not file.is_file() or file.stat().st_size > largest:
                    continue
                if not (leave_out and leave_out.fullmatch(file.name)) and secret in file.read_bytes():
                    found.add(f"file {file.relative_to(folder)}")
    return found


@dataclass
class SecretWatch:
    """What was searched and where a secret was found.

    Attributes:
        galaxy: Galaxy's folder.
        gi: Connection of the user whose jobs run.
        secrets: What must not be found.
        found: Places where it was.
        jobs: The last state seen of each job, by id.
        tools: Tools of which a job was looked at.
    """

    galaxy: Path
    gi: GalaxyInstance
    secrets: list[str]
    found: set[str] = field(default_factory=set)
    jobs: dict[str, str] = field(default_factory=dict)
    tools: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Search processes and job files once."""
        for secret in [one.encode() for one in self.secrets]:
            self.found |= command_lines_with(secret, self.galaxy.resolve())
            self.found |= files_with(secret, self.galaxy.glob("data/job*"), LAUNCHER, LARGEST_AT_WORK)

    def ask(self, latest: int = 50) -> None:
        """Search what the API says of OMERO jobs whose state has changed, and of their outputs."""
        for job in self.gi.jobs.get_jobs(limit=latest):
            if not job["tool_id"].startswith("omero_") or self.jobs.get(job["id"]) == job["state"]:
                continue
            self.jobs[job["id"]] = job["state"]
            self.tools.add(job["tool_id"])
            paths = [f"jobs/{job['id']}{part}" for part in ("?full=true", "/parameters_display", "/metrics")]
            details = self.gi.jobs.show_job(job["id"], full_details=True)
            if job["state"] in ENDED:
                outputs = [one["id"] for one in details.get("outputs", {}).values() if one.get("src") == "hda"]
                paths += [f"datasets/{one}{part}" for one in outputs for part in ("", "/display")]
            for path in paths:
                answer = self.gi.make_get_request(f"{self.gi.url}/{path}").content
                self.found |= {f"API {path}" for one in self.secrets if one.encode() in answer}

    def expect(self, tools: Iterable[str]) -> None:
        """Complain of tools of which no job was looked at: nothing was found there because nobody looked."""
        with suppress(Exception):  # Galaxy may be too busy to answer; what was seen before counts then.
            self.ask(latest=ALL_JOBS)
        self.found |= {f"nobody looked at {tool}" for tool in set(tools) - self.tools}

    def look_at_the_end(self, reports: Sequence[Path]) -> None:
        """Search all of Galaxy's folder, launchers too, its user's credentials as the API shows them, and reports."""
        user = self.gi.users.get_current_user()["id"]
        answer = self.gi.make_get_request(f"{self.gi.url}/users/{user}/credentials").content
        for secret in self.secrets:
            self.found |= files_with(secret.encode(), [self.galaxy, *reports], TOOL_COPY)
            self.found |= {"API credentials"} if secret.encode() in answer else set()


@contextmanager
def watching(watch: SecretWatch) -> Iterator[None]:
    """Search again and again while the block runs."""
    stop = threading.Event()

    def go_on(step: str, pause: float) -> None:
        while not stop.wait(pause):
            with suppress(Exception):  # Galaxy may be too busy to answer once.
                getattr(watch, step)()

    threads = [threading.Thread(target=go_on, args=args, daemon=True) for args in (("look", PAUSE), ("ask", 1.0))]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def run_by_key(sandbox: Sandbox, watch: SecretWatch) -> None:
    """Run omero_find with a session key in place of a password, watched; the session must be open afterwards."""
    try:
        _run_by_key(sandbox, watch)
    except Exception as error:  # Galaxy's answer, a failed job, a session that was closed: told with what was found.
        watch.found.add(f"a run by session key: {error}")


def _run_by_key(sandbox: Sandbox, watch: SecretWatch) -> None:
    gi = watch.gi
    client = omero.client(host=sandbox.omero.host, port=sandbox.omero.port)
    client.createSession(USER, PASSWORD)
    try:
        watch.secrets.append(client.getSessionId())
        history = gi.histories.create_history("by session key")["id"]
        context = _store_key(gi, OmeroLogin(session_key=client.getSessionId()))
        inputs = {"omero_host": sandbox.omero.address, "target|objects": "nuclei"}
        payload = {"tool_id": "omero_find", "history_id": history, "inputs": inputs, "credentials_context": context}
        answer = gi.make_post_request(f"{gi.url}/tools", payload=payload)
        job = answer["jobs"][0]["id"]
        end = time.monotonic() + JOB_SECONDS
        while (state := gi.jobs.get_state(job)) not in ENDED and time.monotonic() < end:
            time.sleep(PAUSE)
        watch.ask()
        if state != "ok":
            details = gi.jobs.show_job(job, full_details=True)
            raise RuntimeError(f"omero_find by session key: {state}: {details.get('stderr')}")
        client.getSession().getConfigService().getVersion()  # Still open.
    finally:
        client.closeSession()


def _store_key(gi: GalaxyInstance, login: OmeroLogin) -> list[dict[str, Any]]:
    version, user = gi.tools.show_tool("omero_find")["version"], gi.users.get_current_user()["id"]
    variables, secrets = login.values(KEY_NAMES[0])
    group = gi.users.create_credentials(
        user, "tool", "omero_find", version, SERVICE, SERVICE_VERSION, "by-key", variables, secrets
    )
    stored = next(
        one
        for one in gi.users.get_credentials(user, "tool", "omero_find", version)
        if any(candidate["id"] == group["id"] for candidate in one["groups"])
    )
    chosen = {"id": group["id"], "name": group["name"]}
    return [
        {"user_credentials_id": stored["id"], "name": SERVICE, "version": SERVICE_VERSION, "selected_group": chosen}
    ]


def report(watch: SecretWatch, path: Path) -> bool:
    """Write what was searched and found; say whether nothing was found."""
    said = {"tools": sorted(watch.tools), "jobs": len(watch.jobs), "found": sorted(watch.found)}
    path.write_text(json.dumps(said, indent=1) + "\n")
    verdict = "; ".join(sorted(watch.found)) or "nowhere"
    print(f"Secrets of {len(watch.jobs)} jobs of {len(watch.tools)} OMERO tools: found {verdict}", flush=True)
    return not watch.found
