"""The folders of Google's kws_streaming (``--split_data 0``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._layout import (
    SILENCE,
    folder_word,
    items,
    put_background,
    put_wav,
    require_apart,
    require_distinct,
    samples,
)  # fmt: skip
from audiosynth.registry import Component


class KwsStreaming(Component):
    """``{training,validation,testing}/{<word>,unknown,silence}/`` and ``_background_noise_/``.

    With ``--split_data 0`` the reader takes every folder for a wanted word and has no unknown and no silence of its own, so
    they are folders here: train with all of them in ``--wanted_words``. 16 kHz, one channel, 16-bit PCM.

    Parameters
    ----------
    words
        Labels that keep a folder of their own; all others are unknown. Empty: every label keeps its own.
    """

    type_name: ClassVar[str] = "kws_streaming"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"words": ["yes", "no"]})

    words: Annotated[
        tuple[str, ...], Field(strict=False, description="labels with a folder of their own; empty: all")
    ] = ()

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``kws_streaming/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If clips are not what the layout can hold, or a voice is in two splits.
        """
        base = folder / "kws_streaming"
        found = list(items(dataset))
        require_apart(item for item in found if item.word != SILENCE)
        require_distinct({item.word: None for item in found})
        paths = []
        for item in found:
            kept = item.word == SILENCE or not self.words or item.word in self.words
            word = folder_word(item.word) if kept else "unknown"
            path = base / item.role / word / f"{item.row['clip_id']}.wav"
            put_wav(path, samples(dataset.root, item.row))
            paths.append(path)
        return [*paths, *put_background(dataset, base / "_background_noise_")]
