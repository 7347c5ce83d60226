"""A Slurm of this user's own: a controller, one node, which is this machine, and the munge that they trust."""

import getpass
import os
import secrets
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox import process
from sandbox.private_file import write_private
from sandbox.process import ROOT, Process, SandboxError
from sandbox.setup import slurm as installed

START_SECONDS = 60.0
# Linux' sun_path is this long at most (unix(7)).
SOCKET_LETTERS = 107
# OMERO sessions that the jobs of this Slurm hold open at once, as a licence that each job of an OMERO tool asks for.
OMERO_SESSIONS = 4
COMMANDS = ("sbatch", "squeue", "scancel", "sinfo", "scontrol", "sacct", "srun")
FOR_GALAXY = {"sbatch", "squeue", "scancel"}
PATIENT = ROOT / "deploy" / "slurm" / "patient.sh"
KEEP_RUNNING = str(Path(__file__).with_name("keep_running.py"))
# Each setting that is not a folder or a port, with its reason.
SETTINGS = """\
ClusterName=bioimage
AuthType=auth/munge
CredType=cred/munge
MpiDefault=none
# Neither control groups nor root are needed.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# Cores and memory are handed out; a job that takes more memory is killed, and is found out every two seconds.
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
JobAcctGatherParams=OverMemoryKill
DefMemPerCPU=1024
# A node that was away is used again as soon as it is back.
ReturnToService=2
# Listen on 127.0.0.1 only.
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
# Jobs of a test are short: look for the next one ten times a second.
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
"""


@dataclass(frozen=True)
class Slurm:
    """A running Slurm."""

    commands: str
    """Folder with `sbatch`, `squeue`, ... that talk to this Slurm, for a PATH."""
    processes: tuple[Process, ...]
    """Supervisors of munge, the controller and the node, in this order."""


def start(folder: Path, *, omero_sessions: int = OMERO_SESSIONS, detached: bool = False) -> Slurm:
    """Start Slurm and wait until its node takes jobs; jobs that waited in an earlier one of this folder go on.

    Args:
        folder: Its folder, made if missing; nothing is written outside.
        omero_sessions: Jobs with the licence `omero:1` that run at once.
        detached: Whether it stays when this process ends; otherwise it ends too, however this process ends.

    Raises:
        SandboxError: It is not installed, or did not get ready. Nothing keeps running then.
    """
    folder = folder.resolve()
    if not installed.is_installed():
        raise SandboxError("Slurm is not installed here. Run: make cluster")
    socket_file = folder / "munge.socket"
    if len(str(socket_file)) > SOCKET_LETTERS:
        raise SandboxError(
            f"{socket_file}: longer than a socket's path may be. Set BIOIMAGE_SANDBOX to a shorter folder."
        )
    for name in ("state", "spool", "bin/plain"):
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "slurm.conf").write_text(configuration(folder, omero_sessions))
    write_commands(folder)
    started: list[Process] = []
    try:
        for name in ("munge", "controller", "node"):
            started.append(start_daemon(folder, name, detached=detached))
            if name == "munge":
                process.wait_until(socket_file.exists, started[0], what="munge", log=folder / "munge.log", seconds=10)
        process.wait_until(
            lambda: takes_jobs(folder), started[2], what="Slurm", log=folder / "controller.log", seconds=START_SECONDS
        )
    except BaseException:
        process.stop(started)
        raise
    return Slurm(str(folder / "bin"), tuple(started))


def start_daemon(folder: Path, name: str, *, detached: bool = False) -> Process:
    """Start one of `munge`, `controller`, `node`, which starts again whenever it ends."""
    programs = installed.FOLDER / "usr/sbin"
    if name == "munge":
        key = folder / "munge.key"
        if not key.exists():
            write_private(key, secrets.token_hex(64))
        (folder / "munge.socket").unlink(missing_ok=True)
        # --force: munge would refuse folders above its own that others may write to.
        command = [str(programs / "munged"), "--foreground", "--force", f"--socket={folder}/munge.socket"]
        command += [f"--key-file={key}", f"--pid-file={folder}/munged.pid", f"--seed-file={folder}/munged.seed"]
        command += [f"--log-file={folder}/munged.log"]
    elif name == "controller":
        command = [str(programs / "slurmctld"), "-D"]
    else:
        command = [str(programs / "slurmd"), "-D", "-N", "node", "-d", str(programs / "slurmstepd")]
    return process.start(
        [sys.executable, KEEP_RUNNING, *command],
        cwd=folder,
        log=folder / f"{name}.log",
        environment={**os.environ, "LD_LIBRARY_PATH": installed.library_path(), "SLURM_CONF": f"{folder}/slurm.conf"},
        detached=detached,
    )


def takes_jobs(folder: Path) -> bool:
    """Return whether the node is there; the controller is asked once."""
    command = [str(folder / "bin" / "sinfo"), "--noheader", "--format=%T"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return asked.stdout.strip() in {"idle", "mixed", "allocated", "completing"}


def configuration(folder: Path, omero_sessions: int) -> str:
    """Return the text of `slurm.conf`; the ports of an earlier start are kept if they are free."""
    host, user = socket.gethostname(), getpass.getuser()
    controller = process.free_port(16817)
    node = next(port for port in (process.free_port(16818), process.free_port()) if port != controller)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return (
        f"{SETTINGS}"
        f"SlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={controller}\nSlurmdPort={node}\n"
        f"Licenses=omero:{omero_sessions}\n"
        f"SlurmUser={user}\nSlurmdUser={user}\n"
        f"AuthInfo=socket={folder}/munge.socket\nPluginDir={installed.plugin_folder()}\n"
        f"StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool\n"
        f"SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd.pid\n"
        # Galaxy itself needs memory, too.
        f"NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} RealMemory={memory * 3 // 4}\n"
        "PartitionName=main Nodes=node Default=YES MaxTime=INFINITE State=UP\n"
    )


def write_commands(folder: Path) -> None:
    """Write Slurm's commands into the folder's `bin/`; those that Galaxy uses wait for the controller."""
    # The loader takes the libraries as an argument: a variable would reach the jobs.
    loader = next(Path("/").glob("lib*/ld-linux*.so.*"))
    for name in COMMANDS:
        called = f"{loader} --library-path {installed.library_path()} --argv0 {name} {installed.FOLDER}/usr/bin/{name}"
        plain = folder / "bin" / "plain" / name
        _write_script(plain, f"export SLURM_CONF={folder}/slurm.conf", f'exec {called} "$@"')
        _write_script(folder / "bin" / name, f'exec {PATIENT if name in FOR_GALAXY else ""} {plain} "$@"')


def _write_script(file: Path, *lines: str) -> None:
    file.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    file.chmod(0o700)
