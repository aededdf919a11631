"""Catalogues: fields from folders, names and tables; active parts; everything unusable refused at once."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from material import noise, tone, write_wav
from pydantic import ValidationError

from audiosynth.errors import AssetError, ParameterError
from audiosynth.files.decoding import decode_fully
from audiosynth.files.patterns import Pattern
from audiosynth.material.catalogue import Catalogue, CatalogueSpec, scan
from audiosynth.material.index import active_part


def _scan(root: Path, *, cache: Path | None = None, **spec: Any) -> Catalogue:
    made = CatalogueSpec.model_validate({"data": "d", **spec})
    return scan(made, name="mine", root=root, cache_dir=cache or root.parent / "cache")


def _write(path: Path, *, seed: int = 1) -> Path:
    return write_wav(path, noise(0.1, 8000, seed=seed), 8000)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty data root, with a place for caches beside it."""
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


# --- where fields come from ---------------------------------------------------------------------------------------


def test_folders(root: Path) -> None:
    """The first folder is the label, or what follows `label_after` in its name."""
    _write(root / "001 - Dog bark" / "a.wav")
    _write(root / "002 - Sea waves" / "day" / "b.wav", seed=2)
    labels = [r.meta["label"] for r in _scan(root, layout="folders", label_after=" - ").recordings]
    assert labels == ["Dog bark", "Sea waves"]
    assert [r.meta["label"] for r in _scan(root, layout="folders").recordings] == ["001 - Dog bark", "002 - Sea waves"]


def test_pattern(root: Path) -> None:
    """Fields stand in file names; constants fill in what names do not say."""
    _write(root / "7_jackson_32.wav")
    found = _scan(root, pattern="{label}_{speaker}_{take}.wav", group="speaker", licence="CC-BY-SA-4.0", author="FSDD")
    assert found.recordings[0].meta == {
        "author": "FSDD", "label": "7", "licence": "CC-BY-SA-4.0", "speaker": "jackson", "take": "32",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "path", "fields"),
    [
        ("{a}_{b}.wav", "x_y_z.wav", {"a": "x", "b": "y_z"}),
        ("{a}_{b}.wav", "x/y_z.wav", {"a": "y", "b": "z"}),
        ("{a}/{b}.wav", "deep/x/y.wav", {"a": "x", "b": "y"}),
        ("{s}/{c}/{s}-{c}-{u}.flac", "84/121/84-121-0001.flac", {"s": "84", "c": "121", "u": "0001"}),
        ("{s}/{c}/{s}-{c}-{u}.flac", "84/121/85-121-0001.flac", None),
        ("{_}-{a}.wav", "noise-x.wav", {"a": "x"}),
        ("pre{a}.wav", "pre.wav", None),
        ("{a}.wav", "x.flac", None),
        ("{a}_{b}.wav", "_x.wav", None),
        ("{a}__{b}.wav", "x___y.wav", {"a": "x", "b": "_y"}),
        ("{a}/{b}.wav", "y.wav", None),
    ],
)
def test_pattern_matches(pattern: str, path: str, fields: dict[str, str] | None) -> None:
    """A field takes as little as it can, at least one character, and never crosses folders."""
    assert Pattern.parse(pattern).match(path) == fields


@given(st.lists(st.text("ab_-.ñ7", min_size=1, max_size=6), min_size=1, max_size=4))
def test_pattern_round_trip(values: list[str]) -> None:
    """Whatever values hold, a name made of them with a separator of their own gives them back."""
    names = [f"f{i}" for i in range(len(values))]
    pattern = Pattern.parse("=".join(f"{{{name}}}" for name in names) + ".wav")
    assert pattern.match("=".join(values) + ".wav") == dict(zip(names, values, strict=True))


@pytest.mark.parametrize(
    "text", ["plain.wav", "{a", "a}", "{a}{b}.wav", "{1a}.wav", "{a b}.wav", "{path}.wav", "{}.wav"]
)
def test_pattern_refused(text: str) -> None:
    """A pattern without fields, with open braces, touching fields or reserved names is refused."""
    with pytest.raises(ParameterError, match="pattern"):
        Pattern.parse(text)


