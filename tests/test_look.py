"""What there is, shown: pictures of characters, the reference page, and what a shell completes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from audiosynth import registry
from audiosynth.cli import HOMES, cli
from audiosynth.commands.pictures import PICTURED
from audiosynth.commands.words import TOP, WORDS
from audiosynth.errors import ParameterError
from audiosynth.files.shipped import shipped_recipes
from audiosynth.language.distributions import NUMERIC
from audiosynth.language.reserved import RESERVED
from audiosynth.report.blocks import BARS, SHADES, bars, blocks, framed, shaded, ticks

SR = 16_000


def run(*words: str) -> str:
    """Run a command that must work; return what it prints."""
    result = CliRunner().invoke(cli, list(words), prog_name="audiosynth")
    assert result.exit_code == 0, result.output
    return result.stdout


def tone(frequency: float, seconds: float = 0.5) -> np.ndarray:
    """Return a sine, shape (1, n)."""
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * SR)) / SR)[None]


@pytest.mark.parametrize("frequency", [150.0, 440.0, 1000.0, 3000.0, 7000.0])
def test_a_tone_stands_in_its_row(frequency):
    """The loudest row is the one whose frequencies hold the tone's, in every column; nothing stands far away from it."""
    shown = blocks(tone(frequency), SR, rows=12, columns=20)
    loudest = shown.levels.argmax(axis=0)
    tops = np.append(SR / 2, shown.bottoms)[:-1]
    assert all(shown.bottoms[row] <= frequency < tops[row] for row in loudest)
    assert shown.levels.max() == 0
    assert (np.sort(shown.levels[:, 10])[:6] == -60).all()


def test_time_runs_from_left_to_right():
    """A click in the third quarter of a second darkens the third quarter of the columns and their bars, and no other."""
    y = np.zeros((1, SR))
    y[0, round(0.6 * SR)] = 0.5
    shown = blocks(y, SR, rows=4, columns=16)
    assert set(np.flatnonzero(shown.levels.max(axis=0) > -30)) <= {8, 9, 10}
    assert [i for i, bar in enumerate(bars(shown)) if bar != " "] == [9]
    assert bars(shown)[9] == BARS[-1]


def test_levels_become_shades_in_equal_steps():
    """Full, 20, 40 dB down and silence: four shades from dark to none."""
    parts = [tone(1000, 0.25) * gain for gain in (1, 0.1, 0.01, 0)]
    row = max(shaded(blocks(np.concatenate(parts, axis=1), SR, rows=8, columns=40)), key=lambda text: text.count("█"))
    assert (row[5], row[15], row[25], row[35]) == (SHADES[4], SHADES[3], SHADES[1], SHADES[0])


