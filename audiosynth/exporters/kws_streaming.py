"""The folders of Google's kws_streaming (``--split_data 0``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._layout import (
    PARTS,
    SILENCE,
    audible,
    check_clip,
    folder_word,
    items,
    put_background,
    put_wav,
    require_apart,
    require_distinct,
    role_of,
    samples,
)  # fmt: skip
from audiosynth.exporters._text import atomic_text
from audiosynth.registry import Component


class KwsStreaming(Component):
    """``{training,validation,testing}/{<word>,unknown,silence}/`` and ``_background_noise_/``.

    With ``--split_data 0`` the reader takes every folder for a wanted word and has no unknown and no silence of its own, so
    they are folders here, and ``wanted_words.txt`` holds what to give as ``--wanted_words``. It wants every word in every
    part, and background noise. 16 kHz, one channel, 16-bit PCM.

    Parameters
    ----------
    words
        Labels that keep a folder of their own; all others are unknown. Empty: every label keeps its own.
    """

    type_name: ClassVar[str] = "kws_streaming"
    reads_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"words": ["yes", "no"]})

    words: Annotated[
        tuple[str, ...], Field(strict=False, description="labels with a folder of their own; empty: all")
    ] = ()

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``kws_streaming/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If clips are not what the layout can hold, a voice is in two splits, or a part lacks a word.
        """
        base = folder / "kws_streaming"
        found = list(items(dataset))
        require_apart(item for item in found if item.word != SILENCE)
        require_distinct({item.word: None for item in found})
        folders = {role: {self._folder(item.word) for item in found if item.role == role} for role in PARTS}
        _require_alike(folders)
        paths = []
        for item in found:
            path = base / item.role / self._folder(item.word) / f"{item.row['clip_id']}.wav"
            put_wav(path, samples(dataset.root, item.row))
            paths.append(path)
        background = put_background(dataset, base / "_background_noise_")
        if not background:
            raise BuildError(
                "kws_streaming: no background noise: its reader fails without; give the training part clips without a label "
                "(two seconds and more of them in all)"
            )
        with atomic_text(base / "wanted_words.txt") as file:
            file.write(",".join(sorted(folders["training"])) + "\n")
        return [*paths, *background, base / "wanted_words.txt"]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a clip that the layout cannot hold; asked when it is made, not when all are."""
        check_clip(row)
        for label in audible(row) if role_of(row["split"]) in PARTS else ():
            folder_word(label["label"])

    def _folder(self, word: str) -> str:
        return folder_word(word) if word == SILENCE or not self.words or word in self.words else "unknown"


def _require_alike(folders: Mapping[str, set[str]]) -> None:
    every = set().union(*folders.values())
    for role, there in folders.items():
        if there != every:
            raise BuildError(
                f"kws_streaming: {role} has no clip of '{min(every - there)}': its reader wants every word in training, validation "
                "and testing; make more clips of that split, or only try the recipe out with --set export=[jsonl]"
            )
