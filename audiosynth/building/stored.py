"""The audio of a finished set: a clip's bytes and samples, wherever the set keeps them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy.typing as npt

from audiosynth.errors import ManifestError
from audiosynth.files.packed import stored_bytes


def samples_at(root: Path, name: str, *, dtype: str = "float32") -> tuple[npt.NDArray[Any], int]:
    """Return the samples of the file at POSIX path `name` below a set, shape (n_channels, n_samples), and their rate in Hz.

    Raises
    ------
    ManifestError
        If it is not there or cannot be decoded.
    """
    import numpy as np
    import soundfile

    path = root / name
    try:
        y, sr = soundfile.read(io.BytesIO(stored_bytes(root, name)), dtype=dtype, always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise ManifestError(f"{path}: cannot be read ({error}); `audiosynth verify` tells what else is amiss") from None
    return np.ascontiguousarray(y.T), int(sr)