def test_the_frame_says_hertz_and_seconds():
    """Frequencies stand beside the row that holds them, the length under the last column; silence is a picture too."""
    shown = blocks(np.zeros((2, SR // 4)), SR)
    assert [name for name in ticks(shown) if name] == ["8", "4", "2", "1", "0.5", "0.2", "0.1"]
    lines = framed(shaded(shown), shown)
    assert len({len(line) for line in lines}) == 1
    assert lines[-1].endswith("0.25 s")
    assert set("".join(shaded(shown))) == {" "}
    with pytest.raises(ParameterError, match=r"got \(1, 0\)"):
        blocks(np.zeros((1, 0)), SR)


def test_describe_draws_where_it_is_asked_to(monkeypatch):
    """Off where nobody watches, on in a terminal or when asked; JSON stays JSON; a chirp climbs."""
    assert "kHz" not in run("describe", "chirp")
    text = run("describe", "chirp", "--picture")
    rows = [line.partition("│")[2] for line in text.splitlines() if "│" in line][:-1]
    loudest = [max(range(len(rows)), key=lambda r, c=c: SHADES.index(rows[r][c])) for c in range(4, 60, 8)]
    assert loudest == sorted(loudest, reverse=True)
    assert loudest[0] - loudest[-1] >= 5
    assert run("describe", "chirp", "--json", "--picture").count("\n") == 1
    assert "│" not in run("describe", "desed", "--picture")
    assert "│" not in run("describe", "uniform", "--picture")


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("dog_bark", ["Sounds like this (f0 "]),
        ("noises/profile", ["Sounds like this (profile "]),
        ("statistical", ["Response (rt60 "]),
        ("shoebox", ["Response (size "]),
        ("time_stretch", ["A test sound:", "The same after it (rate 0.8):"]),
        ("rooms/measured", []),
        ("noises/file", []),
    ],
)
def test_what_is_pictured(name, titles):
    """Sounds, responses, and a test sound before and after; nothing where a recording would have to be given."""
    text = run("describe", name, "--picture")
    assert [
        line for line in text.splitlines() if line.endswith(":") and line.startswith(("So", "Re", "A t", "The s"))
    ] == [line for line in text.splitlines() if any(line.startswith(title) for title in titles)]
    assert text.count("kHz  0") == len(titles)
    assert PICTURED == ("synths", "noises", "rooms", "effects")


def test_colours_where_the_terminal_has_them(monkeypatch):
    """With 256 colours a line holds two rows of them, as many lines as without; with fewer, shades."""
    from rich.console import Console

    from audiosynth.commands import pictures

    made = CliRunner()
    for system, blocks_there in (("256", True), ("standard", False)):
        monkeypatch.setattr(pictures, "colours", lambda stream: True)
        monkeypatch.setattr(Console, "color_system", property(lambda self, system=system: system))
        text = made.invoke(cli, ["describe", "chirp", "--picture"], color=True).stdout
        assert ("▀" in text, text.count("│")) == (blocks_there, 13)


@pytest.fixture(scope="module")
def page() -> str:
    """Return the reference."""
    return run("reference")


def test_every_component_and_word_is_in_the_reference(page):
    """Components with every parameter, distributions, words, records with their keys, recipes: each has a heading, once."""
    wanted = [(family, name) for family in registry.FAMILIES for name in registry.newest(family)]
    wanted += [("distributions", name) for name in NUMERIC]
    wanted += [("words", name) for name in {*RESERVED, *WORDS} - set(NUMERIC)]
    wanted += [("records", name) for name in ("recipe", "event", "scene", "level", "noise", "mix", "labels", "output")]
    wanted += [("recipes", name) for name in shipped_recipes()]
    for group, name in wanted:
        assert page.count(f'<a id="{group}-{name.replace("$", "")}"></a>`{name}`') == 1, (group, name)
    for family in registry.FAMILIES:
        for name, cls in registry.newest(family).items():
            section = page.partition(f'<a id="{family}-{name}">')[2].partition("\n### ")[0]
            rows = [line for line in section.splitlines() if line.startswith("| `")]
            assert {f for f in cls.model_fields if f != "start_sample"} == {row.split("`")[1] for row in rows}, name
            assert all(len(re.split(r"(?<!\\)\|", row)) == 8 for row in rows), name
    assert all(f"| `{key}` |" in page.partition("records-recipe")[2] for key in TOP)


def test_the_reference_has_units_ranges_defaults_and_draws(page):
    """Of a chirp its bounds, of a bark its draw in full."""
    assert "| `fmin` | number | Hz | ≥ 1, ≤ 96000 | required | Lowest frequency |" in page
    assert "| `f0` | number | Hz | ≥ 100, ≤ 2000 | {log_uniform: [300, 1000]} | Highest fundamental of a bark |" in page
    assert all("`seed`" in line or "_seed`" in line for line in page.splitlines() if "| drawn |" in line)


def test_the_reference_is_the_same_in_another_process(page):
    """The links lead somewhere, and no order comes from a set or a folder."""
    code = "from audiosynth.cli import cli; cli(['reference'])"
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", env=env, check=False
    )
    assert done.stdout == page
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) == set(re.findall(r'<a id="([^"]+)">', page))


def complete(line: str) -> list[str]:
    """Return what bash is offered at the end of a line."""
    words = line.split(" ")
    env = {"_AUDIOSYNTH_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    result = CliRunner().invoke(cli, [], prog_name="audiosynth", env=env)
    return [text.partition(",")[2] for text in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("line", "wanted", "other"),
    [
        ("audiosynth ", [*HOMES], []),
        ("audiosynth bu", ["build"], ["plan"]),
        ("audiosynth build quick", ["quickstart", "quickstart_spoken"], ["rooms"]),
        ("audiosynth check wake", ["wake_word"], ["rooms"]),
        ("audiosynth new mine --from ", ["events", "noise"], []),
        ("audiosynth describe chi", ["chirp"], ["dog_bark"]),
        ("audiosynth list s", ["synths"], ["rooms"]),
        ("audiosynth export out --to de", ["desed"], ["jsonl"]),
        ("audiosynth augment in --preset f", ["far_field"], ["kaldi"]),
        ("audiosynth build quickstart --cl", ["--clips"], ["--seed"]),
    ],
)
def test_a_shell_is_offered_names(line, wanted, other):
    """Commands, options, recipes, components, formats, presets, starting points: what begins so, and nothing else."""
    found = complete(line)
    assert set(wanted) <= set(found)
    assert not set(other) & set(found)


def test_everything_that_is_listed_is_offered():
    """`describe` completes all names of `list`, and no others."""
    assert complete("audiosynth describe ") == sorted(set(run("list", "-q").split()))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_what_the_shell_understands(shell):
    """Each names the variable and the program; the shell itself, where it is here, takes the script without complaint."""
    script = run("completion", shell)
    assert "_AUDIOSYNTH_COMPLETE" in script
    assert "audiosynth" in script
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
def test_bash_completes_in_earnest(tmp_path):
    """The function that the script defines fills bash's list from the program itself."""
    program = tmp_path / "audiosynth"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m audiosynth "$@"\n')
    program.chmod(0o755)
    script = run("completion", "bash")
    body = f'{script}\nCOMP_WORDS=(audiosynth new mine --from wa); COMP_CWORD=4; _audiosynth_completion audiosynth; echo "${{COMPREPLY[@]}}"'
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", body], capture_output=True, text=True, env=env, check=False)
    assert done.stdout.split() == ["wake_word"], done.stderr
