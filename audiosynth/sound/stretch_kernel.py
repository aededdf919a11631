"""The inner loops of time stretching, compiled by numba. Import only inside functions: it takes a second.

No fast maths and no parallel sums: every sum runs in one order, so the bits depend on neither threads nor load, and products
and sums are rounded one by one (libraries fuse them on some machines). What is computed is told in `audiosynth.sound.stretch`.

Spectra go by eight frames (`audiosynth.sound.frames_kernel`); what is smoothed along frequency or picked from a frame lies
frame by frame.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from audiosynth.compiled import loop
from audiosynth.sound.fourier_kernel import transform
from audiosynth.sound.frames_kernel import Frames, Mask, add, bin_of, gather, lasting_share, logarithms, pack, unpack
from audiosynth.sound.lanes_kernel import LANES, bits_of, crossed, load, splat, store

ROUNDED: Final = 20
"""Bits of mantissa that peaks are not picked on."""


class Held(NamedTuple):
    """What is held while frames go by.

    Attributes
    ----------
    spectra, energy, loudness
        Rings of the last frames: spectra by channels and eights, energy of the bins over all channels, its logarithm with
        that of silence in a last row.
    earlier
        Of eight frames, one output hop before them, as they come out of the transform; by channels.
    share, turn
        Of each bin of eight frames: what lasts of it, and cosine and sine of its turn, those of the frame before in a first row.
    buffer, scratch, padded, places, steps
        Room to work in.
    """

    spectra: Any
    energy: Any
    loudness: Any
    earlier: Any
    share: Any
    turn: Any
    buffer: Any
    scratch: Any
    padded: Any
    places: Any
    steps: Any


@loop
def hold(n_channels: int, frames: Frames, mask: Mask) -> Held:
    """Return the room for a sound."""
    n_bins = frames.plan.n + 1
    width = -(-n_bins // LANES) * LANES
    n_rings = (mask.lasts + 2 * LANES - 2) // LANES + 1
    loudness = np.empty((n_rings * LANES + 1, width))
    logarithms(np.zeros(width), mask.floor, loudness[n_rings * LANES])
    turn = np.zeros((2, LANES + 1, width))
    turn[0, LANES] = 1.0
    return Held(
        np.zeros((n_channels, n_rings, 2 * width * LANES)),
        np.empty((n_rings * LANES, width)),
        loudness,
        np.empty((n_channels, frames.read.size * LANES)),
        np.zeros((LANES, width)),
        turn,
        np.empty((4, max(2 * width, frames.read.size) * LANES)),
        np.empty(max(12 * LANES, 2 * (width + mask.spreads))),
        np.full(n_bins + 4, -1, dtype=np.int64),
        np.empty(n_bins + 1, dtype=np.int64),
        np.empty((n_bins, 2)),
    )


@loop
def power(spectra: Any, ring: int, k: int) -> Any:
    """Return the energy of bin `k` of eight frames, over all channels."""
    at, total = 2 * k * LANES, splat(0.0)
    for c in range(spectra.shape[0]):
        re, im = load(spectra[c, ring], at), load(spectra[c, ring], at + LANES)
        total = total + (re * re + im * im)
    return total


@loop
def see(track: Any, starts: Any, first: int, frames: Frames, held: Held, floor: float) -> None:
    """Take eight frames from `first` on into the rings."""
    z, spectra, ring = held.buffer[0], held.spectra, first // LANES % held.spectra.shape[1]
    for c in range(track.shape[0]):
        gather(track[c], starts, first, frames.read, z)
        transform(z, frames.plan, held.scratch)
        unpack(z, frames, spectra[c, ring])
    for k in range(0, held.energy.shape[1], LANES):
        rows = crossed(
            (
                power(spectra, ring, k), power(spectra, ring, k + 1), power(spectra, ring, k + 2), power(spectra, ring, k + 3),
                power(spectra, ring, k + 4), power(spectra, ring, k + 5), power(spectra, ring, k + 6), power(spectra, ring, k + 7),
            )
        )  # fmt: skip
        i = ring * LANES
        for row in rows:
            store(held.energy[i], k, row)
            i += 1
    part = slice(ring * LANES, (ring + 1) * LANES)
    logarithms(held.energy[part].ravel(), floor, held.loudness[part].ravel())


@loop
def sum_around(row: Any, n_bins: int, spreads: int, scratch: Any) -> Any:
    """Return the sums of `spreads` bins around each bin of a frame, mirrored at both ends."""
    reach = spreads // 2
    n = n_bins + 2 * reach
    sums, total = scratch[:n], scratch[n : n + n_bins]
    for k in range(reach):
        sums[k] = row[reach - 1 - k]
        sums[reach + n_bins + k] = row[n_bins - 1 - k]
    for k in range(n_bins):
        sums[reach + k] = row[k]
    total[:] = 0.0
    done, size = 0, 1
    while size <= spreads:  # sums of 1, 2, 4, … neighbours
        if spreads & size:
            for k in range(n_bins):
                total[k] += sums[done + k]
            done += size
        n -= size
        for k in range(n):
            sums[k] += sums[k + size]
        size *= 2
    return total


@loop
def contrast(held: Held, n_bins: int, mask: Mask, i: int, ends: Any, out: Any) -> None:
    """Fill in the mean over time less the mean over frequency of every bin of frame `i`.

    `ends` are the number of frames, and whether there is silence before and after them; otherwise the outermost frame goes on.
    """
    n_held, half = held.energy.shape[0], mask.lasts // 2
    total = sum_around(held.loudness[i % n_held], n_bins, mask.spreads, held.scratch)
    out[:] = 0.0
    for j in range(i - half, i + half + 1):
        silent = (j < 0 and ends[1]) or (j >= ends[0] and ends[2])
        row = held.loudness[n_held if silent else min(max(j, 0), ends[0] - 1) % n_held]
        for k in range(n_bins):
            out[k] += row[k]
    for k in range(n_bins):
        out[k] = out[k] / mask.lasts - total[k] / mask.spreads


@loop
def find_peaks(energy: Any, padded: Any, places: Any) -> int:
    """Fill in the spectral peaks of a frame and return their number.

    A peak exceeds two neighbours on either side (the first of equals counts), so every frame has one. Energies are compared by
    the upper bits of theirs, which as integers have the same order.
    """
    n_bins, half, found = padded.size - 4, 1 << (ROUNDED - 1), 0
    for k in range(n_bins):
        padded[k + 2] = (bits_of(energy[k]) + half) >> ROUNDED
    for k in range(n_bins):
        centre = padded[k + 2]
        peak = (centre > padded[k + 1]) & (centre >= padded[k + 3]) & (centre > padded[k]) & (centre >= padded[k + 4])
        places[found] = k
        found += int(peak)
    return found


@loop
def find_steps(held: Held, frames: Frames, i: int, found: int, new_peak: float) -> None:
    """Fill in the turn of each peak of frame `i`: that of its bin one frame before, times the phase gone through."""
    n_rings, lane = held.spectra.shape[1], i % LANES
    before, ring = max(i - 1, 0) % LANES, max(i - 1, 0) // LANES % n_rings
    energy = held.energy[i % (n_rings * LANES)]
    for p in range(found):
        k = held.places[p]
        re, im = 0.0, 0.0
        for c in range(held.spectra.shape[0]):
            at = 2 * k * LANES + before
            a, b = held.spectra[c, ring, at], held.spectra[c, ring, at + LANES]
            x, y = bin_of(held.earlier[c], frames, k, lane)
            re += a * x + b * y
            im += b * x - a * y
        size = np.sqrt(re * re + im * im)
        if size <= new_peak * energy[k]:
            held.steps[p, 0], held.steps[p, 1] = 1.0, 0.0
        else:
            re, im, x, y = re / size, im / size, held.turn[0, lane, k], held.turn[1, lane, k]
            held.steps[p, 0], held.steps[p, 1] = x * re - y * im, x * im + y * re


@loop
def find_turn(held: Held, frames: Frames, i: int, new_peak: float, after_silence: bool) -> None:
    """Fill in the turn of every bin of frame `i`: that of the peak nearest to it."""
    n_bins, lane, places = frames.plan.n + 1, i % LANES, held.places
    found = find_peaks(held.energy[i % held.energy.shape[0]], held.padded, places)
    if after_silence:
        held.steps[:found, 0] = 1.0
        held.steps[:found, 1] = 0.0
    else:
        find_steps(held, frames, i, found, new_peak)
    cosine, sine = held.turn[0, lane + 1], held.turn[1, lane + 1]
    first = 0
    for p in range(found):
        last = (places[p] + places[p + 1] + 1) // 2 if p + 1 < found else n_bins
        x, y = held.steps[p, 0], held.steps[p, 1]
        for k in range(first, last):
            cosine[k] = x
            sine[k] = y
        first = last


@loop
def cross(rows: Any, out: Any, at: int, step: int) -> None:
    """Write eight rows side by side, that of bin k to `at` + k · `step`."""
    for k in range(0, rows.shape[1], LANES):
        columns = crossed(
            (
                load(rows[0], k), load(rows[1], k), load(rows[2], k), load(rows[3], k),
                load(rows[4], k), load(rows[5], k), load(rows[6], k), load(rows[7], k),
            )
        )  # fmt: skip
        place = at + k * step
        for column in columns:
            store(out, place, column)
            place += step


@loop
def put(starts: Any, first: int, frames: Frames, held: Held, c: int, samples: Any, turn: Any) -> None:
    """Add what lasts of eight frames of channel `c` to `samples`, turned or as it was."""
    z, ring = held.buffer[0], first // LANES % held.spectra.shape[1]
    pack(held.spectra[c, ring], held.buffer[1], turn, frames, z)
    transform(z, frames.plan, held.scratch)
    add(samples, starts, first, frames, z)


@loop
def vocode(track: Any, starts: Any, how: tuple[Frames, Mask], silent: Any, lasting: Any, stretched: Any) -> None:
    """Add up what lasts in a sound, as it was and stretched.

    `starts` are those of the frames, one hop before them, in `lasting` and in `stretched`.
    """
    frames, mask = how
    held = hold(track.shape[0], frames, mask)
    turn, still = held.buffer[2], held.buffer[3, :0]
    n_frames, seen = starts[0].size, 0
    ends = (n_frames, silent[0], silent[1])
    for first in range(0, n_frames, LANES):
        while seen < min(n_frames, first + LANES + mask.lasts // 2):
            see(track, starts[0], seen, frames, held, mask.floor)
            seen += LANES
        for c in range(track.shape[0]):
            gather(track[c], starts[1], first, frames.read, held.earlier[c])
            transform(held.earlier[c], frames.plan, held.scratch)
        held.turn[:, 0] = held.turn[:, LANES]
        for i in range(first, min(first + LANES, n_frames)):
            contrast(held, frames.plan.n + 1, mask, i, ends, held.share[i - first])
            find_turn(held, frames, i, mask.new_peak, i == 0 and silent[0])
        lasting_share(held.share.ravel(), mask.above, mask.steepness)
        cross(held.share, held.buffer[1], 0, LANES)
        cross(held.turn[0, 1:], turn, 0, 2 * LANES)
        cross(held.turn[1, 1:], turn, LANES, 2 * LANES)
        for c in range(track.shape[0]):
            put(starts[2], first, frames, held, c, lasting[c], still)
            put(starts[3], first, frames, held, c, stretched[c], turn)
