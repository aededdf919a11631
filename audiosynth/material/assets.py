"""Recordings as rendering sees them: decoded, checked against their hash, resampled, kept while there is room.

Here, and in what stands under it for large ones, audio files are read, and nowhere else. What a plan knows of them stands in the catalogue index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from audiosynth import dsp
from audiosynth.acoustics.sofa import Sofa, read_sofa
from audiosynth.clip import CREDIT_FIELDS, Array, Part, Recording
from audiosynth.errors import AssetError
from audiosynth.files.decoding import LOSSY_SUFFIXES, decode
from audiosynth.files.paths import read_bytes
from audiosynth.kept import Kept
from audiosynth.material.channels import mean
from audiosynth.material.decoded import DecodedFiles
from audiosynth.material.large import LargeRecordings, is_large
from audiosynth.material.parts import cut
from audiosynth.material.whereabouts import Whereabouts

MAX_BYTES: Final = 2**30
"""Most memory held by decoded recordings, in bytes, unless told otherwise."""
_LOSSY: Final = tuple(LOSSY_SUFFIXES)
FIRST_BYTES: Final = 2**25
"""Memory that they take until one is asked for again that had to leave."""


class AssetStore:
    """Decoded recordings by content, within a bounded memory; one per process.

    Parameters
    ----------
    roots
        Folder (or folders) of each data root.
    max_bytes
        Most memory held by decoded and resampled recordings; one that is larger than that is held beside them, the last.
    decoded
        Where large recordings are kept decoded on disk; in the user's cache if None.

    Notes
    -----
    A file's bytes are hashed before they are decoded, and the same bytes are decoded, so that what is heard is what
    the plan saw. A file that is not at its path, or is another one, is looked for by its SHA-256 under all roots.
    """

    def __init__(
        self,
        roots: Mapping[str, Path | Sequence[Path]],
        *,
        max_bytes: int = MAX_BYTES,
        decoded: DecodedFiles | None = None,
    ) -> None:
        self.max_bytes = max_bytes
        self._places = places = Whereabouts(roots)
        self._held: Kept[Array] = Kept(max_bytes, FIRST_BYTES)
        self._large: tuple[object, Array] | None = None
        self._on_disk = LargeRecordings(places, decoded or DecodedFiles.of_user())
        self._sofas: Kept[Sofa] = Kept(max_bytes)

    def add_roots(self, roots: Mapping[str, Path | Sequence[Path]]) -> None:
        """Look in these folders as well."""
        self._places.add(roots)

    def locate(self, recording: Recording) -> Path:
        """Return where a recording's file is (`Whereabouts.locate`)."""
        return self._places.locate(recording)

    def find_by_hash(self, sha256: str, *, like: str = "") -> Path | None:
        """Return a file with this hash under any root, or None (`Whereabouts.find_by_hash`)."""
        return self._places.find_by_hash(sha256, like=like)

    def samples(self, recording: Recording, sr: int) -> Array:
        """Return the whole recording at rate `sr`, float64, shape (n_channels, n_samples); read-only.

        Raises
        ------
        AssetError
            If the file is missing, changed, or decodes to something else than the catalogue says.
        """
        held = self._get(_key(recording, sr))
        return self._made(recording, sr) if held is None else held

    def stretch(self, recording: Recording, sr: int, first: int, last: int) -> Array:
        """Return samples [first, last) of a recording at rate `sr`, shape (n_channels, last - first); not to be written to.

        The same as that slice of `samples`; of a large recording (`audiosynth.material.large`) no more than that is read.

        Raises
        ------
        AssetError
            As `samples` does.
        """
        held = self._get(_key(recording, sr))
        if held is not None:
            return held[:, first:last]
        if is_large(recording, sr):
            last = min(last, dsp.resampled_length(recording.n_samples, sr_in=recording.sr, sr_out=sr))
            y = self._on_disk.stretch(recording, sr, min(first, last), last)
            if y is not None:
                return y
        return self._made(recording, sr)[:, first:last]

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
            path, data = self._places.bytes_of(recording)
            found = read_sofa(path, data=data)
            self._sofas.put(recording.sha256, found, found.ir.nbytes)
        return found

    def measurement(self, recording: Recording, sr: int, number: int) -> Array:
        """Return one measurement of a SOFA file at rate `sr`, delays applied, shape (n_receivers, n_samples); read-only."""
        held = self._get((*_key(recording, sr), number))
        if held is not None:
            return held
        return self._resampled(self.sofa(recording).measurement(number), recording, sr, number)

    def _made(self, recording: Recording, sr: int) -> Array:
        """Return a recording that is not held at this rate."""
        if "measurements" in recording.meta:
            raise AssetError(
                f"{recording.data}:{recording.path} is a set of responses (SOFA), no sound; use it in `room: {{type: measured}}`"
            )
        stored = None if sr == recording.sr else self._get(_key(recording, recording.sr))
        if stored is None:
            n = dsp.resampled_length(recording.n_samples, sr_in=recording.sr, sr_out=sr)
            if n * recording.n_channels * 8 > self.max_bytes:
                self._large = None  # before the next one takes as much
            stored = self._decoded(recording)
        return self._resampled(stored, recording, sr)

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

    def _decoded(self, recording: Recording) -> Array:
        if recording.part is not None:
            return self._cut(recording, recording.part)
        path, data = self._places.bytes_of(recording)
        y, sr = decode(data, path)
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
            found = self._on_disk.part(recording)
            if found is not None:
                return found
            path, data = self._places.bytes_of(recording)
            y, sr = decode(data, path)
            if sr != recording.sr:
                raise AssetError(f"{path}: expected {recording.sr} Hz as recorded, got {sr}; the row was edited")
            self._hold((recording.sha256, "file", sr), y)
        return cut(y, recording, part)

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
    if part is None:
        return recording.sha256, sr
    return recording.sha256, sr, part.first, part.last, part.channel


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
    return recording.path.casefold().endswith(_LOSSY)


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
