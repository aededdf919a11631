"""The recipe language: what each word draws, over clips, splits and the whole set."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from material import sounds, write_recipe

from audiosynth import load_recipe, plan_clip, shipped_recipe
from audiosynth.errors import PlanError, RecipeError
from audiosynth.language.reserved import shares

BEEP = {"type": "tone", "frequency": 500, "duration": 0.1}


def event(**changes):
    """Return one event with a level."""
    return {"label": "x", "source": BEEP, "onset": 0, "level_dbfs": -20, **changes}


def recipe_of(folder, **changes):
    """Load a recipe of one event, with changes."""
    options = {k: changes.pop(k) for k in ("set_values", "seed", "clips") if k in changes and k != "clips"}
    tree = {"sr": 8000, "duration": 1.0, "clips": {"train": 40, "test": 20}, "events": [event()], **changes}
    return load_recipe(write_recipe(folder / "r.yaml", tree), cache_dir=folder / "cache", **options)


def labels(recipe, split="train", n=None):
    """Return the label of the first event of every clip."""
    return [plan_clip(recipe, split, i).events[0].label for i in range(n or recipe.clips[split])]


def onsets(recipe, n=40):
    """Return all onsets of the first clips."""
    return [[e.onset for e in plan_clip(recipe, "train", i).events] for i in range(n)]


def test_cycle_is_exact_over_every_pass_and_split(tmp_path):
    """After each whole pass every item has come equally often; the order differs between passes and splits."""
    recipe = recipe_of(tmp_path, events=[event(label={"cycle": list("abcd")})])
    for split in ("train", "test"):
        found = labels(recipe, split)
        passes = [tuple(found[i : i + 4]) for i in range(0, len(found), 4)]
        assert all(sorted(p) == list("abcd") for p in passes)
        assert len(set(passes)) > 1
    assert labels(recipe)[:20] != labels(recipe, "test")


def test_deck_gives_each_item_once_and_says_when_it_is_used_up(tmp_path):
    """Without replacement within a split; the message says how to go on."""
    recipe = recipe_of(tmp_path, events=[event(label={"deck": [f"w{i}" for i in range(20)]})])
    assert len(set(labels(recipe, "test"))) == 20
    with pytest.raises(PlanError, match=r"clip train/20.*deck of 20 is used up.*cycle"):
        plan_clip(recipe, "train", 20)


def test_product_balances_combinations(tmp_path):
    """Each combination comes equally often; two independent cycles are warned about."""
    case = {"product": {"a": ["x", "y"], "b": [0.1, 0.2, 0.3, 0.4, 0.5]}}
    recipe = recipe_of(tmp_path, let={"case": case}, events=[event(label="$case.a", onset="$case.b")])
    found = Counter((s.events[0].label, s.events[0].onset) for s in (plan_clip(recipe, "train", i) for i in range(40)))
    assert set(found.values()) == {4}
    assert len(found) == 10
    assert recipe.warnings == ()
    two = recipe_of(tmp_path, events=[event(label={"cycle": ["x", "y"]}, onset={"cycle": [0.1, 0.2]})])
    (warning,) = two.warnings
    assert "r.yaml:" in warning
    assert "product" in warning


def test_balance_gives_equal_seconds_per_class(tmp_path):
    """In every 1,000 draws count · cost is the same for all classes, to one use; costs by item or in order."""
    costs = {"dog": 1.25, "bell": 4.0, "rain": 5.0}
    for cost in (costs, list(costs.values())):
        recipe = recipe_of(tmp_path, clips=1000, events=[event(label={"balance": {"of": list(costs), "cost": cost}})])
        found = Counter(labels(recipe))
        seconds = [found[name] * costs[name] for name in costs]
        assert max(seconds) - min(seconds) <= max(costs.values())
        assert sum(found.values()) == 1000


def test_shares_by_largest_remainder():
    """Hamilton's method on a worked case: 1/1 : 1/2 : 1/4 of 10 is 5.71 : 2.86 : 1.43."""
    assert shares([1.0, 2.0, 4.0], 10) == (6, 3, 1)


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        ({"of": ["a"]}, "'balance' takes"),
        ({"of": ["a", "b"], "cost": [1]}, "one number above 0 for each of the 2"),
        ({"of": ["a", "b"], "cost": [1, 0]}, "above 0"),
        ({"of": ["a", "b"], "cost": {"a": 1, "c": 2}}, "one entry for each item"),
        ({"of": ["a", "b"], "cost": [1, 1e5]}, "less than once"),
    ],
)
def test_balance_that_cannot_be(tmp_path, raw, match):
    """Each is refused with its place."""
    with pytest.raises(RecipeError, match=match):
        recipe_of(tmp_path, events=[event(label={"balance": raw})])


