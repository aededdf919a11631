"""Label files: parsed back by a parser of our own, and by the field's readers where they are installed."""

from __future__ import annotations

import itertools
import json
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._text import READ_AS_MISSING
from audiosynth.exporters.attribution import Attribution, escaped
from audiosynth.exporters.audacity import Audacity
from audiosynth.exporters.desed import Desed
from audiosynth.exporters.jsonl import Jsonl
from audiosynth.registry import create, dump

AWKWARD = ["yes", "no", "dog bark", "Vögel", 'six 6" nails', "it's", "7", "a/b", "犬", "#tag"]


def label(name: str, onset: int, offset: int, sr: int = 16_000, **more: Any) -> dict[str, Any]:
    times = {"onset": round(onset / sr, 6), "offset": round(offset / sr, 6)}
    item = {"label": name, **times, "onset_sample": onset, "offset_sample": offset, "event": 0, "audible": True}
    return {**item, "snr_db": 10.0, **more}


def row(
    i: int, labels: list[dict[str, Any]], split: str = "train", n: int = 32_000, sr: int = 16_000
) -> dict[str, Any]:
    clip_id = f"{split}-{i:09d}"
    audio = {"path": f"audio/{split}/000000/{clip_id}.flac", "sr": sr, "n_channels": 1, "n_samples": n}
    return {"clip_id": clip_id, "split": split, **audio, "duration": round(n / sr, 6), "labels": labels}


def view(root: Path, rows: list[dict[str, Any]], **more: Any) -> DatasetView:
    splits: dict[str, int] = {}
    for item in rows:
        splits[item["split"]] = splits.get(item["split"], 0) + 1
    return DatasetView(root=root, name="set", splits=splits, rows=lambda: iter(rows), **more)


def table(path: Path) -> list[list[str]]:
    """Parse a TSV without any csv rules: lines end with a line feed, fields are separated by tabs."""
    text = path.read_bytes().decode("utf-8")
    assert text.endswith("\n")
    return [line.split("\t") for line in text[:-1].split("\n")]


ROWS = [
    row(0, [label(name, 1000 * i, 1000 * i + 1500) for i, name in enumerate(AWKWARD)]),
    row(1, []),
    row(2, [label("dog", 0, 16_000), label("dog", 8000, 20_000), label("dog", 20_000, 24_000), label("cat", 1, 5)]),
    row(0, [label("yes", 5, 31_999), label("ghost", 0, 100, audible=False)], split="test"),
]


def test_desed_strong_labels_come_back(tmp_path: Path) -> None:
    """Every event stands in the table under its clip with its label; an empty clip has a row of blanks."""
    Desed().write(view(tmp_path, ROWS), tmp_path)
    head, *lines = table(tmp_path / "desed" / "train.tsv")
    assert head == ["filename", "onset", "offset", "event_label"]
    first = [r for r in lines if r[0] == "000000/train-000000000.flac"]
    ms = [(Decimal(1000 * i), Decimal(1000 * i + 1500)) for i in range(len(AWKWARD))]
    want = [[str((t / 16000).quantize(Decimal("0.001"), ROUND_HALF_UP)) for t in pair] for pair in ms]
    assert [r[1:] for r in first] == [[*times, name] for times, name in zip(want, AWKWARD, strict=True)]
    assert [r for r in lines if "000000001" in r[0]] == [["000000/train-000000001.flac", "", "", ""]]
    assert table(tmp_path / "desed" / "test.tsv")[1:] == [["000000/test-000000000.flac", "0.000", "2.000", "yes"]]


def test_desed_merges_overlaps_of_one_class_and_counts_them(tmp_path: Path) -> None:
    """Overlapping events of a class become one; touching ones and other classes stay; info.json says how many."""
    Desed().write(view(tmp_path, ROWS), tmp_path)
    lines = [r[1:] for r in table(tmp_path / "desed" / "train.tsv") if "000000002" in r[0]]
    assert lines == [["0.000", "0.001", "cat"], ["0.000", "1.250", "dog"], ["1.250", "1.500", "dog"]]
    info = json.loads((tmp_path / "desed" / "info.json").read_text())
    assert info["train"] == {"clips": 3, "events": 13, "inaudible_left_out": 0, "merged": 1, "widened": 1}
    assert info["test"]["inaudible_left_out"] == 1


