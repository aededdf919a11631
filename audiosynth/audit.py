"""Hold a built set against what a set for training must be: splits apart, nothing memorised, true levels and labels, balance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from audiosynth.auditing import rows as of_rows
from audiosynth.auditing import sounds as of_sounds
from audiosynth.auditing.findings import Finding
from audiosynth.exports import all_exports, read_head
from audiosynth.leakage import shared_roots
from audiosynth.manifest import open_manifest
from audiosynth.sound.spilled import Arrays


def audit(
    root: str | Path, *, against: Iterable[str | Path] = (), listen: bool = True, workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Finding]:  # fmt: skip
    """Return what is wrong with a built set; empty if nothing is.

    Parameters
    ----------
    root
        Folder of a finished build.
    against
        Recordings, or folders of them, that no clip may hold a stretch of (unless its row names the recording).
    listen
        Whether audio is read: for duplicates, memorised stretches and faults that can be heard.
    workers
        Processes that read.
    progress
        Called with (files read, files in all).

    Raises
    ------
    ManifestError
        If there is no finished build, or a row is not one.
    UsageError
        If `against` has no audio.

    Examples
    --------
    >>> import tempfile
    >>> from audiosynth import build, load_recipe, shipped_recipe
    >>> root = build(load_recipe(shipped_recipe("quickstart"), clips=8), tempfile.mkdtemp()).root
    >>> [finding for finding in audit(root) if finding.state == "fault"]
    []
    """
    root = Path(root)
    head = read_head(root)
    rows = of_rows.gathered(open_manifest(root))
    found = [
        *of_rows.leaks(rows, shared_roots(root / "recipe.yaml")), *of_rows.copies(rows), *of_rows.balance(rows),
        *of_rows.told(rows.faults, of_rows.merges(all_exports(root, head))),
    ]  # fmt: skip
    recordings = [path for place in against for path in of_sounds.audio_of(Path(place))]
    if listen or recordings:
        files = [*((root, path) for path in rows.paths), *((path.parent, path.name) for path in recordings)]
        heard, n = of_sounds.listened(files, workers, progress or _quiet), len(rows.paths)
        with Arrays() as prints, Arrays() as others:
            clips = list(of_sounds.kept(islice(heard, n), prints))
            against_them = list(zip(recordings, of_sounds.kept(heard, others), strict=True))
            found += [*of_sounds.sounds(rows, clips), *of_sounds.near_copies(rows, prints)]
            found += of_sounds.memorised(rows, prints, against_them, others)
    return sorted(found, key=lambda finding: finding.state != "fault")


def _quiet(done: int, total: int) -> None:
    """Show no progress."""
