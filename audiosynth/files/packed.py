"""Audio of a set that lies in tar files: a folder of clips and the tar that takes its place, read without unpacking."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from audiosynth.errors import AssetError
from audiosynth.files.archives import names_in

_DEEP: Final = 3
"""Folders above a clip: audio/<split>/<number>."""


def packed_place(name: str) -> tuple[str, str]:
    """Return the tar and the member that hold what would be the file at POSIX path `name` below a set.

    A member's name has its clip's id before the first dot, as WebDataset wants it.

    Examples
    --------
    >>> packed_place("audio/train/000002/train-000002007.wav")
    ('audio/train/000002.tar', 'train-000002007.wav')
    >>> packed_place("audio/train/000002/train-000002007.stems/noise.wav")
    ('audio/train/000002.tar', 'train-000002007.noise.wav')
    """
    parts = name.split("/")
    member = ".".join([*(part.removesuffix(".stems") for part in parts[_DEEP:-1]), parts[-1]])
    return f"{'/'.join(parts[:_DEEP])}.tar", member


def stored_bytes(root: Path, name: str) -> bytes:
    """Return the bytes of a set's audio file, from the file itself or from the tar that its folder became.

    Raises
    ------
    OSError
        If it is in neither, or cannot be read.
    """
    try:
        return (root / name).read_bytes()
    except FileNotFoundError:
        tar, member = packed_place(name)
        path = root / tar
        if not path.is_file():
            raise
        try:
            place = names_in(path).get(member)
        except AssetError as error:
            raise OSError(str(error)) from None
        if place is None:
            raise
        with path.open("rb") as file:
            file.seek(place[0])
            return file.read(place[1])
