"""Flite, where it is installed (Debian: ``apt install flite``): small American voices, asked on its command line."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from audiosynth.clip import Array
from audiosynth.errors import ParameterError, RenderError, did_you_mean
from audiosynth.speech.utterance import Mark, Order, Utterance

if TYPE_CHECKING:
    from audiosynth.speech.voices import Voice

VOICES: Final = ("kal", "kal16", "awb", "rms", "slt")
MOVED: Final = ("kal", "kal16", "awb", "slt")
"""Voices whose pitch `f0_shift` moves (measured with flite 2.2; rms gives the same samples)."""
PLAIN_RATE: Final = 175.0
"""Words per minute that stand for flite's own pace."""
TIMEOUT: Final = 60.0
PAUSE: Final = "pau"
PROBE: Final = "The quick brown fox jumps over the lazy dog."
"""What a voice is known by."""
IPA: Final = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "ay": "aɪ", "b": "b", "ch": "tʃ", "d": "d",
    "dh": "ð", "eh": "ɛ", "er": "ɚ", "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h", "ih": "ɪ", "iy": "i", "jh": "dʒ",
    "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ",
    "t": "t", "th": "θ", "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ",
}  # fmt: skip
"""Flite's phones (CMU's American English set) in IPA."""


def executable() -> Path:
    """Return where flite is.

    Raises
    ------
    RenderError
        If it is not installed.
    """
    found = shutil.which("flite")
    if found is None:
        raise RenderError("the engine flite is not installed; on Debian: apt install flite; or use the engine espeak")
    return Path(found)


@lru_cache(maxsize=len(VOICES))
def needs(name: str) -> tuple[str, ...]:
    """Return what a row names so that a voice of flite gives the same samples again: version, and what the voice says.

    The program's own bytes tell nothing: the voices are libraries beside it, which each system puts elsewhere.
    """
    y, _, _ = _spoken(["-voice", name], PROBE)
    digest = hashlib.sha256(np.asarray(y * 32768.0, dtype="<i2").tobytes()).hexdigest()
    told = _run(["--version"], codes=(0, 1))  # which flite ends as if it had failed
    found = re.search(r"version:\s*flite-(\S+)", told)
    return (
        f"flite=={found[1] if found else 'unknown'}",
        f"flite-{name}=={digest[:16]}",
        f"platform=={platform.system().lower()}-{platform.machine().lower()}",
    )


def name_of(voice: Voice) -> str:
    """Return flite's name of a voice.

    Raises
    ------
    RenderError
        If it has none of that name.
    """
    name = voice.variant or "slt"
    if name not in VOICES:
        raise RenderError(f"flite has no voice '{name}'{did_you_mean(name, VOICES) or '; it has ' + ', '.join(VOICES)}")
    return name


def utter_flite(order: Order) -> Utterance:
    """Return an utterance of flite.

    Raises
    ------
    RenderError
        If it is not installed, has no such voice, or fails.
    ParameterError
        If the voice cannot do what is asked.
    """
    voice = order.voice
    name = name_of(voice)
    _require_possible(voice, name)
    stretch = PLAIN_RATE / order.rate
    options = ["-voice", name, "--setf", f"duration_stretch={stretch:.6f}"]
    if voice.pitch != 0.0:
        options += ["--setf", f"f0_shift={2.0 ** (voice.pitch / 12.0):.6f}"]
    y, sr, told = _spoken(options, order.text + order.ending)
    ends = [(phone, int(float(end) * sr + 0.5)) for phone, _, end in (item.rpartition(":") for item in told.split())]
    return Utterance(y, sr, _marks(ends, order.text.split(), name))


def _spoken(options: list[str], text: str) -> tuple[Array, int, str]:
    """Return the samples, their rate, and the end of each phone as flite tells it."""
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        told = _run([*options, "-psdur", "-t", text, "-o", str(path)])
        y, sr = soundfile.read(path, dtype="float64")
    return y, sr, told


def _require_possible(voice: Voice, name: str) -> None:
    if voice.pitch != 0.0 and name not in MOVED:
        raise ParameterError(
            f"pitch: flite's voice '{name}' has its own alone; take {', '.join(MOVED)}, or leave it out"
        )
    if voice.intonation != 1.0:
        raise ParameterError("intonation: flite's voices have their own alone; leave it out")


def _run(options: list[str], codes: tuple[int, ...] = (0,)) -> str:
    command = [str(executable()), *options]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False, env={"LC_ALL": "C"})  # noqa: S603
    except subprocess.TimeoutExpired:
        raise RenderError(f"flite did not end within {TIMEOUT:g} s") from None
    if done.returncode not in codes:
        raise RenderError(f"flite failed (exit code {done.returncode}): {done.stderr.decode(errors='replace')[:200]}")
    return done.stdout.decode("utf-8", "replace")


@lru_cache(maxsize=4096)
def _n_phones(word: str, name: str) -> int:
    """Return how many phones a word has by itself."""
    told = _run(["-voice", name, "-ps", "-t", word, "-o", "none"]).split()
    return sum(phone != PAUSE for phone in told)


def _marks(ends: list[tuple[str, int]], words: list[str], name: str) -> tuple[Mark, ...]:
    """Return words and phones; flite tells no words, so their phones are counted one word at a time.

    Where the counts do not add up (a phrase is said unlike its words alone), all of it is one mark.
    """
    phones, onset = [], 0
    for phone, end in ends:
        if phone != PAUSE:
            phones.append((IPA.get(phone, phone), onset, end))
        onset = end
    counts = [_n_phones(word, name) for word in words]
    groups = list(zip(words, counts, strict=True)) if sum(counts) == len(phones) else [(" ".join(words), len(phones))]
    out: list[Mark] = []
    first = 0
    for token, (word, n) in enumerate(groups):
        inside = [Mark("phone", *phone, token) for phone in phones[first : first + n]]
        first += n
        if inside:
            out += [Mark("word", word, inside[0].onset, inside[-1].offset, token), *inside]
    return tuple(out)
