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
_INT, _UINT, _TEXT, _POINTER = ctypes.c_int, ctypes.c_uint, ctypes.c_char_p, ctypes.c_void_p
_PROTOTYPES = {
    "espeak_Initialize": ctypes.CFUNCTYPE(_INT, _INT, _INT, _TEXT, _INT),
    "espeak_SetVoiceByName": ctypes.CFUNCTYPE(_INT, _TEXT),
    "espeak_SetParameter": ctypes.CFUNCTYPE(_INT, _INT, _INT, _INT),
    "espeak_SetSynthCallback": ctypes.CFUNCTYPE(None, _Callback),
    "espeak_Synth": ctypes.CFUNCTYPE(_INT, _TEXT, ctypes.c_size_t, _UINT, _INT, _UINT, _UINT, _POINTER, _POINTER),
    "espeak_TextToPhonemes": ctypes.CFUNCTYPE(_TEXT, ctypes.POINTER(_TEXT), _INT, _INT),
    "espeak_Terminate": ctypes.CFUNCTYPE(_INT),
    "espeak_ng_SetRandSeed": ctypes.CFUNCTYPE(_INT, ctypes.c_long),
}
"""Of speak_lib.h, made once: `CDLL` makes a class for every image that it opens."""


class _Functions:
    """The functions of one image, as attributes."""

    def __init__(self, path: Path) -> None:
        self._windows = ctypes.CDLL(str(path)) if os.name == "nt" else None
        self.handle: Any = getattr(self._windows, "_handle", None) or _ctypes.dlopen(str(path), ctypes.RTLD_LOCAL)

    def __getattr__(self, name: str) -> Any:
        if self._windows is None:
            address = _ctypes.dlsym(self.handle, name)
        else:
            address = ctypes.cast(getattr(self._windows, name), _POINTER).value
        function = _PROTOTYPES[name](address)
        setattr(self, name, function)
        return function

    def close(self) -> None:
        getattr(_ctypes, "FreeLibrary" if os.name == "nt" else "dlclose")(self.handle)


class Library:
    """One image of the library, fresh from its file.

    Parameters
    ----------
    path, data
        The private copy of the library, and the folder of its data.
    """

    def __init__(self, path: Path, data: Path) -> None:
        self.lib = _Functions(path)
        options = DONT_EXIT | PHONEME_EVENTS | PHONEME_IPA
        self.sr = self.lib.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, os.fsencode(data), options)
        if self.sr <= 0:
            self.close()
            raise ValueError("libespeak-ng finds no data")

    def close(self) -> None:
        """End and close the library: all its state is gone with it."""
        self.lib.espeak_Terminate()
        self.lib.close()

    def use_voice(self, name: str) -> None:
        """Choose a voice, such as ``en-us+own``."""
        # an unknown name leaves the voice before without a word, but for this code
        if self.lib.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"libespeak-ng has no voice '{name}'")

    def say(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the words, the phones and the samples of an utterance."""
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
        flags = UTF8 | (PHONEMES if request["phonemes"] else 0)
        status = self.lib.espeak_Synth(text, len(text) + 1, 0, 1, 0, flags, None, None)
        if status != 0:
            raise ValueError(f"libespeak-ng gave the error {status}")
        return {"sr": self.sr, "words": heard.words, "phones": heard.phones}, b"".join(heard.pieces)

    def transcribe(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the IPA of each text: phones separated by underscores, words by blanks."""
        self.use_voice(request["language"])
        convert = self.lib.espeak_TextToPhonemes
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


class Speaker:
    """Answers requests, one image of the library for each.

    Parameters
    ----------
    library, data
        Copies of our own: whoever else holds the same path open would keep the library's state alive.
    """

    def __init__(self, library: Path, data: Path) -> None:
        self.library, self.data = library, data
        # written in place for every request: to make the file anew takes forty times as long
        self.voice = os.open(data / "voices" / "!v" / OWN, os.O_RDWR | os.O_CREAT, 0o600)

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Return the reply to one request and the samples that follow it."""
        if "voice" in request:
            os.ftruncate(self.voice, 0)
            os.lseek(self.voice, 0, os.SEEK_SET)
            os.write(self.voice, request["voice"].encode())
        try:
            image = Library(self.library, self.data)
            try:
                return getattr(Library, request["do"])(image, request)  # type: ignore[no-any-return]
            finally:
                image.close()
        except ValueError as error:
            return {"error": str(error)}, b""


def serve(path: str, data: str) -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides when to stop
    with tempfile.TemporaryDirectory(prefix="audiosynth-espeak-", ignore_cleanup_errors=os.name == "nt") as name:
        library = Path(name) / Path(path).name
        shutil.copyfile(path, library)
        own_data(Path(data), Path(name) / "data")
        speaker = Speaker(library, Path(name) / "data")
        for line in sys.stdin.buffer:
            reply, samples = speaker.answer(json.loads(line))
            head = json.dumps({**reply, "bytes": len(samples)}, separators=(",", ":"))
            sys.stdout.buffer.write(head.encode() + b"\n" + samples)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve(*sys.argv[1:])
