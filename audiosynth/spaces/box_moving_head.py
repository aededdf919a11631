"""What the two ears of a still head hear of a source that moves in a box.

The dry sound is read at the running delay of the direct sound, so that all of it is shifted as Doppler shifts the direct
sound; then it passes responses at knots along the path, each with its own direct delay taken away, faded into each other.
The direct sound's are alike and interpolate; of all others, long waves interpolate and short ones are faded with constant
power (`moving_knots`). Reflections so have the direct sound's Doppler instead of their own.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audiosynth.acoustics import responses
from audiosynth.acoustics.image_moments import HALF, fractional_tap
from audiosynth.acoustics.moving_images import Reader
from audiosynth.acoustics.moving_knots import Path, alike_share, knot_weights, path_of, power_fade
from audiosynth.acoustics.paths3d import Track, check_track, positions_at
from audiosynth.dsp import convolve
from audiosynth.errors import ParameterError
from audiosynth.spaces import box as boxes

if TYPE_CHECKING:
    from audiosynth.clip import Array

DIRECT_M: Final = 0.05
REST_M: Final = 0.1
"""Metres between responses along the path."""
LEAST_SECONDS: Final = 0.02
"""Responses follow each other by so much on average at least."""
MOST_KNOTS: Final = 2000
LEAD_SECONDS: Final = 0.002
"""The nearer ear hears a source, and what was measured rings, at most so much before the middle of the head does."""


def render_at_ears(
    box: boxes.Box, dry: Array, track: Track, *, hrtf: Any, doppler: bool, part: str
) -> tuple[Array, float]:
    """Return left and right ear, shape (2, n) from the first emission on, and the first sample's direct delay.

    Parameters
    ----------
    box
        The scene.
    dry
        Shape (n,).
    track
        The path.
    hrtf
        A head's responses.
    doppler
        False: the dry sound is not shifted, and the responses keep their own delays.
    part
        ``image``, ``direct`` or ``early``, as for `box_moving.move`.
    """
    origin = box.receiver.view().origin
    check_track(track, size=box.size, mics=[origin])
    places = positions_at(track, np.arange(dry.size) / box.sr)
    delay = np.sqrt(np.sum((places - np.asarray(origin)) ** 2, axis=1)) * (box.sr / box.c)
    path = path_of(places)
    if doppler:
        dry, path, lead = _as_it_arrives(dry, path, delay)
    else:
        lead = 0
    heard = _Heard(box, hrtf, doppler, np.asarray(origin))
    y = _faded(dry, path, heard, direct=True)
    if part != "direct":
        rest = _faded(dry, path, heard, direct=False, early=part == "early")
        y = _sum(y, rest)
    start = lead - heard.before
    whole = np.zeros((2, max(1, y.shape[1] + start)))
    whole[:, max(0, start) :] = y[:, max(0, -start) :]
    return whole, float(delay[0])


class _Heard:
    """Responses by place; `before` samples of each come ahead of the direct sound's (or the emission's) moment."""

    def __init__(self, box: boxes.Box, hrtf: Any, doppler: bool, origin: Array) -> None:
        self.box, self.hrtf, self.doppler, self.origin = box, hrtf, doppler, origin
        self.before = HALF + 1 + math.ceil(LEAD_SECONDS * box.sr) if doppler else 0

    def at(self, place: Array, *, direct: bool, early: bool) -> Array:
        """Return the direct response at a place, or all the rest of it."""
        x, y, z = place.tolist()
        there = replace(self.box, point=(x, y, z))
        alone = boxes.hear(replace(there, max_order=0), hrtf=self.hrtf)
        if direct:
            return self._moved(alone.h, alone.delay)
        whole = boxes.hear(there, hrtf=self.hrtf).h
        if early:
            whole = responses.early_part(whole, self.box.sr, math.floor(alone.delay + 0.5))
        return self._moved(_sum(whole, -alone.h[:, : whole.shape[1]]), alone.delay)

    def _moved(self, h: Array, delay: float) -> Array:
        """Take the direct delay away, to a fraction of a sample."""
        if not self.doppler:
            return h
        whole = math.floor(delay)
        taps = fractional_tap(np.arange(-HALF, HALF + 1, dtype=np.float64) + (delay - whole))
        filtered = convolve(h, np.broadcast_to(taps, (2, taps.size)))
        first = whole + HALF - self.before
        return filtered[:, first:] if first >= 0 else np.pad(filtered, ((0, 0), (-first, 0)))


def _as_it_arrives(dry: Array, path: Path, delay: Array) -> tuple[Array, Path, int]:
    """Return the dry sound and the path by arrival of the direct sound at the head, and the first sample of both."""
    emitted = np.arange(dry.size, dtype=np.float64)
    arrival = emitted + delay
    first, last = max(0, math.floor(arrival[0]) - HALF - 1), math.ceil(arrival[-1]) + HALF + 2
    n = np.arange(first, last, dtype=np.float64)
    tau = np.interp(n, arrival, delay)
    read = 4.0 * math.pi * Reader(dry).at(n, tau)
    at = np.clip(n - tau, 0.0, dry.size - 1.0)
    places = np.stack([np.interp(at, emitted, column) for column in path.places.T], axis=1)
    return read, Path(places, np.interp(at, emitted, path.way)), first


def _faded(dry: Array, path: Path, heard: _Heard, *, direct: bool, early: bool = False) -> Array:
    """Return the sound through responses at knots along the path."""
    box = heard.box
    whole = float(path.way[-1] - path.way[0])
    spacing = max(DIRECT_M if direct else REST_M, LEAST_SECONDS * whole * box.sr / dry.size)
    gaps = max(0, math.ceil(whole / spacing - 1e-6))
    if gaps >= MOST_KNOTS:
        raise ParameterError(f"{gaps + 1} responses along the path, more than {MOST_KNOTS}; shorten the path")
    at = (path.way - path.way[0]) * (gaps / whole) if gaps else np.zeros(dry.size)
    knots = np.stack([np.interp(np.arange(gaps + 1), at, column) for column in path.places.T], axis=1)
    alike = dry if direct or not gaps else alike_share(dry, whole / gaps, sr=box.sr, c=box.c)
    unlike = dry - alike
    y = np.zeros((2, dry.size))
    for k, place in enumerate(knots):
        first, last = int(np.searchsorted(at, k - 2)), int(np.searchsorted(at, k + 2, side="right"))
        u = at[first:last]
        block = knot_weights(u, k, gaps) * alike[first:last] + power_fade(u - k) * unlike[first:last]
        y = _sum(y, convolve(block[None, :], heard.at(place, direct=direct, early=early)), first)
    return y


def _sum(a: Array, b: Array, first: int = 0) -> Array:
    """Return a + b, b from sample `first` on, as long as the longer; `a` is altered where it is long enough."""
    if a.shape[1] < first + b.shape[1]:
        a = np.pad(a, ((0, 0), (0, first + b.shape[1] - a.shape[1])))
    a[:, first : first + b.shape[1]] += b
    return a
