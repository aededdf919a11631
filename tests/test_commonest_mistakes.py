"""The commonest mistakes, collected while trying the project as a new user would: one message each, with the way out, no traceback."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner

import audiosynth
from audiosynth import load_recipe
from audiosynth.cli import cli
from audiosynth.errors import RecipeError
from audiosynth.starter import starter


def line_of(text: str, old: str, new: str) -> str:
    """Return a recipe with one mistake in it."""
    assert old in text
    return text.replace(old, new, 1)


MISTAKES = {
    # file → what is changed in the recipe that `audiosynth new` writes
    "component": ("type: chirp", "type: chrip"),
    "field": ("fmin:", "f_min:"),
    "key": ("onset:", "onst:"),
    "short_key": ("snr_db:", "snr:"),
    "top_key": ("clips:", "clip:"),
    "distribution": ("snr_db: {uniform: [0, 20]}", "snr_db: {unifrom: [0, 20]}"),
    "call": ("snr_db: {uniform: [0, 20]}", "snr_db: uniform(0, 20)"),
    "span": ("snr_db: {uniform: [0, 20]}", "snr_db: 0-20"),
    "name": ("label: $kind", "label: $kid"),
    "milliseconds": ("{uniform: [0.3, 0.8]}", "300ms"),
    "kilohertz": ("{log_uniform: [400, 900]}", "4kHz"),
    "decibels": ("snr_db: {uniform: [0, 20]}", "snr_db: 10 dB"),
    "rate": ("sr: 16000", "sr: 16kHz"),
    "range": ("{uniform: [-50, -40]}", "90"),
    "drawn_range": ("{uniform: [-50, -40]}", "{uniform: [-50, 400]}"),
    "longer": ("{uniform: [0.3, 0.8]}", "5"),
    "tab": ("  type: coloured", "\ttype: coloured"),
    "indent": ("  type: coloured", "   type: coloured"),
    "colon": ("sr: 16000", "sr 16000"),
    "bare": ("source:\n          by:", "source: click\n        let_it:\n          by:"),
}


@pytest.fixture(autouse=True)
def workshop(tmp_path, monkeypatch):
    """Work in a folder with a recipe for each mistake, folders of broken recordings, and a dataset."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("audiosynth.commands.build.usable_cpus", lambda: 1)
    text = starter("mine")
    Path("mine.yaml").write_text(text, encoding="utf-8")
    for name, (old, new) in MISTAKES.items():
        Path(f"{name}.yaml").write_text(line_of(text, old, new), encoding="utf-8")
    Path("aug.yaml").write_text(starter("aug", point="augment"), encoding="utf-8")
    for folder in ("empty", "texts", "broken", "silent", "full"):
        Path(folder).mkdir()
    Path("texts/a.txt").write_text("hello")
    Path("broken/a.wav").write_text("hello")
    Path("full/thesis.tex").write_text("all of it")
    with wave.open("silent/a.wav", "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(32000))


def said(line: str, code: int) -> str:
    """Run a command line that is a mistake; return what it says."""
    result = CliRunner().invoke(cli, line.split(), prog_name="audiosynth")
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert "bug in audiosynth" not in result.output
    assert result.stderr.startswith("error: ")
    return result.stderr


TEN = [
    # 1. a name mistyped
    ("build quickstrat", 2, "no recipe called 'quickstrat'; did you mean 'quickstart'?"),
    ("build mien.yaml", 2, "mien.yaml: no such recipe file; `audiosynth new NAME` writes one to start from"),
    ("biuld quickstart", 2, "did you mean 'build'?"),
    ("check component.yaml", 2, "no synth called 'chrip'; did you mean 'chirp'?"),
    ("check field.yaml", 2, "'chirp' has no such parameter; did you mean 'fmin'?"),
    ("check key.yaml", 2, "'event' has no such parameter; did you mean 'onset'?"),
    ("check short_key.yaml", 2, "'event' has no such parameter; did you mean 'snr_db'?"),
    ("check top_key.yaml", 2, "a recipe has no 'clip'; did you mean 'clips'?"),
    ("check name.yaml", 2, "$kid is not defined here; did you mean 'kind'?"),
    ("describe voices", 2, "it is a parameter of recipe (`audiosynth describe recipe`)"),
    ("describe fmin", 2, "nothing is called 'fmin'; it is a parameter of chirp, "),
    ("new mine2 --from wake_wrd", 2, "no starting point is called 'wake_wrd'; did you mean 'wake_word'?"),
    # 2. a unit, or a draw as other programs write it
    ("check milliseconds.yaml", 2, "got '300ms'; times are seconds, without a unit: 0.3"),
    ("check kilohertz.yaml", 2, "got '4kHz'; frequencies are Hz, without a unit: 4000"),
    ("check decibels.yaml", 2, "got '10 dB'; levels are dB, without a unit: 10"),
    ("check rate.yaml", 2, "got '16kHz'; frequencies are Hz, without a unit: 16000"),
    ("check distribution.yaml", 2, "got {'unifrom': [0, 20]}; did you mean 'uniform'?"),
    ("check call.yaml", 2, "got 'uniform(0, 20)'; a draw is written {uniform: [0, 20]}"),
    ("check span.yaml", 2, "got '0-20'; a draw between two numbers is written {uniform: [0, 20]}"),
    ("check bare.yaml", 2, "expected a map with `type:`, got 'click'; write {type: click}"),
    # 3. out of range, in a value or in what a draw can give
    ("check range.yaml", 2, "noise.level_dbfs: input should be less than or equal to 60, got 90"),
    ("check drawn_range.yaml", 2, "'uniform' can give 400: input should be less than or equal to 60"),
    # 4. data that are not given, or elsewhere
    ("build aug.yaml", 1, "data root 'speech': no folder was given; give it with --data speech=DIR"),
    ("build aug.yaml --data spech=empty", 1, "was it given as 'spech'?"),
    ("build aug.yaml --data speech=nowhere", 2, "speech=nowhere: there is no such folder"),
    ("build aug.yaml --data empty", 2, "expected NAME=DIR, got 'empty'"),
    ("build aug.yaml --data speech=texts", 1, "no audio in texts; correct `folder` or `include`, or say where the data is"),
    ("augment empty --preset noisy -o out", 1, "holds neither audio files nor a manifest that is known"),
    # 5. recordings that cannot be used
    ("build aug.yaml --data speech=broken", 1, "not audio that libsndfile can read (Format not recognised); convert it"),
    ("build aug.yaml --data speech=silent", 1, "silent, every sample is 0; a recording without sound has no level; leave it out"),
    # 6. something is there already
    ("new mine", 2, "mine.yaml: is there already and is left alone; choose another name, or a file with -o"),
    ("build mine.yaml -o full", 1, "full: is not empty and holds no build; choose an empty folder with -o"),
    ("build mine.yaml -o mine.yaml", 1, "mine.yaml: is a file; choose a folder with -o"),
    # 7. YAML
    ("check tab.yaml", 2, "indent and separate with spaces, not with tabs"),
    ("check indent.yaml", 2, "check the indentation"),
    ("check colon.yaml", 2, "a key needs ': ' after it"),
    # 8. --set
    ("build mine.yaml --set noise.levl_dbfs=-40", 2, "--set noise.levl_dbfs: 'coloured' has no such parameter; did you mean 'level_dbfs'?"),
    ("build mine.yaml --set noise/level_dbfs=-40", 2, "expected steps with dots between them: noise.level_dbfs"),
    ("build mine.yaml --set events.snr_db=3", 2, "no item 'snr_db' in a list of 1; say which: events[0].snr_db"),
    ("build mine.yaml --set name={a}_{b}", 2, "--set name:1:4: not YAML: expected '<document start>', but found '<scalar>'; put quotes around a text"),
    ("build mine.yaml --set noise.level_dbfs", 2, "expected path=value such as noise.snr_db=6"),
    # 9. an event that does not fit its clip
    ("check longer.yaml", 2, "an event of 5.000 s is longer than its clip of 3.000 s; make the clip longer, the event shorter"),
    # 10. the wrong thing for a command, a clip by another name
    ("reproduce mine.yaml", 1, "a recipe is for `build`; give the dataset's folder or its manifest.jsonl"),
    ("verify mine.yaml", 2, "mine.yaml: is a file; give the folder of the dataset"),
    ("stats empty", 1, "no such manifest; a finished build has a manifest.jsonl (give the folder that `audiosynth build` made; a build that was stopped goes on"),
    ("build empty", 2, "empty: is a folder; expected a YAML file or the name of a recipe"),
    ("preview mine.yaml --clip last", 2, "expected a number from 0 or an id such as train-000000003, got 'last'"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "code", "message"), TEN)
def test_the_message_says_how_to_fix_it(line, code, message):
    """Exit code 2 where the command line or the recipe is wrong, 1 where files are; what stands there is left alone."""
    assert message in said(line, code)
    assert Path("full/thesis.tex").read_text() == "all of it"
    assert not Path("output").exists()


def test_a_clip_by_another_name_and_another_recipe_in_its_place():
    """Ids are written out where a number was given; a dataset of another recipe is not replaced."""
    assert CliRunner().invoke(cli, ["build", "mine.yaml", "--clips", "1", "-q", "-o", "out"]).exit_code == 0
    assert "ids have the split and nine digits: train-000000000" in said("reproduce out --clip 0", 1)
    assert "ids have the split and nine digits: test-000000001" in said("reproduce out --clip test-1", 1)
    beyond = said("reproduce out --clip train-000000099", 1)
    assert beyond.rstrip().endswith(
        "is called train-000000099; `audiosynth stats` says which splits it has, and of how many clips"
    )
    assert "Choose another folder with -o, or --fresh to replace it" in said(
        "build mine.yaml --clips 1 --seed 9 -o out", 1
    )
    assert "no exporter called 'desd'; did you mean 'desed'?" in said("export out --to desd", 2)
    assert "noise has no 'levl_dbfs'; did you mean 'level_dbfs'?" in said("vary out --set noise.levl_dbfs=+3", 2)


def test_a_missing_extra_is_named_once(monkeypatch):
    """The command that installs it, one line for all the places of the recipe that need it; `new` says it before."""
    code = "import sys; sys.modules['espeakng_loader'] = None; from audiosynth.cli import main; main()"
    command = [sys.executable, "-c", code, "build", "wake_word", "--clips", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.count("pip install 'audiosynth[speech]'") == 1
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    result = CliRunner().invoke(cli, ["new", "lamp", "--from", "wake_word"])
    assert "next: pip install 'audiosynth[speech]', audiosynth check lamp.yaml" in result.stdout


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("licence: CC-BY-4.0", "licence: CC-BY-4", "did you mean 'CC-BY-4.0'?"),
        ("layout: flat", "layout: flatt", "got 'flatt'"),
        ("snr_db: {uniform: [0, 20]}", "snr_db: {uniform: [20, 0]}", "expected low <= high, got [20, 0]"),
        ("repeat: {n: 2", "repeat: {n: 2000", "expected whole numbers from 0 to 1000"),
        ("from: mine", "from: mien", "no catalogue is called 'mien'; did you mean 'mine'?"),
    ],
)
def test_one_mistake_is_one_error(old, new, message):
    """What is missing because something else is wrong is not told beside it."""
    text = (
        "duration: 3\ndata: {speech: ''}\ncatalogues: {mine: {data: speech, layout: flat, licence: CC-BY-4.0}}\n"
        "noise: {type: coloured, slope_db: -3, level_dbfs: -40}\nevents:\n  - repeat: {n: 2, of: {let: {s: {pick: {from: mine}}}, label: a, "
        "onset: 0, snr_db: {uniform: [0, 20]}, source: {type: file, recording: $s}}}\n"
    )
    Path("one.yaml").write_text(line_of(text, old, new), encoding="utf-8")
    (error,) = said("check one.yaml", 2).splitlines()
    assert message in error


def test_check_names_a_root_that_the_recipe_has_not():
    """A slip in the name of a root is told while the root itself is missing, and not where several recipes share them."""
    warning = "--data spech: the recipe has no data root 'spech'; did you mean 'speech'?"
    for names, told in (["aug.yaml"], True), (["aug.yaml", "mine.yaml"], False):
        done = CliRunner().invoke(cli, ["check", *names, "--data", "spech=empty"])
        assert done.exit_code == 0, done.output
        assert (warning in done.stderr) is told


def test_a_shipped_name_in_python():
    """`load_recipe` takes files; who gives it a shipped recipe's name is told how."""
    with pytest.raises(
        RecipeError, match=r'no such recipe file; `load_recipe\(shipped_recipe\("quickstart"\)\)` loads'
    ):
        load_recipe("quickstart")


def test_the_package_lists_what_it_offers():
    """Completion in a Python shell finds the functions, which are imported when they are asked for."""
    assert {"build", "load_recipe", "plan_clip", "render", "ClipDataset"} <= set(dir(audiosynth))
