"""What rows alone tell of a set: what splits share, copies, balance, labels and SNRs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from audiosynth.auditing.findings import SHOWN, Finding, State
from audiosynth.building.content import recordings_in
from audiosynth.building.rows import rows_of
from audiosynth.errors import ManifestError, few
from audiosynth.files.paths import safe_path
from audiosynth.leakage import Leakage, is_meant
from audiosynth.sound.polyphony import overlap

SNR_ERROR_DB: Final = 0.05
"""Five times what rounding to the manifest's steps can do."""
UNEVEN: Final = 10.0
"""Events of the most common class over those of the rarest, in one split, from which on it is told."""


@dataclass
class Rows:
    """What the checks need of a manifest, gathered in one pass."""

    ids: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    levels: list[float | None] = field(default_factory=list)
    labeled: list[bool] = field(default_factory=list)
    pcm: list[str] = field(default_factory=list)
    may_clip: list[bool] = field(default_factory=list)
    assets: list[frozenset[str]] = field(default_factory=list)
    leakage: Leakage = field(default_factory=Leakage)
    classes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def gathered(manifest: Path) -> Rows:
    """Return what the checks need of a manifest.

    Raises
    ------
    ManifestError
        If a row is not what a build writes.
    """
    rows = Rows()
    for place, row in rows_of(manifest):
        try:
            _add(rows, row, place)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise ManifestError(
                f"{place}: not a row that a build writes ({error!r}); was the file edited or cut?"
            ) from None
    return rows


def _add(rows: Rows, row: Mapping[str, Any], place: str) -> None:
    clip = str(row["clip_id"])
    rows.ids.append(clip)
    rows.paths.append(safe_path(row["path"], place=place))
    rows.splits.append(str(row["split"]))
    rows.levels.append(row["outcomes"]["level_dbfs"])
    rows.pcm.append(str(row["pcm_sha256"]))
    rows.may_clip.append(bool(row["outcomes"]["clipped"] or (row["spec"].get("mix") or {}).get("effects")))
    rows.assets.append(frozenset(recording["sha256"] for recording, _ in recordings_in(row["spec"])))
    rows.leakage.add(row)
    audible = [label for label in row["labels"] if label.get("audible", True)]
    rows.labeled.append(bool(audible))
    rows.classes[row["split"]].update(str(label["label"]) for label in audible)
    for label in row["labels"]:
        first, last = label["onset_sample"], label["offset_sample"]
        if last <= first:
            rows.faults["empty"].append(clip)
        if first < 0 or last > row["n_samples"]:
            rows.faults["outside"].append(clip)
    spans = [
        (a["onset_sample"], a["offset_sample"], a["label"])
        for a in audible
        if a["offset_sample"] > a["onset_sample"] >= 0
    ]
    if any(one == other and n for (one, other), n in overlap(spans, row["n_samples"]).pairs.items()):
        rows.faults["overlap"].append(clip)
    for event in row["outcomes"]["events"]:
        got, wanted = event.get("realised_snr_db"), event.get("requested_snr_db")
        if got is not None and wanted is not None and abs(got - wanted) > SNR_ERROR_DB:
            rows.faults["snr"].append(clip)


def leaks(rows: Rows, shared: frozenset[str]) -> Iterator[Finding]:
    """Yield what is in more than one split; `shared` are data roots that may be."""
    for kind in ("speaker", "voice", "recording", "room"):
        meant: list[str] = []
        not_meant: list[str] = []
        for what in rows.leakage.shared(kind):
            (meant if is_meant(kind, what, shared) else not_meant).append(what)
        if not_meant:
            way = (
                "group the catalogue by it" if kind in ("recording", "speaker") else "draw it from a cast of its split"
            )
            yield Finding(
                "leakage", "fault", f"{len(not_meant)} {kind}s in more than one split: {few(not_meant, SHOWN)}; {way}"
            )
        if meant:
            yield Finding(
                "leakage",
                "note",
                f"{len(meant)} {kind}s in more than one split, as the recipe says: {few(meant, SHOWN)}",
            )


def copies(rows: Rows) -> Iterator[Finding]:
    """Yield which clips have the same samples."""
    of = dict(zip(rows.ids, rows.splits, strict=True))
    samples: dict[str, list[str]] = defaultdict(list)
    for clip, digest in zip(rows.ids, rows.pcm, strict=True):
        samples[digest].append(clip)
    same = [clips for clips in samples.values() if len(clips) > 1]
    across = [clip for clips in same if len({of[clip] for clip in clips}) > 1 for clip in clips]
    within = [clip for clips in same if len({of[clip] for clip in clips}) == 1 for clip in clips]
    if len(of) < len(rows.ids):
        twice = tuple(clip for clip, n in Counter(rows.ids).items() if n > 1)
        yield Finding("duplicates", "fault", "clips that stand in the manifest twice", twice)
    if across:
        yield Finding(
            "duplicates",
            "fault",
            "clips with the same samples in two splits; give the splits different material",
            tuple(across),
        )
    if within:
        yield Finding("duplicates", "note", "clips with the same samples as another of their split", tuple(within))


def balance(rows: Rows) -> Iterator[Finding]:
    """Yield classes that a split lacks, and splits that are uneven."""
    everything = sorted({label for counts in rows.classes.values() for label in counts})
    for split, counts in rows.classes.items():
        lacking = [label for label in everything if label not in counts]
        if counts and lacking:
            yield Finding(
                "balance", "fault", f"split '{split}' has no event of {few(lacking, SHOWN)}, which other splits have"
            )
        if counts and max(counts.values()) >= UNEVEN * min(counts.values()):
            (most, n), (least, m) = counts.most_common()[0], counts.most_common()[-1]
            yield Finding(
                "balance",
                "note",
                f"split '{split}' is uneven: {n} events of {most}, {m} of {least}; `cycle` and `balance` even it out",
            )


def merges(exporters: Iterable[Mapping[str, Any]]) -> bool | None:
    """Return whether a set's DESED files merge overlaps of one class; None if it has no such files."""
    desed = [tree for tree in exporters if str(tree.get("type")).partition("@")[0] == "desed"]
    return all(tree.get("merge", True) for tree in desed) if desed else None


def told(faults: Mapping[str, list[str]], merges: bool | None) -> Iterator[Finding]:
    """Yield the faults of labels and SNRs; `merges` says what becomes of overlaps."""
    words: dict[str, tuple[str, State, str]] = {
        "empty": ("labels", "fault", "labels of no length"),
        "outside": ("labels", "fault", "labels that begin before their clip or end after it"),
        "snr": ("levels", "fault", f"SNRs off what was asked for by more than {SNR_ERROR_DB} dB"),
        "overlap": (
            "labels", "fault" if merges is False else "note",
            "two events of one class at once, which psds_eval refuses; " + (
                "`desed: {merge: true}` makes them one" if merges is False else
                "the set's DESED files have them as one" if merges else "the exporter desed makes them one"
            ),
        ),
    }  # fmt: skip
    for key, (check, state, message) in words.items():
        if faults.get(key):
            yield Finding(check, state, message, tuple(dict.fromkeys(faults[key])))
