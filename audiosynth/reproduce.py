"""Give clips back from their manifest rows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiosynth.building.clips import samples_of, write, write_clip
from audiosynth.building.index import ManifestIndex
from audiosynth.building.rows import lines_of
from audiosynth.errors import AudiosynthError, ManifestError
from audiosynth.manifest import Row, needs_of, open_manifest, parse_row, read_rows
from audiosynth.material.assets import AssetStore
from audiosynth.material.roots import resolve_roots
from audiosynth.material.workspace import Workspace
from audiosynth.pcm import PcmHash, pcm_sha256
from audiosynth.plugins import versions
from audiosynth.records.rendered import Clip
from audiosynth.render import render
from audiosynth.rendering.stream import stream, streams
from audiosynth.spec import parts, recordings
from audiosynth.steps import run
from audiosynth.versions import libraries, version


@dataclass(frozen=True)
class Reproduced:
    """One clip made again.

    Attributes
    ----------
    clip_id
        Its name.
    same
        Whether its samples have the recorded hash.
    expected, got
        Both hashes.
    notes
        What a mismatch may come from, what was measured differently, where the file went.
    clip
        The clip itself (without samples if it was made in blocks; see `audiosynth.rendering.stream`).
    """

    clip_id: str
    same: bool
    expected: str
    got: str
    notes: tuple[str, ...]
    clip: Clip


def reproduce(
    manifest: str | Path | Iterable[str],
    *,
    clips: Collection[str] | None = None,
    data: Mapping[str, str] | None = None,
    out: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Reproduced]:
    """Render clips again from manifest rows and compare the sample hashes.

    Parameters
    ----------
    manifest
        A dataset folder, a manifest file, or lines of one.
    clips
        Clip ids; all of them by default.
    data
        Folders of data roots by name. Recordings are found by their path there, or else by their SHA-256 under any
        of the folders given.
    out
        Folder to write the clips to; not written by default.
    environ
        Environment to look for data roots in; the process's by default.

    Yields
    ------
    reproduced
        In the order of the manifest.

    Raises
    ------
    ManifestError
        If a row is malformed, or a clip that was asked for is not there.
    AssetError
        If a recording is missing or changed.

    Examples
    --------
    >>> import tempfile
    >>> from audiosynth import build, load_recipe, reproduce, shipped_recipe
    >>> built = build(load_recipe(shipped_recipe("quickstart"), clips=1), tempfile.mkdtemp())
    >>> [clip.same for clip in reproduce(built.root)]
    [True, True]
    """
    bench = Bench(environment(manifest), data or {}, None if out is None else Path(out), environ)
    for place, tree in chosen_rows(manifest, clips):
        yield bench.again(place, tree)


def chosen_rows(
    manifest: str | Path | Iterable[str], clips: Collection[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row tree) for the clips asked for, or for all of them.

    Raises
    ------
    ManifestError
        If a line is no row, or a clip is not there.
    """
    wanted = None if clips is None else set(clips)
    index = None if wanted is None else _index(manifest)
    if wanted and index is not None:
        for place, tree in index.find(wanted):
            wanted.discard(str(tree["clip_id"]))
            yield place, tree
        if wanted:
            raise _no_such(str(index.manifest), wanted)
        return
    with _lines(manifest) as (name, lines):
        for place, tree in read_rows(lines, name=name):
            if wanted is None:
                yield place, tree
            elif (clip_id := str(tree.get("clip_id"))) in wanted:
                wanted.discard(clip_id)
                yield place, tree
                if not wanted:
                    return
    if wanted:
        raise _no_such(name, wanted)


def _no_such(name: str, clips: Collection[str]) -> ManifestError:
    return ManifestError(f"{name}: no clip is called {', '.join(sorted(clips)[:5])}; {_way_out(clips)}")


def _way_out(wanted: Collection[str]) -> str:
    """Return how an id is written: with nine digits, and the split before them."""
    split, _, number = min(wanted).rpartition("-")
    if split and number.isascii() and number.isdigit() and len(number) == 9:
        return "`audiosynth stats` says which splits it has, and of how many clips"
    if number.isascii() and number.isdigit():
        return f"ids have the split and nine digits: {split or 'train'}-{int(number):09d}"
    return "ids look like train-000000000"


def _index(manifest: str | Path | Iterable[str]) -> ManifestIndex | None:
    """Return the index of a manifest that is a file, if one belongs to it; without one, rows are gone through in order."""
    if not isinstance(manifest, str | Path) or str(manifest) == "-":
        return None
    return ManifestIndex.beside(open_manifest(Path(manifest)))


class Bench:
    """Where clips are made again: what they need, made when the first of them comes (once per process)."""

    def __init__(
        self, made: Mapping[str, str], data: Mapping[str, str], out: Path | None, environ: Mapping[str, str] | None
    ) -> None:
        self.made, self.data, self.out = made, data, out
        self.environ = None if environ is None else dict(environ)
        self._work: Workspace | None = None
        self._store = AssetStore({})

    def again(self, place: str, tree: Mapping[str, Any]) -> Reproduced:
        """Render one row and compare."""
        row = parse_row(tree, place=place)
        if self._work is None:
            self._work = Workspace(self._store)
        self._store.add_roots(_roots(row, self.data, self.environ))
        return _one(row, self._work, self.made, self.out)


