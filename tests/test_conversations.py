"""Conversations by overlap ratio: definition and rules held by counting samples, the largest ratio by trying every schedule."""

from __future__ import annotations

import csv
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from material import noise, read_wav, write_recipe, write_wav
from talk_check import TALKS, in_range, ratio_by_counting, recipe_of, talk_faults

from audiosynth import build, load_recipe, plan_clip, reproduce, vary
from audiosynth.cli import cli
from audiosynth.errors import AudiosynthError, PlanError, RecipeError
from audiosynth.language.talk import LOT_BITS, Talk
from audiosynth.planning.conversations import Turn, arranged
from audiosynth.speech import espeak
from audiosynth.stats import stats

LOTS = st.integers(0, 2**LOT_BITS - 1)


def loaded(folder: Path, tree: dict[str, Any], **more: Any) -> Any:
    """Load a recipe from a tree."""
    return load_recipe(write_recipe(folder / "r.yaml", tree), cache_dir=folder / "cache", **more)


@pytest.mark.parametrize("kind", TALKS)
def test_conversations_are_what_was_asked(tmp_path, kind):
    """Ratio, speakers, turns, pauses and lengths of thirty clips, counted sample by sample."""
    recipe = loaded(tmp_path, recipe_of(TALKS[kind]))
    specs = [plan_clip(recipe, "train", i).to_json() for i in range(30)]
    assert [talk_faults(spec, TALKS[kind]) for spec in specs] == [[]] * 30
    asked = [spec["conversations"][0]["overlap_ratio"] for spec in specs]
    assert all(in_range(ratio, TALKS[kind]["overlap_ratio"]) for ratio in asked)
    # no two are alike
    assert len({json.dumps([event["onset"] for event in spec["events"]]) for spec in specs}) == 30


def masks_of(turns: list[Turn], begins: tuple[int, ...]) -> list[np.ndarray]:
    """Return which samples each turn is heard in."""
    n = max(begin + turn.length for begin, turn in zip(begins, turns, strict=True))
    masks = np.zeros((len(turns), n), bool)
    for mask, turn, begin in zip(masks, turns, begins, strict=True):
        mask[begin : begin + turn.length] = True
    return list(masks)


def keeps_rules(turns: list[Turn], begins: tuple[int, ...], at_once: int) -> bool:
    """Return whether turns come in order, nobody speaks over themselves, and no more at once than may."""
    masks = masks_of(turns, begins)
    alone = all(
        np.sum([m for m, turn in zip(masks, turns, strict=True) if turn.seat == seat], axis=0).max() <= 1
        for seat in {turn.seat for turn in turns}
    )
    return sorted(begins) == list(begins) and alone and int(np.sum(masks, axis=0).max()) <= at_once


def made(lengths: list[int], seats: list[int], lots: list[int], pauses: list[int]) -> list[Turn]:
    """Return turns of numbers."""
    return [Turn(i, *rest, 0, n, 0, 0) for i, (n, *rest) in enumerate(zip(lengths, seats, pauses, lots, strict=True))]


@st.composite
def conversations(draw: Any) -> list[Turn]:
    """Return turns of any lengths and owners."""
    n, seats = draw(st.integers(2, 12)), draw(st.integers(2, 8))
    return made(
        *(draw(st.lists(kind, min_size=n, max_size=n)) for kind in (st.integers(1, 400), st.integers(0, seats - 1), LOTS, st.integers(0, 90)))
    )  # fmt: skip


def require_arranged(turns: list[Turn], ratio: float, at_once: int) -> None:
    """Assert that turns are placed by the rules with the ratio asked for, or that more than they reach was asked."""
    talk = Talk(speakers=2, overlap_ratio=ratio, at_once=at_once)
    try:
        heard = arranged(talk, turns, start=0)
    except PlanError:
        best = arranged(talk.model_copy(update={"unreachable": "most"}), turns, start=0)
        assert ratio_by_counting(masks_of(turns, best.begins)) < ratio
        return
    masks = masks_of(turns, heard.begins)
    assert keeps_rules(turns, heard.begins, at_once)
    assert (heard.any_one, heard.shared) == (
        int((np.sum(masks, axis=0) >= 1).sum()),
        int((np.sum(masks, axis=0) >= 2).sum()),
    )
    assert abs(ratio_by_counting(masks) - ratio) * heard.any_one <= len(turns)


@settings(max_examples=150)
@given(conversations(), st.floats(0, 0.9), st.integers(2, 4))
def test_any_turns_overlap_by_the_rules(turns, ratio, at_once):
    """Whatever the lengths, owners and lots: the rules hold, the counts are the samples', and the ratio is the one asked for."""
    require_arranged(turns, ratio, at_once)


