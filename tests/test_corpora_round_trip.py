"""Corpora written by our exporters: read back by our readers over all pairs of formats, and checked after the formats' rules."""

from __future__ import annotations

import csv
import gzip
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from corpora_writers import CUT, SEGMENTED, SR, WHOLE, WRITERS, Said, sounds, span
from material import read_wav, write_recipe

from audiosynth import build, load_recipe, reproduce, verify
from audiosynth.cli import cli
from audiosynth.errors import BuildError, RecipeError
from audiosynth.exporters import librispeech
from audiosynth.exports import export_labels
from audiosynth.material.assets import AssetStore
from audiosynth.material.catalogue import CatalogueSpec, scan

EXPORTS: list[Any] = [
    {"type": "lhotse", "suffix": ""},
    {"type": "speechbrain", "suffix": ""},
    {"type": "nemo", "task": "asr", "suffix": ""},
    {"type": "audiofolder", "speech": True, "suffix": ""},
    {"type": "utterances", "format": "jsonl", "suffix": ""},
    {"type": "commonvoice", "suffix": ""},
    {"type": "lhotse_shar", "suffix": "", "clips_per_shard": 2},
    {"type": "parquet", "speech": True, "suffix": "", "clips_per_file": 2},
    {"type": "kaldi", "utterances": "corpus", "suffix": ""},
]
BACK: dict[str, dict[str, Any]] = {
    "lhotse": {"layout": "lhotse", "manifest": "labels/lhotse/train/cuts.jsonl.gz"},
    "lhotse recordings and supervisions": {
        "layout": "lhotse",
        "manifest": [f"labels/lhotse/train/{kind}.jsonl.gz" for kind in ("recordings", "supervisions")],
    },
    "speechbrain csv": {"layout": "speechbrain", "manifest": "labels/speechbrain/train.csv"},
    "speechbrain json": {"layout": "speechbrain", "manifest": "labels/speechbrain/train.json"},
    "nemo": {"layout": "nemo", "manifest": "labels/nemo/train_manifest.json"},
    "audiofolder": {"layout": "audiofolder", "folder": "labels/audiofolder"},
    "commonvoice": {"layout": "commonvoice", "folder": "labels/commonvoice", "manifest": "validated.tsv"},
    "lhotse shar": {"layout": "lhotse_shar", "folder": "labels/lhotse_shar/train"},
    "parquet": {"layout": "parquet", "folder": "labels/parquet"},
    "kaldi": {"layout": "kaldi", "folder": "labels/kaldi/train"},
    "utterances": {"table": "labels/utterances/train.jsonl", "columns": {"start": "start", "end": "end"}},
}
"""How each export is read again, from the dataset's folder."""
WITH_WORDS = ("lhotse", "lhotse recordings and supervisions", "lhotse shar", "utterances")


def built(folder: Path, corpus: Mapping[str, Any], *, exports: Any = EXPORTS, **changes: Any) -> Path:
    """Build one clip an utterance, as it is, and export it."""
    tree = {
        "sr": SR, "duration": {"of": "utt"}, "seed": 4, "clips": {"each": {"from": "corpus", "as": "utt"}},
        "data": {"corpus": "root"}, "catalogues": {"corpus": {"data": "corpus", **corpus}}, "export": exports,
        "events": [{"label": "speech", "source": {"type": "file", "recording": "$utt", "trim": False}}], **changes,
    }  # fmt: skip
    recipe = load_recipe(write_recipe(folder / "r.yaml", tree), cache_dir=folder / "cache")
    return build(recipe, folder / "out").root


def told(root: Path, spec: Mapping[str, Any], cache: Path) -> dict[str, tuple[Any, ...]]:
    """Return what a catalogue knows of each utterance: text, speaker, language, its samples."""
    made = CatalogueSpec.model_validate({"data": "d", **spec})
    store = AssetStore({"d": root})
    found = scan(made, name="back", root=root, cache_dir=cache).recordings
    return {
        r.meta["id"]: (
            *(r.meta.get(key) for key in ("text", "speaker", "language")),
            r.sr,
            store.samples(r, r.sr).tobytes(),
        )
        for r in found
    }


