"""Work in several processes: spawned, never forked; gone when the one that started them is gone."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from audiosynth.errors import RenderError

Item = TypeVar("Item")
Result = TypeVar("Result")


def leave_with_parent() -> None:
    """End this process when the one that started it is gone: a killed command leaves no workers behind."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


class _Process:
    """What a worker process keeps between calls."""

    job: Callable[[Any], Any]


def _start(job: Callable[[Any], Any]) -> None:
    import signal
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    Thread(target=leave_with_parent, daemon=True).start()
    _Process.job = job


def _call(item: Any) -> Any:
    return _Process.job(item)


def in_order(job: Callable[[Item], Result], items: Iterable[Item], *, workers: int) -> Iterator[Result]:
    """Yield ``job(item)`` for every item, in their order, made by `workers` processes.

    Parameters
    ----------
    job
        Sent to every process once; it may keep things between calls.
    items
        Read as they are needed.
    workers
        Number of processes.

    Raises
    ------
    RenderError
        If a process was killed; otherwise whatever `job` or `items` raise.
    """
    from multiprocessing import get_context

    with ProcessPoolExecutor(workers, get_context("spawn"), _start, (job,)) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(_call, item))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise RenderError("a worker process was killed (out of memory?); try fewer workers") from None
        finally:
            for future in waiting:
                future.cancel()
