"""Work on many tasks in processes: each has one task at a time, and one that is killed takes no other along.

`concurrent.futures` gives up all tasks where one process is killed, and does not say which task it had.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import traceback
from collections import deque
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, TypeVar

from bioimage_suite.core.errors import UserError, is_disk_full, machine_fault
from bioimage_suite.core.in_order import threads_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.context import ForkProcess

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Outcome:
    """How the work on a task ended.

    Attributes:
        fault: What is wrong, "" for nothing.
        said: What it printed.
        disk_full: Whether the disk was full: then every other task would fail too.
        killed: Whether its process was killed.
        result: What the work returned.
        named: Whether the fault names what is wrong, as a `UserError` does.
    """

    fault: str = ""
    said: str = ""
    disk_full: bool = False
    killed: bool = False
    result: Any = None
    named: bool = False


@dataclass(frozen=True)
class _Worker:
    process: ForkProcess
    pipe: Connection

    def outcome(self) -> Outcome:
        """Receive the outcome of its task, or say why the process died."""
        try:
            return self.pipe.recv()  # type: ignore[no-any-return]
        except (EOFError, OSError):
            self.process.join()
            return Outcome(_death(self.process.exitcode or 0), killed=True)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def in_processes(
    work: Callable[[Task], object], tasks: Mapping[int, Task], processes: int
) -> Iterator[tuple[int, Outcome]]:
    """Work on tasks in processes and yield the number of each with its outcome, as they end.

    Args:
        work: The work. The processes are copies of this one, so it may be any function, and modules that are loaded
            need not be loaded again. Its result must be picklable.
        tasks: What each task is given by its number, begun in this order; picklable.
        processes: How many work at once; each may use an equal share of the cores of the job.
    """
    waiting = deque(tasks)
    busy: dict[Connection, tuple[_Worker, int]] = {}
    idle: list[_Worker] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < processes:
                worker = idle.pop() if idle else _started(work, processes)
                number = waiting.popleft()
                busy[worker.pipe] = worker, number
                with suppress(OSError):  # A process that was killed while it waited: its pipe tells so below.
                    worker.pipe.send(tasks[number])
            for pipe in list(wait(list(busy))):
                worker, number = busy.pop(pipe)  # type: ignore[call-overload]
                outcome = worker.outcome()
                idle += [] if outcome.killed else [worker]
                yield number, outcome
    finally:
        for worker in [*idle, *(worker for worker, _ in busy.values())]:
            worker.end()


def results_in_order(work: Callable[[Task], Result], tasks: Sequence[Task], titles: Sequence[str]) -> Iterator[Result]:
    """Work on tasks in as many processes as the job has cores, and yield the result of each in their order.

    Args:
        work: The work, as `in_processes` takes it. With one core, or one task, it is done in this process.
        tasks: What each task is given.
        titles: What each is called in messages.

    Raises:
        UserError: What the first task raised that failed; or its process was killed.
    """
    processes = min(threads_allowed(), len(tasks))
    if processes < 2:
        yield from map(work, tasks)
        return
    done: dict[int, Result] = {}
    following = 0
    for number, outcome in in_processes(work, dict(enumerate(tasks)), processes):
        if outcome.fault:
            raise UserError(outcome.fault if outcome.named else f"{titles[number]}: {outcome.fault}")
        done[number] = outcome.result
        while following in done:
            yield done.pop(following)
            following += 1


def _started(work: Callable[[Task], object], processes: int) -> _Worker:
    # A copy (fork) starts within milliseconds and has the modules that are loaded; a new interpreter takes a second.
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    cores = max(1, threads_allowed() // processes)
    process = context.Process(target=_serve, args=(ours, theirs, work, cores), daemon=True)
    process.start()
    theirs.close()  # Else the end of the process would not be seen as the end of the pipe.
    return _Worker(process, ours)


def _serve(ours: Connection, pipe: Connection, work: Callable[[Any], object], cores: int) -> None:
    """Work on the tasks that come through a pipe until it is closed, also by the death of the process at its end."""
    ours.close()  # This copy would keep the pipe open for ever.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A file that may take all memory is read in a child of its own (`apart`), which a daemon may not have.
    multiprocessing.current_process().daemon = False
    # What is loaded in the process later starts no more threads than this.
    os.environ["GALAXY_SLOTS"] = os.environ["OPENCV_FOR_THREADS_NUM"] = str(cores)
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        outcome = _outcome(work, task)
        with suppress(OSError):  # Nobody waits for it any more; so nothing more will come.
            pipe.send(outcome)


def _outcome(work: Callable[[Task], object], task: Task) -> Outcome:
    said = io.StringIO()
    result, fault, disk_full, named = None, "", False, False
    with redirect_stdout(said):
        try:
            result = work(task)
        except UserError as error:
            # Outputs say it of a full disk in their own words.
            fault, disk_full, named = str(error), is_disk_full(error.__cause__), True
        except SystemExit as error:
            fault = f"ended with exit code {error.code}"
        except MemoryError:
            fault = "needs more memory than there is. Give the job more memory."
        except Exception as error:
            of_machine, disk_full = machine_fault(error), is_disk_full(error)
            fault = of_machine or f"{type(error).__name__}: {' '.join(str(error).split())}"
            if not of_machine:  # A defect of the tool.
                traceback.print_exc()
    return Outcome(fault, said.getvalue(), disk_full, result=result, named=named)


def _death(code: int) -> str:
    """Say why a process died, from its exit code."""
    if code == -signal.SIGKILL:
        return "its process was killed, as the system does where memory runs out. Give the job more memory."
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return f"its process ended without a result ({name}). Run this image alone to see why."
