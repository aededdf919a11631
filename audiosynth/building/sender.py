"""The thread that uploads a set while it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Final

from audiosynth.building.journal import folder_of
from audiosynth.building.shipping import PlaceTakenError, Shipping
from audiosynth.errors import BuildError

WAITING: Final = 4
"""Units that wait for their upload; more of them are uploaded at the end, or where files are let go of, rendering waits."""
LEAVE_SECONDS: Final = 30
"""How long a build that ends with an error waits for the upload that is under way, so that it need not be made again."""


class Sender:
    """A thread that ships what it is handed while the build goes on.

    Parameters
    ----------
    shipping
        The way.

    Notes
    -----
    What cannot be uploaded stays for the end, when it is tried again, and does not hold up the build; nor does a slow server. Only
    where files are let go of the build waits for it, and ends with its errors: the disk would fill up.
    """

    def __init__(self, shipping: Shipping) -> None:
        self._shipping = shipping
        self._waiting: Queue[Sequence[str]] = Queue(WAITING)
        self._stop = Event()
        self._failed: BuildError | None = None
        self._thread = Thread(target=self._run, name="upload", daemon=True)

    def take(self, names: Sequence[str]) -> None:
        """Take over files whose bytes are final.

        Raises
        ------
        BuildError
            Of an upload.
        """
        while True:
            self._raise()
            try:
                self._waiting.put(names, timeout=0.1 if self._shipping.free else 0)
            except Full:
                if self._shipping.free:
                    continue
            return

    def _raise(self) -> None:
        if self._failed is not None and (self._shipping.free or isinstance(self._failed, PlaceTakenError)):
            raise self._failed

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                names = self._waiting.get(timeout=0.1)
            except Empty:
                continue
            for folder, found in groupby(names, folder_of):
                try:
                    self._shipping.ship(folder, [*found])
                except Exception as error:  # a thread's own would be nobody's
                    self._failed = error if isinstance(error, BuildError) else self._told(error)

    def _told(self, error: Exception) -> BuildError:
        return BuildError(
            f"{self._shipping.there.url}: {type(error).__name__}: {error}; everything is still here, run the same command again"
        )

    @contextmanager
    def running(self) -> Iterator[Callable[[Sequence[str]], None]]:
        """Run the thread, and give what files are handed to; at the end it finishes what it is at, and leaves the rest."""
        self._thread.start()
        seconds: float | None = 0.0  # whoever stops the program does not wait
        try:
            yield self.take
            seconds = None
        except Exception:
            seconds = LEAVE_SECONDS
            raise
        finally:
            self._stop.set()
            self._thread.join(seconds)
