"""What the exporters of JSON share: the record of a clip, and lines of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from audiosynth.exporters._text import Inaudible, Tells, clean, labels_of


def classes_of(row: Mapping[str, Any]) -> list[str]:
    """Return the classes of a clip, sorted; one that nobody can hear is not a label of the clip."""
    return sorted({clean(item["label"]) for item in labels_of(row, "drop")})


def record_of(row: Mapping[str, Any], tells: Tells, inaudible: Inaudible) -> dict[str, Any]:
    """Return ``{file_name, duration, sr}`` of a clip, with its `events`, its `labels`, or neither."""
    record = {"file_name": row["path"], "duration": row["duration"], "sr": row["sr"]}
    if tells == "strong":
        return {**record, "events": [dict(item) for item in labels_of(row, inaudible)]}
    return {**record, "labels": classes_of(row)} if tells == "weak" else record


def json_line(record: Mapping[str, Any]) -> str:
    r"""Return one line of JSON in NFC; characters that some readers take for line ends are escaped.

    Examples
    --------
    >>> json_line({"label": "ne\u0301\u2028"})
    '{"label": "né\\u2028"}\n'
    """
    text = clean(json.dumps(record, ensure_ascii=False, allow_nan=False))
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
