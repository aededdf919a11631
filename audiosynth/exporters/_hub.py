"""What the exporters for Hugging Face's `datasets` share: split names, columns of a clip, and the card that tells splits apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._corpus import Ids, spoken_rows, the_one
from audiosynth.exporters._json import classes_of
from audiosynth.exporters._text import Inaudible, Tells, atomic_text, clean, labels_of, withhold

_SPLIT: Final = re.compile(r"\w+(\.\w+)*")
"""What `datasets` takes as the name of a split (NamedSplit, _split_re)."""
EVENT: Final[Mapping[str, str]] = {
    "label": "string", "onset": "float64", "offset": "float64", "audible": "bool", "snr_db": "float64",
}  # fmt: skip
"""What is told of an event, each with its type."""
SAID: Final = ("id", "transcription", "speaker", "language", "augmented_from")
"""What is told of the one utterance of a clip, if it is asked for: texts."""
COLUMNS: Final[Mapping[str, str]] = {"file_name": "string", "clip_id": "string", "duration": "float64"}


def require_split_names(dataset: DatasetView) -> None:
    """Refuse splits that the library cannot name.

    Raises
    ------
    BuildError
        Naming one.
    """
    for split in dataset.splits:
        if not _SPLIT.fullmatch(split):
            raise BuildError(f"split '{split}': datasets takes letters, digits and _ in the name of a split; rename it")


def columns_of(row: Mapping[str, Any], tells: Tells, inaudible: Inaudible) -> dict[str, Any]:
    """Return a clip's columns: null where a split does not tell, so that an empty list says that there is nothing."""
    events = [{key: item.get(key, _DEFAULTS.get(key)) for key in EVENT} for item in labels_of(row, inaudible)]
    return {
        "clip_id": row["clip_id"],
        "duration": row["duration"],
        "events": [{**event, "label": clean(event["label"])} for event in events] if tells == "strong" else None,
        "labels": None if tells == "none" else classes_of(row),
    }


_DEFAULTS: Final = {"audible": True}


def with_utterances(
    dataset: DatasetView, ids: Ids, holder: str
) -> Iterator[tuple[dict[str, Any], Tells, dict[str, Any]]]:
    """Yield every row with what its split may tell, and the columns `SAID` of its utterance, null where nothing is known.

    Raises
    ------
    BuildError
        If a clip has several utterances; `holder` says what is of one.
    """
    for row, found in spoken_rows(dataset, ids):
        one = the_one(row, found, holder)
        told = (None,) * 5 if one is None else (one.id, one.text, one.speaker, one.fields.get("language"), one.source)
        yield row, withhold(row["split"], dataset=dataset), dict(zip(SAID, told, strict=True))


def features(*, speech: bool = False) -> dict[str, Any]:
    """Return the columns as `datasets` writes its features; lists in the form that every version of it reads."""
    value = {name: {"dtype": dtype, "_type": "Value"} for name, dtype in {**COLUMNS, **EVENT}.items()}
    return {
        **{name: value[name] for name in COLUMNS},
        "events": [{name: value[name] for name in EVENT}],
        "labels": [{"dtype": "string", "_type": "Value"}],
        **({name: {"dtype": "string", "_type": "Value"} for name in SAID} if speech else {}),
    }


def put_card(path: Path, files: Mapping[str, str], name: str) -> Path:
    """Write the README whose head says which files are which split: names alone are guessed at otherwise."""
    with atomic_text(path) as file:
        file.write("---\nconfigs:\n- config_name: default\n  data_files:\n")
        file.writelines(f"  - split: {split}\n    path: {pattern}\n" for split, pattern in files.items())
        file.write(f"---\n\n# {' '.join(name.split())}\n\nSynthetic audio, made with audiosynth.\n")
    return path
