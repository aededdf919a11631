"""`vary`: what is set differs and nothing else; what nothing was done to comes out with the same samples."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from material import full_recipe, tree_of, write_recipe

from audiosynth import build, load_recipe, reproduce, vary, verify
from audiosynth.cli import cli
from audiosynth.errors import AssetError, BuildError, ManifestError, PlanError, UsageError
from audiosynth.manifest import parse_row
from audiosynth.plan import event_of
from audiosynth.planning.replan import replan

GOLDEN = Path(__file__).parent / "golden" / "format1.jsonl"
SCENE = {
    "name": "scene",
    "sr": 8000,
    "duration": 1.0,
    "clips": {"train": 4, "test": 2},
    "supervision": {"test": "weak"},
    "noise": {"type": "coloured", "colour": "pink", "level_dbfs": {"uniform": [-50, -40]}},
    "events": [
        {
            "label": {"cycle": ["dog", "bell"]},
            "source": {"type": "chirp", "fmin": {"uniform": [300, 400]}, "fmax": 900, "duration": 0.2},
            "onset": {"slack": {"uniform": [0, 1]}},
            "snr_db": {"uniform": [0, 20]},
        },
        {
            "name": "last",
            "label": "tone",
            "source": {"type": "tone", "frequency": 700, "duration": 0.25},
            "at": {"anchor": "offset", "time": {"uniform": [-0.2, -0.1]}},
            "snr_db": {"uniform": [0, 20]},
        },
    ],
    "export": ["desed", "audacity"],
}


def rows_of(root):
    """Return the rows of a set by clip."""
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    return {row["clip_id"]: row for row in rows}


def hashes(root):
    """Return the identities of a set's clips."""
    return {clip_id: row["pcm_sha256"] for clip_id, row in rows_of(root).items()}


def differences(a, b, path=""):
    """Yield the paths at which two trees differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in a.keys() | b.keys():
            yield from differences(a.get(key), b.get(key), f"{path}.{key}".strip("."))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, pair in enumerate(zip(a, b, strict=True)):
            yield from differences(*pair, f"{path}[{i}]")
    elif a != b:
        yield path


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a set of two splits, nothing recorded."""
    folder = tmp_path_factory.mktemp("scene")
    return build(load_recipe(write_recipe(folder / "r.yaml", SCENE)), folder / "out").root


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Return a set that is made of recordings in measured rooms, and its recipe's folder."""
    folder = tmp_path_factory.mktemp("recorded")
    path = full_recipe(folder, clips={"train": 3, "test": 1}, sr=8000)
    return build(load_recipe(path, cache_dir=folder / "c"), folder / "out").root


@pytest.fixture
def folders(recorded):
    """Return its data roots."""
    return {name: str(recorded.parent / name) for name in ("words", "rooms", "beds")}


def test_nothing_set_is_the_same_set(root, tmp_path):
    """Without any setting every clip has its samples, its spec and its labels."""
    same = vary(root, tmp_path / "same").root
    assert hashes(same) == hashes(root)
    assert {k: row["spec"] for k, row in rows_of(same).items()} == {k: row["spec"] for k, row in rows_of(root).items()}
    assert tree_of(same / "labels") == tree_of(root / "labels")


def test_what_is_written_is_no_sound(root, tmp_path):
    """Another container, stems and other names of labels leave all samples as they are."""
    sets = ["output.format=flac", "output.stems=true", "events[label=dog].label=hound", "labels.offset=tail"]
    new = vary(root, tmp_path / "new", set_values=sets).root
    assert hashes(new) == hashes(root)
    assert {label["label"] for row in rows_of(new).values() for label in row["labels"]} == {"hound", "bell", "tone"}
    for clip in rows_of(new).values():
        mix = soundfile.read(new / clip["path"], dtype="int16")[0]
        stems = [soundfile.read(path)[0] for path in (new / clip["path"]).with_suffix(".stems").iterdir()]
        assert np.array_equal(np.sum(stems, axis=0) * 32768, mix)


def test_fresh_does_not_delete_the_parent(root):
    """A set is not made anew over the one that it is made from."""
    before = tree_of(root)
    with pytest.raises(BuildError, match=r"--fresh would delete .*manifest\.jsonl, from which the new set is made"):
        vary(root, root, set_values=["events[*].snr_db=+3"], fresh=True)
    assert tree_of(root) == before


def test_there_and_back(root, tmp_path):
    """3 dB more and 3 dB less again are the first set, bit for bit; in between every clip is another."""
    up = vary(root, tmp_path / "up", set_values=["events[*].snr_db=+3"]).root
    assert not set(hashes(up).values()) & set(hashes(root).values())
    back = vary(up, tmp_path / "back", set_values=["events[*].snr_db=+-3"]).root
    assert hashes(back) == hashes(root)


