"""The layout of Google's Speech Commands: names that hash into their own split, both lists, background noise."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._layout import (
    PARTS,
    SILENCE,
    audible,
    check_clip,
    digest,
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

MAX_PER_CLASS: Final = 2**27 - 1
"""MAX_NUM_WAVS_PER_CLASS of TensorFlow's speech_commands/input_data.py."""
PERCENT: Final = 10.0
"""Its validation and testing percentages."""
MAX_TRIES: Final = 10_000
LENGTH: Final = 16_000
"""Samples of a clip: readers cut longer ones and pad shorter ones at the end."""


def which_set(name: str) -> str:
    """Return the part that TensorFlow's reader sends a file to, by what stands before ``_nohash_`` in its name.

    Examples
    --------
    >>> which_set("012c8314_nohash_0.wav") in ("training", "validation", "testing")
    True
    """
    hashed = hashlib.sha1(re.sub(r"_nohash_.*$", "", name).encode(), usedforsecurity=False).hexdigest()
    percentage = (int(hashed, 16) % (MAX_PER_CLASS + 1)) * (100.0 / MAX_PER_CLASS)
    if percentage < PERCENT:
        return "validation"
    return "testing" if percentage < 2 * PERCENT else "training"


class SpeechCommands(Component):
    """``<word>/<speaker>_nohash_<n>.wav`` with ``validation_list.txt``, ``testing_list.txt`` and ``_background_noise_``.

    Every voice gets eight hexadecimal digits that TensorFlow's `which_set` (10 %, 10 %) sends to the very part that its
    recipe's split plays, and the lists say the same, for readers that go by them (torchaudio, NeMo). Clips without a label
    are silence, which these readers cut from ``_background_noise_`` themselves: it is made of the training part's (a set
    without any needs ``--silence_percentage 0`` in TensorFlow's train.py; NeMo's script cuts the silence of all three parts
    from it, which the exporter `nemo` does not). torchaudio: ``SPEECHCOMMANDS(root=…/labels, url="speech_commands",
    folder_in_archive="")``. Words are
    written ``[a-z0-9]+``. 16 kHz, one channel, one second, 16-bit PCM. Long tracks (``ambient``, ``stream``) are left out.
    """

    type_name: ClassVar[str] = "speech_commands"
    reads_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``speech_commands/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If clips are not what the layout can hold, or a voice is in two splits.
        """
        base = folder / "speech_commands"
        spoken = [item for item in items(dataset) if item.word != SILENCE]
        require_apart(spoken)
        require_distinct(item.word for item in spoken)
        names: dict[str, str] = {}
        taken: dict[str, int] = {}
        listed: dict[str, list[str]] = {"validation": [], "testing": [], "training": []}
        paths = []
        for item in spoken:
            self.check(item.row)
            speaker = names.setdefault(item.speaker, "") or self._named(item.speaker, item.role, names)
            word = folder_word(item.word)
            n = taken[f"{word}/{speaker}"] = taken.get(f"{word}/{speaker}", -1) + 1
            name = f"{word}/{speaker}_nohash_{n}.wav"
            put_wav(base / name, samples(dataset.root, item.row))
            listed[item.role].append(name)
            paths.append(base / name)
        for role in ("validation", "testing"):
            with atomic_text(base / f"{role}_list.txt") as file:
                file.writelines(f"{name}\n" for name in sorted(listed[role]))
        return [
            *paths,
            *put_background(dataset, base / "_background_noise_"),
            base / "validation_list.txt",
            base / "testing_list.txt",
        ]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a clip that the layout cannot hold; asked when it is made, not when all are."""
        check_clip(row)
        for label in audible(row) if role_of(row["split"]) in PARTS else ():
            folder_word(label["label"])
        if role_of(row["split"]) in PARTS and row["n_samples"] != LENGTH:
            raise BuildError(
                f"clip {row['clip_id']}: {row['n_samples']} samples; this layout takes 16000 (`duration: 1`)"
            )

    def _named(self, speaker: str, role: str, names: dict[str, str]) -> str:
        used = set(names.values())
        for k in range(MAX_TRIES):
            if (name := digest(speaker, k)) not in used and which_set(f"{name}_nohash_0.wav") == role:
                names[speaker] = name
                return name
        raise BuildError(f"{speaker}: no name found that hashes into {role}")  # once in (9/10)^10000
