"""Work in several processes: spawned, never forked; gone when the one that started them is gone."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from threading import Thread, current_thread, main_thread
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


def follow_parent() -> None:
    """Leave it to the process that started this one when to stop, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    Thread(target=leave_with_parent, daemon=True).start()


@contextmanager
def signals_held() -> Iterator[None]:
    """Start processes inside, whole: what asks to stop waits until the end of the block.

    A process that is half started ends with a traceback when its parent goes elsewhere, and one that still loads when it is
    interrupted. Ctrl-C reaches every process of a terminal; which signals are held back a new process inherits (POSIX, execve), and keeps
    until it calls `follow_parent`.
    """
    late: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    held = [number for number in before if callable(before[number]) and current_thread() is main_thread()]
    masked: set[int | signal.Signals] | None = None
    try:
        for number in held:  # it may come by another thread, for which nothing is held back
            signal.signal(number, lambda which, frame: late.append(which))  # noqa: ARG005
        if hasattr(signal, "pthread_sigmask"):
            from multiprocessing import resource_tracker

            resource_tracker.ensure_running()  # the first process that is spawned starts it, which ends all holding back
            masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        for number in held:
            signal.signal(number, before[number])
        if masked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        for which in late:
            signal.raise_signal(which)


class Flag:
    """Down, or up for good: what processes that are handed it at their start can ask, and any of them raise.

    Without a lock, unlike `multiprocessing.Event`: one that is killed while it holds a lock holds it for ever, and whoever raised the
    flag then would wait as long.

    Examples
    --------
    >>> flag = Flag()
    >>> flag.raised(), flag.set(), flag.raised()
    (False, None, True)
    """

    def __init__(self) -> None:
        from multiprocessing.sharedctypes import RawValue

        self._value = RawValue("b", 0)

    def raised(self) -> bool:
        """Return whether it is up."""
        return bool(self._value.value)

    def set(self) -> None:
        """Put it up."""
        self._value.value = 1


class _Process:
    """What a worker process keeps between calls."""

    job: Callable[[Any], Any]


def _start(job: Callable[[Any], Any]) -> None:
    follow_parent()
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
                with signals_held():
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
