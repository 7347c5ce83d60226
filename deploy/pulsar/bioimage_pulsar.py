"""Galaxy's runner for a Pulsar, without logins in addresses, and with the reason when Pulsar cannot be reached.

Put this file where Galaxy's job handlers find modules (PYTHONPATH), and name it in the job configuration:
`pulsar: {load: "bioimage_pulsar:PulsarRunner"}`. For Galaxy 26.1 and Pulsar 0.16; nothing changes on Pulsar's side.

Galaxy's own `PulsarRESTJobRunner` puts the environment of a job, the login to OMERO too, into the address of a request,
which a web server may write into its log: Pulsar's own does with `--daemon` or `--log-file`. Here the environment goes
there as a file of the job, in the body of a request; the job reads it and removes it before anything else. And Galaxy's
own says "Job failed", no more, of a Pulsar that cannot be reached.
"""

import http.client
import shlex
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from galaxy.jobs.runners.pulsar import PulsarRESTJobRunner
from pulsar.client.exceptions import PulsarClientTransportError
from pulsar.managers.util.env import env_to_statement

ENVIRONMENT = "environment.sh"
# Pulsar may be started again meanwhile. Only what surely was not received is sent again.
PATIENCE_SECONDS = 30.0
AGAIN_SECONDS = 1.0
NO_REASON = "Job failed"
"""What Galaxy says of a job whose runner gives no reason."""


class QuietClient:
    """What is different in Pulsar's client: put before its class."""

    tell: Callable[[str], None] = staticmethod(print)
    """Takes the reason why a job could not begin."""

    def launch(self, command_line: str, *, env: list[dict[str, Any]] | None = None, **others: Any) -> Any:
        """Start the job, with its environment from a file."""
        if env:
            text = "".join(f"{env_to_statement(one)}\n" for one in env)
            # Pulsar keeps a copy of the folder of configuration files; of these files it keeps none.
            placed = self.put_file(ENVIRONMENT, "unstructured", name=ENVIRONMENT, contents=text)
            file = shlex.quote(placed["path"])
            command_line = f". {file}; rm -f {file}; {command_line}"
        return super().launch(command_line, **others)

    def setup(self, *given: Any, **options: Any) -> Any:
        """Make the folders of the job there; tell the reason where that fails."""
        try:
            return super().setup(*given, **options)
        except PulsarClientTransportError as error:
            self.tell(
                f"Pulsar {self.destination_params['url']}: cannot be reached ({error}). Nothing of this job was begun: "
                "run it again, or ask the administrator of this Galaxy."
            )
            raise

    def _raw_execute(self, command: str, *given: Any, **options: Any) -> Any:
        """Send a request; where nothing listens, send it again for a while, since nothing was received."""
        # Galaxy itself asks for the state again and again, of all jobs in one thread.
        until = time.monotonic() + (0 if command == "status" else PATIENCE_SECONDS)
        while True:
            try:
                return super()._raw_execute(command, *given, **options)
            except PulsarClientTransportError as error:
                if not isinstance(error.transport_message, ConnectionRefusedError) or time.monotonic() > until:
                    raise
            except (OSError, http.client.HTTPException) as error:
                # Galaxy takes any other exception for the end of the job.
                raise PulsarClientTransportError(transport_message=error) from error
            time.sleep(AGAIN_SECONDS)


def quiet(usual: type) -> type:
    """Return a class of Pulsar's client with what is different here."""
    return type(f"Quiet{usual.__name__}", (QuietClient, usual), {})


class PulsarRunner(PulsarRESTJobRunner):
    """Galaxy's runner with that client."""

    def _init_client_manager(self) -> None:
        super()._init_client_manager()
        self.client_manager.client_class = quiet(self.client_manager.client_class)
        self.reasons: dict[int, str] = {}

    def get_client_from_wrapper(self, job_wrapper: Any) -> Any:
        """Return the client of a job that begins."""
        client = super().get_client_from_wrapper(job_wrapper)
        client.tell = partial(self.reasons.__setitem__, job_wrapper.job_id)
        return client

    def fail_job(
        self, job_state: Any, exception: bool = False, message: str = NO_REASON, full_status: Any = None
    ) -> None:
        """End a job as failed, with the reason that its client told."""
        reason = self.reasons.pop(job_state.job_wrapper.job_id, message)
        super().fail_job(job_state, exception=exception, message=reason, full_status=full_status)
