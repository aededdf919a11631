"""The small records that components, the renderer and the writers hand to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

Array = npt.NDArray[np.float64]
"""Audio inside the package: float64, shape (n_channels, n_samples), full scale 1.0."""

CREDIT_FIELDS: Final = ("licence", "author", "title", "source")
"""Catalogue fields that stand once in `assets.jsonl`, not in every row (DESIGN section 6)."""

ANNOTATIONS: Final = ("events", "words", "phones")
"""Catalogue fields that say what happens when in a recording: lists of [onset, offset, label] in seconds."""


class Part(BaseModel):
    """The stretch of a file that a recording is: an utterance of a longer recording, a channel of a telephone call.

    Attributes
    ----------
    first, last
        First and one-past-last sample, at the file's rate.
    channel
        Number of the one channel that it is of; None: all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    first: int = Field(ge=0)
    last: int = Field(ge=1)
    channel: int | None = Field(None, ge=0, le=1023)


class Recording(BaseModel):
    """One recording of a catalogue: what a plan may know of it without decoding, and what a row needs to find it again.

    Attributes
    ----------
    data, path
        Name of the data root, and the POSIX path below it.
    sha256
        Of the file's bytes.
    sr, n_channels, n_samples
        As stored in the file; of the part, where it is one.
    active
        First and one-past-last sample that are not leading or trailing silence, at the file's rate.
    meta
        Catalogue fields: label, speaker, text, licence, …; rows leave out the `CREDIT_FIELDS`.
    part
        What of the file it is; None, and not in rows: all of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    data: str
    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    sr: int = Field(ge=1, le=1_000_000)
    n_channels: int = Field(ge=1, le=1024)
    n_samples: int = Field(ge=1)
    active: tuple[int, int] = Field(strict=False)
    meta: dict[str, Any] = {}
    part: Part | None = None

    @model_validator(mode="after")
    def _inside(self) -> Recording:
        (first, last), n, part, meta = self.active, self.n_samples, self.part, self.meta
        if part is not None and (part.last - part.first != n or (part.channel is not None and self.n_channels != 1)):
            raise ValueError(f"part: {part.first} to {part.last} are not {n} samples of {self.n_channels} channels")
        if not 0 <= first < last <= n:
            raise ValueError(f"active: expected 0 <= first < last <= {n}, got [{first}, {last}]")
        for key in filter(meta.__contains__, ANNOTATIONS):  # most have none; asked wherever a recording stands
            for item in meta[key]:
                times: list[Any]
                *times, label = item if isinstance(item, list | tuple) and len(item) == 3 else (None, None, None)
                if not isinstance(label, str) or not all(type(t) in (int, float) and 0 <= t < 1e6 for t in times):
                    raise ValueError(f"meta.{key}: expected [onset, offset, label] in seconds, got {item!r}")
        return self

    @field_validator("meta")
    @classmethod
    def _listed(cls, meta: dict[str, Any]) -> dict[str, Any]:
        for key in ANNOTATIONS:
            if not isinstance(meta.get(key, []), list | tuple):
                raise ValueError(f"{key}: expected a list of [onset, offset, label], got {meta[key]!r}")
        return meta

    @model_serializer(mode="wrap")
    def _without_no_part(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        tree: dict[str, Any] = write(self)
        if self.part is None:
            del tree["part"]
        return tree

    @field_serializer("meta")
    def _without_credit(self, meta: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in meta.items() if key not in CREDIT_FIELDS}


@dataclass(frozen=True)
class Entry:
    """One row of a table that a recipe draws from as it does from a catalogue: a voice of a cast, a negative phrase.

    Attributes
    ----------
    data, path
        Name of the table, and of the row.
    sha256
        Of what the row holds.
    meta
        Its fields.
    """

    data: str
    path: str
    sha256: str
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class Withheld:
    """A recording that was withdrawn: never used, yet it holds its place in the draws of its splits; `meta` has what
    conditions look at.
    """  # noqa: D205

    sha256: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] = ()
    data: str = ""
    path: str = "withdrawn"


Member = Recording | Entry | Withheld
"""What `pick` draws from."""


class Slack(BaseModel):
    """A fraction of the room there is: 0 as early as possible, 1 as late as possible."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    slack: float = Field(ge=0, le=1, description="0 is as early as possible, 1 as late as possible")


