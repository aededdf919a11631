"""Microphones: their frequency response and their noise."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from audiosynth.clip import Array, Recording, RenderContext
from audiosynth.dsp import convolve
from audiosynth.effects._in_place import InPlace
from audiosynth.errors import AssetError, ParameterError
from audiosynth.quantities import number
from audiosynth.sound.biquads import bandwidth_term, butterworth, equalizer, run
from audiosynth.sound.dynamics import factors
from audiosynth.sound.firs import centred, symmetric_taps
from audiosynth.sound.normals import normals_at
from audiosynth.synthesis import signals

REACH: Final = 0.05
"""Seconds of the filter of a given response on either side: details down to some 20 Hz."""
REFERENCE_HZ: Final = 1000.0
"""Sensitivities of microphones are stated at 1 kHz (IEC 60268-4): a measured impulse response gets the gain 1 there."""


def _rising(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    for before, after in pairwise(points):
        if after[0] <= before[0]:
            raise ValueError(f"expected frequencies each above the one before; got {before[0]:g}, {after[0]:g}")
    return points


ResponsePoints = Annotated[
    tuple[
        Annotated[tuple[Annotated[float, Field(gt=0, le=500_000)], Annotated[float, Field(ge=-120, le=60)]], Field(strict=False)],
        ...,
    ],
    Field(
        min_length=1, max_length=2000, strict=False, description="[[frequency, gain], …], from low to high",
        json_schema_extra={"unit": "Hz, dB"},
    ),
    AfterValidator(_rising),
]  # fmt: skip


@lru_cache(maxsize=64)
def _taps(points: tuple[tuple[float, float], ...], sr: int) -> Array:
    hz, db = (np.array(column) for column in zip(*points, strict=True))

    def gain(frequency: Array) -> Array:
        return factors(np.interp(np.log(np.maximum(frequency, 1e-3)), np.log(hz), db))

    return symmetric_taps(gain, sr=sr, reach=REACH)


class Microphone(InPlace):
    """A microphone: parts of a response by numbers, a measured response, and noise. What is left out does nothing.

    Parameters
    ----------
    low_cut, low_cut_order
        Butterworth high-pass, -3 dB there, 6·order dB per octave below.
    presence, presence_db, presence_q
        Centre, height and quality of a peak (a lavalier's or a vocal microphone's lie at 3 to 8 kHz).
    roll_off, roll_off_order
        Butterworth low-pass.
    response
        Measured: ``[[Hz, dB], …]``, joined by straight lines in dB over the logarithm of frequency, constant outside;
        linear phase without delay.
    recording
        Measured: an impulse response. It gets the gain 1 at 1 kHz, its largest sample arrives without delay; one
        channel, or as many as the sound.
    noise_dbfs
        RMS of its own noise (white, Gaussian, each channel its own), before any `level` of the event.
    seed
        Of the noise.

    References
    ----------
    IEC 60268-4 (2018) for what is stated of microphones; filters as in `audiosynth.sound.biquads`.
    """

    type_name: ClassVar[str] = "microphone"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"low_cut": 80.0, "presence": 2500.0, "presence_db": 4.0, "roll_off": 3800.0, "noise_dbfs": -70.0, "seed": 1},
        {"response": [[60.0, -20.0], [150.0, 0.0], [2000.0, 0.0], [3500.0, 6.0]]},
        {
            "recording": {
                "data": "examples", "path": "microphones/table.wav", "sha256": "0" * 64,
                "sr": 16000, "n_channels": 1, "n_samples": 4000, "active": [0, 4000],
            },
        },
    )  # fmt: skip

    low_cut: Annotated[float | None, number(1, 20_000, "Hz", "edge of the high-pass")] = None
    low_cut_order: Annotated[int, number(1, 8, "", "order of the high-pass")] = 2
    presence: Annotated[float | None, number(50, 40_000, "Hz", "centre of the peak")] = None
    presence_db: Annotated[float, number(-24, 24, "dB", "height of the peak")] = 4.0
    presence_q: Annotated[float, number(0.1, 20, "", "quality of the peak")] = 1.0
    roll_off: Annotated[float | None, number(50, 200_000, "Hz", "edge of the low-pass")] = None
    roll_off_order: Annotated[int, number(1, 8, "", "order of the low-pass")] = 2
    response: ResponsePoints | None = None
    recording: Recording | None = Field(None, description="impulse response")
    noise_dbfs: Annotated[float | None, number(-160, 0, "dBFS", "RMS of its own noise")] = None
    seed: signals.Seed = 0

    @model_validator(mode="after")
    def _one_measurement(self) -> Microphone:
        if self.response is not None and self.recording is not None:
            raise ValueError("give response or recording, one measurement of the two")
        return self

    @property
    def linear(self) -> bool:
        """Return whether it only filters: noise of its own is no part of what goes in."""
        return self.noise_dbfs is None

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as the microphone gives it.

        Raises
        ------
        ParameterError
            If an edge or centre is not below half the sampling rate.
        AssetError
            If there is a recording but nothing to read it from, or it is silent.
        """
        sections = self._sections(ctx.sr)
        out = run(y, np.concatenate(sections)) if sections else np.array(y)
        if self.response is not None:
            out = centred(out, _taps(self.response, ctx.sr))
        if self.recording is not None:
            out = self._recorded(out, ctx)
        if self.noise_dbfs is not None:
            streams = [f"microphone/{c}" for c in range(len(out))]
            noise = normals_at(self.seed, start=0, n_samples=out.shape[-1], streams=streams)
            out = out + 10.0 ** (self.noise_dbfs / 20.0) * noise
        return out

    def _sections(self, sr: int) -> list[Array]:
        edges = {"low_cut": self.low_cut, "presence": self.presence, "roll_off": self.roll_off}
        signals.require_below_nyquist(sr, **{name: f for name, f in edges.items() if f is not None})
        found = []
        if self.low_cut is not None:
            found.append(butterworth("highpass", (self.low_cut,), order=self.low_cut_order, sr=sr))
        if self.presence is not None:
            alpha = bandwidth_term(self.presence, sr=sr, gain_db=self.presence_db, q=self.presence_q, slope=None)
            found.append(equalizer("peaking", self.presence, gain_db=self.presence_db, alpha=alpha, sr=sr))
        if self.roll_off is not None:
            found.append(butterworth("lowpass", (self.roll_off,), order=self.roll_off_order, sr=sr))
        return found

    def _recorded(self, y: Array, ctx: RenderContext) -> Array:
        recording: Any = self.recording
        if ctx.assets is None:
            raise AssetError(f"{recording.path}: there is no asset store to read the impulse response from")
        h = ctx.assets.samples(recording, ctx.sr)
        hz = min(REFERENCE_HZ, ctx.sr / 4)
        turns = hz * signals.times(h.shape[-1], ctx.sr)
        at_reference = max(float(np.hypot(row @ signals.sine(turns + 0.25), row @ signals.sine(turns))) for row in h)
        if at_reference <= 0.0:
            raise AssetError(f"{recording.path}: the impulse response has nothing at {hz:g} Hz; is it silent?")
        if len(h) not in (1, len(y)):
            raise ParameterError(
                f"microphone: the impulse response {recording.path} has {len(h)} channels, the sound {len(y)}; use a mono response"
            )
        delay = int(np.argmax(np.abs(h).max(axis=0)))
        return np.asarray(convolve(y, h * (1.0 / at_reference))[:, delay : delay + y.shape[-1]])
