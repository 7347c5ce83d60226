"""Run a daemon and start it again when it ends, as a service manager does: `python keep_running.py COMMAND ...`.

SIGTERM and SIGINT end both. What the daemon started itself goes on when it ends: the jobs of a node of Slurm.
"""

import signal
import subprocess
import sys
import time

AGAIN_SECONDS = 2.0


def keep_running(command: list[str]) -> None:
    """Run the command again and again until a signal ends this process."""
    while True:
        daemon = subprocess.Popen(command)
        try:
            code = daemon.wait()
        except KeyboardInterrupt:
            daemon.terminate()
            daemon.wait()
            return
        print(f"{command[0]} ended ({code}); it starts again", flush=True)
        time.sleep(AGAIN_SECONDS)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        keep_running(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(0)
