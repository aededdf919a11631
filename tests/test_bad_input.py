"""What a user gets for bad input, at the command line: one clear message, an exit code, nothing half written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from material import full_recipe, noise, sounds, tone, tree_of, write_recipe, write_wav

from audiosynth import build, load_recipe
from audiosynth.cli import cli

M4A = b"\x00\x00\x00\x20ftypM4A \x00\x00\x02\x00M4A mp42isom\x00\x00\x00\x00" + bytes(64)
"""The head of an MPEG-4 audio file (ISO/IEC 14496-12: a box of type ftyp, brand "M4A ")."""


class Said(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def say(capsys, monkeypatch, tmp_path):
    """Return a function that runs a command line."""
    monkeypatch.setenv("AUDIOSYNTH_CACHE", str(tmp_path / "cache"))

    def run(*words: object) -> Said:
        with pytest.raises(SystemExit) as caught:
            cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Said(int(caught.value.code or 0), out, err)

    return run


def bank(folder: Path, **changes: object) -> Path:
    """Write six recordings and a recipe that draws from them; `changes` replace parts of it."""
    sounds(folder / "words")
    tree = {
        "sr": 16000,
        "duration": 1.0,
        "clips": {"train": 2, "test": 1},
        "data": {"words": "words"},
        "catalogues": {"words": {"data": "words", "pattern": "{label}_{speaker}_{take}.wav", "group": "speaker"}},
        "splits": {"train": 2, "test": 1},
        "events": [
            {
                "let": {"take": {"pick": {"from": "words"}}},
                "label": "$take.label",
                "source": {"type": "file", "recording": "$take"},
                "onset": {"slack": {"uniform": [0, 1]}},
                "level": {"level_dbfs": -20},
            }
        ],
        **changes,
    }
    return write_recipe(folder / "bank.yaml", tree)


def refused(say, recipe: Path, out: Path, *patterns: str, code: int) -> None:
    """Build, expect every pattern in the message, and nothing at `out`."""
    import re

    before = tree_of(recipe.parent)
    said = say("build", recipe, "-o", out, "--workers", 1)
    assert said.code == code, said
    for pattern in patterns:
        assert re.search(pattern, said.err), said.err
    assert said.err.startswith("error: ")
    assert all(line.startswith(("error: ", "warning: ", "  ")) for line in said.err.splitlines()), said.err
    assert {*tree_of(out)} <= {".build/lock", ".build/state.json"}, "no audio, no rows, nothing that says a set"
    assert tree_of(recipe.parent) == before


@pytest.mark.parametrize(
    ("change", "patterns"),
    [
        ({"durration": 2.0}, (r"bank\.yaml:\d+:\d+ durration", "did you mean 'duration'")),
        ({"sr": "fast"}, (r"bank\.yaml:\d+:\d+ sr", "fast")),
        ({"duration": [1, 2]}, (r"bank\.yaml:\d+:\d+ duration",)),
        ({"events": [{"label": "x", "source": {"type": "tone", "frequency": -5, "duration": 0.1}}]}, (r"events\[0\]\.source\.frequency", "greater than or equal", "-5")),
        ({"events": [{"label": "x", "source": {"type": "tone", "frequency": 500, "duration": {"normal": [0.1, 1]}}}]}, (r"events\[0\]\.source\.duration", "truncnorm")),
        ({"events": [{"label": "x", "source": {"type": "chrip", "fmin": 1}}]}, ("did you mean 'chirp'",)),
        ({"splits": {"train": 1, "test": 1, "val": 1, "dev": 1}, "clips": {"train": 1, "test": 1, "val": 1, "dev": 1}}, ("too few groups", "assign")),
        ({"duration": 0.2}, (r"clip \w+/0", r"events\[0\]", "longer than its clip")),
        ({"catalogues": {"words": {"data": "words", "pattern": "{label}-{speaker}.wav"}}}, (r"yes_ann_0\.wav", r"\{label\}-\{speaker\}\.wav")),
        ({"data": {"words": "nowhere"}}, ("words", "--data words=DIR", "AUDIOSYNTH_DATA_WORDS")),
    ],
    ids=["unknown key", "wrong type", "list for a number", "range", "unbounded draw", "no such type", "few groups",
         "longer than the clip", "wrongly named", "no such folder"],
)  # fmt: skip
def test_recipes_that_cannot_be(say, tmp_path, change, patterns):
    """Faults of a recipe are told with their place and the way out, exit code 2 (1 for recordings), and nothing is written."""
    recipe = bank(tmp_path / "material", **change)
    recordings = any(word in patterns[0] for word in ("too few", "yes_ann", "words"))
    refused(say, recipe, tmp_path / "out", *patterns, code=1 if recordings else 2)


@pytest.mark.parametrize(
    ("name", "content", "pattern"),
    [
        ("yes_dan_0.wav", b"", "empty|zero|no samples|cannot be read"),
        ("yes_dan_0.wav", b"not audio at all", "cannot be read|not a"),
        ("yes_dan_0.wav", M4A, "MPEG-4|m4a|AAC"),
        ("yes_dan_0.wav", "silent", "silen"),
        ("yes_dan_0.wav", "nan", "NaN"),
        ("yes_dan_0.wav", "no samples", "no samples|empty|zero"),
    ],
    ids=["empty file", "text", "m4a", "silent", "NaN", "zero length"],
)
def test_recordings_that_cannot_be(say, tmp_path, name, content, pattern):
    """A recording that cannot be used is named, with the reason, before anything is rendered."""
    import soundfile

    recipe = bank(tmp_path / "material")
    path = recipe.parent / "words" / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        y = {"silent": np.zeros(8000), "nan": np.full(8000, np.nan), "no samples": np.zeros(0)}[content]
        soundfile.write(path, y, 8000, subtype="FLOAT")
    refused(say, recipe, tmp_path / "out", "catalogue 'words'", rf"{name}.*({pattern})", code=1)


def test_an_empty_folder(say, tmp_path):
    """A data root without recordings is named."""
    recipe = bank(tmp_path / "material")
    shutil.rmtree(recipe.parent / "words")
    (recipe.parent / "words").mkdir()
    refused(say, recipe, tmp_path / "out", "words", "no (recordings|audio)|empty|holds no", code=1)


def test_four_channels_where_mono_is_meant(say, tmp_path):
    """A source of four channels in a mono clip says which two settings would fit."""
    tree = {
        "sr": 16000, "duration": 1.0, "clips": 1, "data": {"q": "q"},
        "catalogues": {"q": {"data": "q", "layout": "flat", "group": None}},
        "events": [{"label": "x", "source": {"type": "file", "recording": {"pick": {"from": "q"}}, "channel": "all"}}],
    }  # fmt: skip
    write_wav(tmp_path / "material" / "q" / "four.wav", noise(0.5, 16000, seed=1, channels=4), 16000)
    recipe = write_recipe(tmp_path / "material" / "four.yaml", tree)
    refused(
        say,
        recipe,
        tmp_path / "out",
        r"train-000000000",
        r"events\[0\]: q:four\.wav has 4 channels",
        "4 channels$",
        "channel: 0",
        code=1,
    )


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("sr: 16000\nsr: 8000\n", r"r\.yaml:2:1.*'?sr'?.*twice"),
        ("a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\n"
         "d: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e]\n"
         "g: &g [*f, *f, *f, *f, *f, *f, *f, *f]\nh: [*g, *g, *g, *g, *g, *g, *g, *g]\n", r"r\.yaml:\d+:\d+.*(alias|nodes|large|big)"),
        ("a: &a\n  b: *a\n", r"r\.yaml:\d+:\d+.*(itself|alias|recurs)"),
        ("x: !!python/object/apply:os.system ['touch hacked']\n", r"r\.yaml:1:4.*tag"),
        ("x: [1, 2\n", r"r\.yaml:\d+:\d+"),
        ("", r"r\.yaml: .*(empty|nothing|NoneType)"),
    ],
    ids=["duplicate key", "aliases without end", "alias of itself", "Python tag", "unclosed", "empty"],
)  # fmt: skip
def test_yaml_that_is_not_taken(say, tmp_path, text, pattern):
    """Odd YAML is refused with file, line and column, and runs nothing."""
    recipe = tmp_path / "material" / "r.yaml"
    recipe.parent.mkdir()
    recipe.write_text(text)
    refused(say, recipe, tmp_path / "out", pattern, code=2)
    assert not Path("hacked").exists()


def test_a_folder_that_holds_another_build(say, tmp_path):
    """Another build is left as it is; the message says what differs and how to go on."""
    recipe = bank(tmp_path / "material")
    assert say("build", recipe, "-o", tmp_path / "out", "--workers", 1).code == 0
    before = tree_of(tmp_path / "out")
    said = say("build", recipe, "-o", tmp_path / "out", "--seed", 9, "--workers", 1)
    assert said.code == 1
    assert "holds another build" in said.err
    assert "the seed" in said.err
    assert "--fresh" in said.err
    assert tree_of(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({"path": "../../elsewhere.wav"}, "stay inside the dataset"),
        ({"pcm_sha256": "0"}, "64 hexadecimal"),
        ({"spec": {"sr": 16000}}, "was the row edited"),
        ({"format": 7}, "later audiosynth"),
    ],
)
def test_rows_edited_by_hand(say, tmp_path, change, pattern):
    """`reproduce` and `verify` refuse a damaged row with file and line, and write nothing."""
    root = built(tmp_path)
    lines = (root / "manifest.jsonl").read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), **change})
    (root / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    data = [f"--data={k}={tmp_path / 'material' / k}" for k in ("words", "rooms", "beds")]
    said = say("reproduce", root, *data, "-o", tmp_path / "again", "--clip", json.loads(lines[1])["clip_id"])
    assert said.code == 1
    assert pattern in said.err
    assert "manifest.jsonl:2" in said.err
    assert not list((tmp_path / "again").rglob("*.wav"))
    assert say("verify", root).code == 1


def built(tmp_path: Path) -> Path:
    """Return a dataset that uses every kind of recording."""
    recipe = load_recipe(full_recipe(tmp_path / "material"), cache_dir=tmp_path / "cache")
    return build(recipe, tmp_path / "set").root


def test_an_asset_whose_bytes_changed(say, tmp_path):
    """`reproduce` names the recording, its hash, and where to say a folder that has the right one."""
    root = built(tmp_path)
    for path in sorted((tmp_path / "material" / "words").glob("*.wav")):
        write_wav(path, tone(777, 0.4, 8000), 8000)
    data = [f"--data={k}={tmp_path / 'material' / k}" for k in ("words", "rooms", "beds")]
    said = say("reproduce", root, *data)
    assert said.code == 1
    assert "words" in said.err
    assert "sha256" in said.err.lower().replace("-", "")
    assert len(said.err.splitlines()) == 1
