"""`some_of`, `sequence`, `one_of` and `p`: which items are used, in which order, how often, and what cannot be."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from material import write_recipe

from audiosynth import load_recipe, plan_clip
from audiosynth.errors import RecipeError

GAINS = [{"type": "gain", "gain_db": float(g)} for g in range(4)]
CLIPS = 4000


def drawn(folder: Path, effects: Any, clips: int = CLIPS, **more: Any) -> list[tuple[float, ...]]:
    """Return the gains of every clip, whose one event has these effects; a reversal counts as 100."""
    tree = {
        "duration": 1.0, "clips": clips, "seed": 7, **more,
        "events": [{"label": "x", "source": {"type": "click"}, "onset": 0.1, "level_dbfs": -20, "effects": effects}],
    }  # fmt: skip
    recipe = load_recipe(write_recipe(folder / "r.yaml", tree))
    specs = [plan_clip(recipe, "train", i) for i in range(clips)]
    return [tuple(getattr(effect, "gain_db", 100.0) for effect in spec.events[0].effects) for spec in specs]


def test_some_keep_their_order(tmp_path: Path) -> None:
    """Two of four: every pair equally often, always in the order of the list."""
    found = Counter(drawn(tmp_path, [{"some_of": {"n": 2, "of": GAINS}}]))
    assert set(found) == set(combinations((0.0, 1.0, 2.0, 3.0), 2))
    chi2 = sum((count - CLIPS / 6) ** 2 / (CLIPS / 6) for count in found.values())
    assert chi2 < 20.5  # 99.9 % of chi-squared with 5 degrees of freedom


def test_some_in_any_order(tmp_path: Path) -> None:
    """Three of three in random order: each of six orders equally often."""
    found = Counter(drawn(tmp_path, {"some_of": {"n": 3, "of": GAINS[:3], "order": "random"}}))
    assert len(found) == 6
    assert sum((count - CLIPS / 6) ** 2 / (CLIPS / 6) for count in found.values()) < 20.5


def test_how_many_is_drawn(tmp_path: Path) -> None:
    """The count may be a draw, of none too; others of the list stand where they did."""
    found = drawn(tmp_path, [{"type": "reverse"}, {"some_of": {"n": {"integers": [0, 2]}, "of": GAINS}}, GAINS[3]], 600)
    assert Counter(len(gains) - 2 for gains in found).keys() == {0, 1, 2}
    assert all(gains[0] == 100.0 and gains[-1] == 3.0 for gains in found)


def test_items_have_dice_of_their_own(tmp_path: Path) -> None:
    """Draws inside are those of the item, used or not, and one item more at the end changes none of the others' values."""
    own = [{"type": "gain", "gain_db": {"uniform": [10 * i, 10 * i + 5]}} for i in range(5)]
    all_of, some = (drawn(tmp_path, [{"some_of": {"n": n, "of": own[:4]}}], 200) for n in (4, 2))
    assert all(set(b) <= set(a) for a, b in zip(all_of, some, strict=True))
    more = drawn(tmp_path, [{"some_of": {"n": 2, "of": own}}], 200)
    same = sum(a == b for a, b in zip(some, more, strict=True))
    assert all(set(b) - {x for x in b if x >= 40} <= set(a) for a, b in zip(some, more, strict=True))
    assert 0.5 < same / 200 < 0.7  # 1 - 2/5: the new one is among the two that are used


def test_sequence_stands_in_the_list(tmp_path: Path) -> None:
    """One of two chains; items that are not there leave nothing."""
    chains = {"one_of": [{"sequence": [GAINS[0], GAINS[1], {"maybe": {"p": 0.5, "then": GAINS[2]}}]}, GAINS[3], None]}
    found = Counter(drawn(tmp_path, [chains, {"type": "reverse"}], 600))
    assert set(found) == {(0.0, 1.0, 2.0, 100.0), (0.0, 1.0, 100.0), (3.0, 100.0), (100.0,)}
    nested = drawn(tmp_path, [{"some_of": {"n": 1, "of": [{"sequence": GAINS[:2]}, {"sequence": GAINS[2:]}]}}], 60)
    assert set(nested) == {(0.0, 1.0), (2.0, 3.0)}


