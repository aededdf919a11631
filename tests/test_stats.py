"""Metrics of clips and sets: held against counting sample by sample, the textbook's formula and scaper's own numbers."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from material import write_recipe

from audiosynth import build, load_recipe
from audiosynth.cli import cli
from audiosynth.errors import ManifestError
from audiosynth.sound import polyphony
from audiosynth.stats import stats

SR, N = 8000, 40
intervals = st.lists(st.tuples(st.integers(-5, N + 5), st.integers(-5, N + 5), st.sampled_from("abc")), max_size=8)
GOLDEN = Path(__file__).parent / "golden" / "format1.jsonl"


def counted(found, n=N):
    """Return polyphony per sample and per class, by going through the samples."""
    per_class = {label: np.zeros(n, int) for label in "abc"}
    for onset, offset, label in found:
        per_class[label][max(0, onset) : max(0, offset)] += 1
    return sum(per_class.values()), per_class


@given(intervals)
def test_overlaps_are_those_of_every_sample(found):
    """Samples per polyphony and per pair of classes are what a count sample by sample gives."""
    levels, per_class = counted(found)
    made = polyphony.overlap(found, N)
    assert made.levels == Counter(levels.tolist())
    pairs = {(a, b): int(((per_class[a] > 0) & (per_class[b] > 0)).sum()) for a, b in combinations("abc", 2)}
    pairs |= {(a, a): int((per_class[a] > 1).sum()) for a in "abc"}
    assert made.pairs == Counter({pair: n for pair, n in pairs.items() if n})


@given(intervals)
def test_gini_is_the_textbooks(found):
    """It is Σ(2i - n - 1)xᵢ / nΣx over the sorted samples, and the mean is theirs."""
    x = np.sort(counted(found)[0])
    levels = polyphony.overlap(found, N).levels
    assert polyphony.mean_level(levels) == pytest.approx(x.mean())
    if not x.any():
        assert polyphony.gini(levels) is None
        return
    i = np.arange(1, N + 1)
    assert polyphony.gini(levels) == pytest.approx(((2 * i - N - 1) * x).sum() / (N * x.sum()), abs=1e-12)


@pytest.mark.parametrize("name", ["ref1", "ref2", "ref3"])
def test_scaper_says_the_same(shared_data, name):
    """Its polyphony_max is ours, its polyphony_gini is one minus ours but for its grid of 10 ms."""
    jams = json.loads((shared_data / "scaper" / "reference" / f"{name}.jams").read_text())
    (found,) = [a for a in jams["annotations"] if a["namespace"] == "scaper"]
    told, n = found["sandbox"]["scaper"], round(44100 * found["duration"])
    events = [e for e in found["data"] if e["value"]["role"] == "foreground"]
    spans = [
        (round(44100 * e["time"]), round(44100 * (e["time"] + e["duration"])), e["value"]["label"]) for e in events
    ]
    made = polyphony.summarise(polyphony.overlap(spans, n).levels)
    assert made["max"] == told["polyphony_max"]
    assert 1 - made["gini"] == pytest.approx(told["polyphony_gini"], abs=0.001)


def event(label, onset, duration, **more):
    """Return a tone of a recipe."""
    source = {"type": "tone", "frequency": 500, "duration": duration}
    return {"label": label, "source": source, "onset": onset, "snr_db": 10, **more}


TREE = {
    "sr": SR,
    "duration": 1.0,
    "clips": {"train": 2, "test": 1},
    "noise": {"type": "coloured", "colour": "white", "level_dbfs": -40},
    "labels": {"drop_below_snr_db": 0},
    "events": [
        event("dog", 0.1, 0.4),
        event("dog", 0.3, 0.3),
        event("bell", 0.35, 0.05, snr_db=2.6),
        event("hum", 0.0, 1.0, snr_db=-20),
        event(None, 0.0, 1.0),
    ],
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a small set: two dogs that overlap, a bell in both, a hum that nobody hears, one sound without a label."""
    folder = tmp_path_factory.mktemp("set")
    return build(load_recipe(write_recipe(folder / "r.yaml", TREE)), folder / "out").root


