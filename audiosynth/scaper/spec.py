"""The spec of a clip under scaper's rules: the words of a `ClipSpec`, with scaper's arithmetic behind them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, model_validator

from audiosynth.dsp import resampled_length
from audiosynth.errors import ParameterError
from audiosynth.noises.file import FileNoise
from audiosynth.records.fields import Strict
from audiosynth.registry import Component
from audiosynth.scaper.sound import segment
from audiosynth.spec import MAX_VALUES, ClipSpec, Event, Interval, Mix, Place
from audiosynth.synths.file import File

CHAIN: Final = "scaper-1.6"
"""Name of the chain in specs: the rules of scaper 1.6.2 to 1.6.5, which are the same."""
MEASURED: Final = {"measure": "lufs", "span": "event", "noise_span": "clip", "signal": "dry"}
"""How the level of an event is measured: its own loudness as it is dry, before its fades."""
_USED: Final = frozenset({
    "duration", "events", "noise", "mix", "split", "ordinal", "sr", "channels", "n_samples", "reference_channel", "output",
})  # fmt: skip
_OF_EVENT: Final = frozenset({"name", "label", "source", "effects", "onset", "overrun", "level", "let", "place"})
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
    quick: bool = Field(
        False, description="scaper asked SoX for its quick search of joints; here it is the full one all the same"
    )
    overflow: Literal["keep", "wrap"] = Field(
        "keep",
        description="what exceeds full scale before the reverb: it stays (rows of earlier versions), or is -1 on either side",
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
        _require_unused(self, {*_USED, "chain", "rules", "let"}, "a scene of scaper")
        if self.mix != Mix(guard="clip"):
            raise ValueError("mix: a scene of scaper has no settings of ours here; its own is rules.peak")
        if bed is not None:
            _require_unused(bed, {"layers", "level_dbfs", "measure", "let"}, "noise")
            if (bed.level_dbfs, bed.measure) != (self.rules.ref_db, "lufs"):
                raise ValueError("noise: expected `measure: lufs` and rules.ref_db as level_dbfs; change both together")
        if len(self.rules.stops) != (0 if bed is None else len(bed.layers)):
            raise ValueError("rules.stops: expected one for each layer of the noise")
        for i, layer in enumerate(bed.layers if bed is not None else ()):
            _require_unused(layer, {"source"}, f"noise.layers[{i}]")
            one = {"trim": False, "crossfade": 0.0, "channel": "mix", "recordings": ()}
            _require_file(layer.source, FileNoise, one, f"noise.layers[{i}]")
        for i, event in enumerate(self.events):
            _require_unused(event, _OF_EVENT, f"events[{i}]")
            _require_file(event.source, File, {"trim": False, "channel": "mix", "start_sample": None}, f"events[{i}]")
            if event.place is None or event.place.onset < 0 or not isinstance(event.onset, float):
                raise ValueError(f"events[{i}]: expected an onset in seconds, and a place from 0 on")
            level = event.level
            if level is None or level.spl_db_1m is not None or any(getattr(level, k) != v for k, v in MEASURED.items()):
                raise ValueError(
                    f"events[{i}].level: expected snr_db or level_dbfs, measured as scaper does: {MEASURED}"
                )
        return self

    def replanned(self, tree: Mapping[str, Any]) -> ScaperSpec:
        """Return the spec that the changed tree of this one stands for; events are placed anew, by scaper's arithmetic.

        Raises
        ------
        pydantic.ValidationError
            If a value is not allowed where it stands.
        ParameterError
            If an event has nothing to play.
        """
        events = [Event.model_validate({**raw, "place": None}) for raw in tree["events"]]
        placed = [
            event.model_copy(update={"place": place_of(event, self.sr)}) if isinstance(event.source, File) else event
            for event in events
        ]
        return ScaperSpec.model_validate({**tree, "events": placed})

    @property
    def in_blocks(self) -> bool:
        """Return False: scaper's rules know whole signals only."""
        return False

    @property
    def scene_samples(self) -> int:
        """Return the length of the whole scene in samples."""
        return int(self.duration * self.sr)


def place_of(event: Event, sr: int) -> Place:
    """Return where an event falls and how long it is, before the clip's end cuts it.

    Raises
    ------
    ParameterError
        If its stretch holds no sample of the recording.
    """
    source: Any = event.source
    recording = source.recording
    first, last = segment(recording.n_samples, recording.sr, start=source.start, duration=source.duration or 0.0)
    if last <= first:
        raise ParameterError(
            f"{recording.path} has {recording.n_samples / recording.sr:.6f} s, so there is nothing to play {source.duration or 0:g} s "
            f"long from {source.start:g} s on; is it the file that the scene was made with?"
        )
    n = resampled_length(last - first, sr_in=recording.sr, sr_out=sr)
    for effect in event.effects:
        n = effect.extent(n, sr)  # type: ignore[attr-defined]
    onset = int(sr * event.onset) if isinstance(event.onset, float) else -1
    return Place(onset=onset, n_samples=n, active=((0, n),), labels=((0, n),))


def _require_unused(record: BaseModel, used: Collection[str], place: str) -> None:
    """Raise `ValueError` if a field has a value that scaper's rules would pass over."""
    for name, field in type(record).model_fields.items():
        if name not in used and getattr(record, name) != field.get_default(call_default_factory=True):
            raise ValueError(f"{name}: {place} has no such thing; leave it out")


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
