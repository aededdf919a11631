"""Clips as openWakeWord's train.py finds them, so that it skips its own generation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._layout import (
    AMBIENT,
    SILENCE,
    Pcm,
    audible,
    check_clip,
    folder_word,
    items,
    put_background,
    put_wav,
    require_apart,
    require_free,
    samples,
)
from audiosynth.exporters._text import atomic_text
from audiosynth.registry import Component

SR: Final = 16_000
VALIDATION_HOURS: Final = 11.3
"""Of openWakeWord's own validation recordings; a constant in its train.py."""
STUB: Final = '''"""Nothing to generate: the clips are there. train.py imports this name whether it needs it or not."""


def generate_samples(*args, **kwargs):
    raise SystemExit("the clips of this dataset are made by audiosynth; run train.py without --generate_clips")
'''


def _told(hours: float) -> str:
    """Return a comment on the false accepts an hour that train.py will report."""
    if hours == 0.0:
        return ""
    return (
        f"# ambient/ is {hours:.4f} hours. train.py divides false accepts by {VALIDATION_HOURS} hours, however long the features\n"
        f"# under false_positive_validation_data_path are: for those of ambient/, multiply what it reports by {VALIDATION_HOURS / hours:.2f}.\n"
    )


def _impulse() -> Pcm:
    """Return a response that leaves sound as it is."""
    y = np.zeros(SR // 10, dtype=np.int16)
    y[0] = 32767
    return y


class OpenWakeWord(Component):
    """``<model>/{positive,negative}_{train,test}/*.wav``, ``backgrounds/``, a configuration, and the stub its trainer imports.

    Clips are cut to the spoken phrase and a margin: train.py pads them at the front, with the phrase up to 200 ms from the
    end, and augments them itself. Clips without a label make ``backgrounds/`` (training part only; flat, since every entry
    is taken for a file). Ambient splits become ``ambient/``, to make features for false accepts of; train.py counts these
    per 11.3 hours however long they are, and the configuration says what to multiply by. The validation and test parts both go to ``*_test``. `n_samples` in the configuration is what is
    there (folders that hold 95 % of it are not generated anew). ``rirs/`` holds one response that changes nothing, for the
    trainer fails without any; put the user's own beside it, mono and 16 kHz, or its next batch fails.

    Parameters
    ----------
    target
        Labels of the wake word; all others are negatives.
    margin
        Seconds kept before and after the phrase.
    """

    type_name: ClassVar[str] = "openwakeword"
    reads_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"target": ["hey computer"]},
        {"target": ["alexa"], "margin": 0.1},
    )

    target: Annotated[tuple[str, ...], Field(strict=False, min_length=1, description="labels of the wake word")]
    margin: Annotated[
        float, Field(ge=0, le=2, description="kept around the phrase", json_schema_extra={"unit": "s"})
    ] = 0.05

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``openwakeword/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a part has no clips of a kind, clips are not what the layout can hold, or a voice is in two splits.
        """
        base = folder / "openwakeword"
        model = folder_word(self.target[0])
        spoken = [item for item in items(dataset) if item.word != SILENCE]
        require_apart(spoken)
        counts: dict[str, int] = dict.fromkeys(
            ("positive_train", "positive_test", "negative_train", "negative_test"), 0
        )
        paths = []
        for item in spoken:
            kind = "positive" if item.word in self.target else "negative"
            part = f"{kind}_{'train' if item.role == 'training' else 'test'}"
            path = base / model / part / f"{item.row['clip_id']}.wav"
            label = audible(item.row)[0]
            a = max(0, label["onset_sample"] - int(self.margin * SR))
            put_wav(path, samples(dataset.root, item.row)[a : label["offset_sample"] + int(self.margin * SR)])
            counts[part] += 1
            paths.append(path)
        empty = [part for part, n in counts.items() if n == 0]
        if empty:
            raise BuildError(
                f"openwakeword: no clips for {empty[0]}; the trainer needs all four kinds ({self.target[0]!r} is the target); "
                "make more clips, or only try the recipe out with --set export=[jsonl]"
            )
        background = put_background(dataset, base / "backgrounds")
        ambient, hours = self._ambient(dataset, base / "ambient")
        with atomic_text(base / "generate_samples.py") as file:
            file.write(STUB)
        with atomic_text(base / f"{model}.yml") as file:
            file.write(_told(hours) + self._config(model, counts, background=bool(background)))
        put_wav(base / "rirs" / "none.wav", _impulse())
        more = [base / "rirs" / "none.wav", base / "generate_samples.py", base / f"{model}.yml"]
        return [*paths, *background, *ambient, *more]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a clip that the layout cannot hold; asked when it is made, not when all are."""
        check_clip(row)
        require_free(row, self.target)

    def _ambient(self, dataset: DatasetView, folder: Path) -> tuple[list[Path], float]:
        """Write the long tracks; returns them and their hours."""
        paths, n = [], 0
        for item in items(dataset, AMBIENT):
            require_free(item.row, self.target)
            path = folder / f"{item.row['clip_id']}.wav"
            put_wav(path, samples(dataset.root, item.row))
            paths.append(path)
            n += item.row["n_samples"]
        return paths, n / SR / 3600.0

    def _config(self, model: str, counts: dict[str, int], *, background: bool) -> str:
        from audiosynth.files.strictyaml import dump

        tree = {
            "model_name": model,
            "target_phrase": list(self.target),
            "custom_negative_phrases": [],
            "n_samples": min(counts["positive_train"], counts["negative_train"]),
            "n_samples_val": min(counts["positive_test"], counts["negative_test"]),
            "tts_batch_size": 50,
            "augmentation_batch_size": 16,
            "piper_sample_generator_path": ".",
            "output_dir": ".",
            "rir_paths": ["./rirs"],
            "background_paths": ["./backgrounds"] if background else [],  # a folder that is not there is an error
            "background_paths_duplication_rate": [1] if background else [],
            "false_positive_validation_data_path": "./validation_set_features.npy",
            "augmentation_rounds": 1,
            "feature_data_files": {},
            "batch_n_per_class": {"adversarial_negative": 50, "positive": 50},
            "model_type": "dnn",
            "layer_size": 32,
            "steps": 50_000,
            "max_negative_weight": 1500,
            "target_false_positives_per_hour": 0.2,
        }
        return dump(tree)
