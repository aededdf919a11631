"""Filters: Butterworth passes and stops, shelves and peaks."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext
from audiosynth.effects._in_place import InPlace
from audiosynth.errors import ParameterError
from audiosynth.sound.biquads import PASSES, bandwidth_term, butterworth, equalizer, run

HZ: dict[str, Any] = {"unit": "Hz"}
BANDS = ("bandpass", "bandstop")


class Filter(InPlace):
    """Low-pass, high-pass, band-pass, band-stop, shelf or peaking filter.

    Causal and of the same length: what it delays, it delays as an analogue filter would, and it starts at rest.

    Parameters
    ----------
    kind
        `lowpass`, `highpass` (take `frequency`, `order`), `bandpass`, `bandstop` (`fmin`, `fmax`, `order`), which are
        Butterworth filters, -3 dB at the edges; `lowshelf`, `highshelf`, `peaking` (`frequency`, `gain_db`, `q`).
    frequency
        Edge, shelf midpoint or centre.
    fmin, fmax
        Edges of a band.
    order
        Of each slope: 6·order dB per octave.
    gain_db
        Of the shelf or the peak.
    q
        Centre over bandwidth of a peak, as the cookbook defines it; steepness of a shelf. Default 0.7071.
    slope
        Shelves only, in place of `q`: 1 is as steep as a shelf can be without overshoot.

    References
    ----------
    Audio EQ Cookbook (R. Bristow-Johnson), W3C Working Group Note 2021; `scipy.signal.butter`.
    """

    type_name: ClassVar[str] = "filter"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"kind": "lowpass", "frequency": 3000.0, "order": 4},
        {"kind": "bandpass", "fmin": 300.0, "fmax": 3400.0},
        {"kind": "peaking", "frequency": 1000.0, "gain_db": 6.0, "q": 2.0},
        {"kind": "highshelf", "frequency": 2000.0, "gain_db": -9.0, "slope": 0.8},
    )

    kind: Annotated[
        Literal["lowpass", "highpass", "bandpass", "bandstop", "lowshelf", "highshelf", "peaking"],
        Field(description="shape of the frequency response"),
    ]
    frequency: Annotated[float | None, Field(gt=0, le=500_000, description="edge or centre", json_schema_extra=HZ)] = (
        None
    )
    fmin: Annotated[float | None, Field(gt=0, le=500_000, description="lower edge", json_schema_extra=HZ)] = None
    fmax: Annotated[float | None, Field(gt=0, le=500_000, description="upper edge", json_schema_extra=HZ)] = None
    order: Annotated[
        int | None, Field(ge=1, le=8, description="of each slope, default 2", json_schema_extra={"unit": ""})
    ] = None
    gain_db: Annotated[
        float | None, Field(ge=-60, le=60, description="of shelf or peak", json_schema_extra={"unit": "dB"})
    ] = None
    q: Annotated[
        float | None, Field(ge=0.05, le=100, description="quality of shelf or peak", json_schema_extra={"unit": ""})
    ] = None
    slope: Annotated[
        float | None, Field(gt=0, le=1, description="of a shelf, in place of q", json_schema_extra={"unit": ""})
    ] = None

    @model_validator(mode="after")
    def _parameters_fit_the_kind(self) -> Filter:
        needed = {"fmin", "fmax"} if self.kind in BANDS else {"frequency"}
        allowed = needed | ({"order"} if self.kind in PASSES else {"gain_db", "q"})
        if self.kind not in PASSES:
            needed.add("gain_db")
        if self.kind.endswith("shelf"):
            allowed.add("slope")
        given = {name for name in type(self).model_fields if name != "kind" and getattr(self, name) is not None}
        missing, extra = sorted(needed - given), sorted(given - allowed)
        if missing or extra:
            said = [f"needs {', '.join(missing)}"] * bool(missing) + [f"does not take {', '.join(extra)}"] * bool(extra)
            raise ValueError(f"a {self.kind} filter {' and '.join(said)}; it takes {', '.join(sorted(allowed))}")
        if self.q is not None and self.slope is not None:
            raise ValueError("a shelf takes q or slope, not both")
        if self.fmin is not None and self.fmax is not None and self.fmin >= self.fmax:
            raise ValueError(f"fmin must be below fmax, got {self.fmin} and {self.fmax}")
        return self

    def sections(self, sr: int) -> Array:
        """Return the second-order sections at sampling rate `sr`.

        Raises
        ------
        ParameterError
            If a frequency is not below half the sampling rate.
        """
        edges = tuple(f for f in (self.frequency, self.fmin, self.fmax) if f is not None)
        if max(edges) >= sr / 2:
            raise ParameterError(
                f"a {self.kind} filter at {max(edges):g} Hz needs a sampling rate above {2 * max(edges):g} Hz; "
                f"at {sr} Hz stay below {sr / 2:g} Hz"
            )
        if self.kind in PASSES:
            return butterworth(self.kind, edges, order=self.order or 2, sr=sr)
        gain_db = self.gain_db or 0.0
        alpha = bandwidth_term(edges[0], sr=sr, gain_db=gain_db, q=self.q, slope=self.slope)
        return equalizer(self.kind, edges[0], gain_db=gain_db, alpha=alpha, sr=sr)

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` filtered from rest."""
        return run(y, self.sections(ctx.sr))