def test_desed_keeps_overlaps_and_inaudible_events_when_told(tmp_path: Path) -> None:
    """`merge: false` lists every event, `inaudible: keep` those nobody hears."""
    Desed(merge=False, inaudible="keep").write(view(tmp_path, ROWS), tmp_path)
    assert sum("000000002" in r[0] for r in table(tmp_path / "desed" / "train.tsv")) == 4
    assert [r[3] for r in table(tmp_path / "desed" / "test.tsv")[1:]] == ["ghost", "yes"]


def test_desed_weak_labels_and_durations(tmp_path: Path) -> None:
    """Weak labels are the sorted classes of a clip, durations seconds with 6 decimals, for every clip."""
    Desed().write(view(tmp_path, ROWS), tmp_path)
    weak = table(tmp_path / "desed" / "train_weak.tsv")
    assert weak[0] == ["filename", "event_labels"]
    assert weak[1][1].split(",") == sorted(AWKWARD)
    assert [r[1] for r in weak[2:]] == ["", "cat,dog"]
    durations = table(tmp_path / "desed" / "train_durations.tsv")
    assert durations == [["filename", "duration"], *([f"000000/train-00000000{i}.flac", "2.000000"] for i in range(3))]


def test_withheld_labels_are_not_in_any_file(tmp_path: Path) -> None:
    """A weak split tells classes but no times, an unlabeled one neither, in every exporter."""
    data = view(
        tmp_path, [row(0, [label("sekret", 0, 777, split=s)], split=s) for s in ("train", "weak", "bare")],
        weak_splits=frozenset({"weak"}), unlabeled_splits=frozenset({"bare"}),
    )  # fmt: skip
    paths = [p for c in (Desed(), Audacity(), Jsonl()) for p in c.write(data, tmp_path)]
    names = {p.relative_to(tmp_path).as_posix() for p in paths}
    assert {n for n in names if n.startswith("desed/weak")} == {"desed/weak_durations.tsv", "desed/weak_weak.tsv"}
    assert {n for n in names if n.startswith("desed/bare")} == {"desed/bare_durations.tsv"}
    assert {n for n in names if n.startswith("audacity")} == {"audacity/train/000000/train-000000000.txt"}
    assert not any("sekret" in p.read_text() for p in paths if "bare" in p.name)
    assert not any("777" in p.read_text() or "0.049" in p.read_text() for p in paths if "weak" in p.name)
    assert json.loads((tmp_path / "jsonl" / "weak.jsonl").read_text())["labels"] == ["sekret"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("a,b", "comma"), ("a\tb", "tab"), ("a\nb", "line end"), ("a\u2028b", "line end"), ("", "empty"), (" a", "blank")]
    + [('"a"', "quote")]
    + [(name, "missing value") for name in ("NA", "null", "None")],
)
def test_desed_refuses_labels_that_readers_break(tmp_path: Path, name: str, why: str) -> None:
    """The error names the clip, the label and what to do; nothing is left behind."""
    with pytest.raises(BuildError, match=rf"train-000000000: label .* {why}.*; rename it") as caught:
        Desed().write(view(tmp_path, [row(0, [label(name, 0, 10)])]), tmp_path)
    assert repr(name) in str(caught.value)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("span", [(-1, 5), (9, 5), (32_000, 32_001)])
@pytest.mark.parametrize("exporter", [Desed(), Audacity(), Jsonl()])
def test_labels_outside_the_clip_are_refused(tmp_path: Path, span: tuple[int, int], exporter: Any) -> None:
    """A label that starts before its clip or after it, or ends before it starts, is an error."""
    with pytest.raises(BuildError, match="outside the clip"):
        exporter.write(view(tmp_path, [row(0, [label("a", *span)])]), tmp_path)


def test_a_file_outside_its_split_is_refused(tmp_path: Path) -> None:
    """Filenames are relative to audio/<split>/, so a clip elsewhere cannot be named."""
    with pytest.raises(BuildError, match="not below audio/train/"):
        Desed().write(view(tmp_path, [{**row(0, []), "path": "audio/test/x.flac"}]), tmp_path)


