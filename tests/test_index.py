"""Any row of a manifest at once, plain or packed; an index that does not belong to it is noticed."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest
from material import tree_of, write_recipe

from audiosynth import ClipDataset, build, diff, export_labels, load_recipe, merge, reproduce, stats, vary, verify
from audiosynth.building.index import BLOCK_ROWS, ManifestIndex, row_count
from audiosynth.building.row_files import index_of, write_index
from audiosynth.building.rows import rows_of
from audiosynth.building.summary import of_manifest
from audiosynth.errors import ManifestError

PACKED = {"manifest": "gzip"}


def cheap(folder: Path, **changes: object):
    """Return a recipe of short clicks."""
    event = {"label": "a", "source": {"type": "click"}, "level_dbfs": -20, "onset": {"uniform": [0.0, 0.1]}}
    tree = {"sr": 8000, "duration": 0.2, "clips": {"train": 150, "test": 20}, "events": [event], **changes}
    return load_recipe(write_recipe(folder / "r.yaml", tree))


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Return the same set with a plain and with a packed manifest."""
    folder = tmp_path_factory.mktemp("sets")
    return {
        "plain": build(cheap(folder), folder / "plain").root,
        "packed": build(cheap(folder, output=PACKED), folder / "packed").root,
    }


def rows(root: Path) -> list[dict]:
    """Return the rows as another reader finds them."""
    if (root / "manifest.jsonl").exists():
        return [json.loads(line) for line in (root / "manifest.jsonl").read_text().splitlines()]
    with gzip.open(root / "manifest.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(params=["plain", "packed"])
def root(request, sets, tmp_path):
    """Return a copy of either set."""
    return shutil.copytree(sets[request.param], tmp_path / "set")


def manifest(root: Path) -> Path:
    """Return the manifest's file."""
    return next(root.glob("manifest.jsonl*"))


def test_every_row_is_found_by_number_and_by_id(root):
    """All of them, against going through the file; what is not there is not found."""
    expected = rows(root)
    index = ManifestIndex.beside(manifest(root))
    assert len(expected) == index.rows == 170
    assert [index.row(i)[1] for i in range(170)] == expected
    assert [index.number(row["clip_id"]) for row in expected] == [*range(170)]
    for clip in (
        "train-000000150",
        "test-000000020",
        "other-000000000",
        "train",
        "train--1",
        "train-x",
        "",
        "train-3",
        "train-0000000003",
    ):
        assert index.number(clip) is None
    with pytest.raises(ManifestError, match="has rows 0 to 169, not 170"):
        index.row(170)


def test_an_id_that_is_not_written_in_full_is_told(root):
    """No row is blamed for it: the message says how ids are written."""
    with pytest.raises(ManifestError, match=r"no clip is called train-3; ids have .*nine digits: train-000000003"):
        list(reproduce(root, clips=["train-3"]))


def test_a_last_row_without_a_line_feed(sets, tmp_path):
    """As other programs write lines: its index finds it like the others."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes((sets["plain"] / "manifest.jsonl").read_bytes().rstrip())
    expected = rows(sets["plain"])
    assert [*map(index_of(path).line, range(169, 170))] == [index_of(sets["plain"] / "manifest.jsonl").line(169)]
    assert list(diff(sets["plain"], path).differences()) == []
    write_index(path)
    assert ManifestIndex.beside(path).row(169)[1] == expected[169]
    assert [clip.same for clip in reproduce(path, clips=["test-000000019"])] == [True]


def test_blank_lines_are_no_rows_for_any_reader(root, sets):
    """At the start, between rows and at the end: index, exports, totals, statistics and comparisons take no notice."""
    path, packed = manifest(root), (root / "manifest.jsonl.gz").exists()
    whole, pack = (sets["packed"], gzip.compress) if packed else (sets["plain"], bytes)
    raw = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    lines = raw.splitlines(keepends=True)
    blocks = [lines[n : n + BLOCK_ROWS] for n in range(0, len(lines), BLOCK_ROWS)]
    path.write_bytes(b"".join(pack(b"\n \r\n" + b" \n\n".join(block) + b"\t\n") for block in blocks))
    expected = [json.loads(line) for line in lines]
    assert [tree for _, tree in rows_of(path)] == expected
    assert row_count(path) == 170
    for index in (index_of(path), ManifestIndex.beside(replaced(root))):
        assert [*map(index.line, range(170))] == lines
        assert [index.row(n)[1] for n in range(170)] == expected
        assert [index.number(row["clip_id"]) for row in expected] == [*range(170)]
    assert of_manifest(path) == of_manifest(manifest(whole))
    assert stats(path) == stats(whole)
    assert list(diff(whole, path).differences()) == []
    assert {len(files) for files in export_labels(root, ["csv"]).values()} == {2}
    assert tree_of(root / "labels" / "csv") == tree_of(export_there(whole, root.parent / "csv"))


def replaced(root: Path) -> Path:
    """Write a manifest's index anew, and have dataset.json know nothing of the manifest's hash; return the manifest."""
    write_index(manifest(root))
    head = json.loads((root / "dataset.json").read_text())
    head["files"] = {}
    (root / "dataset.json").write_text(json.dumps(head))
    return manifest(root)


def export_there(root: Path, folder: Path) -> Path:
    """Export a set's labels as tables into a folder."""
    export_labels(root, ["csv"], out=folder)
    return folder / "csv"


def test_a_line_that_is_no_row_is_told_by_its_number(sets, tmp_path):
    """Blank lines count where lines are counted."""
    path = tmp_path / "rows.jsonl"
    first = (sets["plain"] / "manifest.jsonl").read_bytes().splitlines(keepends=True)[0]
    for text in (b"\n" + first + b"\n\n[]\n", b"\n\n\n\n[]\n" + first):
        path.write_bytes(text)
        with pytest.raises(ManifestError, match=r"rows\.jsonl:5: not a row"):
            index_of(path)


def test_packed_rows_are_the_plain_ones(sets):
    """But for the recipe's own hash, which knows how the set is packed; the file is much smaller, and the same each time."""
    plain, packed = rows(sets["plain"]), rows(sets["packed"])
    for row in (*plain, *packed):
        del row["recipe"], row["file_sha256"]
    assert plain == packed
    data = (sets["packed"] / "manifest.jsonl.gz").read_bytes()
    assert len(data) < (sets["plain"] / "manifest.jsonl").stat().st_size / 5
    assert data[4:8] == b"\0\0\0\0"  # no time (RFC 1952)
    assert verify(sets["packed"]).ok


def test_packed_sets_are_the_same_for_any_workers_and_parts(sets, tmp_path):
    """Index and packed manifest too."""
    recipe = cheap(tmp_path, output=PACKED)
    two = build(recipe, tmp_path / "two", workers=2).root
    merged = merge([build(recipe, tmp_path / k, shard=f"{k}/2").root for k in "12"], tmp_path / "merged").root
    assert tree_of(two) == tree_of(merged) == tree_of(sets["packed"])


def test_one_clip_is_found_without_reading_the_others(root):
    """Where everything else of the manifest is garbage of the same size, one clip still comes back."""
    index, path = ManifestIndex.beside(manifest(root)), manifest(root)
    data = path.read_bytes()
    if path.suffix == ".gz":
        keep = data.index(b"\x1f\x8b", 10)
        assert data.count(b"\x1f\x8b\x08\0\0\0\0\0") == 3 == -(-170 // BLOCK_ROWS)
        path.write_bytes(b"x" * keep + data[keep:])
    else:
        line = index.line(100)
        first = data.index(line)
        path.write_bytes(b"x" * first + line + b"x" * (len(data) - first - len(line)))
    assert [(clip.clip_id, clip.same) for clip in reproduce(root, clips=["train-000000100"])] == [
        ("train-000000100", True)
    ]


def test_clips_that_are_missing_do_not_shift_the_others(tmp_path):
    """A set made with `keep_going` has gaps; ids find their rows all the same."""
    event = {"label": "a", "source": {"type": "click"}, "level_dbfs": -20, "onset": {"choice": [0.05, 0.05, 0.3]}}
    root = build(cheap(tmp_path, events=[event]), tmp_path / "out", keep_going=True).root
    found, index = rows(root), ManifestIndex.beside(root / "manifest.jsonl")
    assert 60 < len(found) < 150
    assert [index.number(row["clip_id"]) for row in found] == [*range(len(found))]
    there = {row["clip_id"] for row in found}
    gone = [name for i in range(150) if (name := f"train-{i:09d}") not in there]
    assert len(gone) > 20
    assert [index.number(name) for name in gone] == [None] * len(gone)


def test_a_part_without_clips_says_so(tmp_path):
    """Of more parts than units some have no rows."""
    root = build(cheap(tmp_path), tmp_path / "out", shard="9/9").root
    index = ManifestIndex.beside(root / "manifest.jsonl")
    with pytest.raises(ManifestError, match="has no rows, so none is number 0"):
        index.line(0)


def test_an_index_of_another_manifest_is_not_used(root):
    """Rows were added: the index is told by its size, the clips are found by going through; `write_index` mends it."""
    path = manifest(root)
    more = json.dumps({**rows(root)[-1], "clip_id": "test-000000020"}).encode() + b"\n"
    path.write_bytes(path.read_bytes() + (gzip.compress(more) if path.suffix == ".gz" else more))
    assert ManifestIndex.beside(path) is None
    with pytest.raises(ManifestError, match="calls itself test-000000020"):
        list(reproduce(path, clips=["test-000000020"]))
    (root / "dataset.json").unlink()
    if path.suffix == ".gz":
        with pytest.raises(ManifestError, match=r"blocks are not of 64 rows.*gunzip"):
            write_index(path)
    else:
        path.write_bytes(path.read_bytes().replace(more, more.replace(b'"ordinal": 19', b'"ordinal": 20')))
        write_index(path)
        assert ManifestIndex.beside(path).rows == 171


def test_a_manifest_of_the_same_size_but_another_hash(sets, tmp_path):
    """Two builds of one size: the hash in dataset.json tells the indexes apart; without it, a row in the wrong place is refused."""
    root = shutil.copytree(sets["plain"], tmp_path / "set")
    path = root / "manifest.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[::-1]))
    with pytest.raises(
        ManifestError, match=r"was the manifest edited\? Delete the index, or write it anew with `audiosynth index`"
    ):
        list(reproduce(path, clips=["train-000000003"]))
    head = json.loads((root / "dataset.json").read_text())
    head["files"]["manifest.jsonl"] = "0" * 64
    (root / "dataset.json").write_text(json.dumps(head))
    assert ManifestIndex.beside(path) is None


def test_rows_that_changed_places_are_not_compared(sets, tmp_path):
    """An index of a manifest in which two rows of one length were swapped: no row is taken for another clip's."""
    path = tmp_path / "manifest.jsonl"
    shutil.copy(sets["plain"] / "manifest.idx", tmp_path)
    lines = (sets["plain"] / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    i = next(i for i in range(149) if len(lines[i]) == len(lines[i + 1]))
    lines[i : i + 2] = lines[i + 1], lines[i]
    path.write_bytes(b"".join(lines))
    with pytest.raises(ManifestError, match=rf"expected train-{i:09d} by manifest\.idx, got 'train-{i + 1:09d}'"):
        list(diff(sets["plain"], path).differences())


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\0" * 200, b"audiosynth-idx/1" + b"\xff" * 60])
def test_a_broken_index_is_made_anew(root, data):
    """In memory, where it is asked for; `verify` names the file."""
    good = (root / "manifest.idx").read_bytes()
    (root / "manifest.idx").write_bytes(data)
    assert ManifestIndex.beside(manifest(root)) is None
    assert index_of(manifest(root)).row(160)[1]["clip_id"] == "test-000000010"
    assert ClipDataset(root, split="test")[10]["clip_id"] == "test-000000010"
    assert verify(root).changed == ("manifest.idx",)
    assert write_index(manifest(root)).read_bytes() == good


def test_splits_have_to_stand_together(sets, tmp_path):
    """Rows in any other order are read, but not indexed."""
    lines = (sets["plain"] / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(lines[-1] + lines[0] + lines[-2])
    with pytest.raises(ManifestError, match="row 3: split 'test' comes back"):
        write_index(path)
    path.write_bytes(lines[1] + lines[0])
    with pytest.raises(
        ManifestError, match="row 2: clip 0 of split 'train' comes after clip 1; an index needs the order of a build"
    ):
        write_index(path)
    assert [p.name for p in tmp_path.iterdir()] == ["rows.jsonl"]
    assert [row["clip_id"] for _, row in rows_of(path)] == ["train-000000001", "train-000000000"]


def test_a_manifest_that_was_packed_in_one_piece_is_not_indexed(sets, tmp_path):
    """By gzip itself, say: there are no blocks to find rows in, and none is looked for in the wrong place."""
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress((sets["plain"] / "manifest.jsonl").read_bytes()))
    with pytest.raises(ManifestError, match=r"blocks are not of 64 rows.*gunzip"):
        index_of(path)
    assert len(list(rows_of(path))) == 170


def test_all_readers_take_a_packed_manifest(sets, tmp_path):
    """stats, export, vary, ClipDataset: what they make of the plain one."""
    plain, packed = sets["plain"], shutil.copytree(sets["packed"], tmp_path / "packed")
    assert stats(packed) == stats(plain)
    (table,) = {path.parent.name for path in export_labels(packed, ["csv"])["csv@1"]}
    assert table == "csv"
    assert verify(packed).ok
    assert ClipDataset(packed, split="test")[3]["labels"] == ClipDataset(plain, split="test")[3]["labels"]
    louder = vary(packed, tmp_path / "louder", set_values=["events[*].level_dbfs=-23"]).root
    assert (louder / "manifest.jsonl.gz").is_file()
    assert verify(louder).ok
    assert len(rows(louder)) == 170
    shutil.copy(packed / "manifest.jsonl.gz", tmp_path / "alone.jsonl.gz")
    assert all(clip.same for clip in reproduce(tmp_path / "alone.jsonl.gz", clips=["test-000000019"]))


def test_a_cut_packed_manifest_is_told(sets, tmp_path):
    """However it was cut, one message."""
    data = (sets["packed"] / "manifest.jsonl.gz").read_bytes()
    path = tmp_path / "rows.jsonl.gz"
    for n in (5, 100, len(data) - 3):
        path.write_bytes(data[:n])
        with pytest.raises(ManifestError, match=r"rows\.jsonl\.gz: is cut"):
            list(rows_of(path))
        with pytest.raises(ManifestError, match=r"rows\.jsonl\.gz: is cut"):
            write_index(path)
    path.write_bytes(data[:20] + b"\xff" * 40 + data[60:])
    with pytest.raises(ManifestError, match=r"rows\.jsonl\.gz: is (cut or )?damaged"):
        list(rows_of(path))


def test_the_manifest_as_parquet(sets, tmp_path):
    """Read by pyarrow: columns for queries, and in each row the manifest's own line."""
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra `parquet`)")
    root = shutil.copytree(sets["packed"], tmp_path / "set")
    (path,) = export_labels(root, ["rows_parquet"])["rows_parquet@1"]
    table, expected = pq.read_table(path), rows(root)
    with gzip.open(root / "manifest.jsonl.gz", "rt") as file:
        assert table["row"].to_pylist() == file.read().splitlines()
    assert table["clip_id"].to_pylist() == [row["clip_id"] for row in expected]
    assert [[label["onset_sample"] for label in labels] for labels in table["labels"].to_pylist()] == [
        [label["onset_sample"] for label in row["labels"]] for row in expected
    ]
    assert verify(root).ok
