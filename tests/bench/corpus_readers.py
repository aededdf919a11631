"""Read with the field's own readers what we write, and with ours what its own writers write.

    python tests/bench/corpus_readers.py --peer PYTHON [--peer PYTHON …]

Each PYTHON is the interpreter of an environment with any of lhotse, datasets, speechbrain, kaldiio, pyannote.database and meeteval in it, and
nothing of ours; what it has is tried. Two sets are built from corpora that the tests write: two replicas of three utterances under
noise, and a conversation of three utterances in one clip. For each reader one line says how many utterances it found of how many
there are, by how much durations are off at most (s), and whether texts, speakers and samples are equal. Last, lhotse writes the same
corpora with its own functions (manifests, cuts, a Kaldi directory, shards), and the line says what a catalogue of ours reads of them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__)
sys.path.insert(0, str(HERE.parents[1]))
SR = 8000
Found = dict[str, dict[str, Any]]
"""What a reader knows of each utterance: seconds, text, speaker, sha256 of its 16-bit samples, as far as it tells."""


# ------------------------------------------------------------------------------- in the environment of a peer


def digest(y: Any) -> str:
    """Return the hash of samples within ±1 as 16-bit integers."""
    import hashlib

    import numpy as np

    return hashlib.sha256(
        np.rint(np.asarray(y, dtype=np.float64).reshape(-1) * 32768).astype("<i2").tobytes()
    ).hexdigest()


def of_cuts(cuts: Any) -> Found:
    """Return the supervisions of lhotse's cuts, with what is heard in each."""
    found = {}
    for cut in cuts:
        for one in cut.trim_to_supervisions(keep_overlapping=False):
            (said,) = one.supervisions
            words = [[w.symbol, round(w.start, 6), round(w.end, 6)] for w in (said.alignment or {}).get("word", ())]
            found[said.id] = {
                "seconds": said.duration, "text": said.text, "speaker": said.speaker, "sound": digest(one.load_audio()), "words": words,
            }  # fmt: skip
    return found


def lhotse_cuts(root: Path) -> Found:
    """Read cuts, and validate them with their audio."""
    from lhotse import CutSet, validate

    cuts = CutSet.from_jsonl(root / "labels/lhotse/train/cuts.jsonl.gz").with_recording_path_prefix(root).to_eager()
    validate(cuts, read_data=True)
    return of_cuts(cuts)


def lhotse_supervisions(root: Path) -> Found:
    """Read recordings and supervisions, and validate them together."""
    from lhotse import CutSet, RecordingSet, SupervisionSet, validate_recordings_and_supervisions

    base = root / "labels/lhotse/train"
    recordings = RecordingSet.from_jsonl(base / "recordings.jsonl.gz").with_path_prefix(root).to_eager()
    supervisions = SupervisionSet.from_jsonl(base / "supervisions.jsonl.gz").to_eager()
    validate_recordings_and_supervisions(recordings, supervisions)
    return of_cuts(CutSet.from_manifests(recordings=recordings, supervisions=supervisions))


def lhotse_shar(root: Path) -> Found:
    """Read shards."""
    from lhotse import CutSet

    return of_cuts(CutSet.from_shar(in_dir=root / "labels/lhotse_shar/train"))


def lhotse_kaldi(root: Path) -> Found:
    """Read a Kaldi directory; its paths are below the dataset's folder."""
    import os

    from lhotse import CutSet
    from lhotse.kaldi import load_kaldi_data_dir

    os.chdir(root)
    recordings, supervisions, _ = load_kaldi_data_dir(root / "labels/kaldi/train", sampling_rate=SR)
    return of_cuts(CutSet.from_manifests(recordings=recordings, supervisions=supervisions))


def speechbrain_csv(root: Path) -> Found:
    """Read a CSV as a DynamicItemDataset does."""
    from speechbrain.dataio.dataio import load_data_csv

    return _speechbrain(load_data_csv(str(root / "labels/speechbrain/train.csv"), {"data_root": str(root)}))


