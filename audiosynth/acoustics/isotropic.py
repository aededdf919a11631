"""Sound from all directions at once: what microphones have in common in it, and how to mix independent streams to that.

The waves of a spherically isotropic field are plane, equally strong in all directions, and independent of each other.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from audiosynth.acoustics.arrays import Receiver, distances

if TYPE_CHECKING:
    import numpy.typing as npt

    from audiosynth.clip import Array

    Complex = npt.NDArray[np.complex128]


def powers(receiver: Receiver) -> Array:
    """Return each microphone's power in a diffuse field of power 1: p² + (1 - p)²/3, shape (n,)."""
    return np.asarray(receiver.weights[:, 0] ** 2 + np.sum(receiver.weights[:, 1:] ** 2, axis=1) / 3.0)


def cross_powers(receiver: Receiver, frequency: Array, *, c: float) -> Complex:
    """Return the cross powers of microphones in a spherically isotropic field whose pressure has power 1.

    Parameters
    ----------
    receiver
        Positions, and gains p + v·u for a direction u.
    frequency
        In Hz, shape (n_frequencies,).
    c
        Speed of sound in m/s.

    Returns
    -------
    gamma
        Shape (n_frequencies, n, n), Hermitian. For open omnidirectional microphones sin(kd)/(kd).

    Notes
    -----
    The mean over all directions u of (p₁ + v₁·u)(p₂ + v₂·u) exp(jk u·(r₁ - r₂)), with x = k|r₁ - r₂|, e = (r₁ - r₂)/
    |r₁ - r₂| and spherical Bessel functions, is p₁p₂ j₀ + j j₁ (p₁ v₂·e + p₂ v₁·e) + (j₁/x) v₁·v₂ - j₂ (v₁·e)(v₂·e):
    the mean of exp is j₀(x), and each factor u is a gradient of it.

    References
    ----------
    R. K. Cook et al., JASA 27 (1955) 1072-1077; G. W. Elko, "Spatial coherence functions for differential microphones
    in isotropic noise fields", in Microphone Arrays (2001), chapter 4.
    """
    apart = receiver.offsets[:, None, :] - receiver.offsets[None, :, :]
    length = distances(receiver.offsets)
    e = apart / np.where(length > 0, length, 1.0)[..., None]
    x = (2.0 * np.pi / c) * np.asarray(frequency)[:, None, None] * length
    p, v = receiver.weights[:, 0], receiver.weights[:, 1:]
    mine, other = np.sum(v[:, None, :] * e, axis=-1), np.sum(v[None, :, :] * e, axis=-1)
    both = np.sum(v[:, None, :] * v[None, :, :], axis=-1)
    j0, j1_over_x, j2 = _bessel(x)
    across = x * j1_over_x * (p[:, None] * other + p[None, :] * mine)
    return np.asarray(p[:, None] * p[None, :] * j0 + j1_over_x * both - j2 * mine * other + 1j * across)


def mixing_matrix(gamma: Complex, noise: Array) -> Complex:
    """Return Cholesky's lower triangular L with L·Lᴴ = gamma + diag(noise), written out: no library enters the bits.

    Parameters
    ----------
    gamma
        Hermitian, shape (n_frequencies, n, n).
    noise
        Above 0, shape (n,): keeps the pivots from 0 where microphones hear the same.
    """
    n = gamma.shape[-1]
    root = np.zeros_like(gamma)
    for j in range(n):
        column = gamma[:, j:, j].copy()
        for k in range(j):
            column -= root[:, j:, k] * np.conj(root[:, j, k])[:, None]
        pivot = np.sqrt(np.maximum(column[:, 0].real, 0.0) + noise[j])
        root[:, j, j] = pivot
        root[:, j + 1 :, j] = column[:, 1:] / pivot[:, None]
    return root


def _bessel(x: Array) -> tuple[Array, Array, Array]:
    """Return j₀(x), j₁(x)/x and j₂(x); by their series where the closed forms cancel (Abramowitz and Stegun 10.1)."""
    small = x < 0.3
    z = np.where(small, 1.0, x)
    y = np.where(small, x * x, 0.0)
    j0 = np.where(small, _series(y, 0), np.sin(z) / z)
    j1_over_x = np.where(small, _series(y, 1), (np.sin(z) / z - np.cos(z)) / (z * z))
    return j0, j1_over_x, np.where(small, y * _series(y, 2), 3.0 * j1_over_x - j0)


def _series(y: Array, order: int) -> Array:
    """Return j_n(x)/xⁿ from y = x²: Σ (-y/2)^k / (k! (2n + 2k + 1)!!)."""
    term = np.full_like(y, 1.0 / math.prod(range(1, 2 * order + 2, 2)))
    total = term.copy()
    for k in range(1, 7):
        term = term * (-0.5 * y / (k * (2 * order + 2 * k + 1)))
        total += term
    return total
