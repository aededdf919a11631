"""Recordings' own files as they were when they were hashed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audiosynth.errors import AssetError
from audiosynth.files.paths import read_bytes
from audiosynth.files.stored import Identity, Span, identity_of, span_of

_BLOCK: Final = 2**20


@dataclass(frozen=True)
class Original:
    """A recording's own file as it was when it was hashed."""

    span: Span
    identity: Identity

    @property
    def unchanged(self) -> bool:
        """Return whether it is still that file."""
        try:
            return identity_of(self.span.file.stat()) == self.identity
        except OSError:
            return False


def hashed(path: Path) -> tuple[str, Original | None]:
    """Return the SHA-256 of a file's bytes, or of what lies in an archive, and which file that was, if it lies in one as it is.

    Raises
    ------
    AssetError
        If it cannot be read.
    """
    span, digest = span_of(path), hashlib.sha256()
    if span is None:
        digest.update(read_bytes(path))
        return digest.hexdigest(), None
    try:
        with span.file.open("rb") as file:
            identity, left = identity_of(os.fstat(file.fileno())), span.size
            file.seek(span.first)
            while block := file.read(min(left, _BLOCK)):
                digest.update(block)
                left -= len(block)
    except OSError as error:
        raise AssetError(
            f"{path}: cannot be read ({error.strerror or error}); check that it is there and may be read"
        ) from None
    return digest.hexdigest(), Original(span, identity)
