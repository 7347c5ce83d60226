"""Wait until root can log in to the OMERO server that OMERO_TEST_ADDRESS names: one that starts beside the tests."""

import os
import sys
import time

import omero
import omero.clients

WAIT_SECONDS = 600.0


def main() -> int:
    """Try every five seconds; 1 when the time is over."""
    host, _, port = os.environ["OMERO_TEST_ADDRESS"].rpartition(":")
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        client = omero.client(host=host, port=int(port))
        try:
            client.createSession("root", os.environ["OMERO_TEST_ROOT_PASSWORD"])
        except Exception as error:
            # Whatever a server that is starting answers: refused, not ready, no database yet.
            print(f"not yet: {type(error).__name__}", flush=True)
            time.sleep(5)
        else:
            return 0
        finally:
            client.closeSession()
    print(f"ERROR: {host}:{port}: no login within {WAIT_SECONDS:.0f} s", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
