"""What the tools of the field read of a dataset's label files, with nothing of ours in between.

Run in an environment that has one of the readers: ``python field_readers.py NAME DATASET`` prints what it found as JSON. The
same functions are called by the tests, where a reader is installed, and by ``bench/readers.py``, which installs each.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

Event = tuple[str, float, float, str]
"""Clip, onset and offset in seconds, label."""


class Read(NamedTuple):
    """What a reader found: its events, the clips it knows of, how far times may be off, and whether a class was merged."""

    events: list[Event]
    clips: set[str]
    within: float = 1e-6
    merged: bool = False
    score: float | None = None


# ------------------------------------------------------------------ what is true


def rows_of(root: Path) -> list[dict[str, Any]]:
    """Return the rows of the strong splits."""
    head = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if head["supervision"][row["split"]] == "strong"]


def truth(root: Path, *, merged: bool = False) -> list[Event]:
    """Return the audible events of the strong splits, as the manifest has them; overlaps of one class joined if `merged`."""
    out: list[Event] = []
    for row in rows_of(root):
        found: list[list[Any]] = []
        for item in sorted(row["labels"], key=lambda item: (item["label"], item["onset_sample"])):
            if not item["audible"]:
                continue
            onset, offset = item["onset_sample"] / row["sr"], item["offset_sample"] / row["sr"]
            if merged and found and found[-1][2] == item["label"] and onset < found[-1][1]:
                found[-1][1] = max(found[-1][1], offset)
            else:
                found.append([onset, offset, item["label"]])
        out += [(row["clip_id"], onset, offset, label) for onset, offset, label in found]
    return out


def f1(want: list[Event], got: list[Event], within: float) -> float:
    """Return the F-score of events that are the same: clip and label equal, both times no further apart than `within`."""
    left: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for clip, onset, offset, label in want:
        left.setdefault((clip, label), []).append((onset, offset))
    hits = 0
    for clip, onset, offset, label in got:
        mine = left.get((clip, label), [])
        near = [span for span in mine if abs(span[0] - onset) <= within and abs(span[1] - offset) <= within]
        if near:
            mine.remove(min(near, key=lambda span: abs(span[0] - onset) + abs(span[1] - offset)))
            hits += 1
    return 1.0 if not want and not got else 2 * hits / (len(want) + len(got))


def judged(root: Path, read: Read) -> dict[str, Any]:
    """Return how what was read compares with the manifest."""
    want = truth(root, merged=read.merged)
    clips = {row["clip_id"] for row in rows_of(root)}
    return {
        "events": len(read.events), "of": len(want), "clips": len(read.clips), "all_clips": read.clips == clips,
        "f1": f1(want, read.events, read.within + 1e-9), "score": read.score,
    }  # fmt: skip


def stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def names(path: Path) -> dict[str, str]:
    """Return which label stands behind which word."""
    return dict(line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())


def files(root: Path, pattern: str) -> list[Path]:
    found = sorted((root / "labels").glob(pattern))
    assert found, pattern
    return found


def splits(root: Path) -> list[str]:
    return sorted({row["split"] for row in rows_of(root)})


def nan_free(value: Any) -> bool:
    return value == value


# ------------------------------------------------------------------ the readers


def read_jams(root: Path) -> Read:
    """jams: every file validates, strictly; the events of `scaper` and the classes of `tag_open` agree."""
    import jams

    events, clips = [], set()
    for row in rows_of(root):
        path = root / "labels" / "jams" / Path(row["path"]).relative_to("audio").with_suffix(".jams")
        jam = jams.load(str(path), validate=True, strict=True)
        assert jam.validate(strict=True)
        (scaper,) = jam.search(namespace="scaper")
        (tags,) = jam.search(namespace="tag_open")
        mine = [(row["clip_id"], o.time, o.time + o.duration, o.value["label"]) for o in scaper.data]
        assert sorted({event[3] for event in mine}) == [o.value for o in tags.data]
        assert jam.file_metadata.duration == row["duration"]
        events += mine
        clips.add(row["clip_id"])
    return Read(events, clips)


def read_pyannote(root: Path) -> Read:
    """pyannote.database: turns from RTTM, what was listened to from UEM."""
    from pyannote.database.util import load_rttm, load_uem

    back, events, clips = names(root / "labels/rttm/names.tsv"), [], set()
    for split in splits(root):
        for clip, turns in load_rttm(str(root / f"labels/rttm/{split}.rttm")).items():
            events += [(clip, s.start, s.end, back[name]) for s, _, name in turns.itertracks(yield_label=True)]
        clips |= set(load_uem(str(root / f"labels/rttm/{split}.uem")))
    return Read(events, clips, merged=True)


def read_pyannote_stm(root: Path) -> Read:
    """pyannote.database on STM: it looks at the speaker alone, which is the label where nobody speaks."""
    from pyannote.database.util import load_stm

    back, events = names(root / "labels/stm/names.tsv"), []
    for split in splits(root):
        for clip, turns in load_stm(str(root / f"labels/stm/{split}.stm")).items():
            events += [(clip, s.start, s.end, back[name]) for s, _, name in turns.itertracks(yield_label=True)]
    return Read(events, {row["clip_id"] for row in rows_of(root)})


def _meeteval(root: Path, kind: str) -> list[Any]:
    import meeteval

    return [line for split in splits(root) for line in meeteval.io.load(root / f"labels/{kind}/{split}.{kind}")]


def read_meeteval_rttm(root: Path) -> Read:
    """meeteval: RTTM and UEM."""
    import meeteval

    back = names(root / "labels/rttm/names.tsv")
    events = [
        (line.filename, float(line.begin_time), float(line.begin_time + line.duration), back[line.speaker_id])
        for line in _meeteval(root, "rttm")
    ]
    uem = [line for s in splits(root) for line in meeteval.io.load(root / f"labels/rttm/{s}.uem")]
    return Read(events, {line.filename for line in uem}, merged=True)


def read_meeteval_stm(root: Path) -> Read:
    """meeteval: STM, and its cpWER of the transcripts against themselves."""
    import meeteval

    lines = _meeteval(root, "stm")
    events = [(line.filename, float(line.begin_time), float(line.end_time), line.transcript) for line in lines]
    errors = 0
    for split in splits(root):
        text = meeteval.io.load(root / f"labels/stm/{split}.stm")
        errors += sum(rate.errors for rate in meeteval.wer.cpwer(text, text).values())
    return Read(events, {row["clip_id"] for row in rows_of(root)}, score=1.0 - min(1, errors))


def read_meeteval_ctm(root: Path) -> Read:
    """meeteval: CTM."""
    back = names(root / "labels/ctm/words.tsv")
    events = [
        (line.filename, float(line.begin_time), float(line.begin_time + line.duration), back[line.word])
        for line in _meeteval(root, "ctm")
    ]
    return Read(events, {row["clip_id"] for row in rows_of(root)})


def read_praatio(root: Path) -> Read:
    """praatio: TextGrid, strictly; every tier covers the clip."""
    from praatio import textgrid

    events, clips = [], set()
    for path in files(root, "textgrid/**/*.TextGrid"):
        grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=True, reportingMode="error")
        clips.add(stem(path.name))
        for tier in (grid.getTier(name) for name in grid.tierNames if name.startswith("events")):
            entries = tier.entries
            assert entries[0].start == 0
            assert entries[-1].end == grid.maxTimestamp
            assert all(a.end == b.start for a, b in zip(entries, entries[1:]))  # noqa: B905, RUF007 - Python 3.9 runs this too
            events += [(stem(path.name), e.start, e.end, e.label) for e in entries if e.label]
    return Read(events, clips)


def read_textgrid(root: Path) -> Read:
    """textgrid: another reader of TextGrid (by itself it rounds to 10 µs)."""
    import textgrid

    events, clips = [], set()
    for path in files(root, "textgrid/**/*.TextGrid"):
        clips.add(stem(path.name))
        grid = textgrid.TextGrid()
        grid.read(str(path), round_digits=6)
        for tier in grid:
            events += [
                (stem(path.name), float(i.minTime), float(i.maxTime), i.mark)
                for i in tier
                if tier.name.startswith("events") and i.mark
            ]
    return Read(events, clips)


def read_crowsetta(root: Path) -> Read:
    """crowsetta: Audacity's label tracks (it rounds to 1 ms, and refuses an empty one)."""
    import crowsetta

    events, clips = [], set()
    for path in files(root, "audacity/**/*.txt"):
        clips.add(stem(path.name))
        if path.stat().st_size:
            seq = crowsetta.Transcriber(format="aud-seq").from_file(path).to_seq()
            events += [
                (stem(path.name), float(a), float(b), str(c))
                for a, b, c in zip(seq.onsets_s, seq.offsets_s, seq.labels)  # noqa: B905
            ]
    return Read(events, clips, within=1e-3)


