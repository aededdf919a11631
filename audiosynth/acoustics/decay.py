"""What a response says of its room: reverberation times, clarity, direct against reverberant energy.

All from Schroeder's curve, cut at the background noise and completed behind it. What cannot be known is None, with the
reason beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.acoustics.knees import NOISE_SHARE, find_knee, first_of, sounding
from audiosynth.acoustics.octaves import bandwidth, octave
from audiosynth.acoustics.responses import DIRECT_SECONDS, check_response, find_onsets
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import ParameterError

if TYPE_CHECKING:
    from audiosynth.clip import Array

RANGES: Final = {"t20": (-5.0, -25.0), "t30": (-5.0, -35.0), "edt": (0.0, -10.0)}
"""Where the line is fitted, dB (ISO 3382-1:2009, 3.4 and 5.3.3; Annex A.2.2 for EDT)."""
HEADROOM_DB: Final = 10.0
"""The noise lies at least so far under the lower end of a range (ISO 3382-1:2009, 5.3.3)."""
SPLITS: Final = {"c50_db": 0.05, "c80_db": 0.08, "d50": 0.05}
"""Where early ends and late begins, in seconds after the direct sound (ISO 3382-1:2009, A.2.3)."""
SPLIT_RANGE_DB: Final = 20.0
"""The least range for ratios of energies: what is unknown is then 1 % of the whole."""
GROWING: Final = 0.6
"""Time to -3 dB over time to -20 dB: 0.15 for a decay, 0.5 for steady noise, near 1 for a reversed decay."""
GROWING_SECONDS: Final = 0.01
FILTER_PRODUCT: Final = 16.0
"""Least bandwidth times reverberation time (ISO 3382-1:2009, 7.3): the filter's own ringing adds up to 10 % there."""


@dataclass(frozen=True)
class Measures:
    """What one channel of a response says of its room, broadband or in one octave.

    Attributes
    ----------
    t20, t30, edt
        Reverberation time in seconds: 60 dB at the slope from -5 to -25, from -5 to -35 and from 0 to -10 dB.
    drr_db
        Energy up to 2.5 ms after the direct sound over all that follows, in dB.
    c50_db, c80_db
        Energy of the first 50 (80) ms over all that follows, in dB.
    d50
        Energy of the first 50 ms over all, 0 … 1.
    dynamic_db
        How far down the decay can be followed until it meets its noise (or until nine tenths of it are over).
    reasons
        For each measure that is None: why.
    """

    t20: float | None
    t30: float | None
    edt: float | None
    drr_db: float | None
    c50_db: float | None
    c80_db: float | None
    d50: float | None
    dynamic_db: float
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Curve:
    """The decay of a response from its direct sound on.

    Attributes
    ----------
    left
        Energy of each sample and all after it, without the noise, shape (n_samples,); above 0.
    total
        Energy of the whole, from 2.5 ms (or the filter's ringing) before the direct sound on.
    dynamic_db
        How far below the start the curve can be trusted.
    knee
        Whether it ends where it meets its noise; else it ends with the response.
    """

    left: Array
    total: float
    dynamic_db: float
    knee: bool

    @cached_property
    def level_db(self) -> Array:
        """The curve in dB re the whole energy."""
        return np.asarray(10.0 * np.log10(self.left / self.total))


class Unknown(Exception):  # noqa: N818  # an answer inside this file, which nobody else meets
    """Why a measure is None."""


def measure(h: Array, sr: int, *, channel: int = 0, delay: int | None = None, centre: float | None = None) -> Measures:
    """Measure one channel of a response.

    Parameters
    ----------
    h
        Shape (n_channels, n_samples).
    sr
        Rate in Hz.
    channel
        Which channel.
    delay
        Sample of its direct sound, if known; else found (`responses.find_onsets`).
    centre
        Of an octave, in Hz; None for broadband.

    Raises
    ------
    ParameterError
        If `h` is no response, the channel does not exist or is silent, or the octave reaches beyond half the rate.

    References
    ----------
    ISO 3382-1:2009; M. R. Schroeder, JASA 37 (1965) 409-412; A. Lundeby et al., Acustica 81 (1995) 344-355; noise
    subtracted as in M. Guski, M. Vorländer, Acta Acustica u. Acustica 100 (2014) 320-327.

    Examples
    --------
    >>> t = np.arange(16000) / 16000
    >>> m = measure(10 ** (-3 * t / 0.5)[np.newaxis], 16000, delay=0)
    >>> round(m.t30, 3), round(m.c50_db, 2), m.reasons
    (0.5, 4.74, {})
    """
    check_response(h)
    if not 0 <= channel < h.shape[0]:
        raise ParameterError(f"channel {channel} is not in a response of {h.shape[0]} (numbered from 0)")
    row = h[channel : channel + 1]
    onset = find_onsets(row, sr)[0] if delay is None else delay
    if onset is None or not 0 <= onset < row.shape[-1] or not row[:, onset:].any():
        where = "above its noise" if onset is None else f"from sample {onset} on"
        raise ParameterError(f"channel {channel} has no sound {where}: give the right delay, or another channel")
    if centre is None:
        return _of_curve(decay_curve(row[0], sr, delay=onset), sr)
    band, lead = octave(row, centre, sr=sr)
    before = math.ceil(sr / bandwidth(centre))
    found = _of_curve(decay_curve(band[0], sr, delay=onset + lead, before=before), sr)
    return _as_octave(found, centre)


