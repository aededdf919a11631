"""Datasets and recordings behind URLs: whole objects, the head last, one build at a time, resumed after errors; a cache of bounded size."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from material import full_recipe, tree_of

from audiosynth import build, load_recipe
from audiosynth.cli import cli
from audiosynth.errors import AssetError, BuildError, UsageError
from audiosynth.files import remote
from audiosynth.files.locks import locked_file
from audiosynth.material.downloads import PLACE, SIZE, downloaded

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'audiosynth[storage]'")
URL = "memory://bucket/set"


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Return a recipe that uses every kind of recording."""
    path = full_recipe(tmp_path_factory.mktemp("material"))
    return load_recipe(path, cache_dir=path.parent / "cache")


@pytest.fixture(scope="module")
def whole(recipe, tmp_path_factory):
    """Return the tree of a local build."""
    return tree_of(build(recipe, tmp_path_factory.mktemp("whole") / "out").root)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Return an empty file system in memory; local folders are the test's own, and nobody waits long between tries."""
    monkeypatch.setenv("AUDIOSYNTH_STAGING", str(tmp_path / "staging"))
    monkeypatch.setattr(remote, "PAUSES", (0.001,) * 3)
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    yield fs
    fs.store.clear()


def stored(fs, root: str = "/bucket/set") -> dict[str, bytes]:
    """Return all objects below a folder."""
    return {path[len(root) + 1 :]: fs.cat_file(path) for path in fs.find(root)}


def failing(monkeypatch, name: str, times: int, *, after: int = 0):
    """Make a method of the file system fail so many times; return the list of its calls."""
    kind = type(fsspec.filesystem("memory"))
    real, calls = getattr(kind, name), []

    def method(self, *args, **how):
        calls.append(args)
        if after < len(calls) <= after + times:
            raise ConnectionResetError("cut")
        return real(self, *args, **how)

    monkeypatch.setattr(kind, name, method)
    return calls


def test_a_set_is_built_at_a_url(recipe, whole, store, tmp_path, monkeypatch):
    """The objects are the files of a local build, the head comes last, nothing stays behind; again there is nothing to do."""
    calls = failing(monkeypatch, "put_file", 0)
    built = build(recipe, URL)
    assert stored(store) == whole
    assert str(calls[-1][1]).endswith("dataset.json")
    assert (built.place, built.clips, built.made, built.stats["clips"]) == (URL, 9, 9, {"train": 6, "test": 3})
    assert not list((tmp_path / "staging").iterdir())
    again = build(recipe, URL)
    assert (again.made, again.clips, dict(again.stats)) == (0, 9, dict(built.stats))


def test_the_command_says_where_the_set_is(recipe, store):
    """Nothing of it is here to be heard, and there is no local path to tell."""
    words = ["build", "quickstart", "--clips", "1", "--workers", "1", "-o", URL]
    for made in ("2 (train 1, test 1)", "nothing to do"):
        result = CliRunner().invoke(cli, words, prog_name="audiosynth")
        assert result.exit_code == 0, result.output
        assert URL in result.output
        assert made in result.output
        assert "hear one" not in result.output


def test_uploads_that_fail_are_tried_again(recipe, whole, store, monkeypatch):
    """A connection that is cut now and then costs nothing."""
    calls = failing(monkeypatch, "put_file", 2, after=3)
    build(recipe, URL)
    assert stored(store) == whole
    assert len(calls) > len(whole)


def test_uploads_that_go_on_failing_end_and_resume(recipe, whole, store, monkeypatch):
    """After bounded tries one message; no head is there; the same build goes on, without what had arrived or was rendered."""
    with monkeypatch.context() as patch:
        failing(patch, "put_file", 10_000, after=9)
        with pytest.raises(
            BuildError,
            match=r"memory://bucket/set: .* written\? It failed 4 times.*ConnectionResetError: cut.*same command",
        ):
            build(recipe, URL)
    there = stored(store)
    assert "dataset.json" not in there
    assert all(whole[name] == data for name, data in there.items() if name != ".build/lock")
    calls = failing(monkeypatch, "put_file", 0)
    assert build(recipe, URL).made == 0
    assert len(calls) == len(whole) - 9
    assert stored(store) == whole


