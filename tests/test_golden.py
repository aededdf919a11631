"""Rows that earlier versions wrote still give their samples, bit for bit; rows that cannot say so clearly.

The rows change only by tests/golden/regenerate.py, which asks for a reason.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audiosynth import registry, reproduce
from audiosynth.errors import ManifestError
from audiosynth.spec import FORMAT

GOLDEN = Path(__file__).parent / "golden"
LINES = [
    line for path in sorted(GOLDEN.glob("format*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()
]
ROWS = {f"format{row['format']}-{row['split']}": row for row in map(json.loads, LINES)}


def types_of(tree: object, key: str = "") -> set[tuple[str, str]]:
    """Return every (place, pinned type) in a tree: the place is the key a component stands under."""
    if isinstance(tree, list):
        return {found for item in tree for found in types_of(item, key)}
    if not isinstance(tree, dict):
        return set()
    own = {(key, tree["type"])} if isinstance(tree.get("type"), str) else set()
    return own.union(*(types_of(value, f"{key}.{name}" if name == "source" else name) for name, value in tree.items()))


FAMILY_OF = {
    "events.source": "synths",
    "layers.source": "noises",
    "room": "rooms",
    "effects": "effects",
}
SEEN = {(FAMILY_OF[key], name) for row in ROWS.values() for key, name in types_of(row["spec"]) if key in FAMILY_OF}


@pytest.mark.parametrize("name", ROWS)
def test_golden_row(name):
    """The samples have the recorded hash, and every gain measured now is the recorded one."""
    (again,) = reproduce([json.dumps(ROWS[name])])
    assert again.got == ROWS[name]["pcm_sha256"]
    assert again.same
    assert again.notes == ()


def test_goldens_are_of_this_format_and_before():
    """Every format from 1 to the present one has its rows, a dozen or more."""
    formats = [row["format"] for row in ROWS.values()]
    assert all(formats.count(number) >= 12 for number in range(1, FORMAT + 1))


@pytest.mark.parametrize(
    ("family", "name"), [(f, n) for f in ("synths", "noises", "rooms", "effects") for n in registry.components(f)]
)
def test_every_portable_component_has_a_golden(family, name):
    """Every version of a portable component that needs no recording sounds in some golden row."""
    cls = registry.components(family)[name]
    if cls.portability != "portable" or {"recording", "recordings"} & set(cls.model_fields):
        pytest.skip("pinned, or needs a recording")
    assert (family, name) in SEEN


def test_every_measure_has_a_golden():
    """Every measure, span, noise span and signal, both directions, and every guard but `error` stand in some row."""
    specs = [row["spec"] for row in ROWS.values()]
    levels = [event["level"] for spec in specs for event in spec["events"] if event["level"]]
    for key, wanted in {
        "measure": {"rms", "a_weighted", "lufs", "active_speech"},
        "span": {"active", "event", "clip"},
        "noise_span": {"same", "clip"},
        "signal": {"image", "early", "direct", "dry"},
    }.items():
        assert {level[key] for level in levels} == wanted
    assert any(spec["noise"] and spec["noise"]["snr_db"] is not None for spec in specs)
    assert {row["outcomes"]["clipped"] > 0 for row in ROWS.values()} == {True, False}
    assert {row["outcomes"]["guarded"] for row in ROWS.values()} == {True, False}
    assert {spec["mix"]["dither"] for spec in specs} == {"none", "tpdf"}


def changed(path: str, value: object) -> str:
    """Return the first golden row with one value replaced, as a line."""
    tree = copy.deepcopy(next(iter(ROWS.values())))
    *way, last = path.split(".")
    place = tree
    for key in way:
        place = place[int(key) if key.isdigit() else key]
    place[last] = value
    return json.dumps(tree)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", 0, r"rows:1: 'format' should be a whole number from 1, got 0; was the row edited\?"),
        ("format", "1", r"'format' should be a whole number from 1, got '1'"),
        ("format", 999, r"format 999 is of a later audiosynth .*install a newer version"),
        ("engine", 999, r"engine 999 is of a later audiosynth .*install a newer version"),
        (
            "spec.events.0.source.type",
            "tone@99",
            r"rows:1 \(tones-000000000\) spec\.events\[0\]\.source: .*tone@99.*edited",
        ),
        ("spec.events.0.source.type", "theremin@1", r"spec\.events\[0\]\.source: .*theremin@1.*edited"),
        ("spec.events.0.source.frequency", "high", r"spec\.events\[0\]\.source.*'high'; was the row edited\?"),
        ("spec.events.0.source.frequency", -3.0, r"spec\.events\[0\]\.source.*-3\.0; was the row edited\?"),
        ("spec.events.0.colour", "red", r"spec\.events\[0\]\.colour: .*no such parameter; was the row edited\?"),
        ("spec.ordinal", 7, r"calls itself tones-000000000, its spec tones-000000007"),
        ("decisions.event_gain_db", [0.0], r"decisions\.event_gain_db should have 2 values; was the row edited\?"),
        ("decisions.ties", [[0, 10**9, 0]], r"a tie .* lies outside the clip; was the row edited\?"),
        ("pcm_sha256", "abc", r"pcm_sha256 should be 64 hexadecimal digits, got 'abc'"),
        ("path", "../../etc/passwd", r"path should be relative and stay inside the dataset"),
    ],
)
def test_rows_that_cannot_be(path, value, message):
    """A row of a later version, or edited into nonsense, is refused by line, clip and field, before any sound is made."""
    with pytest.raises(ManifestError, match=message):
        list(reproduce([changed(path, value)]))


@pytest.mark.parametrize(
    ("path", "value", "note"),
    [
        ("spec.events.0.source.frequency", 441.0, "edited"),
        ("decisions.bed_gain_db", 1.0, r"noise: measured .* dB now, the row says 1\.000000 dB"),
        ("pcm_sha256", "0" * 64, "edited"),
    ],
)
def test_rows_edited_to_another_sound(path, value, note):
    """A row edited within what can be is rendered, does not match, and says what may be the matter."""
    (again,) = reproduce([changed(path, value)])
    assert not again.same
    assert again.got != again.expected
    assert any(re.search(note, text) for text in again.notes)


def test_goldens_are_not_regenerated_without_a_reason(tmp_path):
    """The script refuses to run without a reason, and leaves the rows as they are."""
    shutil.copytree(GOLDEN, tmp_path / "golden", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(GOLDEN.parent / "material.py", tmp_path)
    before = {p.name: p.read_bytes() for p in (tmp_path / "golden").iterdir()}
    for words in ([], ["--reason", ""], ["--reason", "because"]):
        done = subprocess.run(
            [sys.executable, "-B", "golden/regenerate.py", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
            env={"PYTHONPATH": str(GOLDEN.parents[1]), "PATH": ""},
        )
        assert done.returncode == 2
        assert "--reason" in done.stderr
    assert {p.name: p.read_bytes() for p in (tmp_path / "golden").iterdir()} == before


def test_every_regeneration_is_in_the_log():
    """The log beside the rows says why they are what they are."""
    assert (GOLDEN / "log.txt").read_text(encoding="utf-8").startswith("format 1, engine 1: ")