def decay_curve(h: Array, sr: int, *, delay: int, before: int = 0) -> Curve:
    """Return Schroeder's backward integral of one channel, cut at its noise and completed behind it.

    Parameters
    ----------
    h
        Shape (n_samples,), with some sound from `delay` on.
    sr
        Rate in Hz.
    delay
        Sample of the direct sound: the curve starts there.
    before
        Samples before the direct sound that belong to it, at least 2.5 ms: a band-limited pulse rings before its peak.
    """
    first = max(0, delay - max(before, seconds_to_samples(DIRECT_SECONDS, sr)))
    energy = np.square(h[first:])
    size = sounding(energy)
    decay = find_knee(energy[:size], sr)
    left = decay.remaining(energy[:size])
    total = float(left[0])
    last = decay.rest if decay.rest > 0 else float(left[int((1.0 - NOISE_SHARE) * (size - 1))])
    left = left[delay - first :]
    left = left[: first_of(left <= 0.0)]
    return Curve(left, total, 10.0 * math.log10(total / last) + 0.0, decay.rest > 0)


def reverberation_time(curve: Curve, sr: int, name: str) -> float:
    """Return `t20`, `t30` or `edt` in seconds, by least squares on the curve's level.

    Raises
    ------
    Unknown
        If the curve cannot be followed far enough down, or falls through the range in fewer than three samples.
    """
    top, bottom = RANGES[name]
    needed = HEADROOM_DB - bottom
    if curve.dynamic_db < needed:
        end = "noise" if curve.knee else "end"
        raise Unknown(f"needs {needed:g} dB of decay above the {end}, has {curve.dynamic_db:.1f}")
    level = curve.level_db
    stop = first_of(level < bottom)
    start = int(np.argmax(level <= top))
    if stop - start < 3:
        raise Unknown(f"falls from {top:g} to {bottom:g} dB within three samples")
    x = np.arange(stop - start) - 0.5 * (stop - start - 1)
    slope = float((x * level[start:stop]).sum() / (x * x).sum())
    return -60.0 / (slope * sr)


def energies(curve: Curve, split: int) -> tuple[float, float]:
    """Return the energy up to sample `split` after the direct sound, and from there on.

    Raises
    ------
    Unknown
        If nothing follows, or too little is known of what does.
    """
    if split >= len(curve.left):
        raise Unknown("what follows lies under the noise" if curve.knee else "nothing follows")
    if curve.dynamic_db < SPLIT_RANGE_DB:
        raise Unknown(f"needs {SPLIT_RANGE_DB:g} dB of decay, has {curve.dynamic_db:.1f}")
    late = float(curve.left[split])
    early = curve.total - late
    if early <= 0.0:
        raise Unknown("nothing comes before")
    return early, late


def grows(curve: Curve, sr: int) -> bool:
    """Say whether the sound grows instead of decaying: it falls its first 3 dB late, and the next 17 at once."""
    level = curve.level_db
    first, last = (int(np.argmax(level <= limit)) if level[-1] <= limit else len(level) for limit in (-3.0, -20.0))
    return first > GROWING_SECONDS * sr and first > GROWING * last


def _of_curve(curve: Curve, sr: int) -> Measures:
    found: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    backwards = grows(curve, sr)
    for name in (*RANGES, "drr_db", *SPLITS):
        try:
            if backwards:
                raise Unknown("the sound grows instead of decaying; is the response reversed?")
            found[name] = _one(curve, sr, name)
        except Unknown as why:
            found[name], reasons[name] = None, str(why)
    return Measures(**found, dynamic_db=curve.dynamic_db, reasons=reasons)


def _one(curve: Curve, sr: int, name: str) -> float:
    if name in RANGES:
        return reverberation_time(curve, sr, name)
    if name == "drr_db":
        early, late = energies(curve, seconds_to_samples(DIRECT_SECONDS, sr) + 1)
    else:
        early, late = energies(curve, seconds_to_samples(SPLITS[name], sr))
    return early / (early + late) if name == "d50" else 10.0 * math.log10(early / late)


def _as_octave(found: Measures, centre: float) -> Measures:
    """Take back what the octave's own filter would say."""
    values, reasons = {name: getattr(found, name) for name in (*RANGES, "drr_db", *SPLITS)}, dict(found.reasons)
    for name, value in values.items():
        if value is None:
            continue
        if name in RANGES and value < FILTER_PRODUCT / bandwidth(centre):
            values[name], reasons[name] = None, f"{value:.3g} s is within the ringing of the octave's filter"
        elif name == "drr_db" and DIRECT_SECONDS * bandwidth(centre) < 1.0:
            values[name], reasons[name] = None, "the octave's filter is longer than the direct sound's 5 ms"
    return Measures(**values, dynamic_db=found.dynamic_db, reasons=reasons)
