"""What listens in a room, as a recipe describes it: one microphone, an array, or first-order ambisonics."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from audiosynth.acoustics import arrays, image_source
from audiosynth.clip import Recording
from audiosynth.errors import ParameterError
from audiosynth.spaces.places import Placed, Point, Position, View

Pattern = (
    Literal["omni", "subcardioid", "cardioid", "supercardioid", "hypercardioid", "figure8"]
    | Annotated[float, Field(ge=0.0, le=1.0)]
)
_OWN: Final[dict[str, tuple[str, ...]]] = {
    "mono": (),
    "linear": ("n", "spacing"),
    "circular": ("n", "radius"),
    "tetrahedral": ("radius",),
    "positions": ("offsets",),
    "ambisonic": (),
    "binaural": ("hrtf",),
}
_SIZES: Final = ("n", "spacing", "radius", "offsets", "hrtf")


class ReceiverSpec(Placed):
    """A receiver: what it is, where it stands, how it is turned.

    Parameters
    ----------
    type
        ``mono``; ``linear`` (`n` microphones, `spacing` m, from left to right); ``circular`` (`n`, `radius` m, the first in
        front, anticlockwise); ``tetrahedral`` (`radius` m; an open array, not capsules on a rigid sphere); ``positions``
        (`offsets` from its centre in m); ``ambisonic`` (first order: W, Y, Z, X in ACN order, SN3D gains); ``binaural`` (left
        and right ear of the head in the SOFA file `hrtf`).
    position
        Of its centre.
    yaw, pitch
        Degrees: anticlockwise seen from above, then front up.
    pattern
        Of every microphone: a name of the cardioid family, or the share p in p + (1 - p)·cos θ.
    """

    type: Literal["mono", "linear", "circular", "tetrahedral", "positions", "ambisonic", "binaural"] = Field(
        "mono", description="one microphone, an array of them, first-order ambisonics (W, Y, Z, X), or two ears"
    )
    position: Position | None = Field(None, description="of its centre; a room with walls needs it")
    yaw: float = Field(0.0, ge=-360.0, le=360.0, description="turned anticlockwise, seen from above, in degrees")
    pitch: float = Field(0.0, ge=-90.0, le=90.0, description="front turned up, in degrees")
    pattern: Pattern = Field("omni", description="directivity of every microphone, or p of p + (1 - p)·cos θ")
    n: Annotated[int, Field(ge=1, le=64)] | None = Field(None, description="number of microphones")
    spacing: Annotated[float, Field(gt=0.0, le=10.0)] | None = Field(None, description="between neighbours, in metres")
    radius: Annotated[float, Field(gt=0.0, le=10.0)] | None = Field(None, description="in metres")
    offsets: Annotated[tuple[Point, ...], Field(strict=False, min_length=1, max_length=64)] | None = Field(
        None, description="[x, y, z] of every microphone from the centre, in metres, before it is turned"
    )
    hrtf: Recording | None = Field(None, description="a SOFA file of head-related responses (SimpleFreeFieldHRIR)")

    @model_validator(mode="after")
    def _fits(self) -> ReceiverSpec:
        own = _OWN[self.type]
        missing = [name for name in own if getattr(self, name) is None]
        extra = [name for name in _SIZES if name not in own and getattr(self, name) is not None]
        if missing:
            raise ValueError(f"a {self.type} receiver needs {' and '.join(missing)}")
        if extra:
            raise ValueError(f"a {self.type} receiver has no {' or '.join(extra)}")
        if self.type in ("ambisonic", "binaural") and self.pattern != "omni":
            raise ValueError(f"a receiver of the type {self.type} has patterns of its own; leave `pattern` out")
        if self.position is not None and self.position.distance is not None:
            raise ValueError("a receiver stands at a point [x, y, z] or within a region, not at a distance from itself")
        return self

    def n_channels(self) -> int:
        """Return how many channels it gives."""
        if self.type == "positions":
            return len(self.offsets or ())
        return {"mono": 1, "tetrahedral": 4, "ambisonic": 4, "binaural": 2}.get(self.type, self.n or 1)

    def view(self) -> View:
        """Return where it stands (the corner, if it has no place) and how it is turned.

        Raises
        ------
        ParameterError
            If its place is not settled.
        """
        origin = (0.0, 0.0, 0.0) if self.position is None else self.position.point
        if origin is None:
            raise ParameterError("the receiver's place is drawn by the plan; give a point [x, y, z]")
        return View(origin=origin, yaw=self.yaw, pitch=self.pitch)

    def microphones(self) -> arrays.Receiver:
        """Return its microphones, turned as it stands."""
        if self.type == "mono":
            return _single(self.pattern, self.yaw, self.pitch)
        return self.straight().turned(yaw=self.yaw, pitch=self.pitch)

    def straight(self) -> arrays.Receiver:
        """Return its microphones as they are before it is turned."""
        if self.type == "binaural":
            raise ParameterError(
                "a head is no array of microphones; a noise in front of it is `duplicate` or a `point`"
            )
        sizes: Any = {name: getattr(self, name) for name in _OWN[self.type]}
        if self.type == "ambisonic":
            return arrays.ambisonic()
        if self.type == "mono":
            return arrays.positions([[0.0, 0.0, 0.0]], pattern=self.pattern)
        if self.type == "tetrahedral":
            return arrays.tetrahedral(radius=sizes["radius"], pattern=self.pattern)
        if self.type == "positions":
            return arrays.positions(sizes["offsets"], pattern=self.pattern)
        make = arrays.linear if self.type == "linear" else arrays.circular
        return make(sizes.pop("n"), pattern=self.pattern, **sizes)


@lru_cache(maxsize=64)
def _single(pattern: str | float, yaw: float, pitch: float) -> arrays.Receiver:
    """Return one microphone as it is turned: what nearly every room asks for, and often the same."""
    return arrays.positions([[0.0, 0.0, 0.0]], pattern=pattern).turned(yaw=yaw, pitch=pitch)


def patterns_of(microphones: arrays.Receiver) -> tuple[image_source.Pattern, ...] | None:
    """Return the directivities of microphones as the image method takes them; None if all are omnidirectional."""
    if (microphones.weights[:, 0] == 1.0).all():
        return None
    made = []
    for p, x, y, z in microphones.weights.tolist():
        made.append(image_source.Pattern() if p == 1.0 else image_source.Pattern(omni=p, axis=(x, y, z)))
    return tuple(made)
