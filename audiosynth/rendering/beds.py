"""From a planned bed to its noise: the layers, how they fill the channels, and their sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from audiosynth import levels
from audiosynth.acoustics.diffuse import Mixer, decorrelator, diffuse_mixer, mix, spread
from audiosynth.clip import Array, RenderContext
from audiosynth.errors import RenderError
from audiosynth.material.workspace import Workspace
from audiosynth.rendering.images import amplitude, round_gain, widened
from audiosynth.spec import Bed, ClipSpec, Decisions
from audiosynth.synthesis.signals import gain_curve


@dataclass(frozen=True)
class Noise:
    """The bed before its own gain, and what was decided on the way.

    Attributes
    ----------
    y
        Shape (n_channels, n_samples): the sum of the layers at their own levels.
    layer_gain_db
        Gain of each layer.
    layers
        Each layer alone, under its gain; empty unless its stems are asked for.
    """

    y: Array
    layer_gain_db: tuple[float, ...]
    layers: tuple[Array, ...] = ()


def make_noise(
    spec: ClipSpec, bed: Bed, *, ctx: RenderContext, work: Workspace, decided: Decisions | None, alone: bool = False
) -> Noise:
    """Render the layers of a bed and add them; keep each `alone` if its stem may be asked for.

    Raises
    ------
    RenderError
        If a layer with a level is silent, or cannot fill the channels as `spatial` says.
    """
    total: Array | None = None
    gains, layers = [], []
    for j, layer in enumerate(bed.layers):
        y = _in_space(layer.source, spec, bed, ctx=ctx, work=work, place=f"noise.layers[{j}]")
        gain = 0.0
        if layer.level_dbfs is not None:
            power = levels.power(y[spec.reference_channel], [(0, spec.n_samples)])
            gain = round_gain(layer.level_dbfs - layer_level_db(power, f"noise.layers[{j}]"))
        gain = gain if decided is None else decided.layer_gain_db[j]
        gains.append(gain)
        y = in_bed(y, bed, j, gain_db=gain, sr=spec.sr)
        total = y if total is None else total + y
        layers += [y] if (alone or spec.mix.guard == "scale_all") and spec.output.wanted.layers else []
    made = total if total is not None else np.zeros((ctx.n_channels, spec.n_samples))
    return Noise(made, tuple(gains), tuple(layers))


def in_bed(y: Array, bed: Bed, j: int, *, gain_db: float, sr: int, start: int = 0) -> Array:
    """Return samples of layer `j` from `start` on, under its gain and envelope."""
    envelope = bed.layers[j].envelope
    if len(bed.layers) > 1 or gain_db != 0.0:
        y = y * amplitude(gain_db)
    return y if envelope is None else y * gain_curve(envelope, rate=sr, start=start, n_samples=y.shape[1])


def _in_space(source: Any, spec: ClipSpec, bed: Bed, *, ctx: RenderContext, work: Workspace, place: str) -> Array:
    """Return one noise in all channels, shape (n_channels, n_samples)."""
    if bed.spatial == "point":
        return _from_point(source, spec, bed, ctx=ctx, work=work)
    return in_stretches(source, spec, bed, ctx=ctx, place=place)(0, spec.n_samples)


def in_stretches(
    source: Any, spec: ClipSpec, bed: Bed, *, ctx: RenderContext, place: str
) -> Callable[[int, int], Array]:
    """Return one noise in all channels as a function of (start, n_samples): sample n is the same in any stretch.

    Not for noise from a point, whose room is convolved at once.
    """
    if bed.spatial == "diffuse":
        return _diffuse(source, spec, bed.spread_seed, ctx, place)
    if bed.spatial == "independent":
        return _streams(source, spec, ctx, ctx.n_channels, place)
    mono = bed.spatial == "duplicate" and getattr(source, "channel", "") != "all"
    made_in = replace(ctx, n_channels=1) if mono else ctx

    def stretch(start: int, n: int) -> Array:
        y: Array = source.render(made_in, start=start, n_samples=n)
        if y.shape[0] == 1 and ctx.n_channels > 1 and bed.spatial is None:
            raise RenderError(
                f"{place}: a mono noise in front of {ctx.n_channels} channels needs `spatial` in `noise`: duplicate (the same in all), "
                "independent, diffuse (from everywhere, in a room with a receiver) or point (from a `position`)"
            )
        return widened(y, ctx.n_channels, place)

    return stretch


def _streams(
    source: Any, spec: ClipSpec, ctx: RenderContext, n_streams: int, place: str, *, margin: int = 0
) -> Callable[[int, int], Array]:
    """Return a source of independent sounds of one kind: a noise's own channels, or stretches of a recording far apart."""
    if not hasattr(source, "period"):
        several = replace(ctx, n_channels=n_streams)
        if n_streams > 1 and source.render(several, start=0, n_samples=1).shape[0] != n_streams:
            raise RenderError(f"{place}: this noise is one sound only; use `spatial: duplicate` or `point`")
        make = getattr(source, "streams", source.render)
        return lambda start, n: np.asarray(make(several, start=start, n_samples=n))
    step = source.period(ctx.sr) // n_streams
    if step < spec.n_samples + margin:
        raise RenderError(
            f"{place}: {n_streams} independent stretches of {(spec.n_samples + margin) / ctx.sr:.2f} s need a recording of "
            f"{n_streams * (spec.n_samples + margin) / ctx.sr:.1f} s, and it has {source.period(ctx.sr) / ctx.sr:.1f} s; "
            "add recordings, shorten the clip, or use `spatial: diffuse` or `duplicate`"
        )
    mono = replace(ctx, n_channels=1)

    def far_apart(start: int, n: int) -> Array:
        return np.concatenate([source.render(mono, start=start + k * step, n_samples=n) for k in range(n_streams)])

    return far_apart


