"""Heads: a set of head-related responses made ready for a rate, level and time of its own taken away.

A file's amplitude and the silence before its pulses are its maker's. Here sound from everywhere has the same mean power
at the ears as at an omnidirectional microphone, and time 0 is when sound passes the middle of the absent head.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.acoustics import bands
from audiosynth.acoustics.arrays import unit
from audiosynth.acoustics.diffuse import Mixer, mixer_of
from audiosynth.acoustics.image_moments import HALF, fractional_tap
from audiosynth.dsp import fft_size, resample
from audiosynth.errors import AssetError

if TYPE_CHECKING:
    from audiosynth.acoustics.sofa import Sofa
    from audiosynth.clip import Array

    Ints = npt.NDArray[np.int64]
    Complex = npt.NDArray[np.complex128]

CONVENTION: Final = "SimpleFreeFieldHRIR"
GRID: Final = 32768
"""Directions of the sphere, and as many mirrored ones, that ask for their nearest measurement."""
TIE: Final = 1e-9
"""Directions whose distances differ by less are equally near, and the first one is taken: rounding decides nothing."""
LEAD, KEPT = 256, 64
"""Silence around responses for the resampler's filter to ring in, at the old rate; how much stays, at the new one."""
LONGEST_TAPS_SECONDS: Final = 0.05
CHUNK: Final = 256
LATE_SECONDS, LATE_SHARE = 0.03, 0.01
"""A head and its shoulders are over after some 5 ms; measuring rigs add little after 10."""
OPPOSED: Final = -0.05
"""Mean of side times level difference below which left and right are surely exchanged; a head has some 0.1 to 0.4."""


@dataclass(frozen=True, eq=False)
class Head:
    """Head-related responses at one rate.

    Attributes
    ----------
    rows
        Shape (m, 2, n): left and right ear; mean power over all directions and both ears 1.
    zero
        Where time 0 stands in `rows`, in samples, maybe a fraction.
    axes
        Unit vectors of the directions in the head's axes, shape (m, 3).
    measurement
        Their numbers in the file, shape (m,), increasing.
    onset
        When each ear's sound begins after time 0, in samples, shape (m, 2); negative at the nearer ear.
    weights
        Share of the sphere nearest to each direction, shape (m,).
    mixer
        Turns two white streams into what the ears have in common in a diffuse field.
    octaves
        Power of that field in each octave over white noise of its power, mean over the ears, shape (n_bands,).
    """

    rows: Array
    zero: float
    axes: Array
    measurement: Ints
    onset: Array
    weights: Array
    mixer: Mixer
    octaves: Array
    tree: Any

    def nearest(self, directions: Array) -> Ints:
        """Return the rows measured nearest to unit vectors in the head's axes, shape (k, 3); of equals the first."""
        return _nearest(self.tree, directions)


@lru_cache(maxsize=4)
def head_of(hrtf: Sofa, sr: int) -> Head:
    """Return a set of head-related responses at a rate; kept for the last four sets, told apart by identity.

    Parameters
    ----------
    hrtf
        Of convention SimpleFreeFieldHRIR with two receivers. Of several distances in one direction the farthest counts.
    sr
        Rate in Hz.

    Raises
    ------
    AssetError
        If it is of another convention, has not two ears or no directions, is silent somewhere, or hears sources on the
        left louder on the right.

    Notes
    -----
    Sets are measured denser here than there. Mean values over directions are therefore taken over 65536 points that
    cover the sphere evenly, each heard through its nearest measurement, as images are.

    The level is that of the diffuse field, not of the front: it rests on all measurements and on no notch of one, and
    late sound is as strong as it is without a head. The mean over frequency is that of white noise up to sr/2.

    Time 0 is the mean onset (first half of the peak) over all directions and both ears, to a sample of the file. For
    Woodworth's sphere that is 9 µs after sound would pass its middle.
    """
    _check(hrtf)
    kept, axes = _kept(hrtf)
    rows = _delayed(hrtf, kept)
    _check_room(hrtf, rows)
    tree = _tree(axes)
    weights = np.bincount(_nearest(tree, _grid()), minlength=len(axes)) / (2.0 * GRID)
    size = np.abs(rows)
    starts = np.argmax(size >= 0.5 * size.max(axis=-1, keepdims=True), axis=-1).astype(np.float64)
    zero = math.floor(float(np.sum(weights * starts.mean(axis=1))) + 0.5)
    ratio = sr / hrtf.sr
    rows, shift = _at_rate(rows, hrtf.sr, sr)
    energies = np.sum(rows**2, axis=-1)
    _check_sides(hrtf, axes, energies, weights)
    rows = rows / math.sqrt(float(np.sum(weights * energies.mean(axis=1))))
    mixer = _mixer(rows, weights, sr)
    return Head(
        rows, zero * ratio + shift, axes, kept, (starts - zero) * ratio, weights, mixer, _octaves(mixer, sr), tree
    )


