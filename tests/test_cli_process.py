"""The program as the shell sees it: signals, pipes, full devices, encodings, colours."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from material import tree_of, write_recipe

from audiosynth import build, load_recipe

HERE = Path(__file__).parents[1]
# a shell starts what runs in its background with interrupts ignored, and these tests may run there
CODE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from audiosynth.cli import main; main()"
)


def start(*words: str, **options) -> subprocess.Popen[bytes]:
    """Start the program in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(HERE), **options.pop("env", {})}
    return subprocess.Popen([sys.executable, "-c", CODE, *words], env=env, stderr=subprocess.PIPE, **options)


def run(*words: str, **options) -> tuple[int, str, str]:
    """Run the program to its end; return exit code, standard output, standard error."""
    process = start(*words, stdout=subprocess.PIPE, **options)
    out, err = process.communicate()
    return process.returncode, out.decode(), err.decode()


def wait_for(condition, seconds: float = 60.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return a recipe of many short clips, and what an undisturbed build makes of it."""
    folder = tmp_path_factory.mktemp("many")
    source = {"type": "tone", "frequency": 500, "duration": 0.05}
    tree = {"duration": 0.1, "sr": 8000, "clips": 960, "events": [{"label": "a", "source": source, "level_dbfs": -20}]}
    recipe = write_recipe(folder / "many.yaml", tree)
    return str(recipe), tree_of(build(load_recipe(recipe), folder / "whole").root)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_signal_stops_a_build_in_order(many, tmp_path, number, code, workers):
    """One line, the signal's exit code, and a second run ends in the tree of an undisturbed one."""
    recipe, whole = many
    command = ("build", recipe, "--workers", workers, "-o", str(tmp_path / "out"))
    process = start(*command, stdout=subprocess.DEVNULL)
    wait_for(lambda: any((tmp_path / "out" / ".build" / "units").glob("*.jsonl")))
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert err.decode() == "stopped; run the same command again to go on\n"
    assert not (tmp_path / "out" / "dataset.json").exists()
    assert run(*command)[0] == 0
    assert tree_of(tmp_path / "out") == whole


LATE = """
import atexit, os, signal, sys
def kill(number={number:d}, send=os.kill, own=os.getpid()):
    send(own, number)
class Last:
    def __del__(self, kill=kill):
        kill()
{when}
sys.argv = ["audiosynth", {words}]
signal.signal({number:d}, signal.default_int_handler if {number:d} == signal.SIGINT else signal.SIG_DFL)
from audiosynth.cli import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["atexit.register(kill)", "sys.last = Last()"])
@pytest.mark.parametrize(("words", "code"), [("'list', 'recipes'", 0), ("'build', 'nosuch.yaml'", 2)])
def test_a_signal_that_comes_when_all_is_done_changes_nothing(number, when, words, code):
    """While the interpreter ends, with its first steps and its last: the code says what was done, and no more is said."""
    done = subprocess.run(
        [sys.executable, "-c", LATE.format(number=number, when=when, words=words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert done.stderr.count("\n") == (code != 0)


def test_a_reader_that_leaves_early_causes_no_noise():
    """`audiosynth plan … | head -1` prints a line and nothing else."""
    with start("plan", "quickstart", "--clips", "1000", "-q", stdout=subprocess.PIPE) as process:
        assert json.loads(process.stdout.readline())["ordinal"] == 0
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("words", [("list",), ("plan", "quickstart"), ("schema",), ("list", "--json")])
def test_a_full_device_is_told(words):
    """Results that cannot be written are an error."""
    with Path("/dev/full").open("wb") as full:
        process = start(*words, stdout=full)
        _, err = process.communicate()
    assert process.returncode == 1
    assert err.decode().startswith("error: the disk is full")
    assert err.count(b"\n") == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_file_without_permission(tmp_path):
    """A recipe that may not be read is one line."""
    (tmp_path / "x.yaml").write_text("duration: 1")
    (tmp_path / "x.yaml").chmod(0)
    code, _, err = run("build", str(tmp_path / "x.yaml"))
    assert code == 2
    assert "x.yaml: cannot be read: Permission denied" in err


def test_output_in_any_encoding():
    """Where the terminal knows ASCII only, tables still come, and JSON stays JSON."""
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, out, err = run("describe", "weighted", "--json", env=env)
    assert (code, err) == (0, "")
    assert json.loads(out)["entries"][0]["text"] == "Takes [[weight, item], …]."
    assert run("describe", "weighted", env=env)[0] == 0
    assert run("build", "nöwhere.yaml", env=env)[0] == 2


def test_paths_do_not_wrap_in_pipes(tmp_path):
    """A line of a piped table is as long as it must be."""
    root = tmp_path / ("long" * 40)
    out = run("build", "quickstart", "--clips", "1", "-o", str(root), env={"COLUMNS": "40"})[1]
    assert str(root) in out


def read_terminal(words: list[str], **env: str) -> str:
    """Run the program on a terminal of its own and return what it showed."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *words], stdin=follower, stdout=follower, stderr=follower, close_fds=True,
        env={**os.environ, "PYTHONPATH": str(HERE), "TERM": "xterm", "COLUMNS": "100", **env},
    )  # fmt: skip
    os.close(follower)
    shown = b""
    while process.poll() is None or select.select([leader], [], [], 0)[0]:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                shown += os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
    os.close(leader)
    process.wait()
    return shown.decode()


def test_colours_are_for_terminals_that_want_them():
    """An error is red on a terminal, plain with NO_COLOR and in pipes."""
    assert "\x1b[31m" in read_terminal(["build", "nowhere"], NO_COLOR="")
    assert "\x1b[" not in read_terminal(["build", "nowhere"], NO_COLOR="1")
    assert "\x1b[" not in run("build", "nowhere")[2]


def test_a_terminal_sees_a_bar(many, tmp_path):
    """Clips done of all, clips per second and time left, on a terminal only."""
    words = ["build", many[0], "--clips", "140", "--workers", "1", "-o"]
    shown = read_terminal([*words, str(tmp_path / "a")])
    assert "/140" in shown
    assert "clips/s" in shown
    assert "left" in shown
    assert "140" not in run(*words, str(tmp_path / "b"))[2]


def test_it_runs_as_a_module():
    """`python -m audiosynth` is the same program."""
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    out = subprocess.run(
        [sys.executable, "-m", "audiosynth", "--version"], env=env, capture_output=True, check=True
    ).stdout
    assert out.startswith(b"audiosynth ")


def test_help_imports_nothing_heavy():
    """What `--help` loads stays small: no arrays, no validation, no drawing."""
    code = (
        "import sys\nfrom audiosynth.cli import cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'pydantic', 'rich', 'scipy', 'yaml', 'matplotlib', 'soundfile'} & sys.modules.keys()))"
    )
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True, text=True).stdout
    assert out.splitlines()[-1] == "[]"
