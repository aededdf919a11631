"""Who makes the units of a build: this process or a pool of others. Anything that maps units to counts can be a crew."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audiosynth.building.memory import collect_seldom, keep_freed_memory, spare_what_is_loaded, spared
from audiosynth.building.orders import Order
from audiosynth.building.pool import Flag, follow_parent, signals_held
from audiosynth.building.units import Unit, never, render_unit
from audiosynth.errors import BuildError
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.sound import mixing, normals

ASSET_BYTES: Final = 1 << 30
"""Decoded recordings kept per worker, in bytes."""
WARM_FROM: Final = 8
"""Units for which a process loads compiled code: it takes as long as the noise of some hundred clips."""


@dataclass(frozen=True)
class Task:
    """What every process that takes part in a build is told once; it can be pickled.

    Attributes
    ----------
    order
        What to make.
    root
        Folder of the dataset, prepared: its ``.build/`` takes the rows of finished units.
    keep_going
        Leave out clips that cannot be made.
    scratch
        Where files are written before they are moved to their place; ``.build/tmp`` if None.
    roots
        Folder of each data root where it is not the order's own: a path that means the same in every process.
    """

    order: Order
    root: Path
    keep_going: bool = False
    scratch: Path | None = None
    roots: Mapping[str, Path] | None = None


Crew = Callable[[Task, Sequence[Unit]], Generator[int, None, None]]
"""Makes all of these units, in any order, and yields the number of clips of each once its rows stand in ``.build/units``.

An error of a unit is raised; closing the iterator (or an error) stops what is still running, at the next clip.
"""


class Hand:
    """Makes units of one task, one after the other, and keeps decoded recordings between them: one for each process.

    Parameters
    ----------
    task
        What is built.
    share
        Units that it will probably make; for many it loads compiled code first.
    stopped
        Asked before every clip; once true, the unit is given up.
    asset_bytes
        Most memory held by decoded recordings.
    """

    def __init__(
        self, task: Task, *, share: int, stopped: Callable[[], bool] = never, asset_bytes: int = ASSET_BYTES
    ) -> None:
        self._task, self._stopped = task, stopped
        self._work = Workspace(AssetStore(task.roots or task.order.roots, max_bytes=asset_bytes))
        if share >= WARM_FROM:  # what compiled code gives is the same
            normals.load_kernel()
            mixing.load_kernel()

    def __call__(self, unit: Unit) -> int:
        """Write a unit; return the number of its clips."""
        task = self._task
        return render_unit(
            task.order,
            unit,
            task.root,
            self._work,
            stopped=self._stopped,
            keep_going=task.keep_going,
            scratch=task.scratch,
        )


def crew_of(workers: int) -> Crew:
    """Return a crew of this process alone, or of so many others.

    Examples
    --------
    >>> crew_of(1) is alone
    True
    """
    if workers == 1:
        return alone

    def together(task: Task, units: Sequence[Unit]) -> Generator[int, None, None]:
        n = min(workers, len(units))
        return alone(task, units) if n < 2 else _pool(task, units, n)

    return together


def alone(task: Task, units: Sequence[Unit]) -> Generator[int, None, None]:
    """Make the units in this process."""
    hand = Hand(task, share=len(units))
    yield from map(hand, units[:1])
    with spared():  # by the end of the first unit, that is nearly all of what is needed
        yield from map(hand, units[1:])


class _Process:
    """What a worker process keeps between units."""

    hand: Hand


def _start(task: Task, stop: Flag, share: int) -> None:
    follow_parent()
    keep_freed_memory()
    collect_seldom()
    _Process.hand = Hand(task, share=share, stopped=stop.raised)


def _one(unit: Unit) -> int:
    made = _Process.hand(unit)
    spare_what_is_loaded()  # as in `alone`
    return made


def _pool(task: Task, units: Sequence[Unit], workers: int) -> Generator[int, None, None]:
    from multiprocessing import get_context

    context = get_context("spawn")
    stop = Flag()
    with ProcessPoolExecutor(workers, context, _start, (task, stop, len(units) // workers)) as pool:
        waiting: set[Future[int]] = set()
        try:
            for unit in units:
                with signals_held():
                    waiting.add(pool.submit(_one, unit))
                if len(waiting) >= 2 * workers:
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (f.result() for f in finished)
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (f.result() for f in finished)
        except (KeyboardInterrupt, GeneratorExit):
            _end(pool)
            waiting.clear()  # the pool ends them itself, and takes one that is cancelled meanwhile for a bug
            raise
        except BrokenProcessPool:
            raise BuildError(
                "a worker process was killed (out of memory?); run the same command again, it goes on where it stopped"
            ) from None
        finally:
            stop.set()  # after an error or Ctrl-C: workers give up their unit at the next clip
            for future in waiting:
                future.cancel()


def _end(pool: ProcessPoolExecutor) -> None:
    """End the workers now: one that is still loading would take seconds to ask whether it should stop.

    Units are there whole or not at all, so that nothing is lost with them.
    """
    for process in [*(pool._processes or {}).values()]:  # public from Python 3.14 on: terminate_workers
        process.terminate()