def read_webdataset(root: Path) -> Read:
    """webdataset: every sample is whole, its audio the file that the manifest names."""
    import webdataset

    rows = {row["clip_id"]: row for row in rows_of(root)}
    events, clips = [], set()
    for split in splits(root):
        urls = [str(path) for path in files(root, f"webdataset/{split}-*.tar")]
        for sample in webdataset.WebDataset(urls, shardshuffle=False).decode():
            clip, record = sample["__key__"], sample["json"]
            suffix = rows[clip]["path"].rsplit(".", 1)[1]
            assert hashlib.sha256(sample[suffix]).hexdigest() == rows[clip]["file_sha256"]
            events += [(clip, e["onset"], e["offset"], e["label"]) for e in record["events"] if e["audible"]]
            clips.add(clip)
    return Read(events, clips)


def read_mlcroissant(root: Path) -> Read:
    """mlcroissant: the description validates, the records are read."""
    import mlcroissant

    dataset = mlcroissant.Dataset(str(root / "labels/croissant/metadata.json"))
    assert not dataset.metadata.ctx.issues.errors
    strong = [r for r in dataset.records("clips") if r["clips/supervision"] == b"strong"]
    events = [
        (stem(r["events/file_name"].decode()), r["events/onset"], r["events/offset"], r["events/label"].decode())
        for r in dataset.records("events")
    ]
    classes = {(stem(r["tags/file_name"].decode()), r["tags/label"].decode()) for r in dataset.records("tags")}
    assert {(clip, label) for clip, _, _, label in events} <= classes
    return Read(events, {stem(r["clips/file_name"].decode()) for r in strong})


