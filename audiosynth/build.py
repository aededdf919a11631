"""Build a dataset: units of 64 clips in any number of workers, resumable, the same tree byte for byte."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from audiosynth.building import summary
from audiosynth.building.again import AGAIN, LOST, drop_views, reopen, try_again, write_again
from audiosynth.building.crew import Crew, Task, crew_of
from audiosynth.building.delivery import Take, Upload, delivered
from audiosynth.building.finish import finish
from audiosynth.building.folder import WORK, clear, finished, holds_build, locked, prepare, require_apart
from audiosynth.building.orders import Order, RecipeOrder
from audiosynth.building.pack import Packer
from audiosynth.building.parts import PartOrder, Shard
from audiosynth.building.placing import disk_error
from audiosynth.building.units import Unit, units_of
from audiosynth.errors import UsageError
from audiosynth.files.remote import is_url
from audiosynth.manifest import open_manifest
from audiosynth.records.loaded import Recipe


@dataclass(frozen=True)
class Built:
    """What a build made.

    Attributes
    ----------
    root
        The dataset's folder; where it was uploaded, the local one that it was made in.
    clips
        Clips in it: those that were made, now or by an earlier run.
    made
        Clips made by this run.
    stats
        Totals over the manifest (`audiosynth.building.summary.Totals.as_dict`).
    url
        Where it was uploaded to.
    tries_again
        Whether the same build again tries the clips that could not be made.
    """

    root: Path
    clips: int
    made: int
    stats: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""
    tries_again: bool = False

    @property
    def place(self) -> str:
        """Return where the dataset is: a folder or a URL."""
        return self.url or str(self.root)


def build(
    recipe: Recipe,
    root: str | Path | Upload,
    *,
    workers: int = 1,
    fresh: bool = False,
    keep_going: bool = False,
    shard: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    crew: Crew | None = None,
) -> Built:
    """Build every clip of a recipe into a folder.

    Parameters
    ----------
    recipe
        From `audiosynth.load_recipe`.
    root
        Folder of the dataset; made if missing. An unfinished build of the same recipe is resumed. A URL is one for fsspec, such as
        ``s3://bucket/set``: the set is built below ``$AUDIOSYNTH_STAGING`` (``output/.staging``) and uploaded from there while it is
        made; an `audiosynth.Upload` can say more.
    workers
        Processes that render (1 renders in this one). The result is the same for any number.
    fresh
        Delete an earlier build in `root` first.
    keep_going
        Leave out clips that cannot be made (a recording that is gone, a synthesizer that crashed), list them with their specs
        in ``failed.jsonl``, and go on; by default the first of them stops the build, which can be resumed. The same build again tries
        them again, unless its audio is in tar files or at a URL.
    shard
        ``3/64`` makes the third of 64 parts alone, whoever makes the others and whenever: a dataset without labels, to be put
        together with them by `audiosynth.merge`.
    progress
        Called with (clips done, clips in all) whenever a unit is finished.
    crew
        Who renders in the place of so many workers, such as `audiosynth.dask_crew`.

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
    order, part = RecipeOrder(recipe), None if shard is None else Shard.parse(shard)
    how: dict[str, Any] = {"fresh": fresh, "keep_going": keep_going, "progress": progress, "shard": part}
    crew = crew or _crew(workers)
    if not (isinstance(root, Upload) or is_url(root)):
        return _carried(order, Path(root), crew, **how)
    target = root if isinstance(root, Upload) else Upload(str(root))
    target.require_fit(order)
    state = (order if part is None else PartOrder(order, part)).state()
    made, head = delivered(
        target,
        lambda folder, take: _carried(order, folder, crew, final=take, **how),
        state,
        fresh=fresh,
        environ=os.environ,
    )
    stats: dict[str, Any] = {key: head.get(key) for key in (*summary.Totals().as_dict(), "failed")}
    return replace(made or Built(Path(), sum(stats["clips"].values()), 0), stats=stats, url=target.url)


def carry_out(
    order: Order,
    root: Path,
    *,
    workers: int = 1,
    fresh: bool = False,
    keep_going: bool = False,
    progress: Callable[[int, int], None] | None = None,
    crew: Crew | None = None,
    shard: Shard | None = None,
) -> Built:
    """Build what an order asks for, or a shard of it; see `build`. A `crew` takes the place of so many workers."""
    how: dict[str, Any] = {"fresh": fresh, "keep_going": keep_going, "progress": progress, "shard": shard}
    return _carried(order, root, crew or _crew(workers), **how)


