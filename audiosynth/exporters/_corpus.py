"""What the exporters of speech corpora share: the utterances of a clip, what they are called, and what they were made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import Field

from audiosynth.clip import CREDIT_FIELDS, DatasetView
from audiosynth.corpora.utterance import FILLED, STANDARD
from audiosynth.errors import BuildError
from audiosynth.exporters._spoken import event_of, speaker_of
from audiosynth.exporters._text import Inaudible, clean, labels_of, told_rows
from audiosynth.registry import Component

Suffix = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{0,16}$",
        description="what stands between the id of an utterance and the number of its replica; empty: the id as it was",
        json_schema_extra={"unit": ""},
    ),
]
SpeakerFirst = Annotated[bool, Field(description="ids begin with the speaker, as Kaldi sorts them")]
SpeedSpeakers = Annotated[
    bool,
    Field(description="speech at another speed is of a speaker of its own: sp0.9- before id and speaker, as in Kaldi"),
]
Replicas = Annotated[
    list[Annotated[int, Field(ge=1, le=10_000)]] | None,
    Field(description="only these replicas of every utterance; null: all", json_schema_extra={"unit": ""}),
]
_CARRIED: Final = frozenset(STANDARD) | FILLED | set(CREDIT_FIELDS)


@dataclass(frozen=True)
class Ids:
    """How utterances are called, and which are listed."""

    suffix: str = "-aug"
    speaker_first: bool = False
    speed_speakers: bool = False
    replicas: Sequence[int] | None = None
    inaudible: Inaudible = "drop"


class OfUtterances(Component):
    """An exporter whose entries are utterances: how they are called, and which are listed."""

    suffix: Suffix = "-aug"
    speaker_first: SpeakerFirst = False
    speed_speakers: SpeedSpeakers = False
    replicas: Replicas = None
    inaudible: Annotated[
        Inaudible, Field(description="whether utterances that cannot be heard in the mix are listed")
    ] = "drop"

    def ids(self) -> Ids:
        """Return how utterances are called."""
        return Ids(self.suffix, self.speaker_first, self.speed_speakers, self.replicas, self.inaudible)


@dataclass(frozen=True)
class Spoken:
    """An utterance of a clip.

    Attributes
    ----------
    id
        Unlike all others of the dataset.
    row
        Of its clip.
    first, last
        First and one-past-last sample in the clip.
    text, speaker
        None where nothing is known of it.
    source
        Id of the utterance that it was made from; None where there is none.
    words, phones
        [text, onset, offset] in samples of the clip.
    fields
        What else its corpus said, and its SNR in dB as ``snr_db``.
    """

    id: str
    row: Mapping[str, Any]
    first: int
    last: int
    text: str | None
    speaker: str | None
    source: str | None
    words: Sequence[Sequence[Any]] = ()
    phones: Sequence[Sequence[Any]] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_clip(self) -> bool:
        """Return whether it is as long as its clip."""
        return (self.first, self.last) == (0, self.row["n_samples"])


def spoken_rows(dataset: DatasetView, ids: Ids) -> Iterator[tuple[dict[str, Any], list[Spoken]]]:
    """Yield every row with its utterances; those of an unlabeled split have none, those of a weak one none with times.

    Raises
    ------
    BuildError
        If two utterances would have one id, or one that an utterance of the corpus has.
    """
    made: dict[str, tuple[str, str | None]] = {}
    sources: set[str] = set()
    for row, tells in told_rows(dataset):
        if ids.replicas is not None and row.get("replica") not in ids.replicas:
            continue
        found = [] if tells == "none" else spoken_in(row, ids)
        if tells == "weak":
            found = [_untimed(one) for one in found if one.is_clip]
        for one in found:
            _take(one, made, sources)
        yield row, found


def _untimed(one: Spoken) -> Spoken:
    return Spoken(one.id, one.row, one.first, one.last, one.text, one.speaker, one.source, fields=one.fields)


def _take(one: Spoken, made: dict[str, tuple[str, str | None]], sources: set[str]) -> None:
    """Hold an id against those before it."""
    clip = str(one.row["clip_id"])
    if one.id in made:
        raise BuildError(
            f"clips {made[one.id][0]} and {clip}: both would be called '{one.id}'; with several replicas ids need a `suffix`"
        )
    taken = one.id if one.id in sources and one.id != one.source else None
    if one.source is not None:
        sources.add(one.source)
        if one.source in made and made[one.source][1] != one.source:
            taken = one.source
    if taken is not None:
        raise BuildError(
            f"clip {clip}: a replica is called '{taken}', as an utterance of its corpus is; choose another `suffix`"
        )
    made[one.id] = clip, one.source


def spoken_in(row: Mapping[str, Any], ids: Ids) -> list[Spoken]:
    """Return the utterances of a clip: labels of which who speaks or what is said is known, in order of time.

    Where a clip was made from one utterance (``clips: {each: …}``), the whole clip is that utterance, and if nothing is known of
    it (a folder of audio and no more) it is listed all the same.
    """
    found = [(item, text_of(item), speaker_of(row, item)) for item in labels_of(row, ids.inaudible)]
    speech = [entry for entry in found if entry[1] is not None or entry[2] is not None]
    if not speech and len(found) == 1 and row.get("augmented_from") is not None:
        speech = found
    alone = len(speech) == 1
    out = []
    for k, (item, text, speaker) in enumerate(speech):
        event = event_of(row, item) or {}
        source = row.get("augmented_from") if alone else None
        name = (
            f"{source}{ids.suffix}{row['replica'] if ids.suffix else ''}" if source is not None else str(row["clip_id"])
        )
        if not alone:
            name = f"{name}-{k:02d}"
        who = None if speaker is None else clean(speaker)
        if ids.speaker_first and who is not None and not name.startswith(f"{who}-"):
            name = f"{who}-{name}"
        speed = speed_of(event) if ids.speed_speakers else 1.0
        if speed != 1.0:
            name, who = f"sp{speed:g}-{name}", None if who is None else f"sp{speed:g}-{who}"
        first, last = (0, row["n_samples"]) if source is not None else (item["onset_sample"], item["offset_sample"])
        words, phones = item.get("words", ()), item.get("phones", ())
        out.append(Spoken(clean(name), row, first, last, text, who, source, words, phones, _fields(item, event)))
    return out


def the_one(row: Mapping[str, Any], found: Sequence[Spoken], holder: str) -> Spoken | None:
    """Return the one utterance of a clip, None if it has none, for layouts in which a file is an utterance.

    Raises
    ------
    BuildError
        If it has several; `holder` says what holds one.
    """
    if len(found) > 1:
        raise BuildError(
            f"clip {row['clip_id']}: {len(found)} utterances, and {holder} is of one; leave `speech` out where that can be said, or "
            "export `lhotse`, `nemo` or `utterances`"
        )
    return found[0] if found else None


def require_known(row: Mapping[str, Any], ids: Ids, layout: str) -> None:
    """Refuse utterances of which a layout has to say more than is known.

    Raises
    ------
    BuildError
        If who speaks or what is said is not known, of an utterance or of the one that a clip was made from.
    """
    found: list[Spoken | None] = [*spoken_in(row, ids)]
    if not found and row.get("augmented_from") is not None and labels_of(row, ids.inaudible):
        found = [None]  # several labels, and of none is either known, so that nobody seems to speak
    for one in found:
        known = {"who speaks": one and one.speaker, "what is said": one and one.text}
        lacking = [what for what, is_known in known.items() if not is_known]
        if lacking:
            raise BuildError(
                f"clip {row['clip_id']}: {' and '.join(lacking)} in it is not known, and {layout} has it of every file; give the "
                "catalogue these fields, or export `utterances`"
            )


def text_of(item: Mapping[str, Any]) -> str | None:
    """Return what is said in a label: the text of its recording, or its words."""
    said = item.get("texts") or item.get("words") or ()
    return clean(" ".join(str(text) for text, _, _ in said)) or None


def speed_of(event: Mapping[str, Any]) -> float:
    """Return by how much an event's effects speed it up, and raise its pitch.

    Examples
    --------
    >>> speed_of({"effects": [{"type": "speed@1", "factor": 0.9}, {"type": "gain@1", "gain_db": 3.0}]})
    0.9
    """
    factor = 1.0
    for effect in event.get("effects") or ():
        if str(effect.get("type")).partition("@")[0] == "speed":
            factor *= float(effect.get("factor", 1.0))
    return round(factor, 6)


def _fields(item: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    recording = (event.get("source") or {}).get("recording")
    meta = recording.get("meta", {}) if isinstance(recording, Mapping) else {}
    told = {key: value for key, value in meta.items() if key not in _CARRIED}
    known = {key: meta[key] for key in ("language", "gender") if isinstance(meta.get(key), str)}
    snr_db = item.get("snr_db")
    return {**told, **known, **({} if snr_db is None else {"snr_db": snr_db})}


def seconds(samples: int, sr: int) -> float:
    """Return samples as seconds, to 1 ns."""
    return round(samples / sr, 9)
