"""Units handed out to the workers of a cluster, a bounded number at a time, until the rows of each are there."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from queue import Empty, Queue
from threading import Event
from typing import Any, Final

from audiosynth.building.crew import Task
from audiosynth.building.folder import WORK
from audiosynth.building.units import Unit
from audiosynth.cluster.run import UNSEEN, Refused, Run, facts, unfit
from audiosynth.errors import BuildError

PER_THREAD: Final = 2
"""Units in flight per thread of the cluster: one being made, one waiting for it."""
RETRIES: Final = 2
"""How often Dask makes a unit again that raised an error, on whichever worker: a disk or a network may recover."""
DEATHS: Final = 3
"""How often a unit is handed out anew that Dask gave up on, each time after several workers had died over it."""
LOOK_SECONDS: Final = 2
"""How often the number of workers is looked at while no unit gets done."""
LATE_LOOKS: Final = 5
"""How often, a second apart, a worker is asked again that does not see a folder: a network file system may be late."""
SEEN_SECONDS: Final = 90
"""How long rows that another machine wrote may take to be seen here (a Linux NFS client may believe for 60 s that there are none, nfs(5))."""
LEAVE_SECONDS: Final = 0.3
"""How long the workers may take to be told that a run is over: a stopped build does not wait for one that is busy or away."""
MOST_NAMED: Final = 8
"""Workers named in one message."""


class Dispatch:
    """The side of a run that hands out.

    Parameters
    ----------
    client
        Of the cluster, connected.
    address
        Of its scheduler, for messages.
    note
        Called with what somebody should know.
    tend
        Called again and again: sees to the workers that were started for this run alone; None if others see to them.
    """

    def __init__(
        self, client: Any, address: str, note: Callable[[str], None], *, tend: Callable[[], None] | None = None
    ) -> None:
        self._client, self._address, self._note, self._tend = client, address, note, tend
        self._run: Run | None = None
        self._ended: Queue[Any] = Queue()
        self._flying: dict[str, tuple[Any, Unit]] = {}
        self._tries: Counter[str] = Counter()
        self._deaths: Counter[str] = Counter()
        self._refused: dict[str, str] = {}

    def __call__(self, task: Task, units: Sequence[Unit], *, scratch: Path) -> Generator[int, None, None]:
        """Have all units made; yield the clips of each.

        Raises
        ------
        BuildError
            If the scheduler is gone, no worker may take part, or a unit ends every worker that takes it.
        AudiosynthError
            Of a unit.
        """
        try:
            run = self._announced(task, len(units), scratch)
            yield from self._made(run, task.root / WORK / "units", iter(units))
        except OSError as error:
            if self._client.status == "running":
                raise
            raise self._gone() from error
        finally:
            self._leave()

    def _announced(self, task: Task, n_units: int, scratch: Path) -> Run:
        """Wait for workers, look at each of them, and tell all of them what is built."""
        from audiosynth.cluster.worker import BuildPlugin

        self._wait_for_workers()
        roots = {name: Path(folder).absolute() for name, folder in task.order.roots.items()}
        pickled = pickle.dumps(replace(task, root=task.root.absolute()))
        run = Run(scratch.name, pickled, scratch, roots, facts(), n_units // max(1, self._threads()))
        self._require_fit(run)
        self._client.register_plugin(BuildPlugin(run))
        self._run = run
        return run

    def _threads(self) -> int:
        """Return how many units the cluster can make at once."""
        threads: int = sum(self._client.nthreads().values())
        return threads

    def _wait_for_workers(self) -> None:
        told = self._tend is not None
        while not self._threads():
            self._look_after()
            if not told:
                self._note(f"no worker is at {self._address}; waiting for one (`dask worker {self._address}`)")
                told = True
            Event().wait(1)

    def _look_after(self) -> None:
        if self._tend is not None:
            self._tend()

    def _require_fit(self, run: Run) -> None:
        """Refuse to start with a worker whose clips would be others, or go elsewhere."""
        for look in range(LATE_LOOKS):
            answers = self._client.run(unfit, run.facts, run.folders, on_error="return")
            if not any(answers.values()):
                return
            if not any(str(answer).startswith(UNSEEN) for answer in answers.values()) or look == LATE_LOOKS - 1:
                break
            Event().wait(1)
        found = [f"  {worker} {_reason(answer)}" for worker, answer in sorted(answers.items()) if answer]
        shown = found[:MOST_NAMED] + [f"  and {len(found) - MOST_NAMED} more"] * (len(found) > MOST_NAMED)
        raise BuildError(
            f"{self._address}: {len(found)} of {len(answers)} workers cannot take part; each needs the versions of this machine, "
            "and the folders of dataset and data under the paths that they have here\n" + "\n".join(shown)
        )

    def _made(self, run: Run, rows: Path, units: Iterator[Unit]) -> Iterator[int]:
        while True:
            self._look_after()
            room = max(PER_THREAD * self._threads() - len(self._flying), 0 if self._flying else 1)
            for unit in islice(units, room):
                self._hand_out(run, unit)
            if not self._flying:
                return
            ended = self._next()
            if ended is None:
                continue
            unit = self._flying.pop(ended.key)[1]
            count = self._result(run, unit, ended)
            if count is not None:
                _wait_until_seen(rows / unit.name)
                yield count

    def _hand_out(self, run: Run, unit: Unit) -> None:
        from audiosynth.cluster.worker import make

        self._tries[unit.name] += 1
        where: dict[str, Any] = {}
        if self._refused:
            where["workers"] = [worker for worker in self._client.nthreads() if worker not in self._refused]
            if not where["workers"]:
                worker, reason = next(iter(self._refused.items()))
                raise BuildError(f"{self._address}: no worker is left that may take part; {worker} {reason}")
        key = f"audiosynth-{run.name}-{unit.name}-{self._tries[unit.name]}"
        future = self._client.submit(make, run.name, unit, key=key, retries=RETRIES, **where)
        self._flying[key] = (future, unit)
        future.add_done_callback(self._ended.put)

    def _next(self) -> Any:
        """Return the next future that ended, or None after a while without any."""
        try:
            return self._ended.get(timeout=LOOK_SECONDS)
        except Empty:
            self._wait_for_workers()
            return None

    def _result(self, run: Run, unit: Unit, future: Any) -> int | None:
        """Return the clips of a unit, or None if it was handed out anew."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            found = future.result()
        except CancelledError:
            raise self._gone() from None
        except KilledWorker as error:
            self._deaths[unit.name] += 1
            if self._deaths[unit.name] > DEATHS:
                raise BuildError(
                    f"{unit.name}: every worker that took this unit was killed (out of memory?): {error}"
                ) from None
        else:
            if not isinstance(found, Refused):
                del self._tries[unit.name]
                return int(found)
            if found.worker not in self._refused:
                self._note(f"{found.worker} came late and gets nothing to do: it {found.reason}")
            self._refused[found.worker] = found.reason
        self._hand_out(run, unit)
        return None

    def _gone(self) -> BuildError:
        return BuildError(
            f"the Dask scheduler at {self._address} is gone; what is finished stays: start scheduler and workers again and run the "
            "same command, it goes on where it stopped"
        )

    def _leave(self) -> None:
        """Take back what is not begun, and let the workers forget the run; one that does not answer finds out by itself."""
        client = self._client
        if client.status != "running" or self._tend is not None:  # nobody is there to be told, or will be in a moment
            return
        with suppress(Exception):
            client.cancel([future for future, _ in self._flying.values()], force=True)
            if self._run is not None:
                forget = client.scheduler.unregister_worker_plugin
                client.sync(forget, name=self._run.name, callback_timeout=LEAVE_SECONDS)


def _reason(answer: object) -> str:
    """Return in words why a worker is refused, or what kept it from answering."""
    if isinstance(answer, BaseException):
        return f"cannot run this audiosynth ({type(answer).__name__}: {answer})"
    return str(answer)


def _wait_until_seen(path: Path) -> None:
    """Wait until this machine sees what another one has written.

    Raises
    ------
    BuildError
        If it does not.
    """
    for pause in (0.0, 0.1, 0.4, *(1.0,) * SEEN_SECONDS):
        if pause:
            Event().wait(pause)
        if path.is_file():
            return
    raise BuildError(
        f"{path}: a worker says it wrote this, but it is not here; is the dataset's folder the same for all of them?"
    )
