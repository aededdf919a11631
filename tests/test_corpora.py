"""Speech corpora: read after the rules of their formats, written in others and read back; what is wrong is named with its line."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpora_writers import CUT, SEGMENTED, SR, WHOLE, WRITERS, Said, kaldi, lines, put, rttm, sounds, span
from material import noise, tone, write_wav

from audiosynth.clip import Recording
from audiosynth.errors import AssetError
from audiosynth.material.assets import AssetStore
from audiosynth.material.catalogue import Catalogue, CatalogueSpec, scan


def read(root: Path, **spec: Any) -> Catalogue:
    """Scan a corpus."""
    made = CatalogueSpec.model_validate({"data": "d", **spec})
    return scan(made, name="corpus", root=root, cache_dir=root.parent / "cache")


def sound_of(root: Path, recording: Recording) -> np.ndarray:
    """Return the samples of a recording at its own rate."""
    return AssetStore({recording.data: root}).samples(recording, recording.sr)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty data root."""
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


# --------------------------------------------------------------------------------------------------- what is read


@pytest.mark.parametrize("name", WRITERS)
def test_whole_files(root: Path, name: str) -> None:
    """Ids, texts, speakers and languages of utterances that are files, whatever the format; the files stay whole."""
    known = sounds(root, WHOLE)
    found = {r.meta["id"]: r for r in read(root, **WRITERS[name](root, WHOLE)).recordings}
    assert sorted(found) == sorted(one.id for one in WHOLE)
    for one in WHOLE:
        recording = found[one.id]
        assert (recording.meta["text"], recording.meta["speaker"]) == (one.text, one.speaker)
        assert recording.meta.get("language") == (None if name == "librispeech" else one.language)
        assert (recording.part, recording.sr) == (None, SR)
        np.testing.assert_array_equal(sound_of(root, recording), known[one.file])


@pytest.mark.parametrize("name", SEGMENTED)
def test_parts_of_files(root: Path, name: str) -> None:
    """Utterances of a longer recording hold the samples from their start to their end, and no others."""
    known = sounds(root, CUT)
    found = {r.meta["id"]: r for r in read(root, **SEGMENTED[name](root, CUT)).recordings}
    assert sorted(found) == sorted(one.id for one in CUT)
    for one in CUT:
        a, b = (round(t * SR) for t in span(root, one))
        assert found[one.id].n_samples == b - a
        assert (found[one.id].meta["text"], found[one.id].meta["speaker"]) == (one.text, one.speaker)
        np.testing.assert_array_equal(sound_of(root, found[one.id]), known[one.file][:, a:b])


@pytest.mark.parametrize("name", ["kaldi", "lhotse", "lhotse_cuts", "table_jsonl"])
def test_words(root: Path, name: str) -> None:
    """The times of words are carried, from the start of their utterance."""
    said = [Said("a-1", "call.wav", "ONE TWO", "a", 0.25, 1.0, words=((0.1, 0.3, "ONE"), (0.35, 0.6, "TWO")))]
    sounds(root, said)
    (recording,) = read(root, **WRITERS[name](root, said)).recordings
    assert [[round(a, 6), round(b, 6), w] for a, b, w in recording.meta["words"]] == [
        [0.1, 0.3, "ONE"],
        [0.35, 0.6, "TWO"],
    ]


def test_turns(root: Path) -> None:
    """A turn of RTTM is an utterance: its speaker, its stretch, called by file, speaker and hundredths of seconds."""
    known = sounds(root, CUT)
    found = read(root, **rttm(root, CUT)).recordings
    assert [r.meta["speaker"] for r in found] == ["ann", "bob", "ann"]
    assert found[0].meta["id"] == "call-ann-0000010-0000050"
    np.testing.assert_array_equal(sound_of(root, found[1]), known["call.wav"][:, 3200:6500])


