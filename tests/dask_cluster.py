"""A Dask cluster of real processes on the loopback: scheduler and workers as their own commands start them, killed as told."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
PATIENCE = 150
"""Seconds that a process may take to be there; it takes two, on a machine that does nothing else."""


class Cluster:
    """Scheduler and workers, each a process of its own.

    Parameters
    ----------
    folder
        For their logs and the scheduler's file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []
        self._logs: list[IO[bytes]] = []
        self.scheduler: subprocess.Popen[bytes]
        self.port = 0

    def start(self, **environment: str) -> Cluster:
        """Start the scheduler, at the port it had before if there was one."""
        self.file.unlink(missing_ok=True)
        words = ["scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard", "--no-show"]
        self.scheduler = self._run(*words, "--scheduler-file", str(self.file), **environment)
        until(self._there, f"{self.folder}: the scheduler does not start")
        self.port = int(self.address.rpartition(":")[2])
        return self

    def _there(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return bool(json.loads(self.file.read_text())["address"])
        return False

    @property
    def address(self) -> str:
        """Return the scheduler's address."""
        return str(json.loads(self.file.read_text())["address"])

    def work(self, *words: str, threads: int = 1, wait: bool = True) -> subprocess.Popen[bytes]:
        """Start a worker, without a nanny that would start it again; wait until the scheduler knows it."""
        options = ("--no-nanny",) if "--nanny" not in words else ()
        words = tuple(word for word in words if word != "--nanny")
        how = ("--host", "127.0.0.1", "--nthreads", str(threads), "--no-dashboard", *options, *words)
        process = self._run("worker", self.address, *how)
        log = Path(str(self._logs[-1].name))
        self.workers.append(process)
        if wait:
            until(lambda: b"Registered to" in log.read_bytes(), f"{log}: the worker does not start")
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process at once, as if its machine were gone."""
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.workers = [worker for worker in self.workers if worker is not process]

    def ended(self) -> list[str]:
        """Return of each process that has ended its exit code, and the last line of its log."""
        codes = [process.poll() for process in self.processes]
        logs = [Path(str(log.name)) for log in self._logs]
        return [
            f"{log.stem}: exit code {code}, {(log.read_text(errors='replace').splitlines() or ['no log'])[-1]}"
            for code, log in zip(codes, logs, strict=True)
            if code is not None
        ]

    def close(self) -> None:
        """End everything."""
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
            process.wait()
        for log in self._logs:
            log.close()

    def _run(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{len(self.processes)}-{words[0]}.log").open("wb")
        self._logs.append(log)
        command = [sys.executable, "-m", "dask", *words]
        process = subprocess.Popen(command, env={**ENV, **environment}, stdout=log, stderr=log)
        self.processes.append(process)
        return process


def until(true: object, message: str) -> None:
    """Wait until a function gives something true."""
    deadline = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(message)
        time.sleep(0.05)
