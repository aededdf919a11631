"""Channels: lost, exchanged, late, of other gains."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from audiosynth.clip import Array, RenderContext, Segment
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import ParameterError
from audiosynth.registry import Component

Channel = Annotated[int, Field(ge=0, le=63)]
MAX_CHANNELS = 64


class Channels(Component):
    """Exchange channels, delay them, change their gains, silence some; in this order. Their number stays.

    Parameters
    ----------
    swap
        ``[[a, b], …]``: channels that are exchanged, numbered from 0, one pair after the other.
    delays
        Of each channel, from the first on; those without one have 0. Whole samples; the end is cut. Labels follow the
        first channel.
    gains_db
        Of each channel, from the first on.
    drop
        Channels that are silent afterwards.
    """

    type_name: ClassVar[str] = "channels"
    linear: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"gains_db": [-3.0], "delays": [0.001]}, {"delays": [0.0005]})

    swap: Annotated[
        tuple[Annotated[tuple[Channel, Channel], Field(strict=False)], ...],
        Field(max_length=MAX_CHANNELS, strict=False, description="pairs that are exchanged"),
    ] = ()
    delays: Annotated[
        tuple[Annotated[float, Field(ge=0, le=10)], ...],
        Field(max_length=MAX_CHANNELS, strict=False, description="of each channel", json_schema_extra={"unit": "s"}),
    ] = ()
    gains_db: Annotated[
        tuple[Annotated[float, Field(ge=-120, le=120)], ...],
        Field(max_length=MAX_CHANNELS, strict=False, description="of each channel", json_schema_extra={"unit": "dB"}),
    ] = ()
    drop: Annotated[
        tuple[Channel, ...], Field(max_length=MAX_CHANNELS, strict=False, description="channels that are silenced")
    ] = ()

    @model_validator(mode="after")
    def _pairs_differ(self) -> Channels:
        for a, b in self.swap:
            if a == b:
                raise ValueError(f"swap: expected two different channels, got [{a}, {b}]")
        return self

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` with its channels changed.

        Raises
        ------
        ParameterError
            If a channel is not there.
        """
        self._require(len(y))
        out = np.array(y)
        for a, b in self.swap:
            out[[a, b]] = out[[b, a]]
        for c, delay in enumerate(self.delays):
            n = min(seconds_to_samples(delay, ctx.sr), y.shape[-1])
            out[c] = np.concatenate([np.zeros(n), out[c, : y.shape[-1] - n]])
        for c, gain_db in enumerate(self.gains_db):
            out[c] *= 10.0 ** (gain_db / 20.0)
        out[list(self.drop)] = 0.0
        return out

    def _require(self, n_channels: int) -> None:
        named = {
            "swap": max((max(pair) for pair in self.swap), default=-1),
            "delays": len(self.delays) - 1,
            "gains_db": len(self.gains_db) - 1,
            "drop": max(self.drop, default=-1),
        }
        for name, highest in named.items():
            if highest >= n_channels:
                raise ParameterError(
                    f"channels.{name}: there is no channel {highest}, this sound has {n_channels} (numbered from 0); "
                    "events are often mono: use it under `mix: {effects: …}`"
                )

    def extent(self, n_samples: int, sr: int) -> int:  # noqa: ARG002 - the same at any rate
        """Return `n_samples`."""
        return n_samples

    def segments(self, n_samples: int, sr: int) -> list[Segment]:
        """Return one segment: later by the delay of the first channel."""
        late = min(n_samples, seconds_to_samples(self.delays[0], sr) if self.delays else 0)
        return [Segment(0, n_samples - late, late, n_samples)]
