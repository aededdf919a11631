"""Put the parts of a build together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from audiosynth.build import Built, carry_out
from audiosynth.building.merging import MergedOrder, read_part, require_whole
from audiosynth.errors import UsageError


def merge(
    parts: Iterable[str | Path],
    root: str | Path,
    *,
    fresh: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Built:
    """Make one dataset of all the parts of a build: byte for byte what `audiosynth.build` makes in one go.

    Parameters
    ----------
    parts
        Folders that `audiosynth.build` made with ``shard="1/N"`` to ``"N/N"``, in any order. They stay as they are: audio is
        linked into the whole, or copied (and its hash compared) where the file system has no links or is another one.
    root
        Folder of the dataset; an unfinished merge of the same parts is resumed.
    fresh
        Delete an earlier build in `root` first.
    progress
        Called with (clips done, clips in all).

    Raises
    ------
    BuildError
        If a part is missing, there twice, unfinished, damaged, or of another build.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from audiosynth import build, load_recipe, merge, shipped_recipe
    >>> recipe, folder = load_recipe(shipped_recipe("quickstart"), clips=2), Path(tempfile.mkdtemp())
    >>> parts = [build(recipe, folder / str(n), shard=f"{n}/2").root for n in (1, 2)]
    >>> merge(parts, folder / "whole").clips
    4
    """
    found = [read_part(Path(part)) for part in parts]
    if not found:
        raise UsageError("merge: expected the folders of parts, got none")
    order = MergedOrder(require_whole(found))
    return carry_out(order, Path(root), fresh=fresh, progress=progress, crew=order.crew)
