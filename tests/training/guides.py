"""What following a guide needs: a folder for its servers, which is thrown away, and a report."""

import argparse
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.process import SandboxError
from tests.run import REPORTS, ROOT
from tests.training.run import write_report


def main(name: str, follow: Callable[[Path], list[str]], argv: list[str] | None = None) -> int:
    """Follow a guide; 0 if all of it can be done, and holds.

    Args:
        name: For whom it is: `administrators`, which also names the JUnit file.
        follow: Follows it with servers in a folder; returns what went wrong.
        argv: Arguments of the command line.
    """
    what = f"Follow the guide for {name}."
    parser = argparse.ArgumentParser(prog=f"python -m tests.training.{name}", description=what)
    parser.add_argument("--reports", type=Path, default=REPORTS, help="folder for the JUnit file")
    args = parser.parse_args(argv)
    # Servers of a guide end with its test, however that ends.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    args.reports.mkdir(parents=True, exist_ok=True)
    (ROOT / ".sandbox").mkdir(exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(prefix="guide-", dir=ROOT / ".sandbox"))
    begin = time.monotonic()
    try:
        problems = follow(folder)
    except SandboxError as error:
        problems = [str(error)]
    except KeyboardInterrupt:
        return 130
    finally:
        for log in (folder / "galaxy").glob("*.log"):
            shutil.copy(log, args.reports / f"guide-{name}-{log.name}")
        shutil.rmtree(folder, ignore_errors=True)
    seconds = time.monotonic() - begin
    write_report({f"guide for {name}": (seconds, problems)}, args.reports / f"guide-{name}.xml")
    print(f"{'FAILED' if problems else 'ok':6}  guide for {name}  {seconds:.0f} s", *problems, sep="\n    ")
    return 1 if problems else 0
