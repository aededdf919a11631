"""The end of a build: manifest, assets, exports, and last of all dataset.json, whose presence says "whole"."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from audiosynth import registry
from audiosynth.building.card import card
from audiosynth.building.content import Content
from audiosynth.building.folder import WORK
from audiosynth.building.index import index_path
from audiosynth.building.orders import Order
from audiosynth.building.placing import put
from audiosynth.building.row_files import ManifestWriter
from audiosynth.building.rows import filled, is_packed, lines_of
from audiosynth.building.summary import Totals
from audiosynth.building.units import Unit
from audiosynth.clip import DatasetView
from audiosynth.errors import ManifestError
from audiosynth.files.hashes import file_sha256
from audiosynth.manifest import NAMES, open_manifest

CARD: Final = "README.md"


def finish(
    order: Order, root: Path, units: Sequence[Unit], state: Mapping[str, Any], *, packed: Mapping[str, str]
) -> dict[str, Any]:
    """Write everything that needs all rows; returns the totals. Of files that are `packed`, the hashes are known."""
    scratch = root / WORK / "tmp"
    manifest = root / NAMES[order.packing.manifest == "gzip"]
    totals, content = _join(root, units, manifest)
    rows = [{**row, **content.of_recording(row["sha256"])} for row in order.assets(content.used)]
    put(root / "assets.jsonl", "".join(_line(row) for row in rows).encode(), scratch=scratch)
    for name, text in order.texts().items():
        put(root / name, text.encode(), scratch=scratch)
    splits = {s: totals.clips.get(s, 0) for s in order.clips}
    told = order.head()
    exports = () if "shard" in state else order.exports  # labels are of the whole
    dataset = view(root, {"name": order.name, "splits": splits, "supervision": order.supervision, **told})
    export(dataset, exports, root)
    stats = {**totals.as_dict(), "failed": _failures(root, units, scratch)}
    head = {
        **told,
        "supervision": {split: order.supervision.get(split, "strong") for split in order.clips},
        "synthetic": True,
        "recordings": len(content.used),
        "made_of": content.as_dict(),
        "export": [dict(tree) for tree in exports],
        **stats,
        "splits": splits,
    }
    put(root / CARD, card(head, rows, content).encode(), scratch=scratch)
    held = {name: file_sha256(root / name) for name in _beside(order, manifest)}
    head.update(files={**held, **packed}, build=dict(state))
    text = json.dumps(head, ensure_ascii=False, indent=1) + "\n"
    put(root / "dataset.json", text.encode(), scratch=scratch)
    return stats


def _beside(order: Order, manifest: Path) -> tuple[str, ...]:
    """Return the names of the files that are held by the hashes in `dataset.json`."""
    return (manifest.name, index_path(manifest).name, "assets.jsonl", CARD, *order.texts())


def _failures(root: Path, units: Sequence[Unit], scratch: Path) -> int:
    """Write ``failed.jsonl`` if clips could not be made, else delete an earlier one; returns their number."""
    found = [root / WORK / "failed" / unit.name for unit in units]
    text = b"".join(path.read_bytes() for path in found if path.is_file())
    if text:
        put(root / "failed.jsonl", text, scratch=scratch)
    else:
        (root / "failed.jsonl").unlink(missing_ok=True)
    return text.count(b"\n")


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


def _join(root: Path, units: Sequence[Unit], manifest: Path) -> tuple[Totals, Content]:
    """Concatenate the units' rows in order, and index them; returns totals and what went in."""
    totals, content = Totals(), Content()
    scratch, index = root / WORK / "tmp" / manifest.name, index_path(manifest)
    with ManifestWriter(scratch, index_path(scratch), packed=is_packed(manifest)) as out:
        for unit in units:
            for line in (root / WORK / "units" / unit.name).read_bytes().splitlines(keepends=True):
                row = json.loads(line)
                out.add(line, row["split"], row["spec"]["ordinal"])
                totals.add(row)
                content.add(row)
    index_path(scratch).replace(index)
    scratch.replace(manifest)
    return totals, content


def read_assets(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of an assets.jsonl.

    Raises
    ------
    ManifestError
        If a line is not a row of one.
    """
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            row = json.loads(line)
            if not all(isinstance(row[key], str) for key in ("data", "path", "sha256")):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            raise ManifestError(f"{path}:{number}: not a row that a build writes; was the file edited?") from None
        yield row


def view(root: Path, head: Mapping[str, Any]) -> DatasetView:
    """Return a dataset folder as exporters see it; `head` is what its dataset.json says."""
    supervision, licence = head["supervision"], head.get("licence") or {}

    def lines(file: Path) -> Iterator[dict[str, Any]]:
        with lines_of(file) as rows:
            for line in filled(rows):
                yield json.loads(line)

    return DatasetView(
        root, head["name"], head["splits"], lambda: lines(open_manifest(root)), lambda: lines(root / "assets.jsonl"),
        frozenset(s for s, kind in supervision.items() if kind == "weak"),
        frozenset(s for s, kind in supervision.items() if kind == "none"),
        licence=str(licence.get("set") or ""),
    )  # fmt: skip


def export(dataset: DatasetView, exporters: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write the labels of a dataset in every format asked for, and its attribution."""
    for tree in exporters:
        exporter: Any = registry.create("exporters", tree)
        exporter.write(dataset, folder / "labels")
    attribution: Any = registry.create("exporters", {"type": "attribution"})
    attribution.write(dataset, folder)
