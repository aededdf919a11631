"""Croissant: a dataset described in JSON-LD, with its records in CSV."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._json import classes_of
from audiosynth.exporters._text import (
    Inaudible,
    Tells,
    atomic_text,
    atomic_texts,
    decimal_seconds,
    fixed,
    labels_of,
    table_field,
    told_rows,
    within,
)
from audiosynth.registry import Component

PLACES: Final = 6
TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "clips": {
        "file_name": "sc:Text", "split": "sc:Text", "duration": "sc:Float", "sr": "sc:Integer", "n_channels": "sc:Integer",
        "supervision": "sc:Text",
    },
    "events": {
        "file_name": "sc:Text", "onset": "sc:Float", "offset": "sc:Float", "label": "sc:Text", "audible": "sc:Boolean",
        "snr_db": "sc:Float",
    },
    "tags": {"file_name": "sc:Text", "label": "sc:Text"},
}  # fmt: skip
"""Record sets, their fields, and what these hold."""
CONTEXT: Final[Mapping[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{
        name: f"cr:{name}"
        for name in (
            "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet", "format",
            "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
            "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
        )
    },
}  # fmt: skip
"""The terms of Croissant 1.0, appendix 1."""
ENCODINGS: Final = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "mp3": "audio/mpeg",
}


class Croissant(Component):
    """``croissant/metadata.json`` (Croissant 1.0) with the record sets ``clips``, ``events`` and ``tags`` in CSV beside it.

    ``clips`` lists every clip and what its split tells (strong, weak, none), so that a clip without events differs from one
    whose events are withheld; ``events`` is of strong splits, ``tags`` (classes) of strong and weak ones. Audio is a file
    set whose paths are relative to the JSON-LD. The licence is the set's own, or those of
    the recordings, where every one has one. There is no
    date: the same set gives the same bytes.

    References
    ----------
    MLCommons, "Croissant format specification", version 1.0.
    """

    type_name: ClassVar[str] = "croissant"
    names_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"inaudible": "keep"})

    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``croissant/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a label would be read as something else.
        """
        base = folder / "croissant"
        paths = {name: base / f"{name}.csv" for name in TABLES}
        suffixes = set()
        with atomic_texts(paths) as files:
            tables = {name: csv.writer(file, lineterminator="\n") for name, file in files.items()}
            for name, table in tables.items():
                table.writerow(TABLES[name])
            for row, tells in told_rows(dataset):
                suffixes.add(str(row["path"]).rpartition(".")[2])
                for name, line in self._lines(row, tells):
                    tables[name].writerow(line)
        with atomic_text(base / "metadata.json") as file:
            file.write(json.dumps(_described(dataset, paths, sorted(suffixes)), ensure_ascii=False, indent=1) + "\n")
        return [*paths.values(), base / "metadata.json"]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose labels would be read as something else; asked when a clip is made, not when all are."""
        list(self._lines(row, "strong"))

    def _lines(self, row: Mapping[str, Any], tells: Tells) -> Iterator[tuple[str, list[Any]]]:
        """Yield (table, line) of everything that is told of a clip."""
        duration = decimal_seconds(row["n_samples"], row["sr"], places=PLACES)
        yield "clips", [row["path"], row["split"], duration, row["sr"], row["n_channels"], tells]
        for item in labels_of(row, self.inaudible) if tells == "strong" else ():
            times = [fixed(units, PLACES) for units in within(row, item, places=PLACES)]
            audible = str(item.get("audible", True)).lower()
            yield "events", [row["path"], *times, table_field(row, item["label"]), audible, item.get("snr_db")]
        for label in classes_of(row) if tells != "none" else ():
            yield "tags", [row["path"], table_field(row, label)]


def _described(dataset: DatasetView, paths: Mapping[str, Path], suffixes: list[str]) -> dict[str, Any]:
    licences = (
        [dataset.licence] if dataset.licence else sorted({str(row.get("licence") or "") for row in dataset.assets()})
    )
    clips = ", ".join(f"{n} in {split}" for split, n in dataset.splits.items())
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": re.sub(r"[^A-Za-z0-9_.-]+", "-", dataset.name).strip("-") or "dataset",
        "description": f"Labeled audio made with audiosynth from a recipe, each clip reproducible from its manifest row: {clips}.",
        **({"license": licences} if licences and all(licences) else {}),
        "distribution": [*map(_table, paths.values()), *(_audio(suffix, dataset.home) for suffix in suffixes)],
        "recordSet": [_records(name) for name in paths],
    }


def _table(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {
        "@type": "cr:FileObject", "@id": path.name, "name": path.name, "contentUrl": path.name, "contentSize": f"{len(data)} B",
        "encodingFormat": "text/csv", "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip


def _audio(suffix: str, home: str) -> dict[str, Any]:
    name = f"audio-{suffix}"
    return {
        "@type": "cr:FileSet", "@id": name, "name": name, "encodingFormat": ENCODINGS.get(suffix, f"audio/{suffix}"),
        "includes": f"{home}/audio/*/*/*.{suffix}",
    }  # fmt: skip


def _records(name: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [
            {
                "@type": "cr:Field", "@id": f"{name}/{column}", "name": column, "dataType": kind,
                "source": {"fileObject": {"@id": f"{name}.csv"}, "extract": {"column": column}},
            }
            for column, kind in TABLES[name].items()
        ],
    }  # fmt: skip
