"""What no noise profile can be learned from, and what a listener ought to know of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.errors import AssetError
from audiosynth.profiles import stats as profile_stats
from audiosynth.sound import repeats, voicing

if TYPE_CHECKING:
    from audiosynth.clip import Array

SHORTEST: Final = 4.0
"""Seconds of a recording that are no copies of others, at least."""
SILENCE_DB: Final = -80.0
MAX_DC: Final = 0.1
"""Mean over RMS."""
MAX_CLIPPED: Final = 1e-4
"""Share of samples that stand at the peak in runs of three and more."""
MUSIC: Final = (0.35, 4.0)
"""Tonal share of music at least, and level changes at 4 Hz in dB that it does not reach while speech does."""
LOOP: Final = 0.9
"""Share that is new below which a recording repeats itself."""
TALK: Final = 0.4
"""Syllables a second of somebody who talks."""
FAR: Final = (2, 1.5)
"""Syllables, and level changes at 4 Hz in dB between 300 Hz and 2.5 kHz, of a word now and then."""
MIDDLE: Final = 1
"""The group of bands in which speech wavers most."""


class LearnError(AssetError):
    """A recording that no profile can be learned from."""


def check(y: Array, sr: int, name: str) -> list[str]:
    """Raise for a recording that cannot be learned from; return warnings, y of shape (n_samples,)."""
    seconds, peak = len(y) / sr, float(np.max(np.abs(y), initial=0.0))
    if seconds < SHORTEST:
        raise LearnError(
            f"{name}: {seconds:.2f} s are too short to learn from; expected {SHORTEST:g} s and more of the same noise"
        )
    offset = float(y.mean())
    rms = float(np.sqrt(np.mean((y - offset) ** 2)))
    if rms < 10.0 ** (SILENCE_DB / 20.0):
        raise LearnError(
            f"{name}: the recording is silent ({20 * np.log10(rms + 1e-12):.0f} dBFS); record the noise itself"
        )
    if abs(offset) > MAX_DC * rms:
        raise LearnError(
            f"{name}: a DC offset of {offset:.3f} at an RMS of {rms:.3f}; take it out first (`--high-pass`)"
        )
    at_peak = np.abs(y) >= 0.999 * peak
    runs = at_peak[2:] & at_peak[1:-1] & at_peak[:-2]
    if runs.mean() > MAX_CLIPPED:
        raise LearnError(f"{name}: {runs.mean():.2%} of the samples are clipped at {peak:.3f}; record at a lower level")
    return _check_loop(y - offset, sr, name) + _check_content(y - offset, sr, name)


def _check_loop(y: Array, sr: int, name: str) -> list[str]:
    seconds, share = len(y) / sr, repeats.new_share(y, sr)
    if share * seconds < SHORTEST:
        raise LearnError(
            f"{name}: it repeats itself: about {share * seconds:.1f} s of its {seconds:.1f} s are new, the rest are copies; "
            f"expected {SHORTEST:g} s and more that are no loop"
        )
    if share < LOOP:
        return [f"{name}: it repeats itself; what is learned comes from about {share * seconds:.1f} s of it"]
    return []


def _check_content(y: Array, sr: int, name: str) -> list[str]:
    at_4_hz = profile_stats.modulation(y, sr)[MIDDLE, profile_stats.RATES.index(4.0)]
    tonal = profile_stats.tonal(y, sr)
    if tonal > MUSIC[0] and at_4_hz < MUSIC[1]:
        raise LearnError(
            f"{name}: {tonal:.0%} of it are tones that come and go: music or song, which no noise profile describes"
        )
    found = voicing.syllables(y, sr)
    if found >= TALK * len(y) / sr or (found >= FAR[0] and at_4_hz > FAR[1]):
        return [f"{name}: this may hold speech; what is learned keeps no words, but see that you may use it"]
    return []
