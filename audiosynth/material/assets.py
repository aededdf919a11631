"""Recordings as rendering sees them: decoded, checked against their hash, resampled, kept while there is room.

The only place where audio files are read. What a plan knows of them stands in the catalogue index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np

from audiosynth import dsp
from audiosynth.acoustics.sofa import Sofa, read_sofa
from audiosynth.clip import CREDIT_FIELDS, Array, Part, Recording
from audiosynth.errors import AssetError
from audiosynth.files.archives import elsewhere
from audiosynth.files.decoding import LOSSY_SUFFIXES, decode
from audiosynth.files.paths import below, files_below, nfc, read_bytes
from audiosynth.material.channels import mean
from audiosynth.material.kept import Kept
from audiosynth.material.parts import cut

MAX_BYTES: Final = 2**30
"""Most memory held by decoded recordings, in bytes, unless told otherwise."""


class AssetStore:
    """Decoded recordings by content, within a bounded memory; one per process.

    Parameters
    ----------
    roots
        Folder (or folders) of each data root.
    max_bytes
        Most memory held by decoded and resampled recordings; one that is larger than that is held beside them, the last.

    Notes
    -----
    A file's bytes are hashed before they are decoded, and the same bytes are decoded, so that what is heard is what
    the plan saw. A file that is not at its path, or is another one, is looked for by its SHA-256 under all roots.
    """

    def __init__(self, roots: Mapping[str, Path | Sequence[Path]], *, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self._roots: dict[str, tuple[Path, ...]] = {}
        self._held: Kept[Array] = Kept(max_bytes)
        self._large: tuple[object, Array] | None = None
        self._sofas: Kept[Sofa] = Kept(max_bytes)
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
        if "measurements" in recording.meta:
            raise AssetError(
                f"{recording.data}:{recording.path} is a set of responses (SOFA), no sound; use it in `room: {{type: measured}}`"
            )
        held = self._get(_key(recording, sr))
        if held is not None:
            return held
        stored = self._get(_key(recording, recording.sr))
        if stored is None:
            n = dsp.resampled_length(recording.n_samples, sr_in=recording.sr, sr_out=sr)
            if n * recording.n_channels * 8 > self.max_bytes:
                self._large = None  # before the next one takes as much
            stored = self._decoded(recording)
        return self._resampled(stored, recording, sr)

    def mono(self, recording: Recording, sr: int) -> Array:
        """Return the mean of the channels of the whole recording at rate `sr`, shape (1, n_samples); read-only.

        Raises
        ------
        AssetError
            As `samples` does.
        """
        held = self._get((*_key(recording, sr), "mono"))
        if held is not None:
            return held
        return self._hold((*_key(recording, sr), "mono"), mean(self.samples(recording, sr)))

    def _get(self, key: object) -> Array | None:
        if self._large is not None and self._large[0] == key:
            return self._large[1]
        return self._held.get(key)

    def sofa(self, recording: Recording) -> Sofa:
        """Return a SOFA file's responses at the file's rate, and where their sources stood.

        Raises
        ------
        AssetError
            If the file is missing, changed, or not what the catalogue says.
        """
        found = self._sofas.get(recording.sha256)
        if found is None:
            path, data = self._bytes_of(recording)
            found = read_sofa(path, data=data)
            self._sofas.put(recording.sha256, found, found.ir.nbytes)
        return found

    def measurement(self, recording: Recording, sr: int, number: int) -> Array:
        """Return one measurement of a SOFA file at rate `sr`, delays applied, shape (n_receivers, n_samples); read-only."""
        held = self._get((*_key(recording, sr), number))
        if held is not None:
            return held
        return self._resampled(self.sofa(recording).measurement(number), recording, sr, number)

    def _resampled(self, y: Array, recording: Recording, sr: int, *number: int) -> Array:
        moved = np.ascontiguousarray(dsp.resample(y, sr_in=recording.sr, sr_out=sr))
        return self._hold((*_key(recording, sr), *number), moved)

    def _hold(self, key: object, y: Array) -> Array:
        y.flags.writeable = False
        if y.nbytes <= self.max_bytes:
            self._held.put(key, y, y.nbytes)
        else:
            self._large = key, y
        return y

    def _bytes_of(self, recording: Recording) -> tuple[Path, bytes]:
        """Return where a recording's file is, and its bytes, which are those that were planned with."""
        path = self.locate(recording)
        data = read_bytes(path)
        got = hashlib.sha256(data).hexdigest()
        if got == recording.sha256:
            return path, data
        found = self.find_by_hash(recording.sha256, like=recording.path)
        if found is not None:
            data = read_bytes(found)
            if hashlib.sha256(data).hexdigest() == recording.sha256:
                return found, data
        raise AssetError(
            f"{path}: the file changed: expected sha256 {recording.sha256}, got {got}; bring back the file that was used "
            "(under any name, in any folder given by --data), or plan the dataset again from the recipe"
        )

    def _decoded(self, recording: Recording) -> Array:
        if recording.part is not None:
            return self._cut(recording, recording.part)
        path, data = self._bytes_of(recording)
        y, sr = decode(data, str(path))
        expected = (recording.sr, recording.n_channels, recording.n_samples)
        if (sr, *y.shape) != expected:
            raise AssetError(
                f"{path}: expected (sr, channels, samples) {expected} as recorded, got {(sr, *y.shape)}; the row was edited, "
                "or this version of libsndfile decodes the file otherwise"
            )
        return y

    def _cut(self, recording: Recording, part: Part) -> Array:
        """Return a part of a file; the file is kept, as its other parts are likely to be asked for next."""
        y = self._get((recording.sha256, "file", recording.sr))
        if y is None:
            path, data = self._bytes_of(recording)
            y, sr = decode(data, str(path))
            if sr != recording.sr:
                raise AssetError(f"{path}: expected {recording.sr} Hz as recorded, got {sr}; the row was edited")
            self._hold((recording.sha256, "file", sr), y)
        return cut(y, recording, part)

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
            Its path when it was used: files of that name are tried first, then those of that suffix, then all others.
        """
        for path in self._candidates(PurePosixPath(like)):
            if path not in self._hashes:
                try:
                    self._hashes[path] = hashlib.sha256(read_bytes(path)).hexdigest()
                except AssetError:
                    continue
            if self._hashes[path] == sha256:
                return path
        return None

    def _candidates(self, like: PurePosixPath) -> list[Path]:
        if self._listed is None:
            roots = dict.fromkeys(root for folders in self._roots.values() for root in folders)
            self._listed = tuple(path for root in roots for path in files_below(root))
        name, suffix = nfc(like.name).casefold(), like.suffix.casefold()
        files = sorted(self._listed, key=lambda p: (nfc(p.name).casefold() != name, p.suffix.casefold() != suffix))
        return [*elsewhere(self._listed, like), *files]

    def rows(self, recordings: Iterable[Recording]) -> list[dict[str, Any]]:
        """Return a row for `assets.jsonl` for each recording: where it is, its hash and size, and whom to credit."""
        rows = []
        for recording in recordings:
            path = self.locate(recording)
            size = path.stat().st_size if path.is_file() else len(read_bytes(path))
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


def _key(recording: Recording, sr: int) -> tuple[object, ...]:
    part = recording.part
    return (recording.sha256, sr, *(() if part is None else (part.first, part.last, part.channel)))


def lossy(recording: Recording) -> bool:
    """Return whether decoders may differ in the last bits: Vorbis, Opus, MP3 (the scan notes it in ``meta.lossy``
    where the suffix does not tell).

    Examples
    --------
    >>> lossy(Recording(data="d", path="a.ogg", sha256="0" * 64, sr=8000, n_channels=1, n_samples=1, active=(0, 1)))
    True
    """  # noqa: D205
    if "lossy" in recording.meta:
        return bool(recording.meta["lossy"])
    return recording.path.casefold().endswith(tuple(LOSSY_SUFFIXES))


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