def test_choice_weighted_and_maybe_keep_their_odds(tmp_path):
    """Frequencies of 4,000 clips lie within four standard deviations; a weight of 0 never comes."""
    odds = {"weighted": [[3, "a"], [0, "never"], [1, "b"]]}
    recipe = recipe_of(
        tmp_path, clips=4000,
        events=[event(label=odds), {"maybe": {"p": 0.25, "then": event(label={"choice": ["c", "d"]})}}],
    )  # fmt: skip
    specs = [plan_clip(recipe, "train", i) for i in range(4000)]
    found = Counter(s.events[0].label for s in specs)
    assert found.keys() == {"a", "b"}
    assert abs(found["a"] - 3000) < 4 * (4000 * 0.75 * 0.25) ** 0.5
    seconds = Counter(s.events[1].label for s in specs if len(s.events) > 1)
    assert abs(sum(seconds.values()) - 1000) < 4 * (4000 * 0.25 * 0.75) ** 0.5
    assert abs(seconds["c"] - seconds["d"]) < 4 * 1000**0.5


def test_let_names_are_drawn_once_and_seen_where_they_stand(tmp_path):
    """A clip's name is one value everywhere; an event's hides it; a repeat draws anew for each cast."""
    recipe = recipe_of(
        tmp_path,
        let={"word": {"choice": list("abcdefgh")}, "same": "$word"},
        events=[
            event(label="$word"),
            event(label="$same"),
            {"repeat": {"n": 2, "of": event(let={"word": {"choice": list("ABCDEFGH")}}, label="$word")}},
        ],
    )
    specs = [plan_clip(recipe, "train", i) for i in range(30)]
    assert all(s.events[0].label == s.events[1].label == s.let["word"] for s in specs)
    assert all(s.events[2].label.isupper() and s.events[2].let["word"] == s.events[2].label for s in specs)
    assert any(s.events[2].label != s.events[3].label for s in specs)


def test_by_sum_join_and_literal(tmp_path):
    """`by` compares as text, `sum` adds draws, `join` builds texts, `literal` and `$$` escape."""
    recipe = recipe_of(
        tmp_path,
        let={"n": {"cycle": [1, 2]}, "base": {"uniform": [0.1, 0.2]}},
        events=[
            event(label={"by": {"on": "$n", "cases": {"1": "one"}, "default": "more"}}, onset={"sum": ["$base", 0.5]}),
            event(label={"join": ["n", "$n", {"literal": "$n"}]}),
            event(label="$$n"),
        ],
    )
    for i in range(6):
        spec = plan_clip(recipe, "train", i)
        assert spec.events[0].label == {1: "one", 2: "more"}[spec.let["n"]]
        assert spec.events[0].onset == pytest.approx(spec.let["base"] + 0.5, abs=0.5 / 8000 + 1e-6)
        assert [e.label for e in spec.events[1:]] == [f"n{spec.let['n']}$n", "$n"]


def test_by_without_a_case_names_the_clip(tmp_path):
    """A value without a case is an error of that clip, with the cases there are."""
    recipe = recipe_of(
        tmp_path, let={"n": {"cycle": [1, 2]}}, events=[event(label={"by": {"on": "$n", "cases": {"1": "a"}}})]
    )
    with pytest.raises(PlanError, match=r"clip train/\d+.*no case for '2'.*there are 1"):
        labels(recipe)


def test_slack_and_anchors(tmp_path):
    """A fraction of the room there is; centre and offset anchors; negative times count from the end."""
    recipe = recipe_of(
        tmp_path,
        events=[
            event(onset={"slack": 0}), event(onset={"slack": 1}), event(onset={"slack": 0.5}),
            {**event(at={"anchor": "centre", "time": 0.5}), "onset": None},
            {**event(at={"anchor": "offset", "time": -0.1}), "onset": None},
        ],
    )  # fmt: skip
    assert [e.onset for e in plan_clip(recipe, "train", 0).events] == [0, 0.9, 0.45, 0.45, 0.8]