def diffuse_powers(rows: Array, weights: Array, n_fft: int) -> Complex:
    """Return the cross powers of the ears in a diffuse field, shape (n_fft // 2 + 1, 2, 2): Σ weight · H · Hᴴ."""
    import scipy.fft

    total = np.zeros((n_fft // 2 + 1, 2, 2), dtype=np.complex128)
    for first in range(0, len(rows), CHUNK):
        part = slice(first, first + CHUNK)
        h = scipy.fft.rfft(rows[part], n_fft)
        share = weights[part, None]
        both = np.sum(share * h[:, 0] * np.conj(h[:, 1]), axis=0)
        total[:, 0, 0] += np.sum(share * np.abs(h[:, 0]) ** 2, axis=0)
        total[:, 1, 1] += np.sum(share * np.abs(h[:, 1]) ** 2, axis=0)
        total[:, 0, 1] += both
        total[:, 1, 0] += np.conj(both)
    return total


def _check(hrtf: Sofa) -> None:
    m, ears, emitters, n = hrtf.ir.shape
    if hrtf.convention != CONVENTION:
        why = "rooms and loudspeakers have no directions in the free field"
        raise AssetError(f"{hrtf.name}: a head needs a file of {CONVENTION}, not {hrtf.convention}: {why}")
    if ears != 2 or emitters != 1:
        raise AssetError(f"{hrtf.name}: a head has two ears and one source at a time, not {ears} and {emitters}")
    if not (m and n):
        raise AssetError(f"{hrtf.name}: the file is empty ({m} measurements of {n} samples); get it again")
    silent = np.flatnonzero(~hrtf.ir.any(axis=-1).reshape(m, -1).all(axis=-1))
    if silent.size:
        raise AssetError(f"{hrtf.name}: measurement {silent[0]} is silent at an ear; choose another file")
    if (hrtf.directions().distance < 1e-3).any():
        raise AssetError(f"{hrtf.name}: a source stands in the middle of the head, so it has no direction")


def _kept(hrtf: Sofa) -> tuple[Ints, Array]:
    """Return the measurements to use, one a direction, and their unit vectors in the head's axes."""
    seen = hrtf.directions()
    axes = unit(seen.azimuth, seen.elevation)
    far_first = np.argsort(-np.round(seen.distance, 3), kind="stable")
    _, first = np.unique(np.round(axes[far_first], 6) + 0.0, axis=0, return_index=True)
    kept = np.sort(far_first[first])
    return kept, axes[kept]


def _delayed(hrtf: Sofa, kept: Ints) -> Array:
    """Return the responses of the left and the right ear with their delays, shape (m, 2, n), at the file's rate."""
    order = [1, 0] if hrtf.receivers[0, 0, 1] < hrtf.receivers[0, 1, 1] - 1e-6 else [0, 1]
    rows = np.ascontiguousarray(hrtf.ir[kept, :, 0][:, order])
    delay = hrtf.delay[kept, :, 0][:, order]
    if not delay.any():
        return rows
    whole = np.floor(delay).astype(np.int64)
    if (delay != whole).any():
        import scipy.fft

        # Every response goes through the taps, with half of them before it: none is cut, all are equally late.
        taps = fractional_tap(np.arange(-HALF, HALF + 2) - (delay - whole)[..., None])
        length = rows.shape[-1] + taps.shape[-1] - 1
        n_fft = fft_size(length)
        rows = scipy.fft.irfft(scipy.fft.rfft(rows, n_fft) * scipy.fft.rfft(taps, n_fft), n_fft)[..., :length]
    whole -= whole.min()
    out = np.zeros((*rows.shape[:2], rows.shape[-1] + int(whole.max())))
    place = whole[..., None] + np.arange(rows.shape[-1])
    np.put_along_axis(out, place, rows, axis=-1)
    return out


def _at_rate(rows: Array, sr_in: int, sr: int) -> tuple[Array, float]:
    """Return responses at another rate, with the same gain, and by how many samples they begin later."""
    if sr_in == sr:
        return rows, 0.0
    m, ears, n = rows.shape
    padded = np.pad(rows.reshape(m * ears, n), ((0, 0), (LEAD, LEAD)))
    moved = resample(padded, sr_in=sr_in, sr_out=sr) * (sr_in / sr)
    first = max(0, int(LEAD * sr / sr_in) - KEPT)
    last = math.ceil((LEAD + n) * sr / sr_in) + KEPT
    return np.ascontiguousarray(moved[:, first:last]).reshape(m, ears, -1), LEAD * sr / sr_in - first


def _check_room(hrtf: Sofa, rows: Array) -> None:
    """Refuse responses of a head in a room under the name of a head: some files call themselves so."""
    energy = np.sum(rows**2, axis=(0, 1))
    share = float(energy[int(np.argmax(energy)) + int(LATE_SECONDS * hrtf.sr) :].sum() / energy.sum())
    if share > LATE_SHARE:
        late = f"{100 * share:.0f} % of their energy comes later than {LATE_SECONDS} s"
        raise AssetError(f"{hrtf.name}: its responses hold a room: {late}; take a set measured without one")


def _check_sides(hrtf: Sofa, axes: Array, energies: Array, weights: Array) -> None:
    left, right = energies.T
    if float(np.sum(weights * axes[:, 1] * (left - right) / (left + right))) < OPPOSED:
        what = "sources on the left are louder at the right ear"
        way_out = "its azimuths run clockwise or its ears are exchanged; correct the file"
        raise AssetError(f"{hrtf.name}: {what}: {way_out}")


def _tree(axes: Array) -> Any:
    from scipy.spatial import KDTree

    return KDTree(axes)


def _nearest(tree: Any, directions: Array) -> Ints:
    distance, index = tree.query(directions, k=list(range(1, min(4, tree.n) + 1)))
    return np.asarray(np.where(distance <= distance[:, :1] + TIE, index, tree.n).min(axis=1))


@lru_cache(maxsize=1)
def _grid() -> Array:
    """Return Fibonacci's spiral and its mirror image: even areas, left as right.

    References
    ----------
    R. Swinbank, R. J. Purser, "Fibonacci grids: a novel approach to global modelling", Q. J. R. Meteorol. Soc. 132
    (2006) 1769-1793.
    """
    k = np.arange(GRID) + 0.5
    up, turn = 1.0 - 2.0 * k / GRID, k * (math.pi * (3.0 - math.sqrt(5.0)))
    flat = np.sqrt(1.0 - up * up)
    half = np.stack([flat * np.cos(turn), flat * np.sin(turn), up], axis=1)
    return np.concatenate([half, half * [1.0, -1.0, 1.0]])


def _mixer(rows: Array, weights: Array, sr: int) -> Mixer:
    n_taps = min(2 * rows.shape[-1], int(LONGEST_TAPS_SECONDS * sr)) | 1
    n_fft = 1 << (4 * max(n_taps, rows.shape[-1]) - 1).bit_length()
    power = np.sum(weights[:, None] * np.sum(rows**2, axis=-1), axis=0)
    return mixer_of(diffuse_powers(rows, weights, n_fft), power, n_taps=n_taps)


def _octaves(mixer: Mixer, sr: int) -> Array:
    """Return the mixed channels' power in each octave over that of white noise, mean over channels."""
    pulse = np.zeros((1, 1, mixer.taps.shape[-1]))
    pulse[..., mixer.centre] = 1.0
    white = np.broadcast_to(pulse, (2, *pulse.shape[1:]))
    every = np.pad(np.concatenate([mixer.taps, white], axis=1), ((0, 0), (0, 0), (sr // 8, sr // 8)))
    parts = np.sum(bands.split(every, sr=sr) ** 2, axis=-1)
    mixed = parts[:, :, :2].sum(axis=2) / np.sum(mixer.taps**2, axis=(1, 2))
    return np.asarray(mixed.mean(axis=1) / parts[:, 0, 2])
