"""Large recordings decoded once for all processes: files of samples in the user's cache, bounded in bytes, and checked as they are read.

A file is named by what it was made from and by what; it appears whole. One that is damaged, or cannot be made, is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from audiosynth.dsp import resampled_length
from audiosynth.errors import UsageError
from audiosynth.files.locks import locked_file, used_file
from audiosynth.files.stored import Stored
from audiosynth.files.whole import appearing
from audiosynth.material.decoded_file import CODES, HEAD, GivenUpError, OtherCodeError, read_head, write
from audiosynth.material.index import decoder, default_cache_dir

SIZE: Final = "AUDIOSYNTH_DECODED_GB"
"""Environment variable: the bound; 0 decodes into memory."""
DEFAULT_GB: Final = 10.0
ROOM: Final = 2**30
"""Bytes that stay free on the disk."""
MOST_HELD: Final = 128
"""Files that one process keeps from being deleted."""
FORMAT: Final = 1


class DecodedFiles:
    """Decoded recordings of one cache folder.

    Parameters
    ----------
    folder
        Where they are kept; None keeps none.
    most
        Most bytes that they take together. Those that were not used for longest make room; one that any process uses does not.
    """

    def __init__(self, folder: Path | None, most: float) -> None:
        self._folder, self._most = (folder if most > 0 else None), most
        self._held: OrderedDict[str, tuple[Stored, ExitStack]] = OrderedDict()
        self._in_vain: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Leave open files behind when sent to another process."""
        return {**self.__dict__, "_held": OrderedDict()}

    @classmethod
    def of_user(cls) -> DecodedFiles:
        """Return those of the user's cache.

        Raises
        ------
        UsageError
            If the environment's bound is no number.
        """
        home, text = default_cache_dir(), os.environ.get(SIZE, str(DEFAULT_GB))
        try:
            return cls(None if home is None else home / "decoded", float(text) * 1e9)
        except ValueError:
            raise UsageError(f"{SIZE}: expected a number of gigabytes, got '{text}'") from None

    def get(self, sha256: str, sr_in: int, sr: int, data: Callable[[], bytes]) -> Stored | None:
        """Return a recording's samples at rate `sr`, decoded from `data` if nobody did before; None if they cannot be kept.

        Parameters
        ----------
        sha256, sr_in
            Of the recording's file, and its rate in Hz.
        sr
            Rate that is asked for.
        data
            Gives the file's bytes.
        """
        if self._folder is None:
            return None
        key = _key(sha256, sr_in, sr)
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
        if name in self._in_vain:
            return None
        found = self._opened(name, key)
        if found is None and self._made(name, key, data):
            found = self._opened(name, key)
        return found

    def forget(self, stored: Stored) -> None:
        """Delete a file that turned out to be damaged."""
        self._held.pop(stored.path.stem, (None, ExitStack()))[1].close()
        with suppress(OSError):
            stored.path.unlink()

    def _opened(self, name: str, key: Mapping[str, Any]) -> Stored | None:
        if name in self._held:
            self._held.move_to_end(name)
            return self._held[name][0]
        path, stack = self._path(name), ExitStack()
        try:
            stack.enter_context(used_file(path))
            found = read_head(path, key)
        except (OSError, ValueError, KeyError, TypeError):
            stack.close()
            return None
        with suppress(OSError):
            os.utime(path)  # when it was last used
        self._held[name] = found, stack
        if len(self._held) > MOST_HELD:
            self._held.popitem(last=False)[1][1].close()
        return found

    def _path(self, name: str) -> Path:
        return (self._folder or Path()) / f"{name}.samples"

    def _made(self, name: str, key: Mapping[str, Any], data: Callable[[], bytes]) -> bool:
        """Make a file, or wait until another process has; return whether it is there. What failed is not tried again."""
        import soundfile

        path = self._path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with locked_file(path.parent / f"{name[:2]}.lock", wait=True):
                if not _is_whole(path, key):
                    self._make(path, key, data())
        except (
            OSError,
            GivenUpError,
            soundfile.SoundFileError,
        ):  # no room, no rights, no locks, or not what it says it is
            self._in_vain.add(name)
            return False
        return True

    def _make(self, path: Path, key: Mapping[str, Any], data: bytes) -> None:
        import soundfile

        with soundfile.SoundFile(BytesIO(data)) as file:
            n, channels, code = file.frames, file.channels, CODES.get(file.subtype, "<f4")
            if file.samplerate != key["sr_in"]:
                raise GivenUpError
        n = resampled_length(n, sr_in=key["sr_in"], sr_out=key["sr"])
        for tried in (code, "<f8") if key["sr"] == key["sr_in"] else ("<f8",):
            made = Stored(path, HEAD, tried, key["sr"], channels, n)
            with suppress(OtherCodeError), appearing(path) as part:
                self._reserve(part, HEAD + n * made.frame)
                write(part, made, key, data)
                return

    def _reserve(self, part: Path, size: int) -> None:
        """Take the room that a file will need, from those that nobody uses, the longest unused first."""
        with locked_file(part.parent / "lock", wait=True):
            files = sorted((stat.st_mtime_ns, stat.st_size, path) for path, stat in _files(part.parent) if path != part)
            total = sum(held for _, held, _ in files)
            if size > self._most or size + ROOM > total + shutil.disk_usage(part.parent).free:
                raise GivenUpError  # before others are deleted in vain
            for _, held, path in files:
                if total + size <= self._most and shutil.disk_usage(part.parent).free >= size + ROOM:
                    break
                total -= held if _removed(path) else 0
            if total + size > self._most or shutil.disk_usage(part.parent).free < size + ROOM:
                raise GivenUpError
            with part.open("wb") as file:
                file.truncate(size)


def _key(sha256: str, sr_in: int, sr: int) -> dict[str, Any]:
    """Return all that the samples depend on."""
    made_by, resampler = _versions()
    return {
        "format": FORMAT, "sha256": sha256, "sr_in": sr_in, "sr": sr, "decoder": made_by,
        "resampler": None if sr == sr_in else resampler, "machine": f"{platform.system()} {platform.machine()}",
    }  # fmt: skip


@lru_cache(maxsize=1)  # looking up what is installed takes longer than reading a stretch
def _versions() -> tuple[str, str]:
    import soxr

    return decoder(), f"soxr {soxr.__version__}, libsoxr {soxr.__libsoxr_version__}"


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in sorted(folder.iterdir()):
        if path.suffix in (".samples", ".part"):
            with suppress(OSError):  # just deleted
                yield path, path.stat()


def _removed(path: Path) -> bool:
    """Delete a file unless somebody reads it, or makes it."""
    try:
        making = path.suffix == ".part"
        with locked_file(path.with_name(f"{path.name.lstrip('.')[:2]}.lock") if making else path):
            pass
        path.unlink()
    except OSError:
        return False
    return True


def _is_whole(path: Path, key: Mapping[str, Any]) -> bool:
    try:
        read_head(path, key)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True