def test_pattern_is_linear() -> None:
    """Names made to be slow are not: no backtracking."""
    pattern = Pattern.parse("_".join(f"{{f{i}}}" for i in range(30)) + ".wav")
    assert pattern.match("_" * 100_000 + ".mp3") is None  # one that goes back never ends here


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", 'filename,category,speaker\nb.wav,"a, b",\na.wav,yes,ann\n'),
        ("t.tsv", "filename\tcategory\tspeaker\nb.wav\ta, b\t\na.wav\tyes\tann\n"),
        ("t.csv", '\ufefffilename,category,speaker\r\nb.wav,"a, b",\r\na.wav,yes,ann\r\n'),
        (
            "t.jsonl",
            '{"filename": "b.wav", "category": "a, b"}\n\n{"filename": "a.wav", "category": "yes", "speaker": "ann"}\n',
        ),
    ],
)
def test_table(root: Path, name: str, text: str) -> None:
    """CSV, TSV and JSON lines give fields by column, renamed; rows come in order of their paths, empty cells are none."""
    for k, file in enumerate(("a.wav", "b.wav", "not_named.wav")):
        _write(root / "audio" / file, seed=k)
    (root / "meta").mkdir()
    (root / "meta" / name).write_text(text, encoding="utf-8", newline="")
    found = _scan(root, folder="audio", table=f"meta/{name}", columns={"path": "filename", "label": "category"})
    assert [(r.path, r.meta) for r in found.recordings] == [
        ("audio/a.wav", {"label": "yes", "speaker": "ann"}),
        ("audio/b.wav", {"label": "a, b"}),
    ]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"path\na.wav\ngone.wav\n", r"t\.csv:3: there is no file 'gone\.wav'"),
        (b"path\na.wav\n./a.wav\n", r"t\.csv:3: 'a\.wav' stands in line 2 already"),
        (b"path\n../secret.wav\n", r"t\.csv:2: .*below the data root"),
        (b"path\n/etc/passwd\n", r"t\.csv:2: .*below the data root"),
        (b"file\na.wav\n", r"t\.csv:1: no 'path' among the columns file; .*`columns: \{path: its name\}`"),
        (b"file;x\na.wav;1\nb.wav;2\n", r"t\.csv:1: no 'path' among the columns file;x; a table needs it"),
        (b"", r"t\.csv: the table is empty; expected a row for each file, with its name as 'path'"),
        (b"path,label\n", r"t\.csv: the table has a header and no rows; expected a row for each file"),
        (b"path,label\na.wav\n", r"t\.csv:2: 1 values for 2 columns"),
        (b'path,label\na.wav,"x\n', r"t\.csv:\d: .*check the quotes"),
        (b"path,label\na.wav,caf\xe9\n", r"t\.csv:2: not UTF-8 \(byte 0xe9\)"),
        (b"path,events\na.wav,x\n", r"t\.csv:2: column 'events' cannot be a field"),
    ],
)
def test_table_refused(root: Path, text: bytes, match: str) -> None:
    """What is wrong with a table is told with file and line."""
    _write(root / "a.wav")
    _write(root.parent / "secret.wav")
    (root / "t.csv").write_bytes(text)
    with pytest.raises(AssetError, match=match):
        _scan(root, table="t.csv")


def test_a_table_by_its_name(root: Path) -> None:
    """A folder is not a table, and neither is what ends in something else."""
    (root / "t.csv").mkdir()
    with pytest.raises(AssetError, match=r"t\.csv: is a folder; `table` is a file below the data root"):
        _scan(root, table="t.csv")
    with pytest.raises(ValueError, match=r"expected a file below the data root that ends in \.csv, \.tsv or \.jsonl"):
        _scan(root, table="/etc/passwd")


@pytest.mark.parametrize(
    "line",
    [
        '{"path": "a.wav", "x": [1]}',
        "[1]",
        "{",
        '{"path": "a.wav", "x": NaN}',
        '{"path": 3}',
        r'{"path": "a.wav", "x": "\ud800"}',
    ],
)
def test_json_rows_refused(root: Path, line: str) -> None:
    """A line that is no flat object with a path is refused by its number."""
    _write(root / "a.wav")
    (root / "t.jsonl").write_text(f"\n{line}\n")
    with pytest.raises(AssetError, match=r"t\.jsonl:2: "):
        _scan(root, table="t.jsonl")