clips = st.tuples(st.sampled_from([8000, 11_025, 16_000, 44_100, 96_000]), st.integers(100, 100_000)).flatmap(
    lambda c: st.tuples(
        st.just(c[0]),
        st.just(c[1]),
        st.lists(
            st.tuples(st.integers(0, c[1] - 1), st.integers(0, c[1] + 50), st.sampled_from("ab")).map(
                lambda e: (e[0], max(e[0], e[1]), e[2])
            ),
            max_size=8,
        ),
    )
)


@settings(max_examples=150)
@given(clip=clips)
def test_desed_times_are_in_order_within_the_clip_and_near_the_truth(
    tmp_path_factory: pytest.TempPathFactory, clip: tuple[int, int, list[tuple[int, int, str]]]
) -> None:
    """0 <= onset < offset <= duration for any clip, no overlaps in a class, every event within 2 ms of its place."""
    sr, n, events = clip
    folder = tmp_path_factory.mktemp("desed")
    labels = [label(f"n{i:02d}", a, b, sr) for i, (a, b, _) in enumerate(events)]
    Desed().write(view(folder, [row(0, labels, n=n, sr=sr)]), folder)
    duration = float(table(folder / "desed" / "train_durations.tsv")[1][1])
    lines = sorted((r[3], float(r[1]), float(r[2])) for r in table(folder / "desed" / "train.tsv")[1:] if r[3])
    assert len(lines) == len(events)
    for (_, onset, offset), (a, b, _) in zip(lines, events, strict=True):
        assert 0 <= onset < offset <= min(duration, n / sr)
        assert abs(onset - a / sr) <= 0.002
        assert abs(offset - min(b, n) / sr) <= 0.002
    Desed().write(view(folder, [row(0, [label(c, a, b, sr) for a, b, c in events], n=n, sr=sr)]), folder)
    for name in "ab":
        spans = sorted((float(r[1]), float(r[2])) for r in table(folder / "desed" / "train.tsv")[1:] if r[3] == name)
        assert all(one[1] <= two[0] for one, two in itertools.pairwise(spans))


@settings(max_examples=100)
@given(clip=clips)
def test_audacity_times_stay_within_the_clip(
    tmp_path_factory: pytest.TempPathFactory, clip: tuple[int, int, list[tuple[int, int, str]]]
) -> None:
    """0 <= onset <= offset <= duration, within 1 µs of the samples."""
    sr, n, events = clip
    folder = tmp_path_factory.mktemp("audacity")
    (path,) = Audacity().write(view(folder, [row(0, [label(c, a, b, sr) for a, b, c in events], n=n, sr=sr)]), folder)
    text = path.read_text()
    got = [line.split("\t") for line in text.splitlines()]
    want = sorted((a, b, c) for a, b, c in events)
    assert len(got) == len(want)
    for (onset, offset, name), (a, b, c) in zip(got, want, strict=True):
        assert 0 <= float(onset) <= float(offset) <= n / sr
        assert name == c
        assert abs(float(onset) - a / sr) <= 1e-6
        assert abs(float(offset) - min(b, n) / sr) <= 1e-6


def test_audacity_is_one_file_per_clip(tmp_path: Path) -> None:
    """Onset, offset, label with 6 decimals and no header; an empty clip has an empty file."""
    paths = Audacity().write(view(tmp_path, ROWS), tmp_path)
    assert [p.relative_to(tmp_path / "audacity").as_posix() for p in paths] == [
        f"{s}/000000/{s}-00000000{i}.txt" for s, i in (("train", 0), ("train", 1), ("train", 2), ("test", 0))
    ]
    assert paths[1].read_bytes() == b""
    assert paths[3].read_bytes() == b"0.000313\t1.999938\tyes\n"
    with pytest.raises(BuildError, match=r"'a.tb' holds a tab"):
        Audacity().write(view(tmp_path, [row(0, [label("a\tb", 0, 10)])]), tmp_path)