@dataclass(frozen=True)
class Fit:
    """A clip's length: as long as its events, and `after` seconds more."""

    after: float


@dataclass(frozen=True)
class Follow:
    """An onset: `gap` seconds after the event before it ends, of those of its group (one `repeat`, or the list)."""

    gap: float
    group: str


class AssetReader(Protocol):
    """What a component may ask of the asset store."""

    def samples(self, recording: Recording, sr: int) -> Array:
        """Return the whole recording at rate `sr`, shape (n_channels, resampled_length(n_samples, …)); read-only."""

    def stretch(self, recording: Recording, sr: int, first: int, last: int) -> Array:
        """Return samples [first, last) of the recording at rate `sr`, as they are in `samples`; not to be written to."""

    def mono(self, recording: Recording, sr: int) -> Array:
        """Return the mean of the channels of the whole recording at rate `sr`, shape (1, n_samples at that rate); read-only."""

    def measurement(self, recording: Recording, sr: int, number: int) -> Array:
        """Return one measurement of a SOFA file at rate `sr`, shape (n_receivers, n_samples); read-only."""

    def sofa(self, recording: Recording) -> Any:
        """Return a SOFA file (`audiosynth.acoustics.sofa.Sofa`)."""


@dataclass(frozen=True)
class RenderContext:
    """What a component is given to render: the clip's rate and channels, and the recordings.

    Attributes
    ----------
    sr
        Sampling rate in Hz.
    n_channels
        Channels of the clip (a synthesizer may give 1; the renderer says how mono becomes many).
    assets
        Where recordings come from; None where no recording can be asked for.
    """

    sr: int
    n_channels: int = 1
    assets: AssetReader | None = None


class Segment(NamedTuple):
    """A stretch of sound and where an effect moved it: input [in0, in1) became output [out0, out1) (reversed if out1 < out0)."""

    in0: int
    in1: int
    out0: int
    out1: int


@dataclass(frozen=True)
class Response:
    """An impulse response as stored or simulated; the renderer applies its gain and shift, which the row records.

    Attributes
    ----------
    h
        Shape (n_channels, n_samples), unscaled.
    delay
        Samples from the start of `h` to the direct sound at the earliest channel.
    gain_db
        The gain to apply to all channels, rounded to 1e-6 dB.
    key
        Hashable identity of `h`, so that its spectrum can be kept; None if it must not be.
    facts
        What is known of it beyond measuring: distance, absorption, …; goes into the row's outcomes.
    """

    h: Array
    delay: int
    gain_db: float = 0.0
    key: object = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Label:
    """A labeled interval of a clip, in samples: onset inclusive, offset exclusive."""

    label: str
    onset: int
    offset: int
    event: int | None = None
    audible: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetView:
    """A finished dataset as exporters see it.

    Attributes
    ----------
    root
        Folder of the dataset.
    name
        Its name.
    splits
        Split names in order, each with the number of clips.
    weak_splits, unlabeled_splits
        Splits whose strong labels (or all labels) are to be withheld.
    home
        POSIX path from an exporter's own folder (``labels/NAME/``) to the dataset's, for files that point at the audio.
    licence
        The set's own, an SPDX expression; empty if the recipe declares none.
    rows
        Call it for a fresh iterator over manifest rows, in order.
    assets
        Call it for an iterator over the asset rows.
    """

    root: Path
    name: str
    splits: Mapping[str, int]
    rows: Callable[[], Iterator[dict[str, Any]]]
    assets: Callable[[], Iterable[dict[str, Any]]] = tuple
    weak_splits: frozenset[str] = frozenset()
    unlabeled_splits: frozenset[str] = frozenset()
    home: str = "../.."
    licence: str = ""
