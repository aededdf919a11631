"""Recordings as rendering sees them: decoded, checked against their hash, resampled, kept while there is room.

The only place where audio files are read. What a plan knows of them stands in the catalogue index.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import numpy as np

from audiosynth import dsp
from audiosynth.clip import CREDIT_FIELDS, Array, Recording
from audiosynth.decoding import LOSSY_SUFFIXES, decode
from audiosynth.errors import AssetError, RenderError, did_you_mean
from audiosynth.paths import below, files_below, nfc, read_bytes

MAX_BYTES: Final = 2**30
"""Most memory held by decoded recordings, in bytes, unless told otherwise."""

Channel = int | Literal["mix", "all"]


class AssetStore:
    """Decoded recordings by content, within a bounded memory; one per process.

    Parameters
    ----------
    roots
        Folder (or folders) of each data root.
    max_bytes
        Most memory held by decoded and resampled recordings.

    Notes
    -----
    A file's bytes are hashed before they are decoded, and the same bytes are decoded, so that what is heard is what
    the plan saw. A file that is not at its path is looked for by its SHA-256 under all roots.
    """

    def __init__(self, roots: Mapping[str, Path | Sequence[Path]], *, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self._roots: dict[str, tuple[Path, ...]] = {}
        self._held: OrderedDict[tuple[str, int], Array] = OrderedDict()
        self._bytes = 0
        self._hashes: dict[Path, str] = {}
        self._listed: tuple[Path, ...] | None = None
        self.add_roots(roots)

    def add_roots(self, roots: Mapping[str, Path | Sequence[Path]]) -> None:
        """Look in these folders as well."""
        for name, folders in roots.items():
            more = (Path(folders),) if isinstance(folders, str | Path) else tuple(Path(f) for f in folders)
            known = self._roots.get(name, ())
            self._roots[name] = tuple(dict.fromkeys((*known, *more)))
            if self._roots[name] != known:
                self._listed = None

    def samples(self, recording: Recording, sr: int) -> Array:
        """Return the whole recording at rate `sr`, float64, shape (n_channels, n_samples); read-only.

        Raises
        ------
        AssetError
            If the file is missing, changed, or decodes to something else than the catalogue says.
        """
        key = (recording.sha256, sr)
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
            return held
        stored = self._held.get((recording.sha256, recording.sr))
        y = self._decoded(recording) if stored is None else stored
        moved = np.ascontiguousarray(dsp.resample(y, sr_in=recording.sr, sr_out=sr))
        moved.flags.writeable = False
        self._keep(key, moved)
        return moved

    def _keep(self, key: tuple[str, int], y: Array) -> None:
        if y.nbytes > self.max_bytes:
            return
        self._held[key] = y
        self._bytes += y.nbytes
        while self._bytes > self.max_bytes:
            _, old = self._held.popitem(last=False)
            self._bytes -= old.nbytes

    def _decoded(self, recording: Recording) -> Array:
        path = self.locate(recording)
        data = read_bytes(path)
        got = hashlib.sha256(data).hexdigest()
        if got != recording.sha256:
            raise AssetError(
                f"{path}: the file changed: expected sha256 {recording.sha256}, got {got}; bring back the file that was "
                "used, or plan the dataset again from the recipe"
            )
        y, sr = decode(data, str(path))
        expected = (recording.sr, recording.n_channels, recording.n_samples)
        if (sr, *y.shape) != expected:
            raise AssetError(
                f"{path}: expected (sr, channels, samples) {expected} as recorded, got {(sr, *y.shape)}; the row was edited, "
                "or this version of libsndfile decodes the file otherwise"
            )
        return y

    def locate(self, recording: Recording) -> Path:
        """Return where the recording's file is.

        Raises
        ------
        AssetError
            If it is at its path under none of the roots, nor anywhere below them by its hash.
        """
        for root in self._roots.get(recording.data, ()):
            path = below(root, recording.path)
            if path is not None:
                return path
        found = self.find_by_hash(recording.sha256, like=recording.path)
        if found is not None:
            return found
        tried = ", ".join(str(p) for paths in self._roots.values() for p in paths) or "no folder at all"
        raise AssetError(
            f"{recording.data}:{recording.path} (sha256 {recording.sha256[:16]}…) is missing; looked in {tried}; say where it "
            f"is with --data {recording.data}=DIR (any folder that holds the file, under whatever name)"
        )

    def find_by_hash(self, sha256: str, *, like: str = "") -> Path | None:
        """Return a file with this hash under any root, or None.

        Parameters
        ----------
        sha256
            Of the file's bytes.
        like
            Its path when it was used: files of that name are tried first, then those of that suffix (all if empty).
        """
        for path in self._candidates(PurePosixPath(like)):
            if path not in self._hashes:
                try:
                    self._hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest()
                except OSError:
                    continue
            if self._hashes[path] == sha256:
                return path
        return None

    def _candidates(self, like: PurePosixPath) -> list[Path]:
        if self._listed is None:
            roots = dict.fromkeys(root for folders in self._roots.values() for root in folders)
            self._listed = tuple(path for root in roots for path in files_below(root))
        files = [p for p in self._listed if not like.suffix or p.suffix.casefold() == like.suffix.casefold()]
        return sorted(files, key=lambda path: nfc(path.name).casefold() != like.name.casefold())

    def rows(self, recordings: Iterable[Recording]) -> list[dict[str, Any]]:
        """Return a row for `assets.jsonl` for each recording: where it is, its hash and size, and whom to credit."""
        rows = []
        for recording in recordings:
            size = self.locate(recording).stat().st_size
            credit = {key: recording.meta[key] for key in (*CREDIT_FIELDS, "label") if recording.meta.get(key)}
            head = {"path": recording.path, "data": recording.data, "sha256": recording.sha256, "bytes": size}
            rows.append({**head, "licence": "", "author": "", **credit})
        return rows

    def decoders(self, recordings: Iterable[Recording]) -> tuple[str, ...]:
        """Return the library that must be the same for the same samples, as ``name==version``; empty if none."""
        if not any(lossy(recording) for recording in recordings):
            return ()
        import soundfile

        return (f"libsndfile=={soundfile.__libsndfile_version__}",)


def lossy(recording: Recording) -> bool:
    """Return whether decoders may differ in the last bits: Vorbis, Opus, MP3 (the scan notes it in ``meta.lossy``
    where the suffix does not tell).

    Examples
    --------
    >>> lossy(Recording(data="d", path="a.ogg", sha256="0" * 64, sr=8000, n_channels=1, n_samples=1, active=(0, 1)))
    True
    """  # noqa: D205
    suffix = PurePosixPath(recording.path).suffix.casefold()
    return bool(recording.meta.get("lossy", suffix in LOSSY_SUFFIXES))


def pick_channels(y: Array, channel: Channel, *, n_channels: int, name: str) -> Array:
    """Return one channel by number, the ``mix`` (mean) of all, or ``all`` as they are, shape (1 or n_channels, n).

    Raises
    ------
    RenderError
        If ``all`` are not as many as the clip has, or there is no such channel.
    """
    if channel == "all":
        if y.shape[0] != n_channels:
            raise RenderError(
                f"{name} has {y.shape[0]} channels and the clip {n_channels}; say `channel: mix`, choose one with "
                f"`channel: 0`, or give the clip {y.shape[0]} channels"
            )
        return y
    if channel == "mix":
        # One channel after the other: the same bits however the recording is cut.
        total = y[:1].copy()
        for row in y[1:]:
            total += row
        return total / y.shape[0] if y.shape[0] > 1 else total
    if channel >= y.shape[0]:
        raise RenderError(f"{name} has {y.shape[0]} channels (numbered from 0), so there is no channel {channel}")
    return y[channel : channel + 1]


def resampled_active(recording: Recording, sr: int) -> tuple[int, int]:
    """Return the active part of a recording in samples at rate `sr`, rounded outwards in exact integers.

    Examples
    --------
    >>> made = Recording(data="d", path="a.wav", sha256="0" * 64, sr=44100, n_channels=1, n_samples=44100, active=(1, 22050))
    >>> resampled_active(made, 16000)
    (0, 8000)
    """
    return _scaled(recording.active, recording.n_samples, recording.sr, sr)


@lru_cache(maxsize=65_536)  # planning asks again and again for the same few thousand recordings
def _scaled(active: tuple[int, int], n_samples: int, sr_in: int, sr_out: int) -> tuple[int, int]:
    n = dsp.resampled_length(n_samples, sr_in=sr_in, sr_out=sr_out)
    first, last = active
    return min(n - 1, first * sr_out // sr_in), min(n, -(-last * sr_out // sr_in))


def environment_name(name: str) -> str:
    """Return the environment variable of a data root.

    Examples
    --------
    >>> environment_name("my-words")
    'AUDIOSYNTH_DATA_MY_WORDS'
    """
    return f"AUDIOSYNTH_DATA_{name.upper().replace('-', '_')}"


def resolve_roots(
    declared: Mapping[str, str],
    overrides: Mapping[str, str],
    base: Path,
    environ: Mapping[str, str] | None = None,
    *,
    missing_ok: bool = False,
) -> dict[str, Path]:
    """Return the folder of each declared data root.

    Parameters
    ----------
    declared
        Folder by name as the recipe has it, relative to `base`; empty if it has none.
    overrides
        From ``--data NAME=DIR``, relative to the working directory; they win over the environment, and that over the recipe.
    base
        The recipe's folder.
    environ
        Where to look for ``AUDIOSYNTH_DATA_<NAME>``; the process's environment if None.
    missing_ok
        Leave out names that have no folder at all; a folder that was given must be there all the same.

    Raises
    ------
    AssetError
        If a folder is missing; all of them at once.
    """
    environ = os.environ if environ is None else environ
    roots, missing = {}, []
    for name, entry in declared.items():
        given = overrides.get(name) or environ.get(environment_name(name))
        folder = Path(given).expanduser() if given else base / Path(entry).expanduser() if entry else None
        if folder is not None and folder.is_dir():
            roots[name] = folder
        elif folder is not None or not missing_ok:
            place = f"{folder} is not a folder" if folder is not None else "no folder was given"
            near = did_you_mean(name, [other for other in overrides if other not in declared])
            missing.append(
                f"data root '{name}': {place}; give it with --data {name}=DIR, with the environment variable "
                f"{environment_name(name)}=DIR, or in the recipe as `data: {{{name}: DIR}}`{near.replace('did you mean', 'was it given as')}"
            )
    if missing:
        raise AssetError("\n".join(missing))
    return roots
