"""Label files parsed by hand after their written specifications: no reader of the field, nothing of ours."""

from __future__ import annotations

import csv
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Event = tuple[str, float, float, str]


def stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def lines(folder: Path, pattern: str) -> Iterator[tuple[Path, str]]:
    """Yield every line of the files of a pattern; lines end with a line feed, the last one too."""
    for path in sorted(folder.glob(pattern)):
        text = path.read_bytes().decode("utf-8")
        assert not text or text.endswith("\n")
        assert "\r" not in text
        yield from ((path, line) for line in text.split("\n")[:-1])


def tokens(path: Path) -> dict[str, str]:
    return dict(line.split("\t") for _, line in lines(path.parent, path.name))


def desed(folder: Path) -> list[Event]:
    """DCASE: filename, onset, offset, event_label, tab-separated; a clip without events has three blank fields."""
    found = []
    for path, line in lines(folder, "desed/*.tsv"):
        fields = line.split("\t")
        if len(fields) == 4 and fields[0] != "filename" and fields[3]:
            assert re.fullmatch(r"\d+\.\d{3}", fields[1]), path
            found.append((stem(fields[0]), float(fields[1]), float(fields[2]), fields[3]))
    return found


def audioset(folder: Path) -> list[Event]:
    """AudioSet strong: segment_id is the id and the start in ms, joined by the last underscore; label a MID."""
    back = tokens(folder / "audioset" / "mid_to_display_name.tsv")
    found = []
    for _, line in lines(folder, "audioset/*_strong.tsv"):
        segment, onset, offset, mid = line.split("\t")
        if segment == "segment_id":
            assert line == "segment_id\tstart_time_seconds\tend_time_seconds\tlabel"
            continue
        clip, start = segment.rsplit("_", 1)
        assert start == "0"
        assert re.fullmatch(r"\d+\.\d{3} \d+\.\d{3}", f"{onset} {offset}")
        found.append((clip, float(onset), float(offset), back[mid]))
    return found


def jams(folder: Path) -> list[Event]:
    """JAMS: annotations of a namespace, each a list of observations with time, duration, value and confidence."""
    found = []
    for path in sorted(folder.glob("jams/**/*.jams")):
        tree = json.loads(path.read_text(encoding="utf-8"))
        assert set(tree) == {"annotations", "file_metadata", "sandbox"}
        assert re.fullmatch(r"[0-9].[0-9].[0-9]", tree["file_metadata"]["jams_version"])
        for annotation in tree["annotations"]:
            assert {"annotation_metadata", "data", "namespace"} <= set(annotation)
            for item in annotation["data"]:
                assert set(item) == {"time", "duration", "value", "confidence"}
                assert 0 <= item["time"] < item["time"] + item["duration"] <= tree["file_metadata"]["duration"] + 1e-6
                if annotation["namespace"] == "scaper":
                    value = item["value"]
                    assert (value["event_time"], value["event_duration"]) == (item["time"], item["duration"])
                    assert isinstance(value.get("snr", 0.0), float)
                    found.append((stem(path.name), item["time"], item["time"] + item["duration"], value["label"]))
    return found


def rttm(folder: Path) -> list[Event]:
    """RTTM: ten fields between single blanks; UEM: four; no turn outside what was listened to."""
    back, found = tokens(folder / "rttm" / "names.tsv"), []
    heard = {line.split(" ")[0]: line.split(" ") for _, line in lines(folder, "rttm/*.uem")}
    for _, line in lines(folder, "rttm/*.rttm"):
        kind, clip, channel, onset, duration, *rest = line.split(" ")
        assert (kind, channel, len(rest)) == ("SPEAKER", "1", 5)
        assert [rest[i] for i in (0, 1, 3, 4)] == ["<NA>"] * 4
        end = float(onset) + float(duration)
        assert heard[clip][1:3] == ["1", "0.000000"]
        assert end <= float(heard[clip][3]) + 1e-9
        found.append((clip, float(onset), end, back[rest[2]]))
    return found


def stm(folder: Path) -> list[Event]:
    """STM: file, channel, speaker, begin, end, then the transcript to the end of the line."""
    found = []
    for _, line in lines(folder, "stm/*.stm"):
        clip, channel, _, onset, offset, text = line.split(" ", 5)
        assert channel == "1"
        found.append((clip, float(onset), float(offset), text))
    return found


def ctm(folder: Path) -> list[Event]:
    """CTM: file, channel, begin, duration, word, confidence; in order of file and time."""
    back, found = tokens(folder / "ctm" / "words.tsv"), []
    for _, line in lines(folder, "ctm/*.ctm"):
        clip, channel, onset, duration, word, confidence = line.split(" ")
        assert (channel, confidence) == ("1", "1.00")
        assert not found or found[-1][0] != clip or found[-1][1] <= float(onset)
        found.append((clip, float(onset), float(onset) + float(duration), back[word]))
    return found


