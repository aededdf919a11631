"""Recipes that cannot be: every fault with file, line and column, all at once, never another exception."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from material import sounds, write_recipe

from audiosynth import load_recipe, plan_clip, shipped_recipe
from audiosynth.errors import AudiosynthError, RecipeError
from audiosynth.files.strictyaml import load

HEAD = "sr: 8000\nduration: 1.0\nclips: 2\n"
NOISE = "noise: {type: coloured, slope_db: -3, level_dbfs: -40}\n"


def one(source: str, more: str = "") -> str:
    """Return a recipe of one event on one line."""
    return HEAD + f"events: [{{label: x, source: {source}, level_dbfs: -20{more}}}]\n"


TONE = "{type: tone, frequency: 500, duration: 0.1}"
CASES = {
    "unknown top key": (HEAD + "evnts: []\n", r":4:1 evnts: .*did you mean 'events'"),
    "unknown event key": (one(TONE, ", lable: y"), r":4:\d+ events\[0\]\.lable: .*did you mean 'label'"),
    "unknown parameter": (one("{type: tone, frequncy: 500, duration: 0.1}"), r"source\.frequncy: .*did you mean 'frequency'"),
    "missing parameter": (one("{type: tone, duration: 0.1}"), r":4:\d+ events\[0\]\.source: 'tone' needs 'frequency'"),
    "unknown type": (one("{type: tune}"), r"source\.type: .*did you mean 'tone'"),
    "no type": (one("{frequency: 500}"), r"source: a synth needs a `type`; there are"),
    "source a number": (one("3"), r"source: expected a map with `type:`, got 3"),
    "source null": (one("null"), r"source: expected a map with `type:`, got null"),
    "no source": (HEAD + "events: [{label: x}]\n", r"events\[0\]: '.*' needs 'source'"),
    "a text for a number": (one("{type: tone, frequency: high, duration: 0.1}"), r"source\.frequency: .*number, got 'high'"),
    "a flag for a number": (one("{type: tone, frequency: true, duration: 0.1}"), r"source\.frequency: .*got True"),
    "a map for a number": (one("{type: tone, frequency: {a: 1, b: 2}, duration: 0.1}"), r"source\.frequency: "),
    "below the range": (one("{type: tone, frequency: -5, duration: 0.1}"), r"events\[0\]\.source\.frequency: .*greater than or equal to .*-5"),
    "drawn below the range": (one("{type: tone, frequency: {uniform: [-5, 500]}, duration: 0.1}"), r"frequency.*: 'uniform' can give -5"),
    "unbounded draw": (one("{type: tone, frequency: {normal: [500, 50]}, duration: 0.1}"), r"no bounds.*use truncnorm"),
    "chosen out of range": (one("{type: tone, frequency: {choice: [500, -1]}, duration: 0.1}"), r"frequency\.choice\[1\]: .*-1"),
    "cased out of range": (HEAD + "let: {k: {cycle: [a, b]}}\n" + one("{type: tone, frequency: {by: {on: $k, cases: {a: 500, b: 0}}}, duration: 0.1}")[len(HEAD):], r"cases\.b: .*got 0"),
    "named out of range": (HEAD + "let: {f: {uniform: [0, 10]}}\n" + one("{type: tone, frequency: $f, duration: 0.1}")[len(HEAD):], r"let\.f.*'uniform' can give 0"),
    "repeated out of range": (HEAD + "events: [{repeat: {n: 2, of: {label: x, source: {type: tone, frequency: 0, duration: 1}}}}]\n", r"repeat\.of\.source\.frequency"),
    "maybe out of range": (HEAD + "events: [{maybe: {p: 0.5, then: {label: x, source: {type: tone, frequency: 0, duration: 1}}}}]\n", r"maybe\.then\.source\.frequency"),
    "fraction for a whole number": (HEAD + "events: [{label: x, source: {type: harmonic, f0: 100, duration: 1, n_partials: {uniform: [1, 3]}}}]\n", r"n_partials.*use integers"),
    "colour missing": (HEAD + "noise: {type: coloured, level_dbfs: -40}\n", r"r\.yaml:4:\d+ noise.*(colour|slope)"),
    "NaN": (one("{type: tone, frequency: .nan, duration: 0.1}"), r":4:\d+"),
    "infinite": (one("{type: tone, frequency: .inf, duration: 0.1}"), r":4:\d+"),
    "overflowing number": (one("{type: tone, frequency: 1e400, duration: 0.1}"), r":4:\d+"),
    "no duration": ("sr: 8000\nclips: 1\n", r"duration: a recipe needs a `duration`"),
    "negative duration": ("sr: 8000\nduration: -1\nclips: 1\n", r":2:\d+ duration: .*greater than 0"),
    "endless duration": ("sr: 8000\nduration: 1e9\nclips: 1\n", r":2:\d+ duration: .*less than or equal to 86400"),
    "rate 0": ("sr: 0\nduration: 1\n", r":1:\d+ sr: expected a whole number from 1000"),
    "rate a fraction": ("sr: 8000.5\nduration: 1\n", r":1:\d+ sr: "),
    "channels 0": ("channels: 0\nduration: 1\n", r"channels: expected a whole number from 1 to 64"),
    "clips negative": ("duration: 1\nclips: -1\n", r":2:\d+ clips: expected a number of clips"),
    "clips a flag": ("duration: 1\nclips: true\n", r":2:\d+ clips: "),
    "clips too many": ("duration: 1\nclips: 1e12\n", r":2:\d+ clips: "),
    "split climbs": ("duration: 1\nclips: {../x: 1}\n", r"clips.*split name"),
    "split reserved": ("duration: 1\nclips: {con: 1}\n", r"clips\.con: .*split name"),
    "split in capitals": ("duration: 1\nclips: {Train: 1}\n", r"clips\.Train: .*split name"),
    "name climbs": ("duration: 1\nname: ../x\n", r":2:\d+ name: .*folder"),
    "name reserved": ("duration: 1\nname: nul\n", r":2:\d+ name: .*folder"),
    "description a list": ("duration: 1\ndescription: [a]\n", r"description: expected a text"),
    "calibration a text": ("duration: 1\ncalibration_db: loud\n", r"calibration_db: expected dB SPL"),
    "seed negative": ("duration: 1\nseed: -1\n", r":2:\d+ seed: "),
    "mp3 in 24 bits": ("duration: 1\noutput: {format: mp3, subtype: PCM_24}\n", r"output.*PCM_24"),
    "no such format": ("duration: 1\noutput: {format: aiff}\n", r":2:\d+ output\.format: .*aiff"),
    "no such exporter": ("duration: 1\nexport: [desd]\n", r":2:\d+ export\[0\]: .*did you mean 'desed'"),
    "exporters a text": ("duration: 1\nexport: desed\n", r"export: expected a list"),
    "exporter a number": ("duration: 1\nexport: [3]\n", r"export\[0\]"),
    "events a map": (HEAD + "events: {label: x}\n", r"events: .*expected a list|events: expected a list"),
    "event a text": (HEAD + "events: [beep]\n", r"events\[0\]: expected a map"),
    "label a number": (HEAD + f"events: [{{label: 3, source: {TONE}}}]\n", r"events\[0\]\.label: .*string, got 3"),
    "label empty": (HEAD + f"events: [{{label: '', source: {TONE}}}]\n", r"events\[0\]\.label: "),
    "SNR without noise": (HEAD + f"events: [{{label: x, source: {TONE}, snr_db: 3}}]\n", r"snr_db but the clip has no noise"),
    "two SNRs": (HEAD + "noise: {type: coloured, slope_db: 0, snr_db: 3}\n" + f"events: [{{label: x, source: {TONE}, snr_db: 3}}]\n", r"exclude each other"),
    "two levels": (HEAD + f"events: [{{label: x, source: {TONE}, level_dbfs: -20, level: {{snr_db: 3}}}}]\n", r"exactly one of snr_db"),
    "two places": (HEAD + f"events: [{{label: x, source: {TONE}, onset: 0, at: {{time: 0.5}}}}]\n", r"onset and at both"),
    "slack too large": (one(TONE, ", onset: {slack: 1.5}"), r"onset\.slack: 'slack' takes a fraction from 0 to 1"),
    "slack in the wrong place": (one("{type: tone, frequency: {slack: 0.5}, duration: 0.1}"), r"frequency.*it fits `onset`"),
    "circular let": (HEAD + "let: {a: $b, b: $a}\n", r"let\.a: \$a depends on itself"),
    "undefined name": (one(TONE, ", onset: $nowhere"), r"onset: \$nowhere is not defined here"),
    "near name": (HEAD + "let: {word: a}\n" + f"events: [{{label: $wrod, source: {TONE}}}]\n", r"did you mean 'word'"),
    "name inside a text": (HEAD + "let: {w: a}\n" + f"events: [{{label: $w!, source: {TONE}}}]\n", r"use join"),
    "two words in a map": (one(TONE, ", onset: {uniform: [0, 1], choice: [1]}"), r"must be alone in its map"),
    "distribution misspelt": (one(TONE, ", onset: {unifrom: [0, 0.5]}"), r"onset"),
    "repeat a fraction": (HEAD + f"events: [{{repeat: {{n: 1.5, of: {{label: x, source: {TONE}}}}}}}]\n", r"repeat\.n: expected whole numbers"),
    "repeat too often": (HEAD + f"events: [{{repeat: {{n: 100000, of: {{label: x, source: {TONE}}}}}}}]\n", r"repeat\.n: .*0 to 1000"),
    "weights of nothing": (one(TONE, ", onset: {weighted: [[0, 0.1]]}"), r"'weighted' takes"),
    "weights not a number": (one(TONE, ", onset: {weighted: [[.nan, 0.1]]}"), r":4:\d+"),
    "choice of nothing": (one(TONE, ", onset: {choice: []}"), r"at least one item"),
    "probability of 2": (HEAD + "room: {maybe: {p: 2, then: {type: none}}}\n", r"maybe\.p: expected a probability"),
    "no such catalogue": (HEAD + "let: {a: {pick: wrods}}\n", r"no catalogue is called 'wrods'"),
    "type drawn": (one("{type: {choice: [tone, chirp]}}"), r"source\.type: .*choose between whole maps"),
    "same name twice": (HEAD + f"events: [{{name: a, source: {TONE}}}, {{name: a, source: {TONE}}}]\n", r"two items are called 'a'"),
    "supervision of nobody": (HEAD + "supervision: {val: weak}\n", r"supervision\.val: expected a split"),
    "a list": ("- 1\n- 2\n", r"r\.yaml.*a recipe is a map"),
    "a text": ("hello\n", r"r\.yaml.*a recipe is a map"),
    "tab": ("sr: 8000\n\tduration: 1\n", r"r\.yaml:2:"),
    "too deep": ("a: " + "[" * 300 + "]" * 300 + "\n", r"r\.yaml:1:"),
    "NUL byte": ("sr: 8000\0\n", r"r\.yaml"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_fault_is_told_with_its_place(tmp_path, name):
    """The message has the file, line and column, the path, and what was expected."""
    text, pattern = CASES[name]
    path = tmp_path / "r.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert re.search(pattern, str(caught.value)), str(caught.value)
    assert all("r.yaml" in str(problem) for problem in caught.value.problems)


def test_not_utf8_and_byte_order_mark(tmp_path):
    """Bytes that are not UTF-8 are refused with the file; a byte order mark does no harm."""
    path = tmp_path / "r.yaml"
    path.write_bytes(HEAD.encode() + b"description: \xff\n")
    with pytest.raises(RecipeError, match=r"r\.yaml.*UTF-8"):
        load_recipe(path)
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert load_recipe(path).sr == 8000


def test_all_faults_come_at_once_and_each_once(tmp_path):
    """Five faults in five places are five problems, in the order of their lines."""
    path = tmp_path / "r.yaml"
    path.write_text(
        "sr: 5\nduration: -1\nevnts: 3\nnoise: {type: colored}\nevents:\n  - label: x\n    source: {type: tone, frequency: 0, duration: 1}\n"
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert sorted(p.path for p in caught.value.problems) == sorted(
        ["sr", "duration", "evnts", "noise.type", "events[0].source.frequency"]
    )


@pytest.mark.parametrize(
    ("override", "match"),
    [
        ("noise.snr_db", "path=value"),
        ("events[7].label=x", r"events\[7\]|7"),
        ("events[0].label.x=1", "label"),
        ("duration=[", "not YAML"),
        ("sr=fast", "sr"),
        ("=3", "expected a path"),
    ],
)
def test_set_that_cannot_be(tmp_path, override, match):
    """An override that cannot be meant is refused, and says so as --set."""
    path = tmp_path / "r.yaml"
    path.write_text(one(TONE))
    with pytest.raises(AudiosynthError, match=match):
        load_recipe(path, set_values=[override])


SCRAP = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**12) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "$kind", "$take.label", "$x", "$$", "tone", "a\tb", "é", "../x", "train"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["uniform", "choice", "weighted", "cycle", "deck", "balance", "product", "pick", "by", "sum", "join", "repeat",
             "maybe", "some_of", "one_of", "sequence", "order", "of", "slack", "literal", "let", "type", "n", "p", "then", "on", "cases", "cost", "label", "source", "x"]
        ),
        inner, max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip


def places(tree: object, path: tuple = ()) -> list[tuple]:
    """Return the path of every value of a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, value in items for place in places(value, (*path, key)))]


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """Return two recipe trees, with and without recordings, and the folder of the recordings."""
    folder = tmp_path_factory.mktemp("fuzz")
    sounds(folder / "words")
    quick = load(shipped_recipe("quickstart").read_text(encoding="utf-8"), name="quickstart.yaml")
    tree = getattr(quick, "data", None) or getattr(quick, "tree", None) or quick[0]
    words = {
        "sr": 8000, "duration": 1.0, "clips": {"train": 3, "test": 2}, "data": {"words": "words"},
        "catalogues": {"words": {"data": "words", "pattern": "{label}_{speaker}_{take}.wav", "group": "speaker"}},
        "splits": {"train": 2, "test": 1},
        "let": {"kind": {"cycle": ["yes", "no"]}, "take": {"pick": {"from": "words", "where": {"label": "$kind"}}}},
        "events": [{"label": "$take.label", "source": {"type": "file", "recording": "$take"}, "onset": {"slack": 0.5},
                    "snr_db": {"by": {"on": "$kind", "cases": {"yes": 3}, "default": {"uniform": [0, 9]}}}}],
        "noise": {"layers": [{"source": {"type": "coloured", "colour": "pink"}}], "level_dbfs": -40},
    }  # fmt: skip
    return [json.loads(json.dumps(tree)), words], folder


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_change_gives_a_plan_or_one_of_our_errors(bases, data):
    """Replace, delete or add anything anywhere: a recipe either plans its clips or is refused in our words."""
    trees, folder = bases
    tree = copy.deepcopy(data.draw(st.sampled_from(trees)))
    for _ in range(data.draw(st.integers(1, 2))):
        change(tree, data)
    path = write_recipe(folder / "r.yaml", tree)
    try:
        recipe = load_recipe(path, clips=2, cache_dir=Path(folder) / "cache")
        for split in recipe.clips:
            for i in range(min(2, recipe.clips[split])):
                plan_clip(recipe, split, i)
        said = "planned"
    except AudiosynthError as error:
        said = str(error)
    assert said


