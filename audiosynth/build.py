"""Build a dataset: units of 64 clips in any number of workers, resumable, the same tree byte for byte."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from audiosynth.building import summary
from audiosynth.building.finish import finish
from audiosynth.building.folder import WORK, clear, finished, locked, prepare
from audiosynth.building.memory import keep_freed_memory
from audiosynth.building.orders import Order, RecipeOrder
from audiosynth.building.pool import leave_with_parent
from audiosynth.building.units import Unit, disk_error, render_unit, units_of
from audiosynth.errors import BuildError, UsageError
from audiosynth.material.assets import AssetStore
from audiosynth.material.workspace import Workspace
from audiosynth.records.loaded import Recipe
from audiosynth.sound import mixing, normals

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

ASSET_BYTES: Final = 1 << 30
"""Decoded recordings kept per worker, in bytes."""
WARM_FROM: Final = 8
"""Units for which a process loads compiled code: it takes as long as the noise of some hundred clips."""


@dataclass(frozen=True)
class Built:
    """What a build made.

    Attributes
    ----------
    root
        The dataset's folder.
    clips
        Clips in it, and how many of them were made now (the others stood from an earlier run).
    made
        Clips made by this run.
    stats
        Totals over the manifest (`audiosynth.building.summary.Totals.as_dict`).
    """

    root: Path
    clips: int
    made: int
    stats: Mapping[str, Any] = field(default_factory=dict)


def build(
    recipe: Recipe,
    root: str | Path,
    *,
    workers: int = 1,
    fresh: bool = False,
    keep_going: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Built:
    """Build every clip of a recipe into a folder.

    Parameters
    ----------
    recipe
        From `audiosynth.load_recipe`.
    root
        Folder of the dataset; made if missing. An unfinished build of the same recipe is resumed.
    workers
        Processes that render (1 renders in this one). The result is the same for any number.
    fresh
        Delete an earlier build in `root` first.
    keep_going
        Leave out clips that cannot be made (a recording that is gone, a synthesizer that crashed), list them with their specs
        in ``failed.jsonl``, and go on; by default the first of them stops the build, which can be resumed.
    progress
        Called with (clips done, clips in all) whenever a unit is finished.

    Raises
    ------
    BuildError
        If the folder holds something else or another build, is in use, or cannot be written.
    AudiosynthError
        If a clip cannot be planned or rendered; what is finished stays.

    Examples
    --------
    >>> import tempfile
    >>> from audiosynth import build, load_recipe, shipped_recipe
    >>> recipe = load_recipe(shipped_recipe("quickstart"), clips=2)
    >>> build(recipe, tempfile.mkdtemp()).clips
    4
    """
    return carry_out(
        RecipeOrder(recipe), Path(root), workers=workers, fresh=fresh, keep_going=keep_going, progress=progress
    )


def carry_out(
    order: Order,
    root: Path,
    *,
    workers: int = 1,
    fresh: bool = False,
    keep_going: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Built:
    """Build what an order asks for; see `build`."""
    if workers < 1:
        raise UsageError(f"workers: expected at least 1, got {workers}")
    try:
        return _build(order, root, workers=workers, fresh=fresh, keep_going=keep_going, progress=progress or _quiet)
    except OSError as error:
        raise disk_error(error, root) from error


def _quiet(done: int, total: int) -> None:
    """Show no progress."""


def _build(
    order: Order, root: Path, *, workers: int, fresh: bool, keep_going: bool, progress: Callable[[int, int], None]
) -> Built:
    state = order.state()
    cleared = fresh and clear(root)
    if finished(root, state, cleared=cleared):
        return _as_it_is(order, root)
    root.mkdir(parents=True, exist_ok=True)
    (root / WORK).mkdir(exist_ok=True)
    with locked(root):
        if finished(root, state, cleared=cleared):  # by another process, between the question and the lock
            return _as_it_is(order, root)
        prepare(root, state)
        units = units_of(order.clips)
        todo = [unit for unit in units if not (root / WORK / "units" / unit.name).exists()]
        total, done = (
            sum(order.clips.values()),
            sum(u.last - u.first for u in units) - sum(u.last - u.first for u in todo),
        )
        progress(done, total)
        made = 0
        for count in _run(order, todo, root, workers, keep_going=keep_going):
            made += count
            progress(done + made, total)
        stats = finish(order, root, units, state)
        shutil.rmtree(root / WORK)
    return Built(root, total, made, stats)


def _as_it_is(order: Order, root: Path) -> Built:
    shutil.rmtree(root / WORK, ignore_errors=True)
    return Built(root, sum(order.clips.values()), 0, summary.of_manifest(root / "manifest.jsonl").as_dict())


def _run(order: Order, todo: list[Unit], root: Path, workers: int, *, keep_going: bool) -> Iterator[int]:
    if workers == 1 or len(todo) < 2:
        _warm(len(todo))
        work = Workspace(AssetStore(order.roots, max_bytes=ASSET_BYTES))
        for unit in todo:
            yield render_unit(order, unit, root, work, keep_going=keep_going)
        return
    yield from _run_pool(order, todo, root, min(workers, len(todo)), keep_going=keep_going)


class _Process:
    """What a worker process keeps between units."""

    order: Order
    root: Path
    work: Workspace
    stop: Event
    keep_going: bool


def _start(order: Order, root: Path, stop: Event, keep_going: bool, share: int) -> None:
    import signal
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    Thread(target=leave_with_parent, daemon=True).start()
    _Process.order, _Process.root, _Process.stop, _Process.keep_going = order, root, stop, keep_going
    _Process.work = Workspace(AssetStore(order.roots, max_bytes=ASSET_BYTES))
    keep_freed_memory()
    _warm(share)


def _warm(n_units: int) -> None:
    """Load compiled code where there is enough to do for it; what it gives is the same."""
    if n_units >= WARM_FROM:
        normals.load_kernel()
        mixing.load_kernel()


def _one(unit: Unit) -> int:
    process = _Process
    stopped = process.stop.is_set
    return render_unit(process.order, unit, process.root, process.work, stopped=stopped, keep_going=process.keep_going)


def _run_pool(order: Order, todo: list[Unit], root: Path, workers: int, *, keep_going: bool) -> Iterator[int]:
    from multiprocessing import get_context

    context = get_context("spawn")
    stop = context.Event()
    pool: AbstractContextManager[ProcessPoolExecutor]
    with ProcessPoolExecutor(workers, context, _start, (order, root, stop, keep_going, len(todo) // workers)) as pool:
        waiting: set[Future[int]] = set()
        rest = iter(todo)
        try:
            for unit in rest:
                waiting.add(pool.submit(_one, unit))
                if len(waiting) >= 2 * workers:
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (f.result() for f in finished)
            while waiting:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (f.result() for f in finished)
        except BrokenProcessPool:
            raise BuildError(
                "a worker process was killed (out of memory?); run the same command again, it goes on where it stopped"
            ) from None
        finally:
            stop.set()  # after an error or Ctrl-C: workers give up their unit at the next clip
            for future in waiting:
                future.cancel()
