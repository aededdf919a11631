"""The work of one unit of 64 clips: plan → render → write, rows last; a unit is there whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from audiosynth import registry
from audiosynth.building.clips import Written, unwrite, write
from audiosynth.building.folder import WORK
from audiosynth.building.orders import Job, Order
from audiosynth.building.placing import disk_error, put
from audiosynth.errors import AudiosynthError, BuildError, PlanError
from audiosynth.material.workspace import Workspace
from audiosynth.records.text import AsTree, dumps
from audiosynth.spec import ClipSpec
from audiosynth.steps import Steps, advance

KEPT: Final = "kept"
"""Folder, in that of a build's work, of rows that are not made again."""
UNIT: Final = 64
"""Clips per unit: the grain of resuming and of sharing work (DESIGN section 6)."""
MANY_EVENTS: Final = 512
"""Clips are planned one after the other, up to a unit of them or so many events, then made."""
TOGETHER_BYTES: Final = 2**24
"""Clips are made step by step together as long as their sound takes no more: a third off the time of clips of 1 s."""
FLOAT_BYTES: Final = 8
OTHER_ARRAYS: Final = 4
"""What a clip needs beside its events' sounds, in arrays of its length: bed, sum, mix, integers."""
Made = TypeVar("Made")


@dataclass(frozen=True)
class Unit:
    """Clips [first, last) of one split, in the order of what is asked for."""

    split: str
    first: int
    last: int

    def __len__(self) -> int:
        """Return the number of clips."""
        return self.last - self.first

    @property
    def name(self) -> str:
        """Return the name of its rows' file."""
        return unit_name(self.split, self.first)


def unit_name(split: str, number: int) -> str:
    """Return the name of the file that has the rows of the unit of clip `number`."""
    return f"{split}-{number // UNIT:09d}.jsonl"


def units_of(clips: Mapping[str, int]) -> list[Unit]:
    """Return the units of so many clips per split, in the order of their manifest.

    Examples
    --------
    >>> [(u.split, u.first, u.last) for u in units_of({"train": 70, "test": 1})]
    [('train', 0, 64), ('train', 64, 70), ('test', 0, 1)]
    """
    return [Unit(split, a, min(a + UNIT, n)) for split, n in clips.items() for a in range(0, n, UNIT)]


def never() -> bool:
    """Never stop."""
    return False


def render_unit(
    order: Order,
    unit: Unit,
    root: Path,
    work: Workspace,
    *,
    stopped: Callable[[], bool] = never,
    keep_going: bool = False,
    scratch: Path | None = None,
) -> int:
    """Write the audio of a unit, then its rows; returns the number of clips.

    Parameters
    ----------
    order, unit, root, work
        What to make, where, and with which recordings.
    stopped
        Asked before every step of a clip; once true, the unit is given up.
    keep_going
        Note clips that cannot be made, and go on with the next.
    scratch
        Where files are written before they are moved to their place; ``.build/tmp`` if None.

    Raises
    ------
    AudiosynthError
        Naming the clip that cannot be made.
    """
    rows = kept_rows(root / WORK / KEPT / unit.name)
    scratch = scratch or root / WORK / "tmp"
    checks, tries = _checks(order, unit.split), _Tries(unit.split, root, keep_going)
    todo = iter([number for number in range(unit.first, unit.last) if number not in rows])
    while True:
        jobs = _planned(order, unit.split, todo, tries, stopped)
        if not jobs:
            break
        for some in _groups(jobs):
            made = _together(some, partial(_written, root=root, scratch=scratch, work=work), tries, stopped)
            for number, clip in made.items():
                tries(rows, number, partial(_line, clip, jobs[number], work, checks), jobs[number].spec)
    if tries.failed:
        put(root / WORK / "failed" / unit.name, tries.table(), scratch=scratch)
    else:  # one of a run that was killed before it had its rows
        (root / WORK / "failed" / unit.name).unlink(missing_ok=True)
    text = "".join(rows[number] + "\n" for number in sorted(rows))
    put(root / WORK / "units" / unit.name, text.encode(), scratch=scratch)
    return len(rows)


@dataclass(frozen=True)
class _Tries:
    """What is tried with the clips of a unit; where the build keeps going, those with which it cannot be done are noted."""

    split: str
    root: Path
    keep_going: bool
    failed: dict[int, str] = field(default_factory=dict)

    def __call__(
        self, found: dict[int, Made], number: int, make: Callable[[], Made | None], spec: ClipSpec | None = None
    ) -> None:
        """Put what is made of a clip under its number, unless that is nothing or cannot be done."""
        try:
            made = make()
        except (OSError, AudiosynthError) as error:
            self.without(number, error, spec)
        else:
            if made is not None:
                found[number] = made

    def without(self, number: int, error: OSError | AudiosynthError, spec: ClipSpec | None) -> None:
        """Go on without a clip that cannot be made, or do not go on."""
        if isinstance(error, OSError):
            raise disk_error(error, self.root) from error
        told_by = _naming(error, spec)
        if not self.keep_going or isinstance(error, BuildError):
            raise told_by from (None if told_by is error else error)  # a cause of itself would never end
        self.failed[number] = _failure(self.split, number, told_by, spec)
        if spec is not None:  # its row can fail after its audio was written
            unwrite(spec, self.root)

    def table(self) -> bytes:
        """Return a line for each clip that could not be made, in their order."""
        return "".join(self.failed[number] for number in sorted(self.failed)).encode()