@pytest.mark.heavy
@settings(max_examples=10_000)
@given(conversations(), st.floats(0, 0.99), st.integers(2, 6))
def test_ten_thousand_conversations(turns, ratio, at_once):
    """The same for 10,000 of them."""
    require_arranged(turns, ratio, at_once)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2)), min_size=3, max_size=4))
def test_the_largest_ratio_is_the_largest(pairs):
    """No schedule of whole samples that keeps the rules overlaps more than what the error names: all of them are tried."""
    lengths, seats = [list(column) for column in zip(*pairs, strict=True)]
    turns = made(lengths, seats, [0] * len(pairs), [0] * len(pairs))
    found = arranged(Talk(overlap_ratio=0.999, unreachable="most"), turns, start=0)
    every = product(*([(0,)] + [range(sum(lengths))] * (len(pairs) - 1)))
    best = max(ratio_by_counting(masks_of(turns, begins)) for begins in every if keeps_rules(turns, begins, 2))
    assert found.ratio == pytest.approx(best, abs=1e-12)


def test_more_than_can_be(tmp_path):
    """One turn of ten seconds and one of one second share a second of ten: more is an error that says so, or as much as there is."""
    talk = {"speakers": 2, "n": 2, "pause": 0.5, "overlap_ratio": 0.2}
    tree = recipe_of(talk)
    tree["events"][0]["repeat"]["of"]["source"]["duration"] = {
        "by": {"on": "$seat", "cases": {"0": 10.0}, "default": 1.0}
    }
    with pytest.raises(
        PlanError,
        match=r"train/0, events\[0\]\.repeat\.turns\.overlap_ratio: 0\.2 cannot be met: 2 turns of 2 speakers.* reach 0\.100",
    ):
        plan_clip(loaded(tmp_path, tree), "train", 0)
    tree["events"][0]["repeat"]["turns"]["unreachable"] = "most"
    one = plan_clip(loaded(tmp_path, tree), "train", 0).conversations[0]
    assert (one.overlap_ratio, one.asked) == (0.1, 0.2)
    assert (
        plan_clip(loaded(tmp_path, recipe_of({**talk, "overlap_ratio": 0.05})), "train", 0).conversations[0].asked
        is None
    )


def test_pauses_may_be_overlaps(tmp_path):
    """Without a ratio the pauses rule, and below 0 they are overlaps."""
    tree = recipe_of({"speakers": 2, "n": 9, "pause": -0.1}, seconds=(0.5, 0.6))
    spec = plan_clip(loaded(tmp_path, tree), "train", 0)
    assert [
        b.place.onset - a.place.onset - a.place.n_samples for a, b in zip(spec.events, spec.events[1:], strict=False)
    ] == [-100] * 8
    assert spec.conversations[0].overlap_ratio is None


def test_shares_and_going_on(tmp_path):
    """Who has three times the share has the turn as often as a count of independent draws says; `again` is how often one goes on."""
    tree = recipe_of({"speakers": 3, "n": 200, "pause": 0.0}, seconds=(0.1, 0.1001))
    tree["events"][0]["repeat"]["turns"].update(
        {"share": {"by": {"on": "$seat", "cases": {"0": 3.0}, "default": 1.0}}, "again": 0.25}
    )
    recipe = loaded(tmp_path, tree)
    seats = np.array([plan_clip(recipe, "train", i).conversations[0].speakers for i in range(20)])
    # a chain: 0 → others by halves; 1 → 0 with 3/4; each stays with 1/4. Its stationary share of 0 is 3/7.
    assert abs((seats == 0).mean() - 3 / 7) < 0.02
    assert abs((seats[:, 1:] == seats[:, :-1]).mean() - 0.25) < 4 * (0.25 * 0.75 / seats[:, 1:].size) ** 0.5


def test_a_clip_of_its_own_length(tmp_path):
    """In a clip of twenty seconds stand as many turns as fit, everybody still speaks, and the row counts those left out."""
    tree = recipe_of({"speakers": [2, 4], "n": 40, "pause": [0.1, 0.5], "overlap_ratio": 0.1}, duration=20.0)
    recipe = loaded(tmp_path, tree)
    for i in range(20):
        spec = plan_clip(recipe, "train", i)
        one = spec.conversations[0]
        assert len(one.events) + one.left_out == 40
        assert max(event.place.onset + event.place.n_samples for event in spec.events) <= 20_000
        assert not talk_faults(spec.to_json(), {"speakers": [2, 4], "n": 40, "pause": [0.1, 0.5]})


