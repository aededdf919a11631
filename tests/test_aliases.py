"""What lies above half the rate is not folded back: 60 dB down in every synthesizer."""

from __future__ import annotations

import aliases
import numpy as np
import pytest
from test_synth_contract import LONG, NATURAL, drawn

from audiosynth import registry
from audiosynth.errors import ParameterError
from audiosynth.synthesis import modal, waves

MOST_DB = -60.0
PLAIN = ("chirp", "click", "harmonic", "tone")
"""Synthesizers that draw nothing by themselves, and whose noise is no rate's own."""
FINE = 64


@pytest.mark.parametrize(("sr", "n"), [(8000, 3), (22_050, 1)])
@pytest.mark.parametrize("name", [*NATURAL, *PLAIN])
def test_nothing_is_folded_back(name, sr, n, tmp_path, monkeypatch):
    """Against the same partials and noise at four times the rate, drawn sounds hold nothing of their own at -60 dB."""
    # strokes of telephones stand at whole samples: forty a second, as in America, fit the rates
    given = {"country": "us"} if name == "telephone_ring" else {}
    # a tone without edges is asked for as such
    plain = [tree for tree in registry.lookup("synths", name).examples if tree.get("fade") != 0]
    examples = [registry.create("synths", {"type": name, **tree}) for tree in plain]
    for synth in drawn(name, tmp_path, n=n, **given) if name in NATURAL else examples:
        if synth.extent(8000) <= LONG * 8000:
            try:
                assert aliases.alias_db(synth, sr, monkeypatch) < MOST_DB, synth
            except ParameterError as error:
                assert "raise sr" in str(error)  # noqa: PT017


def test_the_measure_sees_aliases(tmp_path, monkeypatch):
    """A waveform sampled as it stands is found out, and so are drops that were put at 0.4 of the rate."""

    class Naive:
        def render(self, ctx):
            return np.sign(np.sin(2 * np.pi * 311.1 * np.arange(ctx.sr) / ctx.sr + 0.01))[None]

    assert aliases.alias_db(Naive(), 8000, monkeypatch) > -35.0
    (rain,) = drawn("rain", tmp_path, n=1, drops=300.0)
    first = registry.lookup("synths", "rain@1").model_validate(rain.model_dump())
    assert aliases.alias_db(first, 16_000, monkeypatch) > -30.0


@pytest.mark.parametrize(
    ("frequency", "t60", "start"),
    [(700.0, 0.02, 0.0301), (3000.0, 0.004, 0.03003), (2000.0, 0.5, 0.0300313), (9000.0, 0.001, 0.03001)],
)
def test_rings_begin_as_through_a_filter(frequency, t60, start):
    """A damped sine sampled 64 times as fast, what is above 0.45 of the rate taken out, is what `strike` adds."""
    sr, n = 16_000, 16_384
    t = np.arange(n * FINE) / (sr * FINE) - start
    dense = np.where(t >= 0, np.exp(-6.907755 * np.maximum(t, 0) / t60) * np.sin(2 * np.pi * frequency * t), 0.0)
    kept = np.fft.rfft(dense)[: n // 2 + 1] * waves.taper(np.arange(n // 2 + 1) * sr / n, sr) / FINE
    y, true = np.zeros(n), np.fft.irfft(kept, n)
    modal.strike(y, start, [frequency], t60=t60, amplitudes=1.0, sr=sr)
    assert np.sum((y - true) ** 2) < 1e-8 * np.sum(true**2)
