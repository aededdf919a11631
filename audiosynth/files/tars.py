"""Files put into tars, of which nothing but their names and their bytes is told."""

from __future__ import annotations

import tarfile
from typing import IO


def add_file(tar: tarfile.TarFile, name: str, file: IO[bytes], size: int) -> None:
    """Add `size` bytes of a file under a name; one that USTAR cannot hold stands in a header of POSIX.1-2001 (PAX).

    Examples
    --------
    >>> import io
    >>> with tarfile.open(fileobj=io.BytesIO(), mode="w") as tar:
    ...     for name in ("a.wav", "a" * 101):
    ...         add_file(tar, name, io.BytesIO(b"b"), 1)
    ...     [len(name) for name in tar.getnames()]
    [5, 101]
    """
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    tar.format = tarfile.USTAR_FORMAT
    try:
        info.tobuf(tar.format)
    except ValueError:
        tar.format = tarfile.PAX_FORMAT
    tar.addfile(info, file)
