"""Scenes: limits on overlaps and gaps hold in every planned clip, densities and classes follow their laws, roles have their effect."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from material import tone as sine
from material import write_recipe, write_wav
from pydantic import ValidationError
from scene_check import ANYWHERE, KINDS, faults, heard, scene, tones
from scipy import stats

from audiosynth import build, load_recipe, plan_clip, render, reproduce, shipped_recipe
from audiosynth.errors import AudiosynthError, PlanError, RecipeError
from audiosynth.loading.schema import recipe_schema
from audiosynth.planning.drafts import Draft
from audiosynth.planning.limits import Limits
from audiosynth.records.rules import Rules
from audiosynth.sound import polyphony
from audiosynth.sound.spans import Pile, collisions, drawn, holds, left

ALPHA = 1e-6
"""Chance that a law holds and its test fails all the same."""
BEEP = {"type": "tone", "frequency": 300, "duration": 0.2}


def loaded(folder: Path, tree: dict):
    return load_recipe(write_recipe(folder / "r.yaml", tree))


def planned(folder: Path, tree: dict, clips: int) -> list[dict]:
    """Return the specs of the first clips as JSON."""
    recipe = loaded(folder, tree)
    return [plan_clip(recipe, "train", i).to_json() for i in range(clips)]


def rules_of(spec: dict) -> dict:
    return {key: value for key, value in spec.get("scene", {}).items() if value is not None}


@pytest.mark.parametrize("kind", KINDS)
def test_rules_hold(kind, tmp_path):
    """Every kind of rule holds in every clip, counted sample by sample."""
    for spec in planned(tmp_path, KINDS[kind], 60):
        assert faults(spec, rules_of(spec)) == []


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
def test_rules_hold_in_ten_thousand_scenes(kind, tmp_path):
    """The same in 10,000 clips of each kind."""
    recipe = loaded(tmp_path, KINDS[kind])
    broken = []
    for i in range(10_000):
        spec = plan_clip(recipe, "train", i).to_json()
        broken += [(i, fault) for fault in faults(spec, rules_of(spec))]
    assert broken == []


SECONDS = st.floats(0.05, 2.0).map(lambda x: round(x, 3))
COUNTS = st.integers(1, 4)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "max_overlap": COUNTS,
        "min_overlap": COUNTS,
        "max_overlap_per_label": st.one_of(COUNTS, st.dictionaries(st.sampled_from("abc"), COUNTS, min_size=1)),
        "min_overlap_per_label": st.dictionaries(st.sampled_from("abc"), st.integers(1, 2), max_size=2),
        "min_overlap_duration": st.sampled_from([0.0, 0.05, 0.3]),
        "min_gap": SECONDS,
        "min_gap_per_label": st.one_of(SECONDS, st.dictionaries(st.sampled_from("abc"), SECONDS, min_size=1)),
        "roles": st.sampled_from([["foreground"], ["foreground", "interference"], ["interference"]]),
        "protected": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
        "when_full": st.sampled_from(["error", "drop"]),
    },
)
PLACES = st.one_of(
    st.just({"onset": ANYWHERE}),
    st.just({"onset": {"slack": {"beta": [2, 3]}}}),
    st.just({"onset": {"uniform": [-0.5, 9.0]}, "overrun": "cut"}),
    st.just({"at": {"anchor": "offset", "time": {"uniform": [0.2, 10.5]}}, "overrun": "cut"}),
    st.just({"onset": {"follow": {"uniform": [-0.2, 1.0]}}, "overrun": "cut"}),
    st.floats(0.0, 7.0).map(lambda x: {"onset": round(x, 3)}),
)
REPEATS = st.lists(
    st.tuples(st.integers(1, 5), PLACES, st.sampled_from(["foreground", "interference", "background"]), SECONDS),
    min_size=1,
    max_size=3,
)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(rules=RULES, repeats=REPEATS, seed=st.integers(0, 1000))
def test_any_rules_hold_or_are_refused(tmp_path_factory, rules, repeats, seed):
    """Whatever the rules: a planned clip keeps them, and what cannot be planned names the scene, the event or the rule."""
    events = [
        {"repeat": {"n": n, "of": {"label": {"choice": ["a", "b", "c"]}, "role": role, "level_dbfs": -20, **place,
         "source": {"type": "tone", "frequency": 300, "duration": {"uniform": [0.05, seconds + 0.1]}}}}}
        for n, place, role, seconds in repeats
    ]  # fmt: skip
    try:
        recipe = loaded(tmp_path_factory.mktemp("scene"), {**scene(rules, *events), "seed": seed})
    except RecipeError as error:
        refused = str(error)
        recipe = None
    if recipe is None:
        assert "scene" in refused
        return
    for i in range(4):
        try:
            spec = plan_clip(recipe, "train", i).to_json()
        except PlanError as error:
            refused = str(error)
        else:
            assert faults(spec, rules_of(spec)) == []
            assert len(spec["events"]) + spec["scene"]["dropped"] == sum(n for n, *_ in repeats)
            assert plan_clip(recipe, "train", i).to_json() == spec
            continue
        assert refused.startswith(f"clip train/{i}, ")
        assert any(word in refused for word in ("scene.", "does not fit"))


def test_a_rule_moves_only_what_breaks_it(tmp_path):
    """A clip whose own draws keep the rules is the one it would be without them; in another, what may stay stays."""
    free = planned(tmp_path, scene(None, tones(4)), 80)
    ruled = planned(tmp_path, scene({"max_overlap": 2}, tones(4)), 80)
    same = 0
    for a, b in zip(free, ruled, strict=True):
        if not faults(a, {"max_overlap": 2}):
            same += 1
            assert a["events"] == b["events"]
        assert a["events"][0] == b["events"][0]
        assert [e["source"] for e in a["events"]] == [e["source"] for e in b["events"]]
    assert same > 20


def test_clips_do_not_depend_on_each_other(tmp_path):
    """A clip planned alone, last, or by another copy of the recipe is the same."""
    tree = KINDS["no two at once, 80 % of the clip full"]
    forward = planned(tmp_path, tree, 12)
    again = loaded(tmp_path, tree)
    assert [plan_clip(again, "train", i).to_json() for i in reversed(range(12))] == forward[::-1]


def test_places_left_are_equally_likely(tmp_path):
    """Beside 2 s from 4 s on, an event of 1 s begins evenly in [0, 3] and [6, 9]: the draw given the rule, no pile at an edge."""
    standing = {"label": "s", "source": {"type": "tone", "frequency": 300, "duration": 2.0}, "onset": 4.0}
    specs = planned(tmp_path, scene({"max_overlap": 1}, tones(1, seconds=1.0), standing), 3000)
    onsets = np.array([spec["events"][0]["onset"] for spec in specs])
    assert ((onsets <= 3.0) | (onsets >= 6.0)).all()
    together = np.where(onsets > 5, onsets - 3.0, onsets)
    assert stats.kstest(together, "uniform", args=(0, 6)).pvalue > ALPHA


def test_other_laws_are_kept_given_the_rule(tmp_path):
    """A place that is not drawn evenly follows its own law, given that the rule holds."""
    standing = {"label": "s", "source": {"type": "tone", "frequency": 300, "duration": 2.0}, "onset": 4.0}
    tree = scene({"max_overlap": 1}, tones(1, seconds=1.0, onset={"slack": {"beta": [2, 2]}}), standing)
    onsets = np.array([spec["events"][0]["onset"] for spec in planned(tmp_path, tree, 3000)])
    law = stats.beta(2, 2, scale=9)
    free = law.cdf(3) + 1 - law.cdf(6)
    below = np.where(onsets <= 3, law.cdf(onsets), law.cdf(onsets) - (law.cdf(6) - law.cdf(3))) / free
    assert stats.kstest(below, "uniform").pvalue > ALPHA


def test_tight_scenes_are_found(tmp_path):
    """Nine events of 1.1 s stand one after the other in ten seconds, which chance alone would not find."""
    for spec in planned(tmp_path, scene({"max_overlap": 1}, tones(9, seconds=1.1)), 100):
        assert faults(spec, {"max_overlap": 1}) == []
    onsets = [
        e["onset"]
        for s in planned(tmp_path, scene({"max_overlap": 1}, tones(3, seconds=3.0)), 300)
        for e in s["events"]
    ]
    assert max(onsets) - min(onsets) > 6.9  # spread over the whole second that is free


def test_named_times_and_turns_stay(tmp_path):
    """What is drawn once by name, or in exact turns, is not drawn again; the others give way."""
    tree = scene(
        {"max_overlap": 1}, tones(2, seconds=1.0), {"label": "n", "source": {**BEEP, "duration": 3.0}, "onset": "$t"}
    )
    tree["let"] = {"t": {"uniform": [2, 5]}}
    for spec in planned(tmp_path, tree, 50):
        assert spec["events"][2]["onset"] == pytest.approx(spec["let"]["t"], abs=1e-3)
        assert faults(spec, {"max_overlap": 1}) == []


def test_poisson_density(tmp_path):
    """Counts of `density` have the law of a Poisson process, and its onsets are even, whatever the clip's length."""
    specs = planned(
        tmp_path, scene(None, tones({"density": {"per_minute": 24}}, seconds=0.1), duration={"choice": [5, 20]}), 3000
    )
    for seconds in (5.0, 20.0):
        counts = [len(s["events"]) for s in specs if s["duration"] == seconds]
        mean = 24 * seconds / 60
        last = int(mean + 3 * math.sqrt(mean))
        got = [sum(min(c, last) == k for c in counts) for k in range(last + 1)]
        law = [stats.poisson.pmf(k, mean) for k in range(last)]
        expected = len(counts) * np.array([*law, 1 - sum(law)])
        assert stats.chisquare(got, expected).pvalue > ALPHA


