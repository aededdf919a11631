"""Manifests for NeMo's speech classification: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, Final

from audiosynth.clip import DatasetView
from audiosynth.exporters._layout import items, role_of, word_of
from audiosynth.exporters._text import atomic_text
from audiosynth.registry import Component

FILES: Final = {
    "training": "train_manifest.json",
    "validation": "validation_manifest.json",
    "testing": "test_manifest.json",
}


class Nemo(Component):
    """``nemo/{train,validation,test}_manifest.json``: ``{"audio_filepath", "duration", "command"}`` a line.

    Paths are relative to the manifest, which NeMo takes since 1.5, so that the folder can be moved; the audio is the
    dataset's own. Clips without a label have the command ``silence``. Long tracks (``ambient``,
    ``stream``) are left out.
    """

    type_name: ClassVar[str] = "nemo"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``nemo/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a clip has several labels.
        """
        base = folder / "nemo"
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

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a clip that the layout cannot hold; asked when it is made, not when all are."""
        if role_of(row["split"]) in FILES:
            word_of(row)
