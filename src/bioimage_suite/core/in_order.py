"""Work in threads whose results come in order, with a bounded number of them waiting."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

Made = TypeVar("Made")


def in_order(pool: Executor, tasks: Iterable[Callable[[], Made]], ahead: int) -> Iterator[Made]:
    """Run tasks in a pool and yield their results in order.

    Args:
        pool: Threads to work in.
        tasks: Functions without arguments; the next one is fetched only when fewer than `ahead` are waiting.
        ahead: Number of tasks that wait or are computed while a result is used.
    """
    waiting: deque[Future[Made]] = deque()
    for task in tasks:
        waiting.append(pool.submit(task))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def threads_allowed() -> int:
    """Return how many threads a job may use: what Galaxy gives it (`GALAXY_SLOTS`), else the number of processors."""
    return int(os.environ.get("GALAXY_SLOTS", "0")) or os.cpu_count() or 1
