"""Learn a noise profile from recordings: measure, make a twin, compare, correct, a few times over.

What is kept are statistics without order in time: a level per third octave, a depth per group of bands and octave of
modulation, some steady lines, and a law of impulses. Nothing of it says what was heard when.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from audiosynth import profile_sound, profile_stats
from audiosynth.dsp import resample
from audiosynth.errors import AssetError
from audiosynth.profile_stats import GROUPS, RATES, TOP, Stats
from audiosynth.profiles import Profile

if TYPE_CHECKING:
    from audiosynth.clip import Array

SHORTEST: Final = 4.0
LONGEST: Final = 600.0
"""Seconds of all recordings together that are listened to."""
TWIN: Final = (20.0, 60.0)
"""Seconds of a twin, at least and at most."""
ROUNDS: Final = 8
SEED: Final = 1
SILENCE_DB: Final = -80.0
LOWEST_HZ: Final = 10.0
MAX_DC: Final = 0.1
"""Mean over RMS."""
MAX_CLIPPED: Final = 1e-4
"""Share of samples that stand at the peak in runs of three and more."""
LOWEST_BAND: Final = 63.0
HIDDEN_DB: Final = 12.0
"""A band so far under its measured level is covered by impulses."""
MUSIC: Final = (0.35, 4.0)
"""Tonal share of music at least, and level changes at 4 Hz in dB that it does not reach while speech does."""
SPEECH: Final = (0.03, 2.5)
"""Tonal share and level changes at 4 Hz in dB of speech, at least."""
MIDDLE: Final = 1
"""The group of bands in which speech wavers most."""


class LearnError(AssetError):
    """A recording that no profile can be learned from."""


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
        bands = list(compared(self.real, self.twin))
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
        If a recording is too short, silent, clipped, has an offset, or is music.

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
        warnings += _refuse(y, rate, name)
        y = resample(y[None], sr_in=rate, sr_out=sr)[0] if rate != sr else y
        parts.append(y / np.sqrt(np.mean(y * y)))
    y = np.concatenate(parts)[: int(LONGEST * sr)]
    y = y - y.mean()
    real = profile_stats.measure(y, sr)
    tree = _first_guess(y, sr, real, description, origin)
    profile, twin = _corrected(tree, real, sr, float(np.clip(len(y) / sr, *TWIN)))
    return Fit(profile, real, twin, tuple(dict.fromkeys(warnings)))


def _without_offset(y: Array, sr: int) -> Array:
    spectrum = np.fft.rfft(y)
    spectrum[: int(LOWEST_HZ * len(y) / sr) + 1] = 0.0
    return np.asarray(np.fft.irfft(spectrum, len(y)))


def _refuse(y: Array, sr: int, name: str) -> list[str]:
    """Raise for what cannot be learned from; return warnings."""
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
    tonal = profile_stats.tonal(y, sr)
    at_4_hz = profile_stats.modulation(y, sr)[MIDDLE, RATES.index(4.0)]
    if tonal > MUSIC[0] and at_4_hz < MUSIC[1]:
        raise LearnError(
            f"{name}: {tonal:.0%} of it are tones that come and go: music or song, which no noise profile describes"
        )
    if tonal > SPEECH[0] and at_4_hz > SPEECH[1]:
        return [f"{name}: this may hold speech; what is learned keeps no words, but see that you may use it"]
    return []


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


def _corrected(tree: dict[str, Any], real: Stats, sr: int, seconds: float) -> tuple[Profile, Stats]:
    """Make twins and move what differs, until the rounds are over; return the best and its statistics."""
    best: tuple[float, Profile, Stats] | None = None
    for _ in range(ROUNDS):
        profile = Profile.model_validate(_rounded(tree))
        y = profile_sound.render(profile, seed=SEED, sr=sr, channel=0, start=0, n_samples=int(seconds * sr))
        twin = profile_stats.measure(y, sr)
        cost = _cost(real, twin)
        if best is None or cost < best[0]:
            best = (cost, profile, twin)
        tree = _moved(tree, real, twin)
    if best is None:
        raise LearnError(f"no round out of {ROUNDS} gave a profile")
    return best[1], best[2]


def compared(real: Stats, twin: Stats) -> Iterator[float]:
    """Yield the errors in dB of third octaves from 63 Hz to 0.8 of half the rate."""
    for (f, a), (_, b) in zip(real.bands, twin.bands, strict=False):
        if LOWEST_BAND <= f <= 0.4 * min(real.sr, twin.sr):
            yield abs(a - b)


def _cost(real: Stats, twin: Stats) -> float:
    bands = list(compared(real, twin))
    depth = np.abs(real.modulation - twin.modulation)
    crest = 2.0 * max(abs(real.crest_db - twin.crest_db) - 0.5, 0.0)
    return float(max(bands) + np.median(bands) + np.nanmax(np.nan_to_num(depth)) + crest)


def _moved(tree: dict[str, Any], real: Stats, twin: Stats) -> dict[str, Any]:
    """Return the tree with every number moved by what the twin lacks."""
    out = dict(tree)
    lacking = {f: a - b for (f, a), (_, b) in zip(real.bands, twin.bands, strict=False)}
    out["bands"] = [
        [f, float(np.clip(level + 0.9 * np.clip(lacking[f], -12, 12), -140.0, 10.0))] for f, level in tree["bands"]
    ]
    groups = [g for g in range(len(GROUPS)) if np.isfinite(real.modulation[g]).any()]
    out["modulation"] = []
    for group, g in zip(tree["modulation"], groups, strict=True):
        rates = []
        for rate, depth in group["rates"]:
            r = RATES.index(rate)
            other = twin.modulation[g, r] if np.isfinite(twin.modulation[g, r]) else real.modulation[g, r]
            rates.append(
                [
                    rate,
                    float(np.clip(max(depth**2 + 0.8 * (real.modulation[g, r] ** 2 - other**2), 0.0), 0.0, 144.0))
                    ** 0.5,
                ]
            )
        out["modulation"].append({**group, "rates": rates})
    missing = real.crest_db - twin.crest_db
    if "impulses" in tree:
        made = dict(tree["impulses"])
        made["range_db"] = float(np.clip(made["range_db"] + missing, 0.0, 55.0))
        level = made["level_db"] + 0.3 * float(np.clip(missing, -6, 6)) - 0.7 * _too_much(tree, real, lacking)
        made["level_db"] = float(np.clip(level, -60.0, 0.0))
        out["impulses"] = made
    elif missing > 1.5:
        out["impulses"] = {
            "rate": 0.5,
            "level_db": -20.0,
            "exponent": 2.0,
            "range_db": 6.0,
            "t60": 0.03,
            "fmin": 300.0,
            "fmax": 5000.0,
        }
    return out


def _too_much(tree: dict[str, Any], real: Stats, lacking: dict[float, float]) -> float:
    """Return by how many dB impulses fill bands that the noise itself has left already."""
    measured = dict(real.bands)
    over = [-lacking[f] for f, level in tree["bands"] if level < measured[f] - HIDDEN_DB]
    return max([x for x in over if x > 0.0], default=0.0)


def _rounded(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the tree as it is written: levels to 0.1 dB, depths to 0.01 dB, what does nothing left out."""
    out = dict(tree)
    out["bands"] = [[f, round(level, 1)] for f, level in tree["bands"]]
    kept = [{**g, "rates": [[r, round(d, 2)] for r, d in g["rates"] if d >= MIN_DEPTH]} for g in tree["modulation"]]
    out["modulation"] = [g for g in kept if g["rates"]]
    if "impulses" in tree:
        out["impulses"] = {key: float(f"{value:.3g}") for key, value in tree["impulses"].items()}
    return out


MIN_DEPTH: Final = 0.05
"""dB of modulation below which it is left out."""
