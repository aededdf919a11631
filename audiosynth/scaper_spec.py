"""The spec of a clip under scaper's rules: the words of a `ClipSpec`, with scaper's arithmetic behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from audiosynth.fields import Strict
from audiosynth.noises.file import FileNoise
from audiosynth.registry import Component
from audiosynth.spec import MAX_VALUES, Bed, ClipSpec, Interval, Labels, Mix
from audiosynth.synths.file import File

CHAIN: Final = "scaper-1.6"
"""Name of the chain in specs: the rules of scaper 1.6.2 to 1.6.5, which are the same."""
MEASURED: Final = {"measure": "lufs", "span": "event", "noise_span": "clip", "signal": "dry"}
"""How the level of an event is measured: its own loudness as it is dry, before its fades."""
Fade = Annotated[float, Field(ge=0, le=60)]


class Origin(Strict):
    """The file a scene was read from."""

    jams: str = Field(max_length=300, description="its name")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scaper_version: str = Field(max_length=40)


class ScaperRules(Strict):
    """What a JAMS file says of a scene that the words of our own chain have no place for."""

    ref_db: float = Field(ge=-200, le=60, description="LUFS of every background; SNRs count from it")
    fade_in: Fade = Field(description="seconds of quarter sine at the start of each event")
    fade_out: Fade
    reverb: Annotated[float, Field(ge=0, le=1)] | None = Field(None, description="of the whole mix, after all levels")
    peak: Literal["leave", "fix", "normalise"] = Field(
        "leave", description="scale the mix to a peak of 1: never, if it is above 1, always"
    )
    stops: tuple[Annotated[int, Field(ge=1, le=2**40)], ...] = Field(
        (),
        strict=False,
        description="where the reading of each background ends, in samples of its file (or of its loop)",
    )
    window: Interval | None = Field(None, description="samples of the scene that a trimmed JAMS file keeps")
    origin: Origin


class ScaperSpec(ClipSpec):
    """One clip under the rules of scaper 1.6, from the values that a JAMS file was instantiated with.

    The words are those of a `ClipSpec`, so that labels, sources and levels are read as in any other row. Their meaning is
    scaper's: `events[].level.snr_db` counts in LUFS from `rules.ref_db` and not from what the bed has at that place;
    `source.start`, `source.duration` and a layer's `start_sample` count samples of the file, cut off to whole ones;
    `duration` is that of the scene before trimming, and its fraction of a sample is cut off too.
    """

    chain: Literal["scaper-1.6"] = "scaper-1.6"
    rules: ScaperRules

    @model_validator(mode="after")
    def _sizes_fit(self) -> ScaperSpec:
        n = self.scene_samples
        first, last = self.rules.window or (0, n)
        if not 0 <= first < last <= n:
            raise ValueError(f"rules.window: expected samples within the scene's {n}, got [{first}, {last}]")
        if self.n_samples != last - first:
            raise ValueError(f"n_samples {self.n_samples} is not what the rules give, {last - first}")
        if n * self.channels > MAX_VALUES:
            raise ValueError(
                f"{self.duration:g} s at {self.sr} Hz in {self.channels} channels are {n * self.channels:.2g} samples; "
                f"a clip is made in memory, and at most {MAX_VALUES:.2g} are"
            )
        return self

    @model_validator(mode="after")
    def _as_scaper_has_it(self) -> ScaperSpec:
        bed = self.noise
        if self.room is not None or self.mix != Mix(guard="clip") or self.labels != Labels():
            raise ValueError("the rules of scaper know no room, no mix settings and no label settings; leave them out")
        if bed is not None and bed != Bed(layers=bed.layers, level_dbfs=self.rules.ref_db, measure="lufs", let=bed.let):
            raise ValueError(
                "noise: expected `measure: lufs` and the level_dbfs that is rules.ref_db; change both together"
            )
        if len(self.rules.stops) != (0 if bed is None else len(bed.layers)):
            raise ValueError("rules.stops: expected one for each layer of the noise")
        for i, layer in enumerate(bed.layers if bed is not None else ()):
            wanted = getattr(layer.source, "recording", None)
            plain = {"trim": False, "crossfade": 0.0, "channel": "mix"}
            _require_file(layer.source, FileNoise, plain, f"noise.layers[{i}]")
            if layer.level_dbfs is not None or wanted is None:
                raise ValueError(f"noise.layers[{i}]: expected one recording at the bed's level")
        for i, event in enumerate(self.events):
            _require_file(event.source, File, {"trim": False, "channel": "mix", "start_sample": None}, f"events[{i}]")
            placed = event.place is not None and event.place.onset >= 0 and event.onset is not None
            if not placed or event.room or event.position or event.motion or event.align != "direct":
                raise ValueError(
                    f"events[{i}]: expected an onset and a place from 0 on, and no room, position or motion"
                )
            level = event.level
            if level is None or level.spl_db_1m is not None or any(getattr(level, k) != v for k, v in MEASURED.items()):
                raise ValueError(
                    f"events[{i}].level: expected snr_db or level_dbfs, measured as scaper does: {MEASURED}"
                )
        return self

    @property
    def in_blocks(self) -> bool:
        """Return False: scaper's rules know whole signals only."""
        return False

    @property
    def scene_samples(self) -> int:
        """Return the length of the whole scene in samples."""
        return int(self.duration * self.sr)


def _require_file(source: Component, kind: type[Component], fields: Mapping[str, Any], place: str) -> None:
    """Raise `ValueError` unless a source is a recording with exactly these settings."""
    if not isinstance(source, kind) or any(getattr(source, key) != value for key, value in fields.items()):
        said = ", ".join(f"{key}: {value}" for key, value in fields.items())
        raise ValueError(f"{place}.source: expected `type: file` with {said}")
    if isinstance(source, File) and source.duration is None:
        raise ValueError(f"{place}.source: expected a duration")


def spec_model(tree: Any) -> type[ClipSpec]:
    """Return the record that a spec's tree is to be read as, by its `chain`."""
    chain = tree.get("chain") if isinstance(tree, dict) else None
    return ScaperSpec if chain == CHAIN else ClipSpec