def speechbrain_json(root: Path) -> Found:
    """Read a JSON file as a DynamicItemDataset does."""
    from speechbrain.dataio.dataio import load_data_json

    return _speechbrain(load_data_json(str(root / "labels/speechbrain/train.json"), {"data_root": str(root)}))


def _speechbrain(items: dict[str, Any]) -> Found:
    from speechbrain.dataio.dataio import read_audio

    found = {}
    for name, item in items.items():
        place = item["wav"]
        if not isinstance(place, dict):
            place = {"file": place, "start": int(item["start"]), "stop": int(item["stop"])}
        told = {"seconds": float(item["duration"]), "text": item["wrd"], "speaker": item["spk_id"]}
        found[name] = {**told, "sound": digest(read_audio(place).numpy())}
    return found


def kaldiio_scp(root: Path) -> Found:
    """Read the sound of a Kaldi directory."""
    import os

    import kaldiio

    base = root / "labels/kaldi/train"
    os.chdir(root)
    segments = base / "segments"
    heard = kaldiio.load_scp(str(base / "wav.scp"), segments=str(segments) if segments.is_file() else None)
    texts = dict(line.split(maxsplit=1) for line in (base / "text").read_text(encoding="utf-8").splitlines())
    people = dict(line.split() for line in (base / "utt2spk").read_text(encoding="utf-8").splitlines())
    found = {}
    for name in heard:
        sr, y = heard[name]
        found[name] = {"seconds": len(y) / sr, "text": texts[name], "speaker": people[name], "sound": digest(y / 32768)}
    return found


def lhotse_librispeech(root: Path) -> Found:
    """Read LibriSpeech's layout with lhotse's recipe for it; utterances are called by what `ids.tsv` says."""
    from lhotse import CutSet
    from lhotse.recipes import prepare_librispeech

    base = root / "labels/librispeech"
    made = prepare_librispeech(base, dataset_parts="train-clean-100")["train-clean-100"]
    found = of_cuts(CutSet.from_manifests(recordings=made["recordings"], supervisions=made["supervisions"]))
    lines = [line.split("\t") for line in (base / "ids.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    return {
        f"{source}-aug{int(name.split('-')[1]) // 1_000_000}": found[name]
        for name, source, *_ in lines
        if name in found
    }


def pandas_commonvoice(root: Path) -> Found:
    """Read Common Voice's layout as lhotse's recipe does: by pandas, and its clips by their paths."""
    import pandas
    import soundfile

    base = root / "labels/commonvoice"
    found = {}
    for row in pandas.read_csv(base / "train.tsv", sep="\t").itertuples():
        y, sr = soundfile.read(base / "clips" / row.path, dtype="float64")
        told = {"seconds": len(y) / sr, "text": row.sentence.strip(), "speaker": str(row.client_id)}
        found[Path(row.path).stem] = {**told, "sound": digest(y)}
    return found


def datasets_parquet(root: Path) -> Found:
    """Read Parquet with Hugging Face's library, its audio undecoded."""
    import io

    import soundfile
    from datasets import Audio, load_dataset

    files = str(root / "labels/parquet/train-*.parquet")
    found = {}
    for row in load_dataset("parquet", data_files=files, split="train").cast_column("audio", Audio(decode=False)):
        y, sr = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="float64")
        told = {"seconds": len(y) / sr, "text": row["transcription"], "speaker": row["speaker"]}
        found[row["id"]] = {**told, "sound": digest(y)}
    return found


