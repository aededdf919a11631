"""What a set is made of, read off its rows: recordings and what they are used as, voices, learned and designed noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from audiosynth.building.orders import Used
from audiosynth.speech.voices import KINDS

SOUNDS: Final = ("recorded", "formant", "trained", "learned", "designed", "synthesized")
"""Kinds of sounds: recordings and voices of them; speech by rule; speech of trained models; noise with the statistics of
recordings; noise with those that somebody wrote down; everything else that is computed."""
_RECORDING: Final = frozenset({"data", "path", "sha256", "n_samples"})
_PLACES: Final = {"room": "room", "noise": "background"}


@dataclass
class Content:
    """Running counts of what the rows it was given are made of.

    Attributes
    ----------
    sounds, seconds
        Kind of `SOUNDS` → how many events and layers of a bed; how long they are together (an event's whole sound, a layer's clip).
    used
        Recordings: data root, path, sha256.
    roles
        sha256 → what it is used as: voice (its catalogue names a speaker), event, background, room.
    speakers
        sha256 → the speakers that the catalogue names; of a long recording, those of the parts that were used.
    voices
        Synthetic or packaged voices by kind: kind → names of the models, or of engines.
    learned
        Profiles learned from recordings → where from, as their files say.
    languages
        Of synthetic voices, as their engines call them.
    spoken
        Whether labels have words.
    refilled
        Clips that hold something else in place of a recording that was withdrawn.
    """

    sounds: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    used: set[Used] = field(default_factory=set)
    roles: dict[str, set[str]] = field(default_factory=dict)
    speakers: dict[str, set[str]] = field(default_factory=dict)
    voices: dict[str, set[str]] = field(default_factory=dict)
    learned: dict[str, str] = field(default_factory=dict)
    languages: set[str] = field(default_factory=set)
    spoken: bool = False
    refilled: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row."""
        spec = row["spec"]
        self.refilled += bool(row.get("refilled"))
        for event in spec["events"]:
            place = event.get("place") or {}
            self._sound(event["source"], place.get("n_samples", 0) / row["sr"])
        for layer in (spec.get("noise") or {}).get("layers", ()):
            self._sound(layer["source"], row["duration"])
        self.spoken = self.spoken or any("words" in label for label in row["labels"])
        if row["made_of"]["recordings"]:
            for recording, role in recordings_in(spec):
                self._recording(recording, role)

    def _recording(self, recording: Mapping[str, Any], role: str) -> None:
        sha256, speaker = recording["sha256"], recording.get("meta", {}).get("speaker")
        self.used.add((recording["data"], recording["path"], sha256))
        self.roles.setdefault(sha256, set()).add(role if speaker is None or role == "room" else "voice")
        if speaker is not None and role != "room":
            self.speakers.setdefault(sha256, set()).add(str(speaker))

    def _sound(self, source: Mapping[str, Any], seconds: float) -> None:
        kind = self._kind(source)
        self.sounds[kind] += 1
        self.seconds[kind] += seconds  # type: ignore[assignment]  # a Counter adds up any numbers

    def _kind(self, source: Mapping[str, Any]) -> str:
        voice, content = source.get("voice"), source.get("content")
        if isinstance(voice, Mapping):
            kind = KINDS[voice["engine"]]
            named = str(voice.get("name") or voice["engine"])
            self.voices.setdefault(kind, set()).add(voice["engine"] if kind == "formant" else named)
            self.languages.update([str(voice["language"])] if voice.get("language") else ())
            return kind
        if isinstance(content, Mapping) and "made" in content:
            if content["made"] == "learned":
                self.learned[str(source.get("profile", ""))] = str(content.get("origin", ""))
            return str(content["made"])
        return "recorded" if any(True for _ in recordings_in(source)) else "synthesized"

    def of_recording(self, sha256: str) -> dict[str, Any]:
        """Return what a row of ``assets.jsonl`` says of how a recording is used."""
        people = sorted(self.speakers.get(sha256, ()))
        return {"used_as": sorted(self.roles.get(sha256, ())), **({"speakers": people} if people else {})}

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return {
            kind: {"sounds": self.sounds[kind], "seconds": round(self.seconds[kind], 3)}
            for kind in SOUNDS if self.sounds[kind]
        }  # fmt: skip


def recordings_in(tree: Any, role: str = "event") -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield every recording's tree inside a spec, with what it is used as: event, background, room."""
    if isinstance(tree, Mapping):
        if tree.keys() >= _RECORDING:
            yield tree, role
            return
        for key, value in tree.items():
            yield from recordings_in(value, _PLACES.get(key, role))
    elif isinstance(tree, list):
        for value in tree:
            yield from recordings_in(value, role)
