"""What the exporters for lhotse share: a clip as a recording and a cut, an utterance as a supervision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audiosynth.exporters._corpus import Spoken, seconds


def name_of(row: Mapping[str, Any], found: Sequence[Spoken]) -> str:
    """Return what a clip is called: as its utterance, if that is all of it."""
    return found[0].id if len(found) == 1 and found[0].is_clip else str(row["clip_id"])


def recording(row: Mapping[str, Any], name: str, source: Mapping[str, str]) -> dict[str, Any]:
    """Return a clip as lhotse has a recording."""
    channels = list(range(row["n_channels"]))
    return {
        "id": name, "sources": [{"type": source["type"], "channels": channels, "source": source["source"]}],
        "sampling_rate": row["sr"], "num_samples": row["n_samples"], "duration": seconds(row["n_samples"], row["sr"]),
        "channel_ids": channels,
    }  # fmt: skip


def supervision(one: Spoken, row: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an utterance as lhotse has a supervision; what is not known of it is left out."""
    sr, channels = row["sr"], list(range(row["n_channels"]))
    told: dict[str, Any] = {key: one.fields[key] for key in ("language", "gender") if key in one.fields}
    custom = {key: value for key, value in one.fields.items() if key not in told}
    if one.source is not None:
        custom["augmented_from"] = one.source
    aligned = {
        kind: [[text, seconds(a, sr), seconds(b - a, sr), None] for text, a, b in marks]
        for kind, marks in (("word", one.words), ("phone", one.phones))
        if marks
    }
    record = {
        "id": one.id, "recording_id": name, "start": seconds(one.first, sr), "duration": seconds(one.last - one.first, sr),
        "channel": channels if len(channels) > 1 else 0, "text": one.text, "speaker": one.speaker, **told,
        "custom": custom, "alignment": aligned,
    }  # fmt: skip
    return {key: value for key, value in record.items() if value not in (None, {})}


def cut(
    row: Mapping[str, Any], name: str, heard: Mapping[str, Any], said: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a clip as lhotse has a cut, with its recording and supervisions inside."""
    mono = row["n_channels"] == 1
    return {
        "id": name, "start": 0.0, "duration": heard["duration"], "channel": 0 if mono else heard["channel_ids"],
        "supervisions": list(said), "recording": heard, "type": "MonoCut" if mono else "MultiCut",
    }  # fmt: skip
