"""Every label format against its written specification, parsed by hand, and the labels that it would misread."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from field_readers import f1, truth
from field_sets import PLAIN, tree
from format_parsers import MERGED, PARSERS, WITHIN
from material import write_recipe
from test_exporters import label, row, view

from audiosynth import build, export_labels, load_recipe, registry, shipped_recipe
from audiosynth.errors import BuildError

NAMES = [*PARSERS, "esc50"]
BLOCKS = {
    "dry": {},
    "tail": {"offset": "tail", "tail_db": -20},
    "drop": {"drop_below_snr_db": 8},
}
COUNTED = {"desed": "train", "rttm": "train"}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return one set under three `labels:` blocks, exported in every format."""
    folder, out = tmp_path_factory.mktemp("blocks"), {}
    names = [name for name in PARSERS if name != "parquet" or "pyarrow" in sys.modules or _has_pyarrow()]
    for name, block in BLOCKS.items():
        recipe = tree(PLAIN, labels=block, clips={"train": 10, "test": 3, "weak": 3, "bare": 3}, export=[])
        loaded = load_recipe(write_recipe(folder / f"{name}.yaml", recipe), cache_dir=folder / "c")
        out[name] = build(loaded, folder / name).root
        export_labels(out[name], names)
    return out


def _has_pyarrow() -> bool:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("name", PARSERS)
def test_events_are_the_manifests_under_every_labels_block(roots: dict[str, Path], name: str, block: str) -> None:
    """Dry and tail offsets and inaudible events come out as the rows have them, strong splits alone; F1 = 1."""
    root = roots[block]
    want = truth(root, merged=name in MERGED)
    got = PARSERS[name](root / "labels")
    assert f1(want, got, WITHIN.get(name, 1e-6) + 1e-9) == 1.0, (want, got)


def test_the_blocks_differ(roots: dict[str, Path]) -> None:
    """The three blocks say different things of the same events, so that the test above sees each of them."""
    dry, tail, drop = (truth(roots[name]) for name in BLOCKS)
    assert [event[:2] for event in dry] == [event[:2] for event in tail]
    assert sum(b[2] - a[2] for a, b in zip(dry, tail, strict=True)) > 0.1
    assert 0 < len(drop) < len(dry)


# ------------------------------------------------------------------ rows made by hand


def made(tmp_path: Path, *clips: dict[str, Any], **more: Any) -> Any:
    """Return a dataset whose audio is there, of rows with specs."""
    for clip in clips:
        path = tmp_path / clip["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip["clip_id"].encode())
        clip.setdefault("file_sha256", hashlib.sha256(path.read_bytes()).hexdigest())
        clip.setdefault(
            "spec", {"events": [{"label": x["label"], "source": {"type": "tone@1"}} for x in clip["labels"]]}
        )
        for i, item in enumerate(clip["labels"]):
            item["event"] = i if item["event"] is not None else None
    return view(tmp_path, list(clips), **more)


def write(name: str, dataset: Any, folder: Path, **options: Any) -> list[Path]:
    exporter: Any = registry.create("exporters", {"type": name, **options})
    paths: list[Path] = exporter.write(dataset, folder)
    assert all(path.is_file() for path in paths)
    return paths


def words(*labels: str) -> list[dict[str, Any]]:
    return [label(name, 1000 * i, 1000 * i + 800) for i, name in enumerate(labels)]


REFUSED = {
    "csv": ["NA", '"a', "a\tb", " a", "", "=1+1", "@a", "-", "007", "1e3", "true", "a\x85b"],
    "audioset": ["a,b", 'a"b', "null", "a\nb", "inf"],
    "rttm": ["NA", "<x>", '"a', "a\u2028b", ""],
    "ctm": ["nan", "<ALT>", '"a'],
    "stm": ["<o,f0>", "say {a}", 'an "odd one', "(maybe)", "None"],
    "textgrid": ["intervals [1]:", "item[2]", 'class = "IntervalTier"', "a\nb", " a"],
    "croissant": ["N/A", "0x", "1.50", "False"],
    "desed": ["a,b", "007", "TRUE"],
    "esc50": ["NaN", "1_000 ", "00"],
}
TAKEN = {
    "csv": ["a,b", 'six 6" nails', "Vögel", ".a", "犬", "7", "1.5", "it's", "on", "a;b", "#x"],
    "audioset": ["dog bark", "Vögel", ".a", "7", "#x"],
    "rttm": ["dog bark", "a,b", ".a", "007", "犬", "non\u00a0breaking", "#x", "true"],
    "ctm": ["dog bark", "a,b", ".a", "007", "it's"],
    "stm": ["dog bark", "a,b", ".a", 'six 6" nails', "犬"],
    "textgrid": ['say "a" and "b"', "a\\b", "Vögel", ".a", "NA", "xmin = 3", "7"],
    "jams": ["NA", '"a', "a\tb", "犬", "007"],
    "webdataset": ["NA", "a/b", "..", "犬"],
    "audiofolder": ["NA", "a/b", "..", "犬"],
    "croissant": ["a,b", 'six 6" nails', ".a", "7"],
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts if text != "0x"]
)
def test_labels_that_would_be_misread_are_refused(tmp_path: Path, name: str, text: str) -> None:
    """The error names clip and label, at the first clip already, and nothing is left behind."""
    exporter: Any = registry.create("exporters", {"type": name})
    dataset = made(tmp_path / "d", row(0, words(text)))
    with pytest.raises(BuildError, match=r"clip train-000000000: label .*; rename it"):
        exporter.write(dataset, tmp_path / "out")
    with pytest.raises(BuildError, match="clip train-000000000: label"):
        exporter.check(next(dataset.rows()))
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in TAKEN.items() for text in texts])
def test_labels_that_can_be_told_come_back(tmp_path: Path, name: str, text: str) -> None:
    """Blanks, commas, quotes, letters beyond ASCII and leading dots come back as they were."""
    write(name, made(tmp_path / "d", row(0, words(text))), tmp_path)
    assert [event[3] for event in PARSERS[name](tmp_path)] == [text]


