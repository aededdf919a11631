"""From a spec to sound: images + bed → mix → guard → integers. Draws nothing; what it must measure is a decision.

The chain and the meaning of its numbers are DESIGN section 5, told in the README under "What the numbers mean".
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth import levels, pcm
from audiosynth.clip import Array, AssetReader, RenderContext
from audiosynth.dice import uniform_at
from audiosynth.errors import RenderError
from audiosynth.material.workspace import Workspace
from audiosynth.records.rendered import Clip
from audiosynth.rendering.beds import make_noise
from audiosynth.rendering.gains import Meter
from audiosynth.rendering.images import amplitude, make_image, round_gain
from audiosynth.rendering.outcomes import audible_of, bed_reading, decisions_of, labels_of, outcomes_of, readings_of
from audiosynth.rendering.parts import Gains, Parts
from audiosynth.rendering.realised import Realised
from audiosynth.rendering.separate import Separator
from audiosynth.scaper.chain import render_scaper
from audiosynth.scaper.spec import ScaperSpec
from audiosynth.spec import MAX_VALUES, ClipSpec, Decisions
from audiosynth.steps import Steps, run

FULL_SCALE: Final = 1.0 - 2.0**-15
"""Largest sample that 16 bits hold."""


def render(
    spec: ClipSpec,
    decisions: Decisions | None = None,
    *,
    assets: AssetReader | Workspace | None = None,
    stems: bool = False,
    kept: Decisions | None = None,
) -> Clip:
    """Render one clip.

    Parameters
    ----------
    spec
        From `audiosynth.plan_clip` or a manifest row.
    decisions
        Of the manifest row; without them they are made.
    assets
        Where recordings come from (an `AssetStore`, or a `Workspace` that also keeps spectra); None if none are used.
    stems
        Also return stems, those that the spec's output asks for (every event and the bed if it names none).
    kept
        Decisions of a clip with the same events, rooms and noises under other levels: what was measured on these is kept (delays
        and gains of rooms, tails, gains of layers), and the rest is made.

    Raises
    ------
    RenderError
        If an event or the bed is silent where its level is measured, or channels do not fit.
    AssetError
        If a recording is missing or is not the one the spec names.

    Examples
    --------
    >>> from audiosynth import load_recipe, plan_clip, render, shipped_recipe
    >>> recipe = load_recipe(shipped_recipe("quickstart"))
    >>> clip = render(plan_clip(recipe, "train", 0))
    >>> clip.y.shape[0], clip.pcm16.dtype.name
    (1, 'int16')
    """
    return run(in_steps(spec, decisions, assets=assets, stems=stems, kept=kept))


def in_steps(
    spec: ClipSpec, decisions: Decisions | None = None, *, assets: AssetReader | Workspace | None = None,
    stems: bool = False, kept: Decisions | None = None,
) -> Steps[Clip]:  # fmt: skip
    """Render one clip in steps: images, bed, gains, mix, integers, what is told of it; see `render`."""
    _require_memory(spec)
    work = assets if isinstance(assets, Workspace) else Workspace(assets)
    if isinstance(spec, ScaperSpec):
        return render_scaper(spec, decisions, work=work, stems=stems)
    ctx = RenderContext(spec.sr, spec.channels, work.assets)
    known = decisions or kept
    images = [make_image(spec, i, ctx=ctx, work=work, decided=known) for i in range(len(spec.events))]
    yield
    bed = spec.noise
    noise = None if bed is None else make_noise(spec, bed, ctx=ctx, work=work, decided=known, alone=stems)
    yield
    meter = Meter(spec, noise, work)
    measured = Gains.measure(meter, images)
    gains = measured if decisions is None else Gains(decisions.event_gain_db, decisions.bed_gain_db)
    yield
    realised = Realised(meter, images)
    parts = Parts.of(spec, images, noise, gains, realised)
    separator = Separator(spec, parts, ctx, work)
    mix, peak, power, mix_gain, guard = _finish(spec, parts, ctx, decisions, separator)
    yield
    dither = dither_of(spec, 0, spec.n_samples)
    quantised = pcm.quantise(mix, ties=None if decisions is None else decisions.ties, dither=dither)
    yield
    readings = readings_of(meter, images, realised, after_db=mix_gain + guard)
    audible = audible_of(spec, readings) if decisions is None else decisions.audible
    layers = () if noise is None else noise.layer_gain_db
    made = decisions_of(images, gains, layers, audible, (mix_gain, guard), quantised.ties)
    labels = labels_of(spec, images, audible)
    heard = peak, power
    under = bed_reading(meter, realised, after_db=mix_gain + guard)
    outcomes = outcomes_of(spec, heard, quantised.clipped, readings, under, images, guard, labels)
    alone = separator.stems(mix, quantised.pcm, gain=amplitude(mix_gain + guard)) if stems else {}
    return Clip(
        spec, mix, quantised.pcm, pcm.pcm_sha256(quantised.pcm, spec.sr), labels, made, outcomes, alone,
        measured.drift(gains),
    )  # fmt: skip


def _require_memory(spec: ClipSpec) -> None:
    if spec.n_samples * spec.channels > MAX_VALUES:
        raise RenderError(
            f"{spec.n_samples * spec.channels:.2g} samples are more than are held in memory ({MAX_VALUES:.2g}); "
            "`audiosynth build` makes such a clip in blocks (`audiosynth.rendering.stream` in Python)"
        )


def _finish(
    spec: ClipSpec, parts: Parts, ctx: RenderContext, decided: Decisions | None, separator: Separator
) -> tuple[Array, float, float, float, float]:
    """Apply the mix's effects, level and guard; returns the mix, its peak and mean square, and both gains."""
    y = parts.total
    for effect in spec.mix.effects:
        y = effect.apply(y, ctx)  # type: ignore[attr-defined]
    if y.shape != parts.total.shape:
        raise RenderError(
            f"mix.effects changed the clip's length from {parts.total.shape[1]} to {y.shape[1]} samples; use them on events"
        )
    peak, power = parts.peak, parts.power
    if spec.mix.effects:
        peak, power = levels.peak(y), levels.power(y[spec.reference_channel], [(0, spec.n_samples)])
    mix_gain, guard = 0.0, 0.0
    if decided is not None:
        mix_gain, guard = decided.mix_gain_db, decided.guard_gain_db
    else:
        if spec.mix.level_dbfs is not None:
            mix_gain = mix_gain_db(spec, power)
        guard = guard_gain_db(spec, max(peak, separator.peak()) if spec.mix.guard == "scale_all" else peak, mix_gain)
    if mix_gain + guard != 0.0:
        factor = amplitude(mix_gain + guard)
        y = y * factor
        peak *= factor  # rounding keeps the order of samples, so this is the peak's own product
        power *= factor * factor
    return y, peak, power, mix_gain, guard


