"""Galaxy's Celery worker over a folder of message files: it reads only complete messages and is warm at once.

Runs in Galaxy's own environment: `python -P celery_worker.py --app galaxy.celery worker ...`.

kombu's reader (5.6) takes a file as soon as its name exists, which may be between the writer's `open` and its `write`.
The message is then empty, and the worker ends its consumer with a JSONDecodeError: all later jobs wait forever. This
was seen on a loaded machine. The writer locks the file while it writes, so a file that can be locked and is not empty
is complete.

Galaxy makes its application in a worker when the first task comes (26.1), for which the first job of a user then waits
5 to 9 s. Here that begins when the worker is ready, while the web server still starts.
"""

import fcntl
import logging
import sys
import threading
from pathlib import Path
from queue import Empty

from celery.__main__ import main
from celery.signals import worker_ready
from kombu.transport import filesystem
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads


class Channel(filesystem.Channel):  # type: ignore[misc,unused-ignore]
    """kombu's channel of message files, with a reader that waits for the writer."""

    def _get(self, queue: str) -> object:
        """Take the oldest complete message of a queue; the file's name is `<time>_<uuid>.<queue>.msg`."""
        folder = Path(self.data_folder_in)
        for file in sorted(folder.iterdir()):
            if file.name.partition(".")[2] != f"{queue}.msg":
                continue
            try:
                with file.open("rb") as message:
                    fcntl.flock(message, fcntl.LOCK_SH)
                    payload = message.read()
                if payload:
                    file.unlink()
                    return loads(bytes_to_str(payload))
            except FileNotFoundError:  # Another thread took it.
                continue
        raise Empty


def build_application() -> None:
    """Make Galaxy's application; if that cannot be done yet, the first task tries again and says why."""
    from galaxy.celery import build_app

    try:
        build_app()
    except Exception:
        logging.getLogger(__name__).exception("Galaxy's application could not be made before the first task")


@worker_ready.connect  # type: ignore[untyped-decorator,unused-ignore]
def _warm_up(**_: object) -> None:
    threading.Thread(target=build_application, name="warm-up", daemon=True).start()


# Its child processes, which set the metadata of datasets, import this file under the second name.
if __name__ in ("__main__", "__mp_main__"):
    sys.path.append(str(Path(__file__).parents[2]))
    from sandbox.galaxy import image_values  # noqa: F401 - prepares Galaxy's datatypes

if __name__ == "__main__":
    from sandbox.galaxy import database  # noqa: F401 - prepares SQLAlchemy

    filesystem.Transport.Channel = Channel
    sys.exit(main())
