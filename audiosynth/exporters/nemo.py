"""NeMo's manifests, for speech classification and for recognition: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._corpus import (
    OfUtterances,
    Spoken,
    seconds,
    spoken_rows,
)
from audiosynth.exporters._json import json_line
from audiosynth.exporters._layout import items, role_of, word_of
from audiosynth.exporters._text import atomic_text, atomic_texts

FILES: Final = {
    "training": "train_manifest.json",
    "validation": "validation_manifest.json",
    "testing": "test_manifest.json",
}


class Nemo(OfUtterances):
    """``nemo/{train,validation,test}_manifest.json``: ``{"audio_filepath", "duration", "command"}`` a line.

    Paths are relative to the manifest, which NeMo takes since 1.5, so that the folder can be moved; the audio is the
    dataset's own. Clips without a label have the command ``silence``. Long tracks (``ambient``,
    ``stream``) are left out.

    With ``task: asr`` a file for every split, ``nemo/<split>_manifest.json``, and a line for every utterance: ``{"audio_filepath",
    "duration", "text", "offset", "id", "speaker", "lang", "augmented_from"}`` without what is not known; ``offset`` where it is not
    all of its clip. Clips in which nobody speaks are left out.

    References
    ----------
    NeMo, "Preparing custom ASR data"; "Datasets: speech classification".
    """

    type_name: ClassVar[str] = "nemo"
    names_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"task": "asr", "suffix": "-rep"})

    task: Annotated[Literal["classification", "asr"], Field(description="what is to be trained")] = "classification"

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``nemo/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a clip has several labels (classification), or two utterances would have one id (asr).
        """
        base = folder / "nemo"
        if self.task == "asr":
            return self._spoken(dataset, base)
        with ExitStack() as stack:
            files = {role: stack.enter_context(atomic_text(base / name)) for role, name in FILES.items()}
            for item in items(dataset):
                record = {
                    "audio_filepath": f"{dataset.home}/{item.row['path']}",
                    "duration": item.row["duration"],
                    "command": item.word,
                }
                files[item.role].write(json.dumps(record, ensure_ascii=False) + "\n")
        return [base / name for name in FILES.values()]

    def _spoken(self, dataset: DatasetView, base: Path) -> list[Path]:
        paths = {split: base / f"{split}_manifest.json" for split in dataset.splits}
        ids = self.ids()
        with atomic_texts(paths) as files:
            for row, found in spoken_rows(dataset, ids):
                files[row["split"]].writelines(json_line(_entry(one, dataset.home)) for one in found)
        return list(paths.values())

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a clip that the layout cannot hold; asked when it is made, not when all are."""
        if self.task == "classification" and role_of(row["split"]) in FILES:
            word_of(row)


def _entry(one: Spoken, home: str) -> dict[str, Any]:
    sr = one.row["sr"]
    entry = {
        "audio_filepath": f"{home}/{one.row['path']}", "duration": seconds(one.last - one.first, sr), "text": one.text,
        "offset": None if one.is_clip else seconds(one.first, sr), "id": one.id, "speaker": one.speaker,
        "lang": one.fields.get("language"), "augmented_from": one.source,
    }  # fmt: skip
    return {key: value for key, value in entry.items() if value is not None}