def _roots(row: Row, data: Mapping[str, str], environ: Mapping[str, str] | None) -> dict[str, Path]:
    """Return the folders of the row's data names; a name without a folder is looked for by hash under the others."""
    names = {r.data for r in recordings(parts(row.spec))} | set(data)
    return resolve_roots(dict.fromkeys(sorted(names), ""), data, Path(), environ, missing_ok=True)


@contextmanager
def _lines(manifest: str | Path | Iterable[str]) -> Iterator[tuple[str, Iterable[str]]]:
    """Open a manifest given as a folder, a file, standard input or lines."""
    if not isinstance(manifest, str | Path):
        yield "rows", manifest
    elif str(manifest) == "-":
        yield "standard input", sys.stdin
    else:
        path = open_manifest(Path(manifest))
        with lines_of(path) as lines:
            yield str(path), lines


def environment(manifest: str | Path | Iterable[str]) -> dict[str, Any]:
    """Return what the dataset says of the versions it was built with, if it is at hand."""
    if not isinstance(manifest, str | Path) or str(manifest) == "-":
        return {}
    path = Path(manifest)
    head = (path if path.is_dir() else path.parent) / "dataset.json"
    try:
        tree = json.loads(head.read_text(encoding="utf-8"))
        built = tree["build"]
        others = {**built["libraries"], **built.get("plugins", {})}
        return {"audiosynth": str(built["audiosynth"]), **{str(k): str(v) for k, v in others.items()}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _one(row: Row, work: Workspace, made: Mapping[str, str], out: Path | None) -> Reproduced:
    lacking = _lacking(row)
    clip, written = _again(row, work, stems=out is not None and bool(row.spec.output.stems))
    same = clip.pcm_sha256 == row.pcm_sha256
    notes = [*lacking, *clip.warnings]
    if not same:
        notes.append(_advice(row, made))
    elif row.tree.get("written_sha256") not in (None, written):
        notes.append(
            f"the 16-bit samples are the same, those of the {row.spec.output.subtype} file differ in their last bits"
        )
    if out is not None and same:
        _write(clip, row, work, out)
    elif out is not None:
        notes.append("not written, since it is not the clip of the row")
    return Reproduced(row.clip_id, same, row.pcm_sha256, clip.pcm_sha256, tuple(notes), clip)


def _again(row: Row, work: Workspace, *, stems: bool) -> tuple[Clip, str]:
    """Render a row, in blocks if it is long; returns the clip, and the hash of the samples that its file holds."""
    spec = row.spec
    if not streams(spec):
        clip = render(spec, row.decisions, assets=work, stems=stems)
        return clip, pcm_sha256(samples_of(clip), spec.sr)
    digest = PcmHash(spec.sr, spec.channels, spec.n_samples, spec.output.subtype)
    return stream(spec, row.decisions, assets=work, sink=digest.update), digest.hexdigest()


def _write(clip: Clip, row: Row, work: Workspace, out: Path) -> None:
    scratch = out / f".tmp-{os.getpid()}"
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        recipe = str(row.tree.get("recipe", ""))
        if streams(row.spec):
            run(write(row.spec, out, scratch=scratch, work=work, recipe_sha256=recipe, decisions=row.decisions))
        else:
            write_clip(clip, out, scratch=scratch, recipe_sha256=recipe)
    finally:
        scratch.rmdir()


def _lacking(row: Row) -> list[str]:
    """Return in words what the row needs and is not here; said before anything is compared."""
    now = _now(row)
    here = {f"{name}=={number}" for name, number in now.items()} | set(_pinned(row))
    missing = [need for need in row.needs if need not in here]
    return (
        [f"needs {', '.join(missing)} (parts of it are not portable, or another package's); here: {_here(now)}"]
        if missing
        else []
    )


def _advice(row: Row, made: Mapping[str, str]) -> str:
    now = _now(row)
    pins = [f"{name}=={made[name]}" for name in made if name in now and now[name] != made[name]]
    if set(row.needs) - set(_pinned(row)):
        return f"the row needs {', '.join(row.needs)} (parts of it are not portable, or another package's); here: {_here(now)}"
    if pins:
        installable = [pin for pin in pins if not pin.startswith("libsndfile")]
        return f"built with other versions; try: pip install {' '.join(installable or pins)}"
    known = (
        "same versions, other samples"
        if made
        else f"other samples (the row's versions are not known; here: {_here(now)})"
    )
    return f"{known}: the row or a recording was edited, or this is a bug worth reporting with the row"


def _pinned(row: Row) -> list[str]:
    """Return what the row's pinned components would need if it were made here; nothing where that cannot be known."""
    try:
        return needs_of(parts(row.spec))
    except AudiosynthError:  # an engine that is missing: rendering says so, and how to get it
        return []


def _now(row: Row) -> dict[str, str]:
    return {"audiosynth": version(), **libraries(), **versions(row.tree.get("spec"))}


def _here(now: Mapping[str, str]) -> str:
    return ", ".join(f"{name}=={v}" for name, v in now.items())
