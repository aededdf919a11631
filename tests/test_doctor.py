"""The doctor: what it says is true, of this installation and of one that lacks things."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from importlib import metadata

import numpy as np
import pytest
from click.testing import CliRunner

from audiosynth import doctor
from audiosynth.cli import cli
from audiosynth.errors import RenderError


@pytest.fixture(scope="module")
def found():
    """Return what it finds here, by name."""
    return {finding.name: finding for finding in doctor.examine()}


def test_what_the_tests_need_is_there(found):
    """The extras that the tests install work, versions are those that are installed, every container was written and read."""
    assert {found[name].state for name in ("parquet", "sofa", "speech", "espeak-ng")} == {"ok"}
    assert found["numpy"].detail == np.__version__
    assert found["audiosynth"].detail == metadata.version("audiosynth")
    assert [found[name].detail for name in ("wav", "flac", "ogg", "opus", "mp3")] == ["written and read: 0.100 s"] * 5
    assert not {"test", "dev"} & found.keys()
    assert all(bool(finding.advice) == (finding.state != "ok") for finding in found.values())


def test_the_command_has_an_exit_code(tmp_path):
    """0 where everything a build needs works, 1 after a fault; JSON has all of it."""
    done = CliRunner().invoke(cli, ["doctor", "--json", "-o", str(tmp_path / "not" / "there")], prog_name="audiosynth")
    tree = json.loads(done.output)
    assert (done.exit_code, tree["ok"]) == (0, True)
    assert {"area", "name", "state", "detail", "advice"} == tree["findings"][0].keys()


def test_what_is_lacking_is_said_with_what_to_install(monkeypatch, tmp_path):
    """No extras, no speech, no numba, an empty disk: each is told, and only what a build needs is a fault."""
    real = metadata.version

    def version(name):
        if name in ("h5py", "pyarrow", "espeakng-loader"):
            raise metadata.PackageNotFoundError(name)
        return "0.0.1" if name == "distributed" else real(name)

    def silent(request):
        raise RenderError("speech needs libespeak-ng: pip install 'audiosynth[speech]'; and more")

    full = namedtuple("Usage", "total used free")(1, 1, 0)
    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(doctor, "say", silent)
    monkeypatch.setattr(doctor, "compiled", lambda name: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    monkeypatch.setenv("AUDIOSYNTH_PIPER", str(tmp_path))
    found = {finding.name: finding for finding in doctor.examine(tmp_path)}
    assert {name for name, finding in found.items() if finding.state == "fault"} == {"disk"}
    assert found["sofa"].advice == "pip install 'audiosynth[sofa]', for rooms and ears from SOFA files"
    assert found["sofa"].detail.startswith("lacks h5py>=")
    assert found["espeak-ng"].advice == "pip install 'audiosynth[speech]'"
    assert "NUMBA_CACHE_DIR" in found["compiled loops"].advice
    assert found["piper"].detail.startswith("0 voices")
    done = CliRunner().invoke(cli, ["doctor"], prog_name="audiosynth")
    assert done.exit_code == 1
    assert "disk: free some space" in done.output


def test_a_container_that_cannot_be_written_is_told(monkeypatch):
    """As with a libsndfile of the system that lacks MP3: told with the way out, and no fault but for WAV."""
    from audiosynth.files import audiofile

    def broken(path, pcm, **options):
        raise RuntimeError("Format not recognised")

    monkeypatch.setattr(audiofile, "write_audio", broken)
    found = {finding.name: finding for finding in doctor.examine() if finding.area == "format"}
    assert [found[name].state for name in ("wav", "mp3")] == ["fault", "missing"]
    assert "reinstall soundfile" in found["mp3"].advice
