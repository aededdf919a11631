"""Speech corpora that the tests write for themselves, each after the rules of its own format."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from material import noise, write_wav

SR = 8000


class Said(NamedTuple):
    """An utterance as the tests know it; `start` and `end` in seconds of its file."""

    id: str
    file: str
    text: str
    speaker: str
    start: float = 0.0
    end: float | None = None
    language: str = "en"
    words: tuple[tuple[float, float, str], ...] = ()


WHOLE = (
    Said("84-121-0001", "84-121-0001.wav", "HELLO WORLD", "84", words=((0.1, 0.3, "HELLO"), (0.35, 0.6, "WORLD"))),
    Said("84-121-0002", "84-121-0002.wav", 'IT\'S "QUOTED", SHE SAID', "84"),
    Said("777-9-0000", "777-9-0000.wav", "ÉTÉ À LA MER", "777"),
)
"""Three utterances, each a file."""
CUT = (
    Said("ann-call-1", "call.wav", "GOOD MORNING", "ann", 0.1, 0.5),
    Said("ann-call-2", "call.wav", "FINE THANKS", "ann", 0.75, 1.1),
    Said("bob-call-1", "call.wav", "HOW ARE YOU", "bob", 0.4, 0.8125),
)
"""Three utterances of one file, two of them overlapping."""


def sounds(folder: Path, said: Sequence[Said]) -> dict[str, np.ndarray]:
    """Write the files of some utterances, noise of 0.7 to 1.2 s; returns their samples by name."""
    found = {}
    for k, name in enumerate(sorted({one.file for one in said})):
        y = noise(1.2 if name == "call.wav" else 0.7 + 0.1 * k, SR, seed=k + 1)
        write_wav(folder / name, y, SR)
        found[name] = np.clip(np.rint(y * 32768), -32768, 32767) / 32768
    return found


def length(folder: Path, one: Said) -> int:
    """Return the samples of an utterance's file."""
    return ((folder / one.file).stat().st_size - 44) // 2


def span(folder: Path, one: Said) -> tuple[float, float]:
    """Return start and end of an utterance in seconds."""
    return one.start, length(folder, one) / SR if one.end is None else one.end


def put(path: Path, text: str) -> Path:
    """Write a text, packed where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def lines(path: Path, records: Sequence[Any]) -> Path:
    """Write JSON lines."""
    return put(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))


def kaldi(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write a data directory: sorted, ids of recordings beside those of utterances only where there are segments."""
    folder, cut = root / "data" / "all", any(one.end is not None for one in said)
    said = sorted(said, key=lambda one: one.id.encode())
    waves = {one.file.removesuffix(".wav") if cut else one.id: one.file for one in said}
    put(folder / "wav.scp", "".join(f"{key} {file}\n" for key, file in sorted(waves.items())))
    if cut:
        rows = [f"{one.id} {one.file.removesuffix('.wav')} {one.start} {one.end}\n" for one in said]
        put(folder / "segments", "".join(rows))
    put(folder / "text", "".join(f"{one.id} {one.text}\n" for one in said))
    put(folder / "utt2spk", "".join(f"{one.id} {one.speaker}\n" for one in said))
    put(folder / "utt2lang", "".join(f"{one.id} {one.language}\n" for one in said))
    put(folder / "spk2gender", "".join(f"{name} f\n" for name in sorted({one.speaker for one in said})))
    marks = [f"{one.id} 1 {a} {b - a:.3f} {word} 1.0\n" for one in said for a, b, word in one.words]
    if marks:
        put(folder / "ctm", "".join(marks))
    return {"layout": "kaldi", "folder": "data/all"}


def recording(folder: Path, one: Said) -> dict[str, Any]:
    """Return what lhotse says of a file."""
    n = length(folder, one)
    sources = [{"type": "file", "channels": [0], "source": one.file}]
    name = one.file.removesuffix(".wav")
    return {
        "id": name,
        "sources": sources,
        "sampling_rate": SR,
        "num_samples": n,
        "duration": n / SR,
        "channel_ids": [0],
    }


def supervision(folder: Path, one: Said, shift: float = 0.0) -> dict[str, Any]:
    """Return what lhotse says of an utterance, from `shift` on."""
    start, end = span(folder, one)
    record = {
        "id": one.id, "recording_id": one.file.removesuffix(".wav"), "start": start - shift, "duration": end - start,
        "channel": 0, "text": one.text, "language": one.language, "speaker": one.speaker, "custom": {"take": 3},
    }  # fmt: skip
    if one.words:
        record["alignment"] = {"word": [[w, start - shift + a, b - a, 0.9] for a, b, w in one.words]}
    return record


