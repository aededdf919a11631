"""A `ClipStream` as PyTorch knows iterable datasets; imported where somebody asks for it, who has PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from torch.utils.data import IterableDataset

if TYPE_CHECKING:
    from audiosynth.dataset import ClipStream


class TorchStream(IterableDataset):  # type: ignore[misc]
    """What a `DataLoader` takes: it asks for the class."""

    def __init__(self, stream: ClipStream) -> None:
        self.stream = stream

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch, from 0."""
        self.stream.set_epoch(epoch)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.stream)
