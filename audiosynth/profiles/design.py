"""Filters of a noise profile: one minimum-phase filter per group of bands, from third-octave levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audiosynth.profiles.profile import Profile
from audiosynth.synthesis import signals

if TYPE_CHECKING:
    import numpy.typing as npt

    from audiosynth.clip import Array

RESOLUTION_HZ: Final = 4.0
"""Two periods of it are the filters' length."""
FLOOR_DB: Final = -60.0
"""What a group's filter leaves of bands of others."""
SKIRT_DB: Final = 18.0
"""dB per octave below the lowest band and above the highest."""
LN10: Final = float(np.log(10.0))


@dataclass(frozen=True, eq=False)
class Design:
    """Filters of one profile at one rate.

    Attributes
    ----------
    n_taps, n_block, n_fft
        Length of the filters, samples a block gives, and the transform it takes.
    spectra
        One per group, shape (n_groups, n_fft // 2 + 1).
    scale
        Amplitude of bands and lines and impulses such that the whole has RMS 1.
    """

    n_taps: int
    n_block: int
    n_fft: int
    spectra: npt.NDArray[np.complex128]
    scale: float


@lru_cache(maxsize=64)
def design(profile: Profile, sr: int) -> Design:
    """Design the filters of all groups of a profile at a rate."""
    kept = [(f, level) for f, level in profile.bands if f * 2.0 ** (-1.0 / 6.0) < 0.5 * sr]
    n_taps = int(np.ceil(2.0 * sr / RESOLUTION_HZ)) | 1
    n_grid = 1 << (4 * n_taps - 1).bit_length()
    groups = groups_of(profile)
    n_fft = 1 << (3 * n_taps - 1).bit_length()
    spectra = np.empty((len(groups), n_fft // 2 + 1), dtype=np.complex128)
    frequency: Array = np.arange(n_grid // 2 + 1, dtype=np.float64) * (sr / n_grid)
    density = _smooth_density(kept, frequency)
    for g, group in enumerate(groups):
        mask = _mask(profile, group, frequency)
        spectra[g] = rfft(_minimum_phase(density * (sr / 2.0) * mask, n_grid, n_taps), n_fft)
    power = sum(10.0 ** (level / 10.0) for _, level in kept)
    power += sum(10.0 ** (tone.level_db / 10.0) for tone in profile.tones if tone.frequency < 0.45 * sr)
    power += 0.0 if profile.impulses is None else 10.0 ** (profile.impulses.level_db / 10.0)
    return Design(n_taps, n_fft - n_taps + 1, n_fft, spectra, power**-0.5)


def _mask(profile: Profile, group: Any, frequency: Array) -> Array:
    """Return which share of the power a group has at each frequency."""
    edge = 2.0 ** (1.0 / 6.0)

    def inside(low: float, high: float) -> Array:
        x = np.log2(np.maximum(frequency, 1e-3))
        up = signals.rise((x - np.log2(max(low, 1e-3) / edge)) * 3.0) if low > 0 else np.ones_like(x)
        down = (
            signals.rise((x - np.log2(high / edge)) * 3.0) if high < profile.bands[-1][0] * edge else np.zeros_like(x)
        )
        return np.asarray(up - down)

    if not profile.modulation:
        return np.ones_like(frequency)
    parts = [np.maximum(inside(g.fmin, g.fmax), 0.0) for g in profile.modulation]
    if group is None:
        return np.asarray(np.clip(1.0 - np.sum(parts, axis=0), 0.0, 1.0))
    total = np.maximum(np.sum(parts, axis=0), 1.0)
    return np.asarray(np.maximum(parts[profile.modulation.index(group)] / total, 0.0))


def _smooth_density(bands: list[tuple[float, float]], frequency: Array) -> Array:
    """Return a power density whose third-octave bands have the given powers, straight in dB over log frequency."""
    centres = np.array([f for f, _ in bands])
    powers = np.array([10.0 ** (level / 10.0) for _, level in bands])
    exact = 1000.0 * 10.0 ** (np.rint(10.0 * np.log10(centres / 1000.0)) / 10.0)
    ratio = 10.0**0.05
    edges = np.searchsorted(frequency, np.concatenate([exact / ratio, exact[-1:] * ratio]))
    x = np.log2(np.maximum(frequency, 1e-3))
    at = np.log2(exact)
    nodes = np.log(powers / (exact * (ratio - 1.0 / ratio)))
    skirt = SKIRT_DB / 10.0 * LN10
    step = frequency[1] - frequency[0]
    for _ in range(8):
        line = np.interp(x, at, nodes)
        line = line - skirt * np.maximum(at[0] - 1.0 / 6.0 - x, 0.0) - skirt * np.maximum(x - at[-1] - 1.0 / 6.0, 0.0)
        density = np.exp(line)
        found = np.array([density[a : max(b, a + 1)].sum() * step for a, b in pairwise(edges.tolist())])
        whole = np.maximum((edges[1:] - edges[:-1]) * step, step) / (exact * (ratio - 1.0 / ratio))
        nodes = nodes + 0.8 * (np.log(powers * np.minimum(whole, 1.0)) - np.log(np.maximum(found, 1e-30)))
    return np.asarray(density)


def _minimum_phase(power: Array, n_fft: int, n_taps: int) -> Array:
    """Return the minimum-phase filter of a power response (homomorphic method, Oppenheim and Schafer)."""
    top = float(power.max())
    log_gain = 0.5 * np.log(np.maximum(power, top * 10.0 ** (FLOOR_DB / 5.0)))
    cepstrum = irfft(log_gain.astype(np.complex128), n_fft)
    cepstrum[1 : n_fft // 2] *= 2.0
    cepstrum[n_fft // 2 + 1 :] = 0.0
    taps = irfft(np.exp(rfft(cepstrum, n_fft)), n_fft)[:n_taps]
    return np.asarray(taps * (0.5 + 0.5 * signals.sine(0.5 * np.arange(n_taps) / n_taps + 0.25)))


def rfft(x: Array, n: int) -> npt.NDArray[np.complex128]:
    """Return the one-sided spectrum of `x`, zero-padded to `n`."""
    import scipy.fft

    return np.asarray(scipy.fft.rfft(x, n))


def irfft(x: npt.NDArray[np.complex128], n: int) -> Array:
    """Return the n samples of a one-sided spectrum."""
    import scipy.fft

    return np.asarray(scipy.fft.irfft(x, n))


def groups_of(profile: Profile) -> list[Any]:
    """Return the groups and, where they leave bands out, None for the steady rest."""
    if not profile.modulation:
        return [None]
    inside = [any(g.fmin <= f < g.fmax for g in profile.modulation) for f, _ in profile.bands]
    return [*profile.modulation, *([] if all(inside) else [None])]
