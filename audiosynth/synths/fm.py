"""Frequency modulation."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import ParameterError
from audiosynth.quantities import EventDuration, number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, waves


class Fm(Component):
    """A sine whose frequency swings: sin(2π·carrier·t + index·sin(2π·modulator·t)), the peak deviation index·modulator.

    Side bands stand at carrier ± k·modulator with the amplitudes J_k(index) (Bessel functions; J. M. Chowning, "The synthesis
    of complex audio spectra by means of frequency modulation", J. Audio Eng. Soc. 21, 1973). `index_end` lets it change, as
    in bells and brass. The highest side band that matters is carrier + (index + 1)·modulator (Carson's rule), and has to lie
    below 0.45 of the sampling rate.

    Examples
    --------
    >>> Fm(duration=0.5, carrier=800.0, modulator=100.0).render(RenderContext(sr=8000)).shape
    (1, 4000)
    """

    type_name: ClassVar[str] = "fm"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"duration": 0.5, "carrier": 700.0, "modulator": 70.0},
        {"duration": 0.5, "carrier": 900.0, "modulator": 6.0, "index": 20.0, "index_end": 0.0},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "duration": {"uniform": [0.4, 2]},
        "carrier": {"log_uniform": [200, 1200]},
        "modulator": {"log_uniform": [4, 250]},
        "index": {"log_uniform": [0.3, 5]},
    }

    duration: EventDuration = 1.0
    carrier: Annotated[float, number(20, 20_000, "Hz", "Frequency at rest")] = 800.0
    modulator: Annotated[float, number(0.1, 5000, "Hz", "Swings a second")] = 100.0
    index: Annotated[float, number(0, 200, "", "Peak deviation over the modulator, at the start")] = 2.0
    index_end: Annotated[float, number(0, 200, "", "The same at the end; like the start if null")] | None = None
    amplitude: signals.Amplitude = 1.0

    @model_validator(mode="after")
    def _carson(self) -> Fm:
        if self.highest() > 40_000.0:
            raise ValueError(
                f"expected side bands below 40 kHz, got up to {self.highest():g} Hz; lower index or modulator"
            )
        return self

    def highest(self) -> float:
        """Return the highest side band in Hz, by Carson's rule.

        Examples
        --------
        >>> Fm(carrier=1000.0, modulator=100.0, index=3.0).highest()
        1400.0
        """
        return self.carrier + (max(self.index, self.index_end or 0.0) + 1.0) * self.modulator

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self.duration, sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the sound, shape (1, n_samples)."""
        sr, n = ctx.sr, self.extent(ctx.sr)
        if self.highest() > waves.GONE * sr:
            raise ParameterError(
                f"expected side bands below {waves.GONE * sr:g} Hz at sr {sr}, got up to {self.highest():g} Hz; lower index or modulator, or raise sr"
            )
        t = signals.times(n, sr)
        index = np.linspace(self.index, self.index if self.index_end is None else self.index_end, n)
        y = signals.sine(self.carrier * t + index / (2.0 * np.pi) * signals.sine(self.modulator * t))
        return shaped.finished(y, sr=sr, amplitude=self.amplitude, fade=0.005)