def _crew(workers: int) -> Crew:
    if workers < 1:
        raise UsageError(f"workers: expected at least 1, got {workers}")
    return crew_of(workers)


def _carried(
    order: Order, root: Path, crew: Crew, *, fresh: bool, keep_going: bool, progress: Callable[[int, int], None] | None,
    shard: Shard | None, final: Take | None = None,
) -> Built:  # fmt: skip
    """Build as `carry_out`; who is told what is `final` (`Packer`) may need the build's ``.build`` again, which is kept then."""
    try:
        units = units_of(order.clips) if shard is None else shard.units(units_of(order.clips))
        task = Task(order if shard is None else PartOrder(order, shard), root, keep_going)
        return _build(task, units, crew, fresh=fresh, progress=progress or _quiet, final=final)
    except OSError as error:
        raise disk_error(error, root) from error


def _quiet(done: int, total: int) -> None:
    """Show no progress."""


def _build(
    task: Task,
    units: Sequence[Unit],
    crew: Crew,
    *,
    fresh: bool,
    progress: Callable[[int, int], None],
    final: Take | None,
) -> Built:
    root, state = task.root, task.order.state()
    replaced = fresh and holds_build(root)
    if replaced:
        require_apart(root, task.order.made_from)
    whole = not replaced and finished(root, state) and not _may_gain(task, final)
    if whole and not (root / WORK).exists():  # nobody is at work on it
        return _as_it_is(task, final)
    root.mkdir(parents=True, exist_ok=True)
    (root / WORK).mkdir(exist_ok=True)
    with locked(root):
        if replaced:
            clear(root)
        if finished(root, state, cleared=replaced):  # also by another process, between the question and the lock
            made = try_again(task, units, crew, state, progress) if _may_gain(task, final) else 0
            if not made:
                if final is None:
                    shutil.rmtree(root / WORK, ignore_errors=True)
                return _as_it_is(task, final)
            packed: Mapping[str, str] = {}
        else:
            prepare(root, state)
            if (root / AGAIN).is_file():  # trying again ended when some were still there
                drop_views(root)
            made, packed = _made(task, units, crew, progress=progress, final=final)
        stats = finish(task.order, root, units, state, packed=packed)
        if final is None:
            shutil.rmtree(root / WORK)
    write_again(root)
    return Built(root, sum(stats["clips"].values()), made, stats, tries_again=_takes_more(task, final))


def _made(
    task: Task, units: Sequence[Unit], crew: Crew, *, progress: Callable[[int, int], None], final: Take | None
) -> tuple[int, Mapping[str, str]]:
    """Make the clips that are not there yet; return how many, and the hashes of what was packed."""
    root, total = task.root, sum(map(len, units))
    stood = reopen(root) if _takes_more(task, final) else 0
    made_before = {
        path.name for path in (root / WORK / "units").iterdir()
    }  # one look: of 10^8 clips each takes half a minute
    todo = [unit for unit in units if unit.name not in made_before]
    done = total - sum(map(len, todo))
    progress(done, total)
    made, packer = 0, Packer(task.order, root, units, final=final)
    with closing(crew(task, todo)) as counts:
        for count in counts:
            made += count
            packer.advance()
            progress(done + made, total)
    return made - stood, packer.close()


def _takes_more(task: Task, final: Take | None) -> bool:
    """Return whether a clip can be added to a unit that was finished: not to what was packed or uploaded."""
    return final is None and task.order.packing.audio != "tar"


def _may_gain(task: Task, final: Take | None) -> bool:
    """Return whether clips of a finished set could not be made and can be tried again."""
    return _takes_more(task, final) and (task.root / LOST).is_file()


def _as_it_is(task: Task, final: Take | None) -> Built:
    root = task.root
    if (root / AGAIN).is_file():  # an earlier run ended between the set's being whole and that
        write_again(root)
    lost = root / LOST  # told again: whoever runs the same command again sees that clips are missing
    failed = 0
    if lost.exists():
        with lost.open("rb") as lines:
            failed = sum(1 for _ in lines)
    stats = summary.of_manifest(open_manifest(root)).as_dict()
    stats["failed"] = failed
    return Built(root, sum(stats["clips"].values()), 0, stats, tries_again=_takes_more(task, final))
