"""The commands: what each one writes and prints, in words and as JSON."""

from __future__ import annotations

import json
import re
import shutil
import struct
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from material import full_recipe, read_wav, tree_of, write_recipe

from audiosynth import load_recipe, plan_clip, render, shipped_recipe, verify
from audiosynth.cli import HOMES, cli
from audiosynth.commands.words import ARGUMENTS, WORDS
from audiosynth.commands.words_parts import PARTS
from audiosynth.files.shipped import starting_points
from audiosynth.files.strictyaml import load
from audiosynth.language.reserved import RESERVED
from audiosynth.registry import FAMILIES, newest
from audiosynth.speech import espeak
from audiosynth.starter import POINTS, starter

SIMPLE = {
    "duration": 1.0,
    "clips": {"train": 3, "test": 2},
    "noise": {"type": "coloured", "colour": "pink", "level_dbfs": -45},
    "events": [
        {"label": "beep", "source": {"type": "tone", "frequency": 800, "duration": 0.2}, "onset": 0.3, "snr_db": 10}
    ],
}


def run(*words: object, stdin: str | bytes | None = None, code: int = 0) -> Result:
    """Run a command line inside this process and expect an exit code."""
    result = CliRunner().invoke(cli, [str(word) for word in words], input=stdin, prog_name="audiosynth")
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in a folder of the test's own, in this process: others take longer to start than these sets to make."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("audiosynth.commands.build.usable_cpus", lambda: 1)


@pytest.fixture
def simple() -> Path:
    """Return a small recipe that needs nothing."""
    return write_recipe(Path("simple.yaml"), SIMPLE)


@pytest.fixture
def built(simple) -> Path:
    """Return a dataset of it."""
    run("build", simple, "--quiet", "-o", "built")
    return Path("built")


def test_the_examples_of_the_readme_work():
    """Build, preview, reproduce, verify, as the README has them."""
    run("build", "quickstart", "--workers", 1)
    run("preview", "quickstart", "--clip", 3, "-o", "preview/")
    again = run("reproduce", "output/quickstart", "--clip", "train-000000003", "-o", "again/")
    assert (
        "ok: 1 clip with the recorded samples; written to again/audio/train/000000/train-000000003.wav" in again.stdout
    )
    name = "audio/train/000000/train-000000003.wav"
    assert (Path("again") / name).read_bytes() == (Path("output/quickstart") / name).read_bytes()
    assert run("verify", "output/quickstart").stdout == "ok: 32 clips, every file as it was written\n"


@pytest.mark.parametrize("command", list(HOMES))
def test_every_command_explains_itself(command):
    """Help has an example, and every option says what it is for."""
    text = run(command, "--help").stdout
    assert f"Example:\n    {'grep' if command == 'reproduce' else 'audiosynth'} " in text
    found = cli.get_command(click.Context(cli), command)
    for each in found.commands.values() if isinstance(found, click.Group) else [found]:
        params = getattr(each, "params", [])
        assert {"as_json", "quiet"} <= {param.name for param in params}
        assert all(len(param.help or "") > 10 for param in params if isinstance(param, click.Option))
        assert re.search(r"Example:\n  (audiosynth|grep) ", each.epilog or ""), each.name


def test_help_lists_all_commands_without_arguments():
    """The bare program shows its help and is content."""
    assert run().stdout == run("--help").stdout
    assert all(f"  {name} " in run().stdout for name in HOMES)
    assert re.fullmatch(r"audiosynth \d+\.\d+.*\n", run("--version").stdout)


def test_build_sums_up_what_it_made(simple):
    """The last table has clips, hours, classes, SNR (median and range), guarded clips; a second run makes nothing."""
    text = run("build", simple).stdout
    assert re.search(r"^clips +5 \(train 3, test 2\)$", text, re.MULTILINE)
    assert re.search(r"^classes +1 \(beep 5; events\)$", text, re.MULTILINE)
    assert "median 10.0 dB, from 10.0 to 10.0 dB over 5 events" in text
    assert re.search(r"^hours +0\.001$", text, re.MULTILINE)
    assert re.search(r"^guarded +0 clips,", text, re.MULTILINE)
    assert verify("output/simple").ok
    assert "5 (train 3, test 2), nothing to do" in run("build", simple).stdout