@pytest.mark.parametrize("name", ["rttm", "ctm", "stm"])
def test_labels_that_would_look_the_same_are_refused(tmp_path: Path, name: str) -> None:
    """'dog bark' and 'dog_bark' are one word where blanks cannot stand."""
    with pytest.raises(BuildError, match="'dog_bark' would be written 'dog_bark', as 'dog bark' is"):
        write(name, made(tmp_path / "d", row(0, words("dog bark", "dog_bark"))), tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_withheld_labels_are_in_no_file(tmp_path: Path, name: str) -> None:
    """Classes of unlabeled splits and times of weak ones are nowhere, not even in a header or a count."""
    clips = [row(0, [label(f"sekret{s}", 777, 2777)], split=s) for s in ("train", "weak", "bare")]
    clips[0]["labels"] = [label("open", 0, 800)]
    data = made(tmp_path / "d", *clips, weak_splits=frozenset({"weak"}), unlabeled_splits=frozenset({"bare"}))
    text = "".join(shown(path) for path in write(name, data, tmp_path))
    assert "open" in text
    assert "sekretbare" not in text
    assert not re.search(r"0\.0485|0\.049|0\.1735|0\.174|\b777\b|2777", text)


def shown(path: Path) -> str:
    """Return what a file tells, decoded."""
    if path.suffix == ".parquet":
        pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra `parquet`)")
        return str(pq.read_table(path).to_pylist())
    return path.read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize("name", NAMES)
def test_the_same_bytes_twice_and_only_the_files_told(tmp_path: Path, name: str) -> None:
    """Bytes do not depend on the run, every file is told, no temporary one stays."""
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `parquet`)")
    clips = [row(i, words("dog") if i % 2 else [], split=s) for s in ("train", "test") for i in range(3)]
    data = made(tmp_path / "d", *clips)
    runs = []
    for run in ("one", "two"):
        paths = write(name, data, tmp_path / run)
        assert {p for p in (tmp_path / run).rglob("*") if p.is_file()} == set(paths)
        runs.append({p.relative_to(tmp_path / run): p.read_bytes() for p in paths})
    assert runs[0] == runs[1]


def test_rttm_of_speakers_and_unmerged(tmp_path: Path) -> None:
    """Turns can be called by who speaks; overlapping ones are one turn unless told otherwise."""
    labels = [label("yes", 0, 8000), label("no", 4000, 12_000), label("dog", 0, 16_000)]
    spoken = [
        {"voice": {"engine": "espeak", "name": "ann lee"}},
        {"recording": {"data": "d", "path": "p", "meta": {"speaker": "bob"}}},
        {},
    ]
    clip = {**row(0, labels), "spec": {"events": [{"label": "x", "source": source} for source in spoken]}}
    dataset = made(tmp_path / "d", clip)
    write("rttm", dataset, tmp_path, names="speakers")
    assert [e[3] for e in PARSERS["rttm"](tmp_path)] == ["ann lee", "bob"]
    same = made(tmp_path / "d", row(0, [label("a", 0, 800), label("a", 400, 1600)]))
    for merge, n in ((True, 1), (False, 2)):
        write("rttm", same, tmp_path, merge=merge)
        assert len(PARSERS["rttm"](tmp_path)) == n


