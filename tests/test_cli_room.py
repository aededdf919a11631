"""`audiosynth room`: the numbers and pictures of a file's response and of a recipe's rooms."""

from __future__ import annotations

import json

import numpy as np
import pytest
from material import write_recipe, write_wav

from audiosynth.cli import cli

SR = 16_000


@pytest.fixture
def say(capsys):
    """Return a function that runs a command line and gives (code, out, err)."""

    def run(*words):
        with pytest.raises(SystemExit) as caught:
            cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return int(caught.value.code or 0), out, err

    return run


def decaying(rt60: float, *, delay: int = 320) -> np.ndarray:
    """Return Polack's response: a pulse, then noise that falls 60 dB in `rt60` seconds."""
    t = np.arange(SR) / SR
    noise = np.random.Generator(np.random.Philox(3)).standard_normal(SR) * 10 ** (-3 * t / rt60)
    h = np.zeros((1, SR + delay))
    h[0, delay:] = 0.1 * noise
    h[0, delay] = 1.0
    return h


def is_png(path) -> bool:
    return path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_file_is_measured_and_drawn(say, tmp_path):
    """T20 and T30 of a known decay within 5 %, its delay exactly, octaves where asked, and a picture."""
    write_wav(tmp_path / "hall.wav", decaying(0.5), SR)
    code, out, _ = say("room", tmp_path / "hall.wav", "--octaves", "--json", "-o", tmp_path / "pictures")
    tree = json.loads(out)
    assert code == 0
    rows = tree["responses"]
    assert [row["band"] for row in rows] == ["all", "125 Hz", "250 Hz", "500 Hz", "1000 Hz", "2000 Hz", "4000 Hz"]
    assert rows[0]["delay_samples"] == 320
    assert rows[0]["t30"] == pytest.approx(0.5, rel=0.05)
    assert rows[0]["t20"] == pytest.approx(0.5, rel=0.05)
    assert is_png(tmp_path / "pictures" / "hall.png")


def test_a_recipe_s_rooms_are_measured(say, tmp_path):
    """Each event in a room has its response, with what is known of it."""
    tree = {
        "sr": SR, "duration": 1.0, "clips": 1,
        "room": {"type": "shoebox", "size": [6, 5, 3], "rt60": 0.3, "receiver": {"position": [4.3, 3.4, 1.3]}},
        "events": [
            {"label": "x", "source": {"type": "click"}, "onset": 0.3 * i, "position": [2.1 + i, 1.7, 1.48], "level_dbfs": -20} for i in range(2)
        ],
    }  # fmt: skip
    code, out, err = say("room", write_recipe(tmp_path / "r.yaml", tree), "-o", tmp_path / "p")
    assert code == 0
    assert "train-000000000.events1" in out
    assert "distance 2.7" in out
    assert "warning: the source stands within 5 cm" in err
    assert is_png(tmp_path / "p" / "train-000000000.events0.png")


def test_a_reversed_response_is_told(say, tmp_path):
    """A response that grows has no measures, and the note asks whether it is reversed."""
    write_wav(tmp_path / "odd.wav", decaying(0.5)[:, ::-1], SR)
    code, _, err = say("room", tmp_path / "odd.wav", "-o", tmp_path)
    assert code == 0
    assert "is the response reversed" in err


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("missing.wav", None, "cannot be read"),
        ("empty.wav", b"", "empty"),
        ("noise.sofa", b"no hdf5 at all", "not a readable SOFA"),
        ("silent.wav", np.zeros((1, 800)), "silent"),
        ("r.yaml", {"sr": SR, "duration": 0.2, "clips": 1}, "none of its events is heard in a room"),
    ],
)
def test_what_is_no_response(say, tmp_path, name, content, match):
    """Each is one message and exit code 2; no picture is left."""
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict):
        write_recipe(path, content)
    elif content is not None:
        write_wav(path, content, SR)
    code, _, err = say("room", path, "-o", tmp_path / "pictures")
    assert code in (1, 2)
    assert match in err
    assert not list(tmp_path.rglob("*.png"))
