"""What a renderer keeps between clips: the recordings, and spectra of impulse responses, both bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from audiosynth import dsp, responses
from audiosynth.clip import Array, AssetReader, Response

SPECTRA_BYTES: Final = 128 * 2**20
"""Most memory held by kept spectra, in bytes."""
MAX_TAILS: Final = 100_000
"""Most measured tails kept; two numbers each."""


@dataclass
class Workspace:
    """One per process; nothing in it alters a sample.

    Attributes
    ----------
    assets
        Where recordings come from; None where no recording can be asked for.
    max_bytes
        Most memory held by spectra.
    """

    assets: AssetReader | None = None
    max_bytes: int = SPECTRA_BYTES
    _spectra: OrderedDict[Any, np.ndarray] = field(default_factory=OrderedDict, repr=False)
    _held: int = 0
    _tails: dict[Any, int] = field(default_factory=dict, repr=False)

    def convolve(self, y: Array, response: Response) -> Array:
        """Return the full linear convolution with a response, whose spectrum is kept if it has a key."""
        n_fft = dsp.fft_size(y.shape[-1] + response.h.shape[-1] - 1)
        key = None if response.key is None else (response.key, n_fft)
        kept = self._spectra.get(key) if key is not None else None
        if kept is None:
            kept = dsp.spectrum(response.h, n_fft)
            if key is not None:
                self._keep(key, kept)
        else:
            self._spectra.move_to_end(key)
        return dsp.convolve(y, response.h, h_spectrum=kept)

    def tail(self, response: Response, sr: int, *, tail_db: float) -> int:
        """Return how long a response goes on sounding (`responses.tail_offset`), measured once for one with a key."""
        if response.key is None:
            return responses.tail_offset(response.h, sr, tail_db=tail_db, delay=response.delay)
        key = (response.key, sr, tail_db)
        if key not in self._tails:
            if len(self._tails) >= MAX_TAILS:
                self._tails.clear()
            self._tails[key] = responses.tail_offset(response.h, sr, tail_db=tail_db, delay=response.delay)
        return self._tails[key]

    def _keep(self, key: Any, spectrum: np.ndarray) -> None:
        self._spectra[key] = spectrum
        self._held += spectrum.nbytes
        while self._held > self.max_bytes:
            _, old = self._spectra.popitem(last=False)
            self._held -= old.nbytes
