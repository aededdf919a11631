"""The manifest as Parquet: a row a clip, for queries; the whole row as JSON beside its columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from audiosynth.clip import DatasetView
from audiosynth.exporters._arrow import put_table, pyarrow_of
from audiosynth.registry import Component

GROUP: Final = 1000
"""Rows of a row group: some 2 MB of JSON, which a reader that wants few columns never touches."""
TEXTS: Final = ("clip_id", "split", "path", "pcm_sha256", "file_sha256", "recipe")
WHOLE: Final = ("n_samples", "sr", "n_channels", "format", "engine")
LABEL: Final[Mapping[str, str]] = {
    "label": "string", "onset": "float64", "offset": "float64", "onset_sample": "int64", "offset_sample": "int64", "event": "int64",
    "audible": "bool", "snr_db": "float64",
}  # fmt: skip
"""What is told of a label, each with its type."""


class RowsParquet(Component):
    """``rows_parquet/manifest.parquet``: the manifest itself, for pandas, DuckDB, Polars and their like.

    Columns clip_id, split, path, duration, n_samples, sr, n_channels, format, engine, pcm_sha256, file_sha256, recipe, needs, and
    `labels` (a list of label, onset, offset in seconds and samples, event, audible, snr_db); `row` is the manifest's line, as
    `audiosynth reproduce -` reads it. Everything is in it, also of splits whose labels other formats withhold. Needs pyarrow
    (``pip install audiosynth[parquet]``), whose version decides the file's bytes.
    """

    type_name: ClassVar[str] = "rows_parquet"
    portability: ClassVar[str] = "pinned"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    def needs(self) -> tuple[str, ...]:
        """Return the pyarrow that decides the bytes."""
        return (f"pyarrow=={pyarrow_of(self.type_name).__version__}",)

    def check(self, row: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Miss pyarrow when a first clip is made, not when all are."""
        pyarrow_of(self.type_name)

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``rows_parquet/`` below `folder` and return the path.

        Raises
        ------
        BuildError
            If pyarrow is missing.
        """
        path = folder / "rows_parquet" / "manifest.parquet"
        schema = _schema(pyarrow_of(self.type_name))
        put_table(path, schema, map(_record, dataset.rows()), group=GROUP, compression="zstd")
        return [path]


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: row[key] for key in (*TEXTS, *WHOLE)},
        "duration": float(row["duration"]),
        "needs": list(row["needs"]),
        "labels": [{key: label.get(key) for key in LABEL} for label in row["labels"]],
        "row": json.dumps(row, ensure_ascii=False, separators=(",", ":")),
    }


def _schema(arrow: Any) -> Any:
    types = {"string": arrow.string(), "float64": arrow.float64(), "int64": arrow.int64(), "bool": arrow.bool_()}
    label = arrow.struct([(name, types[kind]) for name, kind in LABEL.items()])
    return arrow.schema(
        [
            *((name, arrow.string()) for name in TEXTS),
            *((name, arrow.int64()) for name in WHOLE),
            ("duration", arrow.float64()),
            ("needs", arrow.list_(arrow.string())),
            ("labels", arrow.list_(label)),
            ("row", arrow.string()),
        ]
    )