def test_words_of_speech(tmp_path: Path) -> None:
    """STM has what is said, CTM and TextGrid each word in its place; a recording's text stands for its label."""
    marks = {"words": [["hey", 1600, 4800], ["computer", 4800, 16_000]], "phones": [["h", 1600, 2000]]}
    labels = [label("wake", 1600, 16_000, **marks), label("cmd", 16_000, 24_000)]
    sources = [
        {"voice": {"engine": "espeak", "name": "v1"}},
        {"recording": {"data": "d", "path": "p", "meta": {"text": "turn it off", "speaker": "s"}}},
    ]
    clip = {**row(0, labels), "spec": {"events": [{"label": "x", "source": source} for source in sources]}}
    dataset = made(tmp_path / "d", clip)
    for name in ("stm", "ctm", "textgrid"):
        write(name, dataset, tmp_path)
    assert (tmp_path / "stm/train.stm").read_text() == (
        "train-000000000 1 v1 0.100000 1.000000 hey computer\ntrain-000000000 1 s 1.000000 1.500000 turn it off\n"
    )
    assert [(e[1], e[3]) for e in PARSERS["ctm"](tmp_path)] == [(0.1, "hey"), (0.3, "computer"), (1.0, "cmd")]
    grid = next(tmp_path.rglob("*.TextGrid")).read_text()
    assert re.findall(r'name = "(.*)"', grid) == ["events", "words", "phones"]
    assert 'text = "computer"' in grid


def test_esc50_by_the_book(tmp_path: Path) -> None:
    """Seven columns, folds 1 to 5, one number per category, names relative to audio/; clips without labels are silence."""
    clips = [row(0, words("dog"), split="a"), row(1, [], split="a"), row(0, [*words("cat"), *words("cat")], split="b")]
    (path,) = write("esc50", made(tmp_path / "d", *clips), tmp_path)
    head, *records = csv.reader(path.read_text().splitlines())
    assert head == ["filename", "fold", "target", "category", "esc10", "src_file", "take"]
    assert [r[:5] for r in records] == [
        ["a/000000/a-000000000.flac", "1", "1", "dog", "False"],
        ["a/000000/a-000000001.flac", "1", "2", "silence", "False"],
        ["b/000000/b-000000000.flac", "2", "0", "cat", "False"],
    ]
    (path,) = write(
        "esc50", made(tmp_path / "d", *clips), tmp_path, folds={"a": 5, "b": 2}, classes=["silence", "dog", "cat"]
    )
    assert [r[1:3] for r in csv.reader(path.read_text().splitlines())][1:] == [["5", "1"], ["5", "0"], ["2", "2"]]


@pytest.mark.parametrize(
    ("options", "clips", "why"),
    [
        ({}, [row(0, words("dog", "cat"))], r"2 classes \(cat, dog\).*leave the `label` of all other events out"),
        ({"classes": ["cat"]}, [row(0, words("dog"))], "'dog' is none of the classes cat"),
        ({"folds": {"test": 1}}, [row(0, words("dog"))], "gives the split 'train' no fold"),
        ({}, [row(0, [], split=f"s{i}") for i in range(6)], "6 splits for 5 folds"),
    ],
)
def test_esc50_refuses_what_it_cannot_hold(tmp_path: Path, options: Any, clips: Any, why: str) -> None:
    """Several classes a clip, unknown classes, splits without a fold."""
    with pytest.raises(BuildError, match=why):
        write("esc50", made(tmp_path / "d", *clips), tmp_path, **options)


