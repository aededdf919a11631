"""Clips that could not be made are tried when the same build runs again; a finished set changes once one of them is made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from audiosynth.building.crew import Crew, Task
from audiosynth.building.folder import WORK, prepare
from audiosynth.building.placing import put
from audiosynth.building.rows import filled, raw_lines
from audiosynth.building.units import KEPT, Unit, unit_name
from audiosynth.exports import LATER, export_labels, later_exports
from audiosynth.manifest import open_manifest

LOST: Final = "failed.jsonl"
"""The list, in a finished set, of clips that could not be made."""
AGAIN: Final = "labels/export.again.json"
"""What was exported after the build, from before a set changes until that is written again."""


def lost_by_unit(path: Path) -> dict[str, str]:
    """Return the lines of clips that could not be made, by the name of their unit; none if there is no such file."""
    found: dict[str, str] = {}
    for line in path.read_bytes().splitlines(keepends=True) if path.is_file() else ():
        split, _, ordinal = json.loads(line)["clip_id"].rpartition("-")
        name = unit_name(split, int(ordinal))
        found[name] = found.get(name, "") + line.decode()
    return found


def reopen(root: Path) -> int:
    """Have the failures of an unfinished build tried again: their units are not finished, and keep their rows.

    Returns
    -------
    stood
        The number of rows that units to be made have already.
    """
    units, kept = root / WORK / "units", root / WORK / KEPT
    kept.mkdir(exist_ok=True)
    for path in sorted((root / WORK / "failed").glob("*.jsonl")):
        if (units / path.name).is_file() and path.stat().st_size:
            (units / path.name).replace(kept / path.name)
    rows = [path for path in sorted(kept.glob("*.jsonl")) if not (units / path.name).exists()]
    return sum(path.read_bytes().count(b"\n") for path in rows)


def try_again(
    task: Task, units: Sequence[Unit], crew: Crew, state: Mapping[str, Any], progress: Callable[[int, int], None]
) -> int:
    """Try the clips of a finished set that could not be made.

    Parameters
    ----------
    task, units, crew, state
        The build; its folder is locked.
    progress
        Called with (clips done, clips in all).

    Returns
    -------
    made
        How many are made now. If none, the set is as it was; else its folder is that of a build of which nothing is left to do but
        the end.
    """
    root, total = task.root, sum(map(len, units))
    lost = lost_by_unit(root / LOST)
    for name in ("units", KEPT, "failed", "packed"):
        shutil.rmtree(root / WORK / name, ignore_errors=True)
    (root / WORK / "state.json").unlink(missing_ok=True)
    prepare(root, state)
    names = {unit.name for unit in units}
    stood = _put_rows(root, KEPT, names & lost.keys())
    done, made = total - sum(len(unit) for unit in units if unit.name in lost) + stood, -stood
    progress(done, total)
    with closing(crew(replace(task, keep_going=True), [unit for unit in units if unit.name in lost])) as counts:
        for count in counts:
            made += count
            progress(done + max(0, made), total)
    if made:
        _put_rows(root, "units", names - lost.keys())
        _note_later(root)  # first: a build that goes on knows by it that there are views to drop
        (root / "dataset.json").unlink()
        drop_views(root)
    return made


def _put_rows(root: Path, folder: str, names: Collection[str]) -> int:
    """Put the rows of some units of a set into a folder of its work, a file each; return the number of rows."""
    place, count = root / WORK / folder, 0
    place.mkdir(exist_ok=True)
    for name in sorted(names):
        (place / name).touch()
    with raw_lines(open_manifest(root)) as lines:
        for name, rows in groupby(filled(lines), _unit_of):
            if name in names:
                with (place / name).open("ab") as file:
                    for row in rows:
                        file.write(row)
                        count += 1
    return count


def _unit_of(line: bytes) -> str:
    spec = json.loads(line)["spec"]
    return unit_name(spec["split"], spec["ordinal"])


def drop_views(root: Path) -> None:
    """Delete what was made of a set's rows: the report, and all labels; what was exported later is noted (`AGAIN`).

    The set's folder is locked, and its ``.build`` prepared.
    """
    from audiosynth.report.report import FOLDER, PAGE  # with all that draws it

    _note_later(root)
    (root / PAGE).unlink(missing_ok=True)
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    for path in sorted((root / "labels").glob("*")):
        if path.is_dir():
            shutil.rmtree(path)
        elif path != root / AGAIN:
            path.unlink()


def write_again(root: Path) -> None:
    """Export again what was noted, and what is listed as exported later, of a set that is whole; nothing is noted any more."""
    later = _later(root)
    if later:
        export_labels(root, later)
    (root / AGAIN).unlink(missing_ok=True)
    with suppress(OSError):  # where nothing is exported, it was made for that alone
        (root / AGAIN).parent.rmdir()


def _note_later(root: Path) -> None:
    text = json.dumps(_later(root), ensure_ascii=False)
    put(root / AGAIN, text.encode(), scratch=root / WORK / "tmp")


def _later(root: Path) -> list[dict[str, Any]]:
    """Return the trees of what was exported later: as it is listed, else as it was noted."""
    trees = (*later_exports(root, name=AGAIN), *later_exports(root, name=LATER))
    return [*{str(tree.get("type")).partition("@")[0]: tree for tree in trees}.values()]