def test_include_exclude(root: Path) -> None:
    """Suffixes and patterns choose files, whatever the case; dot files and other files are passed over."""
    for k, name in enumerate(("a.WAV", "b.wav", "skip/c.wav", ".hidden.wav", ".dir/d.wav")):
        _write(root / name, seed=k)
    soundfile.write(root / "e.flac", noise(0.1, 8000, seed=9)[0], 8000)
    (root / "README.md").write_text("about")

    def paths(**spec: Any) -> list[str]:
        return [r.path for r in _scan(root, layout="flat", **spec).recordings]

    assert paths() == ["a.WAV", "b.wav", "e.flac", "skip/c.wav"]
    assert paths(include=["*.wav"]) == ["a.WAV", "b.wav", "skip/c.wav"]
    assert paths(include=[".flac"]) == ["e.flac"]
    assert paths(exclude=["skip/*", ".FLAC"]) == ["a.WAV", "b.wav"]


# --- what stands in a recording -----------------------------------------------------------------------------------


def test_order_and_names(root: Path) -> None:
    """Recordings come in order of UTF-8 bytes of their composed names, whatever the file system gives."""
    stored = [unicodedata.normalize("NFD", "trñ00.wav"), "trz.wav", "B.wav", "a.wav", "trn01.wav"]
    for k, name in enumerate(stored):
        _write(root / name, seed=k)
    paths = [r.path for r in _scan(root, layout="flat").recordings]
    assert paths == ["B.wav", "a.wav", "trn01.wav", "trz.wav", unicodedata.normalize("NFC", "trñ00.wav")]


def test_fingerprint(root: Path) -> None:
    """The fingerprint is the same for the same data, and another for other sound or another field."""
    _write(root / "a.wav")
    first = _scan(root, layout="flat").fingerprint
    assert _scan(root, layout="flat").fingerprint == first
    assert _scan(root, layout="flat", label="x").fingerprint != first
    _write(root / "a.wav", seed=2)
    os.utime(root / "a.wav", ns=(1, 1))
    assert _scan(root, layout="flat").fingerprint != first