def test_build_as_json(simple):
    """One object: folder, clips, clips made now, totals."""
    tree = json.loads(run("build", simple, "--json", "--clips", 1, "-o", "x").stdout)
    assert (tree["root"], tree["total"], tree["made"], tree["clips"]) == ("x", 2, 2, {"train": 1, "test": 1})
    assert tree["snr"]["median_db"] == 10.0


def test_quiet_says_nothing(simple):
    """With --quiet a command that works prints nothing."""
    assert run("build", simple, "--quiet").output == ""
    assert run("verify", "output/simple", "-q").output == ""
    assert run("check", simple, "-q").output == ""


def test_the_median_of_an_even_number_lies_between(tmp_path):
    """The median SNR of 0 and 10 dB is 5 dB, to 0.01 dB."""
    tree = {**SIMPLE, "clips": 4, "events": [{**SIMPLE["events"][0], "snr_db": {"cycle": [0, 1, 9, 20]}}]}
    stats = json.loads(run("build", write_recipe(tmp_path / "four.yaml", tree), "--json").stdout)
    assert stats["snr"]["median_db"] == 5.0


def test_build_takes_options(simple):
    """Seed, number of clips and overrides arrive in the dataset."""
    run("build", simple, "-o", "a", "--seed", 7, "--clips", 1, "--set", "noise.level_dbfs=-50")
    row = json.loads(Path("a/manifest.jsonl").read_text().splitlines()[0])
    assert row["spec"]["noise"]["level_dbfs"] == -50
    assert json.loads(Path("a/dataset.json").read_text())["build"]["seed"] == 7


def test_fresh_replaces_and_resume_refuses(simple):
    """Another recipe in the same folder is refused, unless --fresh says so."""
    run("build", simple, "-o", "a", "--quiet")
    refused = run("build", simple, "-o", "a", "--seed", 1, code=1).stderr
    assert "a: holds another build; changed: " in refused
    assert "the seed (0 → 1)" in refused
    run("build", simple, "-o", "a", "--seed", 1, "--fresh")


def test_plan_prints_specs_and_makes_nothing(simple):
    """One line a clip, as `plan_clip` has it, and the summary apart."""
    result = run("plan", simple)
    recipe = load_recipe(simple)
    specs = [plan_clip(recipe, split, i).to_json() for split, n in recipe.clips.items() for i in range(n)]
    assert [json.loads(line) for line in result.stdout.splitlines()] == specs
    assert "5 clips" in result.stderr
    assert re.search(r"^beep +5 +1\.0$", result.stderr, re.MULTILINE)
    assert sorted(p.name for p in Path().iterdir()) == ["simple.yaml"]


def test_plan_of_some_clips(simple):
    """A clip is named by number in a split, or by its id."""
    ids = [
        (c["split"], c["ordinal"]) for c in map(json.loads, run("plan", simple, "--split", "test").stdout.splitlines())
    ]
    assert ids == [("test", 0), ("test", 1)]
    assert json.loads(run("plan", simple, "--split", "test", "--clip", 1).stdout)["split"] == "test"
    assert json.loads(run("plan", simple, "--clip", "test-000000001", "-q").output)["ordinal"] == 1


def test_preview_writes_the_clip_that_build_gives(built):
    """Audio, spec and picture of one clip; the audio's samples are the dataset's."""
    files = run("preview", "simple.yaml", "--clip", "test-000000001", "-o", "p", "-q").stdout.splitlines()
    assert files == [f"p/test-000000001.{suffix}" for suffix in ("wav", "json", "png")]
    same, _ = read_wav(built / "audio/test/000000/test-000000001.wav")
    assert (read_wav(Path(files[0]))[0] == same).all()
    assert json.loads(Path(files[1]).read_text())["ordinal"] == 1
    data = Path(files[2]).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">I", data[16:20])[0] >= 800
    assert [p.name for p in sorted(Path("p").iterdir())] == sorted(Path(f).name for f in files)


def test_preview_as_json(simple):
    """The hash, the files, and the events with times and SNRs."""
    tree = json.loads(run("preview", simple, "--json").stdout)
    assert tree["pcm_sha256"] == render(plan_clip(load_recipe(simple), "train", 0)).pcm_sha256
    (event,) = tree["events"]
    assert event == {"label": "beep", "onset": 0.3, "offset": 0.5, "requested_snr_db": 10, "realised_snr_db": 10.0}


