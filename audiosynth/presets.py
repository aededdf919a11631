"""The usual ways to augment a speech set, each a recipe that comes along, made fit for a given corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from audiosynth.corpora.detect import detect
from audiosynth.errors import UsageError, did_you_mean
from audiosynth.files.yamlvalues import dump

PRESETS: Final[Mapping[str, tuple[str, str]]] = {
    "far_field": ("speech_far_field", "two rooms each, diffuse noise, early and dry targets"),
    "noisy": ("speech_noisy_0_10_20_30", "at 0, 10, 20 and 30 dB over noise"),
    "telephone": ("speech_telephone", "telephone bands, codecs, lost packets, 8 kHz"),
    "speed3": ("speech_speed3", "at 0.9, 1.0 and 1.1 times its speed"),
    "kaldi": ("speech_kaldi_style", "clean, reverberated, with noises, music, babble"),
    "enhancement": ("speech_enhancement", "noisy and clean pairs, DNS style"),
}
"""Shipped recipe and one line about it, by the name of the preset."""
FORMATS: Final[Mapping[str, Mapping[str, Any]]] = {
    "kaldi": {"type": "kaldi", "utterances": "corpus"},
    "nemo": {"type": "nemo", "task": "asr"},
    "audiofolder": {"type": "audiofolder", "speech": True},
    "parquet": {"type": "parquet", "speech": True},
}
"""What exporters have to be told to write utterances as their corpus calls them, with replicas linked to their source."""


def preset_recipe(
    preset: str,
    corpus: str | Path,
    *,
    name: str | None = None,
    layout: str | None = None,
    replicas: int | None = None,
    exports: Sequence[str] = (),
    sr: int | None = None,
) -> str:
    """Return the recipe, as text, that augments a corpus by a preset: what it changes of the shipped one, and no more.

    Parameters
    ----------
    preset
        One of `PRESETS`.
    corpus
        Its folder; the recipe reaches it as the data root ``speech``.
    name
        Of the set; the corpus's folder and the preset if not given.
    layout
        Of the corpus; found by its files if not given (`audiosynth.corpora.detect`).
    replicas
        Per utterance, ≥ 1; the preset's own if not given.
    exports
        Exporters in place of the preset's own, by name; those that can write a speech corpus do (`FORMATS`).
    sr
        Rate of the clips in Hz; the preset's own if not given.

    Raises
    ------
    UsageError
        If no preset is called so.
    AssetError
        If the folder is no corpus of a layout that is known.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "wav.scp").touch()
    ...     print(preset_recipe("speed3", folder, name="mine"))
    # Made by `audiosynth augment`: at 0.9, 1.0 and 1.1 times its speed. Every key of speech_speed3 can be set here.
    extends: speech_speed3
    name: mine
    catalogues:
      speech:
        data: speech
        layout: kaldi
    <BLANKLINE>
    """
    if preset not in PRESETS:
        raise UsageError(
            f"no preset is called '{preset}'{did_you_mean(preset, PRESETS)}; there are {', '.join(PRESETS)}"
        )
    shipped, told = PRESETS[preset]
    found = detect(Path(corpus).expanduser()) if layout is None else {"layout": layout}
    tree: dict[str, Any] = {
        "extends": shipped,
        "name": name or f"{Path(corpus).expanduser().resolve().name}_{preset}",
        **({"sr": sr} if sr is not None else {}),
        **({"clips": {"replicas": replicas}} if replicas is not None else {}),
        "catalogues": {"speech": {"data": "speech", **found}},
        **({"export": [dict(FORMATS[name]) if name in FORMATS else name for name in exports]} if exports else {}),
    }
    return f"# Made by `audiosynth augment`: {told}. Every key of {shipped} can be set here.\n{dump(tree)}"
