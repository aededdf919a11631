"""Sets that are uploaded while they are made: whole at every moment or not called so, nothing twice, nothing lost, more than fits here."""

from __future__ import annotations

import ast
import hashlib
import json
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from material import full_recipe, tree_of

from audiosynth import Upload, build, exporters, load_recipe
from audiosynth.building import sender
from audiosynth.building.journal import Journal, Sent
from audiosynth.cli import cli
from audiosynth.errors import BuildError, UsageError
from audiosynth.exporters.jsonl import Jsonl
from audiosynth.files import remote
from audiosynth.files.paths import files_below

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'audiosynth[storage]'")
URL = "memory://bucket/set"
CLIPS = {"train": 150, "test": 70}
KINDS = {"files": {}, "stems": {"stems": True}, "tar": {"audio": "tar", "manifest": "gzip"}}


def small(folder: Path, **output: object) -> Path:
    """Write a recipe of short clips, in several units."""
    return full_recipe(folder, duration=0.6, clips=CLIPS, output=output, export=["jsonl"])


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    """Return recipes of each way to keep audio."""
    folder = tmp_path_factory.mktemp("material")
    paths = {kind: small(folder / kind, **output) for kind, output in KINDS.items()}
    return {kind: load_recipe(path, cache_dir=folder / "cache") for kind, path in paths.items()}


@pytest.fixture(scope="module")
def wholes(recipes, tmp_path_factory):
    """Return the trees of local builds."""
    return {kind: tree_of(build(r, tmp_path_factory.mktemp("whole") / kind).root) for kind, r in recipes.items()}


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Return an empty file system in memory; local folders are the test's own, and nobody waits long between tries."""
    monkeypatch.setenv("AUDIOSYNTH_STAGING", str(tmp_path / "staging"))
    monkeypatch.setattr(remote, "PAUSES", (0.001,) * 3)
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    yield fs
    fs.store.clear()


@pytest.fixture
def puts(monkeypatch):
    """Return the list of the paths that are uploaded, in order; what is in `broken` raises."""
    return Puts(monkeypatch)


class Puts:
    """What was uploaded, and whether it is made to fail."""

    def __init__(self, monkeypatch) -> None:
        self.names: list[str] = []
        self.broken = False
        kind = type(fsspec.filesystem("memory"))
        real = kind.put_file

        def put_file(fs, local, path, **how):
            if self.broken:
                raise ConnectionResetError("cut")
            self.names.append(str(path).removeprefix("/bucket/set/"))
            return real(fs, local, path, **how)

        monkeypatch.setattr(kind, "put_file", put_file)


def stored(fs) -> dict[str, bytes]:
    """Return all objects of the set."""
    return {path[len("/bucket/set/") :]: fs.cat_file(path) for path in fs.find("/bucket/set")}


def until(true) -> None:
    """Wait for another thread."""
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it does not happen")


def idle() -> bool:
    """Return whether no thread uploads any more, with what it was at written down (objects in memory grow while they are written)."""
    return all(thread.name != "upload" for thread in threading.enumerate())


def stopping(after: int):
    """Return a progress function that ends the build once so many clips are done."""

    def progress(done: int, total: int) -> None:
        if done >= after:
            raise KeyboardInterrupt

    return progress


def local_audio(tmp_path: Path) -> list[Path]:
    """Return the files of audio that are here."""
    here = files_below(tmp_path / "staging")  # folders may go meanwhile
    return [path for path in here if "/set/audio/" in path.as_posix()]


