"""libespeak-ng, asked in a process of its own: utterances with their words and phones, and letter to sound.

The library comes with the package `espeakng-loader` (extra ``[speech]``); it is GPL-3.0-or-later, loaded at run time.
`espeak_worker` tells why it has a process of its own, and a fresh image for every utterance.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.errors import RenderError, did_you_mean

PACKAGE: Final = "espeakng-loader"
RATES: Final = (80, 449)
"""Words per minute: slower is not spoken, and from 450 on the library squeezes the sound but not the times it gives."""
VOLUME: Final = 50
"""Of 100, which is 6 dB above: some voices clip the library's 16 bits at 100."""
_WORKER: Final = Path(__file__).with_name("espeak_worker.py")
_ALIASES: Final = {"en-gb": "en", "fr-fr": "fr", "en-gb-rp": "en-gb-x-rp", "zh": "cmn"}


@dataclass(frozen=True)
class Files:
    """Where the library and its data are, and which they are.

    Attributes
    ----------
    library, data
        The shared object, and the folder ``espeak-ng-data``.
    needs
        What a row names so that the same samples can be had again.
    """

    library: Path
    data: Path
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """One utterance.

    Attributes
    ----------
    text
        What is said; the library's phoneme mnemonics where `phonemes` is set.
    language
        Name of a language or accent, such as ``en-us``.
    voice
        Text of a voice file.
    rate
        Words per minute, 80 to 449.
    word_gap
        Pause between words, in 10 ms.
    seed
        Of its noises, below 2^31.
    """

    text: str
    language: str
    voice: str
    rate: int = 175
    word_gap: int = 0
    phonemes: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Spoken:
    """What was said.

    Attributes
    ----------
    pcm
        16-bit samples.
    sr
        Their rate: 22050 Hz.
    words
        (sample, position in the text from 1, number of characters) of each.
    phones
        (sample, IPA) of each beginning; an empty one is a pause, the last is the end of the speech.
    """

    pcm: npt.NDArray[np.int16]
    sr: int
    words: tuple[tuple[int, int, int], ...]
    phones: tuple[tuple[int, str], ...]


def installed() -> bool:
    """Return whether the library is there."""
    from importlib.util import find_spec

    return find_spec("espeakng_loader") is not None


@cache
def files() -> Files:
    """Return where the library is.

    Raises
    ------
    RenderError
        If it is not installed.
    """
    try:
        import espeakng_loader
    except ImportError:
        raise RenderError(
            "speech needs libespeak-ng: pip install 'audiosynth[speech]' (GPL-3 library, loaded at run time); recipes without "
            "`type: speech` work without it (`audiosynth list`), and so do recordings of your own (`type: file`)"
        ) from None
    library, data = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    try:
        release = version(PACKAGE)
    except PackageNotFoundError:
        release = "unknown"
    needs = (
        f"{PACKAGE}=={release}",
        f"libespeak-ng=={_sha256(library)[:16]}",
        f"espeak-ng-data=={_tree_sha256(data)[:16]}",
        f"platform=={platform.system().lower()}-{platform.machine().lower()}",
    )
    return Files(library, data, needs)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _tree_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}\0{_sha256(path)}\n".encode())
    return digest.hexdigest()


@cache
def languages() -> dict[str, Path]:
    """Return the voice file of each language and accent by its name."""
    found = {path.name.lower(): path for path in sorted((files().data / "lang").rglob("*")) if path.is_file()}
    return {**found, **{alias: found[name] for alias, name in _ALIASES.items() if name in found}}


@cache
def variants() -> dict[str, Path]:
    """Return the file of each variant (a voice for any language) by its name."""
    return {path.name: path for path in sorted((files().data / "voices" / "!v").iterdir())}


def language_name(name: str) -> str:
    """Return the library's own name of a language.

    Raises
    ------
    RenderError
        If it has none of that name.
    """
    if name not in languages():
        raise RenderError(f"libespeak-ng has no language '{name}'{did_you_mean(name, languages())}")
    return _ALIASES.get(name, name)


class _Host:
    """The worker process, and how it is asked: one question at a time."""

    def __init__(self) -> None:
        here = files()
        command = [sys.executable, "-I", "-S", str(_WORKER), str(here.library), str(here.data)]
        # its own surroundings: nothing of the user's locale or of the library's variables
        kept = {
            key: os.environ[key]
            for key in ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "GLIBC_TUNABLES")
            if key in os.environ
        }
        self.process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**kept, "LC_ALL": "C"}
        )  # fmt: skip
        self.lock = Lock()

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the reply and what follows it."""
        line = json.dumps(request, separators=(",", ":")).encode() + b"\n"
        with self.lock:
            stdin, stdout = self.process.stdin, self.process.stdout
            if stdin is None or stdout is None:
                return {}, b""
            try:
                stdin.write(line)
                stdin.flush()
                head = stdout.readline()
                reply = json.loads(head) if head else {}
                samples = stdout.read(reply.get("bytes", 0))
            except (OSError, ValueError):
                return {}, b""
            except BaseException:  # Ctrl-C between a question and its answer: the next answer would be this one
                self.process.kill()
                raise
        return reply, samples

    def close(self) -> None:
        """End the process: it leaves when there is nothing more to read."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # it is gone already
                    continue
        self.process.wait()


@cache
def _host(pid: int) -> _Host:  # noqa: ARG001
    """Return the worker of this process (a copy of a process must not share it)."""
    import atexit

    host = _Host()
    atexit.register(host.close)
    return host


def _ask(request: dict[str, Any], what: str) -> tuple[dict[str, Any], bytes]:
    host = _host(os.getpid())
    reply, samples = host.ask(request)
    if not reply:
        _host.cache_clear()  # the next question gets a new process
        host.close()
        code = host.process.returncode
        raise RenderError(f"libespeak-ng crashed (exit code {code}) at {what}; other utterances are not touched by it")
    if "error" in reply:
        raise RenderError(f"{reply['error']}, at {what}")
    return reply, samples


def say(request: Request) -> Spoken:
    r"""Return an utterance: the same samples for the same request, whatever was said before.

    Raises
    ------
    RenderError
        If the library is missing, has no such language, or crashes.

    Examples
    --------
    >>> if installed():
    ...     spoken = say(Request("hey computer", "en-us", "language variant\nname own\n"))
    ...     assert [phone for _, phone in spoken.phones[:2]] == ["h", "ˈeɪ"]
    """
    asked = {**vars(request), "do": "say", "volume": VOLUME, "language": language_name(request.language)}
    reply, samples = _ask(asked, f"'{request.text[:80]}' ({request.language})")
    pcm = np.frombuffer(samples, dtype="<i2").astype(np.int16)
    pcm.flags.writeable = False
    words = tuple((int(a), int(b), int(c)) for a, b, c in reply["words"])
    return Spoken(pcm, int(reply["sr"]), words, tuple((int(a), str(b)) for a, b in reply["phones"]))


def transcribe(texts: tuple[str, ...], *, language: str) -> tuple[str, ...]:
    """Return the pronunciation of each text in IPA: phones separated by underscores, words by blanks.

    Raises
    ------
    RenderError
        As `say`.

    Examples
    --------
    >>> transcribe(("seven",), language="en-us") if installed() else ('s_ˈɛ_v_ə_n',)
    ('s_ˈɛ_v_ə_n',)
    """
    asked = {"do": "transcribe", "language": language_name(language), "texts": list(texts)}
    reply, _ = _ask(asked, f"the pronunciation of '{texts[0][:80] if texts else ''}' …")
    return tuple(str(ipa).strip() for ipa in reply["ipa"])