def test_audioset_ids(tmp_path: Path) -> None:
    """A label is its id in AudioSet where `mids` says so; a label without one, or two with the same, are refused."""
    dataset = made(tmp_path / "d", row(0, words("dog", "cat")), row(1, []))
    write("audioset", dataset, tmp_path, mids={"dog": "/m/0bt9lr", "cat": "/m/01yrx"})
    assert [e[3] for e in PARSERS["audioset"](tmp_path)] == ["dog", "cat"]
    segments = (tmp_path / "audioset/train_segments.csv").read_text().splitlines()
    assert segments[2:] == [
        "# YTID, start_seconds, end_seconds, positive_labels",
        'train-000000000, 0.000, 2.000, "/m/01yrx,/m/0bt9lr"',
        'train-000000001, 0.000, 2.000, ""',
    ]
    assert "num_ytids=2, num_segs=2, num_unique_labels=2, num_positive_labels=2" in segments[1]
    with pytest.raises(BuildError, match="'cat' has no id in AudioSet; add it to `mids`"):
        write("audioset", dataset, tmp_path, mids={"dog": "/m/0bt9lr"})
    with pytest.raises(BuildError, match="give each its own in `mids`"):
        write("audioset", dataset, tmp_path, mids={"dog": "/m/1", "cat": "/m/1"})


def test_webdataset_shards(tmp_path: Path) -> None:
    """Shards of the asked size, ustar, without times and owners, the audio as it was written."""
    dataset = made(tmp_path / "d", *(row(i, words("dog")) for i in range(5)))
    paths = write("webdataset", dataset, tmp_path, clips_per_shard=2)
    assert [path.name for path in paths] == [f"train-00000{i}.tar" for i in range(3)]
    assert paths[0].read_bytes()[257:265] == b"ustar\x0000"
    with tarfile.open(paths[0]) as tar:
        assert [m.name for m in tar] == [f"train-00000000{i}.{kind}" for i in range(2) for kind in ("flac", "json")]
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar} == {(0, 0, 0, "", "", 0o644)}
        assert tar.extractfile("train-000000001.flac").read() == b"train-000000001"


def test_so_many_webdataset_shards(tmp_path: Path) -> None:
    """Of N files a split none has two clips more than another; together they hold every clip once, in order."""
    loaded = load_recipe(shipped_recipe("quickstart"), clips=7, set_values=["export[+]={type: webdataset, shards: 3}"])
    root = build(loaded, tmp_path / "set").root
    for split in ("train", "test"):
        names = []
        for path in sorted((root / "labels" / "webdataset").glob(f"{split}-*.tar")):
            with tarfile.open(path) as tar:
                names.append([name for name in tar.getnames() if name.endswith(".json")])
        assert [len(found) for found in names] == [2, 2, 3]
        assert [n for found in names for n in found] == [f"{split}-{i:09d}.json" for i in range(7)]
    assert (root / "labels" / "jsonl").is_dir()  # what the recipe asks for is written too


@pytest.mark.parametrize("name", ["webdataset", "audiofolder", "parquet"])
def test_audio_that_is_not_what_was_written_is_refused(tmp_path: Path, name: str) -> None:
    """A changed, missing or foreign file does not slip into an export that carries audio."""
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `parquet`)")
    dataset = made(tmp_path / "d", row(0, []))
    path = tmp_path / "d" / "audio/train/000000/train-000000000.flac"
    path.write_bytes(b"other")
    with pytest.raises(BuildError, match="is not what was written; `audiosynth verify`"):
        write(name, dataset, tmp_path)
    path.unlink()
    with pytest.raises(BuildError, match="cannot be read"):
        write(name, dataset, tmp_path)
    (tmp_path / "away.flac").write_bytes(b"train-000000000")
    path.symlink_to(tmp_path / "away.flac")
    with pytest.raises(BuildError, match="leads outside the dataset"):
        write(name, dataset, tmp_path)


@pytest.mark.parametrize("name", ["audiofolder", "parquet"])
def test_the_card_names_the_splits(tmp_path: Path, name: str) -> None:
    """The card's head is YAML with one pattern a split; names that the library does not take are refused."""
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `parquet`)")
    import yaml

    write(name, made(tmp_path / "d", row(0, [], split="fold1"), row(0, [], split="fold2")), tmp_path)
    _, head, _ = (tmp_path / name / "README.md").read_text().split("---\n")
    (config,) = yaml.safe_load(head)["configs"]
    assert [entry["split"] for entry in config["data_files"]] == ["fold1", "fold2"]
    assert all(list((tmp_path / name).glob(entry["path"])) for entry in config["data_files"])
    with pytest.raises(BuildError, match="split 'fold-1': datasets takes letters, digits and _"):
        write(name, made(tmp_path / "d", row(0, [], split="fold-1")), tmp_path)


