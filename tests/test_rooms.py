"""Rooms `none` and `measured`: gain, channels, cut, cache and errors, on responses whose truth is known."""

from __future__ import annotations

import gc
import math
import weakref

import numpy as np
import pytest
from pydantic import ValidationError

from audiosynth.clip import Recording, RenderContext
from audiosynth.dsp import convolve
from audiosynth.errors import AssetError, RenderError
from audiosynth.registry import Component, create, dump, newest

SR = 16000


def gaussian(seed: int, n: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).standard_normal(n)


def hall(*, onset: int, rt60: float, seed: int = 1) -> np.ndarray:
    """Make 1.5 s of Polack's response: a direct pulse of 1, then 0.25 · Gaussian noise · 10^(-3t/T)."""
    h = np.zeros((1, 24000))
    t = np.arange(24000 - onset) / SR
    h[0, onset:] = 0.25 * gaussian(seed, t.size) * 10 ** (-3 * t / rt60)
    h[0, onset] = 1.0
    return h


class Shelf:
    """Asset reader over arrays in memory; counts how often it is asked."""

    def __init__(self, h: np.ndarray) -> None:
        self.h = h
        self.asked = 0

    def samples(self, recording: Recording, sr: int) -> np.ndarray:
        self.asked += 1
        view = self.h.view()
        view.flags.writeable = False
        return view


SHAS = iter(range(1, 10**6))


def room(h: np.ndarray, **parameters: object) -> tuple[Component, Shelf]:
    recording = {
        "data": "rooms", "path": "hall/a.wav", "sha256": f"{next(SHAS):064x}", "sr": SR,
        "n_channels": h.shape[0], "n_samples": h.shape[1], "active": [0, h.shape[1]],
    }  # fmt: skip
    return create("rooms", {"type": "measured", "recording": recording, **parameters}), Shelf(h)


def respond(h: np.ndarray, n_channels: int = 1, **parameters: object):
    component, shelf = room(h, **parameters)
    return component.response(RenderContext(sr=SR, n_channels=n_channels, assets=shelf))


def test_no_room_changes_nothing():
    """The image of the room `none` is the dry sound, bit for bit."""
    response = create("rooms", {"type": "none"}).response(RenderContext(sr=SR))
    y = gaussian(1, 1000)[np.newaxis]
    assert (response.delay, response.gain_db) == (0, 0.0)
    np.testing.assert_allclose(convolve(y, response.h), y, atol=1e-14)
    assert response.h.tolist() == [[1.0]]


@pytest.mark.parametrize("scale", [1.0, 0.01, 37.0])
def test_direct_sound_becomes_one(scale):
    """With `direct` the earliest channel's direct peak is 1 after the gain, which is one number for all channels."""
    h = scale * np.vstack([np.roll(hall(onset=300, rt60=0.4, seed=1), 9), -0.5 * hall(onset=300, rt60=0.4, seed=2)])
    response = respond(h, 2)
    assert response.delay == 300
    assert response.gain_db == round(response.gain_db, 6)
    scaled = response.h * 10 ** (response.gain_db / 20)
    assert np.abs(scaled[1, 260:341]).max() == pytest.approx(1.0, abs=1e-7)
    np.testing.assert_array_equal(response.h, h)


def test_energy_becomes_one():
    """With `energy` the earliest channel's kept energy is 1: white noise passes that channel at its level."""
    h = 0.1 * hall(onset=300, rt60=0.4)
    for parameters in ({}, {"max_duration": 0.05}):
        response = respond(h, normalize="energy", **parameters)
        energy = np.square(response.h).sum() * 10 ** (response.gain_db / 10)
        assert energy == pytest.approx(1.0, abs=1e-6)


def test_as_recorded_is_as_recorded():
    """With `none` the gain is 0 dB."""
    assert math.copysign(1.0, respond(0.1 * hall(onset=3, rt60=0.2), normalize="none").gain_db) == 1.0