def test_a_new_key_leaves_every_other_draw(tmp_path):
    """Draws are keyed by their place: another key, or another event with a name, moves none of them."""
    first = event(name="first", onset={"uniform": [0, 0.9]})
    plain = onsets(recipe_of(tmp_path, events=[first]))
    more = recipe_of(
        tmp_path,
        events=[event(name="new", onset={"uniform": [0, 0.9]}), {**first, "level_dbfs": {"uniform": [-30, -20]}}],
    )
    assert [o[1:] for o in onsets(more)] == plain


def test_set_changes_one_factor_alone(tmp_path):
    """`--set` gives the same dataset but for the value set; growing a split or adding one changes no clip of another."""
    changes = {
        "noise": {"type": "coloured", "slope_db": -3, "level_dbfs": {"uniform": [-50, -40]}},
        "events": [{"repeat": {"n": {"integers": [1, 3]}, "of": event(onset={"uniform": [0, 0.9]})}}],
    }
    one = recipe_of(tmp_path, **changes)
    other = recipe_of(tmp_path, set_values=["noise.level_dbfs=-60", "clips.test=35"], **changes)
    assert other.clips == {"train": 40, "test": 35}
    for split in ("train", "test"):
        for i in range(20):
            a, b = plan_clip(one, split, i).to_json(), plan_clip(other, split, i).to_json()
            assert b["noise"]["level_dbfs"] == -60
            a["noise"]["level_dbfs"] = b["noise"]["level_dbfs"]
            assert a == b


def test_pick_draws_by_condition_within_the_split(tmp_path):
    """`where` takes values, lists and names; groups stay in their split; cycle and deck count."""
    sounds(tmp_path / "words")
    tree = {
        "data": {"words": "words"},
        "catalogues": {"words": {"data": "words", "pattern": "{label}_{speaker}_{take}.wav", "group": "speaker"}},
        "splits": {"shares": {"train": 2, "test": 1}, "assign": {"ann": "train", "bob": "train", "cleo": "test"}},
        "let": {
            "word": {"cycle": ["yes", "no"]},
            "take": {"pick": {"from": "words", "where": {"label": "$word"}, "how": "cycle"}},
        },
        "events": [event(label="$take.label", source={"type": "file", "recording": "$take"})],
    }
    recipe = recipe_of(tmp_path, **tree)
    for split, speakers in (("train", {"ann", "bob"}), ("test", {"cleo"})):
        takes = [plan_clip(recipe, split, i).events[0].source.recording for i in range(12)]
        assert {t.meta["speaker"] for t in takes} == speakers
        assert {t.meta["label"] for t in takes} == {"yes", "no"}
    nobody = recipe_of(
        tmp_path, **{**tree, "let": {"take": {"pick": {"from": "words", "where": {"label": ["maybe"]}}}}}
    )
    with pytest.raises(PlanError, match=r"no recording of 'words' in split 'train' has label: \['maybe'\]"):
        plan_clip(nobody, "train", 0)


def test_pick_unless(tmp_path):
    """What `unless` names is not drawn: speakers of one clip are different people, and one too many is an error that says so."""
    sounds(tmp_path / "words")
    tree = {
        "data": {"words": "words"},
        "catalogues": {"words": {"data": "words", "pattern": "{label}_{speaker}_{take}.wav", "group": None}},
        "let": {
            "a": {"pick": {"from": "words", "where": {"label": "yes"}}},
            "b": {"pick": {"from": "words", "where": {"label": "yes"}, "unless": {"speaker": "$a.speaker"}}},
            "c": {"pick": {"from": "words", "unless": {"speaker": ["$a.speaker", "$b.speaker"], "label": "yes"}}},
        },
        "events": [event(source={"type": "file", "recording": name}) for name in ("$a", "$b", "$c")],
    }
    recipe = recipe_of(tmp_path, **tree)
    seen = set()
    for i in range(10):
        a, b, c = (one.source.recording.meta for one in plan_clip(recipe, "train", i).events)
        assert len({a["speaker"], b["speaker"], c["speaker"]}) == 3
        assert (a["label"], b["label"], c["label"]) == ("yes", "yes", "no")
        seen.add((a["speaker"], b["speaker"]))
    assert len(seen) > 2
    nobody = {"take": {"pick": {"from": "words", "unless": {"speaker": ["ann", "bob", "cleo"]}}}}
    with pytest.raises(PlanError, match=r"has any entry and not speaker: \['ann', 'bob', 'cleo'\]; change `unless`"):
        plan_clip(
            recipe_of(
                tmp_path, **{**tree, "let": nobody, "events": [event(source={"type": "file", "recording": "$take"})]}
            ),
            "train",
            0,
        )
    wrong = {"take": {"pick": {"from": "words", "unless": "ann"}}}
    with pytest.raises(RecipeError, match=r"unless: expected \{field: value or list of values\}, got 'ann'"):
        recipe_of(tmp_path, **{**tree, "let": wrong, "events": []})


