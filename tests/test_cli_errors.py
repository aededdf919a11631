"""Wrong on purpose: every bad command line and every broken file is one clear line and an exit code, never a traceback."""

from __future__ import annotations

import errno
import importlib
import json
import re
import shutil
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner
from material import full_recipe, write_recipe

from audiosynth.cli import cli
from audiosynth.commands.failures import Stopped, explain, printable
from audiosynth.errors import AssetError, BuildError, RecipeError

TONE = {"type": "tone", "frequency": 300, "duration": 0.5}
GOOD = {"duration": 1.0, "clips": 2, "events": [{"label": "a", "source": TONE, "level_dbfs": -20}]}


@pytest.fixture(autouse=True)
def workshop(tmp_path, monkeypatch):
    """Fill a folder with what can be got wrong."""
    monkeypatch.chdir(tmp_path)
    write_recipe(Path("good.yaml"), GOOD)
    write_recipe(
        Path("bad.yaml"),
        {
            **GOOD,
            "foo": 1,
            "events": [{**GOOD["events"][0], "source": {**TONE, "frequency": {"uniform": [200, 300]}, "frequncy": 3}}],
        },
    )
    write_recipe(Path("climbs.yaml"), {**GOOD, "name": "../climbs"})
    Path("bin.yaml").write_bytes(b"sr: \xff\n")
    Path("text").write_text("hello")
    Path("folder").mkdir()
    Path("folder/recipe.yaml").write_text(Path("good.yaml").read_text())
    Path("empty").mkdir()
    Path("several").mkdir()
    for name in ("several/a.yaml", "several/b.yml"):
        shutil.copy("good.yaml", name)
    for name in ("set", "varied"):
        shutil.copytree("folder" if name == "set" else "empty", name)
        Path(name, "dataset.json").write_text("{}")
    Path("begun/.build").mkdir(parents=True)
    Path("rows.jsonl").write_text("{\n")
    Path("latin.jsonl").write_bytes(b'{"a": "\xe9"}\n')


def fail(*words: str, stdin: str | bytes | None = None) -> tuple[int, str]:
    """Run a command line that must fail; return exit code and standard error."""
    result = CliRunner().invoke(cli, list(words), input=stdin, prog_name="audiosynth")
    assert "Traceback" not in result.output
    return result.exit_code, result.stderr


