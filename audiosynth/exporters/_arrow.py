"""What the exporters of Parquet share: pyarrow, and a table written a group of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from audiosynth.errors import BuildError
from audiosynth.exporters._files import atomic_binary

ROW_GROUP: Final = 100
"""Rows a reader has to take at once; with audio inside they are large."""


def put_table(
    path: Path, schema: Any, records: Iterator[dict[str, Any]], *, group: int = ROW_GROUP, compression: str = "snappy"
) -> None:
    """Write one file, a row group at a time."""
    import pyarrow.parquet

    with (
        atomic_binary(path) as file,
        pyarrow.parquet.ParquetWriter(file, schema, use_dictionary=False, compression=compression) as out,
    ):
        while batch := [*islice(records, group)]:
            out.write_table(pyarrow.Table.from_pylist(batch, schema=schema))


def pyarrow_of(name: str) -> Any:
    """Return pyarrow for the exporter `name`.

    Raises
    ------
    BuildError
        If it is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise BuildError(
            f"{name}: needs pyarrow, which is not installed; run `pip install audiosynth[parquet]`, or export another format"
        ) from None
    return pyarrow
