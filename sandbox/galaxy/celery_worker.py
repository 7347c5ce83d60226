"""Galaxy's Celery worker over a folder of message files, which reads only complete messages.

Runs in Galaxy's own environment: `python -P celery_worker.py --app galaxy.celery worker ...`.

kombu's reader (5.6) takes a file as soon as its name exists, which may be between the writer's `open` and its `write`.
The message is then empty, and the worker ends its consumer with a JSONDecodeError: all later jobs wait forever. This
was seen on a loaded machine. The writer locks the file while it writes, so a file that can be locked and is not empty
is complete.
"""

import fcntl
import sys
from pathlib import Path
from queue import Empty

from celery.__main__ import main
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


if __name__ == "__main__":
    filesystem.Transport.Channel = Channel
    sys.exit(main())
