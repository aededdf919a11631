"""Tempo and pitch by splicing pieces of the waveform."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.dsp import resample, resampled_length
from audiosynth.registry import Component
from audiosynth.sound.stretch import rational, stretched_length
from audiosynth.sound.wsola import Preset, pieces_for, splice


@lru_cache(maxsize=256)
def ratio_of(semitones: float) -> Fraction:
    """Return 2^(semitones/12), the ratio of equal temperament, whose inverse has six digits, as in SoX: within 0.01 cents.

    Examples
    --------
    >>> ratio_of(12.0), ratio_of(-12.0), ratio_of(2.0)
    (Fraction(2, 1), Fraction(1, 2), Fraction(1000000, 890899))
    """
    return 1 / Fraction(f"{2.0 ** (-semitones / 12.0):.6g}")


@lru_cache(maxsize=256)  # asked for three times in planning a sound, and fractions are slow
def _length(n_samples: int, semitones: float, rate: float) -> int:
    """Return the samples that become of `n_samples`."""
    ratio = ratio_of(semitones)
    n = stretched_length(stretched_length(n_samples, rate=1 / ratio), rate=rational(rate))
    return resampled_length(n, sr_in=ratio.numerator, sr_out=ratio.denominator)


class Splice(Component):
    """Play faster or slower, higher or lower, by cutting the sound and joining it where its waveforms agree (WSOLA).

    What SoX does as `tempo` and `pitch`, joint for joint, so the sound of sets that were made with it. Between joints it is
    the recording itself, so voices keep their edge, and it costs half of what `time_stretch` and `pitch_shift` do, a quarter
    once a process has spliced much. But an onset comes some 10 ms early or late, 20 where the pitch moves (half a search,
    and |rate - 1| of a piece); a click may come twice or not at all, chords may warble.

    Parameters
    ----------
    rate
        Of the tempo: 2 is twice as fast and half as long; rounded to 1e-6.
    semitones
        Up where positive, with the formants. The sound is spliced to another length (in pieces of 82 ms), and resampled.
    pieces
        Their lengths where the tempo changes: ``speech`` 35 ms, shorter the faster; ``music`` 82 ms, likewise; ``wide`` 82 ms.

    keep_length
        Cut, or fill up with silence, to the length that came in. Where the pitch alone moves that is a sample or two.

    References
    ----------
    See `audiosynth.sound.wsola`.
    """

    type_name: ClassVar[str] = "splice"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"rate": 0.8},
        {"rate": 1.2, "semitones": -1.5, "pieces": "music"},
        {"semitones": 2.0, "keep_length": True},
    )

    rate: Annotated[
        float, Field(ge=0.25, le=4, description="1 changes nothing, 2 is twice as fast", json_schema_extra={"unit": ""})
    ] = 1.0
    semitones: Annotated[
        float,
        Field(
            ge=-24, le=24, description="0 changes nothing, 12 is an octave up", json_schema_extra={"unit": "semitones"}
        ),
    ] = 0.0
    pieces: Annotated[Preset, Field(description="what their lengths suit, where the tempo changes")] = "speech"
    keep_length: bool = Field(False, description="end after as many samples as came in")

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` at another tempo and pitch."""
        ratio, rate = ratio_of(self.semitones), rational(self.rate)
        kept = y.shape[-1] if self.keep_length else None
        y = splice(y, rate=1 / ratio, pieces=pieces_for("wide", rate=1 / ratio, sr=ctx.sr))
        # Until it is resampled the sound is one at this many samples a second, in which the pieces of the tempo are measured.
        pieces = pieces_for(self.pieces, rate=rate, sr=ctx.sr * float(ratio))
        y = resample(splice(y, rate=rate, pieces=pieces), sr_in=ratio.numerator, sr_out=ratio.denominator)
        return y if kept is None else np.pad(y[:, :kept], ((0, 0), (0, max(0, kept - y.shape[-1]))))

    def extent(self, n_samples: int, sr: int) -> int:  # noqa: ARG002 - the same at any rate
        """Return n / rate, rounded to whole samples at each step, as in SoX; with `keep_length` `n_samples`."""
        return n_samples if self.keep_length else self._own(n_samples)

    def _own(self, n_samples: int) -> int:
        return _length(n_samples, self.semitones, self.rate)

    def segments(self, n_samples: int, sr: int) -> list[Segment]:
        """Return one segment: time runs evenly but for the displacement of the pieces, which only the sound tells."""
        own = self._own(n_samples)
        out = min(own, self.extent(n_samples, sr))
        return [Segment(0, n_samples if out == own else n_samples * out // own, 0, out)]