def nemo_rules(root: Path) -> Found:
    """Read NeMo's manifest by its keys: a file from the manifest's folder, a duration, a text, an offset where it is a part."""
    import soundfile

    path = root / "labels/nemo/train_manifest.json"
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        y, sr = soundfile.read((path.parent / row["audio_filepath"]).resolve(), dtype="float64")
        first = round(row.get("offset", 0.0) * sr)
        y = y[first : first + round(row["duration"] * sr)]
        found[row["id"]] = {
            "seconds": row["duration"], "text": row["text"], "speaker": row["speaker"], "sound": digest(y),
        }  # fmt: skip
    return found


def meeteval_stm(root: Path) -> Found:
    """Read an STM; its utterances are called by clip and time."""
    import meeteval

    lines = meeteval.io.load(root / "labels/stm/train.stm")
    return {
        f"{x.filename} {float(x.begin_time):.3f}": {
            "seconds": float(x.end_time - x.begin_time), "text": x.transcript, "speaker": x.speaker_id,
        }
        for x in lines
    }  # fmt: skip


def pyannote_rttm(root: Path) -> Found:
    """Read an RTTM of speakers; turns are called by clip and time."""
    from pyannote.database.util import load_rttm

    return {
        f"{clip} {turn.start:.3f}": {"seconds": turn.duration, "speaker": speaker}
        for clip, turns in load_rttm(root / "labels/rttm/train.rttm").items()
        for turn, _, speaker in turns.itertracks(yield_label=True)
    }


READERS: dict[str, tuple[str, Callable[[Path], Found]]] = {
    "lhotse cuts": ("lhotse", lhotse_cuts),
    "lhotse supervisions": ("lhotse", lhotse_supervisions),
    "lhotse shar": ("lhotse", lhotse_shar),
    "lhotse of kaldi": ("lhotse", lhotse_kaldi),
    "lhotse of librispeech": ("lhotse", lhotse_librispeech),
    "pandas of commonvoice": ("pandas", pandas_commonvoice),
    "datasets of parquet": ("datasets", datasets_parquet),
    "nemo by its keys": ("soundfile", nemo_rules),
    "kaldiio": ("kaldiio", kaldiio_scp),
    "speechbrain csv": ("speechbrain", speechbrain_csv),
    "speechbrain json": ("speechbrain", speechbrain_json),
    "meeteval stm": ("meeteval", meeteval_stm),
    "pyannote rttm": ("pyannote", pyannote_rttm),
}
"""Readers with the module that they are of."""
OF_FILES = ("lhotse of librispeech", "pandas of commonvoice", "datasets of parquet")
"""Readers of layouts in which an utterance is a file, so that a conversation is in none."""


def write_with_lhotse(folder: Path) -> None:
    """Write the corpus in ``said.json`` with lhotse's own functions."""
    from lhotse import CutSet, Recording, RecordingSet, SupervisionSegment, SupervisionSet
    from lhotse.kaldi import export_to_kaldi
    from lhotse.supervision import AlignmentItem

    said = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    recordings = RecordingSet.from_recordings(
        Recording.from_file(folder / name, recording_id=name.removesuffix(".wav"))
        for name in sorted({one["file"] for one in said})
    )
    segments = []
    for one in said:
        whole = recordings[one["file"].removesuffix(".wav")]
        end = whole.duration if one["end"] is None else one["end"]
        words = [AlignmentItem(w, round(one["start"] + a, 6), round(b - a, 6)) for a, b, w in one["words"]]
        segments.append(
            SupervisionSegment(
                id=one["id"], recording_id=whole.id, start=one["start"], duration=round(end - one["start"], 9), channel=0, text=one["text"],
                speaker=one["speaker"], language=one["language"], alignment={"word": words} if words else None,
            )
        )  # fmt: skip
    supervisions = SupervisionSet.from_segments(segments)
    recordings.to_file(folder / "recordings.jsonl.gz")
    supervisions.to_file(folder / "supervisions.jsonl.gz")
    cuts = CutSet.from_manifests(recordings=recordings, supervisions=supervisions)
    cuts.to_file(folder / "cuts.jsonl.gz")
    trimmed = cuts.trim_to_supervisions(keep_overlapping=False)
    trimmed.to_file(folder / "trimmed.jsonl.gz")
    (folder / "shar").mkdir()
    trimmed.to_shar(folder / "shar", fields={"recording": "flac"}, shard_size=2)
    export_to_kaldi(recordings, supervisions, folder / "kaldi", map_underscores_to=None)


