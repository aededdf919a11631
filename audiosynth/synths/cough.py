"""A person who coughs."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, voice

THROAT: Final = ((650.0, 200.0), (1400.0, 250.0), (2600.0, 350.0), (3800.0, 500.0))
"""Resonances with the mouth half open, F and bandwidth in Hz."""
SPREAD: Final = 0.2


class Cough(Component):
    """Bursts of air in three phases: explosive, steady, and often voiced at the end.

    A cough lasts 0.3 to 0.6 s: a burst of some 40 ms as the glottis opens, a fainter stretch of turbulent air, and a voiced
    phase that some coughs lack [1]_; coughs come in bouts.

    References
    ----------
    .. [1] J. Korpáš, J. Sadloňová, M. Vrabec, "Analysis of the cough sound: an overview", Pulmonary Pharmacology 9, 1996.

    Examples
    --------
    >>> Cough(n_coughs=1, seed=1).render(RenderContext(sr=16000)).shape[0]
    1
    """

    type_name: ClassVar[str] = "cough"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_coughs": 1, "seed": 1},
        {"n_coughs": 3, "f0": 200.0, "cough": 0.25, "interval": 0.3, "wetness": 0.8, "seed": 2},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "f0": {"log_uniform": [90, 320]},
        "n_coughs": {"integers": [1, 5]},
        "cough": {"uniform": [0.2, 0.45]},
        "interval": {"uniform": [0.3, 0.8]},
        "voice_db": {"uniform": [-20, 3]},
        "wetness": {"uniform": [0, 0.8]},
        "size": {"uniform": [0.8, 1.1]},
    }

    f0: Annotated[float, number(60, 600, "Hz", "Fundamental of the voiced phase")] = 160.0
    n_coughs: Annotated[int, number(1, 50, "", "Number of coughs")] = 2
    cough: Annotated[float, number(0.1, 1.5, "s", "Length of a cough")] = 0.32
    interval: Annotated[float, number(0.15, 5, "s", "From one cough to the next, on average")] = 0.5
    voice_db: Annotated[float, number(-60, 20, "dB", "Voiced phase re the burst, RMS")] = -8.0
    wetness: Annotated[float, number(0, 1, "", "Bubbling of mucus: depth of the amplitude's flutter")] = 0.3
    size: Annotated[float, number(0.5, 1.5, "", "Length of the vocal tract, 1 for 17 cm")] = 1.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(self._starts()[-1] + self.cough * (1.0 + SPREAD), sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the coughs, shape (1, n_samples)."""
        sr, y = ctx.sr, np.zeros(self.extent(ctx.sr))
        for i, start in enumerate(self._starts()):
            cough, first = self._cough(i, sr), seconds_to_samples(start, sr)
            y[first : first + len(cough)] += cough[: len(y) - first]
        return shaped.finished(y, sr=sr, amplitude=self.amplitude)

    def _starts(self) -> list[float]:
        wobble = shaped.Chances(self.seed, "cough").spread("gaps", self.n_coughs, low=-SPREAD, high=SPREAD)
        gaps = np.maximum(self.interval * (1.0 + wobble), 0.7 * self.cough)
        return [0.0, *np.cumsum(gaps)[: self.n_coughs - 1].round(6).tolist()]

    def _cough(self, i: int, sr: int) -> Array:
        chances = shaped.Chances(self.seed, f"cough/{i}")
        d = self.cough * (1.0 + chances.between("length", -SPREAD, SPREAD))
        n = max(2, seconds_to_samples(d, sr))
        throat = [(f / self.size, width) for f, width in THROAT]
        air = voice.breath(throat, n_samples=n, sr=sr, tilt_db=chances.between("tilt", -4.0, 0.0), chances=chances)
        loud = [
            (0.0, 0.0),
            (0.008, 1.0),
            (0.045, 0.6),
            (0.3 * d + 0.045, 0.25),
            (0.9 * d + 0.005, 0.06),
            (d + 0.01, 0.0),
        ]
        air *= shaped.curve(loud, n_samples=n, sr=sr)
        flutter = np.clip(chances.wander("flutter", 28.0, n_samples=n, sr=sr), -1.0, 1.0)
        fall = [(0.0, 1.1 * self.f0), (d, 0.7 * self.f0)]
        call = voice.voiced(
            voice.track(fall, n_samples=n, sr=sr),
            lambda _: throat,
            sr=sr,
            tilt_db=-10.0,
            roughness=0.5,
            chances=chances,
        )
        call = call / max(float(np.sqrt(np.mean(call**2))), 1e-12) * 10.0 ** (self.voice_db / 20.0)
        call *= shaped.curve(
            [(0.0, 0.0), (0.3 * d, 0.2), (0.55 * d, 1.0), (0.8 * d, 0.5), (d, 0.0)], n_samples=n, sr=sr
        )
        level = 10.0 ** (chances.between("level", -6.0, 0.0) / 20.0)
        return np.asarray(level * (air * (1.0 + self.wetness * flutter) + 0.5 * call))
