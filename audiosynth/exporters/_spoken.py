"""What the exporters of speech share: who speaks in a label, and what is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiosynth.exporters._layout import digest, speaker_in

CHANNEL = "1"
"""Of every line: the clip's channels hear the same events."""


def event_of(row: Mapping[str, Any], item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the event that a label is of; None for a background's own annotation."""
    event: Mapping[str, Any] | None = None if item.get("event") is None else row["spec"]["events"][item["event"]]
    return event


def speaker_of(row: Mapping[str, Any], item: Mapping[str, Any]) -> str | None:
    """Return the name of who speaks in a label, None where nobody does; a voice without a name is eight digits."""
    event = event_of(row, item)
    found = None if event is None else speaker_in(event)
    if found is None:
        return None
    _, name = found
    return f"voice-{digest(name)}" if name.startswith("[") else name


def words_of(row: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Return what is said in a label: its words, the text of its recording, or the label itself."""
    words = [text for text, _, _ in item.get("words", ())]
    event = event_of(row, item)
    recording = None if event is None else event["source"].get("recording")
    text = recording.get("meta", {}).get("text") if isinstance(recording, Mapping) else None
    return " ".join(words) or (text if isinstance(text, str) and text.strip() else str(item["label"]))