# ------------------------------------------------------------------------------------------------ in ours


def sets(folder: Path) -> dict[str, Path]:
    """Build the two sets."""
    from corpora_writers import CUT, WHOLE, kaldi, sounds
    from material import write_recipe

    from audiosynth import build, load_recipe

    exports: list[Any] = [
        "lhotse", "lhotse_shar", "speechbrain", "stm", {"type": "rttm", "names": "speakers", "merge": False},
        {"type": "nemo", "task": "asr"}, {"type": "kaldi", "utterances": "corpus"},
    ]  # fmt: skip
    files: list[Any] = [
        {"type": "librispeech", "subsets": {"train": "train-clean-100"}}, "commonvoice", {"type": "parquet", "speech": True},
    ]  # fmt: skip
    base: dict[str, Any] = {"sr": SR, "seed": 4, "data": {"c": "root"}, "export": exports}
    base["noise"] = {"type": "coloured", "slope_db": -3, "level_dbfs": -40}

    def event(source: Any, **more: Any) -> dict[str, Any]:
        return {"label": "speech", "source": {"type": "file", "recording": source, "trim": False}, "snr_db": 10, **more}

    made = {}
    for name, written in (("replicas", WHOLE), ("conversation", CUT)):
        root = folder / name / "root"
        root.mkdir(parents=True)
        said = tuple(one._replace(text=one.text.replace('"', "")) for one in written)  # a quote is a mark of STM
        sounds(root, said)
        tree = {**base, "catalogues": {"c": {"data": "c", **kaldi(root, said)}}}
        if name == "replicas":
            tree["export"] = [*exports, *files]
            tree |= {
                "duration": {"of": "utt"},
                "clips": {"each": {"from": "c", "as": "utt"}, "replicas": 2},
                "events": [event("$utt")],
            }
        else:
            picks = [{"pick": {"from": "c", "where": {"id": one.id}}} for one in said]
            tree |= {
                "duration": 2.0,
                "clips": 1,
                "events": [event(p, onset=t) for p, t in zip(picks, (0.0, 0.25, 1.0), strict=True)],
            }
        recipe = load_recipe(write_recipe(folder / name / "r.yaml", tree), cache_dir=folder / "cache")
        made[name] = build(recipe, folder / name / "out").root
    return made


def truth(root: Path, *, by_time: bool, speaker_first: bool = False) -> Found:
    """Return what the manifest says, by the ids that utterances have, or by clip and time."""
    import numpy as np
    from material import read_wav

    found: Found = {}
    for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        y = read_wav(root / row["path"])[0]
        for k, item in enumerate(row["labels"]):
            meta = row["spec"]["events"][item["event"]]["source"]["recording"]["meta"]
            a, b = item["onset_sample"], item["offset_sample"]
            name = f"{meta['speaker']}-" * speaker_first + f"{row['clip_id']}-{k:02d}"
            if "replica" in row:
                name, a, b = f"{row['augmented_from']}-aug{row['replica']}", 0, row["n_samples"]
            told = {
                "seconds": (b - a) / SR,
                "text": meta["text"],
                "speaker": meta["speaker"],
                "sound": digest(y[0, a:b] / np.float64(32768)),
            }
            found[f"{row['clip_id']} {a / SR:.3f}" if by_time else name] = told
    return found


