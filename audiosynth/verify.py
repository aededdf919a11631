"""Hold the files of a dataset against its manifest: what is missing, changed or extra."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from audiosynth.building.elsewhere import near
from audiosynth.building.finish import export, view
from audiosynth.building.held import Held, HeldHere, HeldThere
from audiosynth.building.rows import rows_of
from audiosynth.errors import AudiosynthError, ManifestError
from audiosynth.exports import LATER, all_exports, read_head, reads_audio
from audiosynth.files.hashes import file_sha256
from audiosynth.files.packed import packed_place, stored_bytes
from audiosynth.files.paths import safe_path
from audiosynth.files.remote import is_url, remote
from audiosynth.manifest import NAMES, open_manifest
from audiosynth.material.stems import stem_path

BATCH: Final = 64
"""Rows whose files are asked for together."""


@dataclass(frozen=True)
class Verdict:
    """What `verify` found.

    Attributes
    ----------
    clips
        Rows in the manifest.
    missing, changed, extra
        POSIX paths below the dataset: files that are not there, are not what was written, or that no row names.
    """

    clips: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Return whether nothing was found."""
        return not (self.missing or self.changed or self.extra)


def verify(root: str | Path) -> Verdict:
    """Hold the files of a dataset against its manifest, and the manifest against ``dataset.json``.

    Audio and stems are compared by the hashes in the rows; manifest, assets and recipe by those in ``dataset.json``;
    labels (those of `audiosynth export` too) and attribution are written again in a temporary folder and compared (unless
    manifest or assets differ). Under ``audio/`` and ``labels/`` every other file is extra; elsewhere, files of yours are
    left alone.

    Parameters
    ----------
    root
        Folder of a finished build, or a URL of one: its audio is downloaded some clips at a time (all of it, into the bounded cache
        of downloads, where labels are made of it).

    Raises
    ------
    ManifestError
        If there is no finished build, a row is malformed, or points outside the dataset.

    Examples
    --------
    >>> import tempfile
    >>> from audiosynth import build, load_recipe, shipped_recipe, verify
    >>> verify(build(load_recipe(shipped_recipe("quickstart"), clips=1), tempfile.mkdtemp()).root).ok
    True
    """
    if not is_url(root):
        return _verdict(Path(root), HeldHere(Path(root)))
    url = str(root).rstrip("/")
    there = remote(url, error=ManifestError)
    with near(url) as folder:
        held = HeldThere(there, folder)
        held.bring(LATER)
        if not any(reads_audio(tree) for tree in all_exports(folder, read_head(folder))):
            return _verdict(folder, held)
    with near(url, audio=True) as folder:
        return _verdict(folder, HeldHere(folder))


def _verdict(root: Path, held: Held) -> Verdict:
    manifest = open_manifest(root)
    head = read_head(root)
    found = _Found(root, held)
    for name, digest in head["files"].items():
        found.hold([(safe_path(name, place=f"{root / 'dataset.json'} files"), digest)])
    clips, rows = 0, rows_of(manifest)
    while batch := [*islice(rows, BATCH)]:
        clips += len(batch)
        found.hold_audio([file for place, row in batch for file in _files(row, place)])
    if found.whole:
        labels = _labels(root, head)
        while files := [*islice(labels, BATCH)]:
            found.hold(files)
        found.known.add(LATER)
    return Verdict(clips, tuple(found.missing), tuple(found.changed), tuple(found.extra()))


def _files(row: Mapping[str, Any], place: str) -> Iterator[tuple[str, object]]:
    """Yield the files of a row, with their hashes."""
    name = safe_path(row.get("path"), place=place)
    yield name, row.get("file_sha256")
    for stem, digest in _stems(row, place).items():
        yield safe_path(stem_path(name, stem), place=place), digest


class _Found:
    """Collects differences."""

    def __init__(self, root: Path, held: Held) -> None:
        self.root, self.held = root, held
        self.known: set[str] = set()
        self.missing: list[str] = []
        self.changed: list[str] = []

    def hold(self, files: Sequence[tuple[str, object]]) -> None:
        """Compare files with their hashes."""
        names = [name for name, _ in files]
        self.known.update(names)
        digests = self.held.digests(names)
        self.missing += [name for name in names if name not in digests]
        self.changed += [name for name, digest in files if digests.get(name, digest) != digest]

    def hold_audio(self, files: Sequence[tuple[str, object]]) -> None:
        """Compare files of clips with their hashes; inside a tar only where the tar itself is not what was written."""
        self.hold([(name, digest) for name, digest in files if packed_place(name)[0] not in self.known])
        for name, digest in files:
            tar, _ = packed_place(name)
            if tar in self.changed:
                self.held.bring(tar)
                try:
                    data = stored_bytes(self.root, name)
                except OSError:
                    self.missing.append(name)
                else:
                    self.changed += [] if hashlib.sha256(data).hexdigest() == digest else [name]

    @property
    def whole(self) -> bool:
        """Return whether the rows can be trusted, so that labels can be written from them."""
        return {*NAMES, "assets.jsonl"}.isdisjoint([*self.missing, *self.changed])

    def extra(self) -> Iterator[str]:
        """Yield the files of audio/ and labels/ that nobody named."""
        for folder in ("audio", "labels") if self.whole else ("audio",):
            yield from (name for name in self.held.below(folder) if name not in self.known)


def _stems(row: Mapping[str, Any], place: str) -> Mapping[str, str]:
    stems = row.get("stems", {})
    if not isinstance(stems, Mapping):
        raise ManifestError(f"{place}: 'stems' should be names and hashes, got {stems!r}; was the row edited?")
    return stems


def _labels(root: Path, head: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (path, hash) of the label files that the manifest gives."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            export(view(root, head), all_exports(root, head), folder)
        except (KeyError, TypeError, ValueError, AttributeError, AudiosynthError) as error:
            raise ManifestError(f"{root / 'dataset.json'}: its labels cannot be written again ({error})") from None
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), file_sha256(path)