def _planned(
    order: Order, split: str, todo: Iterator[int], tries: _Tries, stopped: Callable[[], bool]
) -> dict[int, Job]:
    """Return the next clips, until they have `MANY_EVENTS`; none where none are left."""
    jobs: dict[int, Job] = {}
    events = 0
    for number in todo:
        _go_on(stopped)
        tries(jobs, number, partial(order.job, split, number))
        events += len(jobs[number].spec.events) if number in jobs else 0
        if events >= MANY_EVENTS:
            break
    return jobs


def _groups(jobs: Mapping[int, Job]) -> Iterator[dict[int, Job]]:
    """Yield the clips that are made together: as many as take `TOGETHER_BYTES`."""
    group: dict[int, Job] = {}
    size = 0
    for number, job in jobs.items():
        more = FLOAT_BYTES * job.spec.n_samples * job.spec.channels * (len(job.spec.events) + OTHER_ARRAYS)
        if group and size + more > TOGETHER_BYTES:
            yield group
            group, size = {}, 0
        group[number] = job
        size += more
    if group:
        yield group


def _together(
    jobs: Mapping[int, Job], write: Callable[[Job], Steps[Written]], tries: _Tries, stopped: Callable[[], bool]
) -> dict[int, Written]:
    """Write the audio of clips step by step: each takes a step before any takes the next."""
    made: dict[int, Written] = {}
    making = {number: write(job) for number, job in jobs.items()}
    while making:
        for number, steps in making.items():
            _go_on(stopped)
            try:
                clip = advance(steps)
            except (OSError, AudiosynthError) as error:
                tries.without(number, error, jobs[number].spec)
            else:
                if clip is not None:
                    made[number] = clip
        if made or tries.failed:
            making = {n: steps for n, steps in making.items() if n not in made and n not in tries.failed}
    return {number: made[number] for number in jobs if number in made}


def _go_on(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise BuildError("the build was stopped")


def _checks(order: Order, split: str) -> list[Callable[[Mapping[str, Any]], None]]:
    """Return what the formats of a split's labels hold every row against, as soon as it is made."""
    exporters = [registry.create("exporters", tree) for tree in order.exports]
    told = order.supervision.get(split) != "none"
    return [exporter.check for exporter in exporters if registry.can(exporter, "check")] if told else []  # type: ignore[attr-defined]


def _naming(error: AudiosynthError, spec: ClipSpec | None) -> AudiosynthError:
    """Return an error that names its clip, which some do already."""
    if spec is None or str(error).startswith(f"clip {spec.clip_id}"):
        return error
    return type(error)(f"clip {spec.clip_id}: {error}")


def _written(job: Job, *, root: Path, scratch: Path, work: Workspace) -> Steps[Written]:
    """Write the audio of a clip, in steps."""
    known = {"decisions": job.decisions, "kept": job.kept}
    return write(job.spec, root, scratch=scratch, work=work, recipe_sha256=job.recipe_sha256, **known)


def _line(clip: Written, job: Job, work: Workspace, checks: Sequence[Callable[[Mapping[str, Any]], None]]) -> str:
    """Return the row of a clip as a line, which the formats of its labels can write."""
    row = {**clip.row(work), **job.extra}
    for check in checks:
        check(AsTree(row))
    return dumps(row)


def kept_rows(path: Path) -> dict[int, str]:
    """Return the rows of a unit that stand as they are, by number: those of a set from which something was withdrawn."""
    lines = (
        path.read_bytes().splitlines() if path.is_file() else ()
    )  # of text, splitlines ends a line inside a label too
    return {int(json.loads(line)["spec"]["ordinal"]): line.decode() for line in lines}


def _failure(split: str, number: int, error: AudiosynthError, spec: ClipSpec | None) -> str:
    """Return the line of a clip that could not be made: why, and its spec, or the event that could not be planned."""
    name, tree = (f"{split}-{number:09d}", None) if spec is None else (spec.clip_id, spec.to_json())
    row: dict[str, Any] = {"clip_id": name, "error": str(error), "spec": tree}
    if isinstance(error, PlanError) and error.event is not None:
        row["event"] = error.event
    return dumps(row) + "\n"
