"""Packet loss: a call over a network that drops some."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from audiosynth.clip import Array, RenderContext
from audiosynth.coding import packets
from audiosynth.dsp import seconds_to_samples
from audiosynth.effects._in_place import InPlace

Chance = Annotated[float, Field(ge=0, le=1, json_schema_extra={"unit": ""})]


class PacketLoss(InPlace):
    """Lose packets in bursts, by a chain of a good and a bad state (Gilbert and Elliott), and conceal the gaps.

    All channels lose the same packets; time stays. In the long run the state is bad for p / (p + r) of the time, with p = `good_to_bad`
    and r = `bad_to_good`, and where only the bad state loses, and all, bursts are 1 / r packets long on average. Losses act on the sound,
    not on the bits of a codec: put the codec before.

    Parameters
    ----------
    good_to_bad, bad_to_good
        Chance of the other state at the next packet.
    loss_good, loss_bad
        Chance that a packet is lost in each state.
    packet
        Length of a packet.
    conceal
        ``silence``; ``repeat`` plays the last packet again, 6 dB weaker each time; ``interpolate`` goes on with the last periods of the
        waveform, fading out within 60 ms, after ITU-T G.711, appendix I.
    seed
        Of the losses; drawn by the recipe where it is left out.

    References
    ----------
    E. N. Gilbert, Capacity of a burst-noise channel, Bell System Technical Journal 39, 1960; E. O. Elliott, 42, 1963.
    """

    type_name: ClassVar[str] = "packet_loss"
    linear: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"good_to_bad": 0.05, "bad_to_good": 0.5, "seed": 1},
        {"good_to_bad": 0.2, "bad_to_good": 0.4, "loss_good": 0.02, "loss_bad": 0.6, "conceal": "repeat", "seed": 2},
        {"good_to_bad": 0.1, "bad_to_good": 0.5, "packet": 0.01, "conceal": "silence", "seed": 3},
    )

    good_to_bad: Chance = Field(description="chance that the good state turns bad at the next packet")
    bad_to_good: Chance = Field(description="chance that the bad state turns good at the next packet")
    loss_good: Chance = Field(0.0, description="chance that a packet is lost in the good state")
    loss_bad: Chance = Field(1.0, description="chance that a packet is lost in the bad state")
    packet: Annotated[
        float, Field(ge=0.0025, le=0.5, description="length of a packet", json_schema_extra={"unit": "s"})
    ] = 0.02
    conceal: Annotated[
        Literal["silence", "repeat", "interpolate"], Field(description="what is heard in place of a lost packet")
    ] = "interpolate"
    seed: Annotated[
        int, Field(ge=0, lt=2**53, description="key of the losses; filled by the plan", json_schema_extra={"unit": ""})
    ]

    def apply(self, y: Array, ctx: RenderContext) -> Array:
        """Return `y` as it arrives, of the same shape."""
        gaps = self.gaps(y.shape[-1], ctx.sr)
        if self.conceal == "silence":
            return packets.silenced(y, gaps)
        if self.conceal == "repeat":
            return packets.repeated(y, gaps, n_packet=seconds_to_samples(self.packet, ctx.sr))
        return packets.interpolated(y, gaps, sr=ctx.sr)

    def gaps(self, n_samples: int, sr: int) -> list[packets.Gap]:
        """Return the stretches of a sound that are lost, in samples."""
        bounds = [0]
        while bounds[-1] < n_samples:
            bounds.append(min(n_samples, max(bounds[-1] + 1, seconds_to_samples(len(bounds) * self.packet, sr))))
        channel = packets.Channel(
            good_to_bad=self.good_to_bad, bad_to_good=self.bad_to_good, loss_good=self.loss_good, loss_bad=self.loss_bad
        )
        return packets.gaps_of(channel.lost(len(bounds) - 1, self.seed), bounds)