def sent(puts: Puts) -> list[str]:
    """Return what was uploaded, without the heads and locks."""
    return [name for name in puts.names if name.startswith("audio/")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("free", [False, True])
def test_it_is_uploaded_while_it_is_made(recipes, wholes, store, puts, kind, free):
    """Finished units are there before the last one is made, without anything that says a set; the end is the tree of a local build."""
    seen = []

    def progress(done: int, total: int) -> None:
        if 0 < done < total and (kind != "tar" or done > CLIPS["train"]):  # a tar is for a folder of clips
            until(lambda: any(name.startswith("audio/") for name in stored(store)))
            seen.append({name.split("/")[0] for name in stored(store)})

    build(recipes[kind], Upload(URL, free), progress=progress)
    assert seen
    assert all(tops == {"audio", ".build"} for tops in seen)
    assert stored(store) == wholes[kind]
    assert len(puts.names) == len(set(puts.names)) == len(wholes[kind])
    tops = [name.split("/")[0] for name in puts.names]
    last = len(tops) - len([name for name in wholes[kind] if "/" not in name])
    assert set(tops[:last]) == {"audio", "labels"}
    assert puts.names[-1] == "dataset.json"


@pytest.mark.parametrize("kind", KINDS)
def test_local_audio_is_let_go_of(recipes, wholes, store, tmp_path, monkeypatch, kind):
    """With few units waiting, few are here; without the wish, all stay until the set is whole."""
    monkeypatch.setattr(sender, "WAITING", 1)
    most = {False: 0, True: 0}
    for free in (True, False):

        def progress(done: int, total: int, free: bool = free) -> None:
            most[free] = max(most[free], len(local_audio(tmp_path)))

        build(recipes[kind], Upload(URL, free), progress=progress, fresh=not free)
        assert stored(store) == wholes[kind]
        assert not list((tmp_path / "staging").iterdir())
    per_unit = (
        64
        * sum(name.startswith("audio/test/") for name in wholes["stems" if kind == "stems" else "files"])
        / CLIPS["test"]
    )
    if kind != "tar":  # one waits, one is on its way, one is just made
        assert most[True] <= 3 * per_unit < most[False]


def test_folders_of_stems_are_let_go_of(recipes, wholes, store, tmp_path, monkeypatch):
    """One a clip would fill a disk as well: no more of them stay than of their files."""
    monkeypatch.setattr(sender, "WAITING", 1)
    most = []

    def progress(done: int, total: int) -> None:
        most.append(len(list((tmp_path / "staging").glob("*/set/audio/*/*/*.stems"))))

    build(recipes["stems"], Upload(URL, True), progress=progress)
    assert 0 < max(most) <= 3 * 64 < sum(CLIPS.values())
    assert stored(store) == wholes["stems"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("free", [False, True])
def test_a_build_that_was_stopped_uploads_nothing_twice(recipes, wholes, store, puts, tmp_path, kind, free):
    """Stopped after each unit in turn, and ended: each file was uploaded once, and what had arrived and was let go of is not made again."""
    made = 0
    for done in (64, 128, 150):
        with pytest.raises(KeyboardInterrupt):
            build(recipes[kind], Upload(URL, free), progress=stopping(done))
        until(idle)
        assert "dataset.json" not in stored(store)
        assert all(wholes[kind][name] == data for name, data in stored(store).items() if name != ".build/lock")
    made = build(recipes[kind], Upload(URL, free)).made
    assert made == CLIPS["test"]
    assert stored(store) == wholes[kind]
    assert len(sent(puts)) == len(set(sent(puts)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("harm", ["deleted", "replaced"])
def test_what_is_lost_there_is_sent_or_made_again(recipes, wholes, store, puts, kind, free, harm):
    """Between a stop and its resume, objects are deleted or get other bytes of the same size: the set is whole all the same."""
    after = 220 if kind == "tar" else 128
    with pytest.raises(KeyboardInterrupt):
        build(recipes[kind], Upload(URL, free), progress=stop_once_sent(store, wholes[kind], after))
    until(idle)
    names = [name for name in stored(store) if name.startswith("audio/train/")]
    for name in {names[0], names[-1]}:
        if harm == "deleted":
            store.rm_file(f"/bucket/set/{name}")
        else:
            store.pipe_file(f"/bucket/set/{name}", bytes(len(wholes[kind][name])))
    built = build(recipes[kind], Upload(URL, free))
    assert stored(store) == wholes[kind]
    assert built.made >= (64 if free else 0)


def stop_once_sent(store, whole, after: int):
    """Return a progress function that ends the build once so many clips are done, and those of training are there."""

    def progress(done: int, total: int) -> None:
        if done >= after:
            ordinals = range(min(done, CLIPS["train"]) // 64 * 64)
            wanted = {
                n for n in whole if n.startswith("audio/train/") and (n.endswith(".tar") or clip_number(n) in ordinals)
            }
            until(lambda: wanted <= stored(store).keys())
            raise KeyboardInterrupt

    return progress


def clip_number(name: str) -> int:
    """Return the number of the clip that a file is of."""
    return int(name.split("/")[3].partition(".")[0].rpartition("-")[2])


def test_what_is_lost_at_the_very_end_is_said_and_made_again(recipes, wholes, store, monkeypatch):
    """Audio that was let go of and is deleted there before the head is written: one message, and the same command mends it."""
    kind = "files"
    monkeypatch.setattr("audiosynth.building.shipping.Shipping.complete", late(store))
    with pytest.raises(
        BuildError,
        match=r"arrived once, not there any more, and let go of here: 70 files, audio/test/.*same command again",
    ):
        build(recipes[kind], Upload(URL, True))
    assert "dataset.json" not in stored(store)
    assert build(recipes[kind], Upload(URL, True)).made == CLIPS["test"]
    assert stored(store) == wholes[kind]


def test_a_kill_while_a_loss_is_noted(recipes, wholes, store, monkeypatch):
    """What was found to be lost is made again whatever comes between finding it and writing that down."""
    with monkeypatch.context() as patch:
        patch.setattr("audiosynth.building.shipping.Shipping.complete", stop)
        with pytest.raises(KeyboardInterrupt):
            build(recipes["files"], Upload(URL, True))
    until(idle)
    store.rm_file("/bucket/set/audio/train/000000/train-000000003.wav")
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "drop", stop)
        with pytest.raises(KeyboardInterrupt):
            build(recipes["files"], Upload(URL, True))
    assert build(recipes["files"], Upload(URL, True)).made == 64
    assert stored(store) == wholes["files"]


def stop(*_: object) -> None:
    """End the program."""
    raise KeyboardInterrupt


def late(store):
    """Return `Shipping.complete` which meets a loss once: all clips of the test part are deleted when it begins."""
    from audiosynth.building.shipping import Shipping

    real, calls = Shipping.complete, []

    def complete(self) -> None:
        calls.append(1)
        if len(calls) == 1:
            for name in list(stored(store)):
                if name.startswith("audio/test/"):
                    store.rm_file(f"/bucket/set/{name}")
        real(self)

    return complete


def test_a_server_that_fails_does_not_hold_up_the_build(recipes, wholes, store, puts, tmp_path):
    """Where audio stays here, all clips are made, then one message; nothing is lost, and the same command goes on."""

    def progress(done: int, total: int) -> None:
        puts.broken = puts.broken or done >= 64

    with pytest.raises(
        BuildError,
        match=r"memory://bucket/set: .* written\? It failed 4 times.*ConnectionResetError: cut.*same command",
    ):
        build(recipes["files"], URL, progress=progress)
    assert len(local_audio(tmp_path)) == sum(CLIPS.values())
    assert "dataset.json" not in stored(store)
    puts.broken = False
    assert build(recipes["files"], URL).made == 0
    assert stored(store) == wholes["files"]


def test_a_server_that_fails_ends_a_build_that_lets_go(recipes, wholes, store, puts, tmp_path):
    """Rendering on would fill the disk: it ends soon, and what did not arrive is still here."""

    def progress(done: int, total: int) -> None:
        if done == 64:
            until(lambda: len(sent(puts)) == 64)
            puts.broken = True
        elif done > 64:
            time.sleep(0.3)

    with pytest.raises(BuildError, match=r"It failed 4 times.*same command"):
        build(recipes["files"], Upload(URL, True), progress=progress)
    units = (tmp_path / "staging").glob("*/set/.build/units/*")
    made = sum(len(unit.read_bytes().splitlines()) for unit in units)
    assert 64 < made < sum(CLIPS.values())
    assert len(sent(puts)) + len(local_audio(tmp_path)) == made
    puts.broken = False
    built = build(recipes["files"], Upload(URL, True))
    assert built.made == sum(CLIPS.values()) - made
    assert stored(store) == wholes["files"]
    assert len(sent(puts)) == len(set(sent(puts)))


def test_a_build_is_replaced_before_the_first_upload(recipes, wholes, store, tmp_path):
    """The old head goes first, and all that the old build wrote; after a stop in between, the same command still does it."""
    build(recipes["stems"], URL)
    store.pipe_file("/bucket/set/notes.txt", b"mine")
    with pytest.raises(KeyboardInterrupt):
        build(recipes["files"], URL, fresh=True, progress=stopping(64))
    until(idle)
    assert "dataset.json" not in stored(store)
    build(recipes["files"], URL)
    assert stored(store) == {**wholes["files"], "notes.txt": b"mine"}


def test_a_kill_when_only_the_lock_was_left(recipes, wholes, store, tmp_path, monkeypatch):
    """The head is there and the lock too: the next run has nothing to do but to take that away."""
    with monkeypatch.context() as patch:
        patch.setattr(remote.Remote, "remove", lambda self, paths: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            build(recipes["files"], URL)
    assert stored(store).keys() - wholes["files"].keys() == {".build/lock"}
    assert build(recipes["files"], URL).made == 0
    assert stored(store) == wholes["files"]
    assert not list((tmp_path / "staging").iterdir())


def test_a_kill_while_the_local_folder_goes(recipes, wholes, store, tmp_path):
    """The set is there, and its local folder half gone, whatever went first: the next run takes the rest away."""
    build(recipes["files"], URL)
    home = tmp_path / "staging" / hashlib.sha256(URL.encode()).hexdigest()[:16]
    (home / "set" / "audio").mkdir(parents=True)
    (home / "set" / "audio" / "left.wav").write_bytes(b"x")
    assert build(recipes["files"], URL).made == 0
    assert not list((tmp_path / "staging").iterdir())
    assert stored(store) == wholes["files"]


def test_files_of_a_disk_are_uploaded_so_too(recipes, wholes, store, tmp_path):
    """Where objects are files that are renamed into place, by several processes, and let go of."""
    build(recipes["stems"], Upload((tmp_path / "there").as_uri(), True), workers=2)
    assert tree_of(tmp_path / "there") == wholes["stems"]
    assert not (tmp_path / "there" / ".build").exists(), "as in a set that was built here"


def test_a_folder_that_is_not_empty_stays(tmp_path):
    """Nothing but an empty folder is deleted, and one that is not there is no error."""
    place = remote.remote(tmp_path.as_uri(), error=BuildError)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "empty").mkdir()
    for name in ("full", "empty", "none"):
        place.remove_empty(name)
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_workers_of_a_cluster_upload_nothing(recipes, wholes, store):
    """Whoever renders, the command uploads: the same objects, and what they wrote here is let go of."""
    pytest.importorskip("distributed", reason="distributed is not installed: pip install 'audiosynth[dask]'")
    from audiosynth import dask_crew

    build(recipes["stems"], Upload(URL, True), crew=dask_crew("local", workers=2))
    assert stored(store) == wholes["stems"]


def test_parts_are_uploaded_so_too(recipes, store, tmp_path):
    """A shard of a build is the folder that it is on a disk."""
    build(recipes["files"], tmp_path / "part", shard="2/3")
    build(recipes["files"], Upload(URL, True), shard="2/3")
    assert stored(store) == tree_of(tmp_path / "part")


def test_labels_made_of_audio_need_it(tmp_path, store):
    """A format that reads the audio is refused before anything is made."""
    path = full_recipe(tmp_path, export=["jsonl", {"type": "webdataset", "shards": 2}])
    recipe = load_recipe(path, cache_dir=tmp_path / "cache")
    with pytest.raises(
        UsageError,
        match=r"--free-local: the labels as webdataset are made from all of the audio.*leave that format out",
    ):
        build(recipe, Upload(URL, True))
    assert stored(store) == {}
    build(recipe, URL, fresh=True)


def test_parquet_reads_audio_only_where_it_holds_it():
    """Its option decides."""
    from audiosynth import registry

    made = [registry.create("exporters", {"type": "parquet", "audio": audio}) for audio in (True, False)]
    assert [exporter.reads_audio for exporter in made] == [True, False]


def test_formats_that_read_audio_say_so():
    """By their source: who takes a clip's bytes or samples, and nobody else."""
    takes = {"audio_bytes", "put_flac", "samples", "put_background"}
    reading, saying = set(), set()
    for path in sorted(Path(exporters.__file__).parent.glob("[a-z]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        reading |= {path.stem} if named & takes else set()
        said = "reads_audio" in named | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        saying |= {path.stem} if said else set()
    assert reading == saying
    assert {"webdataset", "kws_streaming"} <= reading


def test_the_command_lets_go(store, tmp_path):
    """`--free-local` goes with a URL."""
    words = ["build", "quickstart", "--clips", "1", "--workers", "1", "--free-local"]
    result = CliRunner().invoke(cli, [*words, "-o", str(tmp_path / "out")], prog_name="audiosynth")
    assert result.exit_code == 2
    assert "--free-local: nothing is uploaded; say where the dataset goes with -o URL" in result.output
    result = CliRunner().invoke(cli, [*words, "-o", URL], prog_name="audiosynth")
    assert result.exit_code == 0, result.output
    assert json.loads(stored(store)["dataset.json"])["name"] == "quickstart"


def test_a_journal_that_was_cut(tmp_path):
    """A line that a kill cut says nothing and spoils none after it; later lines outdo earlier ones."""
    journal = Journal(tmp_path / "journal")
    journal.add("audio/train/000000", {"a": Sent(1), "b": Sent(2, "x")})
    journal.add("", {"manifest.jsonl": Sent(3, "")})
    (file,) = [path for path in (tmp_path / "journal").iterdir() if "000000" in path.name]
    file.write_bytes(file.read_bytes() + b'["c", 3')
    journal.add("audio/train/000000", {"d": Sent(4), "a": Sent(1, "y")})
    journal.drop("audio/train/000000", ["b"])
    assert Journal(tmp_path / "journal").read("audio/train/000000") == {"a": Sent(1, "y"), "d": Sent(4)}
    assert journal.folders() == ["", "audio/train/000000"]
    journal.clear()
    assert journal.folders() == []


def test_a_journal_of_folders_with_long_names(tmp_path):
    """A folder's name has 255 bytes at most, quoted it would have three times as many: both kinds of names are found again."""
    folders = [f"labels/fuss/{letter * 85}/train" for letter in "語音"] + ["labels/fuss", f"labels/{'a' * 200}"]
    journal = Journal(tmp_path / "journal")
    for size, folder in enumerate(folders):
        journal.add(folder, {f"{folder}/a.txt": Sent(size)})
    journal.drop(folders[0], [f"{folders[0]}/a.txt"])
    again = Journal(tmp_path / "journal")
    assert sorted(again.folders()) == sorted(folders)
    assert [[*again.read(folder).values()] for folder in folders] == [[], [Sent(1)], [Sent(2)], [Sent(3)]]
    (tmp_path / "journal" / f"{'0' * 32}.jsonl").write_text('["labels/fu')
    assert sorted(again.folders()) == sorted(folders)


def test_labels_in_folders_with_long_names_are_uploaded(recipes, tmp_path, store, monkeypatch):
    """A format (of another package, say) names a folder after a class of 80 Chinese characters: the tree is that of a local build."""
    write = Jsonl.write

    def more(self, dataset, folder):
        path = folder / "jsonl" / ("語" * 80) / "list.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("here")
        return [*write(self, dataset, folder), path]

    monkeypatch.setattr(Jsonl, "write", more)
    whole = tree_of(build(recipes["files"], tmp_path / "whole").root)
    assert f"labels/jsonl/{'語' * 80}/list.txt" in whole
    build(recipes["files"], Upload(URL))
    assert stored(store) == whole