def change(tree: dict, data: st.DataObject) -> None:
    """Change one value of a tree in place."""
    *way, last = data.draw(st.sampled_from(places(tree)[1:] or [("sr",)]))
    holder = tree
    for step in way:
        holder = holder[step]
    kind = data.draw(st.sampled_from(["replace", "replace", "delete", "wrap"]))
    if kind == "delete":
        del holder[last]
    else:
        scrap = data.draw(SCRAP)
        holder[last] = (
            {
                data.draw(st.sampled_from(["choice", "cycle", "literal"])): [
                    holder.get(last) if isinstance(holder, dict) else holder[last]
                ]
            }
            if kind == "wrap"
            else scrap
        )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"noise": {"type": "coloured", "colour": "pink", "level_dbfs": 45}}, [("noise.level_dbfs", "+45 dBFS")]),
        ({"noise": {"type": "coloured", "colour": "pink", "level_dbfs": {"uniform": [-3, 6]}}}, [("noise.level_dbfs", "+6 dBFS")]),
        ({"noise": {"type": "coloured", "colour": "pink", "level_dbfs": 0}}, []),
        ({"noise": {"type": "coloured", "colour": "pink", "level_dbfs": 45}, "mix": {"level_dbfs": -20}}, []),
        ({"noise": {"level_dbfs": -40, "layers": [{"source": {"type": "coloured", "colour": "pink"}, "level_dbfs": 3}, {"source": {"type": "coloured", "colour": "pink"}, "level_dbfs": 0}]}}, []),
        ({"events": [{"repeat": {"n": 2, "of": {"label": "x", "source": {"type": "tone", "frequency": 500, "duration": 0.1}, "onset": 0, "level_dbfs": {"choice": [-9, 9]}}}}]},
         [("level_dbfs.choice[1]", "+9 dBFS")]),
    ],
)  # fmt: skip
def test_a_level_beyond_full_scale_is_worth_a_warning(tmp_path, change, told):
    """No file holds an RMS above full scale; where the mix is given a level afterwards, levels are relative."""
    tree = {"sr": 16000, "duration": 1, "clips": {"train": 1}, **change}
    warnings = load_recipe(write_recipe(tmp_path / "r.yaml", tree)).warnings
    assert len(warnings) == len(told)
    for warning, (place, level) in zip(warnings, told, strict=True):
        assert re.search(
            rf"r\.yaml:\d+:\d+ \S*{re.escape(place)}: {re.escape(level)} \(RMS\) is beyond full scale", warning
        )
