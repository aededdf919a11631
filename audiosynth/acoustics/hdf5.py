"""What is safe to read of an HDF5 file that came from somewhere else."""

from __future__ import annotations

from typing import Any

import numpy as np

from audiosynth.errors import AssetError


def numbers(file: Any, key: str, *, rank: int | None = None) -> Any:
    """Return a numeric dataset that lies in this very file: a link could name any other file of the machine.

    Parameters
    ----------
    file
        An open `h5py.File`.
    key
        Name of the dataset.
    rank
        How many dimensions it must have, if that matters.

    Raises
    ------
    AssetError
        If it is missing, stored elsewhere, empty, not numeric or of another rank.
    """
    import h5py

    found = file.get(key) if isinstance(file.get(key, getlink=True), h5py.HardLink) else None
    if not isinstance(found, h5py.Dataset):
        raise AssetError(f"{key} is missing; the file must hold it itself")
    if found.external or found.is_virtual:
        raise AssetError(f"{key} is stored in another file; take one that is whole")
    if found.dtype.kind not in "fiu" or not found.size or (rank is not None and found.ndim != rank):
        expected = f"numbers in {rank} dimensions" if rank else "numbers"
        raise AssetError(f"{key} has shape {found.shape} of type {found.dtype}, expected {expected}")
    return found


def text(value: Any) -> str:
    """Return an attribute as text, whichever way it was written; an empty one and none at all are ''."""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    return str(value).strip() if isinstance(value, str) else ""
