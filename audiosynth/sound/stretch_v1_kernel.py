"""The inner loops of time stretching, version 1, compiled by numba. Import only inside functions: it takes a second.

No fast maths and no parallel sums: every sum runs in one order, so the bits depend on neither threads nor load, and products
and sums are rounded one by one (libraries fuse them on some machines). What is computed is told in `audiosynth.sound.stretch_v1`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from audiosynth.compiled import loop

ROUNDED: Final = 20
"""Bits of mantissa that peaks are not picked on."""


@loop
def gather(samples: Any, starts: Any, window: Any, out: Any) -> None:
    """Fill `out`, shape (n_channels, n_frames, size), with windowed frames that begin at `starts`."""
    for c in range(samples.shape[0]):
        for i in range(starts.size):
            start = starts[i]
            for j in range(window.size):
                out[c, i, j] = samples[c, start + j] * window[j]


@loop
def add(samples: Any, starts: Any, window: Any, frames: Any) -> None:
    """Add windowed frames to `samples` where they begin."""
    for c in range(samples.shape[0]):
        for i in range(starts.size):
            start = starts[i]
            for j in range(window.size):
                samples[c, start + j] += frames[c, i, j] * window[j]


@loop
def energies(spectra: Any, floor: float, energy: Any, raised: Any) -> None:
    """Fill in the energy of every bin over all channels, and that above a floor."""
    for i in range(spectra.shape[1]):
        for k in range(spectra.shape[2]):
            total = 0.0
            for c in range(spectra.shape[0]):
                z = spectra[c, i, k]
                total += z.real * z.real + z.imag * z.imag
            energy[i, k] = total
            raised[i, k] = total + floor


@loop
def contrast(loudness: Any, n_lasts: int, n_spreads: int, out: Any) -> None:
    """Fill in the mean over time less the mean over frequency of every bin of frames that have all neighbours in time."""
    n_bins, reach = loudness.shape[1], n_spreads // 2
    power = np.empty(n_bins + 2 * reach)
    total = np.empty(n_bins)
    for i in range(out.shape[0]):
        row = loudness[i + n_lasts // 2]
        for k in range(reach):
            power[k] = row[reach - 1 - k]
            power[reach + n_bins + k] = row[n_bins - 1 - k]
        power[reach : reach + n_bins] = row
        total[:] = 0.0
        done, size, n = 0, 1, power.size
        while size <= n_spreads:  # sums of 1, 2, 4, … neighbours
            if n_spreads & size:
                for k in range(n_bins):
                    total[k] += power[done + k]
                done += size
            n -= size
            for k in range(n):
                power[k] += power[k + size]
            size *= 2
        mean = out[i]
        mean[:] = 0.0
        for t in range(n_lasts):
            for k in range(n_bins):
                mean[k] += loudness[i + t, k]
        for k in range(n_bins):
            mean[k] = mean[k] / n_lasts - total[k] / n_spreads


@loop
def find_peaks(bits: Any, padded: Any, places: Any) -> int:
    """Fill in the spectral peaks of a frame and return their number; `bits` are those of the energies as integers.

    A peak exceeds two neighbours on either side (the first of equals counts), so every frame has one.
    """
    n_bins, half, found = bits.size, 1 << (ROUNDED - 1), 0
    for k in range(n_bins):
        padded[k + 2] = (bits[k] + half) >> ROUNDED
    for k in range(n_bins):
        centre = padded[k + 2]
        peak = (centre > padded[k + 1]) & (centre >= padded[k + 3]) & (centre > padded[k]) & (centre >= padded[k + 4])
        places[found] = k
        found += int(peak)
    return found


@loop
def steps_of(
    before: Any, earlier: Any, energy: Any, places: Any, found: int, new_peak: float, turn: Any, out: Any
) -> None:
    """Fill in the turn of each peak of a frame: that of its bin in `turn`, times the phase gone through."""
    for p in range(found):
        k = places[p]
        re, im = 0.0, 0.0
        for c in range(before.shape[0]):
            a, b, x, y = before[c, k, 0], before[c, k, 1], earlier[c, k, 0], earlier[c, k, 1]
            re += a * x + b * y
            im += b * x - a * y
        size = np.sqrt(re * re + im * im)
        if size <= new_peak * energy[k]:
            out[p, 0], out[p, 1] = 1.0, 0.0
        else:
            re, im, x, y = re / size, im / size, turn[0, k], turn[1, k]
            out[p, 0], out[p, 1] = x * re - y * im, x * im + y * re


@loop
def turn_frames(
    spectra: Any, at: int, earlier: Any, energy: Any, struck: Any, turn: Any, new_peak: float, kept: Any
) -> None:
    """Fill `kept` with what lasts of each frame, as it was (0) and turned (1); `turn` goes from frame to frame.

    Frame i is row `at` + i of `spectra` and of `energy`; `earlier` has its spectrum one output hop before, `struck` the odds
    that a bin strikes. Complex numbers are pairs along the last axis.
    """
    n_channels, n_frames, n_bins = earlier.shape[:3]
    places, turns = np.empty(n_bins + 1, dtype=np.int64), np.empty((n_bins, 2))
    padded = np.full(n_bins + 4, -1, dtype=np.int64)
    for i in range(n_frames):
        power, odds = energy[at + i], struck[i]
        found = find_peaks(power.view(np.int64), padded, places)
        steps_of(spectra[:, at + i - 1], earlier[:, i], power, places, found, new_peak, turn, turns)
        first = 0
        for p in range(found):
            last = (places[p] + places[p + 1] + 1) // 2 if p + 1 < found else n_bins
            x, y = turns[p, 0], turns[p, 1]
            for j in range(first, last):
                turn[0, j] = x
                turn[1, j] = y
            first = last
        for j in range(n_bins):
            odds[j] = 1.0 / (1.0 + odds[j])
        for c in range(n_channels):
            z, still, turned = spectra[c, at + i], kept[0, c, i], kept[1, c, i]
            for j in range(n_bins):
                re, im = z[j, 0] * odds[j], z[j, 1] * odds[j]
                still[j, 0] = re
                still[j, 1] = im
                turned[j, 0] = re * turn[0, j] - im * turn[1, j]
                turned[j, 1] = re * turn[1, j] + im * turn[0, j]


@loop
def weigh(weights: Any, starts: Any, window: Any) -> None:
    """Add up the squared windows of frames where they begin."""
    for i in range(starts.size):
        for j in range(window.size):
            weights[starts[i] + j] += window[j] * window[j]
