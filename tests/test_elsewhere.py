"""Sets at URLs, read by the commands that read folders: what they say is the same, and no more comes than is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from material import full_recipe, tree_of

from audiosynth import build, load_recipe, verify
from audiosynth.building.index import index_path
from audiosynth.cli import cli
from audiosynth.errors import ManifestError
from audiosynth.files import remote
from audiosynth.material.downloads import PLACE

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'audiosynth[storage]'")
URL = "memory://bucket/set"
OUTPUTS = {"files": {"stems": True}, "packed": {"manifest": "gzip", "audio": "tar"}}


@pytest.fixture(scope="module", params=OUTPUTS)
def local(request, tmp_path_factory):
    """Return the folder of a set, and that of its recordings; with loose and with packed files."""
    folder = tmp_path_factory.mktemp(request.param)
    path = full_recipe(
        folder, duration=0.6, clips={"train": 70, "test": 5}, output=OUTPUTS[request.param], export=["jsonl"]
    )
    return build(load_recipe(path, cache_dir=folder / "cache"), folder / "out").root, folder


@pytest.fixture
def there(local, monkeypatch, tmp_path):
    """Put the set into a store in memory; return the store."""
    monkeypatch.setattr(remote, "PAUSES", (0.001,) * 3)
    monkeypatch.setenv(PLACE, str(tmp_path / "downloads"))
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    for name, data in tree_of(local[0]).items():
        fs.pipe_file(f"/bucket/set/{name}", data)
    yield fs
    fs.store.clear()


def run(*words: object, code: int = 0) -> str:
    """Run a command and return what it printed."""
    result = CliRunner().invoke(cli, [str(word) for word in words], prog_name="audiosynth")
    assert result.exit_code == code, result.output
    return result.output


def data_of(folder) -> list[str]:
    """Return the options that name the recordings."""
    return [word for name in ("words", "rooms", "beds") for word in ("--data", f"{name}={folder / name}")]


@pytest.mark.parametrize("place", [URL, f"{URL}/"])
def test_commands_say_what_they_say_of_a_folder(local, there, place):
    """Word for word, as JSON, where there are words for it."""
    root, _ = local
    for words in (("stats",), ("assets",), ("audit", "--no-listen"), ("audit", "--workers", "1")):
        told = [run(words[0], where, *words[1:], "--json") for where in (root, place)]
        assert told[0] == told[1]
    for clip in ("train-000000069", "test-000000002", "0", "74"):
        assert run("show", root, clip, "--json") == run("show", place, clip, "--json")
    assert run("diff", root, place) == run("diff", root, root)


def test_a_row_is_found_without_the_others(local, there, monkeypatch):
    """By the index, with ranges: a small part of the manifest comes, and no audio."""
    root, _ = local
    came = []
    real = type(there).cat_file

    def cat_file(fs, path, start=None, end=None, **how):
        data = real(fs, path, start=start, end=end, **how)
        came.append((path, len(data)))
        return data

    monkeypatch.setattr(type(there), "cat_file", cat_file)
    monkeypatch.setattr(type(there), "get_file", None)
    row = json.loads(run("show", URL, "train-000000068", "--json"))
    assert row["clip_id"] == "train-000000068"
    (manifest,) = root.glob("manifest.jsonl*")
    assert sum(n for path, n in came if path.endswith(manifest.name)) < manifest.stat().st_size / 4
    assert sum(n for path, n in came if path.endswith(".idx")) < index_path(manifest).stat().st_size / 4
    assert not any("/audio/" in path for path, _ in came)


def test_a_clip_is_made_again_from_a_url(local, there, tmp_path):
    """The file is the one that the build wrote; with several, with all, and with a manifest's own URL."""
    root, folder = local
    run("reproduce", URL, "--clip", "train-000000003", *data_of(folder), "-o", tmp_path / "one")
    (written,) = (tmp_path / "one").rglob("train-000000003.wav")
    from audiosynth.files.packed import stored_bytes

    assert written.read_bytes() == stored_bytes(root, written.relative_to(tmp_path / "one").as_posix())
    (manifest,) = root.glob("manifest.jsonl*")
    said = run("reproduce", f"{URL}/{manifest.name}", *data_of(folder), "--workers", "1")
    assert "ok: 75 clips with the recorded samples" in said
    said = run("reproduce", URL, "--clip", "train-000000900", *data_of(folder), code=1)
    assert "no clip is called train-000000900" in said


def test_without_an_index_the_manifest_comes_whole(local, there):
    """As for folders: a set of an earlier version, or a manifest alone."""
    root, _ = local
    there.rm_file("/bucket/set/manifest.idx")
    assert run("show", URL, "test-000000004", "--json") == run("show", root, "test-000000004", "--json")
    assert "has no index for row 3; give the clip's id, such as train-000000003" in run("show", URL, "3", code=2)
    (manifest,) = root.glob("manifest.jsonl*")
    there.pipe_file(f"/bucket/other/{manifest.name.replace('manifest', 'rows')}", manifest.read_bytes())
    lone = f"memory://bucket/other/{manifest.name.replace('manifest', 'rows')}"
    assert run("stats", lone, "--json") == run("stats", manifest, "--json")