def test_fixed_density(tmp_path):
    """The count is one of the two whole numbers beside the mean, and their mean is exact."""
    specs = planned(tmp_path, scene(None, tones({"density": {"per_minute": 15, "kind": "fixed"}}, seconds=0.1)), 2000)
    counts = Counter(len(s["events"]) for s in specs)
    assert set(counts) == {2, 3}
    assert stats.binomtest(counts[3], 2000, 0.5).pvalue > ALPHA


TABLE = {
    "dog": {"probability": 0.75, "max_events": 4, "classes": {"dog": 0.25, "car": 0.75}},
    "car": {"probability": 0.25, "max_events": 1, "classes": {}},
}


def of_class(form: dict, **more) -> dict:
    return {"repeat": {**form, "of": {"label": "$label", "source": BEEP, "onset": ANYWHERE, "level_dbfs": -20, **more}}}


def test_cooccurrence(tmp_path):
    """First classes, counts and what comes with them follow the table."""
    specs = planned(tmp_path, scene(None, of_class({"cooccurrence": TABLE})), 4000)
    lists = [[e["label"] for e in s["events"]] for s in specs]
    dogs = [labels for labels in lists if labels[0] == "dog"]
    assert stats.binomtest(len(dogs), 4000, 0.75).pvalue > ALPHA
    assert all(labels == ["car"] for labels in lists if labels[0] == "car")
    assert stats.chisquare([sum(len(d) == n for d in dogs) for n in (1, 2, 3, 4)]).pvalue > ALPHA
    others = [label for d in dogs for label in d[1:]]
    assert stats.binomtest(others.count("car"), len(others), 0.75).pvalue > ALPHA


