"""What the exporters share: atomic text files, exact decimals of sample counts, labels that text can hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TextIO

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError

Inaudible = Literal["drop", "keep"]
"""What becomes of labels whose event cannot be heard in the mix."""


@contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """Open `path` for UTF-8 with line feeds; it appears under its name only when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def decimal_seconds(samples: int, sr: int, *, places: int, floor: bool = False) -> str:
    """Return `samples` / `sr` as decimal text, rounded half up (or down with `floor`) in exact integers.

    Examples
    --------
    >>> decimal_seconds(1, 44100, places=6), decimal_seconds(44099, 44100, places=3, floor=True)
    ('0.000023', '0.999')
    """
    return fixed(scaled(samples, sr, places=places, floor=floor), places)


def scaled(samples: int, sr: int, *, places: int, floor: bool = False) -> int:
    """Return `samples` / `sr` in units of 10^-places s, as an integer."""
    top = samples * int(10**places)
    return top // sr if floor else (2 * top + sr) // (2 * sr)


def fixed(units: int, places: int) -> str:
    """Return units of 10^-places as decimal text."""
    return f"{units // 10**places}.{units % 10**places:0{places}d}"


def clean(label: str) -> str:
    """Return the label in Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", label)


def breaks_lines(label: str) -> bool:
    """Return whether a label holds tabs, line ends or other control characters, or is blank at an end."""
    return label != label.strip() or not label or any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in label)


def refuse(row: Mapping[str, Any], label: object, why: str) -> BuildError:
    """Return the error for a label that a format cannot hold, naming clip, label and the way out."""
    return BuildError(f"clip {row['clip_id']}: label {label!r} {why}")


def labels_of(row: Mapping[str, Any], inaudible: Inaudible) -> list[Mapping[str, Any]]:
    """Return a row's labels in order of time, without the inaudible ones unless they are kept.

    Raises
    ------
    BuildError
        If a label is reversed or lies outside its clip.
    """
    labels: Sequence[Mapping[str, Any]] = row["labels"]
    for item in labels:
        if not 0 <= item["onset_sample"] <= item["offset_sample"] or item["onset_sample"] >= row["n_samples"]:
            span = f"[{item['onset_sample']}, {item['offset_sample']})"
            raise refuse(row, item["label"], f"spans samples {span}, outside the clip's {row['n_samples']}")
    kept = [item for item in labels if inaudible == "keep" or item.get("audible", True)]
    return sorted(kept, key=lambda item: (item["onset_sample"], item["offset_sample"], clean(item["label"])))


def below_split(row: Mapping[str, Any]) -> PurePosixPath:
    """Return the path of a row's audio below ``audio/<split>/``.

    Raises
    ------
    BuildError
        If it is not there.
    """
    try:
        return PurePosixPath(row["path"]).relative_to(f"audio/{row['split']}")
    except ValueError:
        raise BuildError(f"clip {row['clip_id']}: {row['path']!r} is not below audio/{row['split']}/") from None


def withhold(split: str, *, dataset: DatasetView) -> Literal["strong", "weak", "none"]:
    """Return what a split may tell of its labels."""
    if split in dataset.unlabeled_splits:
        return "none"
    return "weak" if split in dataset.weak_splits else "strong"