def test_cache_of_another_decoder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another libsndfile measured is measured again, as another decoder may give another length."""
    _write(root / "a.wav")
    _scan(root, layout="flat")
    calls = []
    monkeypatch.setattr(
        "audiosynth.material.index.decode_fully", lambda data, name: calls.append(name) or decode_fully(data, name)
    )
    _scan(root, layout="flat")
    assert calls == []
    monkeypatch.setattr(soundfile, "__libsndfile_version__", "0.0.1")
    _scan(root, layout="flat")
    assert len(calls) == 1


def test_active_part(root: Path) -> None:
    """The active part is the sound between leading and trailing silence, to the sample."""
    y = np.concatenate([np.zeros((1, 1234)), tone(440, 0.5, 8000) + 0.01, np.zeros((1, 777))], axis=1)
    write_wav(root / "a.wav", y, 8000)
    made = _scan(root, layout="flat").recordings[0]
    assert made.active == (1234, 1234 + 4000)
    assert made.n_samples == y.shape[1]
    assert _scan(root, layout="flat", trim_db=None).recordings[0].active == (0, y.shape[1])


@pytest.mark.parametrize(("level_db", "trim_db", "heard"), [(-50, -60, True), (-70, -60, False), (-30, -20, False)])
def test_trim_threshold(level_db: float, trim_db: float, heard: bool) -> None:
    """A soft beginning counts if its power is above the loudest frame plus `trim_db`."""
    square = np.sign(tone(100, 0.5, 8000) + 1e-9)
    y = np.concatenate([10 ** (level_db / 20) * square, square], axis=1)
    assert (active_part(y, 8000, trim_db=trim_db)[0] < 80) == heard


@pytest.mark.parametrize("n", [1, 79, 80, 81, 161])
def test_active_part_of_short_sounds(n: int) -> None:
    """Sounds shorter than a frame, or just longer, are active from end to end, in any channel."""
    y = np.zeros((2, n))
    y[1] = 0.5
    assert active_part(y, 8000, trim_db=-60) == (0, n)


def test_events_beside(root: Path) -> None:
    """Label files beside recordings become events in seconds; frequency lines and a header are passed over."""
    for name in ("a", "b", "c"):
        write_wav(root / f"{name}.wav", noise(2.0, 8000, seed=1), 8000)
    (root / "a.txt").write_text("0.500000\t1.25\tdog bark\n\\\t100\t200\n1.5\t2.004\tcat\n")
    (root / "b.txt").write_text("onset\toffset\tevent_label\n0\t1\tx\n")
    (root / "c.txt").write_text("")
    events = [r.meta["events"] for r in _scan(root, layout="flat", annotations=".txt").recordings]
    assert events == [[[0.5, 1.25, "dog bark"], [1.5, 2.0, "cat"]], [[0.0, 1.0, "x"]], []]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (None, r"a\.wav: no annotations 'a\.txt' beside it"),
        (
            "0.1\t0.2\tx\n0.3\t0.2\ty\n",
            r"a\.txt:2: expected 0 <= onset < offset <= 1\.000 s and a label, got 0\.3, 0\.2",
        ),
        ("0.1\t1.2\tx\n", r"a\.txt:1: expected 0 <= onset"),
        ("0.1\tnan\tx\n", r"a\.txt:1: expected 0 <= onset"),
        ("0.1 0.2 x\n", r"a\.txt:1: expected onset, offset and label between tabs"),
        ("0.1\t0.2\t\n", r"a\.txt:1: .* and a label"),
    ],
)
def test_events_refused(root: Path, text: str | None, match: str) -> None:
    """Annotations that are missing or lie outside the recording are told with file and line."""
    write_wav(root / "a.wav", noise(1.0, 8000, seed=1), 8000)
    if text is not None:
        (root / "a.txt").write_text(text)
    with pytest.raises(AssetError, match=match):
        _scan(root, layout="flat", annotations=".txt")


def test_lossy_by_content(root: Path) -> None:
    """A lossy file under another suffix is noted, and so is a lossless one in Ogg."""
    soundfile.write(root / "a.wav", noise(0.5, 16000, seed=1)[0], 16000, format="OGG", subtype="VORBIS")
    soundfile.write(root / "b.ogg", noise(0.5, 16000, seed=2)[0], 16000, format="OGG", subtype="VORBIS")
    _write(root / "c.ogg")
    assert [r.meta.get("lossy") for r in _scan(root, layout="flat").recordings] == [True, None, False]


# --- what is refused ----------------------------------------------------------------------------------------------


def test_all_problems_at_once(root: Path) -> None:
    """Every unusable file is named with its reason, in one error; `skip` leaves them out and lists them."""
    _write(root / "good_ann.wav")
    (root / "empty_ann.wav").write_bytes(b"")
    (root / "text_ann.wav").write_text("hello " * 50)
    (root / "phone_ann.m4a").write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0" + b"\0" * 99)
    write_wav(root / "silent_ann.wav", np.zeros((1, 800)), 8000)
    soundfile.write(root / "nan_ann.wav", np.array([0.1, np.nan]), 8000, subtype="FLOAT")
    _write(root / "nospeaker.wav")
    spec: dict[str, Any] = {"pattern": "{label}_{speaker}.wav", "exclude": ["phone*"]}
    with pytest.raises(AssetError) as caught:
        _scan(root, **spec)
    text = str(caught.value)
    assert "catalogue 'mine': 5 files cannot be used" in text
    for name, reason in (
        ("empty_ann.wav", "empty (0 bytes)"), ("text_ann.wav", "not audio that libsndfile can read"),
        ("silent_ann.wav", "silent, every sample is 0"), ("nan_ann.wav", "NaN or infinite"),
        ("nospeaker.wav", "does not fit the pattern '{label}_{speaker}.wav'"),
    ):  # fmt: skip
        assert any(name in line and reason in line for line in text.splitlines()), name
    found = _scan(root, **spec, on_bad="skip")
    assert [r.path for r in found.recordings] == ["good_ann.wav"]
    assert len(found.problems) == 5
    with pytest.raises(AssetError, match=r"phone_ann\.m4a: MPEG-4 or AAC.*convert it"):
        _scan(root, layout="flat", include=["phone*"])


def test_many_problems(root: Path) -> None:
    """Twenty problems are shown and the rest counted."""
    for k in range(25):
        (root / f"{k:02d}.wav").write_bytes(b"")
    with pytest.raises(AssetError, match=r"25 files cannot be used(?s:.*)… and 5 more") as caught:
        _scan(root, layout="flat", on_bad="skip")
    assert str(caught.value).count("0 bytes") == 20


def test_nothing_there(root: Path) -> None:
    """A missing folder and a folder without audio name the ways out."""
    with pytest.raises(AssetError, match=r"there is no folder .*gone; correct `folder`, or .*--data d=DIR"):
        _scan(root, layout="flat", folder="gone")
    (root / "README.md").write_text("about")
    with pytest.raises(AssetError, match=r"catalogue 'mine': no audio in .*--data d=DIR"):
        _scan(root, layout="flat")


def test_links(root: Path) -> None:
    """Links that lead outside the root are refused, links to folders are not followed, links within are fine."""
    _write(root.parent / "outside" / "x.wav")
    _write(root / "a.wav")
    (root / "b.wav").symlink_to(root / "a.wav")
    assert [r.path for r in _scan(root, layout="flat").recordings] == ["a.wav", "b.wav"]
    (root / "c.wav").symlink_to(root.parent / "outside" / "x.wav")
    (root / "more").symlink_to(root.parent / "outside")
    with pytest.raises(AssetError, match=r"more: a link to a folder(?s:.*)c\.wav: a link that leads outside"):
        _scan(root, layout="flat")
    with pytest.raises(AssetError, match="leads outside the data root"):
        _scan(root, layout="flat", folder="more")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_name_not_utf8(root: Path) -> None:
    """A name that is not UTF-8 is refused."""
    _write(root / "a.wav")
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.wav")).write_bytes(b"")
    with pytest.raises(AssetError, match=r"the name is not UTF-8; rename"):
        _scan(root, layout="flat")


def test_two_names_in_one(root: Path) -> None:
    """Two files whose names differ only in the encoding of an accent are refused."""
    for form in ("NFC", "NFD"):
        _write(root / unicodedata.normalize(form, "ñ.wav"))
    if len(list(root.iterdir())) == 1:
        pytest.skip("this file system composes names itself")
    with pytest.raises(AssetError, match="how accents are encoded"):
        _scan(root, layout="flat")


@pytest.mark.parametrize(
    ("tree", "match"),
    [
        ({}, "expected one of layout, pattern and table, got none"),
        ({"layout": "flat", "table": "t.csv"}, "got layout and table"),
        ({"layout": "flat", "label_after": "x"}, "label_after goes with"),
        ({"layout": "flat", "columns": {"path": "x"}}, "columns go with"),
        ({"layout": "folders", "label": "x"}, "label is given twice"),
        ({"pattern": "{label}.wav", "label": "x"}, "label is given twice"),
        ({"layout": "flat", "folder": "../x"}, "below the data root"),
        ({"layout": "flat", "folder": "/etc"}, "below the data root"),
        ({"layout": "flat", "licence": "free, I think"}, "SPDX"),
        ({"layout": "flat", "trim_db": 3}, "less than or equal to -10"),
        ({"pattern": "x.wav"}, "a pattern with fields"),
        ({"layout": "flat", "pat": 1}, "Extra inputs"),
    ],
)
def test_spec_refused(tree: dict[str, Any], match: str) -> None:
    """What cannot be meant is refused before any file is touched."""
    with pytest.raises(ValidationError, match=match):
        CatalogueSpec.model_validate({"data": "d", **tree})


def test_group_must_be_there(root: Path) -> None:
    """A catalogue grouped by a field refuses recordings without it; `path` and null need none."""
    _write(root / "a.wav")
    with pytest.raises(AssetError, match=r"a\.wav: has no speaker to group it by"):
        _scan(root, layout="flat", group="speaker")
    assert CatalogueSpec(data="d", layout="flat").group_fields() == ("path",)
    assert CatalogueSpec(data="d", layout="flat", group=None).group_fields() == ()
    assert _scan(root, layout="flat", group=None).recordings


# --- the cache ----------------------------------------------------------------------------------------------------


def test_cache_spares_decoding(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second scan decodes nothing; a file with another size or time is measured again; other trimming as well."""
    import audiosynth.material.index as module

    for k in range(3):
        _write(root / f"{k}.wav", seed=k)
    measured: list[str] = []
    real = module.measure
    monkeypatch.setattr(module, "measure", lambda file, **kw: (measured.append(file.name), real(file, **kw))[1])
    first = _scan(root, layout="flat")
    assert len(measured) == 3
    assert _scan(root, layout="flat") == first
    assert len(measured) == 3
    write_wav(root / "1.wav", noise(0.2, 8000, seed=7), 8000)
    assert _scan(root, layout="flat").recordings[1].n_samples == 1600
    assert measured[3:] == ["1.wav"]
    _scan(root, layout="flat", trim_db=-40)
    assert len(measured) == 7


