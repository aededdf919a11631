"""A renderer of its own: scaper 1.6's chain, to the last faults, from a `ScaperSpec`.

Pitch and tempo are changed as SoX does it, by the effect `splice`; rows written before it name `pitch_shift` and `time_stretch`,
and keep the sound of those. The resampler is another than SoX's, of the same pass band.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth import levels, pcm
from audiosynth.clip import Array, Label, Recording, RenderContext
from audiosynth.dsp import resample, samples_to_seconds
from audiosynth.effects.splice import Splice
from audiosynth.errors import RenderError
from audiosynth.material.stems import Source, stems_of
from audiosynth.material.workspace import Workspace
from audiosynth.records.rendered import Clip
from audiosynth.rendering.parts import DRIFT_DB
from audiosynth.rendering.separate import held, in_steps, written
from audiosynth.scaper import sound as scaper_sound
from audiosynth.scaper.spec import ScaperSpec
from audiosynth.spec import Decisions, Event

GRID_DB: Final = 9
"""Digits after the point of gains: finer than our own chain's, since scaper rounds none (and within 1e-9 of full scale of it)."""
EPSILON: Final = 1e-10
"""What scaper adds to the peak before it divides by it."""


@dataclass(frozen=True)
class _Part:
    """A sound before its gain: where it falls, and its loudness in LUFS."""

    y: Array
    start: int
    lufs: float
    gain_db: float
    finish: Callable[[Array], Array]

    def heard(self) -> Array:
        """Return it as it is added to the mix."""
        return self.finish(self.y * _amplitude(self.gain_db))


def render_scaper(
    spec: ScaperSpec, decisions: Decisions | None = None, *, work: Workspace, stems: bool = False
) -> Clip:
    """Render one clip under scaper's rules; `audiosynth.render` calls this for specs of this chain.

    Raises
    ------
    RenderError
        If an event is shorter than its fades (as in scaper), or there are no recordings at hand.
    AssetError
        If a recording is missing or is not the one the spec names.
    """
    parts = [*_backgrounds(spec, work, decisions), *_events(spec, work, decisions)]
    n_beds = len(parts) - len(spec.events)
    heard = [part.heard() for part in parts]
    scene = np.zeros((spec.channels, spec.scene_samples))
    beds = np.zeros_like(scene)
    for i, (part, y) in enumerate(zip(parts, heard, strict=True)):
        _add(scene, y, part.start)
        if i < n_beds:
            _add(beds, y, part.start)
    peak_db = decisions.mix_gain_db if decisions is not None else _peak_gain(spec, scene)
    first, last = spec.rules.window or (0, spec.scene_samples)
    mix = scene * _amplitude(peak_db)
    if spec.rules.reverb is not None:
        if spec.rules.overflow == "wrap":
            mix = scaper_sound.wrapped(mix)
        mix = scaper_sound.reverberated(mix, spec.sr, reverb=spec.rules.reverb)
    mix = np.ascontiguousarray(mix[:, first:last])
    quantised = pcm.quantise(mix, ties=None if decisions is None else decisions.ties)
    n = len(spec.events)
    made = Decisions(
        event_gain_db=tuple(p.gain_db for p in parts[n_beds:]), layer_gain_db=tuple(p.gain_db for p in parts[:n_beds]),
        room_gain_db=(0.0,) * n, direct=(0,) * n, tail=(0,) * n, audible=(True,) * n, mix_gain_db=peak_db,
        ties=tuple(tuple(t) for t in quantised.ties),
    )  # fmt: skip
    outcomes = _outcomes(spec, mix, quantised.clipped, parts[n_beds:], heard[n_beds:], beds, peak_db)
    whole = written(mix, quantised.pcm, spec.output.subtype) if stems else mix
    alone = _stems(spec, parts, heard, whole, peak_db, n_beds) if stems else {}
    digest = pcm.pcm_sha256(quantised.pcm, spec.sr)
    drift = () if decisions is None else _drift(spec, parts, n_beds)
    return Clip(spec, mix, quantised.pcm, digest, _labels(spec), made, outcomes, alone, drift)


def _amplitude(gain_db: float) -> float:
    return float(10.0 ** (gain_db / 20.0))


def _stretch(recording: Recording, work: Workspace, first: int, last: int) -> Array:
    if work.assets is None:
        raise RenderError(f"{recording.data}:{recording.path} is a recording, and there are no recordings at hand")
    return work.assets.stretch(recording, recording.sr, first, last)