def test_only_what_is_set_differs(root, tmp_path):
    """The spec differs in one value, the realised SNR is the one asked for, places and the bed stay."""
    new = vary(root, tmp_path / "new", set_values=["events[last].snr_db=12"]).root
    for clip_id, row in rows_of(new).items():
        old = rows_of(root)[clip_id]
        assert list(differences(old["spec"], row["spec"])) == ["events[1].level.snr_db"]
        assert row["outcomes"]["events"][1]["realised_snr_db"] == pytest.approx(12, abs=0.001)
        assert row["outcomes"]["events"][0] == old["outcomes"]["events"][0]
        assert row["outcomes"]["noise"] == old["outcomes"]["noise"]
        assert row["parent"] == {
            "clip_id": clip_id, "pcm_sha256": old["pcm_sha256"], "set": ["events[last].snr_db=12"],
        }  # fmt: skip


def test_events_by_label(root, tmp_path):
    """Clips without the label come out as they were; the others differ in that event alone."""
    new = vary(root, tmp_path / "new", set_values=["events[label=dog].snr_db=+6"]).root
    with_dog = {k for k, row in rows_of(root).items() if row["spec"]["events"][0]["label"] == "dog"}
    assert 0 < len(with_dog) < 6
    assert {k for k, digest in hashes(new).items() if digest != hashes(root)[k]} == with_dog
    for clip_id in with_dog:
        old, now = (rows_of(folder)[clip_id]["outcomes"]["events"] for folder in (root, new))
        assert now[0]["realised_snr_db"] == pytest.approx(old[0]["realised_snr_db"] + 6, abs=0.001)
        assert now[1] == old[1]


def test_the_bed_moves_under_events_that_stay(tmp_path):
    """noise.snr_db turns the bed down; the events' own samples are those of the parent."""
    tree = {**SCENE, "output": {"stems": True}, "noise": {"type": "coloured", "colour": "white", "snr_db": -3}}
    tree["events"] = [{**{k: v for k, v in e.items() if k != "snr_db"}, "level_dbfs": -40} for e in SCENE["events"]]
    first = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "first").root
    new = vary(first, tmp_path / "new", set_values=["noise.snr_db=-9"]).root
    for clip_id, row in rows_of(new).items():
        old = rows_of(first)[clip_id]
        assert list(differences(old["spec"], row["spec"])) == ["noise.snr_db"]
        assert row["outcomes"]["noise"]["realised_snr_db"] == pytest.approx(-9, abs=0.01)
        before, after = ((f / row["path"]).with_suffix(".stems") for f in (first, new))
        for stem in sorted(before.glob("event*")):  # the bed is the loudest and takes the sum's remainder
            assert np.array_equal(soundfile.read(stem)[0], soundfile.read(after / stem.name)[0])
        bed = [soundfile.read(folder / "noise.wav")[0] for folder in (before, after)]
        assert np.abs(bed[1] - bed[0] * 10 ** (6 / 20)).max() < 5 / 32768


def test_the_new_set_is_a_set(root, tmp_path):
    """It verifies, comes back from its rows, has the parent's label formats and splits, and says what it is."""
    new = vary(root, tmp_path / "new", set_values=["noise.level_dbfs=+6"]).root
    assert verify(new).ok
    assert all(clip.same for clip in reproduce(new))
    head = json.loads((new / "dataset.json").read_text())
    assert (head["splits"], head["supervision"]) == ({"train": 4, "test": 2}, {"train": "strong", "test": "weak"})
    assert head["name"] == "scene-noise_level_dbfs_plus_6"
    assert (head["parent"]["name"], head["parent"]["set"], head["parent"]["changed"]) == (
        "scene",
        ["noise.level_dbfs=+6"],
        6,
    )
    names = {path.relative_to(root).as_posix() for path in (root / "labels").rglob("*") if path.is_file()}
    assert {path.relative_to(new).as_posix() for path in (new / "labels").rglob("*") if path.is_file()} == names
    assert all(len(json.dumps(row)) < 8000 for row in rows_of(new).values())