def _hub(found: Any, root: Path, *, audio: bool) -> Read:
    import datasets

    rows = {row["clip_id"]: row for row in rows_of(root)}
    events, clips = [], set()
    for split in splits(root):
        table = found[split]
        assert isinstance(table.features["audio"], datasets.Audio)
        for item in table.cast_column("audio", datasets.Audio(decode=False)):
            clips.add(item["clip_id"])
            if audio:
                assert hashlib.sha256(item["audio"]["bytes"]).hexdigest() == rows[item["clip_id"]]["file_sha256"]
            mine, classes = (item[key] if audio else json.loads(item[key]) for key in ("events", "labels"))
            events += [(item["clip_id"], e["onset"], e["offset"], e["label"]) for e in mine]
            assert sorted({e["label"] for e in mine}) == classes
    return Read(events, clips)


def read_datasets_parquet(root: Path) -> Read:
    """datasets: the Parquet files by their card, with audio, features and every split under its own name."""
    import datasets

    cache = root.parent / "hf-cache"
    found = datasets.load_dataset(str(root / "labels/parquet"), cache_dir=str(cache))
    head = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
    assert {split: len(table) for split, table in found.items()} == head["splits"]
    for split, tells in head["supervision"].items():
        assert all((e is None) == (tells != "strong") for e in found[split]["events"])
        assert all((e is None) == (tells == "none") for e in found[split]["labels"])
    return _hub(found, root, audio=True)


def read_datasets_audiofolder(root: Path) -> Read:
    """datasets: the AudioFolder (a version before 4, which needs no torch to decode)."""
    import datasets

    cache = root.parent / "hf-cache"
    found = datasets.load_dataset(str(root / "labels/audiofolder"), cache_dir=str(cache))
    head = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
    assert {split: len(table) for split, table in found.items()} == head["splits"]
    for split, tells in head["supervision"].items():
        assert all((json.loads(e) is None) == (tells != "strong") for e in found[split]["events"])
    first = found[splits(root)[0]][0]["audio"]
    assert first["array"].shape[-1] == rows_of(root)[0]["n_samples"]
    return _hub(found, root, audio=False)


