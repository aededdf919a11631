"""What a finished set holds, split by split: read off its manifest row by row, in memory that does not grow with it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from audiosynth.building.rows import rows_of
from audiosynth.building.summary import Totals
from audiosynth.building.talks import Talks
from audiosynth.errors import ManifestError
from audiosynth.manifest import open_manifest
from audiosynth.sound import polyphony

ALL: Final = "all"
"""Key of the figures of all splits together."""
Pair = tuple[str, str]


@dataclass
class SetStats:
    """Running figures of the rows it was given; only labels that can be heard count.

    Attributes
    ----------
    totals
        Clips, seconds, classes, requested and realised SNRs.
    levels
        Polyphony → seconds with it.
    clips_by_max
        Largest polyphony of a clip → clips.
    clips_with
        Class → clips in which it is labeled.
    together
        (class, class) → clips in which both are labeled, at once or not; (a, a): two intervals of `a` or more.
    at_once
        (class, class) → seconds in which both sound (`audiosynth.sound.polyphony.Overlap`).
    talks
        Of conversations: their turns, speakers, and realised overlap ratios.
    snr
        Realised SNR in the nearest whole dB → labeled events.
    """

    totals: Totals = field(default_factory=Totals)
    levels: Counter[int] = field(default_factory=Counter)
    clips_by_max: Counter[int] = field(default_factory=Counter)
    clips_with: Counter[str] = field(default_factory=Counter)
    together: Counter[Pair] = field(default_factory=Counter)
    at_once: Counter[Pair] = field(default_factory=Counter)
    talks: Talks = field(default_factory=Talks)
    snr: Counter[int] = field(default_factory=Counter)

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row."""
        heard = [label for label in row["labels"] if label.get("audible", True)]
        intervals = [(label["onset_sample"], label["offset_sample"], label["label"]) for label in heard]
        found, sr = polyphony.overlap(intervals, row["n_samples"]), row["sr"]
        counts = sorted(Counter(label for _, _, label in intervals).items())
        events = row["outcomes"]["events"]
        own = sorted({label["event"] for label in heard if label.get("event") is not None})
        readings = [events[i]["snr_db"] for i in own]
        self.totals.add(row)
        _add(self.levels, found.levels, sr)
        _add(self.at_once, found.pairs, sr)
        self.clips_by_max[max(found.levels, default=0)] += 1
        self.clips_with.update(label for label, _ in counts)
        self.together.update((one, other) for i, (one, n) in enumerate(counts) for other, _ in counts[i + (n < 2) :])
        self.talks.add(row["outcomes"].get("conversations", ()), row["spec"].get("conversations", ()))
        self.snr.update(math.floor(db + 0.5) for db in readings if db is not None)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        totals = self.totals.as_dict()
        return {
            "clips": sum(totals["clips"].values()),
            "seconds": round(sum(self.totals.seconds.values()), 6),
            "events": sum(entry["events"] for entry in totals["classes"].values()),
            "classes": {
                name: {**entry, "clips": self.clips_with[name]} for name, entry in totals["classes"].items()
            },
            "inaudible": totals["inaudible"],
            "polyphony": {
                **polyphony.summarise(self.levels),
                "seconds": {str(level): round(s, 6) for level, s in sorted(self.levels.items())},
                "clips_by_max": {str(level): n for level, n in sorted(self.clips_by_max.items())},
            },
            "cooccurrence": [
                {"classes": list(pair), "clips": n, "seconds": round(self.at_once[pair], 6)}
                for pair, n in sorted(self.together.items())
            ],
            "conversations": self.talks.as_dict(),
            "snr": totals["snr"],
            "snr_histogram": [[db, n] for db, n in sorted(self.snr.items())],
            "guarded": totals["guarded"],
            "clipped": totals["clipped"],
        }  # fmt: skip


def _add(seconds: Counter[Any], samples: Mapping[Any, int], sr: int) -> None:
    for key, n in samples.items():
        seconds[key] += n / sr  # type: ignore[assignment]


def stats(manifest: str | Path) -> dict[str, Any]:
    """Return the figures of a set: of every split in the order of its manifest, and of all of them together.

    Parameters
    ----------
    manifest
        A dataset's folder or a manifest file.

    Returns
    -------
    figures
        ``{"splits": {split: …}, "all": …}``, each with

        * ``clips``, ``seconds``, ``events`` (labeled intervals that can be heard), ``inaudible`` (those that cannot),
        * ``classes``: for each its ``events``, their ``seconds`` (overlapping ones count twice) and the ``clips`` that have it,
        * ``polyphony``: ``max``, ``mean`` over time and ``gini`` (`audiosynth.sound.polyphony.gini`) of the number of labels that sound,
          the ``seconds`` at each polyphony, and the clips by their largest one (``clips_by_max``),
        * ``cooccurrence``: for two ``classes`` the ``clips`` that have both, and the ``seconds`` in which both sound; a class
          with itself: clips with two of its events, seconds in which two sound,
        * ``conversations`` (null without any): their ``count``, ``turns``, how many have how many ``speakers``, and their
          ``overlap_ratio``: mean, min, max, the largest error against what they were placed for, how many fell ``short`` of what was asked,
          and how many there are at each of ten ``tenths``,
        * ``snr``: realised SNRs of the events that were asked for one, and how far off they are,
        * ``snr_histogram``: [nearest whole dB, labeled events] of the SNR over the active samples,
        * ``guarded`` and ``clipped``: clips turned down so as not to clip, clips with saturated samples.

    Raises
    ------
    ManifestError
        If there is no manifest, or a line is not a row of one.

    Examples
    --------
    >>> import tempfile
    >>> from audiosynth import build, load_recipe, shipped_recipe
    >>> built = build(load_recipe(shipped_recipe("quickstart"), clips=2), tempfile.mkdtemp())
    >>> {split: figures["clips"] for split, figures in stats(built.root)["splits"].items()}
    {'train': 2, 'test': 2}
    """
    splits: dict[str, SetStats] = {}
    whole = SetStats()
    for place, row in rows_of(open_manifest(Path(manifest))):
        try:
            for figures in (splits.setdefault(str(row["split"]), SetStats()), whole):
                figures.add(row)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError) as error:
            raise ManifestError(
                f"{place}: not a row that a build writes ({type(error).__name__}: {error}); was the file edited or cut?"
            ) from None
    return {"splits": {name: figures.as_dict() for name, figures in splits.items()}, ALL: whole.as_dict()}