def test_cooccurrence_with_exact_first_classes(tmp_path):
    """`first` takes any draw, so that scenes are balanced exactly by their first class."""
    form = {"cooccurrence": {"first": {"cycle": ["dog", "car"]}, "table": TABLE}}
    firsts = [s["events"][0]["label"] for s in planned(tmp_path, scene(None, of_class(form)), 100)]
    assert Counter(firsts) == {"dog": 50, "car": 50}


def test_sequence(tmp_path):
    """Each class depends on the one before as the rows say; what a row lacks to 1 ends the chain."""
    form = {
        "sequence": {
            "first": "door",
            "next": {"door": {"steps": 0.9}, "steps": {"steps": 0.5, "door": 0.3}},
            "max_events": 30,
        }
    }
    specs = planned(tmp_path, scene(None, of_class(form), duration=60.0), 2000)
    lists = [[e["label"] for e in s["events"]] for s in specs]
    assert {labels[0] for labels in lists} == {"door"}
    pairs = Counter(
        pair for labels in lists for pair in zip(labels, [*labels[1:], None], strict=True) if len(labels) < 30
    )
    for label, law in (("door", {"steps": 0.9, None: 0.1}), ("steps", {"steps": 0.5, "door": 0.3, None: 0.2})):
        n = sum(count for (one, _), count in pairs.items() if one == label)
        assert {then for one, then in pairs if one == label} == set(law)
        assert stats.chisquare([pairs[label, then] for then in law], [n * p for p in law.values()]).pvalue > ALPHA


