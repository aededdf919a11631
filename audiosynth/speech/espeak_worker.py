"""A process of its own that speaks with libespeak-ng: started by `espeak`, never imported by the package.

The library keeps its state in globals that nothing resets (a flutter index, noise generators, resonators), so that what it
says depends on what it said before. Here every utterance gets a fresh image: a private copy of the library is opened,
initialised, seeded, asked, ended and closed again. A crash takes this process alone.

Standard library only. A request is one line of JSON; so is a reply, which is followed by `bytes` of 16-bit samples.
"""

from __future__ import annotations

import _ctypes
import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS of speak_lib.h, as all numbers here
BUFFER_MS = 5000  # under 200 ms the echo of a voice is cut off
PHONEME_EVENTS, PHONEME_IPA, DONT_EXIT = 0x0001, 0x0002, 0x8000
PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "range": 4, "word_gap": 7}  # espeak_PARAMETER
UTF8, PHONEMES = 0x1, 0x100  # flags of espeak_Synth
END_OF_LIST, WORD, END, PHONEME = 0, 1, 5, 7  # espeak_EVENT_TYPE
IPA_SEPARATED = 0x2 | (ord("_") << 8)
OWN = "own"  # name of the voice that a request brings along
_C = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)  # the C library that libespeak-ng runs on
_C.srand.argtypes = [ctypes.c_uint]


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Library:
    """One image of the library, fresh from its file.

    Parameters
    ----------
    path, data
        The private copy of the library, and the folder of its data.
    """

    def __init__(self, path: Path, data: Path) -> None:
        self.lib: Any = ctypes.CDLL(str(path))
        options = DONT_EXIT | PHONEME_EVENTS | PHONEME_IPA
        self.sr = self.lib.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, os.fsencode(data), options)
        if self.sr <= 0:
            self.close()
            raise ValueError("libespeak-ng finds no data")

    def close(self) -> None:
        """End and close the library: all its state is gone with it."""
        self.lib.espeak_Terminate()
        handle, self.lib = self.lib._handle, None
        getattr(_ctypes, "dlclose" if hasattr(_ctypes, "dlclose") else "FreeLibrary")(handle)

    def use_voice(self, name: str) -> None:
        """Choose a voice, such as ``en-us+own``."""
        # an unknown name leaves the voice before without a word, but for this code
        if self.lib.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"libespeak-ng has no voice '{name}'")

    def say(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the words, the phones and the samples of an utterance."""
        self.lib.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
        self.lib.espeak_ng_SetRandSeed(request["seed"])
        _C.srand(request["seed"])  # Klatt's voicing source 6 takes its breath from the C library's own dice
        self.use_voice(f"{request['language']}+{OWN}")
        for name, number in PARAMETERS.items():
            if name in request:
                self.lib.espeak_SetParameter(number, request[name], 0)
        heard = _Heard()
        callback = _Callback(heard)
        self.lib.espeak_SetSynthCallback(callback)
        text = request["text"].encode()
        synth = self.lib.espeak_Synth
        uint, pointer = ctypes.c_uint, ctypes.c_void_p
        synth.argtypes = [ctypes.c_char_p, ctypes.c_size_t, uint, ctypes.c_int, uint, uint, pointer, pointer]
        status = synth(text, len(text) + 1, 0, 1, 0, UTF8 | (PHONEMES if request["phonemes"] else 0), None, None)
        if status != 0:
            raise ValueError(f"libespeak-ng gave the error {status}")
        return {"sr": self.sr, "words": heard.words, "phones": heard.phones}, b"".join(heard.pieces)

    def transcribe(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the IPA of each text: phones separated by underscores, words by blanks."""
        self.use_voice(request["language"])
        convert = self.lib.espeak_TextToPhonemes
        convert.restype = ctypes.c_char_p
        convert.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
        found = []
        for text in request["texts"]:
            here = ctypes.c_char_p(text.encode())
            clauses = []
            while here.value is not None:
                clauses.append((convert(ctypes.byref(here), UTF8, IPA_SEPARATED) or b"").decode())
            found.append(" ".join(clauses))
        return {"ipa": found}, b""


class _Heard:
    """What the library hands out while it speaks."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.words: list[tuple[int, int, int]] = []
        self.phones: list[tuple[int, str]] = []

    def __call__(self, wav: Any, n: int, events: Any) -> int:
        if n > 0 and wav:
            self.pieces.append(ctypes.string_at(wav, 2 * n))
        i = 0
        while events[i].type != END_OF_LIST:
            event = events[i]
            if event.type == WORD:
                self.words.append((event.sample, event.text_position, event.length))
            elif event.type == PHONEME:
                self.phones.append((event.sample, event.id.string.decode("utf-8", "replace")))
            elif event.type == END:
                self.phones.append((event.sample, ""))
            i += 1
        return 0  # go on


def own_data(data: Path, folder: Path) -> None:
    """Lay out data of our own: links to the library's, with the languages side by side under lower-case names.

    The library lowers the names it is asked for and, where no file has that name, reads all of its 250 voice files. Found
    at once, a voice costs half the time.
    """
    (folder / "lang").mkdir(parents=True)
    (folder / "voices" / "!v").mkdir(parents=True)
    for path in sorted(data.iterdir()):
        if path.name not in ("lang", "voices"):
            _link(path, folder / path.name)
    for path in sorted((data / "lang").rglob("*")):
        if path.is_file():
            _link(path, folder / "lang" / path.name.lower())


def _link(path: Path, to: Path) -> None:
    try:
        to.symlink_to(path, target_is_directory=path.is_dir())
    except OSError:  # a system or a user without links
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, to)


def answer(request: dict[str, Any], library: Path, data: Path) -> tuple[dict[str, Any], bytes]:
    """Return the reply to one request and the samples that follow it."""
    if "voice" in request:
        (data / "voices" / "!v" / OWN).write_text(request["voice"], encoding="utf-8")
    try:
        image = Library(library, data)
        try:
            return getattr(Library, request["do"])(image, request)  # type: ignore[no-any-return]
        finally:
            image.close()
    except ValueError as error:
        return {"error": str(error)}, b""


def serve(path: str, data: str) -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides when to stop
    with tempfile.TemporaryDirectory(prefix="audiosynth-espeak-") as name:
        library = Path(name) / Path(path).name
        shutil.copyfile(path, library)  # of our own: whoever else holds the same path open would keep its state alive
        own_data(Path(data), Path(name) / "data")
        for line in sys.stdin.buffer:
            reply, samples = answer(json.loads(line), library, Path(name) / "data")
            head = json.dumps({**reply, "bytes": len(samples)}, separators=(",", ":"))
            sys.stdout.buffer.write(head.encode() + b"\n" + samples)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve(*sys.argv[1:])
