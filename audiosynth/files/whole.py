"""Files that are there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Give the file to write, beside `path`; it appears under that name only when the block ends well.

    Examples
    --------
    >>> import tempfile
    >>> wanted = Path(tempfile.mkdtemp()) / "a" / "b.txt"
    >>> with appearing(wanted) as part:
    ...     size = part.write_text("done")
    >>> wanted.read_text(), part.exists()
    ('done', False)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
