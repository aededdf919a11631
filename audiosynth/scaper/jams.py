"""Reading JAMS files of scaper: plain JSON from anybody, within bounds, into the few values that decide the sound."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audiosynth import registry
from audiosynth.errors import AssetError, ParameterError
from audiosynth.files.paths import read_bytes

MAX_BYTES: Final = 16 * 2**20
"""Largest JAMS file that is read; scaper's have some 12 kB."""
MAX_SOUNDS: Final = 1000
_CREATED_BY: Final = "a JAMS file that scaper 0.2 to 1.6 wrote"
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class _Read(BaseModel):
    """What is read of a file that has more in it."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)


class Sound(_Read):
    """One event or background with the values it was instantiated with."""

    label: str = Field(min_length=1, max_length=200)
    source_file: str = Field(min_length=1, max_length=4096)
    source_time: Seconds
    event_time: Seconds
    event_duration: Annotated[float, Field(gt=0, le=86_400)]
    snr: Annotated[float, Field(ge=-200, le=200)]
    role: Literal["foreground", "background"]
    pitch_shift: Annotated[float, Field(ge=-24, le=24)] | None = None
    time_stretch: Annotated[float, Field(ge=0.25, le=4)] | None = None


class Observation(_Read):
    """One item of an annotation's data."""

    value: Sound


class Settings(_Read):
    """How the scene was made (``sandbox.scaper``); what old versions did not write has scaper's own default."""

    duration: Annotated[float, Field(gt=0, le=86_400)]
    original_duration: Annotated[float, Field(gt=0, le=86_400)] | None = None
    sr: Annotated[int, Field(ge=1000, le=384_000)] = 44_100
    n_channels: Annotated[int, Field(ge=1, le=5)] = 1
    ref_db: Annotated[float, Field(ge=-200, le=60)]
    fade_in_len: Annotated[float, Field(ge=0, le=60)] = 0.01
    fade_out_len: Annotated[float, Field(ge=0, le=60)] = 0.01
    reverb: Annotated[float, Field(ge=0, le=1)] | None = None
    fix_clipping: bool = False
    peak_normalization: bool = False
    quick_pitch_time: bool = False
    scaper_version: str = Field("", max_length=40)


class Slice(_Read):
    """One cut that `scaper.trim` made."""

    slice_start: Seconds
    slice_end: Seconds


class Sandbox(_Read):
    """What an annotation says of itself."""

    scaper: Settings
    slice: tuple[Slice, ...] = Field((), max_length=100, strict=False)


class _Annotation(_Read):
    data: tuple[Observation, ...] = Field(max_length=MAX_SOUNDS, strict=False)
    sandbox: Sandbox


class Scene(_Read):
    """A JAMS file as far as it decides the sound.

    Attributes
    ----------
    name, sha256
        Of the file.
    sounds
        In the order of its data.
    settings
        Of the whole scene.
    cuts
        What `scaper.trim` cut off, one after the other.
    """

    name: str
    sha256: str
    sounds: tuple[Sound, ...]
    settings: Settings
    cuts: tuple[Slice, ...] = ()


def read_scene(path: Path) -> Scene:
    """Return the scene of a JAMS file.

    Raises
    ------
    AssetError
        If it cannot be read, is no JSON, or too large.
    ParameterError
        If it is not of scaper, or a value is missing or out of range; all of them at once.
    """
    data = read_bytes(path)
    if len(data) > MAX_BYTES:
        raise AssetError(f"{path}: {len(data):,} bytes; a JAMS file of scaper has at most {MAX_BYTES:,}")
    annotation = _scaper_annotation(_parsed(data, path), path)
    try:
        read = _Annotation.model_validate(annotation)
    except ValidationError as error:
        found = [f"{_place(loc)}: {message}" for loc, message in registry.explain(error, "JAMS")]
        more = f"\n… and {len(found) - 10} more" if len(found) > 10 else ""
        raise ParameterError("\n".join(f"{path}: {text}" for text in found[:10]) + more) from None
    if not read.data:
        raise ParameterError(f"{path}: holds no event and no background, so there is nothing to hear; leave it out")
    sounds = tuple(item.value for item in read.data)
    return Scene(
        name=path.name, sha256=hashlib.sha256(data).hexdigest(), sounds=sounds, settings=read.sandbox.scaper,
        cuts=read.sandbox.slice,
    )  # fmt: skip


def _parsed(data: bytes, path: Path) -> Any:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number of JSON")

    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise AssetError(
            f"{path}: not JSON ({error}); expected {_CREATED_BY}, for a compressed one (.jamz) unzip it first"
        ) from None


def _scaper_annotation(tree: Any, path: Path) -> Any:
    """Return the first annotation of the namespace `scaper`, which is the one that scaper renders."""
    annotations = tree.get("annotations") if isinstance(tree, dict) else None
    if not isinstance(annotations, list):
        raise ParameterError(f"{path}: has no list of annotations, so it is no JAMS file; expected {_CREATED_BY}")
    kinds = [str(a.get("namespace"))[:60] if isinstance(a, dict) else "?" for a in annotations]
    if "scaper" not in kinds:
        raise ParameterError(
            f"{path}: has annotations of {', '.join(sorted(set(kinds))[:10]) or 'no kind'} and none of the namespace 'scaper'; "
            f"expected {_CREATED_BY}"
        )
    return annotations[kinds.index("scaper")]


def _place(loc: tuple[str | int, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def file_parts(source_file: str) -> list[str]:
    r"""Return the names in a path of any system, without drive and root, and only those after the last ``..``.

    Examples
    --------
    >>> file_parts("C:\\sounds\\dog\\a.wav"), file_parts("../fg/dog/a.wav")
    (['sounds', 'dog', 'a.wav'], ['fg', 'dog', 'a.wav'])
    """
    parts = [part for part in re.split(r"[\\/]+", source_file) if part not in ("", ".")]
    if parts and re.fullmatch(r"[A-Za-z]:", parts[0]):
        parts = parts[1:]
    climbs = [i for i, part in enumerate(parts) if part == ".."]
    return parts[climbs[-1] + 1 :] if climbs else parts