def test_timetable(tmp_path):
    """Events stand at their times, drawn or not, and a `maybe` leaves some out."""
    pairs = [
        [0.5, "door"],
        [{"uniform": [2, 4]}, "steps"],
        {"maybe": {"p": 0.5, "then": [6, {"choice": ["dog", "cat"]}]}},
    ]
    specs = planned(tmp_path, scene(None, of_class({"timetable": pairs}, onset="$time")), 400)
    assert all((s["events"][0]["label"], s["events"][0]["onset"]) == ("door", 0.5) for s in specs)
    assert all(s["events"][1]["label"] == "steps" and 2 <= s["events"][1]["onset"] <= 4 for s in specs)
    late = [s["events"][2]["label"] for s in specs if len(s["events"]) == 3]
    assert stats.binomtest(len(late), 400, 0.5).pvalue > ALPHA
    assert set(late) == {"dog", "cat"}


def test_follow(tmp_path):
    """Each event begins so long after the one before it is last heard; two chains do not mind each other."""
    chain = tones(3, onset={"follow": {"uniform": [0.1, 0.4]}}, seconds={"uniform": [0.2, 1.0]})
    for spec in planned(tmp_path, scene(None, chain, chain), 60):
        for group in (spec["events"][:3], spec["events"][3:]):
            ends = [0.0, *(e["onset"] + e["place"]["n_samples"] / spec["sr"] for e in group)]
            gaps = [e["onset"] - end for e, end in zip(group, ends[:-1], strict=True)]
            assert all(0.1 - 1e-3 <= gap <= 0.4 + 1e-3 for gap in gaps)


def test_follow_with_rules_keeps_its_gaps(tmp_path):
    """Under rules a chain's gaps are still among those it draws."""
    chain = tones(3, onset={"follow": {"uniform": [0.1, 2.0]}}, seconds=0.8)
    for spec in planned(tmp_path, scene({"max_overlap": 1}, tones(3, seconds=0.5), chain), 60):
        chained = spec["events"][3:]
        ends = [0.0, *(e["onset"] + 0.8 for e in chained)]
        assert all(0.1 - 1e-3 <= e["onset"] - end <= 2.0 + 1e-3 for e, end in zip(chained, ends[:-1], strict=True))
        assert faults(spec, {"max_overlap": 1}) == []


def test_digits_follow_in_a_clip_as_long_as_they_are(tmp_path):
    """A chain and `duration: {fit: …}` go together, with rules and without."""
    for rules in (None, {"max_overlap": 1}):
        (spec,) = planned(
            tmp_path, scene(rules, tones(4, onset={"follow": 0.25}, seconds=0.5), duration={"fit": 0.1}), 1
        )
        assert spec["duration"] == pytest.approx(4 * 0.75 + 0.1)


def test_roles(tmp_path):
    """Interference and background are heard and never labeled; the bed's SNR is over the foreground alone."""
    events = [{"label": "a", "source": {**BEEP, "frequency": 300}, "onset": 0.1, "level_dbfs": -30},
              {"label": "b", "role": "interference", "source": {**BEEP, "frequency": 700}, "onset": 0.5, "level_dbfs": -20},
              {"role": "background", "source": {**BEEP, "frequency": 1500}, "onset": 0.2, "level_dbfs": -20}]  # fmt: skip
    bed = {"type": "coloured", "slope_db": 0, "snr_db": 20}
    clips = {}
    for name, some in (("all", events), ("foreground", events[:1])):
        recipe = loaded(tmp_path, {**scene(None, *some, duration=1.0), "sr": 8000, "noise": bed})
        clips[name] = render(plan_clip(recipe, "train", 0))
    assert [label.label for label in clips["all"].labels] == ["a"]
    assert clips["all"].decisions.bed_gain_db == clips["foreground"].decisions.bed_gain_db
    assert clips["all"].outcomes["noise"]["realised_snr_db"] == pytest.approx(20, abs=0.01)
    late = clips["all"].y[0, 4400:5200]
    assert np.sqrt(np.mean(late**2)) == pytest.approx(0.1, rel=0.02)  # -20 dBFS: it is heard


def test_rows_hold_new_keys_only_where_used(tmp_path):
    """A recipe without scenes and roles gives specs without them; with them, they come back from the row."""
    (plain,) = planned(tmp_path, scene(None, tones(1)), 1)
    assert "scene" not in plain
    assert all("role" not in event for event in plain["events"])
    tree = scene({"max_overlap": 1, "when_full": "drop"}, tones(3, role="interference"), clips=2)
    out = build(loaded(tmp_path, tree), tmp_path / "out").root
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert rows[0]["spec"]["scene"]["max_overlap"] == 1
    assert rows[0]["labels"] == []
    assert all(clip.same for clip in reproduce(out))