@pytest.mark.parametrize("name", WRITERS)
def test_all_pairs(tmp_path: Path, name: str) -> None:
    """A corpus read in one format, written in each of the others and read back has the same utterances and samples."""
    root = tmp_path / "root"
    root.mkdir()
    sounds(root, WHOLE)
    spec = WRITERS[name](root, WHOLE)
    before = told(root, spec, tmp_path / "cache")
    assert len(before) == len(WHOLE)
    out = built(tmp_path, spec)
    for way, back in BACK.items():
        assert told(out, back, tmp_path / "cache") == before, way


@pytest.mark.parametrize("name", SEGMENTED)
def test_all_pairs_of_parts(tmp_path: Path, name: str) -> None:
    """So has one whose utterances are parts of a recording."""
    root = tmp_path / "root"
    root.mkdir()
    sounds(root, CUT)
    spec = SEGMENTED[name](root, CUT)
    before = told(root, spec, tmp_path / "cache")
    assert len(before) == len(CUT)
    out = built(tmp_path, spec)
    for way, back in BACK.items():
        assert told(out, back, tmp_path / "cache") == before, way


def test_long_ids_come_back_from_tars(tmp_path: Path) -> None:
    """Ids longer than the names that a plain tar holds, as corpora made of books have them."""
    root = tmp_path / "root"
    root.mkdir()
    said = [one._replace(id=f"{one.id}-{'a chapter ' * 12}".strip().replace(" ", "_")) for one in WHOLE]
    sounds(root, said)
    spec = WRITERS["kaldi"](root, said)
    before = told(root, spec, tmp_path / "cache")
    out = built(tmp_path, spec, exports=[{"type": "lhotse_shar", "suffix": ""}])
    assert min(map(len, before)) > 100
    assert told(out, BACK["lhotse shar"], tmp_path / "cache") == before


def test_words_come_back(tmp_path: Path) -> None:
    """Times of words are those of the corpus, to a sample, in the formats that have any."""
    root = tmp_path / "root"
    root.mkdir()
    sounds(root, WHOLE)
    out = built(tmp_path, WRITERS["kaldi"](root, WHOLE))
    for way in WITH_WORDS:
        made = CatalogueSpec.model_validate({"data": "d", **BACK[way]})
        found = scan(made, name="back", root=out, cache_dir=tmp_path / "cache").recordings
        words = next(r.meta["words"] for r in found if r.meta["id"] == WHOLE[0].id)
        assert [w for _, _, w in words] == ["HELLO", "WORLD"]
        np.testing.assert_allclose([t[:2] for t in words], [t[:2] for t in WHOLE[0].words], atol=1 / SR)


