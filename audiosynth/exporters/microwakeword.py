"""Clips as microWakeWord's `Clips` reads them, and long tracks for false accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._layout import SILENCE, items, put_wav, require_apart, samples
from audiosynth.exporters._text import atomic_text
from audiosynth.registry import Component


class MicroWakeWord(Component):
    """``{positive,negative,background}/{training,validation,testing}/*.wav`` and ``ambient/*.wav`` with event times.

    The trainer splits a folder by files, so that a voice would be in two parts; give it one part's folder at a time instead
    (``Clips(input_directory=…/positive/training)``). It reads one header for a whole folder: all files are 16 kHz, one
    channel, 16-bit PCM behind 44 bytes. ``ambient/`` holds the ambient split, for ``validation_ambient`` and
    ``testing_ambient``; ``ambient/events.tsv`` says what is heard in it, and when (seconds).

    Parameters
    ----------
    target
        Labels of the wake word; all others are negatives.
    """

    type_name: ClassVar[str] = "microwakeword"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"target": ["hey computer"]},)

    target: Annotated[tuple[str, ...], Field(strict=False, min_length=1, description="labels of the wake word")]

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``microwakeword/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If clips are not what the layout can hold, or a voice is in two splits.
        """
        base = folder / "microwakeword"
        found = list(items(dataset))
        require_apart(item for item in found if item.word != SILENCE)
        paths = []
        for item in found:
            kind = "background" if item.word == SILENCE else "positive" if item.word in self.target else "negative"
            path = base / kind / item.role / f"{item.row['clip_id']}.wav"
            put_wav(path, samples(dataset.root, item.row))
            paths.append(path)
        return [*paths, *self._ambient(dataset, base / "ambient")]

    def _ambient(self, dataset: DatasetView, folder: Path) -> list[Path]:
        tracks = list(items(dataset, ambient=True))
        if not tracks:
            return []
        paths = []
        with atomic_text(folder / "events.tsv") as file:
            file.write("filename\tonset\toffset\tlabel\n")
            for item in tracks:
                path = folder / f"{item.row['clip_id']}.wav"
                put_wav(path, samples(dataset.root, item.row))
                paths.append(path)
                for label in item.row["labels"]:
                    file.write(f"{path.name}\t{label['onset']:.6f}\t{label['offset']:.6f}\t{label['label']}\n")
        return [*paths, folder / "events.tsv"]
