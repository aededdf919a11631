"""The folder of a build: whose it is, whether it is whole, its lock, and how it is cleared."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from audiosynth.building.placing import put
from audiosynth.building.state import IDENTITIES, changes
from audiosynth.errors import BuildError
from audiosynth.files.locks import locked_file
from audiosynth.files.paths import is_inside

WORK: Final = ".build"
_OF_CLIPS: Final = ("tmp", "units", "kept", "failed", "packed")
_IN_WORK: Final = frozenset({"lock", "state.json", "withdrawn.json", *_OF_CLIPS})
WRITTEN: Final = (
    "dataset.json", "audio", "labels", "manifest.jsonl", "manifest.jsonl.gz", "manifest.idx", "assets.jsonl", "recipe.yaml",
    "ATTRIBUTION.md", "README.md", "failures.tsv", "withdrawn.json", "failed.jsonl", "report.html", "report_files", WORK,
)  # fmt: skip
"""All that a build writes, and the report of it: first what says "whole", last what says whose it is."""


def _read_json(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise BuildError(f"{path}: cannot be read ({error}); use --fresh to start over") from None
    if not isinstance(tree, dict):
        raise BuildError(f"{path}: is not what a build writes; use --fresh to start over")
    return tree


def finished(root: Path, state: Mapping[str, Any], *, cleared: bool = False) -> bool:
    """Return whether `root` holds this very build, finished; refuse any other content (unless a build was just cleared)."""
    if not root.exists():
        return False
    if not root.is_dir():
        raise BuildError(f"{root}: is a file; choose a folder with -o")
    if (root / "dataset.json").is_file():
        built = _read_json(root / "dataset.json").get("build")
        changed = changes(built if isinstance(built, dict) else {}, state)
        if changed:
            raise BuildError(
                f"{root}: holds another build; changed: {changed}. Choose another folder with -o, or --fresh to replace it"
            )
        return True
    if not cleared and not _is_ours(root) and any(p.name != ".gitkeep" for p in root.iterdir()):
        raise BuildError(f"{root}: is not empty and holds no build; choose an empty folder with -o")
    return False


def prepare(root: Path, state: Mapping[str, Any]) -> None:
    """Check that an unfinished build is of this recipe, and clear half-written files away."""
    work = root / WORK
    if (work / "state.json").is_file():
        changed = changes(_read_json(work / "state.json"), state)
        if changed:
            raise BuildError(
                f"{root}: holds an unfinished build; changed since: {changed}. Undo the change, choose another folder, or --fresh"
            )
    shutil.rmtree(work / "tmp", ignore_errors=True)
    (work / "tmp").mkdir(parents=True)
    (work / "units").mkdir(exist_ok=True)
    put(work / "state.json", json.dumps(state, ensure_ascii=False).encode(), scratch=work / "tmp")


def _is_ours(root: Path) -> bool:
    """Return whether a folder holds a build of ours, finished or begun; folders of that name others make too."""
    if (root / "dataset.json").is_file():
        with suppress(BuildError):
            built = _read_json(root / "dataset.json").get("build")
            return isinstance(built, dict) and not built.keys().isdisjoint(IDENTITIES)
    work = root / WORK
    return work.is_dir() and {path.name for path in work.iterdir()} <= _IN_WORK


def holds_build(root: Path) -> bool:
    """Return whether there is an earlier build to clear.

    Raises
    ------
    BuildError
        If the folder holds something, but no build of ours.
    """
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    if not root.is_dir() or not _is_ours(root):
        raise BuildError(f"{root}: is not a build, so --fresh will not delete it; choose another folder with -o")
    return True


def require_apart(root: Path, needed: Iterable[Path]) -> None:
    """Refuse to clear a build away that holds what the new one is made from.

    Raises
    ------
    BuildError
        If one of the files and folders that are needed would be deleted.
    """
    for path in needed:
        if any(is_inside(root / name, path) for name in WRITTEN):
            raise BuildError(
                f"{root}: --fresh would delete {path}, from which the new set is made; choose another folder with -o"
            )


def clear(root: Path) -> None:
    """Delete what an earlier build wrote, and nothing else; the folder is locked, and is for as long as its lock is needed.

    What says which clips are made goes before them, and what says whose the folder is goes last: the end can come in between.
    """
    for name in _OF_CLIPS:  # tmp first: workers elsewhere that nobody told write there, then move
        shutil.rmtree(root / WORK / name, ignore_errors=True)
    work = sorted(path for path in (root / WORK).iterdir() if path.name != "lock")
    for path in (*(root / name for name in WRITTEN if name != WORK), *work):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the operating system's lock on a build; it falls when the process ends, however it ends."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked_file(root / WORK / "lock"))
        except BlockingIOError:
            raise BuildError(
                f"{root}: another build is running in this folder; wait for it or choose another with -o"
            ) from None
        yield
