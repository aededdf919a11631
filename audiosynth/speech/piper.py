"""Piper voices (VITS models in ONNX) that the user has: run by onnxruntime, pronounced by libespeak-ng.

A voice is ``NAME.onnx`` beside ``NAME.onnx.json`` in the folder that the environment variable ``AUDIOSYNTH_PIPER`` names.
Nothing is downloaded. The model's own noise has no seed that a row could hold, so it is switched off (scales 0).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from audiosynth.errors import ParameterError, RenderError, did_you_mean
from audiosynth.speech.utterance import Mark, Order, Utterance

if TYPE_CHECKING:
    from audiosynth.speech.voices import Voice

FOLDER: Final = "AUDIOSYNTH_PIPER"
PLAIN_RATE: Final = 175.0
"""Words per minute that stand for a model's own pace."""
BEGIN, END, PAD = "^", "$", "_"
"""Marks of a piper phoneme sequence: a pad follows every phoneme."""
ACTIVE_DB: Final = -40.0
"""Speech is what is above this, against the loudest 10 ms: models tell no times."""


def utter_piper(order: Order) -> Utterance:
    """Return an utterance of a piper voice.

    Raises
    ------
    RenderError
        If onnxruntime or the voice is missing, or the model fails.
    ParameterError
        If the voice cannot do what is asked.
    """
    from audiosynth.speech import espeak

    if order.voice.pitch != 0.0 or order.voice.intonation != 1.0:
        raise ParameterError(
            "pitch, intonation: a piper voice has its own alone; leave them out, or use the effect pitch_shift"
        )
    config, session = _model(_path(order.voice))
    language = str(config.get("espeak", {}).get("voice", "en-us"))
    ipa = plain_ipa(espeak.transcribe((order.text + order.ending,), language=language)[0]) + order.ending
    ids = phoneme_ids(ipa, config["phoneme_id_map"])
    inputs: dict[str, Any] = {
        "input": np.array([ids], dtype=np.int64),
        "input_lengths": np.array([len(ids)], dtype=np.int64),
        "scales": np.array([0.0, PLAIN_RATE / order.rate, 0.0], dtype=np.float32),
    }
    speaker, n_speakers = _speaker(order.voice), int(config.get("num_speakers", 1))
    if speaker >= n_speakers:
        raise RenderError(
            f"variant: '{order.voice.variant}' asks for speaker {speaker}; the model has 0 to {n_speakers - 1}"
        )
    if n_speakers > 1:
        inputs["sid"] = np.array([speaker], dtype=np.int64)
    try:
        y = np.asarray(session.run(None, inputs)[0], dtype=np.float64).ravel()
    except Exception as error:  # onnxruntime raises classes of its own for each fault
        raise RenderError(f"piper voice '{order.voice.variant}' failed: {str(error)[:200]}") from None
    sr = int(config["audio"]["sample_rate"])
    return Utterance(y, sr, _mark(y, sr, order.text))


def needs(voice: Voice) -> tuple[str, ...]:
    """Return what a row names so that this voice gives the same samples again."""
    from audiosynth.speech import espeak

    path = _path(voice)
    return (f"piper-{path.stem}=={_sha256(path)[:16]}", f"onnxruntime=={version('onnxruntime')}", *espeak.files().needs)


def plain_ipa(ipa: str) -> str:
    """Return a transcription of libespeak-ng as models were trained on it: no separators, no marks of other languages.

    Letters and their diacritics stand apart, as in Unicode's decomposed form.

    Examples
    --------
    >>> plain_ipa("h_ˈaɪ (fr)_b_ɔ_(en)")
    'hˈaɪ bɔ'
    """
    return unicodedata.normalize("NFD", re.sub(r"\([a-z-]+\)", "", ipa).replace("_", ""))


def phoneme_ids(ipa: str, table: dict[str, list[int]]) -> list[int]:
    """Return a model's input for a transcription: begin, each symbol, end, a pad after each.

    Raises
    ------
    ParameterError
        If the model does not know a symbol: without it, another word would be said.

    Examples
    --------
    >>> phoneme_ids("hi", {"^": [1], "$": [2], "_": [0], "h": [5], "i": [6]})
    [1, 0, 5, 0, 6, 0, 2]
    """
    unknown = sorted({symbol for symbol in ipa if symbol not in table})
    if unknown:
        raise ParameterError(f"text: the piper voice knows no {' '.join(unknown)} of the pronunciation '{ipa[:80]}'")
    found = [*table[BEGIN], *table[PAD]]
    for symbol in ipa:
        found += [*table[symbol], *table[PAD]]
    return [*found, *table[END]]


def _speaker(voice: Voice) -> int:
    number = voice.variant.partition("#")[2] or "0"
    if not number.isdecimal():
        raise RenderError(f"variant: expected MODEL or MODEL#NUMBER (a speaker of it), got '{voice.variant}'")
    return int(number)


def _path(voice: Voice) -> Path:
    folder = os.environ.get(FOLDER, "")
    name = voice.variant.partition("#")[0]
    if not folder or not Path(folder).is_dir():
        raise RenderError(
            f"piper voices are looked for in the folder that the environment variable {FOLDER} names, and "
            f"{'it names none' if not folder else 'there is no such folder'}; set it to where NAME.onnx and NAME.onnx.json are"
        )
    known = sorted(path.name.removesuffix(".onnx") for path in Path(folder).iterdir() if path.suffix == ".onnx")
    if name not in known:
        hint = did_you_mean(name, known)
        raise RenderError(f"{FOLDER} has no piper voice '{name}'{hint or '; it has ' + (', '.join(known) or 'none')}")
    return Path(folder) / f"{name}.onnx"


@lru_cache(maxsize=64)
def _sha256(path: Path) -> str:
    """Return the hash of a voice: its model and the settings beside it."""
    settings = _settings(path)
    return hashlib.sha256(path.read_bytes() + (settings.read_bytes() if settings.is_file() else b"")).hexdigest()


def _settings(path: Path) -> Path:
    return path.with_name(path.name + ".json")


@lru_cache(maxsize=4)
def _model(path: Path) -> tuple[dict[str, Any], Any]:
    """Return a voice's settings and its session, on one thread, so that sums keep their order."""
    try:
        import onnxruntime
    except ImportError:
        raise RenderError("piper voices need onnxruntime: pip install onnxruntime; or use the engine espeak") from None
    config_path = _settings(path)
    try:
        config = json.loads(config_path.read_text(encoding="utf-8"))
        _ = config["phoneme_id_map"], config["audio"]["sample_rate"]
    except (OSError, ValueError, KeyError, TypeError):
        raise RenderError(f"{config_path.name} should stand beside {path.name} and hold its settings") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return config, onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _mark(y: Any, sr: int, text: str) -> tuple[Mark, ...]:
    """Return one mark for the whole phrase, from the first to the last sound."""
    from audiosynth.material.index import active_part

    if not np.any(y):
        return ()
    a, b = active_part(y[None, :], sr, trim_db=ACTIVE_DB)
    return Mark("word", text, a, b, 0), Mark("phone", text, a, b, 0)
