"""A crew of the workers of a Dask cluster: nothing lost when one of them is killed, nothing doubled, the same bytes."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from audiosynth.building.crew import Crew, Task
from audiosynth.building.folder import WORK
from audiosynth.building.units import Unit
from audiosynth.cluster.dispatch import LEAVE_SECONDS, Dispatch
from audiosynth.cluster.local import Local, local_cluster
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
            client, local = stack.enter_context(_connected(address, min(workers, len(units))))
            scratch = stack.enter_context(_scratch(task.root.absolute(), client.id))
            dispatch = Dispatch(client, address, note or _silent, tend=local.tend if local else None)
            yield from dispatch(task, units, scratch=scratch)

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
def _connected(address: str, workers: int) -> Iterator[tuple[Any, Local | None]]:
    """Give a client of the cluster, and the processes that were started for it."""
    with ExitStack() as stack:
        local = stack.enter_context(local_cluster(workers)) if address == LOCAL else None
        client = _client(local.address if local else _written_address(address))
        stack.callback(_close, client)
        if local:
            stack.callback(local.end)  # before the client closes, which would take leave of them
        yield client, local


def _client(address: str) -> Any:
    from distributed import Client

    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except OSError:
        raise BuildError(
            f"no Dask scheduler answers at {address}; start one with `dask scheduler`, workers with `dask worker`"
        ) from None


def _written_address(place: str) -> str:
    """Return an address, read from a scheduler's file if it is one; Dask itself would wait for the file without end."""
    if not place.endswith(".json"):
        return place
    file = Path(place)
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["address"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildError(
            f"{file}: is not the file of a Dask scheduler ({type(error).__name__}); write one with `dask scheduler --scheduler-file {file}`"
        ) from None


def _close(client: Any) -> None:
    with suppress(Exception):  # there is no taking leave of a scheduler that is gone
        client.close(timeout=LEAVE_SECONDS)


@contextmanager
def _scratch(root: Path, name: str) -> Iterator[Path]:
    """Give the folder whose being there says that this run goes on; it is moved away the moment the run ends."""
    folder = root / WORK / "tmp" / name
    folder.mkdir()
    try:
        yield folder
    finally:
        over = folder.with_name(f"{name}.over")
        with suppress(OSError):
            folder.rename(over)
            shutil.rmtree(over, ignore_errors=True)
