"""What tells one baby, cock, dog, clock, saw, helicopter, sneeze or shore from the next, measured on the sound."""

from __future__ import annotations

import measure
import numpy as np
import pytest
import scipy.signal

from audiosynth.synths.baby_cry import BabyCry
from audiosynth.synths.chainsaw import Chainsaw
from audiosynth.synths.clock_tick import ClockTick
from audiosynth.synths.dog_bark import DogBark
from audiosynth.synths.helicopter import Helicopter
from audiosynth.synths.rooster import Rooster
from audiosynth.synths.sea_waves import SeaWaves
from audiosynth.synths.sneeze import Sneeze

SR = 16_000


def pieces(y: np.ndarray, seconds: float) -> list[np.ndarray]:
    """Return whole pieces of some length."""
    n = int(seconds * SR)
    return [y[i : i + n] for i in range(0, len(y) - n + 1, n)]


def test_surf_has_no_seams():
    """With no waves, the three parts add up to one straight slope: within 0.5 dB of it in every octave."""
    y = measure.sound(SeaWaves(duration=60.0, swell_db=0.0, foam_db=0.0, splash_db=0.0, air_db=0.0, slope_db=-6.0, knee=100.0, seed=1), 22_050)  # fmt: skip
    f, power = scipy.signal.welch(y, 22_050, nperseg=4096)
    level = [10.0 * np.log10(power[(f > 0.9 * c) & (f < 1.1 * c)].mean()) for c in (250, 500, 1000, 2000, 4000)]
    assert np.diff(level) == pytest.approx([-6.02] * 4, abs=0.5)


def test_crests_break_one_by_one():
    """Splashes make octaves waver by about as much as asked for, all alike."""
    level = []
    for splash_db in (0.0, 4.0):
        y = measure.sound(SeaWaves(duration=30.0, swell_db=0.0, splash_db=splash_db, splashes=1.0, air_db=0.0, seed=2))
        band = scipy.signal.sosfilt(scipy.signal.butter(4, (900.0, 1100.0), "bandpass", fs=SR, output="sos"), y)
        level.append(np.std([10.0 * np.log10(np.mean(part**2)) for part in pieces(band, 0.25)]))
    assert level[0] < 1.5
    assert level[1] == pytest.approx(4.0, abs=1.3)


def test_a_voice_jumps_up_an_octave():
    """Hyperphonation: some stretch of each cry has twice the pitch."""
    pitches = []
    for shift in (0.0, 1.0):
        y = measure.sound(BabyCry(n_cries=1, cry=2.0, f0=400.0, roughness=0.0, melody=0.95, shift=shift, seed=3))
        pitches.append(max(measure.pitch(part, SR, fmin=300, fmax=1000) for part in pieces(y[3200:-3200], 0.06)))
    assert pitches[0] < 1.2 * 400.0
    assert 1.6 * 400.0 < pitches[1] < 2.4 * 400.0


def test_cries_of_one_baby_differ():
    """Lengths spread by variety, at most one octave either way beyond the usual."""
    spread = []
    for variety in (0.0, 1.0):
        synth = BabyCry(n_cries=8, cry=0.6, pause=0.5, roughness=0.0, variety=variety, whoop=0.0, seed=4)
        found = [b - a for a, b in measure.bursts(measure.sound(synth), SR, below_db=30, gap=0.03) if b - a > 0.2]
        spread.append(np.std(np.log2(found)))
    assert spread[1] > 1.5 * spread[0]


def test_a_breath_is_drawn_with_voice():
    """Between two cries there is a tone where the whoop is, and only air where it is not."""
    heard = []
    for whoop in (0.0, 1.0):
        y = measure.sound(BabyCry(n_cries=2, cry=0.6, pause=0.6, roughness=0.0, whoop=whoop, seed=5))
        cries = [(a, b) for a, b in measure.bursts(y, SR, below_db=20) if b - a > 0.35]
        end, start = cries[0][1], cries[-1][0]
        gap = y[int((end + 0.02) * SR) : int((start - 0.02) * SR)]
        heard.append(np.sqrt(np.mean(gap**2)))
    assert heard[1] > 2.0 * heard[0]


@pytest.mark.parametrize("fall", [0.55, 0.95])
def test_the_last_syllable_falls_as_far_as_asked(fall):
    """The pitch near the end of a crow over that in the middle of its last syllable."""
    y = measure.sound(Rooster(length=2.0, f0=600.0, roughness=0.0, fall=fall, seed=1))
    late = measure.pitch(y[int(1.88 * SR) : int(1.95 * SR)], SR, fmin=250, fmax=900)
    assert late == pytest.approx(600.0 * fall, rel=0.12)


def test_barks_of_one_dog_differ():
    """Pitches of eight barks spread where the dog varies them."""
    spread = []
    for variety in (0.0, 1.0):
        y = measure.sound(DogBark(n_barks=8, f0=480.0, bark=0.2, interval=0.6, roughness=0.0, variety=variety, seed=2))
        found = measure.bursts(y, SR, gap=0.05, below_db=35)
        middles = [y[int((a + 0.3 * (b - a)) * SR) : int((a + 0.6 * (b - a)) * SR)] for a, b in found]
        spread.append(np.std([np.log2(measure.pitch(part, SR, fmin=250, fmax=800)) for part in middles]))
    assert spread[1] > 1.5 * spread[0]


def test_a_blow_of_a_clock_clicks():
    """The click fills the gaps between the modes: a flatter spectrum."""
    flat = []
    for click in (0.0, 5.0):
        y = measure.sound(ClockTick(duration=1.2, rate=1.0, click=click, click_t60=0.02, seed=3))
        at = int(np.argmax(np.abs(y)))
        power = np.abs(np.fft.rfft(y[max(0, at - 100) : at + 800])) ** 2
        power = power[int(0.05 * len(power)) : int(0.8 * len(power))]
        flat.append(np.exp(np.mean(np.log(power))) / np.mean(power))
    assert flat[1] > 2.0 * flat[0]


def test_a_gearbox_whines_where_its_teeth_mesh():
    """The strongest tone of a helicopter that is all gearbox."""
    y = measure.sound(Helicopter(duration=3.0, gear=900.0, gear_db=10.0, slap_db=-40.0, tail_db=-60.0, seed=1))
    assert measure.strongest(y, SR, fmin=500, fmax=1500) == pytest.approx(900.0, rel=0.02)


def test_explosions_are_uneven():
    """The loudness of a saw at a steady speed wavers where explosions fail."""
    waver = []
    for misfire_db in (0.0, 5.0):
        saw = Chainsaw(duration=3.0, rpm=(9000.0,), cutting=0.0, noise_db=-40.0, air_db=0.0, misfire_db=misfire_db, seed=1)  # fmt: skip
        waver.append(np.std([10.0 * np.log10(np.mean(part**2)) for part in pieces(measure.sound(saw), 0.03)]))
    assert waver[1] > waver[0] + 1.0


def test_lips_close_on_a_sneeze():
    """The burst is duller at its end, the more so the further the lips close."""
    bright = []
    for closing in (0.0, 1.0):
        y = measure.sound(Sneeze(inhale=0.0, burst=0.3, voice_db=-60.0, closing=closing, brightness=4000.0, seed=1))
        bright.append(measure.centroid(y[int(0.3 * SR) : int(0.45 * SR)], SR))
    assert bright[1] < 0.6 * bright[0]