def test_reproduce_tells_what_differs(built):
    """A row whose hash is another fails with exit code 1, naming the clip, and the others are counted."""
    manifest = built / "manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    rows[1]["pcm_sha256"] = "0" * 64
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = run("reproduce", built, code=1)
    assert "different  train-000000001: expected 0000000000000000…, got " in result.stdout
    assert "1 of 5 clips came out different" in result.stdout
    tree = json.loads(run("reproduce", manifest, "--json", code=1).stdout)
    assert (tree["clips"], tree["same"], [row["same"] for row in tree["rows"]]) == (
        5,
        4,
        [True, False, True, True, True],
    )


def test_reproduce_names_the_versions_to_install(built):
    """Where the dataset was built with another numpy, that one is to be installed."""
    head = json.loads((built / "dataset.json").read_text())
    head["build"]["libraries"]["numpy"] = "1.0.1"
    (built / "dataset.json").write_text(json.dumps(head))
    text = (built / "manifest.jsonl").read_text()
    (built / "manifest.jsonl").write_text(re.sub('"pcm_sha256":"[0-9a-f]{8}', '"pcm_sha256":"00000000', text))
    assert "try: pip install numpy==1.0.1" in run("reproduce", built, "--clip", "train-000000000", code=1).stdout


def test_reproduce_reads_standard_input(built):
    """Rows come through a pipe as well, any of them, in any order."""
    lines = (built / "manifest.jsonl").read_text().splitlines()[::-2]
    assert "ok: 3 clips" in run("reproduce", "-", stdin="\n".join(lines)).stdout


def test_reproduce_in_two_processes(built):
    """The number of workers changes neither verdicts nor files."""
    lines = (built / "manifest.jsonl").read_text() * 4
    one, two = (run("reproduce", "-", "--json", "--workers", n, "-o", f"w{n}", stdin=lines) for n in (1, 2))
    assert json.loads(one.stdout)["rows"] == json.loads(two.stdout)["rows"]
    assert tree_of(Path("w1")) == tree_of(Path("w2"))


def test_verify_lists_missing_changed_and_extra(built):
    """Each kind is told by name; exit code 1."""
    (built / "audio/train/000000/train-000000000.wav").unlink()
    (built / "audio/train/000000/train-000000001.wav").write_bytes(b"")
    (built / "audio/more.wav").write_bytes(b"")
    lines = run("verify", built, code=1).stdout.splitlines()
    assert lines[:3] == [
        "missing  audio/train/000000/train-000000000.wav",
        "changed  audio/train/000000/train-000000001.wav",
        "extra    audio/more.wav",
    ]
    assert lines[3] == "1 missing, 1 changed, 1 extra"
    assert json.loads(run("verify", built, "--json", code=1).stdout)["extra"] == ["audio/more.wav"]


def test_assets_lists_what_a_set_needs(tmp_path):
    """Every recording once, with size, hash and licence; from the manifest alone, what it knows."""
    full = full_recipe(tmp_path / "m")
    run("build", full, "-o", "full", "--quiet")
    rows = json.loads(run("assets", "full", "--json").stdout)["assets"]
    listed = [json.loads(line) for line in Path("full/assets.jsonl").read_text().splitlines()]
    assert {(r["sha256"], r["bytes"]) for r in rows} == {(r["sha256"], r["bytes"]) for r in listed}
    assert {r["licence"] for r in rows if r["data"] == "words"} == {"CC0-1.0"}
    table = run("assets", "full").stdout
    assert all(f"{r['data']}:{r['path']}" in table for r in rows)
    assert len(table.splitlines()) == len(rows) + 1
    Path("alone").mkdir()
    shutil.copy("full/manifest.jsonl", "alone/manifest.jsonl")
    alone = json.loads(run("assets", "alone/manifest.jsonl", "--json").stdout)["assets"]
    assert {r["sha256"] for r in alone} == {r["sha256"] for r in rows}


def test_a_synthetic_set_needs_no_assets(built):
    """That is said, not left to be guessed from nothing."""
    assert "no recordings" in run("assets", built).stderr


