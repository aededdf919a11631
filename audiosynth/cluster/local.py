"""Scheduler and workers of one build: processes of this machine that end with it, at once.

What ends a build must not wait for anybody (a signal is answered within a second), and no half of a unit is lost with a worker: so
nobody takes leave here, as Dask's own `LocalCluster` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from audiosynth.building.pool import follow_parent, signals_held
from audiosynth.errors import BuildError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

HOST: Final = "127.0.0.1"
DEAD_SECONDS: Final = 1
"""How long a killed process may take to be gone; only one that hangs in its disk takes any time."""


@dataclass
class _Member:
    """A process and the line to it; what it answered, once it has."""

    process: SpawnProcess
    line: Connection
    answer: str = ""


class Local:
    """Scheduler and workers, each a process of its own with one thread.

    Parameters
    ----------
    folder
        For what Dask writes of a worker.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._members: list[_Member] = []
        self.address = ""

    def start(self, workers: int) -> None:
        """Start all of them; return once the scheduler knows every worker.

        Raises
        ------
        BuildError
            If one of them cannot start.
        """
        scheduler = self._started(_schedule)
        members = [self._started(_work, str(self._folder)) for _ in range(workers)]  # all load at the same time
        self.address = self._answer(scheduler)
        for member in members:
            member.line.send(self.address)
        for member in members:
            self._answer(member)

    def tend(self) -> None:
        """Put another worker in the place of each that was killed.

        Raises
        ------
        BuildError
            If one ended before it had started.
        """
        scheduler, *workers = self._members
        for member in workers if scheduler.process.is_alive() else ():
            alive = member.process.is_alive()
            if not alive or member.line.poll():
                self._answer(member)
            if not alive:
                self._members.remove(member)
                member.line.close()
                self._started(_work, str(self._folder)).line.send(self.address)

    def end(self) -> None:
        """End all of them now: what they are at is not wanted, and half of it harms nobody."""
        for member in self._members:
            if member.process.pid is not None:
                member.process.kill()
        for member in self._members:
            if member.process.pid is not None:
                member.process.join(DEAD_SECONDS)
            member.line.close()
        self._members.clear()

    def _started(self, target: Callable[..., None], *words: str) -> _Member:
        here, there = get_context("spawn").Pipe()
        process = get_context("spawn").Process(target=target, args=(there, *words), daemon=True)
        member = _Member(process, here)
        self._members.append(member)  # before it runs: whatever happens now, it will be ended
        with signals_held():
            process.start()
        there.close()  # the process has its own: when it ends, so does the line
        return member

    def _answer(self, member: _Member) -> str:
        """Wait for what a process says once it is ready."""
        if not member.answer:
            connection.wait([member.line, member.process.sentinel])
            try:
                fine, said = member.line.recv()
            except (EOFError, OSError):
                member.process.join(DEAD_SECONDS)
                fine, said = False, f"exit code {member.process.exitcode}"
            if not fine:
                raise BuildError(
                    f"--dask local: a process of Dask ended before it had started ({said}); run the same command again, "
                    "it goes on where it stopped"
                )
            member.answer = said
        return member.answer


@contextmanager
def local_cluster(workers: int) -> Iterator[Local]:
    """Give a scheduler and so many workers, which are gone in the end."""
    with TemporaryDirectory(prefix="audiosynth-dask-", ignore_cleanup_errors=True) as folder:
        local = Local(Path(folder))
        try:
            local.start(workers)
            yield local
        finally:
            local.end()


def _schedule(line: Connection) -> None:
    """Be the scheduler."""

    async def scheduler() -> None:
        from distributed import Scheduler

        # any port: the default one of its pages may be another scheduler's
        async with Scheduler(host=HOST, port=0, dashboard=False, dashboard_address=f"{HOST}:0") as served:
            line.send((True, served.address))
            await served.finished()

    _serve(line, scheduler)


def _work(line: Connection, folder: str) -> None:
    """Be a worker of the scheduler whose address comes over the line."""

    async def worker() -> None:
        from distributed import Worker

        try:
            address = line.recv()
        except EOFError:  # the build was stopped before it had a scheduler
            return
        async with Worker(address, host=HOST, nthreads=1, memory_limit=0, local_directory=folder) as served:
            line.send((True, served.address))
            await served.finished()

    _serve(line, worker)


def _serve(line: Connection, server: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a server of Dask in this process until it or the parent ends; say why it could not start."""
    import logging
    from contextlib import suppress

    follow_parent()
    logging.disable(logging.CRITICAL)  # what matters of Dask's log becomes an error of the build
    try:
        asyncio.run(server())
    except Exception as error:
        with suppress(OSError):
            line.send((False, f"{type(error).__name__}: {error}"))
