"""A noise profile as a file that people read: a few rows of numbers, the same text every time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from audiosynth.errors import ParameterError
from audiosynth.profiles.profile import MAX_FILE, Impulses, Profile

PER_ROW: Final = 6


def profile_text(profile: Profile) -> str:
    """Return a profile as YAML, at most 4 kB.

    Raises
    ------
    ParameterError
        If its texts are too long for that.

    Examples
    --------
    >>> small = Profile(description="x", made="designed", bands=((63, -3), (80, -3), (100, -6)))
    >>> print(profile_text(small))
    description: "x"
    made: designed
    bands:                            # third octaves: [Hz, dB re the whole]
      [[63, -3], [80, -3], [100, -6]]
    <BLANKLINE>
    """
    text = "\n".join(_lines(profile)) + "\n"
    if len(text.encode()) > MAX_FILE:
        raise ParameterError(f"a profile of {len(text.encode())} bytes; at most {MAX_FILE} fit, so shorten its texts")
    return text


def _lines(profile: Profile) -> Iterator[str]:
    yield f"description: {json.dumps(profile.description, ensure_ascii=False)}"
    if profile.origin:
        yield f"origin: {json.dumps(profile.origin, ensure_ascii=False)}"
    yield f"made: {profile.made}"
    if profile.level_dba is not None:
        yield f"level_dba: {profile.level_dba:g}"
    yield "bands:                            # third octaves: [Hz, dB re the whole]"
    yield from _pairs(profile.bands, "  ")
    yield from _wavering(profile)
    yield from _tones(profile)
    yield from _impulses(profile.impulses)
    if profile.switching is not None:
        yield f"switching: {{{', '.join(f'{name}: {value:g}' for name, value in profile.switching)}}}"
    if profile.coherence:
        yield f"coherence: {profile.coherence:g}"


def _pairs(bands: Sequence[tuple[float, float]], indent: str) -> Iterator[str]:
    pairs = [f"[{f:g}, {level:g}]" for f, level in bands]
    for i in range(0, len(pairs), PER_ROW):
        end = "," if i + PER_ROW < len(pairs) else "]"
        yield f"{indent}{' ' if i else '['}{', '.join(pairs[i : i + PER_ROW])}{end}"


def _impulses(made: Impulses | None) -> Iterator[str]:
    if made is None:
        return
    unneeded = {"bands"} if made.bands is None else {"bands", "fmin", "fmax"}
    values = [f"{name}: {value:g}" for name, value in made if name not in unneeded]
    if made.bands is None:
        yield f"impulses: {{{', '.join(values)}}}"
        return
    yield "impulses:"
    yield from (f"  {value}" for value in values)
    yield "  bands:"
    yield from _pairs(made.bands, "    ")


def _wavering(profile: Profile) -> Iterator[str]:
    if profile.modulation:
        yield "modulation:                       # standard deviation of levels: [Hz, dB]"
        for group in profile.modulation:
            rates = ", ".join(f"[{rate:g}, {depth:g}]" for rate, depth in group.rates)
            yield f"  - {{fmin: {group.fmin:g}, fmax: {group.fmax:g}, rates: [{rates}]}}"
        yield f"shared: {profile.shared:g}"


def _tones(profile: Profile) -> Iterator[str]:
    if profile.tones:
        yield "tones:"
        for tone in profile.tones:
            yield f"  - {{frequency: {tone.frequency:.6g}, level_db: {tone.level_db:g}, drift: {tone.drift:g}}}"