def test_partial_events_are_marked(tmp_path):
    """A label that goes past an end of the clip says which end of the event is missing."""
    onsets = {"onset": -0.1, "offset": 0.9, "both": -0.1, "": 0.3}
    for partial, onset in onsets.items():
        event = {"label": "a", "overrun": "cut", "onset": onset, "level_dbfs": -20}
        event["source"] = {**BEEP, "duration": 1.5 if partial == "both" else 0.2}
        out = build(
            loaded(tmp_path, {**scene(None, event, duration=1.0, clips=1), "sr": 8000}), tmp_path / f"out{partial}"
        ).root
        (label,) = json.loads((out / "manifest.jsonl").read_text())["labels"]
        assert label.get("partial", "") == partial
        assert 0 <= label["onset"] < label["offset"] <= 1


def bank(folder: Path, tree: dict) -> dict:
    """Write two recordings of each of two classes, and return a recipe that can pick them."""
    for label in ("dog", "car"):
        for k in range(2):
            write_wav(folder / "bank" / label / f"{k}.wav", sine(300 + 100 * k, 0.8, 8000), 8000)
    catalogue = {"data": "bank", "layout": "folders", "group": None}
    return {**tree, "sr": 8000, "data": {"bank": "bank"}, "catalogues": {"sounds": catalogue}}


PICKED = {"type": "file", "recording": {"pick": {"from": "sounds", "where": {"label": "$label"}}}}


def test_protected_events_are_never_cut(tmp_path):
    """They lie in the clip whole even where `overrun: cut` stands, and their recordings are used whole."""
    form = {"cooccurrence": {"dog": {"max_events": 4, "classes": {"car": 1}}}}
    event = of_class(form, source=PICKED, onset={"uniform": [-0.7, 1.9]}, overrun="cut")
    specs = planned(tmp_path, bank(tmp_path, scene({"protected": ["dog"]}, event, duration=2.0)), 200)
    for spec in specs:
        assert faults(spec, rules_of(spec)) == []
        assert spec["events"][0]["overrun"] == "error"
    assert any(e["onset"] < 0 for s in specs for e in s["events"])
    part = of_class(form, source={**PICKED, "duration": 0.5}, overrun="cut")
    with pytest.raises(
        PlanError, match=r"clip train/0, events\[0\]: scene.protected names its label.*used whole; leave out"
    ):
        planned(tmp_path, bank(tmp_path, scene({"protected": ["dog"]}, part, duration=2.0)), 1)


def test_a_class_without_sounds_is_found_when_loading(tmp_path):
    """With the place of the draw, the class, the split, and what there is."""
    form = {"sequence": {"first": "dog", "next": {"dog": {"cat": 1}}, "max_events": 3}}
    with pytest.raises(
        RecipeError,
        match=r"r.yaml:\d+:\d+ .*recording: class 'cat' has no sounds: .*'sounds' in split 'train'.*car, dog",
    ):
        loaded(tmp_path, bank(tmp_path, scene(None, of_class(form, source=PICKED))))
    planned(
        tmp_path,
        bank(tmp_path, scene(None, of_class({"sequence": {**form["sequence"], "max_events": 1}}, source=PICKED))),
        1,
    )