def test_channels_are_chosen():
    """`all`, one by its number, and the mean of all; each with its own direct sound."""
    h = np.vstack([hall(onset=300, rt60=0.2, seed=1), hall(onset=250, rt60=0.2, seed=2)])
    assert (respond(h, 2).h.shape[0], respond(h, 2).delay) == (2, 250)
    np.testing.assert_array_equal(respond(h, 1, channel=0).h, h[:1])
    assert respond(h, 4, channel=0).delay == 300
    np.testing.assert_allclose(respond(h, 1, channel="mix").h, h.mean(axis=0, keepdims=True), atol=1e-16)


def test_channels_that_do_not_fit_name_both_numbers_and_the_way_out():
    """A response of four channels in a stereo or mono clip is an error; a mono one always fits."""
    for n_channels in (1, 2):
        with pytest.raises(
            RenderError, match=rf"rooms:hall/a.wav has 4 channels and the clip {n_channels}; .*`channel: 0`"
        ):
            respond(np.ones((4, 10)), n_channels)
    assert respond(hall(onset=3, rt60=0.2), 5).h.shape[0] == 1
    with pytest.raises(ValidationError, match=r"channel 2 is not in hall/a\.wav, which has 2"):
        room(np.ones((2, 10)), channel=2)


def test_the_cut_is_counted_from_the_direct_sound_and_faded():
    """`max_duration` keeps that much after the direct sound; all but the last 5 ms are untouched."""
    h = hall(onset=1200, rt60=0.8)
    response = respond(h, max_duration=0.1)
    stop = 1200 + 1600
    assert response.h.shape == (1, stop)
    np.testing.assert_array_equal(response.h[:, : stop - 80], h[:, : stop - 80])
    fade = response.h[0, stop - 80 :] / h[0, stop - 80 : stop]
    assert (np.diff(fade) < 0).all()
    assert 0.99 < fade[0] < 1.0
    assert respond(h, max_duration=50.0).h.shape == h.shape


@pytest.mark.parametrize(
    ("h", "message"),
    [
        (np.zeros((1, 100)), "rooms:hall/a.wav: the impulse response is silent"),
        (np.array([[0.0, np.nan]]), "rooms:hall/a.wav: the impulse response holds NaN"),
        (gaussian(4, 32000)[np.newaxis], "rooms:hall/a.wav: no direct sound"),
    ],
)
def test_unusable_recordings_are_named(h, message):
    """What is wrong with a recording is an AssetError that names it."""
    with pytest.raises(AssetError, match=message):
        respond(h)


def test_the_key_is_the_identity_of_the_array():
    """Responses with equal keys have equal arrays; normalising does not change the array, cutting and choosing do."""
    h = np.vstack([hall(onset=300, rt60=0.2, seed=1)] * 2)
    first, shelf = room(h)
    ctx = RenderContext(sr=SR, n_channels=2, assets=shelf)
    keys = [
        first.model_copy(update=change).response(ctx).key
        for change in ({}, {"normalize": "none"}, {"channel": 1}, {"channel": "mix"}, {"max_duration": 0.1})
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_measuring_is_done_once_and_holds_no_samples():
    """A second call gives the same numbers without measuring; the array is not kept alive."""
    component, shelf = room(hall(onset=300, rt60=0.2))
    ctx = RenderContext(sr=SR, assets=shelf)
    first = component.response(ctx)
    shelf.h = shelf.h * np.nan
    again = component.response(ctx)
    assert (again.delay, again.gain_db, again.key) == (first.delay, first.gain_db, first.key)
    alive = weakref.ref(first.h.base if first.h.base is not None else first.h)
    del first, again, ctx, shelf
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("name", ["none", "measured"])
def test_examples_are_valid_and_travel_as_json(name):
    """Each example builds, and its dump builds an equal component."""
    for example in newest("rooms")[name].examples:
        component = create("rooms", {"type": name, **example})
        assert create("rooms", dump(component)) == component