@pytest.mark.parametrize("damage", ["{", "[]", "null", '{"key": 1}', "\xff\xfe"])
def test_damaged_cache(root: Path, damage: str) -> None:
    """A cache that cannot be read is as good as none."""
    _write(root / "a.wav")
    first = _scan(root, layout="flat")
    (file,) = (root.parent / "cache").iterdir()
    file.write_bytes(damage.encode("latin-1"))
    assert _scan(root, layout="flat") == first


@pytest.mark.parametrize(
    "change", [{"sha256": "x"}, {"n_samples": -1}, {"first": 10**9}, {"sr": "8000"}, {"lossy": 0}, {"more": 1}]
)
def test_damaged_entry(root: Path, change: dict[str, Any]) -> None:
    """An entry of the cache that cannot be true is measured again."""
    _write(root / "a.wav")
    first = _scan(root, layout="flat")
    (file,) = (root.parent / "cache").iterdir()
    tree = json.loads(file.read_text())
    tree["files"]["a.wav"]["measured"].update(change)
    file.write_text(json.dumps(tree))
    assert _scan(root, layout="flat") == first


def test_cache_nowhere(root: Path) -> None:
    """Where no cache can be written a scan works all the same."""
    _write(root / "a.wav")
    (root.parent / "taken").write_text("a file")
    assert _scan(root, cache=root.parent / "taken", layout="flat").recordings


