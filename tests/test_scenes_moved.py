"""Rules of scenes hold where the effects of the mix leave the labels: judged by what the effects do to samples, not by their time maps."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from scene_check import ANYWHERE, heard, overlap_faults, scene, tones
from test_scenes import planned

from audiosynth import build, load_recipe, registry
from audiosynth.clip import RenderContext
from audiosynth.errors import PlanError
from audiosynth.records.moves import Piece, moves_of, through
from audiosynth.sound.spans import Pile

ROUND: list[dict[str, Any]] = [{"type": "shift", "time": {"uniform": [1.0, 9.0]}, "rollover": True, "fade": 0.0}]
MIXES: dict[str, list[dict[str, Any]]] = {
    "round the end": ROUND,
    "out of view": [{"type": "shift", "time": {"uniform": [-3.0, 3.0]}, "fade": 0.0}],
    "backwards": [{"type": "reverse"}],
    "a part again": [{"type": "repeat", "start": 1.0, "duration": 2.5, "n": 1, "mode": "replace", "crossfade": 0.0}],
    "faster, then silence": [{"type": "speed", "factor": 1.25}, {"type": "pad", "after": 2.0}],
    "backwards and round": [{"type": "reverse"}, *ROUND],
}
RULES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "apart": ({"min_gap": 0.25}, tones(5, seconds={"uniform": [0.2, 0.8]})),
    "of a label apart": ({"min_gap_per_label": 0.4}, tones(6, seconds={"uniform": [0.2, 0.8]})),
    "together": ({"min_overlap": 2, "min_overlap_duration": 0.3}, tones(4, seconds={"uniform": [0.6, 1.2]})),
    "left out where full": (
        {"min_gap": 0.25, "when_full": "drop"},
        tones({"density": 60}, seconds={"uniform": [0.2, 0.6]}),
    ),
    "not together": ({"max_overlap": 1}, tones(5, seconds={"uniform": [0.2, 1.2]})),
}
SLACK = 0.004
"""Seconds by which a resampled mask may be off: its edges ring."""


def moved(spec: dict[str, Any]) -> list[np.ndarray]:
    """Return in which samples of the clip each event is heard in the end: masks as sound through the effects of the mix."""
    masks = np.stack([heard(event, spec["n_samples"]) for event in spec["events"]]).astype(float)
    for tree in spec["mix"]["effects"]:
        effect: Any = registry.create("effects", tree)
        masks = effect.apply(masks, RenderContext(sr=spec["sr"], n_channels=len(masks)))
    return list(masks > 0.5)


def gap_faults(masks: list[np.ndarray], labels: list[str], rules: dict[str, Any], sr: int) -> list[str]:
    """Return which events are nearer to each other than a gap allows, wherever pieces of them are."""
    out = []
    for i, j in combinations(range(len(masks)), 2):
        wanted = [rules.get("min_gap"), rules.get("min_gap_per_label") if labels[i] == labels[j] else None]
        n = max((round((gap - SLACK) * sr) for gap in wanted if gap is not None), default=0)
        if n and (np.convolve(masks[i], np.ones(2 * n + 1), "same")[masks[j]] > 0.5).any():
            out.append(f"events {i} and {j}")
    return out


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("name", RULES)
def test_rules_hold_in_the_end(tmp_path, mix: str, name: str) -> None:
    """In every clip, after the effects of the mix."""
    rules, events = RULES[name]
    for spec in planned(tmp_path, {**scene(rules, events), "mix": {"effects": MIXES[mix]}}, 15):
        masks, labels = moved(spec), [event["label"] for event in spec["events"]]
        least = round((rules.get("min_overlap_duration", 0.0) - SLACK) * spec["sr"])
        at_once = {key: value for key, value in rules.items() if "overlap" in key}
        assert overlap_faults(masks, labels, at_once, max(1, least)) == []
        assert gap_faults(masks, labels, rules, spec["sr"]) == []


def test_the_old_places_would_break_them(tmp_path) -> None:
    """Places that are judged before such an effect alone bring events too near in many clips: the test above can fail."""
    rules, events = {"min_gap": 0.25}, tones(9, seconds=0.6)
    faults = 0
    for spec in planned(tmp_path, scene(rules, events), 40):
        turned = {**spec, "mix": {"effects": [{"type": "shift@1", "time": 5.0, "rollover": True, "fade": 0.0}]}}
        labels = [event["label"] for event in spec["events"]]
        faults += bool(gap_faults(moved(turned), labels, rules, spec["sr"]))
    assert faults >= 4


def test_places_stay_where_nothing_is_broken(tmp_path) -> None:
    """Effects that move nothing near a rule leave the draws as they are."""
    rules, events = RULES["apart"]
    plain = planned(tmp_path, scene(rules, events), 30)
    after = planned(tmp_path, {**scene(rules, events), "mix": {"effects": MIXES["backwards"]}}, 30)
    assert [[e["onset"] for e in spec["events"]] for spec in after] == [
        [e["onset"] for e in spec["events"]] for spec in plain
    ]


FIXED = {"source": {"type": "tone", "frequency": 300, "duration": 1.0}, "level_dbfs": -20}


@pytest.mark.parametrize(
    ("rules", "events", "mix", "said"),
    [
        ({"min_gap": 0.5}, [{**FIXED, "label": "a", "onset": 0.1}, {**FIXED, "label": "b", "onset": 8.8}],
         [{"type": "shift", "time": 5.0, "rollover": True}],
         r"scene\.min_gap: 0\.5 does not hold: 'b' ends at 4\.800 s and the next at 5\.100 s once the effects of the mix \(shift\)"),
        ({"protected": ["a"]}, [{**FIXED, "label": "a", "onset": 9.0}], [{"type": "shift", "time": 0.5}],
         r"scene\.protected: 'a' is cut once the effects of the mix \(shift\) have moved it"),
        ({"protected": ["a"]}, [{**FIXED, "label": "a", "onset": 0.0}], [{"type": "shift", "time": -2.0}], r"scene\.protected: 'a' is cut"),
        ({"min_overlap": 2}, [{**FIXED, "label": "a", "onset": 0.0}, {**FIXED, "label": "b", "onset": 0.5}],
         [{"type": "shift", "time": -4.0}], r"scene\.min_overlap: 2 does not hold for long enough once"),
        ({"min_gap_per_label": 0.5}, [{**FIXED, "label": "a", "onset": 1.0}],
         [{"type": "repeat", "start": 0.9, "duration": 1.2, "n": 1, "mode": "replace"}],
         r"scene\.min_gap_per_label: 0\.5 does not hold: 'a' ends at 2\.000 s and the next at 2\.200 s"),
    ],
)  # fmt: skip
def test_what_cannot_hold_is_named(tmp_path, rules: Any, events: Any, mix: Any, said: str) -> None:
    """Where nothing can be drawn anew, the rule is named, and what broke it."""
    with pytest.raises(PlanError, match=said):
        planned(tmp_path, {**scene(rules, *events), "mix": {"effects": mix}}, 1)


def test_a_clip_as_long_as_its_events(tmp_path) -> None:
    """Its length is known last, and the rules are looked at then."""
    events = [{**FIXED, "label": "a", "onset": 0.1}, {**FIXED, "label": "b", "onset": 3.0}]
    tree = {**scene({"min_gap": 0.5}, *events, duration={"fit": 0.0}), "mix": {"effects": [{"type": "reverse"}]}}
    assert planned(tmp_path, tree, 1)[0]["n_samples"] == 4000
    tree["mix"] = {"effects": [{"type": "shift", "time": 2.0, "rollover": True}]}
    with pytest.raises(
        PlanError, match=r"scene\.min_gap: 0\.5 does not hold: 'b' ends at 2\.000 s and the next at 2\.100 s"
    ):
        planned(tmp_path, tree, 1)


def test_labels_of_a_build(tmp_path) -> None:
    """What is written in the manifest keeps the gap."""
    import json

    from material import write_recipe

    tree = {
        **scene({"min_gap": 0.25}, tones(4, seconds=0.4, onset=ANYWHERE), duration=4.0, clips=6),
        "mix": {"effects": ROUND},
    }
    tree["mix"] = {"effects": [{**ROUND[0], "time": {"uniform": [0.5, 3.5]}}]}
    out = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out").root
    for line in (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        found = sorted((a["onset_sample"], a["offset_sample"], a["event"]) for a in json.loads(line)["labels"])
        assert all(b[0] - a[1] >= 250 or a[2] == b[2] for a, b in pairwise(found))


def test_effects_put_no_more_over_each_other() -> None:
    """Whatever the chain, no more labels lie over each other after it than before: `max_overlap` holds by itself."""
    rng = np.random.default_rng(11)
    kinds = (
        lambda: {"type": "shift", "time": float(rng.uniform(-1, 1)), "rollover": bool(rng.integers(2))},
        lambda: {"type": "reverse"},
        lambda: {"type": "repeat", "start": float(rng.uniform(0, 0.5)), "duration": float(rng.uniform(0.05, 0.4)), "n": 2, "mode": "replace"},
        lambda: {"type": "speed", "factor": float(rng.uniform(0.5, 2))},
        lambda: {"type": "time_stretch", "rate": float(rng.uniform(0.5, 2))},
        lambda: {"type": "clock_drift", "ppm": float(rng.uniform(-9000, 9000)), "wander_ppm": 900.0},
        lambda: {"type": "trim", "start": 0.1},
        lambda: {"type": "pad", "before": 0.2},
    )  # fmt: skip
    for _ in range(150):
        sr, n = 1000, 1500
        effects = [registry.create("effects", kinds[k]()) for k in rng.integers(len(kinds), size=3)]
        try:
            moves = moves_of(effects, n, sr)
        except ValueError:
            continue
        pieces = [
            Piece(int(a), int(a + d)) for a, d in zip(rng.integers(0, 1300, 8), rng.integers(1, 200, 8), strict=True)
        ]
        before, after = Pile(), Pile()
        before.add(piece[:2] for piece in pieces)
        after.add(piece[:2] for piece in through(pieces, moves))
        most = max(k for k in range(1, 9) if before.covered(k))
        assert after.covered(most + 1) == []
