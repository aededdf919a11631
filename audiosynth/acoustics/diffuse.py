"""Diffuse sound: noise that comes from everywhere at once, as the microphones of an array hear it.

A field of plane waves from all directions, equally strong and independent, makes any two microphones coherent at low
frequencies and incoherent at high ones. Fixed FIR filters mix independent streams to that coherence, block by block on
an absolute grid: sample n is a function of n alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.acoustics.arrays import Receiver, distances
from audiosynth.acoustics.isotropic import cross_powers, mixing_matrix, powers
from audiosynth.dice import gaussians_at, uniform_at
from audiosynth.errors import ParameterError
from audiosynth.sound.normals import White

if TYPE_CHECKING:
    import numpy.typing as npt

    from audiosynth.clip import Array

    Complex = npt.NDArray[np.complex128]

SELF_NOISE: Final = 1e-6
"""Independent noise of each microphone re the field (-60 dB): without it, close microphones would be one and the same at
low frequencies, and rounding errors would grow in their differences (they stay below 1e-13 so)."""
SHORTEST_SECONDS: Final = 0.008
PASSES: Final = 32.0
"""Length of the filters, in times of the sound's way across the array; coherence within 0.004, level within 0.06 dB."""
LONGEST_SECONDS: Final = 0.5
MAX_MICROPHONES: Final = 32
SMEAR_SECONDS: Final = 0.05
KNOT_HZ: Final = 50.0
"""Between frequencies so far apart the delay of a decorrelating filter runs straight."""


@dataclass(frozen=True, eq=False)
class Mixer:
    """FIR filters from streams to microphones, and their block grid.

    Attributes
    ----------
    taps
        Shape (n_channels, n_streams, n_taps).
    centre
        Samples by which the filters' middle lies behind their start.
    n_block, n_fft
        Samples a block gives and the transform it takes; n_fft = n_block + n_taps - 1.
    spectra
        Of `taps`, shape (n_channels, n_streams, n_fft // 2 + 1).
    """

    taps: Array
    centre: int
    n_block: int
    n_fft: int
    spectra: Complex

    @property
    def n_streams(self) -> int:
        """How many independent streams it mixes."""
        return int(self.taps.shape[1])


def diffuse_mixer(receiver: Receiver, *, sr: int, c: float) -> Mixer:
    """Design the filters that turn independent white streams of power 1, one a microphone, into a diffuse field.

    Parameters
    ----------
    receiver
        The array, 1 to 32 microphones, turned as it stands.
    sr
        Rate in Hz.
    c
        Speed of sound in m/s.

    Returns
    -------
    mixer
        Channels of power `powers(receiver)`; ambisonics thus has 1, 1/3, 1/3, 1/3. Filters of 32 ways across the array,
        8 ms to 0.5 s: the coherence is within 0.004 of theory up to 300 Hz below sr/2, the level within 0.06 dB.

    References
    ----------
    E. A. P. Habets, I. Cohen, S. Gannot, "Generating nonstationary multisensor signals under a spatial coherence
    constraint", JASA 124 (2008) 2911-2917: mixing by Cholesky's factor of the coherence.
    """
    shape = receiver.offsets.shape
    if not 1 <= shape[0] <= MAX_MICROPHONES or not c > 0 or sr < 1:
        raise ParameterError(
            f"expected 1 to {MAX_MICROPHONES} microphones, c above 0 and a rate; got {shape[0]}, {c}, {sr}"
        )
    return _mixer(receiver.offsets.tobytes(), receiver.weights.tobytes(), sr, c)