def mix_gain_db(spec: ClipSpec, power: float) -> float:
    """Return the gain that gives a mix of this mean square its level.

    Raises
    ------
    RenderError
        If it is silent.
    """
    if power <= 0:
        raise RenderError("mix.level_dbfs: the clip is silent, so it cannot be given a level")
    return round_gain((spec.mix.level_dbfs or 0.0) - levels.to_db(power))


def guard_gain_db(spec: ClipSpec, peak: float, mix_gain: float) -> float:
    """Return the gain that keeps a mix with this peak, before `mix_gain`, from clipping; 0 where none is needed.

    Raises
    ------
    RenderError
        If the peak is not finite, or beyond full scale where that is an error.
    """
    peak *= amplitude(mix_gain)
    if not math.isfinite(peak):
        raise RenderError("the mix holds samples that are not finite")
    # dither adds up to 1 LSB, the remainder of the roundings half a one for each of a clip's stems
    more = (spec.mix.dither != "none") + (0 if spec.mix.guard != "scale_all" else len(spec.events) + 2)
    limit = FULL_SCALE - more * 2.0**-15
    if peak <= limit or spec.mix.guard == "clip":
        return 0.0
    if spec.mix.guard == "error":
        raise RenderError(
            f"the mix peaks at {20 * math.log10(peak):+.2f} dBFS; lower the levels, or use `mix: {{guard: scale}}` (records a gain) "
            "or `guard: clip`"
        )
    return math.floor(20e6 * math.log10(limit / peak)) / 1e6


def dither_of(spec: ClipSpec, start: int, n_samples: int) -> npt.NDArray[Any] | None:
    """Return the dither of samples [start, start + n_samples) of a mix, or None if it has none."""
    if spec.mix.dither == "none":
        return None
    first, second = (
        np.stack(
            [
                uniform_at(spec.mix.seed, start=c * spec.n_samples + start, n_samples=n_samples, stream=name)
                for c in range(spec.channels)
            ]
        )
        for name in ("dither-a", "dither-b")
    )
    return pcm.tpdf(first, second)