def test_channels(root: Path) -> None:
    """One side of a call is one channel of its file: by segments of Kaldi, a supervision of lhotse, a line of RTTM."""
    y = noise(1.0, SR, seed=3, channels=2)
    write_wav(root / "call.wav", y, SR)
    sides = np.clip(np.rint(y * 32768), -32768, 32767) / 32768
    put(root / "wav.scp", "call call.wav\n")
    put(root / "segments", "a call 0.0 0.5 0\nb call 0.25 -1 1\n")
    heard = {"id": "call", "sources": [{"type": "file", "channels": [0, 1], "source": "call.wav"}], "sampling_rate": SR}
    said = {"id": "b", "recording_id": "call", "start": 0.25, "duration": 0.75, "channel": 1}
    lines(root / "l.jsonl", [{**heard, "num_samples": SR, "duration": 1.0, "channel_ids": [0, 1]}, said])
    put(root / "t.rttm", "SPEAKER call 2 0.25 0.75 <NA> <NA> bob <NA> <NA>\n")
    for spec in (
        {"layout": "kaldi"},
        {"layout": "lhotse", "manifest": "l.jsonl"},
        {"layout": "rttm", "manifest": "t.rttm"},
    ):
        recording = read(root, **spec).recordings[-1]
        assert (recording.n_channels, recording.n_samples) == (1, 6000)
        np.testing.assert_array_equal(sound_of(root, recording), sides[1:, 2000:])


def test_active_part_is_of_the_part(root: Path) -> None:
    """Silence around speech is found inside the stretch, not in the whole file."""
    y = np.zeros((1, 2 * SR))
    y[:, SR : SR + 4000] = tone(440, 0.5, SR)
    write_wav(root / "call.wav", y, SR)
    put(root / "wav.scp", "call call.wav\n")
    put(root / "segments", "a call 0.75 1.75\n")
    (recording,) = read(root, layout="kaldi").recordings
    assert recording.active == pytest.approx((2000, 6000), abs=2)


def test_custom_fields(root: Path) -> None:
    """What a format says beyond the usual is a field too, under its own name; names that a catalogue fills are moved aside."""
    sounds(root, WHOLE[:1])
    kaldi(root, WHOLE[:1])
    put(root / "data/all/utt2accent", f"{WHOLE[0].id} scottish\n")
    (recording,) = read(root, layout="kaldi", folder="data/all").recordings
    assert (recording.meta["accent"], recording.meta["gender"]) == ("scottish", "f")
    row = {"audio_filepath": WHOLE[0].file, "text": "x", "noise": "car", "path": "/x", "id": "one"}
    lines(root / "m.json", [row])
    (recording,) = read(root, layout="nemo", manifest="m.json").recordings
    assert (recording.meta["noise"], recording.meta["custom_path"], recording.meta["id"]) == ("car", "/x", "one")


def test_librispeech_without_texts(root: Path) -> None:
    """The layout alone gives speaker, chapter, subset and gender."""
    sounds(root, WHOLE)
    spec = WRITERS["librispeech"](root, WHOLE)
    for path in sorted(root.rglob("*.trans.txt")):
        path.unlink()
    found = read(root, **spec).recordings
    told = {key: found[0].meta.get(key) for key in ("speaker", "chapter", "subset", "gender", "text")}
    assert told == {"speaker": "777", "chapter": "9", "subset": "dev", "gender": "female", "text": None}


GRID = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.7
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "84 - words"
        xmin = 0
        xmax = 0.7
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.1
            text = ""
        intervals [2]:
            xmin = 0.1
            xmax = 0.3
            text = "say ""hello"""
        intervals [3]:
            xmin = 0.3
            xmax = 0.7
            text = "sil"
    item [2]:
        class = "TextTier"
        name = "phones"
        xmin = 0
        xmax = 0.7
        points: size = 1
        points [1]:
            number = 0.2
            mark = "click"