def textgrid(folder: Path) -> list[Event]:
    """TextGrid, long form: numbered items and intervals, as many as their sizes say; every tier covers the file."""
    found = []
    for path in sorted(folder.glob("textgrid/**/*.TextGrid")):
        text = path.read_text(encoding="utf-8")
        head, *items = re.split(r"^    item \[(?:\d+)\]:\n", text, flags=re.MULTILINE)
        match = re.fullmatch(
            r'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\.0+\nxmax = (\S+)\ntiers\? <exists>\nsize = (\d+)\nitem \[\]:\n', head
        )  # fmt: skip
        assert match, head
        assert int(match[2]) == len(items)
        for item in items:
            top, *intervals = re.split(r"^        intervals \[(?:\d+)\]:\n", item, flags=re.MULTILINE)
            name, size = re.search(r'name = "(.*)"', top)[1], re.search(r"size = (\d+)", top)[1]
            assert int(size) == len(intervals)
            at = "0.000000"
            for interval in intervals:
                part = re.fullmatch(
                    r'            xmin = (\S+)\n            xmax = (\S+)\n            text = "(.*)"\n', interval
                )
                assert part, interval
                assert part[1] == at
                assert not re.search('(?<!")"(?!")', part[3].replace('""', ""))
                at = part[2]
                if name.startswith("events") and part[3]:
                    found.append((stem(path.name), float(part[1]), float(at), part[3].replace('""', '"')))
            assert at == match[1]
    return found


def comma(folder: Path) -> list[Event]:
    """CSV after RFC 4180: a header, as many fields in every record."""
    found = []
    for path in sorted(folder.glob("csv/*.csv")):
        head, *records = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        assert {len(record) for record in records} <= {len(head)}
        for record in (dict(zip(head, r, strict=True)) for r in records):
            if record.get("onset"):
                times = float(record["onset"]), float(record["offset"])
                found.append((stem(record["file_name"]), *times, record["label"]))
    return found


def webdataset(folder: Path) -> list[Event]:
    """WebDataset: consecutive members that agree up to the first dot are one sample."""
    found = []
    for path in sorted(folder.glob("webdataset/*.tar")):
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            keys = [m.name.split(".", 1)[0] for m in members]
            assert keys[::2] == keys[1::2]
            assert len(set(keys)) == len(keys) // 2
            for member in members[1::2]:
                assert member.name.endswith(".json")
                record = json.load(tar.extractfile(member))
                found += [
                    (record["clip_id"], e["onset"], e["offset"], e["label"])
                    for e in record.get("events", ())
                    if e["audible"]
                ]
    return found


def audiofolder(folder: Path) -> list[Event]:
    """AudioFolder: metadata.jsonl, whose file_name is relative to it."""
    found = []
    for path, line in lines(folder, "audiofolder/*/metadata.jsonl"):
        record = json.loads(line)
        assert (path.parent / record["file_name"]).is_file()
        events = json.loads(record["events"])
        found += [(record["clip_id"], e["onset"], e["offset"], e["label"]) for e in events or ()]
    return found


def parquet(folder: Path) -> list[Event]:
    """Parquet: what the columns hold."""
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra `parquet`)")
    records = [r for path in sorted(folder.glob("parquet/*.parquet")) for r in pq.read_table(path).to_pylist()]
    return [(r["clip_id"], e["onset"], e["offset"], e["label"]) for r in records for e in r["events"] or ()]


def croissant(folder: Path) -> list[Event]:
    """Croissant: the record set `events`, by the columns that its fields name."""
    tree = json.loads((folder / "croissant" / "metadata.json").read_text(encoding="utf-8"))
    (events,) = [r for r in tree["recordSet"] if r["name"] == "events"]
    columns = {f["name"]: f["source"]["extract"]["column"] for f in events["field"]}
    text = (folder / "croissant" / events["field"][0]["source"]["fileObject"]["@id"]).read_text(encoding="utf-8")
    return [
        (stem(r[columns["file_name"]]), float(r[columns["onset"]]), float(r[columns["offset"]]), r[columns["label"]])
        for r in csv.DictReader(io.StringIO(text))
    ]


def audacity(folder: Path) -> list[Event]:
    """Audacity: onset, offset, label, tab-separated."""
    split = ((path, line.split("\t")) for path, line in lines(folder, "audacity/**/*.txt"))
    return [(stem(path.name), float(a), float(b), label) for path, (a, b, label) in split]


def jsonl(folder: Path) -> list[Event]:
    """JSON lines: an object a line."""
    records = [json.loads(line) for _, line in lines(folder, "jsonl/*.jsonl")]
    return [
        (stem(r["file_name"]), e["onset"], e["offset"], e["label"])
        for r in records
        for e in r.get("events", ())
        if e["audible"]
    ]


PARSERS: dict[str, Callable[[Path], list[Event]]] = {
    "desed": desed, "audioset": audioset, "jams": jams, "rttm": rttm, "stm": stm, "ctm": ctm, "textgrid": textgrid,
    "csv": comma, "webdataset": webdataset, "audiofolder": audiofolder, "parquet": parquet, "croissant": croissant,
    "audacity": audacity, "jsonl": jsonl,
}  # fmt: skip
"""By exporter; each gives the events that can be heard."""
MERGED = ("desed", "rttm")
"""Those that join overlapping events of one class."""
WITHIN = {"desed": 1e-3, "audioset": 1e-3}
"""Seconds that times may be off, where it is not 1 µs."""
