"""What the exporters share: atomic text files, exact decimals of sample counts, labels that text can hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, TextIO, TypeVar

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.files.whole import appearing

Inaudible = Literal["drop", "keep"]
"""What becomes of labels whose event cannot be heard in the mix."""
Tells = Literal["strong", "weak", "none"]
"""What a split may tell of its labels: events, classes, nothing."""
Span = tuple[int, int, str]
"""Onset and offset in whole units of time, label."""
Key = TypeVar("Key", bound=Hashable)
# What pandas.read_csv takes for a missing value unless told otherwise (pandas 3.1, IO tools, `na_values`).
READ_AS_MISSING: Final = frozenset(
    ("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA")
) | {"NULL", "NaN", "None", "n/a", "nan", "null"}
_NUMBER: Final = re.compile(r"[+-]?((\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|inf|infinity)", re.ASCII | re.IGNORECASE)


@contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """Open `path` for UTF-8 with line feeds; it appears under its name only when the block ends well."""
    with appearing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        yield file


@contextmanager
def atomic_texts(paths: Mapping[Key, Path]) -> Iterator[dict[Key, TextIO]]:
    """Open several files as `atomic_text` does; all of them appear, or none."""
    with ExitStack() as stack:
        yield {key: stack.enter_context(atomic_text(path)) for key, path in paths.items()}


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


def within(row: Mapping[str, Any], item: Mapping[str, Any], *, places: int) -> tuple[int, int]:
    """Return a label's onset < offset <= duration in units of 10^-places s; what rounds to nothing is one unit long.

    Raises
    ------
    BuildError
        If the clip is shorter than one unit.
    """
    end = scaled(row["n_samples"], row["sr"], places=places, floor=True)
    if end < 1:
        raise refuse(row, item["label"], f"cannot be written with {places} decimals: the clip is shorter than that")
    onset = min(scaled(item["onset_sample"], row["sr"], places=places), end - 1)
    return onset, max(onset + 1, min(scaled(item["offset_sample"], row["sr"], places=places), end))


def merged_by_class(events: Iterable[Span], *, gap: int = 0) -> list[Span]:
    """Return the events with those of one class joined that overlap, or lie less than `gap` units apart.

    Examples
    --------
    >>> merged_by_class([(0, 20, "dog"), (10, 30, "dog"), (30, 40, "dog"), (5, 15, "cat")])
    [(0, 30, 'dog'), (5, 15, 'cat'), (30, 40, 'dog')]
    >>> merged_by_class([(0, 20, "dog"), (60, 90, "dog"), (140, 150, "dog")], gap=50)
    [(0, 90, 'dog'), (140, 150, 'dog')]
    """
    spans: dict[str, list[list[int]]] = {}
    for onset, offset, label in sorted(events):
        mine = spans.setdefault(label, [])
        if mine and onset - mine[-1][1] < gap:
            mine[-1][1] = max(mine[-1][1], offset)
        else:
            mine.append([onset, offset])
    return sorted((onset, offset, label) for label, mine in spans.items() for onset, offset in mine)


def clean(label: str) -> str:
    """Return the label in Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", label)


def breaks_lines(label: str) -> bool:
    """Return whether a label holds tabs, line ends or other control characters, or is blank at an end."""
    return label != label.strip() or not label or any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in label)


def refuse(row: Mapping[str, Any], label: object, why: str) -> BuildError:
    """Return the error for a label that a format cannot hold, naming clip, label and the way out."""
    return BuildError(f"clip {row['clip_id']}: label {label!r} {why}")


def plain_field(row: Mapping[str, Any], label: str) -> str:
    """Return a label, composed, that can stand as a field of a table as it is.

    Raises
    ------
    BuildError
        If readers of tables would break it or take it for nothing: tabs, line ends, a leading quote, "NA" and its like.
    """
    text = clean(label)
    if breaks_lines(text):
        raise refuse(row, text, "holds a tab, line end or outer blank, or is empty, which breaks a table; rename it")
    if text.startswith('"'):
        raise refuse(row, text, "starts with a quote, which readers of tables take in different ways; rename it")
    if text in READ_AS_MISSING:
        raise refuse(row, text, "is read as a missing value by pandas, so the event would vanish; rename it")
    return text


def table_field(row: Mapping[str, Any], label: str) -> str:
    """Return a label that can stand in a table whose columns are read as numbers where they look like it.

    Raises
    ------
    BuildError
        If `plain_field` refuses it, or it would come back as another text (``007`` as 7, ``true`` as True).
    """
    text = plain_field(row, label)
    if text.casefold() in ("true", "false") or (_NUMBER.fullmatch(text) and text not in _canonical(text)):
        raise refuse(row, text, "comes back as another text from pandas where a column has only such labels; rename it")
    return text


def _canonical(number: str) -> tuple[str, ...]:
    value = float(number)
    return (str(value), str(int(value))) if abs(value) < 2**53 else ()


class Tokens:
    """Labels as files whose fields are parted by blanks hold them: a blank becomes ``_``, or what else a pattern finds.

    Examples
    --------
    >>> Tokens().of({"clip_id": "train-000000000"}, "dog bark")
    'dog_bark'
    """

    def __init__(self, replaced: str = r"\s") -> None:
        self._replaced = replaced
        self.labels: dict[str, str] = {}

    def of(self, row: Mapping[str, Any], label: str) -> str:
        """Return a label without blanks.

        Raises
        ------
        BuildError
            If another label is written like that already, or a reader would take it for something else.
        """
        text = plain_field(row, label)
        token = re.sub(self._replaced, "_", text)
        if token.startswith("<"):
            raise refuse(row, text, "starts with '<', as what these formats say of themselves does; rename it")
        other = self.labels.setdefault(token, text)
        if other != text:
            raise refuse(row, text, f"would be written {token!r}, as {other!r} is; rename one of them")
        return token

    def write(self, path: Path) -> Path:
        """Write which word stands for which label."""
        with atomic_text(path) as file:
            file.writelines(f"{token}\t{label}\n" for token, label in sorted(self.labels.items()))
        return path


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


def told_rows(dataset: DatasetView) -> Iterator[tuple[dict[str, Any], Tells]]:
    """Yield every row with what its split may tell of its labels.

    Raises
    ------
    BuildError
        If a row names a split that the dataset does not have.
    """
    tells = {split: withhold(split, dataset=dataset) for split in dataset.splits}
    for row in dataset.rows():
        if row["split"] not in tells:
            raise BuildError(f"clip {row['clip_id']}: the dataset has no split {row['split']!r}")
        yield row, tells[row["split"]]


def withhold(split: str, *, dataset: DatasetView) -> Tells:
    """Return what a split may tell of its labels."""
    if split in dataset.unlabeled_splits:
        return "none"
    return "weak" if split in dataset.weak_splits else "strong"
