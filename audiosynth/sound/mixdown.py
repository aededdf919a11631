"""One fingerprint of a sound of several channels, also where they cancel each other."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.sound.fingerprint import HOP, QUIET_DB, WINDOW, Print, fingerprint

CANCELLED_DB: Final = -30.0
"""How far the mean of channels lies under them where they cancel; that of n channels with nothing in common lies 10 log10(n) under."""


def fingerprint_of_all(y: npt.NDArray[Any], sr: int) -> Print:
    """Return the fingerprint of the mean of a sound's channels, and where that is gone, of the channels turned the same way round.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples); any scale.
    sr
        Rate in Hz.

    Notes
    -----
    A recording with opposite phases left and right is silent in the mean. There, every channel that runs against the loudest one
    is turned upside down before the mean is taken; all other frames keep the bits of the plain mean.

    Examples
    --------
    >>> y = np.random.default_rng(1).standard_normal(16_000)
    >>> one, other = fingerprint(y, 16_000), fingerprint_of_all(np.stack([y, -y]), 16_000)
    >>> bool((one == other).all())
    True
    """
    mean = y.mean(axis=0)
    printed = fingerprint(mean, sr)
    if y.shape[0] == 1:
        return printed
    with np.errstate(over="ignore", invalid="ignore"):  # files with samples that are no numbers are told elsewhere
        channels = _energies(np.einsum("cn,cn->n", y, y) / y.shape[0], sr, printed.size)
        one = _energies(mean * mean, sr, printed.size)
        loud = channels > channels.max() * 10.0 ** (QUIET_DB / 10)
        gone = loud & (one <= channels * 10.0 ** (CANCELLED_DB / 10))
    if not gone.any():
        return printed
    turned = fingerprint(_turned(y, gone[_frames_of(y.shape[1], sr, printed.size)]), sr)
    return np.where(gone, turned, np.where(loud, printed, np.uint32(0)))


def _turned(y: npt.NDArray[Any], where: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """Return the mean of channels, those upside down that run against the loudest one in some samples."""
    inside = y[:, where]
    loudest = inside[np.argmax(np.square(inside).sum(axis=1))]
    return np.asarray((np.where(inside @ loudest < 0, -1.0, 1.0)[:, None] * y).mean(axis=0))


def _energies(power: npt.NDArray[Any], sr: int, n_frames: int) -> npt.NDArray[np.float64]:
    """Return the sums in windows around frames, to half a hop, shape (n_frames,)."""
    hops = np.zeros(n_frames + 1)
    starts = np.ceil((np.arange(n_frames + 1) - 0.5) * HOP * sr).clip(0).astype(np.int64)
    starts = starts[starts < power.size]
    hops[: starts.size] = np.add.reduceat(power, starts) if starts.size else 0.0
    half = round(0.5 * WINDOW / HOP)
    return np.convolve(hops, np.ones(2 * half + 1))[half : half + n_frames]


def _frames_of(n_samples: int, sr: int, n_frames: int) -> npt.NDArray[np.int64]:
    """Return the frame that each sample is nearest to, shape (n_samples,)."""
    return np.minimum(np.rint(np.arange(n_samples) / (HOP * sr)).astype(np.int64), n_frames - 1)
