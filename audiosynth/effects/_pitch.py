"""Ratios of pitch."""

from __future__ import annotations

from fractions import Fraction

from audiosynth.sound.stretch import rational

LARGEST_TERM = 50_000
"""Denominators up to this give every ratio within 1e-5 of itself, 0.02 cents, at worst (next to 1)."""


def pitch_ratio(semitones: float) -> Fraction:
    """Return 2^(semitones/12), the ratio of equal temperament, as a fraction of whole numbers.

    Examples
    --------
    >>> pitch_ratio(12.0), pitch_ratio(-12.0)
    (Fraction(2, 1), Fraction(1, 2))
    """
    return rational(2.0 ** (semitones / 12.0)).limit_denominator(LARGEST_TERM)