def test_one_build_at_a_time(recipe, whole, store, tmp_path, monkeypatch):
    """A URL that another build holds is refused, from another folder or machine; the message says what to do."""
    with monkeypatch.context() as patch:
        failing(patch, "put_file", 10_000, after=9)
        with pytest.raises(BuildError, match="failed 4 times"):
            build(recipe, URL)
    monkeypatch.setenv("AUDIOSYNTH_STAGING", str(tmp_path / "elsewhere"))
    with pytest.raises(
        BuildError, match=r"another build goes there, .*Resume that one, .*or take its place with --fresh"
    ):
        build(recipe, URL)
    build(recipe, URL, fresh=True)
    assert stored(store) == whole


def test_a_build_whose_place_was_taken_does_not_call_itself_whole(recipe, store, monkeypatch):
    """Who lost the lock on the way writes no head."""
    real = type(store).put_file

    def steal(self, local, path, **how):
        real(self, local, path, **how)
        self.pipe_file("/bucket/set/.build/lock", b"another")

    monkeypatch.setattr(type(store), "put_file", steal)
    with pytest.raises(BuildError, match="another build has taken the place"):
        build(recipe, URL)
    assert not store.exists("/bucket/set/dataset.json")


def test_another_build_there_is_refused_or_replaced(recipe, store):
    """What changed is said; `fresh` replaces it, and objects of the old one that the new one has not are deleted."""
    build(recipe, URL)
    before = stored(store)
    other = load_recipe(recipe.roots["words"].parent / "full.yaml", seed=4, clips=2)
    with pytest.raises(BuildError, match=r"memory://bucket/set: holds another build; changed: .*the seed \(3 → 4\)"):
        build(other, URL)
    assert stored(store) == before
    store.pipe_file("/bucket/set/notes.txt", b"mine")
    build(other, URL, fresh=True)
    after = stored(store)
    assert sum(name.endswith(".wav") for name in after) == 4
    assert json.loads(after["dataset.json"])["build"]["seed"] == 4
    assert after["notes.txt"] == b"mine"


def test_foreign_objects_are_kept(recipe, store):
    """A folder with somebody's objects is neither written into nor deleted."""
    store.pipe_file("/bucket/set/thesis.txt", b"mine")
    for fresh in (False, True):
        with pytest.raises(BuildError, match="is not empty and holds no build"):
            build(recipe, URL, fresh=fresh)
    assert stored(store) == {"thesis.txt": b"mine"}


@pytest.mark.parametrize("head", ["{", "[]", '{"build": "v1"}', '{"build": 7}'])
@pytest.mark.parametrize("fresh", [False, True])
def test_a_head_of_somebody_else_is_told(recipe, store, head, fresh):
    """Others call files so too: one message, and nothing is written."""
    store.pipe_file("/bucket/set/dataset.json", head.encode())
    with pytest.raises(BuildError, match=r"its dataset\.json is not what a build writes; choose another URL with -o"):
        build(recipe, URL, fresh=fresh)
    assert stored(store) == {"dataset.json": head.encode()}


@pytest.mark.parametrize("name", ["a?", "a*", "a[bc]"])
def test_a_url_is_no_pattern(recipe, store, name):
    """What --fresh deletes is in the folder that is named, and not in those that its name would match."""
    store.pipe({f"/bucket/ab/{path}": b"not mine" for path in ("dataset.json", "audio/train/a.wav", "manifest.jsonl")})
    other = stored(store, "/bucket/ab")
    build(recipe, f"memory://bucket/{name}")
    build(recipe, f"memory://bucket/{name}", fresh=True)
    assert stored(store, "/bucket/ab") == other
    assert ".build/lock" not in stored(store, f"/bucket/{name}")


def test_files_of_other_protocols_are_renamed_into_place(recipe, whole, store, tmp_path):
    """Where a put is not atomic, a file is uploaded under another name first."""
    build(recipe, (tmp_path / "there").as_uri())
    assert tree_of(tmp_path / "there") == whole


@pytest.mark.parametrize(
    ("url", "message"),
    [("nonsense://a/b", "no file system is called 'nonsense'"), ("gs://bucket/a", "(?i)gcsfs|no file system")],
)
def test_urls_that_nothing_reads(recipe, store, url, message):
    """The message says what is missing."""
    with pytest.raises(UsageError, match=message):
        build(recipe, url)


def test_without_fsspec_it_says_what_to_install(recipe, store, monkeypatch):
    """A missing extra is one message."""
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(UsageError, match=r"pip install 'audiosynth\[storage\]'"):
        build(recipe, URL)