def test_what_follows_is_worked_out(root, tmp_path):
    """A longer event keeps the point it stands at: its end; its label, active part and length follow."""
    new = vary(root, tmp_path / "new", set_values=["events[last].source.duration=0.5"]).root
    for clip_id, row in rows_of(new).items():
        old, now = rows_of(root)[clip_id]["spec"]["events"][1], row["spec"]["events"][1]
        assert now["place"]["n_samples"] == 4000
        assert now["place"]["onset"] + 4000 == old["place"]["onset"] + 2000
        labels = [label for label in row["labels"] if label["label"] == "tone"]
        assert [(label["onset_sample"], label["offset_sample"]) for label in labels] == [
            (now["place"]["onset"], now["place"]["onset"] + 4000)
        ]
        assert row["outcomes"]["events"][1]["realised_snr_db"] == pytest.approx(now["level"]["snr_db"], abs=0.001)


def test_a_longer_clip_keeps_its_events(root, tmp_path):
    """`duration` lengthens the clip; what is counted from its end moves with it, what has an onset stays."""
    new = vary(root, tmp_path / "new", set_values=["duration=1.5"]).root
    for clip_id, row in rows_of(new).items():
        old, now = rows_of(root)[clip_id]["spec"]["events"], row["spec"]["events"]
        assert row["n_samples"] == 12_000
        assert now[0]["place"] == old[0]["place"]
        assert now[1]["place"]["onset"] == old[1]["place"]["onset"] + 4000


def test_every_golden_row_is_planned_again_to_itself():
    """Placed anew from its own spec, each event of each earlier row stands where it stood."""
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        spec = parse_row(json.loads(line), place="golden").spec
        tree = spec.model_dump(mode="json")
        assert replan(spec, tree) == spec
        for raw, event in zip(tree["events"], spec.events, strict=True):
            unplaced = {key: value for key, value in raw.items() if key != "place"}
            assert event_of(unplaced, sr=spec.sr, n_clip=spec.n_samples, clip_room=spec.room) == event


def test_decisions_stay_while_they_are_true(recorded, folders, tmp_path):
    """The delay that a row decided is kept under another level, and measured again in another room."""
    lines = [json.loads(line) for line in (recorded / "manifest.jsonl").read_text().splitlines()]
    for row in lines:
        row["decisions"]["direct"] = [n + 5 for n in row["decisions"]["direct"]]
    alone = tmp_path / "alone.jsonl"
    alone.write_text("".join(json.dumps(row) + "\n" for row in lines))
    louder = vary(alone, tmp_path / "louder", set_values=["noise.level_dbfs=+3"], data=folders).root
    other = vary(alone, tmp_path / "other", set_values=["events[*].room.max_duration=0.1"], data=folders).root
    for row in lines:
        assert rows_of(louder)[row["clip_id"]]["decisions"]["direct"] == row["decisions"]["direct"]
        measured = rows_of(other)[row["clip_id"]]["decisions"]["direct"]
        assert measured == [n - 5 for n in row["decisions"]["direct"]]


def test_a_manifest_alone_is_enough(root, tmp_path):
    """Without the folder around it the rows give the clips; labels are then JSON lines."""
    alone = Path(shutil.copy(root / "manifest.jsonl", tmp_path / "rows.jsonl"))
    alone.write_text("".join(alone.read_text().splitlines(keepends=True)[1:5]))
    new = vary(alone, tmp_path / "new", set_values=["output.subtype=FLOAT"]).root
    assert hashes(new) == {k: hashes(root)[k] for k in list(hashes(root))[1:5]}
    assert verify(new).ok
    assert sorted(p.suffix for p in (new / "labels").rglob("*") if p.is_file()) == [".jsonl", ".jsonl"]


def test_recordings_are_found_where_they_are(recorded, folders, tmp_path):
    """Recordings come from any folder given, by their hash; credits are the parent's; without them it is said how."""
    everything = shutil.copytree(recorded.parent, tmp_path / "moved", ignore=shutil.ignore_patterns("out", "c"))
    new = vary(recorded, tmp_path / "new", set_values=["events[*].snr_db=+2"], data={"mine": str(everything)}).root
    assert (new / "assets.jsonl").read_bytes() == (recorded / "assets.jsonl").read_bytes()
    assert verify(new).ok
    with pytest.raises(AssetError, match=r"clip train-000000000: words:.* is missing.*--data words=DIR"):
        vary(recorded, tmp_path / "none", set_values=["events[*].snr_db=+2"])


