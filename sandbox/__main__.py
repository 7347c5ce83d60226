"""Start and stop the sandbox: an OMERO with OMERO.web, and a Galaxy, of your own, on this machine only."""

import argparse
import signal
import sys
from pathlib import Path

from sandbox import servers, state
from sandbox.cluster.jobs import PULSAR_WORD
from sandbox.process import ROOT, SandboxError
from sandbox.state import Sandbox


def describe(sandbox: Sandbox) -> str:
    """Return where the servers listen and who may log in."""
    galaxy, omero = sandbox.galaxy, sandbox.omero
    web = f"{sandbox.web.url}/webclient/" if sandbox.web is not None else "not started"
    return (
        f"Galaxy  {galaxy.url}\n"
        f"        login {galaxy.user_email}  password {galaxy.password}\n"
        f"        API key {galaxy.user_key}\n"
        f"OMERO   {omero.address}  (ssl; tcp on port {omero.tcp_port})\n"
        f"        login root  password {omero.root_password}\n"
        f"Web     {web}  (OMERO.web with iviewer, figure, vitessce; logins of OMERO)"
        f"{describe_cluster(sandbox)}"
    )


def describe_cluster(sandbox: Sandbox) -> str:
    """Return where Galaxy's jobs run, as further lines; nothing where it runs them itself."""
    if sandbox.slurm is None or sandbox.pulsar is None:
        return ""
    sees = "sees nothing of Galaxy's files" if sandbox.pulsar.hides else "has a folder of its own"
    return (
        f"\nSlurm   {sandbox.slurm.commands}/squeue, sinfo, scontrol, ...  (all jobs, but those below)"
        f"\nPulsar  {sandbox.pulsar.url}  (jobs of histories with `{PULSAR_WORD}` in their name; {sees})"
    )


def up(folder: Path) -> int:
    """Start the servers, leave them running, and print where they are."""
    sandbox = servers.up(folder, ROOT / "tools", detached=True)
    print(describe(sandbox))
    print(f"State   {folder}\nStop    make down")
    return 0


def cluster(folder: Path) -> int:
    """Start the servers with a Galaxy that runs its jobs on Slurm and Pulsar, leave them, and print where they are."""
    sandbox = servers.up(folder, ROOT / "tools", cluster=True, detached=True)
    print(describe(sandbox))
    print(f"State   {folder}\nStop    make down")
    return 0


def down(folder: Path) -> int:
    """Stop what `up` started in this folder."""
    print("stopped" if servers.down(folder) else "nothing was running")
    return 0


def status(folder: Path) -> int:
    """Print what runs; return 0 if all servers do, 3 if not (as `systemctl status` does)."""
    known = state.load(folder)
    if known is None or not servers.is_up(known):
        print("not running")
        return 3
    print(describe(known))
    return 0


COMMANDS = {"up": up, "cluster": cluster, "down": down, "status": status}


def main(argv: list[str] | None = None) -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python3 -m sandbox", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--folder", type=Path, help="folder of its state (default: .sandbox/ of this checkout)")
    args = parser.parse_args(argv)
    # `kill` ends a start half-way as Ctrl-C does: what was started so far is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return COMMANDS[args.command]((args.folder or state.folder_of_sandbox()).resolve())
    except SandboxError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing was left running", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
