"""Audio files: the same bytes every time, in one go or in parts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.errors import ParameterError
from audiosynth.files.containers import Encoder, check_format, wav_bytes_header
from audiosynth.pcm import PCM_DTYPES, Pcm, interleaved, subtype_of

_JOINED: Final = 2**20
"""Most bytes of samples that are copied to stand behind the head: one write and one hash where there were two."""


def write_audio(
    path: str | Path, pcm: Pcm, *, sr: int, container: str, subtype: str, comment: str | None = None, clip_id: str = ""
) -> str:
    """Write one file in one go, the same bytes every time, and return the SHA-256 of its bytes.

    Parameters
    ----------
    path
        Written as it is; temporary names and renames are the caller's.
    pcm
        Shape (n_channels, n_samples): int16 for ``PCM_16``, int32 for ``PCM_24``, floats for ``FLOAT`` (float64
        is rounded to float32). The lossy containers encode these samples divided by full scale.
    sr
        Rate in Hz.
    container, subtype
        ``wav``, ``flac``, ``ogg`` (Vorbis), ``opus``, ``mp3``; ``PCM_16``, ``PCM_24``, ``FLOAT``.
    comment
        Text for the file's comment tag.
    clip_id
        The serial number of Ogg streams is derived from it.

    Raises
    ------
    ParameterError
        If the container cannot hold this (`check_format`), or the samples are not of the subtype.
    """
    file = AudioFile(
        path, pcm.shape[1], pcm.shape[0], sr=sr, container=container, subtype=subtype, comment=comment, clip_id=clip_id
    )
    with file:
        file.write(pcm)
    return file.sha256


class AudioFile:
    """A file that is written in parts: the bytes of `write_audio`, whose parameters these are.

    Every part but the last is a multiple of `containers.CHUNK_FRAMES` samples. After the `with` block, `sha256` is the hash of
    the file's bytes.
    """

    def __init__(
        self, path: str | Path, n_samples: int, n_channels: int, *, sr: int, container: str, subtype: str,
        comment: str | None = None, clip_id: str = "",
    ) -> None:  # fmt: skip
        check_format(container=container, subtype=subtype, sr=sr, n_channels=n_channels)
        self._path, self._container, self._subtype = path, container, subtype
        self._digest, self._size, self._encoder, self.sha256 = hashlib.sha256(), 0, None, ""
        if container == "wav":
            self._head = wav_bytes_header(n_samples, sr=sr, n_channels=n_channels, subtype=subtype, comment=comment)
        else:
            serial = int.from_bytes(hashlib.sha256(b"audiosynth-ogg/1/" + clip_id.encode()).digest()[:4], "big")
            options: dict[str, Any] = {"sr": sr, "n_channels": n_channels, "comment": comment, "serial": serial}
            self._head, self._encoder = b"", Encoder(container, subtype=subtype, **options)

    def __enter__(self) -> AudioFile:
        # half the cost of Path.open, and closed by __exit__; what is written is large already
        self._file = open(self._path, "wb", buffering=0)  # noqa: PTH123
        return self

    def write(self, pcm: Pcm) -> None:
        """Write the next samples, shape (n_channels, n)."""
        if pcm.dtype == np.float64:
            pcm = pcm.astype(np.float32)
        if subtype_of(pcm) != self._subtype:
            raise ParameterError(
                f"{self._subtype} is written from {PCM_DTYPES[self._subtype].name} samples, got {pcm.dtype}"
            )
        frames = interleaved(pcm, self._subtype)
        if self._encoder is not None:
            self._encoder.write(_for_encoder(frames, self._container))
            return
        raw = frames.view(np.uint8).reshape(-1)
        if self._subtype == "PCM_24":
            raw = np.ascontiguousarray(raw.reshape(-1, 4)[:, :3]).reshape(-1)
        self._size += raw.size
        self._put(raw.data)

    def __exit__(self, *exc: object) -> None:
        with self._file:
            rest = b"\0" * (self._size % 2) if self._encoder is None else self._encoder.close()
            if rest or self._head:
                self._put(rest)
        self.sha256 = self._digest.hexdigest()

    def _put(self, data: Any) -> None:
        if self._head:
            head, self._head = self._head, b""
            if len(data) <= _JOINED:
                data = head + data
            else:
                self._put(head)
        self._digest.update(data)
        written = self._file.write(data)
        while written < len(data):  # a full disk ends this with its error
            written += self._file.write(memoryview(data)[written:])


def _for_encoder(frames: npt.NDArray[Any], container: str) -> npt.NDArray[Any]:
    """Return integers as flac wants them (24 bits left-justified in 32), or floats for the lossy encoders."""
    if container == "flac":
        return frames << 8 if frames.dtype.itemsize == 4 else frames
    full_scale = {2: 2.0**15, 4: 2.0**23}[frames.dtype.itemsize] if frames.dtype.kind == "i" else 1.0
    return frames / full_scale
