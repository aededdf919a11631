"""Clips as microWakeWord's `Clips` reads them, and long tracks for false accepts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._layout import (
    AMBIENT,
    SILENCE,
    Item,
    check_clip,
    items,
    put_wav,
    require_apart,
    require_free,
    samples,
)
from audiosynth.exporters._text import atomic_text
from audiosynth.registry import Component

SR: Final = 16_000


class MicroWakeWord(Component):
    """``{positive,negative,background}/{training,validation,testing}/*.wav``, and long tracks without the wake word.

    The trainer splits a folder by files, so that a voice would be in two parts; give it one part's folder at a time instead
    (``Clips(input_directory=…/positive/training)``). It reads one header for a whole folder: all files are 16 kHz, one
    channel, 16-bit PCM behind 44 bytes. Splits called ``ambient`` (or ``validation_ambient``) and ``testing_ambient`` become
    folders of that kind, beside each an ``events.tsv`` that says what is heard in it, and when (seconds). Every answer to
    them counts as a false accept, so the wake word must not be in them; and the trainer divides by the hours of
    ``validation_ambient`` for both, so they must be as long. Its features begin with some noise reduction that settles in a
    second: clips of 3.2 s (``duration: 3.2``) give it that.

    Parameters
    ----------
    target
        Labels of the wake word; all others are negatives.
    """

    type_name: ClassVar[str] = "microwakeword"
    reads_audio: ClassVar[bool] = True
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
        return [*paths, *self._ambient(dataset, base)]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a clip that the layout cannot hold; asked when it is made, not when all are."""
        check_clip(row)
        require_free(row, self.target)

    def _ambient(self, dataset: DatasetView, base: Path) -> list[Path]:
        tracks = {role: list(items(dataset, (role,))) for role in AMBIENT}
        n_validation, n_testing = (sum(item.row["n_samples"] for item in tracks[role]) for role in AMBIENT)
        if n_testing not in (0, n_validation):
            raise BuildError(
                f"microwakeword: the ambient tracks for validation are {n_validation / SR:g} s, those for testing {n_testing / SR:g} s; "
                "the trainer divides the false accepts of both by the former; give both splits as much"
            )
        return [path for role, some in tracks.items() if some for path in self._tracks(dataset, base / role, some)]

    def _tracks(self, dataset: DatasetView, folder: Path, tracks: list[Item]) -> list[Path]:
        paths = []
        with atomic_text(folder / "events.tsv") as file:
            file.write("filename\tonset\toffset\tlabel\n")
            for item in tracks:
                self.check(item.row)
                path = folder / f"{item.row['clip_id']}.wav"
                put_wav(path, samples(dataset.root, item.row))
                paths.append(path)
                for label in item.row["labels"]:
                    file.write(f"{path.name}\t{label['onset']:.6f}\t{label['offset']:.6f}\t{label['label']}\n")
        return [*paths, folder / "events.tsv"]