def read_pyarrow(root: Path) -> Read:
    """pyarrow: the same files without the library that they are made for."""
    import pyarrow.parquet

    rows = {row["clip_id"]: row for row in rows_of(root)}
    events, clips = [], set()
    for split in splits(root):
        for path in files(root, f"parquet/{split}-*.parquet"):
            for item in pyarrow.parquet.read_table(path).to_pylist():
                clips.add(item["clip_id"])
                assert hashlib.sha256(item["audio"]["bytes"]).hexdigest() == rows[item["clip_id"]]["file_sha256"]
                events += [(item["clip_id"], e["onset"], e["offset"], e["label"]) for e in item["events"]]
    return Read(events, clips)


def read_pandas_csv(root: Path) -> Read:
    """pandas: the CSV by its own defaults."""
    import pandas

    frames = [pandas.read_csv(root / f"labels/csv/{split}.csv") for split in splits(root)]
    frame = pandas.concat(frames)
    found = frame.dropna(subset=["onset"])
    events = list(zip(map(stem, found.file_name), found.onset, found.offset, map(str, found.label)))  # noqa: B905
    return Read(events, set(map(stem, frame.file_name)))


def read_pandas_audioset(root: Path) -> Read:
    """pandas: AudioSet's strong labels and segments, the latter as its readers take them (three lines skipped)."""
    import pandas

    base, events, clips = root / "labels/audioset", [], set()
    shown = pandas.read_csv(base / "mid_to_display_name.tsv", sep="\t", header=None, quoting=csv.QUOTE_NONE)
    back = dict(zip(shown[0], map(str, shown[1])))  # noqa: B905
    for split in splits(root):
        frame = pandas.read_csv(base / f"{split}_strong.tsv", sep="\t")
        segments = pandas.read_csv(
            base / f"{split}_segments.csv", skiprows=3, header=None, quotechar='"', skipinitialspace=True
        )
        clips |= set(segments[0])
        for name, onset, offset, mid in frame.itertuples(index=False, name=None):
            clip, start = name.rsplit("_", 1)
            assert start == "0"
            events.append((clip, onset, offset, back[mid]))
        for clip, _, _, mids in segments.itertuples(index=False, name=None):
            mine = {mid for name, _, _, mid in frame.itertuples(index=False, name=None) if name == f"{clip}_0"}
            assert set(mids.split(",") if nan_free(mids) else ()) == mine
    return Read(events, clips, within=1e-3)


def read_soundata(root: Path) -> Read:
    """soundata: ESC-50's table, read as its own; only of a set with one class a clip."""
    import soundata

    home = root.parent / "esc50"
    (home / "meta").mkdir(parents=True, exist_ok=True)
    (home / "meta" / "esc50.csv").write_bytes((root / "labels/esc50/meta/esc50.csv").read_bytes())
    table = soundata.initialize("esc50", data_home=str(home))._metadata
    rows = {row["path"].removeprefix("audio/"): row for row in rows_of(root)}
    events = []
    for name, item in table.items():
        row = rows[name] if name in rows else next(r for n, r in rows.items() if stem(n) == stem(name))
        labels = [x for x in row["labels"] if x["audible"]]
        assert 1 <= int(item["fold"]) <= 5
        assert item["category"] == (labels[0]["label"] if labels else "silence")
        events += [
            (row["clip_id"], x["onset_sample"] / row["sr"], x["offset_sample"] / row["sr"], item["category"])
            for x in labels
        ]
    return Read(events, {stem(name) for name in table})


def read_sed_eval(root: Path) -> Read:
    """sed_eval: the strong table (ASCII alone), and its event-based F1 of the labels against themselves."""
    import sed_eval

    events, clips, score = [], set(), 1.0
    for split in splits(root):
        found = sed_eval.io.load_event_list(str(root / f"labels/desed/{split}.tsv"))
        mine = [(stem(e.filename), e.onset, e.offset, str(e.event_label)) for e in found if e.event_label]
        clips |= {stem(e.filename) for e in found}
        labels = sorted({event[3] for event in mine})
        metrics = sed_eval.sound_event.EventBasedMetrics(event_label_list=labels, t_collar=0.2)
        for name in sorted({e.filename for e in found if e.event_label}):
            own = found.filter(filename=name).filter(event_list=labels)
            metrics.evaluate(reference_event_list=own, estimated_event_list=own)
        score = min(score, metrics.results_overall_metrics()["f_measure"]["f_measure"])
        events += mine
    return Read(events, clips, within=1e-3, merged=True, score=score)


