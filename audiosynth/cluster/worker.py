"""One worker process of a Dask cluster: what it keeps for a build, and the units it makes.

Imports Dask where it stands, so only functions that are about to talk to a cluster import this module.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from threading import get_ident, local
from typing import Any, Final

from distributed import get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from audiosynth.building.crew import ASSET_BYTES, Hand
from audiosynth.building.memory import keep_freed_memory
from audiosynth.building.units import Unit
from audiosynth.cluster.run import Refused, Run, unfit
from audiosynth.errors import AudiosynthError, BuildError

ASSET_SHARE: Final = 4
"""Decoded recordings take at most this part of the memory that Dask lets a worker have."""


class BuildPlugin(WorkerPlugin):  # type: ignore[misc, unused-ignore]
    """What a worker keeps for one run of a build: Dask hands it to every worker that is there, and to each that comes later.

    Parameters
    ----------
    run
        The run.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.name = run, run.name

    def setup(self, worker: Any) -> None:
        """Find out whether this worker may take part; drop what runs that are over have left here."""
        self._worker = worker
        self._hands = local()  # a thread shares nothing with the others
        self._reason = unfit(self.run.facts, self.run.folders)
        limit = worker.memory_manager.memory_limit or ASSET_SHARE * ASSET_BYTES * worker.state.nthreads
        self._asset_bytes = min(ASSET_BYTES, limit // (ASSET_SHARE * worker.state.nthreads))
        keep_freed_memory()
        for other in list(worker.plugins.values()):
            if isinstance(other, BuildPlugin) and other.over():
                other.teardown(worker)

    def teardown(self, worker: Any) -> None:  # noqa: ARG002
        """Let go of recordings and responses."""
        self._hands = local()

    def over(self) -> bool:
        """Return whether the run has ended, in whatever way."""
        return not self.run.scratch.is_dir()

    def make(self, unit: Unit) -> int | Refused:
        """Write a unit; return the number of its clips."""
        if self._reason:
            return Refused(self._worker.address, self._reason)
        hand: Hand | None = getattr(self._hands, "hand", None)
        if hand is None:
            hand = self._hands.hand = self._hand()
        try:
            return hand(unit)
        except AudiosynthError as error:
            error.__cause__ = error.__context__ = None  # it says all that a user needs, and travels light
            raise
        except Exception as error:
            failed = RuntimeError(f"{unit.name}: {type(error).__name__}: {error}")
        raise failed  # what cannot be pickled would never arrive, and the client wait for it

    def _hand(self) -> Hand:
        scratch = self.run.scratch / f"{self._worker.id}-{get_ident()}"
        try:
            scratch.mkdir(exist_ok=True)
        except FileNotFoundError:
            raise BuildError("the build was stopped") from None
        task = replace(pickle.loads(self.run.task), scratch=scratch, roots=self.run.roots)  # noqa: S301 - from our own client
        return Hand(task, share=self.run.share, stopped=self.over, asset_bytes=self._asset_bytes)


def make(name: str, unit: Unit) -> int | Refused:
    """Write a unit of the run of that name."""
    plugin: BuildPlugin = get_worker().plugins[name]
    return plugin.make(unit)
