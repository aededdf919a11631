"""Means of frames and pieces moved whole, compiled by numba. Import only inside functions: it takes a second."""

from __future__ import annotations

from typing import Any

import numpy as np

from audiosynth.compiled import loop


@loop
def average(samples: Any, starts: Any, window: Any, inside: Any) -> None:
    """Divide sums of frames by those of their squared windows, from `inside[0]` to `inside[1]`; zeros before and after."""
    low, high = inside
    weights = np.zeros(samples.shape[1])
    for i in range(starts.size):
        part = weights[starts[i] : starts[i] + window.size]
        for j in range(window.size):
            part[j] += window[j] * window[j]
    for c in range(samples.shape[0]):
        samples[c, :low] = 0.0
        samples[c, high:] = 0.0
        for i in range(low, high):
            samples[c, i] /= weights[i]


@loop
def leave(track: Any, at: int, lasting: Any, inside: Any) -> None:
    """Turn what lasts, from `inside[0]` to `inside[1]`, into what is left of the track, which has its samples from `at` on."""
    low, high = inside
    for c in range(track.shape[0]):
        own, part = track[c, at : at + high - low], lasting[c, low:high]
        for i in range(high - low):
            part[i] = own[i] - part[i]


@loop
def move(samples: Any, starts: Any, window: Any, targets: Any, out: Any) -> None:
    """Add windowed pieces of `samples` to `out` at their targets, as far as these are inside."""
    for c in range(out.shape[0]):
        for i in range(starts.size):
            first, last = max(0, -targets[i]), min(window.size, out.shape[1] - targets[i])
            if first < last:
                piece = samples[c, starts[i] : starts[i] + window.size]
                part = out[c, targets[i] + first : targets[i] + last]
                for j in range(part.size):
                    part[j] += piece[first + j] * window[first + j]