def upload(store, folder: Path, root: str) -> None:
    """Put a folder's files into the store."""
    for path in sorted(folder.rglob("*.wav")):
        store.pipe_file(f"{root}/{path.relative_to(folder).as_posix()}", path.read_bytes())


def test_recordings_are_downloaded_once(recipe, whole, store, tmp_path, monkeypatch):
    """Data roots behind URLs give the same set, byte for byte; a second build downloads nothing; a changed file is seen."""
    monkeypatch.setenv(PLACE, str(tmp_path / "cache"))
    folder = recipe.roots["words"].parent
    for name in ("words", "rooms", "beds"):
        upload(store, folder / name, f"/data/{name}")
    data = {name: f"memory://data/{name}" for name in ("words", "rooms", "beds")}
    calls = failing(monkeypatch, "get_file", 2, after=3)
    read = partial(load_recipe, folder / "full.yaml", data=data, cache_dir=tmp_path / "index")
    assert tree_of(build(read(), tmp_path / "out").root) == whole
    assert len(calls) == 16 + 2
    read()
    assert len(calls) == 16 + 2
    store.pipe_file("/data/words/yes_ann_0.wav", (folder / "words" / "no_bob_0.wav").read_bytes())
    with pytest.raises(BuildError, match=r"changed: .*catalogue words"):
        build(read(), tmp_path / "out")
    assert len(calls) == 16 + 3


def test_downloads_are_bounded(store, tmp_path):
    """What was not used for longest makes room; the same content is held once; a folder that cannot fit is refused."""
    environ = {PLACE: str(tmp_path / "cache"), SIZE: "0.000025"}
    for name in "abc":
        store.pipe_file(f"/data/{name}/1.wav", name.encode() * 10_000)
        store.pipe_file(f"/data/{name}/2.wav", name.encode() * 10_000)
    roots = [downloaded(f"memory://data/{name}", environ) for name in "abc"]
    assert [root.is_dir() for root in roots] == [False, True, True]
    objects = [path for path in (tmp_path / "cache" / "objects").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in objects) == 20_000
    assert tree_of(roots[2]) == {"1.wav": b"c" * 10_000, "2.wav": b"c" * 10_000}
    store.pipe_file("/data/c/3.wav", b"x" * 10_000)
    with pytest.raises(AssetError, match=r"downloads may take .* GB; raise AUDIOSYNTH_DOWNLOADS_GB"):
        downloaded("memory://data/c", environ)
    with pytest.raises(AssetError, match="there are no files"):
        downloaded("memory://data/none", environ)


def test_one_process_at_a_time_changes_the_cache(store, tmp_path):
    """A download waits while another process has the cache: what that one links must not be cleared away."""
    store.pipe_file("/data/a/1.wav", b"a" * 1000)
    cache, found = tmp_path / "cache", []
    cache.mkdir()
    thread = threading.Thread(target=lambda: found.append(downloaded("memory://data/a", {PLACE: str(cache)})))
    with locked_file(cache / "lock"):
        with pytest.raises(BlockingIOError, match="held by another process"), locked_file(cache / "lock"):
            pass
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
    thread.join(10)
    assert tree_of(found[0]) == {"1.wav": b"a" * 1000}


def test_a_download_that_is_cut_is_no_recording(store, tmp_path, monkeypatch):
    """Fewer bytes than the server said are tried again, then an error; nothing of it is kept."""
    store.pipe_file("/data/a/1.wav", b"a" * 1000)
    monkeypatch.setattr(type(store), "get_file", lambda self, path, local, **how: Path(local).write_bytes(b"a" * 10))
    with pytest.raises(AssetError, match=r"1\.wav read\? It failed 4 times.*10 of 1000 bytes came"):
        downloaded("memory://data/a", {PLACE: str(tmp_path / "cache")})
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == ["lock"]


def test_recordings_from_a_web_server(recipe, tmp_path):
    """A folder that a web server lists, by HTTP on the loopback."""
    pytest.importorskip("aiohttp", reason="fsspec reads HTTP with aiohttp")
    folder = recipe.roots["words"]

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        root = downloaded(f"http://127.0.0.1:{server.server_port}/", {PLACE: str(tmp_path / "cache")})
        assert tree_of(root) == tree_of(folder)
    finally:
        server.shutdown()
        server.server_close()