LONG = {"label": "a", "source": {"type": "tone", "frequency": 300, "duration": 12.0}, "onset": ANYWHERE}
CASES = {
    "least over most": (scene({"max_overlap": 1, "min_overlap": 2}, tones(3)), r"scene: min_overlap: 2 and max_overlap: 1 contradict"),
    "gap and overlap": (scene({"min_gap": 0.1, "max_overlap": 2}, tones(3)), r"scene: min_gap keeps all events apart, so max_overlap: 2"),
    "gap and per label": (scene({"min_gap": 0.1, "max_overlap_per_label": {"a": 2}}, tones(3)), r"min_gap keeps all.*max_overlap_per_label\.a: 2"),
    "class gap and class overlap": (scene({"min_gap_per_label": 0.1, "min_overlap_per_label": {"a": 2}}, tones(3)), r"keeps events of 'a' apart"),
    "class least over class most": (scene({"max_overlap_per_label": 1, "min_overlap_per_label": {"a": 2}}, tones(3)), r"min_overlap_per_label\.a: 2 and max_overlap_per_label"),
    "more at once than there are": (scene({"min_overlap": 4}, tones({"integers": [1, 3]})), r":\d+:\d+ scene\.min_overlap: 4 events at once, but a clip has 3 at most"),
    "no such rule": (scene({"max_overlaps": 1}, tones(1)), r"scene\.max_overlaps: .*did you mean 'max_overlap'"),
    "none at once": (scene({"max_overlap": 0}, tones(1)), r"scene\.max_overlap: .*greater than or equal to 1"),
    "drawn from none": (scene({"max_overlap": {"integers": [0, 2]}}, tones(1)), r"scene\.max_overlap\S*: 'integers' can give 0"),
    "a label nobody has": (scene({"max_overlap_per_label": {"dog": 1}}, tones(1)), r"scene\.max_overlap_per_label\.dog: no event of this recipe has the label 'dog'"),
    "protects nobody": (scene({"protected": ["aa"]}, tones(1)), r"scene\.protected: no event of this recipe has the label 'aa'; did you mean 'a'"),
    "longer than its scene": (scene(None, LONG), r"events\[0\]\.source: an event of 12\.000 s is longer than any clip \(10 s\)"),
    "no such role": (scene(None, tones(1, role="ground")), r"role: .*'foreground', 'interference' or 'background'"),
    "two forms": (scene(None, {"repeat": {"n": 1, "density": 3, "of": {}}}), r"'repeat' takes \{n: count, of: …\}, or in place of n one of density"),
    "negative density": (scene(None, tones({"density": -1})), r"repeat\.density\.per_minute: expected events per minute"),
    "too dense": (scene(None, tones({"density": 6000})), r"repeat\.density: 1000 events on average, up to 1,190; a clip holds at most 1,000"),
    "no such kind": (scene(None, tones({"density": {"per_minute": 3, "kind": "even"}})), r"density\.kind: expected poisson or fixed"),
    "misspelt density": (scene(None, tones({"density": {"per_minute": 3, "maximum": 4}})), r"density\.maximum: 'density' has no 'maximum'"),
    "unknown length": (scene(None, tones({"density": 3}), duration={"fit": 1}), r"density: how long the clip is .* give `max`"),
    "no table": (scene(None, of_class({"cooccurrence": 3})), r"cooccurrence: expected \{class: "),
    "no row": (scene(None, of_class({"cooccurrence": {"first": "cow", "table": TABLE}})), r"cooccurrence\.first: class 'cow' has no row"),
    "nobody comes": (scene(None, of_class({"cooccurrence": {"a": {"max_events": 2, "classes": {}}}})), r"cooccurrence\.a\.classes: max_events is 2, but no class"),
    "row of nothing": (scene(None, of_class({"cooccurrence": {"a": {"max_events": 0, "classes": {}}}})), r"a\.max_events: expected a whole number from 1"),
    "over 1": (scene(None, of_class({"sequence": {"first": "a", "next": {"a": {"a": 0.7, "b": 0.4}}, "max_events": 3}})), r"sequence\.next\.a: the probabilities add up to 1\.1"),
    "chain of numbers": (scene(None, of_class({"sequence": {"first": 3, "next": {}, "max_events": 3}})), r"sequence\.first: expected a class"),
    "half a chain": (scene(None, of_class({"sequence": {"first": "a"}})), r"'sequence' takes \{first: "),
    "no times": (scene(None, of_class({"timetable": [["a", 3]]})), r"timetable\[0\]: expected \[time in seconds, label\]"),
    "no label here": (scene(None, tones(1, label="$label")), r"\$label is not defined here"),
    "a case is missing": (scene(None, of_class({"cooccurrence": TABLE}, source={"by": {"on": "$label", "cases": {"dog": BEEP}}})), r"source\S*: class 'car' has no case here"),
    "follow a level": (scene(None, tones(1, level_dbfs={"follow": 1})), r"'follow' says when an event begins; it stands under `onset`"),
    "follow a text": (scene(None, tones(1, onset={"follow": "soon"})), r"onset\.follow: 'follow' takes seconds"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_certainly_wrong_is_told_before_planning(name, tmp_path):
    """One clear message with the place in the file."""
    tree, message = CASES[name]
    with pytest.raises(RecipeError, match=message) as caught:
        loaded(tmp_path, tree)
    assert all(problem.where.startswith(str(tmp_path / "r.yaml")) for problem in caught.value.problems)


IMPOSSIBLE = {
    "too much sound": (scene({"max_overlap": 1}, tones(11, seconds=1.0)), r"clip train/0, scene\.max_overlap: 1 cannot hold: the events last 11\.000 s in all.*10\.000 s at most"),
    "too much of a class": (scene({"max_overlap_per_label": 2}, tones(5, seconds=5.0, label="x")), r"scene\.max_overlap_per_label \('x'\): 2 cannot hold: the events last 25\.000 s"),
    "no room for gaps": (scene({"min_gap": 1.5}, tones(5, seconds=1.0)), r"scene\.min_gap: 1\.5 cannot hold: 5 events and what is between them need 11\.000 s"),
    "too few events": (scene({"min_overlap": 3}, tones({"choice": [1, 4]})), r"scene\.min_overlap: 3 cannot hold: there are 1 such events in this clip"),
    "both stand": (scene({"max_overlap": 1}, tones(2, onset=2.0)), r"scene\.max_overlap cannot hold: no place is left for events\[1\] \('.', .* beside 1 others, where the recipe puts it"),
    "only here": (scene({"max_overlap_per_label": 1}, tones(2, onset={"uniform": [2, 2.1]}, seconds=1.0, label="x")), r"scene\.max_overlap_per_label cannot hold: no place is left for events\[\d\] \('x', 1\.000 s\)"),
    "too short to meet": (scene({"min_overlap": 2, "min_overlap_duration": 1.0}, tones(2, seconds=0.5)), r"scene\.min_overlap: 2 does not hold: .*long enough"),
    "past the end": (scene({"max_overlap": 1}, tones(1, onset={"uniform": [9.8, 9.9]}, seconds=1.0)), r"events\[0\] \('.', 1\.000 s\) does not fit the clip of 10\.000 s where its onset may be"),
    "longer than drawn": (scene({"max_overlap": 1}, tones(1, seconds=3.0), duration={"choice": [2, 4]}), r"events\[0\]: an event of 3\.000 s is longer than its clip of 2\.000 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_scene_says_which_rule_cannot_hold(name, tmp_path):
    """The message names the clip, the rule or the event, and what to change."""
    tree, message = IMPOSSIBLE[name]
    recipe = loaded(tmp_path, tree)
    found = []
    for i in range(20):
        try:
            plan_clip(recipe, "train", i)
        except PlanError as error:
            found.append(str(error).replace(f"train/{i},", "train/0,"))
    with pytest.raises(AudiosynthError, match=message):
        raise PlanError(found[0] if found else "every clip was planned")


def test_what_could_not_be_planned_is_told_as_json(tmp_path):
    """The error carries the event at fault as it was drawn, its onset too."""
    recipe = loaded(tmp_path, IMPOSSIBLE["only here"][0])
    with pytest.raises(PlanError) as caught:
        [plan_clip(recipe, "train", i) for i in range(20)]
    event = json.loads(json.dumps(caught.value.event))
    assert event["label"] == "x"
    assert 2 <= event["onset"] <= 2.1


def test_when_full_drops_and_counts(tmp_path):
    """Events without a place are left out, and the row says how many."""
    specs = planned(tmp_path, scene({"max_overlap": 1, "when_full": "drop"}, tones(15, seconds=1.0)), 40)
    for spec in specs:
        assert len(spec["events"]) + spec["scene"]["dropped"] == 15
        assert 5 <= len(spec["events"]) <= 10
        assert faults(spec, {"max_overlap": 1}) == []


def test_the_schema_knows_scenes(tmp_path):
    """The JSON Schema takes every kind of scene, and refuses what the loader refuses for its shape."""
    validator = Draft202012Validator(recipe_schema())
    more = [of_class({"cooccurrence": TABLE}), of_class({"cooccurrence": {"first": {"cycle": ["dog"]}, "table": TABLE}}),
            of_class({"sequence": {"first": "a", "next": {"a": {"a": 0.5}}, "max_events": 3}}), of_class({"timetable": [[1, "a"]]}, onset="$time"),
            tones({"density": {"per_minute": {"uniform": [3, 9]}, "kind": "fixed", "max": 4}})]  # fmt: skip
    for tree in [*KINDS.values(), *(scene(None, event) for event in more)]:
        loaded(tmp_path, tree)
        assert not list(validator.iter_errors(tree))
    for name in ("no such rule", "none at once", "no such role", "two forms", "negative density", "no such kind", "half a chain", "row of nothing"):  # fmt: skip
        assert not validator.is_valid(CASES[name][0]), name


def test_classes_of_the_shipped_recipe_get_equal_seconds():
    """`balance` with the seconds of one event as cost: each class of recipes/scenes.yaml sounds about as long."""
    recipe = load_recipe(shipped_recipe("scenes"))
    seconds: Counter[str] = Counter()
    for i in range(250):
        spec = plan_clip(recipe, "train", i).to_json()
        assert faults(spec, rules_of(spec)) == []
        for event in spec["events"]:
            if event.get("role") is None:
                seconds[event["label"]] += heard(event, spec["n_samples"]).sum() / spec["sr"]
    assert len(seconds) == 5
    assert max(seconds.values()) < 1.5 * min(seconds.values())


LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "max_overlap": st.integers(1, 3),
        "max_overlap_per_label": st.sampled_from([1, 2, {"a": 1}]),
        "min_gap": st.sampled_from([0.0, 0.004]),
        "min_gap_per_label": st.sampled_from([0.0, 0.005, {"b": 0.003}]),
    },
)


def heard_at(label, *pieces):
    """Return the draft of an event that is heard in some spans."""
    n = pieces[-1][1]
    raw = {"label": label, "onset": 0.0}
    return Draft(raw, None, (), None, None, n, list(pieces), (), tuple(pieces), None, 1000, False)


EVENTS = st.tuples(st.sampled_from(["a", "b", None]), st.integers(1, 9), st.integers(1, 9)).map(
    lambda e: heard_at(e[0], (0, e[1]), (e[1] + 2, e[1] + 2 + e[2]))
)


@given(LIMITS, st.lists(EVENTS, min_size=1, max_size=6), st.data())
def test_limits_that_others_imply_forbid_nothing_more(rules, events, data):
    """What planning looks at forbids the same places as all rules together, as long as what stands keeps them."""
    try:
        limits, standing = Limits(Rules.model_validate(rules), None, 1000), []
    except ValidationError:  # rules that contradict each other
        reject()
    for draft in events:
        whole = left((0, 200), [span for _, taken in limits.taken(draft) for span in taken])
        assert left((0, 200), limits.forbidden(draft)) == whole
        onset = drawn(whole, data.draw(st.floats(0, 0.99)))
        limits.add(draft, onset)
        standing.append((draft, onset))
    if standing:
        limits.remove(*standing.pop(data.draw(st.integers(0, len(standing) - 1))))
        every = [span for _, taken in limits.taken(events[0]) for span in taken]
        assert left((0, 200), limits.forbidden(events[0])) == left((0, 200), every)


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda p: (p[0], p[0] + p[1])), max_size=8)


