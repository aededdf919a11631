"""Every exporter's files, read by the field's own reader: events, clips and classes are those of the manifest, F1 = 1.

Readers that install lightly come with the ``test`` extra; `tests/bench/readers.py` installs each of the others in an
environment of its own and prints a table.
"""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path

import pytest
from field_readers import READERS, counted, f1, judged, rows_of, truth
from field_sets import AWKWARD, awkward_set, desed_set, single_set

pytestmark = pytest.mark.filterwarnings("ignore")  # what the readers warn of is theirs
OF_DESED = ("sed_eval", "sed_scores_eval", "psds_eval")


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a set with awkward labels, one for DESED's readers, one for ESC-50's."""
    folder = tmp_path_factory.mktemp("sets")
    return {"awkward": awkward_set(folder), "desed": desed_set(folder), "single": single_set(folder)}


def test_the_sets_have_what_readers_stumble_over(sets: dict[str, Path]) -> None:
    """Empty clips, overlaps within a class and between classes, inaudible events, tails, and every awkward label."""
    rows = rows_of(sets["awkward"])
    spans = [
        [(x["onset_sample"], x["offset_sample"], x["label"]) for x in row["labels"] if x["audible"]] for row in rows
    ]
    crossed = [(a, b) for mine in spans for a in mine for b in mine if a < b and b[0] < a[1]]
    assert any(not mine for mine in spans)
    assert any(a[2] == b[2] for a, b in crossed)
    assert any(a[2] != b[2] for a, b in crossed)
    assert any(not x["audible"] for row in rows for x in row["labels"])
    assert {x["label"] for row in rows for x in row["labels"]} == set(AWKWARD)
    read = [r for row in rows for r in row["outcomes"]["events"]]
    assert any(r["tail_offset"] > r["dry_offset"] + 0.01 for r in read)


@pytest.mark.parametrize("name", READERS)
def test_the_fields_reader_reads_what_the_manifest_says(
    name: str, sets: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events, clips and classes are those of the manifest; where the reader has a metric, the labels score full marks."""
    package = name.split(maxsplit=1)[0]
    pytest.importorskip(
        package, reason=f"{package} is not installed; tests/bench/readers.py tries it in its own environment"
    )
    if name == "datasets audiofolder" and not importlib.import_module("datasets").__version__.startswith("3."):
        pytest.skip("datasets from 4 on decodes audio with torch")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    root = sets["desed" if name in OF_DESED else "single" if name == "soundata" else "awkward"]
    read = READERS[name](root)
    found = judged(root, read)
    told = counted(truth(root, merged=read.merged)), counted(read.events)
    assert (found["f1"], found["all_clips"]) == (1.0, True), told
    assert found["score"] in (None, pytest.approx(1.0))


def test_the_measure_can_fail() -> None:
    """A wrong label, a late offset, a missing and an invented event all cost."""
    true = [("a", 0.0, 1.0, "x"), ("a", 0.5, 2.0, "y")]
    assert f1(true, true, 1e-6) == 1.0
    assert f1(true, true[:1], 1e-6) == pytest.approx(2 / 3)
    assert f1(true, [*true, ("b", 0.0, 1.0, "x")], 1e-6) == pytest.approx(4 / 5)
    assert f1(true, [("a", 0.0, 1.001, "x"), ("a", 0.5, 2.0, "z")], 1e-6) == 0.0
    assert Counter(counted(true)) == Counter({"x": 1, "y": 1})
