"""Learn a noise profile from recordings: measure, make a twin, compare, correct, a few times over.

What is kept are statistics without order in time: a level per third octave, a depth per group of bands and octave of
modulation, some steady lines, and a law of impulses. Nothing of it says what was heard when.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from audiosynth.dsp import resample
from audiosynth.profiles import checks as profile_checks
from audiosynth.profiles import correct as profile_correct
from audiosynth.profiles import stats as profile_stats
from audiosynth.profiles.profile import Profile
from audiosynth.profiles.stats import GROUPS, RATES, TOP, Stats

if TYPE_CHECKING:
    from audiosynth.clip import Array

LONGEST: Final = 600.0
"""Seconds of all recordings together that are listened to."""
TWIN: Final = (20.0, 60.0)
"""Seconds of a twin, at least and at most."""
LOWEST_HZ: Final = 10.0


class Fit(NamedTuple):
    """A learned profile and how near it comes.

    Attributes
    ----------
    profile
        What was learned.
    real, twin
        Statistics of the recordings and of noise made from the profile.
    warnings
        What a listener ought to know.
    """

    profile: Profile
    real: Stats
    twin: Stats
    warnings: tuple[str, ...]

    def errors(self) -> dict[str, float]:
        """Return in dB the median and largest error of third octaves (63 Hz to 0.4 of the rate), of modulation, of the crest factor."""
        bands = list(profile_correct.compared(self.real, self.twin))
        depth = np.abs(self.real.modulation - self.twin.modulation)
        return {
            "bands_median": float(np.median(bands)), "bands_worst": float(np.max(bands)),
            "modulation_worst": float(np.nanmax(depth)) if np.isfinite(depth).any() else 0.0,
            "crest": self.twin.crest_db - self.real.crest_db,
        }  # fmt: skip


def learn(
    recordings: Sequence[tuple[Array, int, str]], *, description: str, origin: str = "", high_pass: bool = False
) -> Fit:
    """Learn one profile from recordings of one kind of noise.

    Parameters
    ----------
    recordings
        (samples of shape (n_channels, n_samples), rate in Hz, name for messages).
    description, origin
        Texts of the profile.
    high_pass
        Take out what lies below 10 Hz, and with it an offset.

    Raises
    ------
    LearnError
        If a recording is too short, repeats itself, is silent, clipped, has an offset, or is music.

    Examples
    --------
    >>> from audiosynth.dice import gaussian_at
    >>> noise = 0.1 * gaussian_at(1, start=0, n_samples=8 * 16000)[None]
    >>> fit = learn([(noise, 16000, "white")], description="white noise")
    >>> bool(fit.errors()["bands_median"] < 0.5)
    True
    """
    sr = max(rate for _, rate, _ in recordings)
    parts, warnings = [], []
    for samples, rate, name in recordings:
        y = np.asarray(samples, dtype=np.float64)[:, : int(LONGEST * rate)].mean(axis=0)
        y = _without_offset(y, rate) if high_pass else y
        warnings += profile_checks.check(y, rate, name)
        y = resample(y[None], sr_in=rate, sr_out=sr)[0] if rate != sr else y
        parts.append(y / np.sqrt(np.mean(y * y)))
    y = np.concatenate(parts)[: int(LONGEST * sr)]
    y = y - y.mean()
    real = profile_stats.measure(y, sr)
    tree = _first_guess(y, sr, real, description, origin)
    profile, twin = profile_correct.corrected(tree, real, sr, float(np.clip(len(y) / sr, *TWIN)))
    return Fit(profile, real, twin, tuple(dict.fromkeys(warnings)))


def _without_offset(y: Array, sr: int) -> Array:
    spectrum = np.fft.rfft(y)
    spectrum[: int(LOWEST_HZ * len(y) / sr) + 1] = 0.0
    return np.asarray(np.fft.irfft(spectrum, len(y)))


def _first_guess(y: Array, sr: int, real: Stats, description: str, origin: str) -> dict[str, Any]:
    found = [(f, share) for f, share in profile_stats.lines(y, sr) if f < real.bands[-1][0]]
    tones = [
        {"frequency": round(f, 1), "level_db": round(float(10 * np.log10(share)), 1)} for f, share in sorted(found)
    ]
    made = profile_stats.impulses(y, sr)
    groups = [g for g in range(len(GROUPS)) if np.isfinite(real.modulation[g]).any()]
    modulation = [
        {
            "fmin": GROUPS[g][0], "fmax": GROUPS[g][1],
            "rates": [[rate, float(d)] for rate, d in zip(RATES, real.modulation[g], strict=True) if np.isfinite(d)],
        }
        for g in groups
    ]  # fmt: skip
    tree: dict[str, Any] = {
        "description": description, "origin": origin, "made": "learned", "bands": [[f, level] for f, level in real.bands],
        "modulation": modulation, "shared": _together(y, sr), "tones": tones,
    }  # fmt: skip
    return tree if made is None else {**tree, "impulses": made}


def _together(y: Array, sr: int) -> float:
    """Return how far the groups' levels go together: the mean correlation of neighbours, of slow changes."""
    spectrum = np.fft.rfft(y)
    frequency = np.arange(len(spectrum)) * (sr / len(y))
    tracks = []
    for low, high in GROUPS:
        if low < TOP * sr:
            part = np.fft.irfft(spectrum * ((frequency >= max(low, 20.0)) & (frequency < high)), len(y))
            level = profile_stats.levels(part, sr)
            tracks.append(level[: len(level) // 16 * 16].reshape(-1, 16).mean(axis=1))
    pairs = [float(np.corrcoef(a, b)[0, 1]) for a, b in pairwise(tracks) if a.std() > 0 and b.std() > 0]
    return round(float(np.clip(np.mean(pairs), 0.0, 1.0)), 2) if pairs else 0.5
