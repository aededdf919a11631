"""What a scan measures of a file (hash, length, active part), and the cache that spares measuring it again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np

from audiosynth.acoustics.sofa import SOFA_SUFFIX, read_sofa
from audiosynth.clip import Array, Part
from audiosynth.errors import AssetError
from audiosynth.files.decoding import LOSSY_SUBTYPES, LOSSY_SUFFIXES, Decoded, decode_fully
from audiosynth.files.mpeg import Untold, untold
from audiosynth.files.paths import is_there, read_bytes, stat_of

INDEX_VERSION: Final = 1
FRAME_RATE: Final = 100
"""Frames per second for the active part: 10 ms each."""


@dataclass(frozen=True)
class Measured:
    """What is known of a file without decoding it again; `first` and `last` bound its active part, in samples.

    A SOFA file holds many `measurements` of `n_channels` microphones; of an audio file there are none. `untold` is who made
    an MP3 that does not say how late its sound is (`audiosynth.files.mpeg`).
    """

    sha256: str
    sr: int
    n_channels: int
    n_samples: int
    first: int
    last: int
    lossy: bool
    measurements: int = 0
    untold: Untold = ""

    @classmethod
    def parse(cls, raw: Any) -> Measured | None:
        """Return an entry of the cache, or None if it cannot be one."""
        if not isinstance(raw, dict) or raw.keys() != cls.__dataclass_fields__.keys():
            return None
        *numbers, sha256 = (
            raw[key] for key in ("sr", "n_channels", "n_samples", "first", "last", "measurements", "sha256")
        )
        if any(type(number) is not int for number in numbers) or not isinstance(sha256, str):
            return None
        sane = len(sha256) == 64 and set(sha256) <= set("0123456789abcdef") and isinstance(raw["lossy"], bool)
        sane = sane and raw["untold"] in ("", "lame", "other")
        inside = raw["sr"] > 0 and raw["n_channels"] > 0 and 0 <= raw["first"] < raw["last"] <= raw["n_samples"]
        return cls(**raw) if sane and inside else None


def measure(file: Path, *, trim_db: float | None) -> Measured:
    """Decode a file once and return what a catalogue needs of it.

    Raises
    ------
    AssetError
        If it is empty, unreadable, damaged, or silent from end to end.
    """
    data = read_bytes(file)
    if file.suffix.casefold() == SOFA_SUFFIX:
        responses = read_sofa(file, data=data)
        m, r, _, n = responses.ir.shape
        return Measured(hashlib.sha256(data).hexdigest(), responses.sr, r, n, 0, n, lossy=False, measurements=m)
    y, sr, subtype = decode_fully(data, str(file))
    if not y.any():
        raise AssetError(f"{file}: silent, every sample is 0; a recording without sound has no level; leave it out")
    first, last = (0, y.shape[1]) if trim_db is None else active_part(y, sr, trim_db=trim_db)
    digest = hashlib.sha256(data).hexdigest()
    late = untold(data) if subtype == "MPEG_LAYER_III" else ""
    return Measured(digest, sr, y.shape[0], y.shape[1], first, last, subtype in LOSSY_SUBTYPES, untold=late)


def active_part(y: Array, sr: int, *, trim_db: float) -> tuple[int, int]:
    """Return the first and one-past-last sample that are not leading or trailing silence.

    Parameters
    ----------
    y
        Shape (n_channels, n_samples), not silent.
    sr
        Rate in Hz.
    trim_db
        Threshold in dB relative to the loudest frame.

    Notes
    -----
    Frames of 10 ms are held against the power of the loudest one plus `trim_db`; digital silence is never active. Within
    the first frame above it the first sample whose power is above it begins the active part, and within the last such
    frame the last one ends it: a frame above the threshold has such a sample, as its mean is above it.

    Examples
    --------
    >>> active_part(np.array([[0.0] * 80 + [0.5] * 160 + [0.0] * 80]), 8000, trim_db=-60)
    (80, 240)
    """
    power = np.square(y).sum(axis=0) / y.shape[0]
    hop = max(1, sr // FRAME_RATE)
    starts = np.arange(0, power.size, hop)
    frames = np.add.reduceat(power, starts) / np.diff(np.append(starts, power.size))
    threshold = float(frames.max()) * 10.0 ** (trim_db / 10.0)
    loud = np.flatnonzero(frames > threshold)
    head = power[starts[loud[0]] :]
    tail = power[: starts[loud[-1]] + hop]
    first = int(starts[loud[0]]) + int(np.argmax(head > threshold))
    last = tail.size - int(np.argmax(tail[::-1] > threshold))
    return first, last


def lossy_by_suffix(path: str) -> bool:
    """Return whether a file of this name is taken for lossy unless its catalogue entry says otherwise."""
    return PurePosixPath(path).suffix.casefold() in LOSSY_SUFFIXES


def decoder() -> str:
    """Return what decodes recordings, with its version: the libsndfile that is loaded, however it came here."""
    import soundfile

    return f"soundfile {metadata.version('soundfile')}, libsndfile {soundfile.__libsndfile_version__}"


def default_cache_dir() -> Path | None:
    """Return ``$AUDIOSYNTH_CACHE``, or ``~/.cache/audiosynth``; None if there is no home."""
    if os.environ.get("AUDIOSYNTH_CACHE"):
        return Path(os.environ["AUDIOSYNTH_CACHE"])
    try:
        return Path.home() / ".cache" / "audiosynth"
    except RuntimeError:
        return None


class IndexCache:
    """Measurements of files that have not changed since (by path, size and time); only ever a speed-up.

    A cache that is damaged, unwritable, of another version or another decoder is as good as none. A file that changed
    behind its size and time is found out when it is rendered, by its hash.

    Parameters
    ----------
    folder
        Where caches are kept; None keeps none.
    root
        The data root.
    trim_db
        Threshold of the active part.
    """

    def __init__(self, folder: Path | None, root: Path, *, trim_db: float | None) -> None:
        self._root = root
        self._key = {
            "index": INDEX_VERSION,
            "decoder": decoder(),
            "root": str(root.resolve()),
            "trim_db": trim_db,
        }
        name = hashlib.sha256(json.dumps(self._key, sort_keys=True).encode()).hexdigest()[:24]
        self._file = None if folder is None else folder / f"index-{name}.json"
        self._entries: dict[str, Any] = self._read()
        self._changed = False
        self._last: tuple[Path, Decoded] | None = None

    def _read(self) -> dict[str, Any]:
        if self._file is None:
            return {}
        try:
            tree = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        files = tree.get("files") if isinstance(tree, Mapping) and tree.get("key") == self._key else None
        return files if isinstance(files, dict) else {}

    def measured(self, path: str, file: Path, *, trim_db: float | None) -> Measured:
        """Return the measurements of a file, from the cache if it has not changed.

        Raises
        ------
        AssetError
            As `measure` does.
        """
        stat = list(stat_of(file))
        entry = self._entries.get(path)
        if isinstance(entry, dict) and entry.get("stat") == stat:
            known = Measured.parse(entry.get("measured"))
            if known is not None:
                return known
        made = measure(file, trim_db=trim_db)
        self._entries[path] = {"stat": stat, "measured": asdict(made)}
        self._changed = True
        return made

    def untold(self, path: str) -> Untold:
        """Return who made a file that was `measured` before, if it is an MP3 that does not say how late its sound is."""
        found: Untold = self._entries[path]["measured"]["untold"]
        return found

    def part(self, path: str, file: Path, part: Part, *, trim_db: float | None) -> tuple[int, int]:
        """Return the active part of a part of a file that was `measured` before, from its first sample on.

        Raises
        ------
        AssetError
            If it is silent, or the file cannot be read.
        """
        known = self._entries[path].setdefault("parts", {})
        key = f"{part.first}-{part.last}-{part.channel}"
        found = known.get(key)
        sane = isinstance(found, list) and len(found) == 2 and all(type(n) is int for n in found)
        if not sane or not 0 <= found[0] < found[1] <= part.last - part.first:
            known[key] = found = list(self._measured_part(file, part, trim_db))
            self._changed = True
        return found[0], found[1]

    def _measured_part(self, file: Path, part: Part, trim_db: float | None) -> tuple[int, int]:
        if self._last is None or self._last[0] != file:
            self._last = file, decode_fully(read_bytes(file), str(file))
        channels = slice(None) if part.channel is None else slice(part.channel, part.channel + 1)
        y, sr = self._last[1].y[channels, part.first : part.last], self._last[1].sr
        if not y.any():
            raise AssetError(f"{file}: silent from {part.first / sr:g} to {part.last / sr:g} s; leave it out")
        return (0, y.shape[1]) if trim_db is None else active_part(y, sr, trim_db=trim_db)

    def save(self) -> None:
        """Write the cache by rename if anything in it is new; entries of files that are gone are dropped."""
        if self._file is None or not self._changed:
            return
        kept = {path: entry for path, entry in self._entries.items() if is_there(self._root / path)}
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}.tmp")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"key": self._key, "files": kept}), encoding="utf-8")
            temporary.replace(self._file)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
