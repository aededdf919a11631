"""A crew of the workers of a Dask cluster: nothing lost when one of them is killed, nothing doubled, the same bytes."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from audiosynth.building.crew import Crew, Task
from audiosynth.building.units import Unit
from audiosynth.cluster.dispatch import Dispatch
from audiosynth.errors import BuildError, UsageError

LOCAL: Final = "local"
"""What stands in the place of an address for worker processes of this machine, started for one build."""
CONNECT_SECONDS: Final = 10
"""How long a scheduler may take to answer."""
SILENT: Final = logging.CRITICAL + 1
"""A level that no entry of a log reaches."""
_ADDRESS: Final = re.compile(r"(tcp|tls|ucx|ws|wss)://[^/\s]+:\d+")


def dask_crew(address: str, *, workers: int = 1, note: Callable[[str], None] | None = None) -> Crew:
    """Return a crew of the workers of a Dask cluster.

    Parameters
    ----------
    address
        Of its scheduler: ``tcp://HOST:PORT``, the JSON file that ``dask scheduler --scheduler-file`` wrote, or ``local`` for
        worker processes of this machine that live as long as the build.
    workers
        How many processes ``local`` starts.
    note
        Called with a sentence where somebody should know: no worker is there, one was refused.

    Raises
    ------
    UsageError
        If `address` is none of these, or Dask is not installed.

    Notes
    -----
    The crew raises `BuildError` where no scheduler answers or it is gone, where a worker has other versions or does not see the
    folders of dataset and data under the paths they have here, and where a unit has ended one worker after the other. What is
    finished stays, and the same build goes on from there.

    Examples
    --------
    >>> dask_crew("somewhere")
    Traceback (most recent call last):
    audiosynth.errors.UsageError: --dask somewhere: expected tcp://HOST:PORT of a scheduler, its --scheduler-file (.json), or local
    """
    if address != LOCAL and not address.endswith(".json") and not _ADDRESS.fullmatch(address):
        raise UsageError(
            f"--dask {address}: expected tcp://HOST:PORT of a scheduler, its --scheduler-file (.json), or {LOCAL}"
        )
    if not installed():
        raise UsageError("--dask needs Dask: pip install 'audiosynth[dask]'")

    def crew(task: Task, units: Sequence[Unit]) -> Generator[int, None, None]:
        if not units:
            return
        with ExitStack() as stack:
            stack.enter_context(_quiet())
            client = stack.enter_context(_connected(address, min(workers, len(units))))
            scratch = stack.enter_context(_scratch(task.root.absolute(), client.id))
            dispatch = Dispatch(client, address, note or _silent)
            yield from dispatch(task, units, scratch=scratch, local=address == LOCAL)

    return crew


def installed() -> bool:
    """Return whether Dask is there."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        return False
    return True


def _silent(text: str) -> None:
    """Tell nobody."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's log to itself: what matters of it becomes an error of ours."""
    import distributed  # noqa: F401 - gives its loggers the levels that are taken from them here

    names = ["distributed", *(name for name in logging.root.manager.loggerDict if name.startswith("distributed."))]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(SILENT)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def _connected(address: str, workers: int) -> Iterator[Any]:
    """Give a client of the cluster."""
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        target: Any = address
        if address.endswith(".json"):
            target = _written_address(Path(address))
        elif address == LOCAL:
            settings = {"threads_per_worker": 1, "memory_limit": 0, "dashboard_address": "127.0.0.1:0"}
            target = stack.enter_context(LocalCluster(n_workers=workers, silence_logs=SILENT, **settings))
            stack.callback(_end, target)
        try:
            client = Client(target, timeout=CONNECT_SECONDS, set_as_default=False)
        except OSError:
            raise BuildError(
                f"no Dask scheduler answers at {target}; start one with `dask scheduler`, workers with `dask worker`"
            ) from None
        stack.callback(_close, client)
        yield client


def _end(local: Any) -> None:
    """End the workers at once: what they are at is not wanted, and half of it harms nobody."""
    for nanny in local.workers.values():
        with suppress(Exception):
            nanny.auto_restart = False
            os.kill(nanny.pid, signal.SIGKILL)


def _written_address(file: Path) -> str:
    """Return the address in a scheduler's file; Dask itself would wait for one without end."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildError(
            f"{file}: is not the file of a Dask scheduler ({type(error).__name__}); write one with `dask scheduler --scheduler-file {file}`"
        ) from None


def _close(client: Any) -> None:
    with suppress(Exception):  # there is no taking leave of a scheduler that is gone
        client.close(timeout=1)


@contextmanager
def _scratch(root: Path, name: str) -> Iterator[Path]:
    """Give the folder whose being there says that this run goes on; it is moved away the moment the run ends."""
    folder = root / ".build" / "tmp" / name
    folder.mkdir()
    try:
        yield folder
    finally:
        over = folder.with_name(f"{name}.over")
        with suppress(OSError):
            folder.rename(over)
            shutil.rmtree(over, ignore_errors=True)