USAGE = [
    ("biuld", r"no command is called 'biuld'; did you mean 'build'\?"),
    ("xyzzy", r"no command is called 'xyzzy'; there are new, build, augment, "),
    ("quickstart", r"no command is called 'quickstart'; to build this recipe: audiosynth build quickstart"),
    ("good.yaml", r"to build this recipe: audiosynth build good.yaml"),
    ("--foo", r"no such option:? '?--foo"),
    ("build", r"missing argument 'RECIPE' \(see audiosynth build --help\)"),
    ("build good.yaml more", r"unexpected extra argument \(more\)"),
    ("build good.yaml --worker 2", r"--worker'?\. Did you mean '?--workers|[Nn]o such option:? '?--worker"),
    ("build quickstrat", r"no recipe called 'quickstrat'; did you mean 'quickstart'\?"),
    ("build good", r"no recipe is called 'good'; did you mean the file good.yaml\?"),
    ("build nosuch.yaml", r"nosuch.yaml: no such recipe file; `audiosynth new NAME` writes one"),
    ("build folder", r"folder: is a folder; did you mean folder/recipe.yaml\?"),
    ("build empty", r"empty: is a folder; expected a YAML file or the name of a recipe"),
    ("build several", r"several: is a folder; did you mean several/a.yaml, several/b.yml\?"),
    (
        "build set",
        r"set: is a folder that holds a finished set; its recipe is set/recipe.yaml \(-o names.*`audiosynth verify set`.*`audiosynth reproduce set`",
    ),
    (
        "preview varied",
        r"varied: is a folder that holds a finished set; it was made from another set's manifest.*verify varied.*reproduce varied",
    ),
    ("build begun", r"begun: is a folder that holds an unfinished build; give the recipe it was begun with"),
    ("build text", r"text: a recipe is a map of keys and values"),
    ("build bin.yaml", r"bin.yaml:1:5: byte 0xff is not UTF-8"),
    ("build climbs.yaml", r"the recipe's name '../climbs' cannot be a folder's name|climbs.yaml:\d+:\d+ name"),
    ("build good.yaml --clips -1", r"'--clips': expected a whole number from 1 to 100000000, got '-1'"),
    ("build good.yaml --clips many", r"'--clips': expected a whole number from 1 to 100000000, got 'many'"),
    ("build good.yaml --workers 0", r"'--workers': expected a whole number from 1 to 1024, got '0'"),
    ("build good.yaml --workers -2", r"'--workers': expected a whole number from 1 to 1024, got '-2'"),
    ("build good.yaml --seed 1.5", r"'--seed': expected a whole number from 0 to 9223372036854775807, got '1.5'"),
    ("build good.yaml --set sr", r"'--set': expected path=value such as noise.snr_db=6, got 'sr'"),
    ("build good.yaml --set =3", r"'--set': expected path=value such as noise.snr_db=6, got '=3'"),
    ("build good.yaml --set events[9].label=x", r"--set events\[9\].label: no item '9' in a list of 1"),
    ("build good.yaml --set sr=[1", r"--set sr:1:3: not YAML"),
    ("build good.yaml --set sr=fast", r"--set sr: expected a whole number from 1000 to 384000, got 'fast'"),
    ("build good.yaml --data words", r"'--data': expected NAME=DIR, got 'words'"),
    ("build good.yaml --data words=", r"'--data': expected NAME=DIR, got 'words='"),
    ("build good.yaml --data words=nowhere", r"'--data': words=nowhere: there is no such folder"),
    ("build good.yaml --data words=text", r"'--data': words=text: is a file, not a folder"),
    ("build good.yaml --data a=empty --data a=empty", r"'--data': 'a' is given twice"),
    ("build good.yaml --data words=empty", r"--data words: the recipe has no data root 'words'; it needs no data"),
    ("plan good.yaml --split dev", r"no split is called 'dev'; there are train"),
    ("plan good.yaml --clip x", r"--clip: expected a number from 0 or an id such as train-000000003, got 'x'"),
    ("plan good.yaml --split train --clip dev-000000001", r"--clip dev-000000001: is not of --split train"),
    ("preview good.yaml --clip -3", r"--clip: expected a number from 0 or an id .* got '-3'"),
    ("preview good.yaml -o text", r"text: is a file; give a folder with -o"),
    ("check", r"missing argument 'RECIPE"),
    ("check good.yaml --trials x", r"'--trials': expected a whole number from 0 to 1000000, got 'x'"),
    ("reproduce", r"missing argument 'MANIFEST'"),
    ("reproduce folder --data x=nowhere", r"'--data': x=nowhere: there is no such folder"),
    ("verify", r"missing argument 'DIR'"),
    ("verify nowhere", r"nowhere: there is no such folder"),
    ("verify text", r"text: is a file; give the folder of the dataset"),
    ("list synth", r"no family is called 'synth'; did you mean 'synths'\?"),
    ("describe chrip", r"nothing is called 'chrip'; did you mean 'chirp'\?"),
    ("describe synths", r"'synths' is a family; `audiosynth list synths` shows what is in it"),
    ("describe noises/chirp", r"nothing is called 'noises/chirp'; did you mean synths/chirp\?"),
    ("schema more", r"unexpected extra argument \(more\)"),
    ("new My/Recipe", r"expected a name of a-z, 0-9, _ and -, got 'My/Recipe'; to say where the file goes, use -o"),
    ("new good", r"good.yaml: is there already and is left alone; choose another name, or a file with -o"),
    ("new x -o empty", r"empty: is a folder; give the name of a file with -o"),
    ("new x -o nowhere/x.yaml", r"nowhere: there is no such folder; make it first"),
]


@pytest.mark.parametrize(("line", "message"), USAGE)
def test_bad_usage_is_one_line_and_exit_code_2(line, message):
    """The message names what was expected, what came, and the way out."""
    code, text = fail(*line.split(" "))
    assert code == 2
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    assert re.search(message, text), text


FAILED = [
    ("build good.yaml -o text", r"text: is a file; choose a folder with -o"),
    ("build good.yaml -o folder", r"folder: is not empty and holds no build; choose an empty folder with -o"),
    ("build good.yaml -o folder --fresh", r"folder: is not a build, so --fresh will not delete it"),
    ("reproduce nowhere", r"nowhere: no such manifest"),
    ("reproduce empty", r"empty/manifest.jsonl: no such manifest; a finished build has a manifest.jsonl"),
    ("reproduce rows.jsonl", r"rows.jsonl:1: not a row of JSON"),
    ("reproduce latin.jsonl", r"latin.jsonl: not UTF-8 \(byte 0xe9\)"),
    ("assets latin.jsonl", r"latin.jsonl: not UTF-8 \(byte 0xe9\)"),
    ("assets empty", r"empty/manifest.jsonl: no such manifest"),
    ("verify empty", r"empty/manifest.jsonl: no such manifest"),
    ("reproduce -", r"standard input: holds no rows"),
]


