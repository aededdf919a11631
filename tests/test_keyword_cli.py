"""What a user gets on the command line for speech that cannot be said: one clear error each; crashes that take one clip."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from audiosynth import build, load_recipe
from audiosynth.cli import cli
from audiosynth.errors import PlanError
from audiosynth.speech import espeak

pytestmark = pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed (extra [speech])")
WORKER = Path(espeak.__file__).with_name("espeak_worker.py")


def run(folder: Path, tree: dict[str, Any], *args: str) -> Result:
    """Write a recipe and run a command on it."""
    path = folder / "r.yaml"
    path.write_text(
        json.dumps({"sr": 16_000, "duration": 2.0, "clips": 3, **tree}, ensure_ascii=False), encoding="utf-8"
    )
    (folder / "two.txt").write_text("two\nto\ntoo\n", encoding="utf-8")
    return CliRunner().invoke(cli, [args[0], str(path), *args[1:]])


def said(**source: Any) -> dict[str, Any]:
    """Return a recipe with one phrase."""
    event = {"label": "x", "source": {"type": "speech", "text": "hey", **source}, "level_dbfs": -30}
    return {"events": [event]}


def cast(**voice: Any) -> dict[str, Any]:
    """Return a recipe with a cast."""
    return {"voices": {"n": 5, **voice}, **said(voice={"pick": "cast"})}


BAD = {
    "empty": (said(text=""), "should have at least 1 character"),
    "blank": (said(text="  "), "expected words, got an empty text"),
    "unspeakable": (said(text="…"), "there is nothing to say in '…'"),
    "control character": (said(text="a\x07b"), r"U\+0007"),
    "unknown variant": (said(voice={"variant": "f33"}), "no variant 'f33'; did you mean 'f3'"),
    "unknown language": (said(voice={"language": "en-uss"}), "no language 'en-uss'; did you mean 'en-us'"),
    "language of one text": (said(language="dee"), "no language 'dee'; did you mean 'de'"),
    "variant of a cast": (cast(variant="f33"), r"r\.yaml:1:\d+ voices: .*no variant 'f33'; did you mean 'f3'"),
    "language of a cast": (cast(language="en-uss"), r"r\.yaml:1:\d+ voices: .*no language 'en-uss'"),
    "flite's voice of a cast": (cast(of={"engine": "flite", "variant": "slx"}), r"voices: .*no voice 'slx'; did you mean 'slt'"),
    "rate": (said(rate=450), "less than or equal to 449"),
    "a draw of rates": (said(rate={"integers": [100, 500]}), "'integers' can give 500"),
    "phonemes": (said(phonemes="h'eI§"), r"'§' at character 5 .* is no phoneme of en-us"),
    "phonemes of fewer words": (said(text="hey you", phonemes="h'eI"), "expected one a word, 2 with blanks between for 'hey you', got 1"),
    "phonemes in IPA": (said(phonemes="hˈeɪ"), "libespeak-ng's mnemonics are ASCII"),
    "pronunciation": (said(pronounce={"hey": "HH EY"}), "vowels with their stress"),
    "homophones": ({"negatives": {"of": ["two"], "kinds": ["alike"], "lexicon": "two.txt"}, "events": []}, r"sounds just like it or holds it \(to, too\)"),
    "negatives of a language without words": ({"negatives": {"of": ["hej"], "kinds": ["alike"], "language": "sv"}, "events": []}, "give a `lexicon`"),
    "engine": (said(voice={"engine": "espeek"}), "'espeak', 'flite' or 'piper', got 'espeek'"),
    "piper's voice": (said(voice={"engine": "piper", "variant": "amy"}), "AUDIOSYNTH_PIPER names, and it names none"),
    "style": (said(style="angry"), "'statement', 'question', 'command' or 'hurried', got 'angry'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_one_clear_error(name, tmp_path, monkeypatch):
    """Both `check` and `build` end with code 2 and say one thing, once, however many clips it is true of."""
    monkeypatch.delenv("AUDIOSYNTH_PIPER", raising=False)
    tree, message = BAD[name]
    for args in (("check",), ("build", "-q", "-o", str(tmp_path / "out"))):
        result = run(tmp_path, tree, *args)
        assert result.exit_code == 2, result.output
        lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, result.stderr
        assert "Traceback" not in result.output
        assert re.search(message, lines[0]), lines[0]
        assert not (tmp_path / "out" / "manifest.jsonl").exists()


def test_without_the_library(tmp_path):
    """Says how to install it and what works without; recipes without speech build."""
    code = "import sys; sys.modules['espeakng_loader'] = None; from audiosynth.cli import main; main()"
    tone = {
        "events": [{"label": "x", "source": {"type": "tone", "frequency": 440, "duration": 0.3}, "level_dbfs": -30}]
    }
    for i, tree in enumerate((said(), cast(), {**tone, "negatives": {"of": ["hey"]}}, tone)):
        path = tmp_path / f"{i}.yaml"
        path.write_text(json.dumps({"sr": 16_000, "duration": 1.0, "clips": 2, **tree}), encoding="utf-8")
        command = [sys.executable, "-c", code, "build", "-q", str(path), "-o", str(tmp_path / f"out{i}")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if tree is tone:
            assert done.returncode == 0, done.stderr
            continue
        assert done.returncode == 2
        assert done.stderr.count("error: ") == 1, done.stderr
        assert "pip install 'audiosynth[speech]'" in done.stderr
        assert "recipes without" in done.stderr


# ------------------------------------------------------------------------------------------------------- native crashes


@pytest.fixture
def fragile(tmp_path, monkeypatch):
    """Let the worker die of a real segmentation fault at one word; everything else it says as ever."""
    script = tmp_path / "fragile.py"
    script.write_text(
        "import ctypes, runpy, sys\n"
        f"real = runpy.run_path({str(WORKER)!r})\n"
        "answer = real['Speaker'].answer\n"
        "def fragile(self, request):\n"
        "    if 'boom' in request.get('text', ''):\n"
        "        ctypes.string_at(0)\n"
        "    return answer(self, request)\n"
        "real['Speaker'].answer = fragile\n"
        "real['serve'](*sys.argv[1:])\n",
        encoding="utf-8",
    )
    before = espeak._host(os.getpid())
    espeak._host.cache_clear()
    before.close()
    monkeypatch.setattr(espeak, "_WORKER", script)
    from audiosynth.speech.speaking import utter

    utter.cache_clear()
    yield
    espeak._host(os.getpid()).close()
    espeak._host.cache_clear()


WORDS = {"clips": 30, "events": [{
    "label": "x", "level_dbfs": -30,
    "source": {"type": "speech", "text": {"choice": ["hey", "boom", "yes", "no", "go"]}, "rate": 180},
}]}  # fmt: skip


def test_a_crash_takes_one_clip(tmp_path, fragile):
    """The build stops at it, or goes on without it; what was to be said stands in failed.jsonl, and all others are made."""
    stopped = run(tmp_path, WORDS, "build", "-q", "--workers", "1", "-o", str(tmp_path / "stopped"))
    assert stopped.exit_code != 0
    assert "libespeak-ng crashed (exit code -11) at 'boom'" in stopped.stderr
    assert stopped.stderr.count("error: ") == 1
    assert not (tmp_path / "stopped" / "manifest.jsonl").exists()
    went_on = run(tmp_path, WORDS, "build", "-q", "--workers", "1", "--keep-going", "-o", str(tmp_path / "out"))
    assert went_on.exit_code == 1
    assert "clips could not be made" in went_on.stderr
    failed = [json.loads(x) for x in (tmp_path / "out" / "failed.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [json.loads(x) for x in (tmp_path / "out" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(failed) + len(rows) == 30
    assert 2 < len(failed) < 14
    for line in failed:
        assert line["error"].startswith(f"clip train/{int(line['clip_id'][-9:])}, events[0]: libespeak-ng crashed")
        assert line["event"]["source"]["text"] == "boom"
        assert line["event"]["source"]["rate"] == 180
        assert "seed" in line["event"]["source"]
    assert "boom" not in {row["spec"]["events"][0]["source"]["text"] for row in rows}
    again = run(tmp_path, WORDS, "build", "-q", "--workers", "1", "--keep-going", "-o", str(tmp_path / "out"))
    assert again.exit_code == 1
    assert f"{len(failed)} clips could not be made" in again.stderr


def test_clips_beside_a_crash_are_the_same(tmp_path, fragile):
    """A crash leaves no trace in the clips after it."""
    run(tmp_path, WORDS, "build", "-q", "--workers", "1", "--keep-going", "-o", str(tmp_path / "out"))
    rows = [json.loads(x) for x in (tmp_path / "out" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    calm = json.loads(json.dumps(WORDS).replace("boom", "bomb"))
    path = tmp_path / "calm.yaml"
    path.write_text(json.dumps({"sr": 16_000, "duration": 2.0, **calm}), encoding="utf-8")
    root = build(load_recipe(path), tmp_path / "calm").root
    whole = [json.loads(x) for x in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    hashes = {row["clip_id"]: row["pcm_sha256"] for row in whole}
    assert all(hashes[row["clip_id"]] == row["pcm_sha256"] for row in rows)


def test_a_plan_error_travels_with_its_event():
    """Between processes too."""
    import pickle

    error = pickle.loads(pickle.dumps(PlanError("clip train/0: no", {"source": {"text": "boom"}})))
    assert (str(error), error.event) == ("clip train/0: no", {"source": {"text": "boom"}})


@pytest.mark.skipif(shutil.which("flite") is not None, reason="flite is installed")
def test_flite_is_not_there(tmp_path):
    """Without it, the way out."""
    assert "apt install flite" in run(tmp_path, said(voice={"engine": "flite"}), "check").stderr
