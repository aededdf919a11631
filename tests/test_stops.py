"""Builds that are stopped while processes start or work: one line, nobody left behind, and a tree to go on from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from threading import Thread

import pytest
from dask_cluster import ENV, PATIENCE, Cluster, until
from material import tree_of, write_recipe

from audiosynth import build, load_recipe
from audiosynth.building.pool import Flag
from audiosynth.cluster import connect, local
from audiosynth.errors import BuildError

SAID = "stopped; run the same command again to go on\n"
pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes as Linux shows them"),
    pytest.mark.skipif(not connect.installed(), reason="Dask is not installed: pip install 'audiosynth[dask]'"),
]
# a shell starts what runs in its background with interrupts ignored, and these tests may run there
CODE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from audiosynth.cli import main; main()"
)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return a recipe of many short clips, and what an undisturbed build makes of it."""
    folder = tmp_path_factory.mktemp("many")
    source = {"type": "tone", "frequency": 500, "duration": 0.05}
    tree = {"duration": 0.1, "sr": 8000, "clips": 1280, "events": [{"label": "a", "source": source, "level_dbfs": -20}]}
    recipe = write_recipe(folder / "many.yaml", tree)
    return str(recipe), tree_of(build(load_recipe(recipe), folder / "whole").root)


def start(*words: str) -> subprocess.Popen[str]:
    """Start a build in a session of its own."""
    command = [sys.executable, "-c", CODE, "build", *words, "--quiet"]
    return subprocess.Popen(command, env=ENV, stderr=subprocess.PIPE, text=True, start_new_session=True)


def session(pid: int) -> int:
    """Return how many processes of a session run."""
    count = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, _, number = file.read_text().rpartition(")")[2].split()[:4]
            count += int(number) == pid and state != "Z"
    return count


def units(out: Path) -> int:
    """Return how many units stand."""
    return len([*(out / ".build" / "units").glob("*")])


def require_stopped(process: subprocess.Popen[str], number: int) -> None:
    """Wait for a stopped build, and look at how it ended."""
    assert process.communicate(timeout=PATIENCE)[1] == SAID
    assert process.returncode == 128 + number
    until(lambda: session(process.pid) == 0, "a process is left")


def require_resumed(words: tuple[str, ...], out: Path, whole: dict[str, bytes]) -> None:
    """Go on to the end, and compare."""
    assert not (out / "dataset.json").exists()
    process = start(*words)
    assert (process.communicate(timeout=PATIENCE)[1], process.returncode) == ("", 0)
    assert tree_of(out) == whole


@pytest.mark.parametrize("how", [("--dask", "local"), ()], ids=["dask", "pool"])
@pytest.mark.parametrize(
    ("moment", "number"), [("starting", signal.SIGINT), ("starting", signal.SIGTERM), ("working", signal.SIGINT)]
)
def test_everybody_is_gone(many, tmp_path, how, moment, number):
    """Ctrl-C reaches every process of a terminal, also one that is still loading; SIGTERM goes to the build alone."""
    out = tmp_path / "out"
    words = (many[0], *how, "--workers", "2", "-o", str(out))
    process = start(*words)
    processes = 4 if how else 3  # with it a scheduler, or the tracker of multiprocessing
    until(lambda: session(process.pid) >= processes if moment == "starting" else units(out), "the build does not go on")
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    require_stopped(process, number)
    # How a build goes on is free: what workers of a cluster have made, this process finishes.
    require_resumed((many[0], "--workers", "1", "-o", str(out)), out, many[1])


def _ask(flag: Flag, told) -> None:
    """Tell that it is down, ask until it is up, and tell that."""
    told.send(flag.raised())
    while not flag.raised():
        pass
    told.send(True)


