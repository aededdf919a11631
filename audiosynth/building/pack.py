"""Audio goes into tar files while the build runs: one for a folder of clips, in order, the same bytes for any number of workers."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audiosynth.building.folder import WORK
from audiosynth.building.orders import Order
from audiosynth.building.placing import put
from audiosynth.building.units import Unit
from audiosynth.exporters._json import json_line, record_of
from audiosynth.files.hashes import file_sha256
from audiosynth.files.packed import packed_place
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
    """

    def __init__(self, order: Order, root: Path, units: Sequence[Unit]) -> None:
        self._root, self._units, self._next = root, units, 0
        self._on = order.packing.audio == "tar"
        self._tells = order.supervision
        self._folder, self._members = "", list[tuple[str, str | bytes]]()
        self.digests: dict[str, str] = {}

    def advance(self) -> None:
        """Pack what can be packed now."""
        while self._on and self._next < len(self._units):
            unit = self._root / WORK / "units" / self._units[self._next].name
            if not unit.exists():
                return
            for line in unit.read_bytes().splitlines():
                self._take(json.loads(line))
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
        stems = (stem_path(name, stem) for stem in row.get("stems", ()))
        self._members += ((packed_place(stem)[1], stem) for stem in stems)

    def _pack(self) -> None:
        if not self._members:
            return
        work, name = self._root / WORK, f"{self._folder}.tar"
        mark = work / "packed" / f"{self._folder.replace('/', '-')}"
        if not mark.is_file():
            part = work / "tmp" / f"{os.getpid()}-{mark.name}.tar"
            with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
                for member, content in self._members:
                    self._add(tar, member, content)
            digest = file_sha256(part)
            part.replace(self._root / name)
            put(mark, digest.encode(), scratch=work / "tmp")
        shutil.rmtree(self._root / self._folder, ignore_errors=True)
        self.digests[name] = mark.read_text("ascii")
        self._members.clear()

    def _add(self, tar: tarfile.TarFile, member: str, content: str | bytes) -> None:
        """Add a file, of which nothing but its name and its bytes is told."""
        info = tarfile.TarInfo(member)
        info.mode = 0o644
        if isinstance(content, bytes):
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
            return
        path = self._root / content
        info.size = path.stat().st_size
        with path.open("rb") as file:
            tar.addfile(info, file)
