"""The gallery: one page with a player and a picture for every sound that can be made from nothing."""

from __future__ import annotations

import re

import pytest
import soundfile

from audiosynth import registry
from audiosynth.cli import cli
from audiosynth.report.gallery import specimens


def main(words):
    """Run a command line and return its exit code."""
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    return int(caught.value.code or 0)


def test_the_page_plays_and_shows_what_it_names(tmp_path):
    """Every file that the page names is there: sound of the rate asked for, and a picture."""
    names = ("smoke_alarm", "bell", "coloured", "tone")
    assert (
        main(["gallery", "-o", str(tmp_path), "-n", "2", "--sr", "16000", *(w for n in names for w in ("--only", n))])
        == 0
    )
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    files = set(re.findall(r'src="([^"]+)"', page))
    assert len(files) == 16
    for name in files:
        assert (tmp_path / name).stat().st_size > 500
    assert soundfile.info(tmp_path / "synths-bell-0.flac").samplerate == 16_000
    assert all(f'id="{name}"' in page for name in names)
    assert "http" not in page


def test_every_synthesizer_and_noise_is_in_it(tmp_path):
    """But those that need a recording."""
    found = {s.name for s in specimens(1, sr=16_000, folder=tmp_path)}
    assert "profile_office" in found
    known = {name for family in ("synths", "noises") for name in registry.newest(family)}
    assert known - found == {"file", "profile"}


def test_a_wrong_name(tmp_path, capsys):
    """One line, with the nearest name."""
    assert main(["gallery", "-o", str(tmp_path / "x"), "--only", "bel"]) != 0
    assert "did you mean 'bell'" in capsys.readouterr().err
