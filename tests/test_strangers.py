"""Datasets, rows and folders from strangers, or edited by hand: nothing outside is touched, and each is one clear error."""

from __future__ import annotations

import json
import shutil

import pytest
from material import sounds, write_recipe

from audiosynth import ClipDataset, build, load_recipe, plan_clip, render, reproduce, verify
from audiosynth.errors import AudiosynthError, BuildError, ManifestError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a small finished build with labels in two formats."""
    folder = tmp_path_factory.mktemp("made")
    tree = {
        "sr": 8000, "duration": 0.5, "clips": {"train": 2, "test": 1}, "export": ["jsonl", "desed"],
        "noise": {"type": "coloured", "colour": "pink", "level_dbfs": -40},
        "events": [{"label": "x", "source": {"type": "tone", "frequency": 440, "duration": 0.2}, "onset": 0.1, "level_dbfs": -20}],
    }  # fmt: skip
    return build(load_recipe(write_recipe(folder / "r.yaml", tree)), folder / "out").root


@pytest.fixture
def dataset(made, tmp_path):
    """Return a copy of it to spoil."""
    shutil.copytree(made, tmp_path / "set")
    return tmp_path / "set"


def edit(path, change):
    """Change a JSON file in place."""
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))


def first_row(root):
    """Return the first row of a dataset."""
    return json.loads((root / "manifest.jsonl").read_text().splitlines()[0])


@pytest.mark.parametrize("name", ["../../evil", "/evil", "a/b", "..", "con", ""])
def test_split_names_lead_nowhere(dataset, tmp_path, name):
    """A split name that is a path is refused before anything is written."""
    edit(dataset / "dataset.json", lambda tree: tree["splits"].update({name: 1}))
    before = sorted(p for p in tmp_path.rglob("*"))
    with pytest.raises(ManifestError, match="not what a build writes"):
        verify(dataset)
    assert sorted(p for p in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "change",
    [
        {"supervision": []}, {"export": [5]}, {"export": [{"type": "jsonl", "wobble": 1}]}, {"export": [{"type": "nothing"}]},
        {"splits": {"train": "two"}}, {"splits": 3}, {"files": []}, {"name": 7},
    ],
)  # fmt: skip
def test_an_edited_dataset_json_is_named(dataset, change):
    """Whatever stands in an edited dataset.json, the error names the file."""
    edit(dataset / "dataset.json", lambda tree: tree.update(change))
    with pytest.raises(ManifestError, match=r"dataset\.json"):
        verify(dataset)


def test_an_empty_split_is_verified(tmp_path):
    """A split of no clips has its (empty) label files, and they are found as written."""
    tree = {"sr": 8000, "duration": 0.2, "clips": {"train": 1, "test": 0}, "export": ["desed", "jsonl"]}
    built = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "out")
    assert verify(built.root).ok


def test_fresh_deletes_no_foreign_folder(tmp_path):
    """Folders that only look like a build (a `.build` of another tool, a foreign dataset.json) are refused and kept."""
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", {"sr": 8000, "duration": 0.2, "clips": 1}))
    for name, text in ((".build/debug.yaml", "x"), ("dataset.json", "{}")):
        root = tmp_path / name.replace("/", "_")
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(text)
        (root / "precious.txt").write_text("mine")
        for fresh in (False, True):
            with pytest.raises(BuildError, match=r"is not a build|holds no build|holds another build"):
                build(recipe, root, fresh=fresh)
        assert (root / "precious.txt").read_text() == "mine"
        assert (root / name).read_text() == text


def test_fresh_keeps_files_of_yours(dataset, tmp_path):
    """`fresh` replaces what a build wrote, and leaves what somebody put beside it."""
    (dataset / "notes.txt").write_text("mine")
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", {"sr": 8000, "duration": 0.2, "clips": 1}))
    assert build(recipe, dataset, fresh=True).made == 1
    assert (dataset / "notes.txt").read_text() == "mine"
    assert not (dataset / "labels").joinpath("desed").exists()
    assert verify(dataset).ok


def test_a_changed_splits_file_is_noticed(tmp_path):
    """A build whose frozen splits were changed is another build, and says so."""
    sounds(tmp_path / "words")
    tree = {
        "sr": 16000, "duration": 1.0, "clips": {"train": 2, "test": 1}, "data": {"words": "words"},
        "catalogues": {"words": {"data": "words", "pattern": "{label}_{speaker}_{take}.wav", "group": "speaker"}},
        "splits": {"shares": {"train": 2, "test": 1}, "file": "splits.json"},
        "events": [{"label": "x", "source": {"type": "file", "recording": {"pick": {"from": "words"}}}, "level_dbfs": -20}],
    }  # fmt: skip
    path = write_recipe(tmp_path / "r.yaml", tree)
    speakers = sorted({p.name.split("_")[1] for p in (tmp_path / "words").glob("*.wav")})
    frozen = {name: "test" if i == 0 else "train" for i, name in enumerate(speakers)}
    (tmp_path / "splits.json").write_text(json.dumps(frozen))
    build(load_recipe(path, cache_dir=tmp_path / "c"), tmp_path / "out")
    frozen[speakers[0]], frozen[speakers[1]] = frozen[speakers[1]], frozen[speakers[0]]
    (tmp_path / "splits.json").write_text(json.dumps(frozen))
    with pytest.raises(BuildError, match="which recordings or voices are in which split"):
        build(load_recipe(path, cache_dir=tmp_path / "c"), tmp_path / "out")


@pytest.mark.parametrize(
    ("where", "value", "match"),
    [
        ("needs", 5, "needs should be a list"),
        ("recipe", "\ud800", "recipe should be hexadecimal"),
        ("decisions.event_gain_db", [1e6], "less than or equal to 400"),
        ("spec.n_samples", 10**15, "n_samples .* is not the duration"),
        ("spec.n_samples", 4001, "n_samples .* is not the duration"),
        ("spec.reference_channel", 3, "reference_channel 3 is not in a clip of 1 channels"),
        ("spec.duration", 80_000.0, "n_samples|are made in memory"),
        ("spec.events", 5, "events"),
    ],
)
def test_rows_edited_by_hand(made, where, value, match):
    """A row that no build wrote is refused by the field that is wrong."""
    row = first_row(made)
    *parents, last = where.split(".")
    node = row
    for key in parents:
        node = node[key]
    node[last] = value
    with pytest.raises(ManifestError, match=match):
        list(reproduce([json.dumps(row)]))


@pytest.mark.parametrize(
    ("meta", "active", "match"),
    [
        ({"events": 5}, [0, 100], "expected a list of"),
        ({"events": [["a", "b", 3]]}, [0, 100], r"expected \[onset, offset, label\]"),
        ({}, [-500, 100], "expected 0 <= first < last"),
        ({}, [0, 101], "expected 0 <= first < last"),
    ],
)
def test_recordings_edited_by_hand(made, meta, active, match):
    """A recording in a row whose numbers cannot be is refused."""
    row = first_row(made)
    recording = {
        "data": "d", "path": "a.wav", "sha256": "0" * 64, "sr": 8000, "n_channels": 1, "n_samples": 100, "active": active, "meta": meta,
    }  # fmt: skip
    row["spec"]["events"][0]["source"] = {"type": "file@1", "recording": recording}
    with pytest.raises(ManifestError, match=match):
        list(reproduce([json.dumps(row)]))


def test_needs_are_said_before_they_are_missed(made):
    """A row that needs another library says so even where the samples come out the same."""
    row = first_row(made)
    row["needs"] = ["libsndfile==0.0.1"]
    (again,) = reproduce([json.dumps(row)])
    assert again.same
    assert "needs libsndfile==0.0.1" in again.notes[0]


def test_unknown_versions_are_not_called_the_same(made):
    """Rows without their dataset.json have no known versions, and a mismatch says that."""
    row = first_row(made)
    row["pcm_sha256"] = "0" * 64
    (again,) = reproduce([json.dumps(row)])
    assert not again.same
    assert "the row's versions are not known" in again.notes[-1]


def test_a_clip_that_differs_is_not_written(made, dataset):
    """Reproducing an edited row into its own dataset leaves the files there alone."""
    row = first_row(made)
    row["decisions"]["event_gain_db"][0] += 1.0
    before = (dataset / row["path"]).read_bytes()
    (again,) = reproduce([json.dumps(row)], out=dataset)
    assert not again.same
    assert "not written" in again.notes[-1]
    assert (dataset / row["path"]).read_bytes() == before


def test_a_cut_manifest_is_named(dataset):
    """A dataset whose manifest was cut says where, and what tells more."""
    path = dataset / "manifest.jsonl"
    path.write_text(path.read_text()[:-40])
    with pytest.raises(ManifestError, match=r"manifest\.jsonl:3: not a row"):
        ClipDataset(dataset, split="train")


def test_labels_are_alike_from_recipe_and_folder(made, tmp_path):
    """A clip rendered from its recipe has the labels of its row, key by key."""
    recipe = load_recipe(made / "recipe.yaml")
    rendered, read = ClipDataset(recipe, split="train")[0], ClipDataset(made, split="train")[0]
    assert rendered["labels"] == read["labels"]


def test_errors_of_one_root():
    """All of these are errors a caller can catch at once."""
    assert issubclass(ManifestError, AudiosynthError)
    assert issubclass(BuildError, AudiosynthError)


def tree(**changes):
    """Return a small recipe."""
    event = {"label": "x", "source": {"type": "tone", "frequency": 440, "duration": 0.1}, "level_dbfs": -20}
    return {"sr": 8000, "duration": 0.5, "clips": 1, "events": [event], **changes}


CLICK = {"label": "x", "source": {"type": "click"}, "level_dbfs": -20}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"events": [{"repeat": {"n": 1000, "of": {"repeat": {"n": 1000, "of": CLICK}}}}]}, "could hold .* values"),
        ({"let": {"a": {"x": 1}, **{f"b{i}": {"l": f"$b{i - 1}" if i else "$a", "r": f"$b{i - 1}" if i else "$a"} for i in range(30)}}}, "could hold"),
        ({"let": {f"b{i}": f"$b{i - 1}" if i else 1 for i in range(600)}}, "600 names in reach; at most 100"),
        ({"reference_channel": 1}, "there are 1 channels, numbered from 0"),
        ({"output": {"format": "opus"}, "sr": 44_100}, "opus holds .* Hz, not 44100"),
        ({"output": {"format": "flac"}, "sr": 100_001}, "steps of 10, not 100001"),
        ({"duration": 80_000.0, "sr": 48_000}, r"3.8e\+09 samples; at most 2.1e\+09 are made; shorten it"),
        ({"duration": 8000.0, "sr": 48_000, "output": {"stems": True}}, "at most .* are made in memory, which it needs"),
        ({"clips": {"each": {"from": ["b"]}}}, "no catalogue is called"),
    ],
)  # fmt: skip
def test_recipes_have_bounds(tmp_path, changes, match):
    """What would grow without end, or cannot be written, is refused before anything is rendered."""
    with pytest.raises(AudiosynthError, match=match):
        plan_clip(load_recipe(write_recipe(tmp_path / "r.yaml", tree(**changes))), "train", 0)


def test_sums_have_bounds(tmp_path):
    """A chain of names, each the sum of the one before with itself, ends at 2^53."""
    names = {f"b{i}": {"sum": [f"$b{i - 1}", f"$b{i - 1}"]} if i else 1 for i in range(60)}
    with pytest.raises(AudiosynthError, match="the sum is beyond"):
        plan_clip(load_recipe(write_recipe(tmp_path / "r.yaml", tree(let=names))), "train", 0)


@pytest.mark.parametrize(
    "events",
    [
        [{"weighted": [[1, {**CLICK, "level_dbfs": -20}]]}], {"weighted": [[1, [CLICK]]]}, {"choice": [[CLICK], [CLICK, CLICK]]},
        [{"balance": {"of": [CLICK], "cost": [1]}}],
    ],
)  # fmt: skip
def test_short_forms_stand_in_every_draw(tmp_path, events):
    """`level_dbfs` in an event is short for its level wherever events are drawn."""
    spec = plan_clip(load_recipe(write_recipe(tmp_path / "r.yaml", tree(events=events))), "train", 0)
    assert spec.events[0].level.level_dbfs == -20


def test_longer_events_are_cut_where_they_may_be(tmp_path):
    """With `overrun: cut` an event longer than its clip fills it; without, it is an error."""
    long = {
        "label": "x",
        "source": {"type": "tone", "frequency": 440, "duration": 0.9},
        "onset": {"slack": 0.5},
        "level_dbfs": -20,
    }
    spec = plan_clip(
        load_recipe(write_recipe(tmp_path / "r.yaml", tree(events=[{**long, "overrun": "cut"}]))), "train", 0
    )
    assert spec.events[0].place.onset == -1600
    assert render(spec).labels[0].offset == 4000
    with pytest.raises(AudiosynthError, match="longer than any clip"):
        load_recipe(write_recipe(tmp_path / "r.yaml", tree(events=[long])))
    drawn = {**long, "source": {**long["source"], "duration": {"uniform": [0.8, 0.9]}}}
    with pytest.raises(AudiosynthError, match="longer than its clip"):
        plan_clip(load_recipe(write_recipe(tmp_path / "r.yaml", tree(events=[drawn]))), "train", 0)


def test_a_deck_is_not_dealt_from_drawn_conditions(tmp_path):
    """A deck whose `where` is drawn would run out early; it is refused."""
    sounds(tmp_path / "words")
    changes = {
        "data": {"words": "words"}, "sr": 16_000, "let": {"w": {"choice": ["yes", "no"]}},
        "catalogues": {"words": {"data": "words", "pattern": "{label}_{speaker}_{take}.wav", "group": None}},
        "events": [{**CLICK, "source": {"type": "file", "recording": {"pick": {"from": "words", "where": {"label": "$w"}, "how": "deck"}}}}],
    }  # fmt: skip
    with pytest.raises(AudiosynthError, match="what it deals from cannot be drawn"):
        load_recipe(write_recipe(tmp_path / "r.yaml", tree(**changes)), cache_dir=tmp_path / "c")


def test_copies_go_where_their_originals_go(tmp_path):
    """Byte-identical files under other names never stand in two splits."""
    sounds(tmp_path / "words")
    for path in sorted((tmp_path / "words").glob("*.wav")):
        shutil.copy(path, path.with_name(f"copy{path.name}"))
    changes = {
        "data": {"words": "words"}, "sr": 16_000, "clips": {"train": 1, "test": 1}, "splits": {"train": 1, "test": 1},
        "catalogues": {"words": {"data": "words", "layout": "flat"}}, "events": [],
    }  # fmt: skip
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree(**changes)), cache_dir=tmp_path / "c")
    train, test = ({r.sha256 for r in recipe.members["words", split]} for split in ("train", "test"))
    assert train.isdisjoint(test)


def test_catalogues_may_not_cross_splits(tmp_path):
    """One folder in two catalogues with other groups would put a sound into two splits; unknown groups are told."""
    sounds(tmp_path / "words")
    pattern = {"data": "words", "pattern": "{label}_{speaker}_{take}.wav"}
    changes = {
        "data": {"words": "words"}, "sr": 16_000, "clips": {"train": 1, "test": 1}, "splits": {"train": 1, "test": 1},
        "catalogues": {"a": {**pattern, "group": "speaker"}, "b": {**pattern, "group": "path"}}, "events": [],
    }  # fmt: skip
    with pytest.raises(AudiosynthError, match="give both catalogues the same `group`"):
        load_recipe(write_recipe(tmp_path / "r.yaml", tree(**changes)), cache_dir=tmp_path / "c")
    changes["catalogues"].pop("b")
    changes["splits"] = {"shares": {"train": 1, "test": 1}, "assign": {"nobody": "test"}}
    with pytest.raises(AudiosynthError, match="no recording is of the group 'nobody'"):
        load_recipe(write_recipe(tmp_path / "r.yaml", tree(**changes)), cache_dir=tmp_path / "c")


@pytest.mark.parametrize(("exporter", "label"), [("desed", "Dog, bark"), ("audacity", "a\tb")])
def test_labels_are_refused_at_the_first_clip(tmp_path, exporter, label):
    """A label that a format cannot hold stops the build when it first comes, not when everything is rendered."""
    recipe = load_recipe(
        write_recipe(tmp_path / "r.yaml", tree(export=[exporter], clips=300, events=[{**CLICK, "label": label}]))
    )
    with pytest.raises(BuildError, match="clip train-000000000: label"):
        build(recipe, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("units/*.jsonl"))


def test_split_names_that_want_one_file(tmp_path):
    """`train` writes its weak labels where a split `train_weak` writes its own; that is said."""
    changes = {"clips": {"train": 1, "train_weak": 1}, "export": ["desed"]}
    with pytest.raises(BuildError, match="two splits want one file"):
        build(load_recipe(write_recipe(tmp_path / "r.yaml", tree(**changes))), tmp_path / "out")


def test_unlabeled_splits_tell_nothing(tmp_path):
    """`supervision: none` withholds every label of a split, strong and weak, in every format."""
    changes = {
        "clips": {"train": 1, "test": 1},
        "supervision": {"test": "none"},
        "export": ["desed", "audacity", "jsonl"],
    }
    built = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree(**changes))), tmp_path / "out")
    names = {
        path.relative_to(built.root / "labels").as_posix()
        for path in (built.root / "labels").rglob("*")
        if path.is_file()
    }
    assert "desed/train.tsv" in names
    assert not {"desed/test.tsv", "desed/test_weak.tsv"} & names
    for path in (built.root / "labels").rglob("*test*"):
        if path.is_file():
            assert '"x"' not in path.read_text()
            assert "\tx" not in path.read_text()


def test_balance_goes_on_after_its_first_block(tmp_path):
    """Each block of 1,000 draws has the same shares in an order of its own."""
    names = {"w": {"balance": {"of": ["a", "b"], "cost": {"a": 1, "b": 3}}}}
    recipe = load_recipe(
        write_recipe(tmp_path / "r.yaml", tree(let=names, clips=2000, events=[{**CLICK, "label": "$w"}]))
    )
    drawn = [plan_clip(recipe, "train", i).events[0].label for i in range(2000)]
    assert drawn[:1000].count("a") == drawn[1000:].count("a") == 750
    assert drawn[:1000] != drawn[1000:]


def test_stems_pass_through_linear_effects_of_the_mix(tmp_path):
    """A filter on the mix acts on every stem too, so that they still add up."""
    changes = {
        "events": [{"label": "x", "source": {"type": "tone", "frequency": 2000, "duration": 0.3}, "level_dbfs": -20}],
        "mix": {"effects": [{"type": "filter", "kind": "lowpass", "frequency": 300.0, "order": 4}]}, "output": {"stems": True},
    }  # fmt: skip
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree(**changes)))
    clip = render(plan_clip(recipe, "train", 0), stems=True)
    assert clip.outcomes["stems_sum"]
    assert abs(clip.stems["event00_x"]).max() < 0.02 * 32768 * 0.1
    assert (sum(clip.stems.values()) == clip.pcm16).all()


def test_a_noise_begins_where_its_place_in_the_recipe_says(tmp_path):
    """A neighbour that may be missing moves no other layer's start (a draw is keyed by its node, not by what came out)."""
    sounds(tmp_path / "words")

    def layer(word):
        picked = {"pick": {"from": "words", "where": {"label": word}}}
        return {"source": {"type": "file", "recordings": [picked]}, "level_dbfs": -40}

    def starts(first):
        changes = {
            "data": {"words": "words"}, "sr": 16_000, "clips": 12, "events": [], "noise": {"layers": [first, layer("no")]},
            "catalogues": {"words": {"data": "words", "pattern": "{label}_{speaker}_{take}.wav", "group": None}},
        }  # fmt: skip
        recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree(**changes)), cache_dir=tmp_path / "c")
        return [[x.source.start_sample for x in plan_clip(recipe, "train", i).noise.layers] for i in range(12)]

    always, sometimes = starts(layer("yes")), starts({"maybe": {"p": 0.5, "then": layer("yes")}})
    assert {len(found) for found in sometimes} == {1, 2}
    assert [found[-1] for found in sometimes] == [found[-1] for found in always]
    assert len({found[-1] for found in always}) > 6