def _converted(y: Array, recording: Recording, spec: ScaperSpec) -> Array:
    return scaper_sound.with_channels(resample(y, sr_in=recording.sr, sr_out=spec.sr), spec.channels)


def _part(y: Array, spec: ScaperSpec, start: int, target: float, decided: float | None, finish: Any) -> _Part:
    lufs = scaper_sound.loudness(y, spec.sr)
    gain = round(target - lufs, GRID_DB) + 0.0 if decided is None else decided
    return _Part(y, start, lufs, gain, finish)


def _backgrounds(spec: ScaperSpec, work: Workspace, decisions: Decisions | None) -> list[_Part]:
    """Return the backgrounds: cut, repeated without a joint, resampled, measured over all of that, then cut to the scene."""
    parts = []
    for i, layer in enumerate(() if spec.noise is None else spec.noise.layers):
        source: Any = layer.source
        recording: Recording = source.recording
        first, end = source.start_sample, spec.rules.stops[i]
        times = scaper_sound.repeats(spec.duration, recording.n_samples, recording.sr)
        y = scaper_sound.looped(_stretch(recording, work, first, end), times=times, length=end)
        decided = None if decisions is None else decisions.layer_gain_db[i]
        parts.append(
            _part(
                _converted(y, recording, spec),
                spec,
                0,
                spec.rules.ref_db,
                decided,
                lambda y: y[:, : spec.scene_samples],
            )
        )
    return parts


def _events(spec: ScaperSpec, work: Workspace, decisions: Decisions | None) -> list[_Part]:
    """Return the events: cut, resampled, shifted and stretched, measured, and only then faded."""
    ctx = RenderContext(spec.sr, spec.channels, work.assets)
    parts = []
    for i, event in enumerate(spec.events):
        source: Any = event.source
        recording: Recording = source.recording
        first, last = scaper_sound.segment(
            recording.n_samples, recording.sr, start=source.start, duration=source.duration
        )
        y = _changed(_stretch(recording, work, first, last), recording, event, spec, ctx)
        level = event.level
        if level is None or event.place is None:
            raise RenderError(f"events[{i}]: has no level or no place; was the row edited?")
        target = level.level_dbfs if level.level_dbfs is not None else spec.rules.ref_db + (level.snr_db or 0.0)
        decided = None if decisions is None else decisions.event_gain_db[i]
        parts.append(_part(y, spec, event.place.onset, target, decided, _fades(spec, f"events[{i}] '{event.label}'")))
    return parts


def _changed(y: Array, recording: Recording, event: Event, spec: ScaperSpec, ctx: RenderContext) -> Array:
    """Return what is read of a recording at the rate and with the channels of the scene, after the event's effects.

    SoX changes tempo and pitch of all channels that the recording has, by one choice of joints, then mixes them; between
    its effects it passes integers on, so what exceeds full scale is clipped. Rows that name older effects mix first.
    """
    if not any(isinstance(effect, Splice) for effect in event.effects):
        y = _converted(y, recording, spec)
        for effect in event.effects:
            y = effect.apply(y, ctx)  # type: ignore[attr-defined]
        return y
    y = resample(y, sr_in=recording.sr, sr_out=spec.sr)
    for effect in event.effects:
        y = np.clip(effect.apply(y, ctx), -1.0, 1.0)  # type: ignore[attr-defined]
    return scaper_sound.with_channels(y, spec.channels)


def _fades(spec: ScaperSpec, place: str) -> Callable[[Array], Array]:
    n_in, n_out = int(spec.rules.fade_in * spec.sr), int(spec.rules.fade_out * spec.sr)

    def fade(y: Array) -> Array:
        try:
            return scaper_sound.faded(y, n_in=n_in, n_out=n_out)
        except RenderError as error:
            raise RenderError(f"{spec.rules.origin.jams}: {place}: {error}") from None

    return fade


def _add(total: Array, y: Array, start: int) -> None:
    end = min(total.shape[1], start + y.shape[1])
    if end > start:
        total[:, start:end] += y[:, : end - start]


def _peak_gain(spec: ScaperSpec, scene: Array) -> float:
    """Return by how much the mix is scaled so that its peak is 1, in dB; 0 where the rules leave it."""
    peak = float(max(scene.max(), -scene.min()))
    if not math.isfinite(peak):
        raise RenderError("the mix holds samples that are not finite")
    if spec.rules.peak == "leave" or (spec.rules.peak == "fix" and peak <= 1.0) or peak == 0.0:
        return 0.0
    return round(-20.0 * math.log10(peak + EPSILON), GRID_DB) + 0.0


