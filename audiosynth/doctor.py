"""What of an installation works, and what to install for the rest: everything is tried, not only looked up."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

from audiosynth.building.cpus import usable_cpus
from audiosynth.compiled import compiled
from audiosynth.errors import AudiosynthError
from audiosynth.files.paths import nearest_folder
from audiosynth.material.index import default_cache_dir
from audiosynth.speech.espeak import Request, files, languages, say
from audiosynth.speech.piper import FOLDER
from audiosynth.versions import libraries, version

State = Literal["ok", "missing", "fault"]
"""``missing``: not needed unless its purpose is; ``fault``: something that a first recipe needs does not work."""
PURPOSES: Final = {
    "dask": "builds on several machines",
    "parquet": "Parquet: corpora, and the exporters parquet and rows_parquet",
    "sofa": "rooms and ears from SOFA files",
    "speech": "speech without recordings (`type: speech`)",
    "storage": "sets and recordings behind URLs",
}
"""What the extras are for; one that is not named here is told all the same."""
FOR_DEVELOPERS: Final = ("dev", "test")
FORMATS: Final = {
    "wav": "PCM_16",
    "flac": "PCM_24",
    "ogg": "PCM_16",
    "opus": "PCM_16",
    "mp3": "PCM_16",
}
"""Containers of `output.format`, each tried with one of its subtypes."""
ROOM: Final = 2**30
"""Bytes of free disk under which it is told: an hour of 16 kHz audio takes 115 MB, with stems several times that."""
_KERNEL: Final = "audiosynth.sound.normal_kernel"


@dataclass(frozen=True)
class Finding:
    """One thing that was tried.

    Attributes
    ----------
    area, name
        What it belongs to, and what it is.
    state
        How it went.
    detail
        What was found.
    advice
        What to do; empty where all is well.
    """

    area: str
    name: str
    state: State
    detail: str
    advice: str = ""


def examine(folder: str | Path = ".") -> list[Finding]:
    """Try everything that an installation needs.

    Parameters
    ----------
    folder
        Where sets are to be built.

    Examples
    --------
    >>> {finding.state for finding in examine() if finding.area == "format"}
    {'ok'}
    """
    parts: tuple[Callable[[], Iterator[Finding]], ...] = (
        _versions, _extras, _formats, _speech, _compiled_loops, lambda: _machine(Path(folder)),
    )  # fmt: skip
    return [finding for part in parts for finding in part()]


def _versions() -> Iterator[Finding]:
    told = f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Finding("version", "audiosynth", "ok", version())
    yield Finding("version", "python", "ok", told)
    try:
        for name, number in libraries().items():
            yield Finding("version", name, "ok", number)
    except (ImportError, OSError, metadata.PackageNotFoundError) as error:  # OSError: libsndfile itself is not there
        yield Finding("version", "libraries", "fault", str(error), "pip install --force-reinstall audiosynth")


def _extras() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    wanted: dict[str, list[Requirement]] = {}
    for text in metadata.requires("audiosynth") or ():
        requirement = Requirement(text)
        for extra in metadata.metadata("audiosynth").get_all("Provides-Extra") or ():
            only = requirement.marker is not None and not requirement.marker.evaluate({"extra": ""})
            if only and requirement.marker is not None and requirement.marker.evaluate({"extra": extra}):
                wanted.setdefault(extra, []).append(requirement)
    for extra in sorted(wanted.keys() - {*FOR_DEVELOPERS}):
        lacking = [str(r.name) + str(r.specifier) for r in wanted[extra] if not _has(r.name, str(r.specifier))]
        names = ", ".join(f"{r.name} {metadata.version(r.name)}" for r in wanted[extra] if not lacking)
        purpose = PURPOSES.get(extra, "")
        advice = f"pip install 'audiosynth[{extra}]'{f', for {purpose}' if purpose else ''}"
        detail = f"lacks {', '.join(lacking)}" if lacking else names
        yield Finding("extra", extra, "missing" if lacking else "ok", detail, advice if lacking else "")


def _has(name: str, specifier: str) -> bool:
    from packaging.specifiers import SpecifierSet

    try:
        return SpecifierSet(specifier).contains(metadata.version(name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


def _formats() -> Iterator[Finding]:
    """Write and read a tenth of a second in every container."""
    import numpy as np

    from audiosynth.files.audiofile import write_audio
    from audiosynth.files.decoding import decode

    sr = 16_000
    ramp = np.linspace(-8000, 8000, sr // 10).round()[None]
    with tempfile.TemporaryDirectory() as scratch:
        for container, subtype in FORMATS.items():
            path = Path(scratch) / f"try.{container}"
            try:
                write_audio(
                    path,
                    ramp.astype(np.int16 if subtype == "PCM_16" else np.int32),
                    sr=sr,
                    container=container,
                    subtype=subtype,
                )
                y, rate = decode(path.read_bytes(), str(path))
                yield Finding("format", container, "ok", f"written and read: {y.shape[1] / rate:.3f} s")
            except (AudiosynthError, ImportError, OSError, RuntimeError) as error:
                advice = "pip install --force-reinstall soundfile (its wheels bring libsndfile 1.2); or use `output: {format: wav}`"
                yield Finding("format", container, "fault" if container == "wav" else "missing", str(error), advice)


def _speech() -> Iterator[Finding]:
    try:
        said = say(Request("one", "en-us", "language variant\nname own\n"))
        detail = f"spoke one word, {len(said.pcm) / said.sr:.2f} s; {len(languages())} languages and accents; {files().needs[0]}"
        yield Finding("speech", "espeak-ng", "ok", detail)
    except (AudiosynthError, OSError) as error:
        yield Finding("speech", "espeak-ng", "missing", str(error).split(";")[0], "pip install 'audiosynth[speech]'")
    voices = sorted(Path(os.environ[FOLDER]).glob("*.onnx")) if os.environ.get(FOLDER) else []
    runs = _has("onnxruntime", "")
    advice = f"pip install onnxruntime, and name the folder of your voices in {FOLDER}; only for `engine: piper`"
    detail = f"{len(voices)} voices, onnxruntime {'is' if runs else 'is not'} installed"
    yield Finding("speech", "piper", "ok" if voices and runs else "missing", detail, "" if voices and runs else advice)


def _compiled_loops() -> Iterator[Finding]:
    loops = compiled(_KERNEL)
    if loops is None:
        advice = (
            "pip install numba, or set NUMBA_CACHE_DIR to a folder that can be written; large builds are slower without"
        )
        yield Finding("speed", "compiled loops", "missing", "numba is missing, or has no place for its cache", advice)
        return
    import numpy as np

    loops.inverse(np.zeros(1, np.int32), np.ones((1, 4)), np.empty(1))
    place = Path(str(loops.inverse.stats.cache_path))
    detail = f"numba {metadata.version('numba')}, cache in {place}"
    yield Finding("speed", "compiled loops", "ok", detail)


def _machine(folder: Path) -> Iterator[Finding]:
    yield Finding("machine", "cores", "ok", f"{usable_cpus()} that this process may use (`--workers`)")
    there = nearest_folder(folder)
    free = shutil.disk_usage(there).free
    low = free < ROOM
    yield Finding(
        "machine",
        "disk",
        "fault" if low else "ok",
        f"{free / 1e9:.1f} GB free for {folder.absolute()}",
        "free some space, or build elsewhere with -o" if low else "",
    )
    writable = os.access(there, os.W_OK)
    if not writable:
        yield Finding("machine", "folder", "fault", f"{there} cannot be written", "build elsewhere with -o")
    cache = default_cache_dir()
    kept = cache is not None and os.access(nearest_folder(cache), os.W_OK)
    advice = "set AUDIOSYNTH_CACHE to a folder that can be written; recordings are measured, and large ones decoded, anew for every build without"
    yield Finding(
        "machine",
        "cache",
        "ok" if kept else "missing",
        f"of measured and decoded recordings: {cache or 'no home folder'}",
        "" if kept else advice,
    )
    text = (sys.stdout.encoding or "").lower().replace("-", "") if sys.stdout else ""
    yield Finding(
        "machine",
        "terminal",
        "ok" if text == "utf8" else "missing",
        f"encoding {text or 'unknown'}",
        "" if text == "utf8" else "set PYTHONUTF8=1 to see labels that are not ASCII",
    )
