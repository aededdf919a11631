"""From a noise profile to its sound: sample n is a function of seed, channel and n alone, however it is asked for.

`white` is what its noise is made from: `normals_at`, or `gaussians_at` for version 1.

Bands are white noise through fixed filters, block by block on an absolute grid; levels waver by sums of slow Gaussian
processes, one an octave of rates, whose knots are keyed by their absolute number; so are impulses.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from audiosynth.dice import uniform_at
from audiosynth.profiles import bursts as profile_bursts
from audiosynth.profiles import design as profile_design
from audiosynth.profiles.profile import Group, Profile
from audiosynth.sound.normals import White, normals_at
from audiosynth.synthesis import signals

if TYPE_CHECKING:
    import numpy.typing as npt

    from audiosynth.clip import Array

CONTROL_HZ: Final = 256
"""Levels are given so often a second and run straight between: 16 Hz errs by 2 % of its depth."""
KERNEL: Final = 10
"""Knots to each side that a value of a slow process is made of, four knots a period."""
WIDTH: Final = 0.7
"""Periods: standard deviation of the window, so that a process fills about an octave."""
POINTS: Final = 32
"""Points a period at which a slow process is worked out: straight lines between them err by half a percent."""
PER_KNOT: Final = POINTS // 4
PIECE: Final = 32_768
"""Samples of tones that are made at once, for the sake of the processor's cache."""
TAILS: Final = 2.0
"""Levels go no further than so many standard deviations: real gusts and crowds have bounds."""
ROW: Final = 256
"""Samples of a steady tone that share the sines of their block."""
DRIFT_HZ: Final = 0.1
LN10: Final = float(np.log(10.0))


def render(
    profile: Profile, *, seed: int, sr: int, channel: int, start: int, n_samples: int, white: White = normals_at
) -> Array:
    """Return samples [start, start + n_samples) of one channel, shape (n_samples,); the whole has RMS 1.

    Levels waver alike in all channels, as a gust is heard by all microphones; the noise itself is each channel's own.

    Parameters
    ----------
    profile
        What it is made from; bands and lines above half the rate are left out.
    seed, channel
        Key of the noise.
    sr
        Rate in Hz.
    start, n_samples
        Which stretch, both ≥ 0.
    white
        What its noise is made from.
    """
    design = profile_design.design(profile, sr)
    own = np.asarray(_bands(profile, design, seed, f"bands/{channel}", start, n_samples, sr, white))
    out = own
    if profile.coherence > 0:
        common = _bands(profile, design, seed, "bands/all", start, n_samples, sr, white)
        out = profile.coherence**0.5 * common + (1.0 - profile.coherence) ** 0.5 * own
    out = out * design.scale
    drifts = [_drift(seed, i, tone.drift, start, n_samples, sr, white) for i, tone in enumerate(profile.tones)]
    for at in range(0, n_samples if profile.tones else 0, PIECE):
        n = min(PIECE, n_samples - at)
        out[at : at + n] += design.scale * _tones(profile, drifts, seed, start + at, n, sr)
    if profile.impulses is not None:
        out = out + design.scale * profile_bursts.impulses(profile, seed, start, n_samples, sr, white)
    return out * _cycle(profile, seed, start, n_samples, sr) if profile.switching else out