def test_new_writes_a_recipe_that_builds():
    """The starter is clean, builds without data, and gives exact balance as its comment says."""
    assert "doorbells.yaml: written" in run("new", "doorbells").stdout
    assert run("check", "doorbells.yaml").stdout.startswith("ok doorbells.yaml: 25 clips (train 20, test 5)")
    tree = json.loads(run("build", "doorbells.yaml", "--clips", 2, "--json").stdout)
    assert tree["total"] == 4
    assert Path("doorbells.yaml").read_text(encoding="utf-8") == starter("doorbells")


@pytest.mark.parametrize("point", POINTS)
def test_every_starting_point_is_commented_checks_and_builds(point, tmp_path):
    """As it is written: a comment on most keys, no error, and a few clips of each split; with what the table says it needs."""
    needs = POINTS[point][1]
    if "[speech]" in needs and not espeak.installed():
        pytest.skip("espeakng-loader is not installed (extra [speech])")
    data = ["--data", f"speech={wav_folder(tmp_path / 'mine')}"] if needs == "--data speech=DIR" else []
    assert f"next: audiosynth check mine.yaml{' ' if data else ''}" in run("new", "mine", "--from", point).stdout
    lines = Path("mine.yaml").read_text(encoding="utf-8").splitlines()
    assert sum("#" in line for line in lines) >= len(lines) / 3
    assert "NAME" not in "".join(lines)
    assert run("check", "mine.yaml", "--trials", 5, *data).output.startswith("ok mine.yaml: ")
    clips = [] if data else ["--clips", 1, *(["--set", "export=[jsonl]"] if point == "wake_word" else [])]
    built = json.loads(run("build", "mine.yaml", "--json", "--workers", 1, *clips, *data).stdout)
    assert built["total"] == sum(built["clips"].values()) >= 2
    assert not built["failed"]


def wav_folder(folder: Path) -> Path:
    """Return a folder with a recording of a second."""
    folder.mkdir()
    y = 0.1 * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000) * np.hanning(16000)
    soundfile.write(folder / "one.wav", y, 16000)
    return folder


def test_starting_points_are_offered():
    """Without a name `new` lists them; the table in the package and the files beside the recipes are the same."""
    assert sorted(POINTS) == starting_points()
    text = run("new").stdout
    assert all(f"{name} " in text and makes in text for name, (makes, _) in POINTS.items())
    assert run("new", "-q").stdout.split() == list(POINTS)
    assert [p["name"] for p in json.loads(run("new", "--json").stdout)["starting_points"]] == list(POINTS)
    assert not list(Path().iterdir())
    assert all(name in run("new", "--help").stdout for name in POINTS)


def test_a_terminal_is_asked_what_to_start_from(monkeypatch):
    """Somebody at a terminal chooses; a return takes the usual one; a script is never asked."""
    monkeypatch.setattr("audiosynth.commands.new._asked_here", lambda: True)
    assert "Start from [events]: noise" in run("new", "a", stdin="noise\n").output
    assert Path("a.yaml").read_text(encoding="utf-8") == starter("a", point="noise")
    run("new", "b", stdin="\n")
    assert Path("b.yaml").read_text(encoding="utf-8") == starter("b")
    assert json.loads(run("new", "c", "--json").stdout) == {"path": "c.yaml", "name": "c", "from": "events"}


def test_list_has_everything():
    """Every component, distribution and word is listed, and names alone with --quiet."""
    entries = json.loads(run("list", "--json").stdout)["entries"]
    names = {(entry["group"], entry["name"]) for entry in entries}
    assert all((family, name) in names for family in FAMILIES for name in newest(family))
    assert {name for _, name in names} >= {*RESERVED, "quickstart", "event", "let"}
    assert all(len(entry["summary"]) > 5 for entry in entries)
    assert run("list", "synths", "-q").stdout.split() == list(newest("synths"))


@pytest.mark.parametrize(("family", "name"), [(f, n) for f in FAMILIES for n in newest(f)])
def test_describe_shows_each_parameter(family, name):
    """Each parameter of a component with its range, and an example that the component accepts."""
    text = run("describe", f"{family}/{name}").stdout
    cls = newest(family)[name]
    assert all(re.search(rf"^{key} ", text, re.MULTILINE) for key in cls.model_fields if key != "start_sample")
    example = load(text.partition("Example:\n")[2], name="example").tree
    (tree,) = example.values()
    tree = tree[0] if isinstance(tree, list) else tree
    assert tree["type"] == name


