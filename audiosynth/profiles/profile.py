"""Noise profiles: small files of statistics that an endless noise is made from.

A profile holds levels in third-octave bands, how they waver, lines, impulses: numbers without order in time, so that no
recording can be made from it again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from audiosynth import registry
from audiosynth.errors import Problem, RecipeError, did_you_mean
from audiosynth.files import strictyaml
from audiosynth.quantities import number

CENTRES: Final = (
    25.0, 31.5, 40.0, 50.0, 63.0, 80.0, 100.0, 125.0, 160.0, 200.0, 250.0, 315.0, 400.0, 500.0, 630.0, 800.0, 1000.0, 1250.0,
    1600.0, 2000.0, 2500.0, 3150.0, 4000.0, 5000.0, 6300.0, 8000.0, 10_000.0, 12_500.0, 16_000.0, 20_000.0,
)  # fmt: skip
"""Nominal centres of third-octave bands in Hz (IEC 61260-1)."""
MAX_TONES: Final = 24
MAX_GROUPS: Final = 4
MAX_RATES: Final = 9
MAX_FILE: Final = 4096
"""Bytes of what `audiosynth learn` writes, at most."""

Frequency = Annotated[float, Field(ge=5, le=24_000)]
LevelDb = Annotated[float, Field(ge=-150, le=20)]

Band = Annotated[tuple[Frequency, LevelDb], Field(strict=False)]
Rate = Annotated[
    tuple[Annotated[float, Field(ge=0.03, le=20)], Annotated[float, Field(ge=0, le=20)]], Field(strict=False)
]


def _check_bands(bands: Sequence[tuple[float, float]], name: str) -> None:
    """Raise ValueError unless every third octave from the first to the last is there."""
    if not bands:
        return
    centres = [f for f, _ in bands]
    for f in centres:
        if f not in CENTRES:
            near = min(CENTRES, key=lambda c: abs(math.log(c / f)))
            raise ValueError(f"{name}: {f:g} Hz is no nominal third-octave centre; the nearest is {near:g}")
    first = CENTRES.index(centres[0])
    wanted = list(CENTRES[first : first + len(centres)])
    if centres != wanted:
        gone = next(c for c in CENTRES[first:] if c not in centres)
        raise ValueError(
            f"{name}: expected every third-octave band from {centres[0]:g} to {centres[-1]:g} Hz in rising order; {gone:g} Hz is missing"
        )


class Part(BaseModel):
    """A frozen, strict record; numbers may be written as whole ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Group(Part):
    """How the bands between two frequencies waver.

    `rates` has pairs of a rate in Hz and the standard deviation in dB of the level's changes in the octave about it.
    """

    fmin: Annotated[float, number(0, 24_000, "Hz", "Lower end of the bands")]
    fmax: Annotated[float, number(0, 24_000, "Hz", "Upper end of the bands")]
    rates: tuple[Rate, ...] = Field(
        min_length=1, max_length=MAX_RATES, strict=False, description="(rate in Hz, depth in dB) pairs"
    )


class Switching(Part):
    """Something that goes on and off, such as a compressor."""

    on: Annotated[float, number(0.05, 3600, "s", "Time on")]
    off: Annotated[float, number(0.05, 3600, "s", "Time off")]
    depth_db: Annotated[float, number(0, 60, "dB", "How much softer it is while off")]
    edge: Annotated[float, number(0.005, 60, "s", "Time to go on or off")] = 0.5


class Line(Part):
    """A steady tone; left out, as bands are, at a rate that cannot carry it."""

    frequency: Annotated[float, number(5, 24_000, "Hz", "Frequency")]
    level_db: Annotated[float, number(-120, 20, "dB", "Level re the whole")]
    drift: Annotated[float, number(0, 100, "Hz", "How far it wanders, standard deviation")] = 0.0


class Impulses(Part):
    """Short bursts at random times, loudnesses by a power law."""

    rate: Annotated[float, number(0.01, 100, "1/s", "Bursts a second")]
    level_db: Annotated[float, number(-80, 20, "dB", "Power of all bursts re the whole")]
    exponent: Annotated[float, number(0.3, 6, "", "Of the count of bursts over amplitude")] = 2.0
    range_db: Annotated[float, number(0, 60, "dB", "Loudest over softest")] = 20.0
    t60: Annotated[float, number(0.005, 0.4, "s", "Reverberation time of a burst")] = 0.05
    fmin: Annotated[float, number(5, 20_000, "Hz", "Lower end of their spectrum")] = 300.0
    fmax: Annotated[float, number(20, 24_000, "Hz", "Upper end of their spectrum")] = 6000.0
    bands: tuple[Band, ...] | None = Field(
        None,
        min_length=3,
        max_length=len(CENTRES),
        strict=False,
        description="Their spectrum, instead of fmin and fmax",
    )

    @model_validator(mode="after")
    def _whole(self) -> Impulses:
        _check_bands(self.bands or (), "impulses.bands")
        return self