def lhotse(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write recordings and supervisions, packed."""
    recordings = {one.file: recording(root, one) for one in said}
    lines(root / "m" / "recordings.jsonl.gz", list(recordings.values()))
    lines(root / "m" / "supervisions.jsonl.gz", [supervision(root, one) for one in said])
    return {"layout": "lhotse", "manifest": ["m/recordings.jsonl.gz", "m/supervisions.jsonl.gz"]}


def lhotse_cuts(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write cuts around each utterance, 0.05 s longer at both ends where there is room."""
    records = []
    for one in said:
        start, end = span(root, one)
        begin = max(0.0, start - 0.05)
        records.append(
            {
                "id": f"cut-{one.id}", "start": begin, "duration": min(end + 0.05, length(root, one) / SR) - begin, "channel": 0,
                "supervisions": [supervision(root, one, begin)], "recording": recording(root, one), "type": "MonoCut",
            }
        )  # fmt: skip
    lines(root / "cuts.jsonl", records)
    return {"layout": "lhotse", "manifest": "cuts.jsonl"}


def nemo(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write a manifest; `id` is a field of ours, as NeMo carries any."""
    records = []
    for one in said:
        start, end = span(root, one)
        record = {
            "audio_filepath": str(root / one.file), "duration": end - start, "text": one.text, "speaker": one.speaker,
            "lang": one.language, "id": one.id,
        }  # fmt: skip
        records.append(record if one.end is None else {**record, "offset": start})
    lines(root / "train_manifest.json", records)
    return {"layout": "nemo", "manifest": "train_manifest.json"}


def speechbrain_csv(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write a CSV with start and stop in samples where files are cut."""
    with (root / "train.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        cut = any(one.end is not None for one in said)
        table.writerow(["ID", "duration", "wav", *(["start", "stop"] if cut else []), "spk_id", "wrd", "language"])
        for one in said:
            start, end = span(root, one)
            place = [round(start * SR), round(end * SR)] if cut else []
            table.writerow([one.id, end - start, f"$data_root/{one.file}", *place, one.speaker, one.text, one.language])
    return {"layout": "speechbrain", "manifest": "train.csv"}


def speechbrain_json(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write a JSON file as SpeechBrain's recipes do."""
    tree = {}
    for one in said:
        start, end = span(root, one)
        wav: Any = f"{{data_root}}/{one.file}"
        if one.end is not None:
            wav = {"file": wav, "start": round(start * SR), "stop": round(end * SR)}
        tree[one.id] = {
            "wav": wav,
            "length": end - start,
            "spk_id": one.speaker,
            "words": one.text,
            "lang": one.language,
        }
    put(root / "train.json", json.dumps(tree, indent=2))
    return {"layout": "speechbrain", "manifest": "train.json"}


def audiofolder(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write metadata.csv beside the files."""
    with (root / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "transcription", "speaker_id", "language"])
        table.writerows([one.file, one.text, one.speaker, one.language] for one in said)
    return {"layout": "audiofolder"}


def commonvoice(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write train.tsv, without quoting, and move the clips to clips/."""
    (root / "clips").mkdir()
    head = ["client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender", "accents", "locale", "segment"]
    rows = [[one.speaker, one.file, one.text, "2", "0", "", "", "", one.language, ""] for one in said]
    put(root / "train.tsv", "".join("\t".join(row) + "\n" for row in (head, *rows)))
    for one in said:
        (root / one.file).rename(root / "clips" / one.file)
    return {"layout": "commonvoice", "manifest": "train.tsv"}


def librispeech(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write dev/SPEAKER/CHAPTER with a .trans.txt in each, and SPEAKERS.TXT."""
    chapters: dict[str, list[Said]] = {}
    for one in said:
        speaker, chapter, _ = one.id.split("-")
        place = root / "dev" / speaker / chapter
        place.mkdir(parents=True, exist_ok=True)
        (root / one.file).rename(place / one.file)
        chapters.setdefault(f"dev/{speaker}/{chapter}/{speaker}-{chapter}.trans.txt", []).append(one)
    for path, found in chapters.items():
        put(root / path, "".join(f"{one.id} {one.text}\n" for one in found))
    people = sorted({one.speaker for one in said})
    put(
        root / "SPEAKERS.TXT",
        ";ID |SEX| SUBSET |MINUTES| NAME\n" + "".join(f"{p} | F | dev | 1.0 | A B\n" for p in people),
    )
    return {"layout": "librispeech"}


def table_tsv(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write a table of tabs with names of its own."""
    with (root / "t.tsv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, delimiter="\t")
        table.writerow(["utt", "wav", "from", "to", "text", "speaker", "language"])
        for one in said:
            start, end = span(root, one)
            table.writerow([one.id, one.file, start, end, one.text, one.speaker, one.language])
    return {"table": "t.tsv", "columns": {"id": "utt", "path": "wav", "start": "from", "end": "to"}}


def table_jsonl(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write JSON lines, words among them."""
    records = []
    for one in said:
        start, end = span(root, one)
        record = {"id": one.id, "path": one.file, "start": start, "end": end, "text": one.text, "speaker": one.speaker}
        records.append({**record, "language": one.language, **({"words": one.words} if one.words else {})})
    lines(root / "t.jsonl", records)
    return {"table": "t.jsonl", "columns": {"start": "start", "end": "end"}}


def rttm(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write the turns of the recordings."""
    rows = []
    for one in said:
        start, end = span(root, one)
        rows.append(
            f"SPEAKER {one.file.removesuffix('.wav')} 1 {start} {end - start:.6f} <NA> <NA> {one.speaker} <NA> <NA>\n"
        )
    put(root / "all.rttm", "".join(rows))
    return {"layout": "rttm", "manifest": "all.rttm"}


def lhotse_shar(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write shards of two cuts as lhotse's writer does: the audio of a cut alone, from 0 on, and what it is behind it."""
    for number in range(0, len(said), 2):
        records, shard = [], root / "shar" / f"{number // 2:06d}"
        with _tar(root / "shar" / f"recording.{shard.name}.tar") as tar:
            for one in said[number : number + 2]:
                start, end = span(root, one)
                data = _wav(root / one.file, round(start * SR), round(end * SR))
                heard = {**recording(root, one), "num_samples": round((end - start) * SR), "duration": end - start}
                heard["sources"] = [{"type": "shar", "channels": [0], "source": ""}]
                _member(tar, f"cut-{one.id}.wav", data)
                _member(tar, f"cut-{one.id}.json", json.dumps(heard).encode())
                records.append(
                    {
                        "id": f"cut-{one.id}", "start": 0, "duration": end - start, "channel": 0, "recording": heard,
                        "supervisions": [supervision(root, one, start)], "type": "MonoCut",
                    }
                )  # fmt: skip
        lines(root / "shar" / f"cuts.{shard.name}.jsonl.gz", records)
    return {"layout": "lhotse_shar", "folder": "shar"}


def parquet(root: Path, said: Sequence[Said]) -> dict[str, Any]:
    """Write two files, in row groups of one row, of the last row only the path of its audio."""
    import pyarrow
    import pyarrow.parquet

    def row(one: Said) -> dict[str, Any]:
        audio = {"bytes": (root / one.file).read_bytes(), "path": one.file}
        if one == said[-1]:
            audio["bytes"] = None
        return {"audio": audio, "sentence": one.text, "speaker_id": one.speaker, "lang": one.language, "take": 3}

    for k, part in enumerate((said[:2], said[2:])):
        table = pyarrow.Table.from_pylist([row(one) for one in part])
        pyarrow.parquet.write_table(table, root / f"train-{k:05d}-of-00002.parquet", row_group_size=1)
    return {"layout": "parquet"}


def _tar(path: Path) -> tarfile.TarFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    return tarfile.open(path, "w")


def _member(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def _wav(path: Path, first: int, last: int) -> bytes:
    """Return a stretch of a 16-bit file of one channel as a file of its own."""
    out = io.BytesIO()
    with wave.open(str(path)) as whole, wave.open(out, "wb") as part:
        part.setparams(whole.getparams())
        whole.setpos(first)
        part.writeframes(whole.readframes(last - first))
    return out.getvalue()


Writer = Callable[[Path, Sequence[Said]], dict[str, Any]]
SEGMENTED: dict[str, Writer] = {
    f.__name__: f
    for f in (kaldi, lhotse, lhotse_cuts, lhotse_shar, nemo, speechbrain_csv, speechbrain_json, table_tsv, table_jsonl)
}
"""Formats whose utterances may be parts of files."""
WRITERS: dict[str, Writer] = {**SEGMENTED, **{f.__name__: f for f in (audiofolder, commonvoice, librispeech, parquet)}}
"""Formats that tell texts."""