def test_describe_gives_units_ranges_and_defaults():
    """Of a chirp: Hz, its bounds, what is required, what is not."""
    text = run("describe", "chirp").stdout
    assert re.search(r"^fmin +number +Hz +≥ 1, ≤ 96000 +required +Lowest frequency$", text, re.MULTILINE)
    assert re.search(r'^direction +word +up \| down +"up" ', text, re.MULTILINE)


def test_describe_shows_all_of_a_name():
    """`file` is a synthesizer and a noise; both are shown, or the one asked for."""
    assert [e["group"] for e in json.loads(run("describe", "file", "--json").stdout)["entries"]] == ["synths", "noises"]
    assert "(noises, " in run("describe", "noises/file").stdout


def test_every_word_has_an_example():
    """All words of the language are documented, with an example that uses them and reads as YAML."""
    assert {*WORDS, *ARGUMENTS} >= set(RESERVED)
    for name, text in [*ARGUMENTS.items(), *((name, word.example) for name, word in WORDS.items() if name in RESERVED)]:
        load(text, name=name)
        assert f"{name}:" in text
    for name, part in PARTS.items():
        load(part.example, name=name)


def test_check_reads_several_recipes(simple):
    """One line each."""
    lines = run("check", simple, "quickstart").stdout.splitlines()
    assert lines == [
        "ok simple.yaml: 5 clips (train 3, test 2) at 16000 Hz, seed 0, about 0.0014 h, 160 kB",
        "ok quickstart: 32 clips (train 24, test 8) at 16000 Hz, seed 1, about 0.036 h, 4.1 MB",
    ]


def test_check_without_data_says_what_it_could_not_see(tmp_path):
    """Missing recordings are no error of the recipe, and what they hide is named; errors in it are told all the same."""
    path = full_recipe(tmp_path / "m")
    shutil.rmtree(tmp_path / "m" / "words")
    result = run("check", path)
    assert "no error in the recipe itself" in result.stdout
    assert "data root 'words' is not here, so neither are the recordings of words" in result.stderr
    assert "'rooms' is not here" not in result.stderr
    broken = full_recipe(tmp_path / "m", sample_rate=8000)
    shutil.rmtree(tmp_path / "m" / "words")
    assert "a recipe has no 'sample_rate'" in run("check", broken, code=2).stderr


def test_check_with_data_elsewhere(tmp_path):
    """--data names the folder, and the recordings are looked at."""
    path = full_recipe(tmp_path / "m")
    (tmp_path / "m" / "words").rename(tmp_path / "w")
    assert "9 clips (train 6, test 3)" in run("check", path, "--data", f"words={tmp_path / 'w'}").stdout


def test_check_shares_data_among_recipes(tmp_path):
    """Folders given for one of several recipes are no error of the others."""
    path = full_recipe(tmp_path / "m")
    assert len(run("check", path, "quickstart", "--data", f"words={tmp_path / 'm' / 'words'}").stdout.splitlines()) == 2


def test_check_plans_clips():
    """What only a combination of draws shows is found, in the last clip too: a deck that runs out."""
    events = [{"label": {"deck": ["a", "b", "c"]}, "source": {"type": "click"}, "onset": 0.1, "snr_db": 3}]
    path = write_recipe(Path("deck.yaml"), {**SIMPLE, "clips": 4, "events": events})
    assert "deck.yaml: clip train/3" in run("check", path, "--trials", 1, code=2).stderr
    assert run("check", path, "--trials", 0).stdout.startswith("ok")


def test_warnings_are_printed_and_change_nothing(simple, monkeypatch):
    """A recipe's warnings go to standard error; the exit code stays 0."""
    from audiosynth.commands.options import Wanted

    load_it = Wanted.load

    def warned(self, show):
        recipe = load_it(self, show)
        object.__setattr__(recipe, "warnings", ("two cycles are not balanced together",))
        return recipe

    monkeypatch.setattr(Wanted, "load", warned)
    assert "warning: two cycles are not balanced together" in run("check", simple).stderr


def test_a_file_wins_over_a_shipped_name():
    """A recipe file called like a shipped recipe is the one that is meant."""
    Path("quickstart").write_text(shipped_recipe("quickstart").read_text().replace("seed: 1", "seed: 5"))
    assert "seed 5" in run("check", "quickstart").stdout