def read_sed_scores_eval(root: Path) -> Read:
    """sed_scores_eval: truth and durations of every clip; PSDS of scores that say the truth."""
    import numpy as np
    import sed_scores_eval
    from sed_scores_eval.base_modules.scores import create_score_dataframe

    events, clips, score = [], set(), 1.0
    for split in splits(root):
        base = root / "labels/desed"
        found = sed_scores_eval.io.read_ground_truth_events(base / f"{split}.tsv")
        durations = sed_scores_eval.io.read_audio_durations(base / f"{split}_durations.tsv")
        assert set(durations) == set(found)
        clips |= {stem(name + ".x") for name in found}
        events += [(stem(name + ".x"), *event) for name, own in found.items() for event in own]
        classes = sorted({event[2] for own in found.values() for event in own})
        scores = {}
        for name, own in found.items():
            times = sorted({0.0, durations[name], *(t for a, b, _ in own for t in (a, b))})
            says = [[float(any(a <= t < b for a, b, c in own if c == k)) for k in classes] for t in times[:-1]]
            scores[name] = create_score_dataframe(np.array(says), np.array(times), classes)
        value = sed_scores_eval.intersection_based.psds(
            scores, found, durations, dtc_threshold=0.7, gtc_threshold=0.7, cttc_threshold=None, alpha_ct=0, alpha_st=0
        )[0]
        score = min(score, float(value))
    return Read(events, clips, within=1e-3, merged=True, score=score)


def read_psds_eval(root: Path) -> Read:
    """psds_eval: PSDS of the labels against themselves; it refuses overlaps of one class and raises on reversed times."""
    import pandas
    import psds_eval

    events, clips, score = [], set(), 1.0
    for split in splits(root):
        frame = pandas.read_csv(root / f"labels/desed/{split}.tsv", sep="\t", dtype={"event_label": str})
        durations = pandas.read_csv(root / f"labels/desed/{split}_durations.tsv", sep="\t")
        clips |= set(map(stem, frame.filename)) & set(map(stem, durations.filename))
        found = frame.dropna()
        events += list(zip(map(stem, found.filename), found.onset, found.offset, found.event_label))  # noqa: B905
        judge = psds_eval.PSDSEval(ground_truth=frame, metadata=durations, dtc_threshold=0.7, gtc_threshold=0.7)
        judge.add_operating_point(found)
        score = min(score, judge.psds(max_efpr=100, alpha_ct=0, alpha_st=0).value)
    return Read(events, clips, within=1e-3, merged=True, score=score)


READERS = {
    "jams": read_jams,
    "pyannote.database": read_pyannote,
    "pyannote.database stm": read_pyannote_stm,
    "meeteval rttm": read_meeteval_rttm,
    "meeteval stm": read_meeteval_stm,
    "meeteval ctm": read_meeteval_ctm,
    "praatio": read_praatio,
    "textgrid": read_textgrid,
    "crowsetta": read_crowsetta,
    "webdataset": read_webdataset,
    "mlcroissant": read_mlcroissant,
    "datasets parquet": read_datasets_parquet,
    "datasets audiofolder": read_datasets_audiofolder,
    "pyarrow": read_pyarrow,
    "pandas csv": read_pandas_csv,
    "pandas audioset": read_pandas_audioset,
    "soundata": read_soundata,
    "sed_eval": read_sed_eval,
    "sed_scores_eval": read_sed_scores_eval,
    "psds_eval": read_psds_eval,
}
"""By distribution, and format where one distribution reads several."""


def counted(labels: list[Event]) -> dict[str, int]:
    """Return the number of events per label, for messages."""
    return dict(Counter(label for _, _, _, label in labels))


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    begun = time.perf_counter()
    found = judged(folder, READERS[name](folder))
    found["seconds"] = round(time.perf_counter() - begun, 2)
    found["version"] = version(name.split()[0])
    print(json.dumps(found))