@pytest.mark.parametrize(("line", "message"), FAILED)
def test_what_cannot_be_done_is_one_line_and_exit_code_1(line, message):
    """Files that are missing, broken or in the way are named; nothing of theirs is touched."""
    before = {p: p.read_bytes() for p in sorted(Path().rglob("*")) if p.is_file()}
    code, text = fail(*line.split(" "), stdin="")
    assert code == 1
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    assert re.search(message, text), text
    assert {p: p.read_bytes() for p in sorted(Path().rglob("*")) if p.is_file()} == before


def test_bytes_that_are_no_text_on_standard_input():
    """Standard input is read as UTF-8; what is not says so."""
    code, text = fail("reproduce", "-", stdin=b"\xff\xfe\n")
    assert code == 1
    assert "standard input: not UTF-8 (byte 0xff)" in text


def test_all_errors_of_a_recipe_with_their_places():
    """Each problem is a line of its own: file:line:column, path, what is wrong, and the way out."""
    code, text = fail("check", "bad.yaml", "good.yaml")
    assert code == 2
    lines = text.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"error: bad.yaml:\d+:\d+ foo: a recipe has no 'foo'", lines[0])
    assert re.fullmatch(
        r"error: bad.yaml:\d+:\d+ events\[0\].source.frequncy: 'tone' has no such parameter; did you mean 'frequency'\?",
        lines[1],
    )


def test_draws_beyond_a_range_are_found():
    """What a distribution could give outside a parameter's range is an error of `check`."""
    tree = {**GOOD, "events": [{**GOOD["events"][0], "source": {**TONE, "frequency": {"uniform": [-5, 100]}}}]}
    write_recipe(Path("range.yaml"), tree)
    code, text = fail("check", "range.yaml")
    assert code == 2
    assert re.search(r"range.yaml:\d+:\d+ events\[0\].source.frequency: 'uniform' can give -5", text)


def test_errors_as_json():
    """With --json an error is one JSON object on standard output, with the problems apart, and standard error is empty."""
    result = CliRunner().invoke(cli, ["build", "bad.yaml", "--json"], prog_name="audiosynth")
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["exit_code"], error["kind"], result.stderr) == (2, 2, "RecipeError", "")
    assert [p["path"] for p in error["problems"]] == ["foo", "events[0].source.frequncy"]
    usage = json.loads(CliRunner().invoke(cli, ["build", "--json"], prog_name="audiosynth").stdout)["error"]
    assert usage == {
        "kind": "UsageError",
        "message": "missing argument 'RECIPE' (see audiosynth build --help)",
        "exit_code": 2,
    }
    found = json.loads(CliRunner().invoke(cli, ["check", "bad.yaml", "good.yaml", "--json"]).stdout)["recipes"]
    assert [(f["ok"], len(f["errors"])) for f in found] == [(False, 2), (True, 0)]


def test_missing_data_is_an_error_of_build(tmp_path):
    """Every missing folder is a line, with the option that gives it; a name that was mistyped is recognised."""
    path = full_recipe(tmp_path / "m")
    (tmp_path / "m" / "words").rename(tmp_path / "w")
    (tmp_path / "m" / "rooms").rename(tmp_path / "r")
    code, text = fail("build", str(path), "--data", f"word={tmp_path / 'w'}")
    assert code == 1
    assert [line[:24] for line in text.splitlines()] == ["error: data root 'rooms'", "error: data root 'words'"]
    assert "give it with --data words=DIR" in text
    assert "was it given as 'word'?" in text
    code, text = fail(
        "build", str(path), *(f"--data={n}={tmp_path / n[0]}" for n in ("words", "rooms")), "--data", f"bed={tmp_path}"
    )
    assert (code, text) == (2, "error: --data bed: the recipe has no data root 'bed'; did you mean 'beds'?\n")


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "error: the disk is full; free some space", 1),
        (OSError(errno.ENOSPC, "No space", "out/x"), "error: out/x: the disk is full", 1),
        (
            PermissionError(errno.EACCES, "Permission denied", "x.yaml"),
            "error: x.yaml: no permission to read or write it",
            1,
        ),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "d"), "error: d: is a folder; a file was expected", 1),
        (BuildError("out: the disk is full"), "error: out: the disk is full", 1),
        (MemoryError(), "error: not enough memory", 1),
        (KeyboardInterrupt(), "stopped", 130),
        (Stopped(signal.SIGTERM), "stopped", 143),
        (
            KeyError("x"),
            "error: a bug in audiosynth (KeyError: 'x'); nothing you did should cause it. Please report it",
            70,
        ),
        (RecursionError("deep\nand deeper"), "error: a bug in audiosynth (RecursionError: deep and deeper)", 70),
    ],
)
def test_every_exception_has_one_line(error, message, code, monkeypatch):
    """Whatever a command raises becomes one line and the exit code that belongs to it."""

    def raises(*_args, **_options):
        raise error

    monkeypatch.setattr("audiosynth.commands.options.Wanted.load", raises)
    got, text = fail("build", "good.yaml")
    assert got == code
    assert text.startswith(message)
    assert text.count("\n") == 1