def test_a_server_that_gives_no_parts_of_files(local, there, monkeypatch):
    """It sends everything whatever is asked for: the index is of no use, and the manifest comes whole."""
    kind = type(there)
    real = kind.cat_file
    monkeypatch.setattr(kind, "cat_file", lambda fs, path, start=None, end=None, **how: real(fs, path, **how))
    name = json.loads(run("show", local[0], "train-000000003", "--json"))["clip_id"]
    assert json.loads(run("show", URL, name, "--json"))["clip_id"] == name


def test_a_set_is_verified_where_it_is(local, there):
    """Missing, changed and extra files are the same as for a folder with the same harm; nothing stays in the temporary folder."""
    root, _ = local
    assert verify(URL) == verify(root)
    assert verify(URL).ok
    names = [name for name in tree_of(root) if name.startswith("audio/")]
    there.pipe_file("/bucket/set/audio/train/000000/stray.wav", b"x")
    there.pipe_file(f"/bucket/set/{names[-1]}", bytes(len(tree_of(root)[names[-1]])))
    there.pipe_file("/bucket/set/labels/jsonl/train.jsonl", b"{}")
    there.rm_file(f"/bucket/set/{names[0]}")
    found = verify(URL)
    assert names[0] in found.missing
    assert names[-1] in found.changed
    assert "labels/jsonl/train.jsonl" in found.changed
    assert found.extra == ("audio/train/000000/stray.wav",)
    said = run("verify", URL, code=1)
    assert f"missing  {names[0]}" in said


def test_files_that_are_not_there_are_missing_for_every_client(local, there, monkeypatch):
    """SFTP's opens the file here before it finds that there is none: an empty one is neither a changed clip nor a list of exports."""
    kind = type(there)
    real = kind.get_file

    def get_file(fs, path, to, **how):
        Path(to).write_bytes(b"")
        real(fs, path, to, **how)

    monkeypatch.setattr(kind, "get_file", get_file)
    assert verify(URL).ok
    name = next(name for name in tree_of(local[0]) if name.startswith("audio/"))
    there.rm_file(f"/bucket/set/{name}")
    verdict = verify(URL)
    assert (verdict.missing, verdict.changed, verdict.extra) == ((name,), (), ())


def test_labels_that_hold_audio_are_verified_from_the_cache(local, there, tmp_path, monkeypatch):
    """Such labels are written again from all of the audio, which is downloaded into the bounded cache."""
    root, _ = local
    copy = tmp_path / "copy"
    for name, data in tree_of(root).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(data)
    run("export", copy, "--to", "webdataset")
    for name, data in tree_of(copy).items():
        there.pipe_file(f"/bucket/more/{name}", data)
    assert verify("memory://bucket/more").ok
    assert list((tmp_path / "downloads" / "trees").iterdir())
    shard = next(name for name in tree_of(copy) if name.startswith("labels/webdataset"))
    there.pipe_file(f"/bucket/more/{shard}", b"x")
    assert verify("memory://bucket/more").changed == (shard,)


def test_a_set_is_varied_from_a_url(local, there, tmp_path):
    """The same set as from the folder."""
    root, folder = local
    for where, out in ((root, "here"), (URL, "there")):
        run("vary", where, "--set", "noise.level_dbfs=+1", *data_of(folder), "--workers", "1", "-o", tmp_path / out)
    assert tree_of(tmp_path / "here") == tree_of(tmp_path / "there")


def test_what_is_not_whole_is_no_set(local, there):
    """Without its head a set is still on its way; the message says so."""
    there.rm_file("/bucket/set/dataset.json")
    for words in (("stats", URL), ("verify", URL)):
        assert "no finished set is there; a set is whole once its dataset.json is" in run(*words, code=1)
    with pytest.raises(ManifestError, match=r"memory://bucket/none: no finished set is there"):
        verify("memory://bucket/none")


def test_a_damaged_row_is_told_by_its_url(local, there):
    """Messages name the set that was asked for, not the folder it was read from."""
    if there.exists("/bucket/set/manifest.jsonl"):
        there.pipe_file("/bucket/set/manifest.jsonl", b"nonsense\n")
        assert "memory://bucket/set/manifest.jsonl:1: not a row of JSON" in run("stats", URL, code=1)
    else:
        there.pipe_file("/bucket/set/manifest.jsonl.gz", b"nonsense")
        assert "memory://bucket/set/manifest.jsonl.gz: is cut or damaged" in run("stats", URL, code=1)


@pytest.mark.parametrize(
    "words", [("export", URL, "--to", "csv"), ("report", URL), ("withdraw", URL, "--speaker", "x"), ("index", URL)]
)
def test_what_writes_into_a_set_needs_it_here(words, tmp_path):
    """One message that names the way out."""
    assert f"{URL}: `audiosynth {words[0]}` works on folders of this machine; copy the set here first" in run(
        *words, code=2
    )


def test_parts_and_outputs_are_folders(tmp_path):
    """A URL is no folder's name."""
    assert "copy the set here first" in run("merge", URL, "-o", tmp_path / "out", code=2)
    assert "-o memory://bucket/set: this is written to folders of this machine" in run(
        "merge", tmp_path, "-o", URL, code=2
    )
    assert "-o memory://bucket/set: this is written to folders" in run(
        "vary", tmp_path, "--set", "sr=1", "-o", URL, code=2
    )
    assert "-o memory://bucket/set: this is written to folders" in run("reproduce", tmp_path, "-o", URL, code=2)