def test_jsonl_holds_every_field_of_every_label(tmp_path: Path) -> None:
    """Each line is one clip; labels come back as they stand in the row, whatever their words are."""
    rows = [*ROWS[:3], row(3, [label("a\u2028b\tc", 0, 9, snr_db=None)])]
    (path,) = Jsonl().write(view(tmp_path, rows), tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    back = [json.loads(line) for line in lines]
    assert [b["file_name"] for b in back] == [r["path"] for r in rows]
    assert [list(b) for b in back] == [["file_name", "duration", "sr", "events"]] * 4
    assert [sorted(map(repr, b["events"])) for b in back] == [sorted(map(repr, r["labels"])) for r in rows]


def test_every_file_is_nfc_utf8_and_the_same_bytes_twice(tmp_path: Path) -> None:
    """Decomposed letters are composed, bytes do not depend on the run, no temporary file stays."""
    rows = [*ROWS, row(4, [label(unicodedata.normalize("NFD", "Vögel ñ"), 0, 50)])]
    exporters = [Desed(), Audacity(), Jsonl(), Attribution()]
    runs = []
    for name in ("one", "two"):
        paths = [p for e in exporters for p in e.write(view(tmp_path, rows), tmp_path / name)]
        runs.append({p.relative_to(tmp_path / name): p.read_bytes() for p in paths})
        assert {p for p in (tmp_path / name).rglob("*") if p.is_file()} == set(paths)
    assert runs[0] == runs[1]
    assert all(unicodedata.is_normalized("NFC", data.decode("utf-8")) for data in runs[0].values())
    assert all(b"\r" not in data for data in runs[0].values())


def test_a_failed_export_leaves_the_earlier_file(tmp_path: Path) -> None:
    """Writing is atomic: when a later row is refused, what stood there before still stands."""
    (path, *_) = Desed().write(view(tmp_path, ROWS), tmp_path)
    before = path.read_bytes()
    with pytest.raises(BuildError, match="comma"):
        Desed().write(view(tmp_path, [*ROWS, row(5, [label("a,b", 0, 10)])]), tmp_path)
    assert path.read_bytes() == before
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("exporter", [Desed(), Jsonl()])
def test_rows_of_an_unknown_split_are_refused(tmp_path: Path, exporter: Any) -> None:
    """A row whose split the dataset does not have is an error that names both."""
    data = DatasetView(root=tmp_path, name="s", splits={"test": 1}, rows=lambda: iter([row(0, [])]))
    with pytest.raises(BuildError, match="train-000000000: the dataset has no split 'train'"):
        exporter.write(data, tmp_path)


def asset(path: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "data": "fsd", "sha256": "ab" * 32, "bytes": 5, "licence": "CC-BY-4.0", "author": "A", **more}


def test_attribution_groups_by_licence(tmp_path: Path) -> None:
    """One section per licence, linked for Creative Commons; unstated licences last; authors and titles escaped."""
    assets = [
        asset("b.wav", author="x_y*", title="# <b>Bark</b>", source="https://example.org/a_b"),
        asset("a.wav"),
        asset("c.wav", licence="CC0-1.0"),
        asset("d.wav", licence=None, author=None),
        asset("e.wav", licence="MIT"),
    ]
    (path,) = Attribution().write(view(tmp_path, ROWS, assets=lambda: assets), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## [CC-BY-4.0](https://creativecommons.org/licenses/by/4.0/) (2)",
        "## [CC0-1.0](https://creativecommons.org/publicdomain/zero/1.0/) (1)",
        "## MIT (1)",
        "## Licence not stated (1)",
    ]
    assert r"- \# &lt;b&gt;Bark&lt;/b&gt;: fsd/b.wav, x\_y\*, from <https://example.org/a_b> (sha256 abab" in text
    assert "fsd/d.wav, author not stated (" in text
    assert "5 recordings, which were cut" in text


def test_attribution_of_a_synthetic_set_says_so(tmp_path: Path) -> None:
    """Without recordings the file says so and has no sections."""
    (path,) = Attribution().write(view(tmp_path, ROWS), tmp_path)
    assert path.name == "ATTRIBUTION.md"
    assert "no recordings: fully synthetic" in path.read_text()
    assert "##" not in path.read_text()


@pytest.mark.parametrize(
    "text", ["a_b_c", "*a*", "[x](y)", "`code`", "<script>", "1. one", "# head", "- item", "a&lt;"]
)
def test_markup_is_taken_away(text: str) -> None:
    """A Markdown reader shows the text itself: unescaping gives it back, and no bare markup is left."""
    shown = escaped(text)
    assert shown != text
    plain = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert "".join(c for i, c in enumerate(plain) if c != "\\" or plain[i - 1 : i] == "\\") == text


@pytest.mark.parametrize("cls", [Desed, Audacity, Jsonl, Attribution])
def test_examples_round_trip_through_the_registry(cls: Any) -> None:
    """Every example makes a component whose dumped tree makes an equal one."""
    for example in cls.examples:
        made = create("exporters", {"type": cls.type_name, **example})
        assert create("exporters", dump(made)) == made


def test_sed_scores_eval_reads_the_tables(tmp_path: Path) -> None:
    """The reader of DCASE's evaluation sees every clip, event and duration."""
    io = pytest.importorskip("sed_scores_eval").io
    Desed().write(view(tmp_path, ROWS), tmp_path)
    truth = io.read_ground_truth_events(tmp_path / "desed" / "train.tsv")
    assert sorted(truth) == [f"000000/train-00000000{i}" for i in range(3)]
    assert {e[2] for e in truth["000000/train-000000000"]} == set(AWKWARD)
    assert truth["000000/train-000000001"] == []
    durations = io.read_audio_durations(tmp_path / "desed" / "train_durations.tsv")
    assert durations == dict.fromkeys(truth, 2.0)


def test_sed_eval_reads_the_strong_table(tmp_path: Path) -> None:
    """The older evaluation toolbox lists the same events (it takes files with letters beyond ASCII for binaries)."""
    sed_eval = pytest.importorskip("sed_eval")
    rows = [row(0, [label(name, 0, 99) for name in AWKWARD if name.isascii()]), *ROWS[1:3]]
    Desed().write(view(tmp_path, rows), tmp_path)
    events = sed_eval.io.load_event_list(str(tmp_path / "desed" / "train.tsv"))
    want = [r[3] for r in table(tmp_path / "desed" / "train.tsv")[1:] if r[3]]
    assert sorted(str(e.event_label) for e in events if e.event_label is not None) == sorted(want)


def test_pandas_reads_no_event_as_missing(tmp_path: Path) -> None:
    """With its own defaults pandas sees as many labels as there are events, so no word was taken for NaN."""
    pandas = pytest.importorskip("pandas")
    Desed().write(view(tmp_path, ROWS), tmp_path)
    frame = pandas.read_csv(tmp_path / "desed" / "train.tsv", sep="\t")
    assert frame["event_label"].dropna().tolist() == [r[3] for r in table(tmp_path / "desed" / "train.tsv")[1:] if r[3]]
    missing = set(pandas._libs.parsers.STR_NA_VALUES) - {""}
    assert missing <= READ_AS_MISSING


def test_psds_eval_accepts_overlaps_only_merged(tmp_path: Path) -> None:
    """psds_eval takes the merged table and refuses the unmerged one."""
    pandas, psds = pytest.importorskip("pandas"), pytest.importorskip("psds_eval")
    for merge in (True, False):
        Desed(merge=merge).write(view(tmp_path, ROWS), tmp_path / str(merge))
    read = {m: pandas.read_csv(tmp_path / str(m) / "desed" / "train.tsv", sep="\t") for m in (True, False)}
    durations = pandas.read_csv(tmp_path / "True" / "desed" / "train_durations.tsv", sep="\t")
    psds.PSDSEval(ground_truth=read[True], metadata=durations)
    with pytest.raises(psds.psds.PSDSEvalError, match="intersecting"):
        psds.PSDSEval(ground_truth=read[False], metadata=durations)


def test_crowsetta_reads_label_tracks(tmp_path: Path) -> None:
    """A reader of Audacity labels gives onsets, offsets and words back."""
    crowsetta = pytest.importorskip("crowsetta")
    path = Audacity().write(view(tmp_path, ROWS), tmp_path)[0]
    seq = crowsetta.Transcriber(format="aud-seq").from_file(path).to_seq()
    assert sorted(seq.labels) == sorted(AWKWARD)
    assert seq.onsets_s == pytest.approx([i / 16 for i in range(len(AWKWARD))], abs=6e-4)  # it rounds to 1 ms