def test_a_build_that_is_stopped_says_how_to_go_on(monkeypatch):
    """So does every command that goes on where it stopped, and no other."""

    def raises(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("audiosynth.commands.options.Wanted.load", raises)
    for module, name in (
        ("vary", "variation"),
        ("merge", "merge"),
        ("scaper.order", "order_of"),
        ("presets", "preset_recipe"),
    ):
        monkeypatch.setattr(importlib.import_module(f"audiosynth.{module}"), name, raises)
    goes_on = "stopped; run the same command again to go on\n"
    for words in (
        ("build", "good.yaml"), ("merge", "a", "-o", "b"), ("vary", "a", "--set", "sr=1", "-o", "b"), ("import-scaper", "good.yaml"),
        ("augment", ".", "--preset", "noisy", "-o", "b"),
    ):  # fmt: skip
        assert fail(*words)[1] == goes_on, words
    assert fail("plan", "good.yaml")[1] == "stopped\n"


def test_a_signal_that_compiled_code_turns_into_another_error_is_still_a_signal(monkeypatch):
    """What interrupts compiled code may come out of it as a SystemError or a ValidationError."""

    def raises(*_args, **_options):
        try:
            cli.stop(signal.SIGTERM, None)
        except Stopped:
            raise SystemError("returned a result with an exception set") from None

    monkeypatch.setattr("audiosynth.commands.options.Wanted.load", raises)
    monkeypatch.setattr(cli, "stopped", 0)
    assert fail("build", "good.yaml") == (143, "stopped; run the same command again to go on\n")


def test_a_bug_shows_its_traceback_to_those_who_ask(monkeypatch):
    """AUDIOSYNTH_DEBUG=1 prints where it happened."""

    def raises(*_args, **_options):
        raise ZeroDivisionError("here")

    monkeypatch.setattr("audiosynth.commands.options.Wanted.load", raises)
    monkeypatch.setenv("AUDIOSYNTH_DEBUG", "1")
    result = CliRunner().invoke(cli, ["build", "good.yaml"])
    assert "Traceback" in result.stderr
    assert "ZeroDivisionError: here" in result.stderr
    assert result.exit_code == 70


def test_a_full_disk_in_the_middle_of_a_build(monkeypatch):
    """The message names the folder, and the same command goes on later."""

    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("audiosynth.building.clips.write_audio", full)
        code, text = fail("build", "good.yaml", "-o", "out")
    assert code == 1
    assert text.startswith("error: out: the disk is full; free some space and run the same command again")
    assert CliRunner().invoke(cli, ["build", "good.yaml", "-o", "out"]).exit_code == 0


def test_a_broken_pipe_is_silent():
    """A reader that has seen enough is no error worth a line."""
    failure = explain(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert (failure.lines, failure.code) == ((), 141)


def test_several_lines_of_one_error_stay_together():
    """Indented lines belong to the line above; every other line is an error of its own."""
    assert explain(AssetError("two files:\n  a\n  b")).lines == ("error: two files:", "  a", "  b")
    assert explain(RecipeError([])).lines == ()


def test_names_cannot_steer_the_terminal():
    """Control characters in a message are shown, not obeyed."""
    assert printable("x\x1b[2Jy\x9bz\x00é→") == "x\\x1b[2Jy\\x9bz\\x00é→"
    code, text = fail("build", "a\x1b[31m.yaml")
    assert code == 2
    assert "a\\x1b[31m.yaml" in text
