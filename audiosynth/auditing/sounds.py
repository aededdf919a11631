"""What the files of a set tell: faults that can be heard, near copies, stretches of recordings that should not be there."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from audiosynth.auditing.findings import SHOWN, Finding
from audiosynth.auditing.rows import Rows
from audiosynth.building.pool import in_order
from audiosynth.errors import AudiosynthError, UsageError, counted, few
from audiosynth.files.decoding import AUDIO_SUFFIXES, decode
from audiosynth.files.packed import stored_bytes
from audiosynth.files.paths import files_below
from audiosynth.sound import fingerprint
from audiosynth.sound.mixdown import fingerprint_of_all
from audiosynth.sound.quality import measure
from audiosynth.sound.spilled import Arrays

STRETCH: Final = 60
"""Frames of a recording, nearly a second, that a clip must hold to count as having it by heart."""
LEVEL_ERROR_DB: Final = 0.5
"""Lossy encoders move a level by some tenths."""
FAULTS: Final = {
    "not_finite": "with samples that are no numbers",
    "silent": "that are silent though something is labeled",
    "clipping": "that clip at full scale; `mix: {guard: scale}` turns them down",
}
_SILENT: Final = np.zeros(0, np.uint32)


@dataclass(frozen=True)
class Heard:
    """What one file of a set sounds like: hash of its bytes, fingerprint, level, and what is wrong with it."""

    sha256: str
    print: fingerprint.Print
    level_dbfs: float
    faults: tuple[str, ...]


def audio_of(place: Path) -> list[Path]:
    """Return a recording, or all that are below a folder.

    Raises
    ------
    UsageError
        If there is none.
    """
    if place.is_file():
        return [place]
    found = [path for path in files_below(place) if path.suffix.casefold() in AUDIO_SUFFIXES] if place.is_dir() else []
    if not found:
        raise UsageError(
            f"--against {place}: {'has no audio' if place.is_dir() else 'there is no such file or folder'}"
        )
    return found


def hear(file: tuple[Path, str]) -> Heard | str:
    """Return what a file sounds like, by its folder and its path below that, or why it cannot be read."""
    try:
        data = stored_bytes(*file)
        y, sr = decode(data, str(Path(*file)))
    except AudiosynthError as error:
        return str(error)
    except OSError as error:
        return f"{Path(*file)}: cannot be read ({error.strerror or error})"
    found = measure([y], sr)
    printed = fingerprint_of_all(y, sr)
    return Heard(hashlib.sha256(data).hexdigest(), printed, found.level_dbfs, tuple(found.faults()))


def listened(
    files: list[tuple[Path, str]], workers: int, progress: Callable[[int, int], None]
) -> Iterator[Heard | str]:
    """Yield what files sound like, in their order."""
    made = map(hear, files) if workers == 1 else in_order(hear, files, workers=workers)
    for number, item in enumerate(made, 1):
        yield item
        progress(number, len(files))


def kept(made: Iterable[Heard | str], prints: Arrays) -> Iterator[Heard | str]:
    """Put the fingerprints of what was heard aside, where they take no memory, and yield the rest."""
    for item in made:
        prints.append(_SILENT if isinstance(item, str) else item.print)
        yield item if isinstance(item, str) else replace(item, print=_SILENT)


def sounds(rows: Rows, heard: Sequence[Heard | str]) -> Iterator[Finding]:
    """Yield what is wrong with the files themselves."""
    broken = {clip: item for clip, item in zip(rows.ids, heard, strict=True) if isinstance(item, str)}
    if broken:
        why = next(iter(broken.values()))
        yield Finding("audio", "fault", f"files that cannot be read ({why}); build the set again", tuple(broken))
    good = [(i, item) for i, item in enumerate(heard) if isinstance(item, Heard)]
    for name, words in FAULTS.items():
        meant = {"silent": [not labeled for labeled in rows.labeled], "clipping": rows.may_clip}.get(name)
        clips = [i for i, item in good if name in item.faults]
        wrong = tuple(rows.ids[i] for i in clips if meant is None or not meant[i])
        if wrong:
            yield Finding("audio", "fault", f"clips {words}", wrong)
    off = tuple(rows.ids[i] for i, item in good if _is_off(rows.levels[i], item.level_dbfs))
    if off:
        yield Finding("levels", "fault", f"levels off what the manifest says by more than {LEVEL_ERROR_DB} dB", off)


def _is_off(told: float | None, measured: float) -> bool:
    return told is not None and measured > -math.inf and abs(told - measured) > LEVEL_ERROR_DB


def near_copies(rows: Rows, prints: fingerprint.Prints) -> Iterator[Finding]:
    """Yield which clips sound the same as one of another split (or of their own), though their samples differ.

    Where both are made from one recording, that is told as leakage of the recording already, if it is any.
    """
    across: dict[str, None] = {}
    told: dict[str, None] = {}
    for match in fingerprint.same_sound(prints):
        one, other = match.one, match.other
        if rows.pcm[one] == rows.pcm[other]:
            continue
        explained = rows.splits[one] == rows.splits[other] or rows.assets[one] & rows.assets[other]
        (told if explained else across).update(dict.fromkeys((rows.ids[one], rows.ids[other])))
    if across:
        yield Finding(
            "duplicates", "fault", "clips that sound the same as one of another split; give the splits different material",
            tuple(across),
        )  # fmt: skip
    if told:
        message = "clips that sound the same as another of their split, or as one with a recording in common"
        yield Finding("duplicates", "note", message, tuple(told))


def memorised(
    rows: Rows,
    prints: fingerprint.Prints,
    recordings: Sequence[tuple[Path, Heard | str]],
    others: fingerprint.Prints,
) -> Iterator[Finding]:
    """Yield which clips hold a stretch of a recording that their rows do not name.

    Raises
    ------
    UsageError
        If a recording cannot be read: an audit that passes it over would prove nothing.
    """
    if not recordings:
        return
    known: list[Heard] = []
    for path, item in recordings:
        if isinstance(item, str):
            raise UsageError(f"--against {path}: {item}")
        known.append(item)
    found: dict[str, None] = {}
    names: dict[str, None] = {}
    for match in fingerprint.same_sound(prints, others, window=STRETCH):
        if known[match.other].sha256 not in rows.assets[match.one]:
            found[rows.ids[match.one]] = names[recordings[match.other][0].name] = None
    if found:
        yield Finding(
            "memorised",
            "fault",
            f"clips that hold a stretch of {few(list(names), SHOWN)}, which their rows do not name",
            tuple(found),
        )
    short = sum(np.count_nonzero(p) < STRETCH for p in prints)
    if short:
        seconds = STRETCH * fingerprint.HOP
        yield Finding(
            "memorised",
            "note",
            f"{counted(int(short), 'clip')} with less than {seconds:.2f} s of sound, too little to be compared with recordings",
        )