def _diffuse(source: Any, spec: ClipSpec, seed: int, ctx: RenderContext, place: str) -> Callable[[int, int], Array]:
    """Return a noise that comes from everywhere, as the room's receiver hears it."""
    room: Any = spec.room
    if not hasattr(room, "receiver"):
        raise RenderError(
            f"{place}: `spatial: diffuse` needs a `room` of the clip with a receiver (shoebox, statistical)"
        )
    if ctx.n_channels != room.n_channels():
        raise RenderError(f"{place}: the receiver has {room.n_channels()} channels and the clip {ctx.n_channels}")
    if getattr(source, "channel", "") == "all":
        raise RenderError(
            f"{place}: a recording with channels of its own is not diffuse; say `channel: mix` or leave `spatial` out"
        )
    microphones = room.receiver.microphones()
    mixer: Mixer = diffuse_mixer(microphones, sr=ctx.sr, c=room.c)
    if hasattr(source, "period") and source.period(ctx.sr) // mixer.n_streams < spec.n_samples + mixer.n_fft:
        fixed = decorrelator(microphones, sr=ctx.sr, c=room.c, seed=seed)
        mono = replace(ctx, n_channels=1)

        def one(start: int, n: int) -> Array:
            return np.asarray(source.render(mono, start=start, n_samples=n)[0])

        return lambda start, n: spread(fixed, one, start=start, n_samples=n)
    streams = _streams(source, spec, ctx, mixer.n_streams, place, margin=mixer.n_fft)
    return lambda start, n: mix(mixer, streams, start=start, n_samples=n)


def _from_point(source: Any, spec: ClipSpec, bed: Bed, *, ctx: RenderContext, work: Workspace) -> Array:
    """Return a noise that comes from one place in the room, already sounding when the clip begins."""
    if spec.room is None:
        raise RenderError("noise: `spatial: point` needs a `room` of the clip")
    response = work.response(spec.room, ctx, bed.position)
    n_before = response.h.shape[1]
    y = source.render(replace(ctx, n_channels=1), start=0, n_samples=max(spec.n_samples, n_before + 1))
    # what was before the clip is taken mirrored, so that the bed stays in step with its own annotations
    past = y[:, 1 : n_before + 1][:, ::-1]
    whole = work.convolve(np.concatenate([past, y[:, : spec.n_samples]], axis=1), response)
    return np.asarray(widened(whole[:, n_before : n_before + spec.n_samples], ctx.n_channels, "noise"))


def layer_level_db(power: float, place: str) -> float:
    """Return the level of a noise of this mean square.

    Raises
    ------
    RenderError
        If it is silent.
    """
    if power <= 0:
        raise RenderError(f"{place}: the noise is silent, so it cannot be given a level; remove it or choose another")
    return levels.to_db(power)