def test_each_goes_through_a_catalogue(tmp_path):
    """One clip per recording and replica, as long as the recording."""
    sounds(tmp_path / "words")
    recipe = recipe_of(
        tmp_path, data={"words": "words"}, duration={"of": "utt"},
        catalogues={"words": {"data": "words", "pattern": "{label}_{speaker}_{take}.wav", "group": "speaker"}},
        clips={"each": {"from": "words", "as": "utt"}, "replicas": 2},
        events=[event(label="$utt.label", source={"type": "file", "recording": "$utt", "trim": False})],
    )  # fmt: skip
    assert recipe.clips == {"train": 24}
    specs = [plan_clip(recipe, "train", i) for i in range(24)]
    assert len({s.events[0].source.recording.path for s in specs}) == 12
    assert all(s.n_samples == s.events[0].source.recording.n_samples for s in specs)


def test_extends_a_recipe_that_comes_along(tmp_path):
    """By its name, as on the command line; a file of that name beside the recipe goes first."""
    child = write_recipe(tmp_path / "mine.yaml", {"extends": "quickstart", "name": "mine", "clips": {"train": 3}})
    made = load_recipe(child)
    assert made.clips["train"] == 3
    assert (
        plan_clip(made, "train", 0).events[0].source
        == plan_clip(load_recipe(shipped_recipe("quickstart")), "train", 0).events[0].source
    )
    write_recipe(tmp_path / "quickstart", {"duration": 0.5, "clips": 1, "sr": 8000, "events": []})
    assert load_recipe(child).sr == 8000
    with pytest.raises(RecipeError, match="no recipe of that name comes along; did you mean 'quickstart'"):
        load_recipe(write_recipe(tmp_path / "bad.yaml", {"extends": "quickstar"}))


def test_extends_merges_maps(tmp_path):
    """Maps merge key by key, everything else replaces; a circle and a way out of the folder are refused."""
    write_recipe(
        tmp_path / "base.yaml", {"sr": 8000, "duration": 1.0, "clips": 2, "events": [event()], "mix": {"guard": "clip"}}
    )
    child = write_recipe(tmp_path / "child.yaml", {"extends": "base.yaml", "duration": 2.0, "mix": {"level_dbfs": -20}})
    spec = plan_clip(load_recipe(child), "train", 0)
    assert (spec.duration, spec.sr, spec.mix.guard, spec.mix.level_dbfs) == (2.0, 8000, "clip", -20)
    for name in ("loop.yaml", "../base.yaml", "nowhere.yaml"):
        with pytest.raises(RecipeError, match=r"loop\.yaml.*extends"):
            load_recipe(write_recipe(tmp_path / "loop.yaml", {"extends": name}))


def test_a_combination_that_does_not_fit_names_clip_and_event(tmp_path):
    """What only a clip's draws show is an error of that clip; nothing is redrawn."""
    recipe = recipe_of(tmp_path, events=[event(), event(onset={"uniform": [0.85, 0.95]})])
    with pytest.raises(
        PlanError, match=r"clip train/\d+, events\[1\]: an event of 0\.100 s from 0\.9\d+ s does not fit"
    ):
        onsets(recipe)


def test_specs_are_json_with_every_default(tmp_path):
    """A spec goes through JSON and back unchanged, and a plan has no draws left."""
    from audiosynth.spec import ClipSpec

    spec = plan_clip(recipe_of(tmp_path, events=[event(onset={"uniform": [0, 0.5]})]), "train", 7)
    text = json.dumps(spec.to_json())
    assert ClipSpec.model_validate(json.loads(text)) == spec
    assert "uniform" not in text
    assert spec.to_json()["labels"] == {"offset": "dry", "tail_db": -30.0, "drop_below_snr_db": None}


def test_a_clip_beyond_the_recipes_number_is_none_of_its():
    """Numbers go from 0 to one less than the clips of the split; another seed or more clips give more."""
    recipe = load_recipe(shipped_recipe("quickstart"), clips=3)
    for ordinal in (-1, 3, 10**6):
        with pytest.raises(PlanError, match=rf"split 'train' has clips 0 to 2, not {ordinal}"):
            plan_clip(recipe, "train", ordinal)