def test_rows_have_their_polyphony(root):
    """What is labeled and heard counts: 0.5 s of dogs, 0.2 s of them two, 0.05 s three sounds."""
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text().splitlines()]
    shares = {0: 0.5, 1: 0.3, 2: 0.15, 3: 0.05}
    mean = sum(k * w for k, w in shares.items())
    gini = sum(shares[j] * shares[k] * (k - j) for j, k in combinations(shares, 2)) / mean
    for row in rows:
        assert row["outcomes"]["polyphony"] == {"max": 3, "mean": round(mean, 4), "gini": round(gini, 4)}


def test_a_set_is_counted_by_split(root):
    """Every figure of a split is that of its clips, and 'all' is of all of them."""
    found = stats(root)
    assert list(found["splits"]) == ["train", "test"]
    for figures, n in ((found["splits"]["train"], 2), (found["splits"]["test"], 1), (found["all"], 3)):
        assert (figures["clips"], figures["seconds"], figures["events"], figures["inaudible"]) == (n, n, 3 * n, n)
        assert figures["classes"] == {
            "bell": {"events": n, "seconds": pytest.approx(0.05 * n), "clips": n},
            "dog": {"events": 2 * n, "seconds": pytest.approx(0.7 * n), "clips": n},
        }
        assert figures["polyphony"]["seconds"] == pytest.approx(
            {"0": 0.5 * n, "1": 0.3 * n, "2": 0.15 * n, "3": 0.05 * n}
        )
        assert figures["polyphony"]["clips_by_max"] == {"3": n}
        assert figures["cooccurrence"] == [
            {"classes": ["bell", "dog"], "clips": n, "seconds": pytest.approx(0.05 * n)},
            {"classes": ["dog", "dog"], "clips": n, "seconds": pytest.approx(0.2 * n)},
        ]
        assert figures["snr_histogram"] == [[3, n], [10, 2 * n]]
        assert figures["snr"]["largest_error_db"] < 0.001


def test_rows_of_earlier_versions_are_counted():
    """Rows without metrics of their own have them worked out from their labels."""
    rows = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    assert any("polyphony" not in row["outcomes"] for row in rows)
    found = stats(GOLDEN)["all"]
    heard = [label for row in rows for label in row["labels"] if label.get("audible", True)]
    assert (found["clips"], found["events"]) == (len(rows), len(heard))
    assert found["seconds"] == pytest.approx(sum(row["n_samples"] / row["sr"] for row in rows), abs=1e-4)
    assert sum(found["polyphony"]["seconds"].values()) == pytest.approx(found["seconds"], abs=1e-3)


def test_memory_does_not_grow_with_the_set(root, tmp_path):
    """Ten times the rows take no more memory."""
    line = (root / "manifest.jsonl").read_text().splitlines()[0]
    peaks = []
    for n in (50, 500):
        path = tmp_path / f"{n}.jsonl"
        path.write_text(f"{line}\n" * n)
        tracemalloc.start()
        stats(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 50_000


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{}", r"m\.jsonl:2: not a row that a build writes \(KeyError: 'split'\); was the file edited or cut\?"),
        ('{"split": "a", "labels": [1]}', r"m\.jsonl:2: not a row"),
        ("{", r"m\.jsonl:2: not a row of JSON"),
    ],
)
def test_a_damaged_manifest_is_named(root, tmp_path, line, message):
    """The line that is no row is told with its place."""
    path = tmp_path / "m.jsonl"
    path.write_text((root / "manifest.jsonl").read_text().splitlines()[0] + f"\n{line}\n")
    with pytest.raises(ManifestError, match=message):
        stats(path)


def test_the_command_prints_tables_and_json(root):
    """Tables name splits, classes, pairs and SNRs; the JSON is what the function returns; a wrong split is told."""
    run = CliRunner().invoke
    shown = run(cli, ["stats", str(root)]).stdout
    for text in ("train      2", "all        3", "bell + dog      3", "10 to 14 dB       6", "of the time"):
        assert text in shown
    assert json.loads(run(cli, ["stats", str(root), "--json"]).stdout) == stats(root)
    only = json.loads(run(cli, ["stats", str(root), "--split", "test", "--json"]).stdout)
    assert only == {"splits": {"test": stats(root)["splits"]["test"]}}
    wrong = run(cli, ["stats", str(root), "--split", "tests"])
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "error: --split tests: the set has no such split; did you mean 'test'?\n",
    )
    assert "no such manifest" in run(cli, ["stats", "nowhere"]).stderr