def mixer_of(gamma: Complex, power: Array, *, n_taps: int) -> Mixer:
    """Design the filters that turn independent white streams into channels of given cross powers.

    Parameters
    ----------
    gamma
        Hermitian, shape (n_fft // 2 + 1, n, n), from 0 Hz to half the rate: E[channel i times conjugate channel j].
    power
        Of each channel, the mean of its diagonal over frequency, shape (n,).
    n_taps
        Odd, well below n_fft, or the filters wrap.
    """
    n_fft = 2 * (len(gamma) - 1)
    roots = np.moveaxis(mixing_matrix(gamma, SELF_NOISE * power), 0, -1)
    taps = np.roll(_irfft(roots, n_fft), n_taps // 2, axis=-1)[..., :n_taps]
    return _finished(taps * np.hanning(n_taps + 2)[1:-1], power)


def mix(mixer: Mixer, source: Callable[[int, int], Array], *, start: int, n_samples: int) -> Array:
    """Return samples [start, start + n_samples) of an endless sound, mixed; bit for bit the same however it is cut.

    Parameters
    ----------
    mixer
        From `diffuse_mixer` or `decorrelator`.
    source
        Called with (start, n): that stretch of the endless streams, shape (n_streams, n). White or coloured noise, or
        stretches of a long recording taken far apart.
    start, n_samples
        Which stretch, both ≥ 0.

    Returns
    -------
    y
        Shape (n_channels, n_samples); `mixer.centre` samples ahead of the streams.
    """
    n_taps, size = mixer.taps.shape[-1], mixer.n_block
    out = np.zeros((mixer.taps.shape[0], n_samples))
    if n_samples == 0:
        return out
    if n_taps == 1:
        return _weighted(mixer.taps[:, :, 0], source(start, n_samples))
    first, last = start // size, (start + n_samples - 1) // size + 1
    streams = source(first * size, (last - first) * size + n_taps - 1)
    for i in range(last - first):
        block = _irfft(_applied(mixer, streams[:, i * size : i * size + mixer.n_fft]), mixer.n_fft)[:, n_taps - 1 :]
        at = (first + i) * size - start
        a, b = max(0, at), min(n_samples, at + size)
        out[:, a:b] = block[:, a - at : b - at]
    return out


def coherent_noise(
    seed: int, mixer: Mixer, *, start: int, n_samples: int, stream: str = "diffuse", white: White = gaussians_at
) -> Array:
    """Return samples [start, start + n_samples) of endless diffuse noise, shape (n_channels, n_samples), made from `white`.

    Examples
    --------
    >>> from audiosynth.acoustics.arrays import linear
    >>> mixer = diffuse_mixer(linear(2, spacing=0.05), sr=16000, c=343.0)
    >>> whole = coherent_noise(1, mixer, start=0, n_samples=900)
    >>> bool((coherent_noise(1, mixer, start=400, n_samples=500) == whole[:, 400:]).all())
    True
    """
    names = [f"{stream}/{k}" for k in range(mixer.n_streams)]

    def streams(first: int, n: int) -> Array:
        return white(seed, start=first, n_samples=n, streams=names)

    return mix(mixer, streams, start=start, n_samples=n_samples)


def decorrelator(receiver: Receiver, *, sr: int, c: float, seed: int, smear: float = SMEAR_SECONDS) -> Mixer:
    """Design filters that turn one sound into a diffuse field of it: all-passes of random delay, then mixed.

    Each stream is the sound through an all-pass whose delay wanders at random, knots of 50 Hz apart, over `smear`
    seconds; so channels that theory calls incoherent have the source's spectrum, and partly coherent ones have it on
    average (averaged over some 100 Hz).

    The filters do not move: in bands narrower than about 1/`smear` a channel is a fixed filtering of another. Where a
    recording is long enough, `mix` with stretches of it far apart is the truer field.

    Parameters
    ----------
    receiver, sr, c
        As for `diffuse_mixer`.
    seed
        The recorded seed.
    smear
        Range of the delays in seconds.
    """
    if not 0.001 <= smear <= 1.0:
        raise ParameterError(f"expected a smear of 0.001 to 1 s, got {smear}")
    base = diffuse_mixer(receiver, sr=sr, c=c)
    n_taps = (int((smear + 4.0 / KNOT_HZ) * sr) | 1) + base.taps.shape[-1] - 1
    n_fft = 1 << (2 * n_taps).bit_length()
    total = np.zeros((len(receiver), n_fft // 2 + 1), dtype=np.complex128)
    for k in range(base.n_streams):
        allpass = np.exp(1j * _wandering_phase(seed, f"spread/{k}", sr=sr, n_fft=n_fft, smear=smear))
        total += _rfft(np.ascontiguousarray(base.taps[:, k]), n_fft) * allpass
    # the all-pass has its middle at 0, the mixing filters theirs at base.centre
    taps = np.roll(_irfft(total, n_fft), n_taps // 2 - base.centre, axis=-1)[:, :n_taps]
    return _finished(taps[:, None, :], powers(receiver))


def spread(mixer: Mixer, source: Callable[[int, int], Array], *, start: int, n_samples: int) -> Array:
    """Return samples [start, start + n_samples) of an endless mono sound made diffuse, in step with the source.

    Parameters
    ----------
    mixer
        From `decorrelator`.
    source
        Called with (start, n), start ≥ 0: that stretch of the sound, shape (n,). Before its first sample it is taken
        mirrored, so that a bed does not fade in.
    start, n_samples
        Which stretch, both ≥ 0.
    """

    def shifted(first: int, n: int) -> Array:
        head = max(0, min(n, mixer.centre - first))
        parts = [source(mixer.centre - first - head + 1, head)[::-1]] if head else []
        if n > head:
            parts.append(source(first + head - mixer.centre, n - head))
        return np.concatenate(parts)[np.newaxis]

    return mix(mixer, shifted, start=start, n_samples=n_samples)


@lru_cache(maxsize=16)
def _mixer(offsets: bytes, weights: bytes, sr: int, c: float) -> Mixer:
    receiver = Receiver(np.frombuffer(offsets).reshape(-1, 3), np.frombuffer(weights).reshape(-1, 4))
    way = float(distances(receiver.offsets).max()) / c
    n_taps = int(min(max(PASSES * way, SHORTEST_SECONDS), LONGEST_SECONDS) * sr) | 1 if way > 0 else 1
    n_fft = 1 << (4 * n_taps - 1).bit_length() if n_taps > 1 else 2
    frequency: Array = np.arange(n_fft // 2 + 1, dtype=np.float64) * (sr / n_fft)
    gamma = cross_powers(receiver, frequency, c=c)
    return mixer_of(gamma, powers(receiver), n_taps=n_taps)


def _finished(taps: Array, power: Array) -> Mixer:
    """Give each channel its power and lay out the blocks; the arrays are shared, so nobody may write to them."""
    taps = taps * np.sqrt(power / np.sum(taps**2, axis=(1, 2)))[:, None, None]
    n_taps = taps.shape[-1]
    n_fft = 1 << max(10, (3 * n_taps - 1).bit_length())
    spectra = _rfft(taps, n_fft)
    for array in (taps, spectra):
        array.flags.writeable = False
    return Mixer(taps, n_taps // 2, n_fft - n_taps + 1, n_fft, spectra)


def _wandering_phase(seed: int, stream: str, *, sr: int, n_fft: int, smear: float) -> Array:
    """Return the phase of a delay that wanders within ±smear/2 between knots, 0 at 0 Hz, a multiple of π at sr/2."""
    n_knots = int(sr / 2 / KNOT_HZ) + 2
    knots = (uniform_at(seed, start=0, n_samples=n_knots, stream=stream) - 0.5) * smear
    frequency = np.arange(n_fft // 2 + 1) * (sr / n_fft)
    delay = np.interp(frequency, np.arange(n_knots) * KNOT_HZ, knots)
    turns = np.concatenate([[0.0], np.cumsum(0.5 * (delay[1:] + delay[:-1]))]) * (sr / n_fft)
    turns -= np.arange(len(turns)) / (len(turns) - 1) * (turns[-1] - 0.5 * np.round(2.0 * turns[-1]))
    return -2.0 * np.pi * turns


def _applied(mixer: Mixer, streams: Array) -> Complex:
    """Return the channels' spectra: each the sum over streams in order."""
    spectra = _rfft(streams, mixer.n_fft)
    total = mixer.spectra[:, 0] * spectra[0]
    for k in range(1, len(spectra)):
        total += mixer.spectra[:, k] * spectra[k]
    return np.asarray(total)


def _weighted(weights: Array, streams: Array) -> Array:
    total = weights[:, :1] * streams[0]
    for k in range(1, len(streams)):
        total += weights[:, k : k + 1] * streams[k]
    return np.asarray(total)


def _rfft(x: Array, n: int) -> Complex:
    import scipy.fft

    return np.asarray(scipy.fft.rfft(x, n))


def _irfft(x: Complex, n: int) -> Array:
    import scipy.fft

    return np.asarray(scipy.fft.irfft(x, n))