def _bands(
    profile: Profile,
    design: profile_design.Design,
    seed: int,
    stream: str,
    start: int,
    n_samples: int,
    sr: int,
    white: White,
) -> Array:
    """Return the wavering bands of one noise."""
    out = np.zeros(n_samples)
    if n_samples == 0:
        return out
    size, before = design.n_block, design.n_taps - 1
    levels = Levels.of(profile, seed, start, n_samples, sr, white)
    for b in range(start // size, (start + n_samples - 1) // size + 1):
        noise = white(seed, start=b * size, n_samples=design.n_fft, streams=[stream])[0]
        spectrum = profile_design.rfft(noise, design.n_fft)
        at = b * size - start
        first, last = max(0, at), min(n_samples, at + size)
        gains = levels.between(start + first, last - first, sr)
        for gain, taps in zip(gains, design.spectra, strict=True):
            block = profile_design.irfft(spectrum * taps, design.n_fft)[before + first - at : before + last - at]
            out[first:last] += block if gain is None else block * gain
    return out


class Levels(NamedTuple):
    """Gains of the groups at control points, 256 a second, worked out once for a whole stretch.

    Attributes
    ----------
    first
        Absolute number of the first control point.
    gains
        One array a group, mean power 1; None where nothing wavers.
    """

    first: int
    gains: list[Array | None]

    @classmethod
    def of(cls, profile: Profile, seed: int, start: int, n_samples: int, sr: int, white: White) -> Levels:
        """Return the levels that samples [start, start + n_samples) need, n_samples ≥ 1."""
        ends = [int(_control(at, 1, sr)[0][0]) for at in (start, start + n_samples - 1)]
        first, count = ends[0], ends[1] - ends[0] + 2
        groups = profile_design.groups_of(profile)
        wavers = _wavers(groups, seed, first, count, white)
        return cls(first, [_group_gain(profile, group, wavers, count) for group in groups])

    def between(self, start: int, n_samples: int, sr: int) -> Iterator[Array | None]:
        """Yield the gain of each group at samples, shape (n_samples,)."""
        if all(gain is None for gain in self.gains):
            yield from self.gains
            return
        j, frac = _control(start, n_samples, sr)
        at = j - self.first
        for gain in self.gains:
            yield None if gain is None else gain[at] + np.diff(gain)[at] * frac


def _wavers(groups: list[Group | None], seed: int, first: int, count: int, white: White) -> dict[str, Array]:
    """Return every slow process that the groups need, by its stream."""
    streams: dict[float, list[str]] = {}
    for group in groups:
        for rate, _ in () if group is None else group.rates:
            streams.setdefault(rate, [f"all/{rate:g}"]).append(f"{group.fmin:g}/{rate:g}" if group is not None else "")
    return _slows(seed, streams, first, count, white)


def _group_gain(profile: Profile, group: Group | None, wavers: dict[str, Array], count: int) -> Array | None:
    """Return the gain of one group at control points."""
    if group is None:
        return None
    level, variance = np.zeros(count), 0.0
    for rate, depth in group.rates:
        common, own = wavers[f"all/{rate:g}"], wavers[f"{group.fmin:g}/{rate:g}"]
        level += depth * (profile.shared**0.5 * common + (1.0 - profile.shared) ** 0.5 * own)
        variance += depth * depth
    spread = variance**0.5
    level = np.clip(level, -TAILS * spread, TAILS * spread)
    return np.asarray((1.0 + signals.expm1(LN10 / 20.0 * level)) / _mean_power(spread) ** 0.5)


@lru_cache(maxsize=256)
def _mean_power(spread: float) -> float:
    """Return the mean of 10^(L/10) for Gaussian levels L of a standard deviation in dB, clipped at two of them.

    Without it, what wavers more would be louder.
    """
    z = np.linspace(-6.0, 6.0, 2401)
    weight = 1.0 + signals.expm1(-0.5 * z * z)
    power = 1.0 + signals.expm1(LN10 / 10.0 * spread * np.clip(z, -TAILS, TAILS))
    return float(np.sum(weight * power) / np.sum(weight))


def slow(seed: int, rate: float, *, first: int, count: int, stream: str, white: White = normals_at) -> Array:
    """Return values first … first + count - 1 of a Gaussian process in the octave about a rate, variance 1, at 256 Hz.

    White knots, four a period, through the kernel of a band: cos(2π·rate·t) under a Gaussian window.

    Examples
    --------
    >>> y = slow(1, 2.0, first=0, count=256 * 200, stream="x")
    >>> bool(abs(np.var(y) - 1.0) < 0.15)
    True
    """
    return _slows(seed, {rate: [stream]}, first, count, white)[stream]


def _slows(seed: int, streams: dict[float, list[str]], first: int, count: int, white: White) -> dict[str, Array]:
    """Return `slow` of every stream, told by their rates: all knots go through the kernel together, end to end."""
    places, knots = {}, []
    for rate, names in streams.items():
        at = np.arange(first, first + count, dtype=np.float64) * (POINTS * rate / CONTROL_HZ)
        i = at.astype(np.int64)
        knot = (int(i[0]) if count else 0) // PER_KNOT
        n = (int(i[-1]) + 1 if count else 0) // PER_KNOT - knot + 1
        places[rate] = at - i, i - knot * PER_KNOT, n + 2 * KERNEL
        # knots are numbered from -KERNEL, which is word 0 of the stream
        made = white(seed, start=knot, n_samples=n + 2 * KERNEL, streams=[f"slow/{name}" for name in names])
        knots.append(made.ravel())
    points = _smoothed(np.concatenate(knots) if knots else np.zeros(2 * KERNEL))
    found, begin = {}, 0
    for rate, names in streams.items():
        beyond, i, n = places[rate]
        for name in names:
            y = points[begin * PER_KNOT : (begin + n) * PER_KNOT]
            found[name] = y[i] + (y[i + 1] - y[i]) * beyond
            begin += n
    return found


def _smoothed(knots: Array) -> Array:
    """Return what knots make at eight points after each from the KERNEL-th on, 2·KERNEL after the last of them unknown."""
    weights, n = _weights(), len(knots) - 2 * KERNEL
    total = np.zeros((len(knots), PER_KNOT))
    for k in range(2 * KERNEL + 1):
        total[:n] += knots[k : k + n, None] * weights[None, :, k]
    return total.ravel()


@lru_cache(maxsize=1)
def _weights() -> Array:
    """Return what each knot is worth at each point between two knots, shape (8, 21), squares adding up to 1."""
    away = (np.arange(PER_KNOT)[:, None] / PER_KNOT - np.arange(-KERNEL, KERNEL + 1)[None, :]) * 0.25
    weight = signals.sine(away + 0.25) * (1.0 + signals.expm1(-0.5 * np.minimum((away / WIDTH) ** 2, 600.0)))
    return np.asarray(weight / np.sqrt(np.sum(weight**2, axis=1, keepdims=True)))


def _control(start: int, n_samples: int, sr: int) -> tuple[npt.NDArray[np.int64], Array]:
    """Return the control point before each sample and how far on it is."""
    position = np.arange(start, start + n_samples, dtype=np.float64) * (CONTROL_HZ / sr)
    j = position.astype(np.int64)
    return j, position - j


def _tones(profile: Profile, drifts: list[Drift | None], seed: int, start: int, n_samples: int, sr: int) -> Array:
    out = np.zeros(n_samples)
    for i, (tone, drift) in enumerate(zip(profile.tones, drifts, strict=True)):
        if tone.frequency >= 0.45 * sr:
            continue
        phase = float(uniform_at(seed, start=0, n_samples=1, stream=f"tone/{i}")[0])
        if drift is not None:
            t = np.arange(start, start + n_samples, dtype=np.float64) / sr
            j, frac = _control(start, n_samples, sr)
            at = j - drift.first
            ahead = drift.scale * (drift.path[at] + np.diff(drift.path)[at] * frac)
            sound = signals.sine(tone.frequency * t + phase + ahead)
        else:
            sound = _steady(tone.frequency / sr, phase, start, n_samples)
        out += 2.0**0.5 * 10.0 ** (tone.level_db / 20.0) * sound
    return out


class Drift(NamedTuple):
    """The way of a line at control points from `first` on, and what it is worth in cycles."""

    first: int
    path: Array
    scale: float


def _drift(seed: int, i: int, drift: float, start: int, n_samples: int, sr: int, white: White) -> Drift | None:
    """Return the cycles by which a line is ahead: a frequency that wanders by `drift` at 0.1 Hz is a phase that does."""
    if drift <= 0 or n_samples == 0:
        return None
    first, last = (int(_control(at, 1, sr)[0][0]) for at in (start, start + n_samples - 1))
    path = slow(seed, DRIFT_HZ, first=first, count=last - first + 2, stream=f"tone/{i}", white=white)
    return Drift(first, path, drift / (2.0 * np.pi * DRIFT_HZ))


def _steady(step: float, phase: float, start: int, n_samples: int) -> Array:
    """Return a sine of `step` cycles a sample: blocks on an absolute grid, sin(a + b) from few sines of each."""
    first, last = start // ROW, (start + n_samples - 1) // ROW + 1
    blocks = step * ROW * np.arange(first, last, dtype=np.float64) + phase
    within = step * np.arange(ROW, dtype=np.float64)
    y = signals.sine(blocks)[:, None] * signals.sine(within + 0.25)[None, :]
    y += signals.sine(blocks + 0.25)[:, None] * signals.sine(within)[None, :]
    return y.ravel()[start - first * ROW : start - first * ROW + n_samples]


def _cycle(profile: Profile, seed: int, start: int, n_samples: int, sr: int) -> Array:
    """Return the gain of what goes on and off, mean power 1; it begins anywhere in its cycle."""
    made = profile.switching
    if made is None:
        return np.ones(n_samples)
    period = made.on + made.off
    phase = float(uniform_at(seed, start=0, n_samples=1, stream="cycle")[0])
    t = np.arange(start, start + n_samples, dtype=np.float64) / sr / period + phase
    t = (t - np.floor(t)) * period
    edge = min(made.edge, 0.5 * made.on, 0.5 * made.off)
    on = signals.rise(t / edge) * signals.rise((made.on - t) / edge)
    low = 10.0 ** (-made.depth_db / 20.0)
    mean = (made.on + made.off * low * low) / period
    return np.asarray((low + (1.0 - low) * on) / mean**0.5)