def records(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of JSON, packed or not."""
    data = path.read_bytes()
    return [json.loads(line) for line in (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()]


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a set of two replicas of three utterances under noise, one of them at another speed."""
    folder = tmp_path_factory.mktemp("replicas")
    (folder / "root").mkdir()
    sounds(folder / "root", WHOLE)
    event = {
        "label": "speech", "source": {"type": "file", "recording": "$utt", "trim": False}, "snr_db": 10,
        "effects": [{"type": "speed", "factor": {"cycle": [0.9, 1.0]}}],
    }  # fmt: skip
    return built(
        folder, WRITERS["kaldi"](folder / "root", WHOLE), duration={"fit": 0}, events=[event],
        clips={"each": {"from": "corpus", "as": "utt"}, "replicas": 2},
        noise={"type": "coloured", "slope_db": -3, "level_dbfs": -40},
        exports=[
            {"type": "lhotse", "speed_speakers": True}, {"type": "speechbrain", "replicas": [2]}, "utterances", "lhotse_shar",
            {"type": "nemo", "task": "asr", "speaker_first": True},
            {"type": "kaldi", "utterances": "corpus", "speed_speakers": True},
        ],
    )  # fmt: skip


def test_rows_name_their_source(replicas: Path) -> None:
    """Every row says which utterance it was made from, and which of its replicas it is."""
    found = [(row["augmented_from"], row["replica"]) for row in records(replicas / "manifest.jsonl")]
    assert found == [(one, k) for one in sorted(said.id for said in WHOLE) for k in (1, 2)]


def test_speed_gives_new_speakers(replicas: Path) -> None:
    """Speech at another speed is of a speaker of its own, named as Kaldi does; what is as it was keeps its speaker."""
    rows = records(replicas / "manifest.jsonl")
    said = records(replicas / "labels/lhotse/train/supervisions.jsonl.gz")
    assert len(said) == len(rows) == 6
    for row, one in zip(rows, said, strict=True):
        factor = row["spec"]["events"][0]["effects"][0]["factor"]
        speaker = row["augmented_from"].split("-")[0]
        before = "" if factor == 1.0 else "sp0.9-"
        assert one["id"] == f"{before}{row['augmented_from']}-aug{row['replica']}"
        assert (one["speaker"], one["custom"]["augmented_from"]) == (f"{before}{speaker}", row["augmented_from"])
    assert {row["spec"]["events"][0]["effects"][0]["factor"] for row in rows} == {0.9, 1.0}


def test_lhotse_by_its_rules(replicas: Path) -> None:
    """Ids are unique and lead from cuts to recordings; durations are samples over rate; nothing goes past its end."""
    base = replicas / "labels/lhotse/train"
    heard = {one["id"]: one for one in records(base / "recordings.jsonl.gz")}
    said, cuts = records(base / "supervisions.jsonl.gz"), records(base / "cuts.jsonl.gz")
    assert len(heard) == len(cuts) == len({one["id"] for one in said}) == 6
    for cut in cuts:
        recording = cut["recording"]
        y, sr = read_wav(replicas / recording["sources"][0]["source"])
        assert (recording["num_samples"], recording["sampling_rate"]) == (y.shape[1], sr)
        assert recording == heard[recording["id"]]
        assert cut["duration"] == recording["duration"] == pytest.approx(y.shape[1] / sr, abs=1e-9)
        for one in cut["supervisions"]:
            assert one in said
            assert one["start"] >= 0
            assert one["duration"] > 0
            assert one["start"] + one["duration"] <= cut["duration"] + 1e-9
    assert said[0]["custom"]["snr_db"] == pytest.approx(10, abs=0.01)


def test_packed_files_hold_no_time(replicas: Path) -> None:
    """The gzip header (RFC 1952) has neither a time nor a name."""
    for path in sorted(replicas.rglob("*.gz")):
        flags, time = path.read_bytes()[3], path.read_bytes()[4:8]
        assert (flags, time) == (0, b"\0\0\0\0")


def test_shards(replicas: Path) -> None:
    """A shard's archive has the audio and the recording of every cut, in the order of the cuts."""
    base = replicas / "labels/lhotse_shar/train"
    cuts = records(base / "cuts.000000.jsonl.gz")
    with tarfile.open(base / "recording.000000.tar") as tar:
        members = tar.getmembers()
        assert [m.name for m in members] == [name for cut in cuts for name in (f"{cut['id']}.wav", f"{cut['id']}.json")]
        for k, (cut, row) in enumerate(zip(cuts, records(replicas / "manifest.jsonl"), strict=True)):
            audio, told_of = (tar.extractfile(members[2 * k + j]).read() for j in (0, 1))
            assert audio == (replicas / row["path"]).read_bytes()
            assert json.loads(told_of) == cut["recording"]
            assert cut["recording"]["sources"] == [{"type": "shar", "channels": [0], "source": ""}]
    assert {m.mtime for m in members} == {0}


def speechbrain_csv(path: Path, replacements: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Read a data file as SpeechBrain does: ids once, ``$name`` put in everywhere, durations as numbers."""
    out: dict[str, dict[str, Any]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, skipinitialspace=True):
            name = row.pop("ID")
            assert name not in out
            out[name] = {k: re.sub(r"\$([\w.]+)", lambda m: replacements[m[1]], v) for k, v in row.items()}
            out[name]["duration"] = float(out[name]["duration"])
    return out


def speechbrain_json(path: Path, replacements: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Read a data file as SpeechBrain does: every text inside it is a template."""

    def put_in(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: put_in(value) for key, value in item.items()}
        return item.format_map(replacements) if isinstance(item, str) else item

    found: dict[str, dict[str, Any]] = put_in(json.loads(path.read_text(encoding="utf-8")))
    return found


def test_speechbrain_by_its_rules(replicas: Path) -> None:
    """Only the replicas asked for; both files say the same; files are there and as long as they say."""
    base, root = replicas / "labels/speechbrain", {"data_root": str(replicas)}
    table, tree = speechbrain_csv(base / "train.csv", root), speechbrain_json(base / "train.json", root)
    assert list(table) == list(tree) == [f"{one}-aug2" for one in sorted(said.id for said in WHOLE)]
    for name, row in table.items():
        y, sr = read_wav(Path(row["wav"]))
        assert row["duration"] == pytest.approx(y.shape[1] / sr, abs=1e-9)
        assert tree[name]["wav"] == {"file": row["wav"], "start": int(row["start"]), "stop": int(row["stop"])}
        assert [tree[name].get(key, "") for key in ("spk_id", "wrd", "language")] == [
            row[k] for k in ("spk_id", "wrd", "language")
        ]
        assert (int(row["start"]), int(row["stop"])) == (0, y.shape[1])


def test_nemo_by_its_rules(replicas: Path) -> None:
    """Every line has a file, found from the manifest's folder, a text and a duration above 0 that its file has."""
    path = replicas / "labels/nemo/train_manifest.json"
    found = records(path)
    assert len(found) == 6
    for row in found:
        y, sr = read_wav((path.parent / row["audio_filepath"]).resolve())
        assert 0 < row["duration"] <= y.shape[1] / sr + 1e-9
        assert row["text"].strip()
        assert row["id"].startswith(row["speaker"])


def test_kaldi_by_its_rules(replicas: Path) -> None:
    """Tables are sorted in bytes, of the same ids, speakers first in these; utt2uniq leads to the source, and so to one speaker."""
    base = replicas / "labels/kaldi/train"
    tables = {
        path.name: [line.split(" ", 1) for line in path.read_text("utf-8").splitlines()]
        for path in sorted(base.iterdir())
    }
    for name, rows in tables.items():
        keys = [key.encode() for key, _ in rows]
        assert keys == sorted(set(keys)), name
    ids = [key for key, _ in tables["utt2spk"]]
    assert len(ids) == 6
    for name in ("wav.scp", "text", "utt2dur", "utt2uniq", "utt2lang", "reco2dur"):
        assert [key for key, _ in tables[name]] == ids
    assert "segments" not in tables
    people = dict(tables["utt2spk"])
    assert all(key.startswith(f"{people[key]}-") for key in ids)
    assert sorted(people.values()) == [people[key] for key in ids]
    assert {key: rest.split() for key, rest in tables["spk2utt"]} == {
        who: [key for key in ids if people[key] == who] for who in dict.fromkeys(people.values())
    }
    assert dict(tables["spk2gender"]) == dict.fromkeys(people.values(), "f")
    for key, source in tables["utt2uniq"]:
        assert re.fullmatch(rf"(sp0\.9-)?{source}-aug[12]", key)
    for key, path in tables["wav.scp"]:
        y, sr = read_wav(replicas / path)
        assert float(dict(tables["utt2dur"])[key]) == pytest.approx(y.shape[1] / sr, abs=1e-6)


@pytest.mark.parametrize("exporter", [{"type": "lhotse", "suffix": ""}, {"type": "nemo", "task": "asr", "suffix": ""}])
def test_replicas_need_a_suffix(replicas: Path, tmp_path: Path, exporter: dict[str, Any]) -> None:
    """Two replicas cannot both be called like their source."""
    with pytest.raises(
        BuildError, match=r"both would be called '777-9-0000'; with several replicas ids need a `suffix`"
    ):
        export_labels(replicas, [exporter], out=tmp_path / "more")


def test_conversations(tmp_path: Path) -> None:
    """Several utterances in a clip are parts of it in every format, called by the clip; AudioFolder, which has no parts, refuses."""
    root = tmp_path / "root"
    root.mkdir()
    known = sounds(root, CUT)
    events = [
        {"label": "speech", "source": {"type": "file", "recording": {"pick": {"from": "corpus", "where": {"id": one.id}}}, "trim": False}, "onset": at}
        for one, at in zip(CUT, (0.0, 0.25, 1.0), strict=True)
    ]  # fmt: skip
    out = built(
        tmp_path,
        SEGMENTED["kaldi"](root, CUT),
        clips=1,
        duration=2.0,
        events=events,
        exports=[*EXPORTS[:3], EXPORTS[-1]],
    )
    (clip,) = records(out / "manifest.jsonl")
    assert "augmented_from" not in clip
    y = read_wav(out / clip["path"])[0] / 32768
    for way in ("lhotse", "speechbrain csv", "speechbrain json", "nemo", "kaldi"):
        found = told(out, BACK[way], tmp_path / "cache")
        before = [f"{one.speaker}-" if way == "kaldi" else "" for one in CUT]
        assert list(found) == [f"{who}train-000000000-{k:02d}" for k, who in enumerate(before)]
        for (text, speaker, *_, samples), one, at in zip(found.values(), CUT, (0.0, 0.25, 1.0), strict=True):
            a, b = (round(t * SR) for t in span(root, one))
            assert (text, speaker) == (one.text, one.speaker)
            first = round(at * SR)
            assert samples == np.ascontiguousarray(y[:, first : first + b - a]).tobytes()
    np.testing.assert_array_equal(y[:, 8000 : 8000 + 3300], known["call.wav"][:, 3200:6500])
    with pytest.raises(BuildError, match="3 utterances, and a line of AudioFolder is of one"):
        export_labels(out, [{"type": "audiofolder", "speech": True}], out=tmp_path / "more")


# ------------------------------------------------------------------------------- what is looked at before a build


def test_a_suffix_that_collides(tmp_path: Path) -> None:
    """A replica that would be called like another utterance of the corpus is refused at load, with both lines."""
    root = tmp_path / "root"
    root.mkdir()
    said = [Said("a", "a.wav", "X", "s"), Said("a-aug1", "b.wav", "Y", "s")]
    sounds(root, said)
    spec = WRITERS["kaldi"](root, said)
    with pytest.raises(
        RecipeError, match=r"export\[0\]: a replica of 'a' \(.*wav\.scp:1\) would be called 'a-aug1', .*wav\.scp:2\)"
    ):
        built(tmp_path, spec, exports=["lhotse"])
    out = built(tmp_path, spec, exports=[{"type": "lhotse", "suffix": "-rep"}])
    with pytest.raises(
        BuildError, match="a replica is called 'a-aug1', as an utterance of its corpus is; choose another `suffix`"
    ):
        export_labels(out, ["lhotse"], out=tmp_path / "more")


def test_a_speaker_with_one_utterance(tmp_path: Path) -> None:
    """Where splits are by speaker, one who has a single utterance is named with its line."""
    root = tmp_path / "root"
    root.mkdir()
    sounds(root, WHOLE)
    spec = {**WRITERS["kaldi"](root, WHOLE), "group": "speaker"}
    tree = {
        "sr": SR, "duration": {"of": "utt"}, "clips": {"each": {"from": "c", "as": "utt"}}, "data": {"c": "root"},
        "catalogues": {"c": {"data": "c", **spec}}, "events": [{"label": "x", "source": {"type": "file", "recording": "$utt"}}],
    }  # fmt: skip
    parted = {**tree, "splits": {"shares": {"train": 1, "test": 1}, "assign": {"84": "train", "777": "test"}}}
    (warning,) = load_recipe(write_recipe(tmp_path / "a.yaml", parted), cache_dir=tmp_path / "cache").warnings
    assert re.search(r"these have one utterance, with no other to set it against: 777 \(.*wav\.scp:1\)$", warning)
    assert load_recipe(write_recipe(tmp_path / "b.yaml", tree), cache_dir=tmp_path / "cache").warnings == ()


def test_keep_going_writes_a_table(tmp_path: Path) -> None:
    """The command goes on with what can be used, writes the rest to failures.tsv without a path of this machine, and ends with 1."""
    root = tmp_path / "root"
    root.mkdir()
    sounds(root, WHOLE)
    spec = WRITERS["kaldi"](root, WHOLE)
    scp = root / "data/all/wav.scp"
    scp.write_text(scp.read_text("utf-8").replace("777-9-0000.wav", "cat x |"), "utf-8")
    tree = {
        "sr": SR, "duration": {"of": "utt"}, "clips": {"each": {"from": "c", "as": "utt"}}, "data": {"c": "root"},
        "catalogues": {"c": {"data": "c", **spec}}, "events": [{"label": "x", "source": {"type": "file", "recording": "$utt"}}],
    }  # fmt: skip
    recipe = write_recipe(tmp_path / "a.yaml", tree)
    run = CliRunner(env={"AUDIOSYNTH_CACHE": str(tmp_path / "cache")})
    stopped = run.invoke(cli, ["build", str(recipe), "-o", str(tmp_path / "out"), "--workers", "1"])
    assert stopped.exit_code == 1
    assert not (tmp_path / "out/manifest.jsonl").exists()
    done = run.invoke(cli, ["build", str(recipe), "-o", str(tmp_path / "out"), "--workers", "1", "--keep-going"])
    assert done.exit_code == 1
    assert "1 recording could not be used" in done.output
    assert [row["augmented_from"] for row in records(tmp_path / "out/manifest.jsonl")] == [one.id for one in WHOLE[:2]]
    head, (catalogue, place, problem) = [
        line.split("\t") for line in (tmp_path / "out/failures.tsv").read_text(encoding="utf-8").splitlines()
    ]
    assert head == ["catalogue", "place", "problem"]
    assert (catalogue, place) == ("c", "c:data/all/wav.scp:1")
    assert problem.startswith("777-9-0000: a command ('cat x |'), and commands are not run")
    assert run.invoke(cli, ["verify", str(tmp_path / "out")]).exit_code == 0


# ------------------------------------------------------------------------------------ layouts in which a file is an utterance


def by_librispeech_rules(subset: Path) -> dict[str, tuple[str, int, int, int, bytes]]:
    """Read a subset as torchaudio does: every ``*/*/*.flac``, three whole numbers in its name, its text in the list of its chapter."""
    found = {}
    for path in sorted(subset.glob("*/*/*.flac")):
        speaker, chapter, number = path.stem.split("-")
        assert path.parent == subset / speaker / chapter
        listed = (subset / speaker / chapter / f"{speaker}-{chapter}.trans.txt").read_text("utf-8").splitlines()
        (text,) = [rest for name, rest in (line.strip().split(" ", 1) for line in listed) if name == path.stem]
        y, _ = soundfile.read(path, dtype="int16", always_2d=True)
        found[path.stem] = text, int(speaker), int(chapter), int(number), y.tobytes()
    return found


def exported(root: Path, out: Path, *exports: Any) -> Path:
    """Export a set to a folder of its own."""
    export_labels(root, exports, out=out)
    return out


def test_librispeech_by_its_rules(replicas: Path, tmp_path: Path) -> None:
    """Replicas are of chapters of their own, speech at another speed of speakers of its own; texts and samples are those of the set."""
    step = {"type": "librispeech", "subsets": {"train": "train-clean-100"}}
    found = by_librispeech_rules(exported(replicas, tmp_path / "a", step) / "librispeech/train-clean-100")
    rows = {row["clip_id"]: row for row in records(replicas / "manifest.jsonl")}
    head, *lines = [line.split("\t") for line in (tmp_path / "a/librispeech/ids.tsv").read_text("utf-8").splitlines()]
    assert head == ["id", "augmented_from", "clip_id", "speaker"]
    assert sorted(line[0] for line in lines) == sorted(found)
    texts = {one.id: one.text for one in WHOLE}
    for name, source, clip, who in lines:
        text, speaker, chapter, number, samples = found[name]
        assert (text, rows[clip]["augmented_from"]) == (texts[source], source)
        old = [int(part) for part in source.split("-")]
        assert (speaker, chapter, number) == (old[0], old[1] + 1_000_000 * rows[clip]["replica"], old[2])
        assert str(speaker) == who
        assert samples == read_wav(replicas / rows[clip]["path"])[0].astype("<i2").tobytes()
    people = [line.split("|") for line in (tmp_path / "a/librispeech/SPEAKERS.TXT").read_text("utf-8").splitlines()[2:]]
    assert [[cell.strip() for cell in row[:3]] for row in people] == [
        ["84", "F", "train-clean-100"],
        ["777", "F", "train-clean-100"],
    ]
    seconds = sum(row["n_samples"] / row["sr"] for row in rows.values() if row["augmented_from"].startswith("84-"))
    assert float(people[0][3]) == pytest.approx(seconds / 60, abs=0.005)
    fast = exported(replicas, tmp_path / "b", {"type": "librispeech", "speed_speakers": True}) / "librispeech"
    ours = told(fast, {"layout": "librispeech"}, tmp_path / "cache")
    assert {name: (text, who, y) for name, (text, who, _, _, y) in ours.items()} == {
        name: (text, str(who), (np.frombuffer(y, "<i2") / 32768).tobytes())
        for name, (text, who, *_, y) in by_librispeech_rules(fast / "train").items()
    }
    at_speed = {row["clip_id"] for row in rows.values() if row["spec"]["events"][0]["effects"][0]["factor"] == 0.9}
    named = [line.split("\t") for line in (fast / "ids.tsv").read_text("utf-8").splitlines()[1:]]
    assert {who for _, _, clip, who in named if clip in at_speed} == {"sp0.9-84", "sp0.9-777"}
    assert all((int(name.split("-")[0]) >= 100_000_000) == (clip in at_speed) for name, _, clip, _ in named)


def test_librispeech_holds_one_list_open_at_a_time(replicas: Path, tmp_path: Path, monkeypatch) -> None:
    """A corpus has thousands of chapters, a process a thousand open files."""
    real, held, most = librispeech.atomic_text, [], []

    @contextmanager
    def watched(path: Path) -> Iterator[Any]:
        held.append(path)
        most.append(len(held))
        with real(path) as file:
            yield file
        held.remove(path)

    monkeypatch.setattr(librispeech, "atomic_text", watched)
    out = exported(replicas, tmp_path / "a", "librispeech")
    assert len(most) == 2 + len(list(out.rglob("*.trans.txt")))
    assert set(most) == {1}


def test_librispeech_comes_back(tmp_path: Path) -> None:
    """One replica under its own ids is the corpus again, whatever was read; the layout has no language."""
    root = tmp_path / "root"
    root.mkdir()
    sounds(root, WHOLE)
    spec = WRITERS["librispeech"](root, WHOLE)
    before = told(root, spec, tmp_path / "cache")
    out = built(tmp_path, spec, exports=[{"type": "librispeech", "chapter_step": 0}])
    assert told(out, {"layout": "librispeech", "folder": "labels/librispeech"}, tmp_path / "cache") == before


def test_librispeech_of_other_names(tmp_path: Path) -> None:
    """Speakers with names and utterances called otherwise get numbers; texts, who speaks together and samples stay."""
    root = tmp_path / "root"
    root.mkdir()
    sounds(root, CUT)
    spec = SEGMENTED["kaldi"](root, CUT)
    before = told(root, spec, tmp_path / "cache")
    out = built(tmp_path, spec, exports=[{"type": "librispeech", "chapter_step": 0}])
    found = by_librispeech_rules(out / "labels/librispeech/train")
    lines = [line.split("\t") for line in (out / "labels/librispeech/ids.tsv").read_text("utf-8").splitlines()[1:]]
    assert {name.split("-", 1)[1] for name, _, _, who in lines if who == "ann"} == {"1-0000", "1-0001"}
    for name, source, _, who in lines:
        text, *_, samples = found[name]
        assert (text, who) == before[source][:2]
        assert (np.frombuffer(samples, "<i2") / 32768).tobytes() == before[source][4]


def test_layouts_of_files_refuse(replicas: Path, tmp_path: Path) -> None:
    """What the layouts cannot hold is named: two files of one name, a split that takes the place of all, a sentence in quotes."""
    with pytest.raises(BuildError, match=r"both would be called '777-9-0000'; choose another `chapter_step`"):
        exported(replicas, tmp_path / "a", {"type": "librispeech", "chapter_step": 0})
    root = tmp_path / "root"
    root.mkdir()
    said = [WHOLE[1]._replace(text='"HELLO" SHE SAID')]
    sounds(root, said)
    spec = WRITERS["kaldi"](root, said)
    out = built(tmp_path, spec, exports=["librispeech"])
    with pytest.raises(BuildError, match="starts with a quote"):
        exported(out, tmp_path / "b", "commonvoice")
    for missing, why in (("utt2spk", "who speaks"), ("text", "what is said")):
        (root / "data/all" / missing).rename(root / "data/all/kept")
        (tmp_path / missing).mkdir()
        (tmp_path / missing / "root").symlink_to(root)
        without = built(tmp_path / missing, spec, exports=[])
        for exporter in ("librispeech", "commonvoice"):
            with pytest.raises(BuildError, match=rf"{why} in it is not known"):
                exported(without, tmp_path / f"{missing}-{exporter}", exporter)
            early = tmp_path / f"early-{missing}-{exporter}"
            early.mkdir()
            (early / "root").symlink_to(root)
            with pytest.raises(BuildError, match=rf"clip train-000000000: {why} in it is not known"):
                built(early, spec, exports=[exporter])
            assert not (early / "out/manifest.jsonl").exists()
        (root / "data/all/kept").rename(root / "data/all" / missing)


def test_commonvoice_by_its_rules(replicas: Path, tmp_path: Path) -> None:
    """Tables of tabs whose second column is a file in clips/; ``validated`` has the lines of all parts; pandas reads no other texts."""
    base = exported(replicas, tmp_path / "a", "commonvoice") / "commonvoice"
    with (base / "train.tsv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file, delimiter="\t")  # with quotes as they are by default, as torchaudio has them
    assert head[:2] == ["client_id", "path"]
    assert {"sentence", "up_votes", "down_votes", "age", "gender", "locale", "segment"} < set(head)
    assert (base / "train.tsv").read_bytes() == (base / "validated.tsv").read_bytes()
    manifest = records(replicas / "manifest.jsonl")
    texts = {one.id: one.text for one in WHOLE}
    assert len(rows) == len(manifest) == len(list((base / "clips").iterdir()))
    for cells, row in zip(rows, manifest, strict=True):
        line = dict(zip(head, cells, strict=True))
        assert line["path"] == f"{row['augmented_from']}-aug{row['replica']}.wav"
        assert (line["sentence"], line["locale"]) == (texts[row["augmented_from"]], "en")
        assert (line["client_id"], line["gender"]) == (row["augmented_from"].split("-")[0], "f")
        assert (line["up_votes"], line["down_votes"]) == ("0", "0")
        assert (base / "clips" / line["path"]).read_bytes() == (replicas / row["path"]).read_bytes()


# ------------------------------------------------------------------------------------------------- audio inside archives


@pytest.mark.parametrize("name", ["lhotse_shar", "parquet"])
def test_sets_from_archives_reproduce(tmp_path: Path, name: str) -> None:
    """A clip made from what lies in an archive reproduces, also when the archive moved and has another name."""
    root = tmp_path / "root"
    root.mkdir()
    sounds(root, WHOLE)
    out = built(tmp_path, WRITERS[name](root, WHOLE), exports=["attribution"])
    assert verify(out).ok
    for k, path in enumerate(sorted(p for p in root.rglob("*") if p.suffix in (".tar", ".parquet"))):
        (root / "moved").mkdir(exist_ok=True)
        path.rename(root / "moved" / f"{k}{path.suffix}")
    again = list(reproduce(out, data={"corpus": str(root)}))
    assert [one.same for one in again] == [True] * len(WHOLE)