def _drift(spec: ScaperSpec, parts: Sequence[_Part], n_beds: int) -> tuple[str, ...]:
    """Return in words where gains used differ from what is measured now."""
    found = []
    for i, part in enumerate(parts):
        event = None if i < n_beds else spec.events[i - n_beds].level
        target = spec.rules.ref_db
        if event is not None:
            target = event.level_dbfs if event.level_dbfs is not None else target + (event.snr_db or 0.0)
        name = f"noise.layers[{i}]" if i < n_beds else f"events[{i - n_beds}]"
        if abs(target - part.lufs - part.gain_db) > DRIFT_DB:
            found.append(f"{name}: measured {target - part.lufs:.6f} dB now, the row says {part.gain_db:.6f} dB")
    return tuple(found)


def _labels(spec: ScaperSpec) -> tuple[Label, ...]:
    """Return the labels of the events, cut at the clip's ends."""
    first, last = spec.rules.window or (0, spec.scene_samples)
    out = []
    for i, event in enumerate(spec.events):
        for a, b in () if event.place is None else event.place.labels:
            at = 0 if event.place is None else event.place.onset
            onset, offset = max(first, at + a), min(last, at + b)
            if offset > onset:
                out.append(Label(event.label or "", onset - first, offset - first, i))
    return tuple(sorted(out, key=lambda label: (label.onset, label.offset, label.label)))


def _outcomes(
    spec: ScaperSpec, mix: Array, clipped: int, parts: Sequence[_Part], heard: Sequence[Array], beds: Array, peak_db: float
) -> dict[str, Any]:  # fmt: skip
    """Return what came out, in the words of any row; SNRs are our own (RMS against the bed under the event), not scaper's."""
    ref, gain = spec.reference_channel, _amplitude(peak_db)
    readings = []
    for part, y in zip(parts, heard, strict=True):
        a, b = part.start, min(spec.scene_samples, part.start + y.shape[1])
        level = _rms_db(y[ref, : max(0, b - a)] * gain)
        under = _rms_db(beds[ref, a:b] * gain)
        end = samples_to_seconds(part.start + y.shape[1], spec.sr)
        readings.append({
            "level_dbfs": level, "snr_db": None if level is None or under is None else round(level - under, 4) + 0.0,
            "snr_clip_db": None, "lufs": round(part.lufs, 4) + 0.0, "dry_offset": end, "tail_offset": end,
        })  # fmt: skip
    peak = float(max(mix.max(), -mix.min()))
    return {
        "peak_dbfs": _db(peak * peak),
        "level_dbfs": _rms_db(mix[ref]),
        "clipped": clipped,
        "guarded": peak_db != 0.0,
        "stems_sum": spec.rules.reverb is None,
        "events": readings,
        **({} if spec.noise is None else {"noise": {"level_dbfs": _rms_db(beds[ref] * gain)}}),
    }


def _rms_db(y: Array) -> float | None:
    return _db(levels.power(y, [(0, y.size)])) if y.size else None


def _db(power: float) -> float | None:
    db = levels.to_db(power)
    return round(db, 4) + 0.0 if math.isfinite(db) else None


def _stems(
    spec: ScaperSpec, parts: Sequence[_Part], heard: Sequence[Array], mix: npt.NDArray[Any], peak_db: float, n_beds: int
) -> Mapping[str, npt.NDArray[Any]]:  # fmt: skip
    """Return integer stems, dry as scaper's are; without reverb the largest takes the remainder, so that they sum exactly."""
    first, last = spec.rules.window or (0, spec.scene_samples)
    names = stems_of([Source(event.label, event.name) for event in spec.events], n_beds, layers=True)
    order = [*names[len(spec.events) :], *names[: len(spec.events)]]
    sounds = {}
    for stem, part, y in zip(order, parts, heard, strict=True):
        alone = np.zeros((spec.channels, spec.scene_samples))
        _add(alone, y, part.start)
        sounds[stem.name] = alone[:, first:last] * _amplitude(peak_db)
    made = in_steps(sounds, mix, spec.output, wet=list(sounds) if spec.rules.reverb is None else [])
    return {name: held(y, name, spec.output) for name, y in made.items()}