def test_workers_and_resuming_leave_no_trace(root, tmp_path):
    """Two workers make the tree of one; a build that stopped goes on to the same bytes; another one is refused."""
    tree = {**SCENE, "clips": {"train": 70, "test": 3}, "duration": 0.6, "events": SCENE["events"][1:]}
    big = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree)), tmp_path / "big").root
    one = vary(big, tmp_path / "one", set_values=["noise.level_dbfs=+6"]).root

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vary(big, tmp_path / "two", set_values=["noise.level_dbfs=+6"], progress=stop)
    assert (tmp_path / "two" / ".build").is_dir()
    with pytest.raises(BuildError, match=r"changed since: what is set \(\['noise.level_dbfs=\+6'\] → "):
        vary(big, tmp_path / "two", set_values=["noise.level_dbfs=+7"])
    made = vary(big, tmp_path / "two", set_values=["noise.level_dbfs=+6"], workers=2)
    assert 0 < made.made < 73
    assert tree_of(one) == tree_of(tmp_path / "two")
    assert vary(big, tmp_path / "two", set_values=["noise.level_dbfs=+6"]).made == 0
    with pytest.raises(BuildError, match="holds another build; changed: the manifest"):
        vary(root, tmp_path / "two", set_values=["noise.level_dbfs=+6"])
    vary(root, tmp_path / "two", set_values=["noise.level_dbfs=+6"], fresh=True)
    assert hashes(tmp_path / "two").keys() == hashes(root).keys()


