"""How many labeled sounds are heard at once, and which classes together: exact counts of samples, from label intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Interval = tuple[int, int, str]
"""Onset inclusive, offset exclusive, class."""


@dataclass(frozen=True)
class Overlap:
    """Samples of a clip by what sounds in them.

    Attributes
    ----------
    levels
        Polyphony (number of intervals that hold a sample) → samples that have it; they add up to the clip.
    pairs
        (class, class) in the order of their names → samples in which both sound; (a, a) counts those in which two or more
        of class `a` do.
    """

    levels: Counter[int] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)


def overlap(intervals: Iterable[Interval], n_samples: int) -> Overlap:
    """Count the samples of a clip by polyphony and by pairs of classes.

    Parameters
    ----------
    intervals
        In any order; what lies outside the clip is not counted.
    n_samples
        Length of the clip.

    Examples
    --------
    >>> found = overlap([(0, 4, "dog"), (2, 6, "bell")], 10)
    >>> sorted(found.levels.items()), dict(found.pairs)
    ([(0, 4), (1, 4), (2, 2)], {('bell', 'dog'): 2})
    """
    steps: list[tuple[int, int, str]] = [(n_samples, 0, "")]
    for onset, offset, label in intervals:
        a, b = max(0, onset), min(n_samples, offset)
        steps += [(a, 1, label), (b, -1, label)] if b > a else []
    found, sounding, level, here = Overlap(), Counter[str](), 0, 0
    for sample, change, label in sorted(steps):
        if sample > here:
            found.levels[level] += sample - here
            classes = sorted(sounding) if level > 1 else ()
            for i, one in enumerate(classes):
                for other in classes[i + (sounding[one] < 2) :]:
                    found.pairs[one, other] += sample - here
            here = sample
        sounding[label] += change
        level += change
        if not sounding[label]:
            del sounding[label]
    return found


def levels_of(intervals: Iterable[Interval], n_samples: int) -> dict[int, int]:
    """Return the samples of a clip by polyphony, as `overlap` counts them.

    Examples
    --------
    >>> levels_of([(0, 4, "dog"), (2, 6, "bell")], 10)
    {1: 4, 2: 2, 0: 4}
    """
    steps: list[tuple[int, int]] = [(n_samples, 0)]
    for onset, offset, _ in intervals:
        a, b = max(0, onset), min(n_samples, offset)
        steps += [(a, 1), (b, -1)] if b > a else []
    found: dict[int, int] = {}
    level, here = 0, 0
    for sample, change in sorted(steps):
        if sample > here:
            found[level] = found.get(level, 0) + sample - here
            here = sample
        level += change
    return found


def mean_level(levels: Mapping[int, float]) -> float:
    """Return the mean polyphony over time; 0 where there is no time.

    Examples
    --------
    >>> mean_level({0: 4, 1: 4, 2: 2})
    0.8
    """
    whole = sum(levels.values())
    return sum(level * time for level, time in levels.items()) / whole if whole else 0.0


def overlap_ratio(levels: Mapping[int, float]) -> float | None:
    """Return the time in which two or more sound over the time in which any does; None where nothing sounds.

    Examples
    --------
    >>> overlap_ratio({0: 4, 1: 4, 2: 1}), overlap_ratio({0: 9})
    (0.2, None)
    """
    any_one = sum(time for level, time in levels.items() if level >= 1)
    return sum(time for level, time in levels.items() if level >= 2) / any_one if any_one else None


def gini(levels: Mapping[int, float]) -> float | None:
    r"""Return the Gini coefficient of polyphony over time; None where nothing sounds.

    0 says that the same number of sounds is heard all the time, values near 1 that all sound is heaped into a short time.

    Notes
    -----
    With the shares of time :math:`w_k` at polyphony :math:`k` and its mean :math:`\mu`, it is half the relative mean absolute
    difference, :math:`G = \sum_{j<k} w_j w_k (k - j) / \mu`. scaper's `polyphony_gini` is 1 - G, of the polyphony of its
    foreground events on a grid of 10 ms; here time is not sampled.

    References
    ----------
    C. Gini, "Measurement of inequality of incomes", The Economic Journal 31 (1921), 124-126; for polyphony: J. Salamon,
    D. MacConnell, M. Cartwright, P. Li, J. P. Bello, "Scaper: a library for soundscape synthesis and augmentation", WASPAA 2017.

    Examples
    --------
    >>> gini({0: 3, 1: 1}), gini({2: 5}), gini({0: 5})
    (0.75, 0.0, None)
    """
    whole, mean = sum(levels.values()), mean_level(levels)
    if not mean:
        return None
    ranked = sorted(levels.items())
    spread = sum(a * b * (k - j) for i, (j, a) in enumerate(ranked) for k, b in ranked[i + 1 :])
    return spread / (whole * whole) / mean


def summarise(levels: Mapping[int, float]) -> dict[str, float | None]:
    """Return max, mean and Gini coefficient of polyphony, as rows and tables have them.

    Examples
    --------
    >>> summarise({0: 4, 1: 4, 2: 2})
    {'max': 2, 'mean': 0.8, 'gini': 0.5}
    """
    index = gini(levels)
    return {
        "max": max((level for level, time in levels.items() if time > 0), default=0),
        "mean": round(mean_level(levels), 4),
        "gini": None if index is None else round(index, 4),
    }
