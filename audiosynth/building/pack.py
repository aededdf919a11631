"""Audio goes into tar files while the build runs: one for a folder of clips, in order, the same bytes for any number of workers.

Whoever goes through the finished units knows which files will not change any more; this is where others are told.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from audiosynth.building.folder import WORK
from audiosynth.building.orders import Order
from audiosynth.building.placing import put
from audiosynth.building.units import Unit
from audiosynth.exporters._json import json_line, record_of
from audiosynth.files.hashes import file_sha256
from audiosynth.files.packed import packed_place
from audiosynth.files.tars import add_file
from audiosynth.material.stems import stem_path


class Packer:
    """Follows the units of a build in their order, as far as they are finished, and packs folder after folder.

    A tar is there whole or not at all; the hash of a whole one stands in ``.build/packed``, and only then the folder goes. So a
    build that is killed in between packs the same folder again, or goes on after it. On disk, never much more than the
    packed audio and the units that are in work; in memory, the labels of one folder of clips.

    Parameters
    ----------
    order, root, units
        The build, and its units in the order of the manifest.
    final
        Told the files of audio, by their paths below the set, that will not change any more: those of a unit, or a tar; those of
        finished units of an earlier run too.
    """

    def __init__(
        self, order: Order, root: Path, units: Sequence[Unit], *, final: Callable[[Sequence[str]], None] | None = None
    ) -> None:
        self._root, self._units, self._next = root, units, 0
        self._packs, self._final = order.packing.audio == "tar", final
        self._tells = order.supervision
        self._folder, self._members = "", list[tuple[str, str | bytes]]()
        self.digests: dict[str, str] = {}

    def advance(self) -> None:
        """Pack what can be packed now, and tell what is final."""
        while (self._packs or self._final is not None) and self._next < len(self._units):
            unit = self._root / WORK / "units" / self._units[self._next].name
            if not unit.exists():
                return
            rows = [json.loads(line) for line in unit.read_bytes().splitlines()]
            if self._packs:
                for row in rows:
                    self._take(row)
            elif self._final is not None and rows:
                self._final([name for row in rows for name in files_of(row)])
            self._next += 1

    def close(self) -> dict[str, str]:
        """Pack the rest; return the hashes of all tar files by their path below the set."""
        self.advance()
        self._pack()
        return self.digests

    def _take(self, row: Mapping[str, Any]) -> None:
        name = str(row["path"])
        folder = name.rpartition("/")[0]
        if folder != self._folder:
            self._pack()
            self._folder = folder
        kind = {"weak": "weak", "none": "none"}.get(self._tells.get(row["split"], ""), "strong")
        record = json_line({"clip_id": row["clip_id"], **record_of(row, kind, "keep")})  # type: ignore[arg-type]
        self._members.append((packed_place(name)[1], name))
        self._members.append((f"{row['clip_id']}.json", record.encode()))
        self._members += ((packed_place(stem)[1], stem) for stem in files_of(row)[1:])

    def _pack(self) -> None:
        if not self._members:
            return
        work, name = self._root / WORK, f"{self._folder}.tar"
        mark = mark_of_tar(self._root, self._folder)
        if not mark.is_file():
            part = work / "tmp" / f"{os.getpid()}-{mark.name}.tar"
            with tarfile.open(part, "w") as tar:
                for member, content in self._members:
                    self._add(tar, member, content)
            digest = file_sha256(part)
            part.replace(self._root / name)
            put(mark, digest.encode(), scratch=work / "tmp")
        shutil.rmtree(self._root / self._folder, ignore_errors=True)
        self.digests[name] = mark.read_text("ascii")
        self._members.clear()
        if self._final is not None:
            self._final([name])

    def _add(self, tar: tarfile.TarFile, member: str, content: str | bytes) -> None:
        """Add a file of the set, or bytes."""
        if isinstance(content, bytes):
            add_file(tar, member, io.BytesIO(content), len(content))
            return
        path = self._root / content
        with path.open("rb") as file:
            add_file(tar, member, file, path.stat().st_size)


def files_of(row: Mapping[str, Any]) -> list[str]:
    """Return the paths of a clip's audio and of its stems below the set.

    Examples
    --------
    >>> files_of({"path": "audio/train/000000/a.wav", "stems": {"noise": "c0ffee"}})
    ['audio/train/000000/a.wav', 'audio/train/000000/a.stems/noise.wav']
    """
    name = str(row["path"])
    return [name, *(stem_path(name, stem) for stem in row.get("stems", ()))]


def mark_of_tar(root: Path, folder: str) -> Path:
    """Return the file that says that a folder of clips became a whole tar, and which hash that has."""
    return root / WORK / "packed" / folder.replace("/", "-")