'''
SHORT_GRID = '"ooTextFile"\n"TextGrid"\n0\n0.7\n<exists>\n1\n"IntervalTier"\n"phones"\n0\n0.7\n2\n0\n0.25\n"HH"\n0.25\n0.7\n"sp"\n'


def test_textgrids(root: Path) -> None:
    """A folder of TextGrids, in Praat's long and short form, gives words and phones; silence and points are none."""
    sounds(root, WHOLE)
    spec = WRITERS["librispeech"](root, WHOLE)
    put(root / "align/84/84-121-0001.TextGrid", GRID)
    put(root / "align/777-9-0000.TextGrid", SHORT_GRID)
    found = {r.meta["id"]: r.meta for r in read(root, alignments="align", **spec).recordings}
    assert found["84-121-0001"]["words"] == [[0.1, 0.3, 'say "hello"']]
    assert "phones" not in found["84-121-0001"]
    assert found["777-9-0000"]["phones"] == [[0.0, 0.25, "HH"]]
    assert "words" not in found["84-121-0002"]


def test_ctm_of_recordings(root: Path) -> None:
    """Words by recording go to the utterance in which they begin, and are told from its start."""
    sounds(root, CUT)
    spec = SEGMENTED["nemo"](root, CUT)
    put(root / "all.ctm", ";; times\ncall 1 0.12 0.2 GOOD 0.9\ncall 1 0.8 0.1 FINE\ncall 1 0.9 0 LOST\n")
    found = {r.meta["id"]: r.meta.get("words") for r in read(root, alignments="all.ctm", **spec).recordings}
    assert found == {
        "ann-call-1": [[0.02, 0.22, "GOOD"]],
        "ann-call-2": [[0.05, 0.15, "FINE"]],
        "bob-call-1": [[0.4, 0.5, "FINE"]],
    }


def test_moved_and_absolute_paths(root: Path) -> None:
    """Paths of another machine are found where `moved` says; absolute ones below the root as they are."""
    sounds(root / "wav", WHOLE[:1])
    row = {"audio_filepath": "/export/corpora/LS/84-121-0001.wav", "text": "x"}
    lines(root / "lists/m.json", [row])
    spec: dict[str, Any] = {"layout": "nemo", "folder": "lists", "manifest": "m.json"}
    (recording,) = read(root, moved={"/export/corpora/LS": "wav"}, **spec).recordings
    assert recording.path == "wav/84-121-0001.wav"
    lines(root / "lists/m.json", [{**row, "audio_filepath": str(root / "wav" / "84-121-0001.wav")}])
    assert read(root, **spec).recordings[0].path == "wav/84-121-0001.wav"
    lines(root / "lists/m.json", [{**row, "audio_filepath": "../wav/84-121-0001.wav"}])
    assert read(root, **spec).recordings[0].path == "wav/84-121-0001.wav"


def test_order_does_not_depend_on_the_lists(root: Path) -> None:
    """The same utterances listed the other way round are the same catalogue."""
    sounds(root, CUT)
    one = read(root, **SEGMENTED["nemo"](root, CUT))
    other = read(root, **SEGMENTED["nemo"](root, CUT[::-1]))
    assert one.fingerprint == other.fingerprint


# ------------------------------------------------------------------------------------------------- what is refused


def kaldi_root(root: Path, **files: str) -> Path:
    """Write a data directory of one utterance, with other texts for some of its files."""
    sounds(root, [Said("a", "a.wav", "", "s")])
    told = {
        "wav.scp": "a a.wav\n",
        "text": "a HELLO\n",
        "utt2spk": "a s\n",
        **{k.replace("_", "."): v for k, v in files.items()},
    }
    for name, text in told.items():
        put(root / name, text)
    return root


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"wav_scp": "a sox a.wav -t wav - |\n"}, r"wav\.scp:1: a: a command \('sox a\.wav -t wav - \|'\), and commands are not run"),
        ({"wav_scp": "a | cat a.wav\n"}, r"wav\.scp:1: a: a command"),
        ({"wav_scp": "a raw.ark:17\n"}, r"wav\.scp:1: a: a place in an archive"),
        ({"wav_scp": "a b.wav\n"}, r"wav\.scp:1: a: there is no file 'b\.wav'"),
        ({"wav_scp": "a ../../etc/passwd\n"}, r"leads outside the data root"),
        ({"wav_scp": "a /etc/passwd\n"}, r"lies outside the data root"),
        ({"wav_scp": "a https://x.org/a.wav\n"}, r"no local file, and nothing is fetched"),
        ({"wav_scp": "a a.wav\na a.wav\n"}, r"wav\.scp:2: 'a' stands in .*wav\.scp:1 already"),
        ({"segments": "a a 0 0.7\na a 0.1 0.2\n"}, r"segments:2: 'a' stands in .*segments:1 already"),
        ({"segments": "a a 0.5 0.8\n"}, r"segments:1: goes from 0\.5 to 0\.8 s, past the end of its file at 0\.7 s"),
        ({"segments": "a a 0.5 0.5\n"}, r"segments:1: goes from 0\.5 to 0\.5 s, which holds no sample"),
        ({"segments": "a a half one\n"}, r"segments:1: a: expected recording, start and end in seconds, got 'a half one'"),
        ({"segments": "a b 0 0.5\n"}, r"segments:1: a: recording 'b' is not in wav\.scp"),
        ({"segments": "a a 0 0.5 3\n"}, r"segments:1: channel 3 of a file of 1"),
        ({"text": "a \n"}, r"text:1: nothing stands behind the id in text"),
        ({"text": "b HELLO\n"}, r"text:1: an utterance that is not in wav\.scp"),
        ({"utt2spk": "\n"}, r"wav\.scp:1: a: has no line in utt2spk"),
        ({"ctm": "a 1 x 0.2 HELLO\n"}, r"ctm:1: expected id, channel, begin, duration and word"),
        ({"text": "a HEL\0LO\n"}, None),
    ],
)  # fmt: skip
def test_bad_kaldi(root: Path, files: dict[str, str], said: str | None) -> None:
    """What is wrong with a data directory is named with its file and line."""
    kaldi_root(root, **files)
    if said is None:
        assert read(root, layout="kaldi").recordings[0].meta["text"] == "HEL\0LO"
        return
    with pytest.raises(AssetError, match=said):
        read(root, layout="kaldi")


def test_commands_are_not_run(root: Path) -> None:
    """A command in wav.scp leaves no trace."""
    kaldi_root(root, wav_scp=f"a touch {root}/ran; cat {root}/a.wav |\n")
    with pytest.raises(AssetError, match="commands are not run"):
        read(root, layout="kaldi")
    assert not (root / "ran").exists()


HEARD = {
    "id": "a", "sources": [{"type": "file", "channels": [0], "source": "a.wav"}], "sampling_rate": SR, "num_samples": 5600,
    "duration": 0.7, "channel_ids": [0],
}  # fmt: skip
TOLD = {"id": "u", "recording_id": "a", "start": 0.0, "duration": 0.7, "channel": 0, "text": "x", "speaker": "s"}


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{**HEARD, "sampling_rate": 16000}, TOLD], r"m\.jsonl:2: is stated at 16000 Hz, and its file is at 8000 Hz"),
        ([{**HEARD, "num_samples": 9000}, TOLD], r"m\.jsonl:2: its file is stated to have 1\.125 s, and has 0\.7 s"),
        ([HEARD, {**TOLD, "duration": 0.8}], r"m\.jsonl:2: goes from 0 to 0\.8 s, past the end"),
        ([HEARD, {**TOLD, "text": " "}], r"m\.jsonl:2: u: its text is empty"),
        ([HEARD, TOLD, TOLD], r"m\.jsonl:3: u: is the id of .*m\.jsonl:2 already"),
        ([HEARD, HEARD, TOLD], r"m\.jsonl:2: a: stands in .*m\.jsonl:1 already"),
        ([HEARD, {**TOLD, "recording_id": "b"}], r"m\.jsonl:2: u: there is no recording 'b'"),
        ([HEARD, {**TOLD, "duration": "long"}], r"m\.jsonl:2: u: expected a number from 0 as duration, got 'long'"),
        ([HEARD, {**TOLD, "start": -0.1}], r"m\.jsonl:2: u: begins at -0\.1 s, before its recording"),
        ([{**HEARD, "transforms": [{"name": "Speed"}]}, TOLD], r"m\.jsonl:2: u: recording 'a' is to be changed while it is read"),
        ([{**HEARD, "sources": [{"type": "command", "channels": [0], "source": "rm a"}]}, TOLD], r"commands are not run"),
        ([{**HEARD, "sources": [{"type": "url", "channels": [0], "source": "x"}]}, TOLD], r"nothing is fetched"),
        ([{"type": "MixedCut", "id": "m"}], r"m\.jsonl:1: m: a MixedCut is neither a cut, a recording nor a supervision"),
        ([{"type": "MonoCut", "id": "c", "start": 0, "duration": 1, "features": {}}], r"a cut without its recording"),
        (["x"], r"m\.jsonl:1: expected a JSON object"),
    ],
)  # fmt: skip
def test_bad_lhotse(root: Path, records: list[Any], said: str) -> None:
    """What is wrong with a manifest is named with its file and line."""
    sounds(root, [Said("a", "a.wav", "", "s")])
    lines(root / "m.jsonl", records)
    with pytest.raises(AssetError, match=said):
        read(root, layout="lhotse", manifest="m.jsonl")


@pytest.mark.parametrize(
    ("name", "text", "spec", "said"),
    [
        ("m.json", '{"audio_filepath": "a.wav", "duration": 2.0}\n', {"layout": "nemo"}, r"m\.json:1: its file is stated to have 2 s"),
        ("m.json", '{"audio_filepath": "a.wav", "offset": 0.5, "duration": 2.0}\n', {"layout": "nemo"}, r"m\.json:1: goes from 0\.5"),
        ("m.json", '{"duration": 2.0}\n', {"layout": "nemo"}, r'm\.json:1: None: no "audio_filepath"'),
        ("m.json", '{"audio_filepath": "a.wav", "text": ""}\n', {"layout": "nemo"}, r"m\.json:1: a\.wav: its text is empty"),
        ("m.json", '{"audio_filepath": "a.wav", "text": "x", "text": "y"}\n', {"layout": "nemo"}, r"'text' stands in it twice"),
        ("m.json", '\n{"audio_filepath": NaN}\n', {"layout": "nemo"}, r"m\.json:2: not JSON \(NaN"),
        ("m.json", '{"a": {"wav": "a.wav", "duration": 3.0}}', {"layout": "speechbrain"}, r"m\.json:1: its file is stated"),
        ("m.json", '{\n"a": {"wav": "b.wav"}\n}', {"layout": "speechbrain"}, r"m\.json:2: a: there is no file 'b\.wav'"),
        ("m.json", '{"a": {"wav": "a.wav"}, "a": {}}', {"layout": "speechbrain"}, r"m\.json: not JSON \('a' stands in it twice"),
        ("m.csv", "ID,wav,wrd\na,a.wav\n", {"layout": "speechbrain"}, r"m\.csv:2: 2 values for 3 columns"),
        ("m.csv", 'ID,wav,wrd\na,a.wav,""\n', {"layout": "speechbrain"}, r"m\.csv:2: a: its text is empty"),
        ("m.csv", "ID,wav\na,a.wav\na,a.wav\n", {"layout": "speechbrain"}, r"m\.csv:3: a: is the id of .*m\.csv:2 already"),
        ("m.csv", 'ID,wav\na,"a.wav\n', {"layout": "speechbrain"}, r"m\.csv:\d: .*check the quotes"),
        ("m.rttm", "SPEAKER a 1 0.1 0 <NA> <NA> s <NA> <NA>\n", {"layout": "rttm"}, r"m\.rttm:1: a: expected an onset and a duration"),
        ("m.rttm", "SPEAKER b 1 0.1 0.2 <NA> <NA> s <NA> <NA>\n", {"layout": "rttm"}, r"m\.rttm:1: b: there is no audio of that name"),
        ("m.rttm", "SPEAKER a 1\n", {"layout": "rttm"}, r"m\.rttm:1: expected SPEAKER, file, channel"),
        ("m.tsv", "path\tsentence\nclips/a.wav\tx\n", {"layout": "commonvoice"}, r"m\.tsv:2: a: there is no file"),
        ("m.tsv", "file\ttext\na.wav\tx\n", {"layout": "commonvoice"}, r"m\.tsv: has no columns 'path' and 'sentence'"),
        ("m.json", "", {"layout": "kaldi", "manifest": None}, r"wav\.scp: there is no such file; a Kaldi data directory has one"),
        ("m.json", "", {"layout": "librispeech", "manifest": None}, r"no file is called like 84-121123-0000\.flac"),
        ("m.json", "", {"layout": "audiofolder", "manifest": None}, r"no metadata\.csv or metadata\.jsonl"),
        ("m.json", "", {"layout": "nemo", "manifest": None}, r"say which file lists the utterances"),
        ("m.json", "", {"layout": "nemo", "manifest": "n.json"}, r"n\.json: there is no such file"),
        ("m.json", "", {"layout": "nemo", "manifest": "../../m.json"}, r"expected a path below the data root"),
        ("m.json", "\x80", {"layout": "nemo"}, None),
    ],
)  # fmt: skip
def test_bad_lists(root: Path, name: str, text: str, spec: dict[str, Any], said: str | None) -> None:
    """What is wrong with the lists of the other formats is named with its file and line."""
    sounds(root, [Said("a", "a.wav", "", "s")])
    put(root / name, text)
    if said is None:
        (root / name).write_bytes(b'{"audio_filepath": "a.wav"}\n\x80\n')
        said = r"m\.json:2: not UTF-8 \(byte 0x80\)"
    with pytest.raises(AssetError, match=said):
        read(root, **{"manifest": name, **spec})


def test_the_rest_is_not_lost(root: Path) -> None:
    """With ``on_bad: skip`` what cannot be used is left out, and listed."""
    sounds(root, WHOLE)
    kaldi(root, WHOLE)
    folder = root / "data/all"
    put(folder / "wav.scp", (folder / "wav.scp").read_text("utf-8").replace("777-9-0000.wav", "gone.wav"))
    found = read(root, layout="kaldi", folder="data/all", on_bad="skip")
    assert [r.meta["id"] for r in found.recordings] == ["84-121-0001", "84-121-0002"]
    (problem,) = found.problems
    assert "wav.scp:1: 777-9-0000: there is no file 'gone.wav'" in problem


def test_links_do_not_lead_out(root: Path) -> None:
    """A link below the root to a file outside is refused, as audio and as a list."""
    outside = put(root.parent / "secret.json", '{"audio_filepath": "a.wav"}\n')
    (root / "m.json").symlink_to(outside)
    with pytest.raises(AssetError, match="a link that leads outside the data root"):
        read(root, layout="nemo", manifest="m.json")
    write_wav(root.parent / "a.wav", noise(0.1, SR, seed=1), SR)
    (root / "a.wav").symlink_to(root.parent / "a.wav")
    lines(root / "n.json", [{"audio_filepath": "a.wav"}])
    with pytest.raises(AssetError, match=r"n\.json:1: .*a link that leads outside the data root"):
        read(root, layout="nemo", manifest="n.json")


def test_bombs(root: Path) -> None:
    """A packed list that unpacks to a thousand times its size is given up early, and so is a line without end."""
    sounds(root, [Said("a", "a.wav", "", "s")])
    line = b'{"audio_filepath": "a.wav", "text": "x"}\n'
    (root / "bomb.json.gz").write_bytes(gzip.compress((b" " * 999 + b"\n") * 40_000))
    with pytest.raises(AssetError, match=r"bomb\.json\.gz: unpacks to more than 200 times its size"):
        read(root, layout="nemo", manifest="bomb.json.gz")
    (root / "long.json").write_bytes(line + b" " * (2**24 + 1))
    with pytest.raises(AssetError, match=r"long\.json:2: a line of more than 16,777,216 bytes"):
        read(root, layout="nemo", manifest="long.json")
    (root / "cut.json.gz").write_bytes(gzip.compress(line * 1000)[:60])
    with pytest.raises(AssetError, match=r"cut\.json\.gz: damaged gzip"):
        read(root, layout="nemo", manifest="cut.json.gz")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"layout": "flat", "manifest": "x"}, "manifest goes with the layout of a corpus"),
        ({"layout": "flat", "columns": {"text": "x"}}, "columns go with `table`, or with the layout of a corpus"),
        ({"layout": "kaldy"}, "kaldi"),
    ],
)
def test_bad_catalogues(spec: dict[str, Any], said: str) -> None:
    """What goes with a corpus alone is refused elsewhere."""
    with pytest.raises(ValueError, match=said):
        CatalogueSpec.model_validate({"data": "d", **spec})