def test_parquet_features(tmp_path: Path) -> None:
    """The schema's metadata says how `datasets` sees each column; withheld labels are null, none are an empty list."""
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra `parquet`)")
    clips = [row(0, [], split=s) for s in ("train", "weak", "bare")]
    data = made(tmp_path / "d", *clips, weak_splits=frozenset({"weak"}), unlabeled_splits=frozenset({"bare"}))
    paths = write("parquet", data, tmp_path, clips_per_file=1)
    assert [path.name for path in paths[:3]] == [f"{s}-00000-of-00001.parquet" for s in ("train", "weak", "bare")]
    schema = pq.read_schema(paths[0])
    told = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(told) == schema.names
    assert told["audio"] == {"sampling_rate": 16_000, "_type": "Audio"}
    assert told["events"][0]["onset"] == {"dtype": "float64", "_type": "Value"}
    (first, weak, bare) = (pq.read_table(path).to_pylist()[0] for path in paths[:3])
    assert [(r["events"], r["labels"]) for r in (first, weak, bare)] == [([], []), (None, []), (None, None)]
    write("parquet", data, tmp_path, audio=False)
    assert "audio" not in pq.read_schema(paths[0]).names


def test_parquet_without_pyarrow_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra, when the first clip is made already."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    exporter: Any = registry.create("exporters", {"type": "parquet"})
    dataset = made(tmp_path / "d", row(0, []))
    for call in (lambda: exporter.write(dataset, tmp_path), lambda: exporter.check(next(dataset.rows()))):
        with pytest.raises(
            BuildError, match=r"needs pyarrow, which is not installed; run `pip install audiosynth\[parquet\]`"
        ):
            call()


def test_croissant_by_the_book(tmp_path: Path) -> None:
    """Required properties of version 1.0, hashes of the tables, columns that are there, audio where the pattern says."""
    data = made(tmp_path / "d", row(0, words("dog", "a,b")), row(1, []), assets=lambda: [{"licence": "CC0-1.0"}])
    write("croissant", data, tmp_path / "d" / "labels")
    base = tmp_path / "d" / "labels" / "croissant"
    tree = json.loads((base / "metadata.json").read_text(encoding="utf-8"))
    assert {"@context", "@type", "name", "description", "conformsTo", "license", "distribution", "recordSet"} == set(
        tree
    )
    assert (tree["@type"], tree["conformsTo"]) == ("sc:Dataset", "http://mlcommons.org/croissant/1.0")
    assert tree["license"] == ["CC0-1.0"]
    tables = {d["@id"]: d for d in tree["distribution"] if d["@type"] == "cr:FileObject"}
    for name, table in tables.items():
        assert table["sha256"] == hashlib.sha256((base / table["contentUrl"]).read_bytes()).hexdigest(), name
        assert table["encodingFormat"] == "text/csv"
    for records in tree["recordSet"]:
        for field in records["field"]:
            assert field["@id"] == f"{records['@id']}/{field['name']}"
            head = (base / field["source"]["fileObject"]["@id"]).read_text().splitlines()[0]
            assert field["source"]["extract"]["column"] in head.split(",")
    (audio,) = [d for d in tree["distribution"] if d["@type"] == "cr:FileSet"]
    assert len(list(base.glob(audio["includes"]))) == 2
    clips = list(csv.DictReader((base / "clips.csv").read_text().splitlines()))
    assert [(c["file_name"][-6:], c["supervision"]) for c in clips] == [("0.flac", "strong"), ("1.flac", "strong")]


def test_deseds_own_post_processing(tmp_path: Path) -> None:
    """Gaps under 150 ms are closed within a class, events under 250 ms widened within the clip, and both are counted."""
    labels = [
        label("dog", 0, 8000), label("dog", 8000 + 2384, 16_000), label("cat", 0, 8000), label("cat", 8000 + 2400, 16_000),
        label("bell", 31_000, 32_000), label("ant", 100, 101),
    ]  # fmt: skip
    write("desed", made(tmp_path / "d", row(0, labels)), tmp_path, gap=0.15, shortest=0.25)
    assert PARSERS["desed"](tmp_path) == [
        ("train-000000000", 0.0, 0.5, "cat"), ("train-000000000", 0.0, 1.0, "dog"), ("train-000000000", 0.006, 0.256, "ant"),
        ("train-000000000", 0.65, 1.0, "cat"), ("train-000000000", 1.75, 2.0, "bell"),
    ]  # fmt: skip
    info = json.loads((tmp_path / "desed" / "info.json").read_text())["train"]
    assert (info["merged"], info["widened"]) == (1, 2)
    with pytest.raises(ValueError, match="gap: joins events, but `merge: false`"):
        registry.create("exporters", {"type": "desed", "merge": False, "gap": 0.1})