@given(SPANS, SPANS, st.integers(1, 4), st.booleans())
def test_piles_count(stay, go, times, asked):
    """A pile covers what counting sample by sample says, also after spans were taken away."""
    pile = Pile()
    pile.add(stay)
    pile.add(go)
    if asked:
        pile.covered(times)
    pile.remove(go)
    y = np.zeros(100, int)
    for a, b in stay:
        y[a:b] += 1
    found = np.zeros(100, bool)
    for a, b in pile.covered(times):
        assert not found[a:b].any()
        found[a:b] = True
    assert (found == (y >= times)).all()


@given(SPANS, SPANS, st.tuples(st.integers(-30, 30), st.integers(0, 60)).map(lambda p: (p[0], p[0] + p[1])))
def test_places_left_are_those_without_collision(moving, standing, room):
    """What is left are exactly the shifts at which nothing that moves lies over what stands; all of them can be drawn."""
    free = left(room, collisions(moving, standing))
    for shift in range(room[0] - 2, room[1] + 2):
        clash = any(a + shift < e and s < b + shift for a, b in moving for s, e in standing)
        assert holds(free, shift) == (room[0] <= shift < room[1] and not clash)
    n = sum(b - a for a, b in free)
    assert [drawn(free, (k + 0.5) / n) for k in range(n)] == [x for a, b in free for x in range(a, b)]


def test_polyphony_alone_is_counted_like_pairs() -> None:
    """Samples by polyphony, with and without the pairs of classes, of intervals that touch, repeat and leave the clip."""
    rng = np.random.default_rng(7)
    for _ in range(200):
        ends = rng.integers(-5, 25, (rng.integers(0, 6), 2))
        intervals = [(int(a), int(b), "ab"[int(a) % 2]) for a, b in ends]
        assert polyphony.levels_of(intervals, 20) == dict(polyphony.overlap(intervals, 20).levels)