@pytest.mark.parametrize(
    ("setting", "error", "message"),
    [
        ("nois.level_dbfs=3", UsageError, r"none of the 6 clips has that; a clip has no 'nois'; did you mean 'noise'\?"),
        ("noise.level_dbf=3", UsageError, "noise has no 'level_dbf'; did you mean 'level_dbfs'"),
        ("noise.slope=3", UsageError, "noise has no 'slope'; did you mean 'slope_db'"),
        ("events[label=dgo].snr_db=3", UsageError, r"events has no item \[label=dgo\]; did you mean 'dog'"),
        ("events[label=x].snr_db=3", UsageError, r"no item \[label=x\]; there are bell, dog, tone"),
        ("events[lst].snr_db=3", UsageError, r"no item \[lst\]; did you mean 'last'"),
        ("events[7].snr_db=3", UsageError, r"none of the 6 clips has that; events has no item \[7\]"),
        ("events[0].room.rt60=3", UsageError, r"events\[0\].room is null"),
        ("events[0].snr_db.x=3", UsageError, r"events\[0\].level.snr_db is [0-9.]+, with nothing inside"),
        ("duration=1.0", UsageError, "stands there already, in all 6 clips; nothing would change"),
        ("events[label=tone].label=tone", UsageError, "nothing would change"),
        ("noise.snr_db=+3", UsageError, "noise.snr_db is null, so there is nothing to count from; give a value without"),
        ("events[0].label=+3", UsageError, r"'\+' needs a number to count from, events\[0\].label is '(dog|bell)'"),
        ("noise.snr_db=6", PlanError, r"clip train-000000000, noise: expected one of .*; set the one that is replaced to null"),
        ("events[0].level_dbfs=-30", PlanError, r"events\[0\].level: expected exactly one of .* to null as well"),
        ("noise.level_dbfs=900", PlanError, "noise.level_dbfs: input should be less than or equal to 60, got 900"),
        ("events[0].source.fmin=*-1", PlanError, r"events\[0\].source.fmin: input should be greater than or equal to 1"),
        ("events[0].source.duration=2", PlanError, r"events\[0\]: an event of 2.000 s .* does not fit a clip of 1.000 s"),
        ("events[1].onset=0.1", PlanError, r"`at` says where this event stands; set events\[1\].at.time"),
        ("duration=0", PlanError, "duration: expected seconds > 0, got 0"),
        ("duration=0.1", PlanError, "does not fit a clip of 0.100 s"),
        ("noise=null", PlanError, r"events\[0\] has an snr_db but the clip has no noise"),
        ("mix.dither=tpdf", PlanError, "needs a seed, and none was drawn for this clip; set mix.seed too"),
        ("output.format=mp4", PlanError, "output.format: input should be 'wav'"),
        ("sr=16000", UsageError, "cannot be varied: samples are counted in it"),
        ("events[0].place.onset=3", UsageError, "it follows from the onset and the source; set those"),
        ("events=[]", UsageError, "events as a whole are not set"),
        ("noise.level_dbfs={uniform: [0, 1]}", UsageError, "`vary` throws no dice"),
        ("noise..x=3", UsageError, "expected a path such as"),
        ("noise", UsageError, "--set takes path=value"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_said(root, tmp_path, setting, error, message):
    """Before anything is rendered: paths that are not there, values out of range, sets that change nothing."""
    with pytest.raises(error, match=message):
        vary(root, tmp_path / "new", set_values=[setting])
    assert not (tmp_path / "new").exists()


RULED = {
    "sr": 8000, "duration": 2.0, "clips": 6, "scene": {"max_overlap": 1},
    "noise": {"type": "coloured", "colour": "white", "level_dbfs": -40},
    "events": [
        {"label": name, "source": {"type": "tone", "frequency": 500, "duration": 0.4}, "onset": {"slack": {"uniform": [0, 1]}}, "snr_db": 6}
        for name in ("a", "b", "c")
    ],
}  # fmt: skip


def test_rules_of_a_scene_are_kept_or_the_clip_is_refused(tmp_path):
    """Levels change under any rules; events that would break one are refused, unless the spec no longer claims it."""
    root = build(load_recipe(write_recipe(tmp_path / "r.yaml", RULED)), tmp_path / "set").root
    louder = vary(root, tmp_path / "louder", set_values=["events[*].snr_db=+3", "events[*].source.duration=0.3"]).root
    assert all(row["outcomes"]["polyphony"]["max"] == 1 for row in rows_of(louder).values())
    longer = "events[*].source.duration=1.5"
    with pytest.raises(
        PlanError, match=r"clip train-\d+, events\[\d\]: scene.max_overlap does not hold with this event"
    ):
        vary(root, tmp_path / "no", set_values=[longer, "events[*].overrun=cut"])
    with pytest.raises(PlanError, match=r"scene.min_overlap does not hold any more; change less, or set scene to null"):
        vary(root, tmp_path / "no", set_values=["scene.max_overlap=null", "scene.min_overlap=2"])
    free = vary(root, tmp_path / "free", set_values=[longer, "events[*].overrun=cut", "scene=null"]).root
    assert max(row["outcomes"]["polyphony"]["max"] for row in rows_of(free).values()) > 1


def test_one_level_takes_the_place_of_another(root, tmp_path):
    """Settings are taken together, so that what excludes each other can change places."""
    sets = ["events[*].snr_db=null", "events[*].level_dbfs=-30", "noise.level_dbfs=null", "noise.snr_db=15"]
    new = vary(root, tmp_path / "new", set_values=sets).root
    for row in rows_of(new).values():
        assert row["outcomes"]["noise"]["realised_snr_db"] == pytest.approx(15, abs=0.001)


def test_settings_build_on_each_other(root, tmp_path):
    """What one setting brings can be changed by the next, the same in every clip."""
    sets = ["mix.effects=[{type: gain, gain_db: -6}]", "mix.effects[0].gain_db=+1"]
    new = vary(root, tmp_path / "new", set_values=sets).root
    assert {row["spec"]["mix"]["effects"][0]["gain_db"] for row in rows_of(new).values()} == {-5}


@pytest.mark.parametrize(
    ("order", "message"),
    [([0, 2, 1], "comes after clip 2 of its split; rows should be in the order of a build"), ([0, 0], "comes after clip 0")],
)  # fmt: skip
def test_rows_out_of_order_are_refused(root, tmp_path, order, message):
    """Rows that are shuffled or doubled would write one clip twice."""
    lines = (root / "manifest.jsonl").read_text().splitlines()
    (tmp_path / "m.jsonl").write_text("".join(lines[i] + "\n" for i in order))
    with pytest.raises(ManifestError, match=message):
        vary(tmp_path / "m.jsonl", tmp_path / "new", set_values=["noise.level_dbfs=+6"])
    (tmp_path / "m.jsonl").write_text("\n")
    with pytest.raises(ManifestError, match="holds no rows"):
        vary(tmp_path / "m.jsonl", tmp_path / "new", set_values=["noise.level_dbfs=+6"])


def test_the_command(root, tmp_path, monkeypatch):
    """It writes below output/ under a name that says what is set, prints what changed, and ends with 2 on bad paths."""
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    done = run(
        cli, ["vary", str(root), "--set", "events[label=dog].snr_db=+6", "--workers", "1"], prog_name="audiosynth"
    )
    assert done.exit_code == 0, done.output
    assert "events[label=dog].snr_db=+6 in 3 clips; the other 3 are as they were" in done.stdout
    assert (tmp_path / "output" / "scene-events_label_dog_snr_db_plus_6" / "dataset.json").is_file()
    told = json.loads(run(cli, ["vary", str(root), "--set", "output.stems=true", "-o", "s", "--json"]).stdout)
    assert (told["changed"], told["made"], told["set"]) == (6, 6, ["output.stems=true"])
    bad = run(cli, ["vary", str(root), "--set", "nois.snr_db=3"])
    assert (bad.exit_code, bad.stderr.count("\n")) == (2, 1)
    assert run(cli, ["vary", str(root)]).exit_code == 2
