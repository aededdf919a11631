"""A baby that cries."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import numpy as np

from audiosynth.clip import Array, RenderContext
from audiosynth.dsp import seconds_to_samples
from audiosynth.quantities import number
from audiosynth.registry import Component
from audiosynth.synthesis import shaped, signals, voice

SPREAD: Final = 0.15
"""Relative spread of pitch and length from cry to cry."""
THROAT: Final = ((1100.0, 200.0), (3300.0, 350.0), (5400.0, 600.0), (7800.0, 900.0))
"""Resonances of a vocal tract of 7.5 cm, open: odd multiples of c/(4·length), F and bandwidth in Hz."""
GASP: Final = 0.22
"""Seconds of the breath drawn in before the next cry."""
UNLIKE_DB: Final = 3.0
"""dB per octave by which cries of full variety are brighter or duller."""
JUMP: Final = 0.015
"""Seconds in which a voice jumps to another register."""


class BabyCry(Component):
    """Long cries on the breath going out, with a rising and falling melody, and a gasp between them.

    The fundamental of healthy newborns is 350 to 600 Hz, cries last 0.5 to 2 s and pauses about half as long [1]_. The
    melody is an arch, or several in a row (`arcs`), early or late in a cry [2]_; with `roughness` the voice breaks up
    (dysphonation), and `sob` breaks a cry into a series of pulses, about 7 a second. In distress the voice jumps up an
    octave for a while (`shift`, hyperphonation), and the breath is drawn in with voice (`whoop`). `variety` says how unlike
    the cries of one baby are.

    References
    ----------
    .. [1] O. Wasz-Höckert, J. Lind, V. Vuorenkoski, T. Partanen, E. Valanne, "The infant cry: a spectrographic and auditory
       analysis", Clinics in Developmental Medicine 29, 1968.
    .. [2] K. Wermke, W. Mende, "Musical elements in human infants' cries: in the beginning is the melody", Musicae Scientiae
       13, 2009.

    Examples
    --------
    >>> BabyCry(n_cries=1, seed=1).render(RenderContext(sr=16000)).shape[0]
    1
    """

    type_name: ClassVar[str] = "baby_cry"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"n_cries": 1, "cry": 0.5, "seed": 1},
        {"f0": 550.0, "n_cries": 2, "cry": 0.4, "pause": 0.3, "sob": 0.8, "roughness": 0.7, "seed": 2},
        {"cry": 0.4, "n_cries": 3, "variety": 1.0, "arcs": 3, "whoop": 1.0, "shift": 1.0, "seed": 3},
    )
    drawn: ClassVar[dict[str, Any]] = {
        "f0": {"log_uniform": [320, 650]},
        "n_cries": {"integers": [4, 12]},
        "cry": {"log_uniform": [0.25, 1.8]},
        "pause": {"log_uniform": [0.1, 0.9]},
        "melody": {"uniform": [0.65, 0.97]},
        "roughness": {"beta": [1, 4]},
        "sob": {"weighted": [[2, 0.0], [1, {"uniform": [0.2, 0.9]}]]},
        "size": {"uniform": [0.85, 1.25]},
        "tilt_db": {"uniform": [-8, 0]},
        "variety": {"uniform": [0, 1]},
        "arcs": {"weighted": [[4, 1], [2, 2], [1, 3]]},
        "shift": {"weighted": [[2, 0.0], [1, {"uniform": [0.1, 0.6]}]]},
        "whoop": {"weighted": [[1, 0.0], [1, {"uniform": [0.05, 0.5]}]]},
    }

    f0: Annotated[float, number(200, 1000, "Hz", "Highest fundamental of a cry")] = 450.0
    n_cries: Annotated[int, number(1, 50, "", "Number of cries")] = 3
    cry: Annotated[float, number(0.15, 5, "s", "Length of a cry, on average")] = 0.9
    pause: Annotated[float, number(0, 5, "s", "From the end of a cry to the next")] = 0.4
    melody: Annotated[float, number(0.3, 1, "", "Fundamental at the ends of a cry over its highest")] = 0.85
    roughness: Annotated[float, number(0, 1, "", "How far the voice breaks up")] = 0.3
    sob: Annotated[float, number(0, 1, "", "Depth of the pulses within a cry")] = 0.0
    size: Annotated[float, number(0.6, 2, "", "Length of the vocal tract, 1 for 7.5 cm")] = 1.0
    tilt_db: Annotated[float, number(-18, 0, "dB/octave", "Slope of the voice's spectrum")] = -6.0
    variety: Annotated[float, number(0, 1, "", "How unlike its cries are in length, pause and melody")] = 0.0
    arcs: Annotated[int, number(1, 5, "", "Most rises and falls of the melody in one cry")] = 1
    shift: Annotated[float, number(0, 1, "", "Share of the cries that jump up an octave for a while")] = 0.0
    whoop: Annotated[float, number(0, 1, "", "Voice of the breath drawn in re the cries")] = 0.0
    amplitude: signals.Amplitude = 1.0
    seed: signals.Seed

    def extent(self, sr: int) -> int:
        """Return the length in samples."""
        return seconds_to_samples(sum(self._lengths()) + sum(self._pauses()), sr)

    def render(self, ctx: RenderContext) -> Array:
        """Return the cries, shape (1, n_samples)."""
        sr, y, start = ctx.sr, np.zeros(self.extent(ctx.sr)), 0.0
        for i, (length, pause) in enumerate(zip(self._lengths(), [*self._pauses(), 0.0], strict=True)):
            for at, sound in ((start, self._cry(i, length, sr)), (start + length + 0.02, self._gasp(i, sr))):
                first = seconds_to_samples(at, sr)
                y[first : first + len(sound)] += sound[: max(0, len(y) - first)]
            start += length + pause
        return shaped.finished(y, sr=sr, amplitude=self.amplitude)

    def _lengths(self) -> list[float]:
        wobble = shaped.Chances(self.seed, "baby_cry").spread("lengths", self.n_cries, low=-2 * SPREAD, high=2 * SPREAD)
        return [round(float(x), 6) for x in self.cry * (1.0 + wobble) * self._unlike("cries", self.n_cries)]

    def _pauses(self) -> list[float]:
        return [round(float(x), 6) for x in self.pause * self._unlike("pauses", self.n_cries - 1)]

    def _unlike(self, name: str, n: int) -> Array:
        """Return factors around 1, two octaves apart at full variety."""
        return np.exp2(
            self.variety * shaped.Chances(self.seed, "baby_cry").spread(f"unlike/{name}", n, low=-1.0, high=1.0)
        )

    def _throat(self, opening: Array | float) -> voice.Formants:
        return [(f / self.size * opening, width) for f, width in THROAT]

    def _cry(self, i: int, length: float, sr: int) -> Array:
        chances, n = shaped.Chances(self.seed, f"baby_cry/{i}"), max(2, seconds_to_samples(length, sr))
        top = self.f0 * (1.0 + chances.between("pitch", -SPREAD, SPREAD))
        peak = chances.between("peak", 0.2, 0.6) * length
        ends = self.melody * (1.0 - chances.spread("ends", 2, low=0.0, high=SPREAD))
        f0 = self._melody(chances, top, ends, peak, length, n, sr)
        f0 = f0 * (1.0 + 0.012 * chances.wander("tremor", 5.0, n_samples=n, sr=sr))
        opens = chances.between("mouth", 0.6 - 0.15 * self.variety, 0.9)
        edge = 0.12 * length
        loud = [(0.0, 0.0), (edge, 0.8), (max(peak, 1.01 * edge), 1.0), (max(peak, length - edge), 0.7), (length, 0.0)]
        effort = shaped.curve(loud, n_samples=n, sr=sr)
        wavers = np.clip(
            effort + (0.2 + 0.3 * self.variety) * chances.wander("effort", 4.0, n_samples=n, sr=sr), 0.0, 1.0
        )

        def throat(t: Array) -> voice.Formants:
            return self._throat(
                opens + (1.0 - opens) * signals.rise(4.0 * t / length) * signals.rise(4.0 - 4.0 * t / length)
            )

        tilt_db = self.tilt_db + UNLIKE_DB * self.variety * chances.between("bright", -1.0, 1.0)
        y = voice.voiced(f0, throat, sr=sr, tilt_db=tilt_db, roughness=self.roughness, chances=chances, effort=wavers)
        air = voice.breath(self._throat(1.0), n_samples=n, sr=sr, chances=chances) * float(np.sqrt(np.mean(y * y)))
        y = y + (0.02 + 0.3 * self.roughness) * air
        t = signals.times(n, sr)
        pulses = 0.5 - 0.5 * signals.sine(chances.between("sobs", 5.0, 9.0) * t + 0.25)
        level = 10.0 ** (chances.between("level", -8.0, 0.0) / 20.0)
        return np.asarray(level * y * effort * (1.0 - self.sob * pulses))

    def _melody(
        self, chances: shaped.Chances, top: float, ends: Array, peak: float, length: float, n: int, sr: int
    ) -> Array:
        """Return the pitch of a cry in Hz, shape (n_samples,)."""
        points = [(0.0, ends[0] * top), (peak, top), (length, ends[1] * top)]
        arcs = 1 + int(chances.between("arcs", 0.0, self.arcs - 1e-9))
        if arcs > 1:
            # each arc has its own height and its own dip after it
            turns = length * np.arange(1, 2 * arcs) / (2.0 * arcs)
            depth = chances.spread("turns", 2 * arcs - 1, low=0.0, high=1.0 - self.melody)
            low = np.where(np.arange(2 * arcs - 1) % 2 == 1, self.melody, 1.0)
            points = [points[0], *zip(turns.tolist(), (top * low * (1.0 - depth)).tolist(), strict=True), points[-1]]
        elif self.variety > 0:
            # falling melodies peak at once, rising ones at the end
            at = peak + self.variety * (chances.between("skew", 0.06, 0.94) * length - peak)
            points = [points[0], (at, top), points[-1]]
        f0 = voice.track(points, n_samples=n, sr=sr)
        if chances.between("shifts", 0.0, 1.0) < self.shift:
            a, b = np.sort(chances.spread("shift", 2, low=0.1, high=0.95)) * length
            jump = [(0.0, 1.0), (a, 1.0), (a + JUMP, 2.0), (max(a, b) + 2.0 * JUMP, 2.0), (max(a, b) + 3.0 * JUMP, 1.0)]
            f0 = f0 * shaped.curve(jump, n_samples=n, sr=sr)
        return f0

    def _gasp(self, i: int, sr: int) -> Array:
        chances, n = shaped.Chances(self.seed, f"baby_cry/gasp{i}"), max(2, seconds_to_samples(GASP, sr))
        air = voice.breath(self._throat(0.8), n_samples=n, sr=sr, chances=chances)
        level = chances.between("level", 0.0, 0.35)
        loud = shaped.curve([(0.0, 0.0), (0.6 * GASP, 1.0), (GASP, 0.0)], n_samples=n, sr=sr)
        if self.whoop == 0:
            return level * air * loud
        top = self.f0 * chances.between("whoop", 1.0, 1.9)
        f0 = voice.track([(0.0, 0.7 * top), (0.7 * GASP, top), (GASP, 0.9 * top)], n_samples=n, sr=sr)
        call = voice.voiced(
            f0, lambda _: self._throat(0.8), sr=sr, tilt_db=self.tilt_db, roughness=0.5, chances=chances, effort=loud
        )
        heard = self.whoop * chances.between("heard", 0.2, 1.0)
        return np.asarray((level * air + heard * call) * loud)
