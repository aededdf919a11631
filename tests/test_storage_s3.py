"""S3 by a real server, `moto_server` on the loopback (``pip install s3fs 'moto[server]'``), through a wire that is cut again and again.

The server is started as ``python -m moto.server -H 127.0.0.1 -p PORT``; s3fs reaches it by ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from dask_cluster import ENV, until
from material import full_recipe, tree_of

from audiosynth import Upload, build, load_recipe, verify
from audiosynth.cli import cli

pytest.importorskip("s3fs", reason="s3fs is not installed: pip install s3fs")
pytest.importorskip("moto.server", reason="moto's server is not installed: pip install 'moto[server]'")
pytestmark = [
    pytest.mark.heavy,
    # sockets that are cut are nobody's to close; what becomes of the bytes is what is tested
    pytest.mark.filterwarnings(
        "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::DeprecationWarning"
    ),
]
CLIPS = 100


class Wire:
    """A TCP proxy that cuts every n-th connection once so many bytes went through it, in either direction."""

    def __init__(self, port: int) -> None:
        self.target, self.every, self.after, self.cuts = port, 0, 0, 0
        self._numbers = count(1)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            left = [self.after] if self.every and next(self._numbers) % self.every == 0 else [1 << 60]
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(*ends, left), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, left: list[int]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                target.sendall(data[: max(0, left[0])])
                left[0] -= len(data)
                if left[0] <= 0:
                    self.cuts += 1
                    break
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return the port of an S3 server."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = (tmp_path_factory.mktemp("moto") / "log").open("wb")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=log, stderr=log)

    def answers() -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=1))
        except OSError:
            return False

    until(answers, "moto's server does not start")
    yield port
    process.kill()
    process.wait()
    log.close()


@pytest.fixture
def wire(server, monkeypatch, tmp_path):
    """Return a wire to the server, an empty bucket behind it."""
    import s3fs

    wire = Wire(server)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{wire.port}", "AUDIOSYNTH_STAGING": str(tmp_path / "staging"),
        "AUDIOSYNTH_DOWNLOADS": str(tmp_path / "downloads"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{server}/moto-api/reset", method="POST"))
    s3fs.S3FileSystem.clear_instance_cache()
    fs = s3fs.S3FileSystem()
    fs.mkdir("sounds")
    yield wire
    s3fs.S3FileSystem.clear_instance_cache()
    wire.close()


@pytest.fixture(scope="module")
def recipe_path(tmp_path_factory):
    """Return a recipe that uses every kind of recording."""
    return full_recipe(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="module")
def whole(recipe_path, tmp_path_factory):
    """Return the tree of a local build."""
    recipe = load_recipe(recipe_path, clips=CLIPS, cache_dir=recipe_path.parent / "cache")
    return tree_of(build(recipe, tmp_path_factory.mktemp("whole") / "out").root)


def arrived() -> int:
    """Return how many objects of the set are there."""
    import boto3
    from botocore.config import Config

    s3 = boto3.client("s3", config=Config(retries={"max_attempts": 10}))
    return int(s3.list_objects_v2(Bucket="sounds", Prefix="set/")["KeyCount"])


def stored(root: str = "sounds/set") -> dict[str, bytes]:
    """Return all objects below a folder, read by boto3, which is no code of s3fs."""
    import boto3

    s3 = boto3.client("s3")
    bucket, _, prefix = root.partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + "/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    return {key[len(prefix) + 1 :]: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def put_recordings(recipe_path: Path) -> dict[str, str]:
    """Put the recordings of the recipe into the bucket; return their URLs."""
    import s3fs

    fs = s3fs.S3FileSystem()
    for name in ("words", "rooms", "beds"):
        for path in sorted((recipe_path.parent / name).iterdir()):
            fs.put_file(str(path), f"sounds/{name}/{path.name}")
    return {name: f"s3://sounds/{name}" for name in ("words", "rooms", "beds")}


@pytest.mark.parametrize(("after", "free"), [(150, False), (3000, False), (20_000, False), (3000, True)])
def test_a_wire_that_is_cut_costs_time_and_nothing_else(recipe_path, whole, wire, tmp_path, after, free):
    """Recordings come and the set goes through connections that are cut in the middle, and every byte is right."""
    data = put_recordings(recipe_path)
    wire.every, wire.after = 3, after
    recipe = load_recipe(recipe_path, clips=CLIPS, data=data, cache_dir=tmp_path / "index")
    build(recipe, Upload("s3://sounds/set", free))
    assert wire.cuts > 3
    wire.every = 0
    assert stored() == whole


@pytest.mark.parametrize("output", [{}, {"manifest": "gzip", "audio": "tar"}])
def test_a_set_is_read_where_it_is_through_a_wire_that_is_cut(recipe_path, wire, tmp_path, output):
    """`verify`, `show` and `reproduce` at the URL say what they say of the folder, and of objects that were changed or deleted."""
    import boto3

    folder = recipe_path.parent
    changed = load_recipe(full_recipe(folder / "read", output=output), cache_dir=folder / "cache")
    there, here = "s3://sounds/read", build(changed, tmp_path / "here").root
    build(changed, there)
    wire.every, wire.after = 3, 1500
    assert verify(there) == verify(here)
    assert verify(there).ok
    assert said("show", there, "train-000000004") == said("show", here, "train-000000004")
    data = [word for name, root in changed.roots.items() for word in ("--data", f"{name}={root}")]
    said("reproduce", there, "--clip", "train-000000004", *data, "-o", str(tmp_path / "again"))
    assert wire.cuts > 3
    wire.every = 0
    name = next(name for name in stored("sounds/read") if name.startswith("audio/test"))
    boto3.client("s3").delete_object(Bucket="sounds", Key=f"read/{name}")
    boto3.client("s3").put_object(Bucket="sounds", Key="read/assets.jsonl", Body=b"{}")
    (here / name).unlink()
    (here / "assets.jsonl").write_bytes(b"{}")
    wire.every = 3
    assert verify(there) == verify(here)
    assert verify(there).missing == (name,)


def said(*words: object) -> str:
    """Return what a command prints as JSON."""
    result = CliRunner().invoke(cli, [*map(str, words), "--json"], prog_name="audiosynth")
    assert result.exit_code == 0, result.output
    return result.output


def start(recipe_path: Path, *words: str) -> subprocess.Popen[str]:
    """Start a build at the URL in a process of its own."""
    command = [sys.executable, "-m", "audiosynth", "build", str(recipe_path), "-o", "s3://sounds/set", "--workers", "1"]
    env = {**os.environ, "PYTHONPATH": ENV["PYTHONPATH"]}
    return subprocess.Popen([*command, "--quiet", *words], env=env, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("words", [(), ("--free-local",), ("--free-local", "--workers", "2")])
def test_killed_while_it_is_made_and_uploaded(recipe_path, whole, wire, words):
    """Kill -9 at several moments: objects there are whole, the head is not there before all others, and the same command ends it, cut wires or not."""
    wire.every, wire.after = 7, 2000
    words = ("--clips", str(CLIPS), *words)
    for goal in (0, 75, 140, 190):
        process = start(recipe_path, *words)
        until(partial(beyond, goal, process), "nothing is uploaded")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        wire.every = 0
        there = stored()
        wire.every = 7
        assert "dataset.json" not in there or there.keys() >= whole.keys()
        assert all(whole[name] == data for name, data in there.items() if name != ".build/lock")
    process = start(recipe_path, *words)
    assert (process.communicate()[1], process.returncode) == ("", 0)
    wire.every = 0
    assert stored() == whole


def beyond(goal: int, process: subprocess.Popen[str]) -> bool:
    """Return whether so many objects are there, or nobody uploads any more."""
    return process.poll() is not None or arrived() > goal


def test_a_wire_that_stays_cut_is_one_message(recipe_path, wire):
    """When nothing gets through any more, the build ends with one line after a bounded number of tries."""
    wire.every, wire.after = 1, 100
    process = start(recipe_path)
    said = process.communicate()[1]
    assert process.returncode == 1
    assert said.startswith("error: s3://sounds/set: listed? It failed once, with")
    assert said.count("\n") == 1
