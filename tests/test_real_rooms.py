"""Measured responses as people have them: a late onset, a noise floor, four channels, a reversed one, a SOFA file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiosynth.clip import RenderContext, Response
from audiosynth.errors import RenderError
from audiosynth.material.assets import AssetStore
from audiosynth.material.catalogue import CatalogueSpec, scan
from audiosynth.material.workspace import Workspace
from audiosynth.registry import Component, create
from audiosynth.spaces.places import Position

SR = 16_000


class Bank:
    """The shared responses, and what a renderer makes of them."""

    def __init__(self, root: Path, cache: Path) -> None:
        spec = CatalogueSpec(data="rirs", layout="flat", group=None, trim_db=None, include=[".wav", ".sofa"])
        self.recordings = {r.path: r for r in scan(spec, name="rirs", root=root, cache_dir=cache).recordings}
        self.work = Workspace(AssetStore({"rirs": root}))

    def room(self, path: str, **parameters) -> Component:
        return create("rooms", {"type": "measured", "recording": self.recordings[path].model_dump(), **parameters})

    def respond(self, path: str, *, position=None, **parameters) -> Response:
        room = self.room(path, **parameters)
        return self.work.response(room, RenderContext(SR, room.n_channels(), self.work.assets), position)

    def measures(self, response: Response) -> dict:
        return self.work.measures(response, SR, 0)


@pytest.fixture(scope="module")
def bank(shared_data, tmp_path_factory) -> Bank:
    pytest.importorskip("h5py")
    return Bank(shared_data / "rirs", tmp_path_factory.mktemp("cache"))


def test_a_late_onset_is_found(bank):
    """Sound that needs 27 ms (9 m) across a sports centre: the delay is that, and the hall's decay is long."""
    response = bank.respond("openair/ir_sportscentre_omni.wav")
    assert 0.02 < response.delay / SR < 0.04
    assert bank.measures(response)["t30"] > 4


def test_a_noise_floor_is_no_decay(bank):
    """A living room whose noise hides the decay has no T30, and the row says why."""
    measures = bank.measures(bank.respond("openair/living_room_1.wav"))
    assert measures["t30"] is None
    assert any("above the noise" in why for why in measures["unknown"])


def test_four_channels_need_four_channels(bank):
    """A four-channel response serves clips of four channels, and says so to others."""
    room = bank.room("halls/kitchen-true-stereo.wav")
    assert bank.respond("halls/kitchen-true-stereo.wav").h.shape[0] == 4
    with pytest.raises(RenderError, match="has 4 channels and the clip 1; give the room `channel: 0`"):
        room.response(RenderContext(SR, 1, bank.work.assets))


def test_a_reversed_response_is_named(bank):
    """A response that grows instead of decaying has no measures, and the row asks whether it is reversed."""
    measures = bank.measures(bank.respond("halls/matrix6-backwards.wav"))
    assert measures["t30"] is None
    assert any("is the response reversed" in why for why in measures["unknown"])


@pytest.mark.parametrize(("name", "azimuth"), [("+000", 0), ("+060", 60), ("-090", -90)])
def test_sofa_and_wav_are_the_same_room(bank, name, azimuth):
    """A direction finds the measurement that the same set has as WAV for that azimuth (this set counts clockwise)."""
    wav = bank.respond(f"surrey/UniS_RoomA_16k_az{name}.wav").h
    found = bank.respond("surrey/UniS_Room_A_BRIR_16k.sofa", position=Position(distance=1.5, azimuth=float(azimuth)))
    assert found.facts["azimuth"] == azimuth
    n = min(wav.shape[1], found.h.shape[1])
    peak = np.abs(wav).max()
    shifts = [
        np.abs(np.roll(found.h, k, axis=1)[:, 200 : n - 200] - wav[:, 200 : n - 200]).max() for k in range(-64, 65)
    ]
    assert min(shifts) < 0.02 * peak