def of_talk(**more: Any) -> dict[str, Any]:
    """Return a recipe of two who talk, with more asked."""
    return recipe_of({"speakers": 2, "n": 4, "pause": 0.2, **more})


def of_event(**more: Any) -> dict[str, Any]:
    """Return such a recipe with more in its event."""
    tree = of_talk()
    tree["events"][0]["repeat"]["of"].update(more)
    return tree


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nobody": (of_talk(**{"from": 3}), r"turns\.from: expected a catalogue, a table of voices or a list of names, got 3"),
    "no such catalogue": (of_talk(**{"from": "speech"}), r"turns\.from: no catalogue is called 'speech'"),
    "somebody twice": (of_talk(**{"from": ["a", "a"]}), r"turns\.from: expected every name once"),
    "no such key": (of_talk(overlap=0.1), r"turns\.overlap: 'turns' has no 'overlap'; did you mean 'overlap_ratio'"),
    "all at once": (of_talk(overlap_ratio=1.0), r"turns\.overlap_ratio: input should be less than 1"),
    "a drawn ratio too large": (of_talk(overlap_ratio={"uniform": [0, 2]}), r"turns\.overlap_ratio: input should be less than 1, got 2"),
    "no speakers": (of_talk(speakers=0), r"turns\.speakers: input should be greater than or equal to 1"),
    "half a turn": (of_talk(n=2.5), r"turns\.n: input should be a valid integer"),
    "overlaps twice told": (of_talk(overlap_ratio=0.1, pause={"uniform": [-1, 1]}), r"turns\.pause: with an overlap_ratio, overlaps follow from it"),
    "an onset of its own": (of_event(onset=1.0), "the conversation says when a turn begins; leave `onset` and `at` out"),
    "two in a turn": (of_event() | {"events": [{"repeat": {**of_talk()["events"][0]["repeat"], "of": {"repeat": {"n": 2, "of": {"source": {"type": "click"}}}}}}]}, "a turn is one event"),
    "more than there are": (of_talk(speakers=9, n=9), "9 speakers are to talk, and the list has 8; ask for fewer, or add speakers"),
    "turns too few": (of_talk(speakers=4, n=3), "n: 3 turns are too few for 4 speakers"),
    "one at once": (of_talk(at_once=1, overlap_ratio=0.1), "at_once: 1 leaves no overlap"),
    "with themselves": (of_talk(speakers=1, overlap_ratio=0.1), "overlap_ratio: one speaker overlaps with nobody"),
    "no length": (of_talk(min_length=9, max_length=8), "max_length: expected at least min_length, 9 s, got 8"),
    "too short": (of_talk(min_length=60), r"turns\.min_length: 60 s cannot be met: 4 turns make \d"),
    "too long": (of_talk(max_length=0.5), r"turns\.max_length: one turn of each of the 2 speakers does not fit 0\.5 s"),
    "rules forbid it": ({**of_talk(overlap_ratio=0.05), "scene": {"max_overlap": 1}}, r"scene\.max_overlap cannot hold: no place is left for .* where the recipe puts it"),
    "rules leave it out": ({**of_talk(overlap_ratio=0.05), "scene": {"max_overlap": 1, "when_full": "drop"}}, "turns: the rules of `scene` leave no place for 1 of 4 turns"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_asked(tmp_path, name):
    """Every fault says where, what was expected, what came, and the way out."""
    tree, match = WRONG[name]
    with pytest.raises((RecipeError, PlanError), match=match):
        plan_clip(loaded(tmp_path, tree), "train", 0)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Any:
    """Return a set of conversations among three who read aloud, with their folder and recipe."""
    folder = tmp_path_factory.mktemp("talks")
    for s, speaker in enumerate(("ann", "bob", "cleo")):
        for k in range(3):
            write_wav(folder / "speech" / f"{speaker}_{k}.wav", 0.1 * noise(0.3 + 0.1 * k, 8000, seed=10 * s + k), 8000)
    talk = {
        "from": "speech",
        "speakers": {"integers": [2, 3]},
        "n": 7,
        "pause": {"uniform": [0.05, 0.2]},
        "overlap_ratio": 0.15,
    }
    talk["let"] = {"loud": {"uniform": [-40, -20]}}
    event = {"label": "$speaker", "source": {"type": "file", "recording": "$said"}, "level_dbfs": "$loud"}
    tree = {
        "sr": 8000, "duration": {"fit": 0.1}, "clips": 6, "data": {"speech": "speech"},
        "catalogues": {"speech": {"data": "speech", "pattern": "{speaker}_{take}"}},
        "events": [{"repeat": {"turns": talk, "of": event}}], "output": {"stems": {"by": "label"}}, "export": ["rttm"],
    }  # fmt: skip
    recipe = load_recipe(write_recipe(folder / "r.yaml", tree), cache_dir=folder / "cache")
    return build(recipe, folder / "out").root, folder, recipe


def rows_of(root: Path) -> list[dict[str, Any]]:
    """Return the rows of a manifest."""
    return [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]


def test_rows_say_what_came_out(built):
    """The realised ratio is that of the row's labels, counted by samples, and near to the one asked for; speakers keep their level."""
    for row in rows_of(built[0]):
        (one,), (asked,) = row["outcomes"]["conversations"], row["spec"]["conversations"]
        masks = np.zeros((len(row["labels"]), row["n_samples"]), bool)
        for mask, label in zip(masks, row["labels"], strict=True):
            mask[label["onset_sample"] : label["offset_sample"]] = True
        assert one["overlap_ratio"] == pytest.approx(ratio_by_counting(list(masks)), abs=1e-6)
        assert one["overlap_ratio"] == pytest.approx(asked["overlap_ratio"], abs=7 / 8000)
        assert (one["turns"], one["speakers"]) == (7, len({label["label"] for label in row["labels"]}))
        events = row["spec"]["events"]
        for speaker in {event["label"] for event in events}:
            mine = [event for event in events if event["label"] == speaker]
            assert len({event["level"]["level_dbfs"] for event in mine}) == 1
            assert {event["source"]["recording"]["meta"]["speaker"] for event in mine} == {speaker}
            # nobody says a thing again before they have said all they know
            said = [event["source"]["recording"]["path"] for event in mine]
            assert all(len(set(said[i : i + 3])) == len(said[i : i + 3]) for i in range(0, len(said), 3))


def test_stats_tell_of_conversations(built):
    """The figures are those of the rows; a set without any has none."""
    found = stats(built[0])["all"]["conversations"]
    ratios = [row["outcomes"]["conversations"][0]["overlap_ratio"] for row in rows_of(built[0])]
    assert (found["count"], found["turns"], sum(found["speakers"].values())) == (6, 42, 6)
    assert found["overlap_ratio"]["mean"] == pytest.approx(np.mean(ratios), abs=1e-6)
    assert (found["overlap_ratio"]["min"], found["overlap_ratio"]["max"]) == (min(ratios), max(ratios))
    assert found["overlap_ratio"]["tenths"] == np.histogram(ratios, np.arange(12) / 10)[0].tolist()
    text = CliRunner().invoke(cli, ["stats", str(built[0])]).output
    assert "overlap ratio" in text
    assert f"{np.mean(ratios):.4f}" in text


def test_conversations_come_back(built, tmp_path):
    """Every row gives its samples again; louder speakers stay as they talk; what would make the ratio untrue is refused."""
    root, folder, recipe = built
    assert all(clip.same for clip in reproduce(root, data={"speech": str(folder / "speech")}))
    assert plan_clip(recipe, "train", 3).to_json() == rows_of(root)[3]["spec"]
    roots = {"speech": str(folder / "speech")}
    louder = vary(root, tmp_path / "louder", set_values=["events[*].level_dbfs=+3"], data=roots).root
    for old, new in zip(rows_of(root), rows_of(louder), strict=True):
        assert old["labels"] == new["labels"]
        assert old["outcomes"]["conversations"] == new["outcomes"]["conversations"]
    with pytest.raises(
        PlanError, match=r"conversations\[0\]\.overlap_ratio: 0\.15 does not hold with the turns where they are now"
    ):
        vary(root, tmp_path / "moved", set_values=["events[1].onset=0"], data=roots)
    free = ["events[1].onset=0", "conversations[0].overlap_ratio=null"]
    assert vary(root, tmp_path / "free", set_values=free, data=roots).clips == 6


def test_a_field_that_is_not_there(built):
    """Recordings without the field that tells speakers apart are named, with the fields they have."""
    _, folder, _ = built
    wrong = ["events[0].repeat.turns.by=reader"]
    recipe = load_recipe(folder / "r.yaml", set_values=wrong, cache_dir=folder / "cache")
    with pytest.raises(
        PlanError, match=r"has no 'reader' that tells who speaks; name another field in `by`.*; there are speaker, take"
    ):
        plan_clip(recipe, "train", 0)


def test_what_speakers_have_counts(tmp_path):
    """Names that every speaker has a value of are as many values as there can be speakers: a recipe cannot ask for endless ones."""
    many = {"repeat": {"n": 1000, "of": {"a": {"uniform": [0, 1]}, "b": {"uniform": [0, 1]}, "c": {"uniform": [0, 1]}}}}
    with pytest.raises(RecipeError, match="one clip could hold"):
        loaded(tmp_path, of_talk(let={"x": [many]}))


def test_edited_rows_are_refused(built, tmp_path):
    """A conversation of events that are not there is an edited row."""
    lines = (built[0] / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[0])
    row["spec"]["conversations"][0]["events"][0] = 99
    (tmp_path / "manifest.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(AudiosynthError, match="a conversation has a turn that is no event"):
        next(iter(reproduce(tmp_path / "manifest.jsonl", data={"speech": str(built[1] / "speech")})))


def test_one_more_key_moves_no_other_die(tmp_path):
    """Asking for more overlap, or naming one more thing of each speaker, changes neither who speaks nor what is said."""
    base = recipe_of(TALKS["four, 40 %"])
    other = yaml.safe_load(yaml.safe_dump(base))
    other["events"][0]["repeat"]["turns"].update({"overlap_ratio": 0.1, "let": {"tint": {"uniform": [0, 1]}}})
    for i in range(5):
        a, b = (plan_clip(loaded(tmp_path, tree), "train", i) for tree in (base, other))
        assert a.conversations[0].speakers == b.conversations[0].speakers
        assert [event.source for event in a.events] == [event.source for event in b.events]


def test_everybody_in_a_room_of_their_own(tmp_path):
    """A conference call: each speaker has one room and one distance for all turns, and no two have the same."""
    tree = recipe_of({"speakers": 3, "n": 9, "pause": 0.3, "overlap_ratio": 0.05})
    turns = tree["events"][0]["repeat"]["turns"]
    turns["let"] = {
        "booth": {"type": "statistical", "rt60": {"uniform": [0.2, 0.9]}, "drr_db": {"uniform": [0, 12]}},
        "tone": {"sum": [{"by": {"on": "$seat", "cases": {"0": 100.0}, "default": 200.0}}, {"uniform": [0, 50]}]},
    }
    tree["events"][0]["repeat"]["of"].update(
        {"room": "$booth", "source": {"type": "tone", "frequency": "$tone", "duration": 1.0}}
    )
    spec = plan_clip(loaded(tmp_path, {**tree, "sr": 8000}), "train", 0)
    rooms = {(event.label, event.room.model_dump_json(), event.source.frequency) for event in spec.events}
    assert len(rooms) == len({room for _, room, _ in rooms}) == len({label for label, _, _ in rooms}) == 3
    assert sum(frequency < 150 for _, _, frequency in rooms) == 1


def test_two_speakers_as_librimix_lists_them(tmp_path):
    """A stem for each speaker, whose files stand in the table and add up to the mixture."""
    tree = recipe_of({"speakers": 2, "n": 4, "pause": 0.1, "overlap_ratio": 0.3}, clips=2)
    tree.update({"sr": 8000, "output": {"stems": {"by": "label", "subtype": "PCM_16"}}, "export": ["librimix", "stm"]})
    root = build(loaded(tmp_path, tree), tmp_path / "out").root
    with next(root.rglob("mixture_train_mix_clean.csv")).open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 2
    for line in table:
        mix, *stems = (
            read_wav(root / line[key])[0][0].astype(int) for key in ("mixture_path", "source_1_path", "source_2_path")
        )
        assert np.array_equal(np.sum(stems, axis=0), mix)


@pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed (extra [speech])")
def test_voices_talk(tmp_path):
    """Speakers of a cast: each has one voice, which is theirs in every turn."""
    talk = {"from": "cast", "speakers": 2, "n": 4, "pause": 0.2, "overlap_ratio": 0.1}
    of = {
        "label": "$speaker",
        "source": {"type": "speech", "text": "one two three", "voice": "$voice"},
        "level_dbfs": -30,
    }
    tree = {
        "sr": 16000,
        "duration": {"fit": 0.1},
        "clips": 1,
        "voices": {"n": 3},
        "events": [{"repeat": {"turns": talk, "of": of}}],
    }
    spec = plan_clip(loaded(tmp_path, tree), "train", 0)
    assert len({(event.label, event.source.voice.name) for event in spec.events}) == 2
    assert {event.label for event in spec.events} == {event.source.voice.name for event in spec.events}
