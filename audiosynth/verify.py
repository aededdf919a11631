"""Hold the files of a dataset against its manifest: what is missing, changed or extra."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiosynth.building.finish import export, view
from audiosynth.building.rows import rows_of
from audiosynth.errors import AudiosynthError, ManifestError
from audiosynth.exports import LATER, all_exports, read_head
from audiosynth.files.hashes import file_sha256
from audiosynth.files.packed import packed_place, stored_bytes
from audiosynth.manifest import NAMES, open_manifest, safe_path
from audiosynth.material.stems import stem_path


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
        Folder of a finished build.

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
    root = Path(root)
    manifest = open_manifest(root)
    head = read_head(root)
    found = _Found(root)
    for name, digest in head["files"].items():
        found.hold(safe_path(name, place=f"{root / 'dataset.json'} files"), digest)
    clips = 0
    for place, row in rows_of(manifest):
        clips += 1
        name = safe_path(row.get("path"), place=place)
        found.hold_audio(name, row.get("file_sha256"))
        for stem, digest in _stems(row, place).items():
            found.hold_audio(safe_path(stem_path(name, stem), place=place), digest)
    if found.whole:
        for name, digest in _labels(root, head):
            found.hold(name, digest)
        found.known.add(LATER)
    return Verdict(clips, tuple(found.missing), tuple(found.changed), tuple(found.extra()))


class _Found:
    """Collects differences."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.resolved = root.resolve()
        self.known: set[str] = set()
        self.missing: list[str] = []
        self.changed: list[str] = []

    def hold(self, name: str, digest: object) -> None:
        """Compare one file with its hash."""
        self.known.add(name)
        target = self.root / name
        if not target.resolve().is_relative_to(self.resolved):
            raise ManifestError(f"{self.root}: {name} leads outside the dataset through a link")
        if not target.is_file():
            self.missing.append(name)
        elif file_sha256(target) != digest:
            self.changed.append(name)

    def hold_audio(self, name: str, digest: object) -> None:
        """Compare a file of a clip with its hash; inside a tar only where the tar itself is not what was written."""
        tar, _ = packed_place(name)
        if tar not in self.known:
            self.hold(name, digest)
        elif tar in self.changed:
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
            for path in sorted((self.root / folder).rglob("*")):
                name = path.relative_to(self.root).as_posix()
                if path.is_file() and name not in self.known:
                    yield name


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
