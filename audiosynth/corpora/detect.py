"""Which layout a speech corpus has, told by the files in its folder; nothing is decoded, and little is read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from audiosynth.errors import AssetError

MOST_LOOKED_AT: Final = 20_000
"""Files whose names are looked at: corpora may have millions."""
MOST_READ: Final = 200
"""Files whose first lines are looked at."""
HEAD: Final = 65_536
"""Bytes of a manifest that are looked at."""
AUDIO: Final = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".sph"})


def detect(folder: Path) -> dict[str, Any]:
    """Return what a catalogue has to say of a corpus: its layout, and the manifests where it needs their names.

    Parameters
    ----------
    folder
        The corpus.

    Raises
    ------
    AssetError
        If the folder has neither a manifest that is known nor any audio.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     (Path(name) / "wav.scp").touch()
    ...     detect(Path(name))
    {'layout': 'kaldi'}
    """
    names = list(_names(folder))
    found = _kaldi(folder, names)
    if found:
        return found
    if any(name.endswith(".trans.txt") for name in names):
        return {"layout": "librispeech"}
    if any(name.startswith("clips/") for name in names):
        for manifest in ("validated.tsv", "train.tsv"):
            if manifest in names:
                return {"layout": "commonvoice", "manifest": manifest}
    if any(_last(name) in ("metadata.csv", "metadata.jsonl") for name in names):
        return {"layout": "audiofolder"}
    found = _packed(names) or _lhotse(names) or _by_first_line(folder, names)
    if found:
        return found
    turns = [name for name in names if name.endswith(".rttm")]
    if turns:
        return {"layout": "rttm", "manifest": turns}
    if any(PurePosixPath(name).suffix.lower() in AUDIO for name in names):
        return {"layout": "flat"}
    raise AssetError(
        f"{folder}: holds neither audio files nor a manifest that is known (wav.scp, cuts.jsonl.gz, metadata.csv, *.trans.txt, a NeMo or "
        "SpeechBrain manifest, *.rttm, *.parquet); name another folder, or the layout"
    )


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _kaldi(folder: Path, names: list[str]) -> dict[str, Any] | None:
    """Return where the data directory is, which need not be where its audio paths begin."""
    places = [name.rpartition("/")[0] for name in names if _last(name) == "wav.scp"]
    if len(places) > 1:
        raise AssetError(
            f"{folder}: has {len(places)} data directories ({', '.join(places[:3])}{', …' if len(places) > 3 else ''}); which is meant? say "
            "--layout kaldi --set catalogues.speech.folder=NAME"
        )
    if not places:
        return None
    return {"layout": "kaldi", **({"folder": places[0]} if places[0] else {})}


def _names(folder: Path) -> Iterator[str]:
    """Yield POSIX paths below the folder, in byte order folder by folder, so many at most."""
    left = MOST_LOOKED_AT
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if left == 0:
                return
            left -= 1
            yield (Path(where) / name).relative_to(folder).as_posix()


def _packed(names: list[str]) -> dict[str, Any] | None:
    """Return a layout whose audio is inside archives: shards of lhotse, where all are in one folder, or Parquet."""
    there = set(names)
    shards = {
        name.rpartition("/")[0]
        for name in names
        if _last(name).startswith("recording") and name.endswith(".tar") and _cuts_of(name) & there
    }
    if len(shards) == 1:
        (folder,) = shards
        return {"layout": "lhotse_shar", **({"folder": folder} if folder else {})}
    return {"layout": "parquet"} if any(name.endswith(".parquet") for name in names) else None


def _cuts_of(recordings: str) -> set[str]:
    folder, slash, name = recordings.rpartition("/")
    cuts = f"{folder}{slash}cuts{name.removeprefix('recording').removesuffix('.tar')}.jsonl"
    return {cuts, f"{cuts}.gz"}


def _lhotse(names: list[str]) -> dict[str, Any] | None:
    packed = [name for name in names if name.endswith((".jsonl", ".jsonl.gz"))]
    cuts = [name for name in packed if "cuts" in _last(name)]
    parts = [name for name in packed if "recordings" in _last(name) or "supervisions" in _last(name)]
    if cuts:
        return {"layout": "lhotse", "manifest": cuts if len(cuts) > 1 else cuts[0]}
    return {"layout": "lhotse", "manifest": parts} if len(parts) >= 2 else None


def _by_first_line(folder: Path, names: list[str]) -> dict[str, Any] | None:
    """Return what manifests are, by what their first lines hold; those in the topmost folder that has any count."""
    found: dict[tuple[int, str], list[str]] = {}
    looked_at = [name for name in names if name.endswith((".json", ".jsonl", ".csv"))]
    for name in looked_at[:MOST_READ]:
        kind = _kind(folder / name)
        if kind is not None:
            found.setdefault((name.count("/"), kind), []).append(name)
    if not found:
        return None
    (_, layout), manifests = min(found.items())
    return {"layout": layout, "manifest": manifests if len(manifests) > 1 else manifests[0]}


def _kind(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(HEAD)
    line = head.partition(b"\n")[0].decode("utf-8", "replace")
    if path.suffix == ".csv":
        return "speechbrain" if {"ID", "wav"} <= {cell.strip() for cell in line.split(",")} else None
    try:
        first = json.loads(line)
    except ValueError:
        return "speechbrain" if b'"wav"' in head and head.lstrip().startswith(b"{") else None
    if isinstance(first, Mapping):
        if "audio_filepath" in first or "audio_file" in first:
            return "nemo"
        if any(isinstance(value, Mapping) and "wav" in value for value in first.values()):
            return "speechbrain"
    return None
