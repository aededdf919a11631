"""Hashes of files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

_BLOCK: Final = 1 << 20


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