def test_chance_of_an_effect(tmp_path: Path) -> None:
    """`p` is how often an effect is there, and leaves all its other draws as they were."""
    effect = {"type": "gain", "gain_db": {"uniform": [-10, 10]}}
    always, often = (drawn(tmp_path, [tree]) for tree in (effect, {**effect, "p": 0.3}))
    there = [gains for gains in often if gains]
    assert len(there) / CLIPS == pytest.approx(0.3, abs=4 * (0.21 / CLIPS) ** 0.5)
    assert all(b in ((), a) for a, b in zip(always, often, strict=True))
    assert set(drawn(tmp_path, [{"type": "reverse", "p": 0}, {"type": "reverse", "p": 1.0}], 20)) == {(100.0,)}
    assert drawn(tmp_path, ["$e"], 20, let={"e": {"type": "reverse", "p": 0.5}}).count(()) in range(2, 19)


def test_events_in_a_list(tmp_path: Path) -> None:
    """Events take them as effects do, with their short forms."""
    beeps = [{"label": f"e{i}", "source": {"type": "click"}, "onset": i / 10, "level_dbfs": -20} for i in range(4)]
    tree = {"duration": 1.0, "clips": 50, "events": [{"some_of": {"n": {"integers": [1, 3]}, "of": beeps}}]}
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree))
    found = [[event.label for event in plan_clip(recipe, "train", i).events] for i in range(50)]
    assert {len(labels) for labels in found} == {1, 2, 3}
    assert all(labels == sorted(set(labels)) for labels in found)


@pytest.mark.parametrize(
    ("effects", "match"),
    [
        ([{"some_of": {"n": 5, "of": GAINS}}], r"some_of\.n: expected whole numbers from 0 to 4, the number of items"),
        ([{"some_of": {"n": {"integers": [1, 5]}, "of": GAINS}}], r"some_of\.n: expected whole numbers from 0 to 4"),
        ([{"some_of": {"n": {"uniform": [0, 2]}, "of": GAINS}}], r"some_of\.n: expected whole numbers"),
        ([{"some_of": GAINS}], r"'some_of' takes \{n: count, of: \[item, …\], order: kept \| random\}"),
        ([{"some_of": {"n": 1, "of": []}}], r"some_of\.of: expected a list with at least one item"),
        ([{"some_of": {"n": 1, "of": GAINS, "order": "shuffled"}}], r"some_of\.order: expected kept or random"),
        ([{"some_of": {"n": 1, "of": GAINS, "ordr": "kept"}}], r"'some_of' has no 'ordr'; did you mean 'order'\?"),
        ([{"some_of": {"n": 1, "of": [{"type": "gain", "gain": 3}]}}], r"some_of\.of\[0\]\.gain: 'gain' has no such parameter"),
        ([{"sequence": [{"type": "gain", "gain_db": 999}]}], r"sequence\[0\]\.gain_db: .*less than or equal to 120"),
        ([{"type": "gain", "gain_db": {"sequence": [1, 2]}}], r"gain_db.*expected a value, got a list"),
        ([{"type": "reverse", "p": 2}], r"effects\[0\]\.p: expected a probability from 0 to 1, got 2"),
        ([{"type": "reverse", "p": {"uniform": [0, 1]}}], r"effects\[0\]\.p: expected a probability from 0 to 1"),
    ],
)  # fmt: skip
def test_errors(tmp_path: Path, effects: Any, match: str) -> None:
    """What cannot be is told with its place before any clip is made, whichever items a clip would use."""
    with pytest.raises(RecipeError, match=match):
        drawn(tmp_path, effects, 1)


def test_not_in_place_of_one(tmp_path: Path) -> None:
    """Several items cannot stand where one is asked for."""
    tree = {"duration": 1.0, "clips": 1, "noise": {"sequence": [{"type": "silence", "level_dbfs": -50}]}}
    with pytest.raises(RecipeError, match=r"noise.*got a list"):
        load_recipe(write_recipe(tmp_path / "r.yaml", tree))
