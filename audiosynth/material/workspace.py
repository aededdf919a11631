"""What a renderer keeps between clips: recordings, responses and their spectra, all bounded in bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from audiosynth import dsp
from audiosynth.acoustics import decay, responses
from audiosynth.clip import Array, AssetReader, RenderContext, Response
from audiosynth.errors import ParameterError
from audiosynth.kept import Kept
from audiosynth.registry import Component, can, pinned_name
from audiosynth.sound import convolving
from audiosynth.spaces.places import Position

SPECTRA_BYTES: Final = 128 * 2**20
"""Most memory held by kept spectra, in bytes."""
RESPONSE_BYTES: Final = 128 * 2**20
"""Most memory held by simulated responses, in bytes."""
FIRST_BYTES: Final = 2**24
"""Memory that each of the two takes until one is asked for again that had to leave: rooms drawn anew for each clip pass by once."""
MAX_MEASURED: Final = 100_000
"""Most responses whose tail and measures are kept; a few numbers each."""
WARM_AFTER: Final = 100
"""Responses after which compiled code is loaded: it takes a second, and spares some 10 ms each."""
COMPILE_AFTER: Final = 2**21
"""Samples of convolutions after which compiled loops are loaded: NumPy's passes have taken a quarter of a second by then."""
MEASURED: Final = ("t20", "t30", "drr_db", "c50_db")
"""What a row says of a response (ISO 3382-1; `audiosynth.acoustics.decay`)."""


@dataclass
class Workspace:
    """One per process; nothing in it alters a sample.

    Attributes
    ----------
    assets
        Where recordings come from; None where no recording can be asked for.
    max_bytes, response_bytes
        Most memory held by spectra, and by simulated responses.
    """

    assets: AssetReader | None = None
    max_bytes: int = SPECTRA_BYTES
    response_bytes: int = RESPONSE_BYTES
    _spectra: Kept[np.ndarray] = field(init=False, repr=False)
    _responses: Kept[Response] = field(init=False, repr=False)
    _tails: Kept[int] = field(default_factory=lambda: Kept(MAX_MEASURED), repr=False)
    _simulated: int = 0
    _convolved: int = 0
    _measures: Kept[dict[str, Any]] = field(default_factory=lambda: Kept(MAX_MEASURED), repr=False)

    def __post_init__(self) -> None:
        self._spectra, self._responses = (Kept(most, FIRST_BYTES) for most in (self.max_bytes, self.response_bytes))

    def response(
        self, room: Component, ctx: RenderContext, position: Position | None, *, delay: int | None = None
    ) -> Response:
        """Return a room's response; that of a simulated room from a place is made once.

        `delay` is the direct sound's as a row has it; rooms that know theirs have no use for it.
        """
        ask: Any = room
        if not (can(room, "simulated") and ask.simulated):
            given: dict[str, Any] = {} if position is None else {"position": position}
            if delay is not None:
                given["delay"] = delay
            made: Response = ask.response(ctx, **given)
            return made
        place = None if position is None else position.model_dump_json()
        key = (pinned_name(room), ask.key(ctx.sr, position), ctx.sr, place)
        kept = self._responses.get(key)
        if kept is None:
            self._simulated += 1
            if self._simulated == WARM_AFTER and hasattr(room, "warm"):
                ask.warm()
            kept = replace(ask.response(ctx, position=position), key=key)
            self._responses.put(key, kept, kept.h.nbytes)
        return kept

    def convolve(self, y: Array, response: Response) -> Array:
        """Return the full linear convolution with a response, whose spectrum is kept if it has a key.

        Raises
        ------
        ParameterError
            If neither is mono and they have not the same number of channels.
        """
        n = y.shape[-1] + response.h.shape[-1] - 1
        if n > convolving.LARGEST:
            return dsp.convolve(y, response.h, h_spectrum=self._spectrum(response, dsp.fft_size(n), dsp.spectrum))
        if self._convolved < COMPILE_AFTER:
            self._convolved += n
            if self._convolved >= COMPILE_AFTER:
                convolving.load_kernel()
        kept = self._spectrum(response, convolving.rows_of(n), lambda h, _: convolving.spectrum(h, n))
        return convolving.convolve(y, kept, n_samples=n)

    def _spectrum(self, response: Response, size: int, make: Callable[[Array, int], Array]) -> Array:
        key = None if response.key is None else (response.key, size)
        kept = self._spectra.get(key) if key is not None else None
        if kept is None:
            kept = make(response.h, size)
            if key is not None:
                self._spectra.put(key, kept, kept.nbytes)
        return kept

    def tail(self, response: Response, sr: int, *, tail_db: float) -> int:
        """Return how long a response goes on sounding (`responses.tail_offset`), measured once for one with a key."""
        key = None if response.key is None else (response.key, sr, tail_db)
        kept = self._tails.get(key) if key is not None else None
        if kept is None:
            kept = responses.tail_offset(response.h, sr, tail_db=tail_db, delay=response.delay)
            if key is not None:
                self._tails.put(key, kept)
        return kept

    def measures(self, response: Response, sr: int, channel: int) -> dict[str, Any]:
        """Return T20, T30, DRR and C50 of one channel, rounded, with the reasons of what is unknown; made once for a key."""
        channel = min(channel, response.h.shape[0] - 1)
        key = None if response.key is None else (response.key, sr, channel)
        kept = self._measures.get(key) if key is not None else None
        if kept is None:
            kept = _measured(response.h, sr, channel)
            if key is not None:
                self._measures.put(key, kept)
        return kept


def _measured(h: Array, sr: int, channel: int) -> dict[str, Any]:
    try:
        found = decay.measure(h, sr, channel=channel)
    except ParameterError:  # a channel without any sound
        return dict.fromkeys(MEASURED)
    values = {name: getattr(found, name) for name in MEASURED}
    rounded = {name: None if value is None else round(value, 3) for name, value in values.items()}
    reasons = {name: found.reasons[name] for name in MEASURED if name in found.reasons}
    said = {why: " and ".join(n for n, other in reasons.items() if other == why) for why in reasons.values()}
    return {**rounded, **({"unknown": [f"{names}: {why}" for why, names in said.items()]} if said else {})}