def test_a_flag_is_free_whoever_is_killed():
    """A process that is killed while it asks keeps nobody from raising it, nor others from seeing it."""
    context = get_context("spawn")
    for _ in range(4):
        flag, (here, there) = Flag(), context.Pipe(duplex=False)
        pair = [context.Process(target=_ask, args=(flag, there), daemon=True) for _ in range(2)]
        for process in pair:
            process.start()
        assert [here.recv(), here.recv()] == [False, False]
        pair[0].kill()
        pair[0].join()
        Thread(target=flag.set, daemon=True).start()  # in this thread a lock would hold up all other tests
        assert here.poll(PATIENCE)
        assert here.recv() is True
        pair[1].join(PATIENCE)
        assert pair[1].exitcode == 0


def test_a_process_that_starts_is_not_interrupted(tmp_path):
    """Ctrl-C is held back for each process from its first moment, the very first of a program too."""
    script = tmp_path / "first.py"
    script.write_text(
        "import signal\nfrom multiprocessing import get_context\nfrom audiosynth.building.pool import signals_held\n"
        "def told(line): line.send(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))\n"
        "if __name__ == '__main__':\n"
        "    for _ in range(2):\n"
        "        here, there = get_context('spawn').Pipe()\n"
        "        process = get_context('spawn').Process(target=told, args=(there,))\n"
        "        with signals_held():\n"
        "            process.start()\n"
        "        print(here.recv(), signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))\n"
        "        process.join()\n"
    )
    done = subprocess.run([sys.executable, script], env=ENV, capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n" * 2


def test_a_stopped_build_leaves_the_cluster_of_others(many, tmp_path):
    """Scheduler and workers that were there before are there afterwards; the next build gets what they can do."""
    cluster, out = Cluster(tmp_path / "cluster").start(), tmp_path / "out"
    try:
        cluster.work()
        words = (many[0], "--dask", cluster.address, "-o", str(out))
        for number in (signal.SIGTERM, signal.SIGINT):
            stood, process = units(out), start(*words)
            until(lambda stood=stood: units(out) > stood, "the build does not go on")
            process.send_signal(number)
            require_stopped(process, number)
        assert all(process.poll() is None for process in cluster.processes)
        require_resumed(words, out, many[1])
    finally:
        cluster.close()


def test_a_scheduler_that_never_answers_does_not_hold_a_build(many, tmp_path):
    """What accepts connections and then says nothing is given up when the build is stopped."""
    from socket import create_server

    with create_server(("127.0.0.1", 0)) as server:
        process = start(many[0], "--dask", f"tcp://127.0.0.1:{server.getsockname()[1]}", "-o", str(tmp_path / "out"))
        with server.accept()[0]:
            process.send_signal(signal.SIGTERM)
            require_stopped(process, signal.SIGTERM)


def test_a_killed_worker_is_replaced():
    """Kill -9 of a local worker: another comes in its place; after the end all are gone."""
    from distributed import Client

    with local.local_cluster(2) as found, Client(found.address, set_as_default=False) as client:
        processes = [member.process for member in found._members]
        assert len(client.nthreads()) == 2
        before = set(client.nthreads())
        processes[1].kill()
        processes[1].join()
        until(
            lambda: (found.tend(), len(client.nthreads()) == 2 and set(client.nthreads()) != before)[1],
            "no other comes",
        )
        processes = [member.process for member in found._members]
        assert len(processes) == 3
    assert [process.is_alive() for process in processes] == [False] * 3


def ends(line, folder) -> None:
    """Be a worker that ends at once."""
    os._exit(7)


def fails(line, folder) -> None:
    """Be a worker that finds no port."""

    async def worker() -> None:
        raise OSError("no port is left")

    local._serve(line, worker)


@pytest.mark.parametrize(("work", "why"), [(ends, "exit code 7"), (fails, "OSError: no port is left")])
def test_a_worker_that_cannot_start(monkeypatch, work, why):
    """It is told, and not tried again without end."""
    monkeypatch.setattr(local, "_work", work)
    with (
        pytest.raises(BuildError, match=rf"a process of Dask ended before it had started \({why}\)"),
        local.local_cluster(1),
    ):
        pytest.fail("it has no worker")
