"""From scaper's JAMS files to specs: sources found below data roots, every truncation of scaper's done here, once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from audiosynth import registry
from audiosynth.clip import Recording
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import AssetError, ParameterError, PlanError, UsageError
from audiosynth.files.paths import below
from audiosynth.language.compiler import path_text
from audiosynth.material.index import measure
from audiosynth.records.level import Level
from audiosynth.records.output import Output
from audiosynth.registry import Component
from audiosynth.scaper.jams import Scene, Sound, file_parts
from audiosynth.scaper.sound import segment
from audiosynth.scaper.spec import MEASURED, Origin, ScaperRules, ScaperSpec, place_of
from audiosynth.spec import Bed, Event, Layer, Mix

SHOWN: Final = 5
"""Missing files named in a message."""


class Sources:
    """Recordings that scenes name, found below data roots and measured once.

    Parameters
    ----------
    roots
        Folder of each data root.
    """

    def __init__(self, roots: Mapping[str, Path]) -> None:
        self.roots = dict(roots)
        self._known: dict[str, Recording | None] = {}
        self._measured: dict[tuple[str, str], Recording] = {}

    def find(self, source_file: str) -> Recording | None:
        """Return the recording of a path that stands in a JAMS file, or None if no root has it.

        The longest ending of the path that is a file below a root counts, as files move with their folders: of
        ``/home/ada/fg/dog/a.wav`` first ``home/ada/fg/dog/a.wav`` is looked for, then ``ada/fg/dog/a.wav``, and so on.
        """
        if source_file not in self._known:
            self._known[source_file] = self._find(file_parts(source_file), source_file)
        return self._known[source_file]

    def _find(self, parts: Sequence[str], source_file: str) -> Recording | None:
        for i in range(len(parts)):
            path = "/".join(parts[i:])
            found = [(name, file) for name, root in self.roots.items() if (file := below(root, path)) is not None]
            if found:
                recordings = [self._recording(name, file) for name, file in found]
                if len({r.sha256 for r in recordings}) > 1:
                    places = " and ".join(str(file) for _, file in found)
                    raise AssetError(
                        f"{source_file}: {places} are different files; give one folder above both in place of them"
                    )
                return recordings[0]
        return None

    def _recording(self, name: str, file: Path) -> Recording:
        path = file.relative_to(self.roots[name]).as_posix()
        if (name, path) not in self._measured:
            m = measure(file, trim_db=None)
            self._measured[name, path] = Recording(
                data=name, path=path, sha256=m.sha256, sr=m.sr, n_channels=m.n_channels, n_samples=m.n_samples,
                active=(m.first, m.last), meta={"lossy": True} if m.lossy else {},
            )  # fmt: skip
        return self._measured[name, path]


def require_sources(scenes: Iterable[Scene], sources: Sources) -> None:
    """Raise `AssetError` if any scene names a file that no root has; all of them in one message."""
    missing: dict[str, str] = {}
    for scene in scenes:
        for sound in scene.sounds:
            if sources.find(sound.source_file) is None:
                missing.setdefault(sound.source_file, scene.name)
    if not missing:
        return
    named = ", ".join(f"{path} ({jams})" for path, jams in list(missing.items())[:SHOWN])
    more = f", and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    given = ", ".join(f"{name}={root}" for name, root in sources.roots.items()) or "no folder"
    raise AssetError(
        f"{len(missing)} source files are not below the folders given ({given}): {named}{more}; pass --data NAME=DIR with a "
        f"folder that holds {'/'.join(file_parts(next(iter(missing)))[-2:])} (what scaper had as fg_path and bg_path, or a "
        "folder above both)"
    )


def plan_scene(scene: Scene, sources: Sources, *, split: str, ordinal: int, output: Output) -> ScaperSpec:
    """Return the spec of a scene.

    Parameters
    ----------
    scene
        From `audiosynth.scaper.jams.read_scene`.
    sources
        Where its files are (`require_sources` has been asked).
    split, ordinal
        Which clip it becomes.
    output
        What is written.

    Raises
    ------
    PlanError
        If a value cannot be had here, with the file and what stands in it.
    """
    said = scene.settings
    duration = said.original_duration or said.duration
    n = int(duration * said.sr)
    window = _window(scene, n)
    background = [s for s in scene.sounds if s.role == "background"]
    try:
        return ScaperSpec(
            split=split, ordinal=ordinal, sr=said.sr, channels=said.n_channels, duration=duration, output=output,
            n_samples=n if window is None else window[1] - window[0],
            events=tuple(
                _event(s, _found(s, sources), scene, over_bed=bool(background)) for s in scene.sounds if s.role == "foreground"
            ),
            noise=_bed(background, sources, scene, duration), mix=Mix(guard="clip"),
            rules=ScaperRules(
                ref_db=said.ref_db, fade_in=said.fade_in_len, fade_out=said.fade_out_len, window=window,
                quick=said.quick_pitch_time and any(_effects(s) for s in scene.sounds),
                reverb=said.reverb, overflow="keep" if said.reverb is None else "wrap",
                stops=tuple(int((s.source_time + duration) * _found(s, sources).sr) for s in background),
                peak="normalise" if said.peak_normalization else "fix" if said.fix_clipping else "leave",
                origin=Origin(jams=scene.name, sha256=scene.sha256, scaper_version=said.scaper_version),
            ),
        )  # fmt: skip
    except ValidationError as error:
        loc, message = registry.explain(error, "scaper")[0]
        place = f"{path_text(loc)}: " if loc else ""
        raise PlanError(f"{scene.name}: {place}{message}") from None


def _window(scene: Scene, n: int) -> tuple[int, int] | None:
    """Return which samples a scene keeps that was trimmed, every cut counting from the start of what the last one left."""
    first, last, sr = 0, n, scene.settings.sr
    for cut in scene.cuts:
        at = first
        first = at + seconds_to_samples(cut.slice_start, sr)
        last = min(last, at + seconds_to_samples(cut.slice_end, sr))
    if first >= last:
        raise PlanError(f"{scene.name}: its `slice` leaves nothing of the scene's {n / sr:g} s; was the file edited?")
    return (first, last) if scene.cuts else None


def _found(sound: Sound, sources: Sources) -> Recording:
    recording = sources.find(sound.source_file)
    if recording is None:
        raise UsageError(f"{sound.source_file}: not found; ask `require_sources` first")
    return recording


def _event(sound: Sound, recording: Recording, scene: Scene, *, over_bed: bool) -> Event:
    said = scene.settings
    source = {
        "type": "file", "recording": recording, "trim": False, "start": sound.source_time, "duration": sound.event_duration,
    }  # fmt: skip
    level = {"snr_db": sound.snr} if over_bed else {"level_dbfs": said.ref_db + sound.snr}
    event = Event(
        label=sound.label, source=registry.create("synths", source), effects=_effects(sound), onset=sound.event_time,
        overrun="cut", level=Level.model_validate({**level, **MEASURED}),
    )  # fmt: skip
    try:
        return event.model_copy(update={"place": place_of(event, said.sr)})
    except ParameterError as error:
        raise PlanError(f"{scene.name}: {error}") from None


def _effects(sound: Sound) -> tuple[Component, ...]:
    """Return pitch and tempo in one effect, as SoX does both before it resamples."""
    if sound.pitch_shift is None and sound.time_stretch is None:
        return ()
    # scaper hands the pitch to SoX in cents of six digits after the point; the effect keeps six of the rate by itself.
    tree = {
        "type": "splice", "rate": 1.0 / (sound.time_stretch or 1.0), "semitones": round(sound.pitch_shift or 0.0, 8),
        "pieces": "speech",
    }  # fmt: skip
    return (registry.create("effects", tree),)


def _bed(background: Sequence[Sound], sources: Sources, scene: Scene, duration: float) -> Bed | None:
    if not background:
        return None
    layers = []
    for sound in background:
        recording = _found(sound, sources)
        first, last = segment(recording.n_samples, recording.sr, start=sound.source_time, duration=duration)
        if abs(sound.event_duration - duration) > 1e-9 or last <= first:
            raise PlanError(
                f"{scene.name}: the background {sound.source_file} should last from {sound.source_time:g} s for the scene's "
                f"{duration:g} s, and has event_duration {sound.event_duration:g} and a file of {recording.n_samples / recording.sr:g} s"
            )
        tree = {"type": "file", "recording": recording, "trim": False, "crossfade": 0.0, "start_sample": first}
        layers.append(Layer(source=registry.create("noises", tree)))
    return Bed(layers=tuple(layers), level_dbfs=scene.settings.ref_db, measure="lufs")