def test_cache_from_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`AUDIOSYNTH_CACHE` says where indexes are kept."""
    _write(root / "a.wav")
    monkeypatch.setenv("AUDIOSYNTH_CACHE", str(root.parent / "here"))
    scan(CatalogueSpec(data="d", layout="flat"), name="mine", root=root)
    assert len(list((root.parent / "here").iterdir())) == 1


# --- real recordings ----------------------------------------------------------------------------------------------


def test_digits(shared_data: Path, tmp_path: Path) -> None:
    """The spoken digits give 10 labels × 4 speakers × 30 takes by their names; a warm scan gives the same."""
    spec: dict[str, Any] = {"pattern": "{label}_{speaker}_{take}.wav", "group": "speaker"}
    cold = _scan(shared_data / "speech" / "fsdd", cache=tmp_path, **spec)
    assert len(cold.recordings) == 1200
    assert {r.meta["label"] for r in cold.recordings} == set("0123456789")
    assert len({r.meta["speaker"] for r in cold.recordings}) == 4
    assert _scan(shared_data / "speech" / "fsdd", cache=tmp_path, **spec) == cold


def test_sound_events(shared_data: Path, tmp_path: Path) -> None:
    """ESC-10 gives ten labels from folder names; its digital silence is not active."""
    found = _scan(
        shared_data / "events" / "esc10", cache=tmp_path, layout="folders", label_after=" - ", include=["*.ogg"],
        exclude=["00[2346789] - *"],
    )  # fmt: skip
    assert {r.meta["label"] for r in found.recordings} == {"Dog bark", "Clock tick", "Fire crackling"}
    bark = next(r for r in found.recordings if r.path.endswith("/1-100032-A.ogg"))
    y, sr = soundfile.read(shared_data / "events" / "esc10" / bark.path)
    assert bark.active[1] - bark.active[0] < 0.5 * sr
    outside = np.concatenate([y[: bark.active[0]], y[bark.active[1] :]])
    assert np.sum(outside**2) < 1e-6 * np.sum(y**2)


def test_accented_name(shared_data: Path, tmp_path: Path) -> None:
    """A real file whose name is not ASCII is found under its composed name."""
    found = _scan(shared_data / "speech" / "meetings", cache=tmp_path, layout="flat")
    assert unicodedata.normalize("NFC", "trñ00.wav") in [r.path for r in found.recordings]


def test_odd_encodings(shared_data: Path, tmp_path: Path) -> None:
    """Of the odd encodings only the m4a and the digital silence are refused."""
    with pytest.raises(
        AssetError, match=r"2 files(?s:.*)digital_silence\.wav: silent(?s:.*)testing\.m4a: .*libsndfile cannot"
    ):
        _scan(shared_data / "odd_encodings", cache=tmp_path, layout="flat")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_name_of_another_system(root: Path) -> None:
    """A name that another system would read as a path elsewhere is refused."""
    _write(root / "a\\b.wav")
    with pytest.raises(AssetError, match="a name with a backslash or like a drive's"):
        _scan(root, layout="flat")