class Profile(Part):
    """What a noise is made from.

    Attributes
    ----------
    description, origin
        What it sounds like, and where the numbers come from.
    made
        `designed` from published data or by ear, or `learned` from recordings.
    level_dba
        Sound level of the real thing, for information.
    bands
        (centre, level) of third-octave bands without gaps, in dB re the whole.
    modulation, shared
        How bands waver, in groups that do not overlap, and how far all groups do so together (0 to 1).
    switching, tones, impulses
        What else there is.
    coherence
        How alike channels are that come without an array: 0 independent, 1 the same.
    """

    description: str = Field(max_length=200)
    origin: str = Field("", max_length=600)
    made: Literal["designed", "learned"]
    level_dba: Annotated[float, number(-20, 140, "dB", "A-weighted sound pressure level")] | None = None
    bands: tuple[Band, ...] = Field(min_length=3, max_length=len(CENTRES), strict=False)
    modulation: tuple[Group, ...] = Field((), max_length=MAX_GROUPS, strict=False)
    shared: Annotated[float, number(0, 1, "", "How far groups waver together")] = 0.5
    switching: Switching | None = None
    tones: tuple[Line, ...] = Field((), max_length=MAX_TONES, strict=False)
    impulses: Impulses | None = None
    coherence: Annotated[float, number(0, 1, "", "Of channels without an array")] = 0.0

    @model_validator(mode="after")
    def _whole(self) -> Profile:
        _check_bands(self.bands, "bands")
        centres = [f for f, _ in self.bands]
        top = centres[-1] * 2.0 ** (1.0 / 6.0)
        for i, tone in enumerate(self.tones):
            if tone.frequency > top:
                raise ValueError(
                    f"tones[{i}]: {tone.frequency:g} Hz lies above the highest band ({centres[-1]:g} Hz); leave it out"
                )
        for a, b in zip(self.modulation, self.modulation[1:], strict=False):
            if not a.fmin < a.fmax <= b.fmin < b.fmax:
                raise ValueError("modulation: expected groups that rise and do not overlap, each with fmin below fmax")
        return self


def profiles_folder() -> Path:
    """Return the folder of the shipped profiles: inside the installed package, or beside it in a source tree."""
    package = Path(__file__).parents[1]
    inside = package / "noise_profiles"
    return inside if inside.is_dir() else package.parent / "noise_profiles"


def shipped_profiles() -> list[str]:
    """Return the names of the shipped profiles.

    Examples
    --------
    >>> "office" in shipped_profiles()
    True
    """
    return sorted(path.stem for path in profiles_folder().glob("*.yaml"))


def profile_path(name: str, folder: Path | None) -> Path:
    """Return the file of a profile: a shipped name, or a ``.yaml`` below a folder.

    Raises
    ------
    ValueError
        If there is none, or it lies outside the folder.
    """
    if not name.endswith((".yaml", ".yml")):
        if name not in shipped_profiles():
            hint = (
                did_you_mean(name, shipped_profiles())
                or f"; there are {', '.join(shipped_profiles())}, or give a .yaml file"
            )
            raise ValueError(f"no noise profile is called '{name}'{hint}")
        return profiles_folder() / f"{name}.yaml"
    base = (folder or Path()).resolve()
    path = (base / name).resolve()
    if not path.is_relative_to(base):
        raise ValueError(f"'{name}' lies outside the folder of its recipe; put the profile beside the recipe")
    if not path.is_file():
        raise ValueError(f"there is no file '{name}' in the folder of the recipe")
    return path


@lru_cache(maxsize=128)
def read_profile(path: Path) -> Profile:
    """Read and check a profile file.

    Raises
    ------
    RecipeError
        With file:line:column of every problem.

    Examples
    --------
    >>> read_profile(profile_path("office", None)).made
    'designed'
    """
    document = strictyaml.load_file(path)
    if not isinstance(document.tree, Mapping):
        raise RecipeError([Problem(str(path), "", "a noise profile is a map of keys and values")])
    try:
        return Profile.model_validate(document.tree)
    except ValidationError as error:
        problems = []
        for loc, message in registry.explain(error, "profile"):
            place = next((document.marks[loc[:i]] for i in range(len(loc), -1, -1) if loc[:i] in document.marks), path)
            problems.append(Problem(str(place), ".".join(map(str, loc)), message))
        raise RecipeError(problems) from None


def tree_of(profile: Profile) -> dict[str, Any]:
    """Return a profile as plain data without what it does not need to say.

    Examples
    --------
    >>> sorted(tree_of(read_profile(profile_path("hum_50", None))))[:3]
    ['bands', 'coherence', 'description']
    """
    return profile.model_dump(mode="json", exclude_none=True)