def line_of(name: str, want: Found, got: Found) -> str:
    """Return the line of one reader."""
    both = [(want[key], got[key]) for key in want if key in got]
    off = max((abs(a["seconds"] - b["seconds"]) for a, b in both), default=0.0)
    told = []
    for field in ("text", "speaker", "sound"):
        known = [(a[field], b[field]) for a, b in both if b.get(field) is not None]
        told.append(f"{field} {sum(a == b for a, b in known)}/{len(known)}" if known else f"{field} -")
    extra = len(got.keys() - want.keys())
    return f"{name:32} {len(both)}/{len(want)} found{f', {extra} more' if extra else ''}; off {off:.1e} s; {'; '.join(told)}"


def run(python: str, *words: str) -> str:
    """Run this file with another interpreter; returns the last line it prints, or raises."""
    done = subprocess.run([python, "-W", "ignore", str(HERE), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
    return (done.stdout.strip().splitlines() or [""])[-1]


def has(python: str, module: str) -> bool:
    """Return whether an environment has a module."""
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0


def back(folder: Path, python: str) -> None:
    """Let lhotse write both corpora, read them, and print what was found."""
    from corpora_writers import CUT, WHOLE, sounds, span

    from audiosynth.material.assets import AssetStore
    from audiosynth.material.catalogue import CatalogueSpec, scan

    for kind, said in (("files", WHOLE), ("parts", CUT)):
        root = folder / "back" / kind
        root.mkdir(parents=True)
        known = sounds(root, said)
        (root / "said.json").write_text(json.dumps([one._asdict() for one in said]), encoding="utf-8")
        run(python, "--write", str(root))
        want: Found = {}
        for one in said:
            a, b = (round(t * SR) for t in span(root, one))
            want[one.id] = {
                "seconds": (b - a) / SR,
                "text": one.text,
                "speaker": one.speaker,
                "sound": digest(known[one.file][:, a:b]),
            }
        ways: dict[str, dict[str, Any]] = {
            "cuts": {"layout": "lhotse", "manifest": "cuts.jsonl.gz"},
            "trimmed cuts": {"layout": "lhotse", "manifest": "trimmed.jsonl.gz"},
            "recordings, supervisions": {
                "layout": "lhotse",
                "manifest": ["recordings.jsonl.gz", "supervisions.jsonl.gz"],
            },
            "kaldi": {"layout": "kaldi", "folder": "kaldi"},
            "shar": {"layout": "lhotse_shar", "folder": "shar"},
        }
        for way, spec in ways.items():
            found = scan(CatalogueSpec(data="d", **spec), name="b", root=root, cache_dir=folder / "cache").recordings
            store = AssetStore({"d": root})
            got = {
                r.meta["id"]: {"seconds": r.n_samples / r.sr, "text": r.meta["text"], "speaker": r.meta["speaker"], "sound": digest(store.samples(r, SR))}
                for r in found
            }  # fmt: skip
            print(line_of(f"ours of lhotse's {way}, {kind}", want, got), flush=True)


def main() -> None:
    """Print a line for every reader that an environment has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", action="append", default=[], metavar="PYTHON")
    parser.add_argument("--read", nargs=2, metavar=("READER", "ROOT"), help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, metavar="ROOT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(READERS[options.read[0]][1](Path(options.read[1]))))
    elif options.write:
        write_with_lhotse(options.write)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch).resolve()
            made = sets(folder)
            for python in options.peer:
                for name, (module, _) in READERS.items():
                    for kind, root in made.items() if has(python, module) else ():
                        if kind == "conversation" and name in OF_FILES:
                            continue
                        try:
                            got = json.loads(run(python, "--read", name, str(root)))
                            print(
                                line_of(
                                    f"{name}, {kind}",
                                    truth(
                                        root, by_time=module in ("meeteval", "pyannote"), speaker_first="kaldi" in name
                                    ),
                                    got,
                                ),
                                flush=True,
                            )
                        except RuntimeError as error:
                            print(f"{name}, {kind}: {error}", flush=True)
                if has(python, "lhotse"):
                    back(folder, python)


if __name__ == "__main__":
    main()
