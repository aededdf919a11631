"""What makes weather, fire, animals and people what they are, measured on the sound."""

from __future__ import annotations

import measure
import numpy as np
import pytest
import scipy.signal
import scipy.stats

from audiosynth.synths.baby_cry import BabyCry
from audiosynth.synths.bird_song import BirdSong
from audiosynth.synths.cat_meow import CatMeow
from audiosynth.synths.cough import Cough
from audiosynth.synths.cricket import Cricket
from audiosynth.synths.dog_bark import DogBark
from audiosynth.synths.fire_crackle import FireCrackle
from audiosynth.synths.rain import Rain
from audiosynth.synths.rooster import Rooster
from audiosynth.synths.sea_waves import SeaWaves
from audiosynth.synths.sneeze import Sneeze
from audiosynth.synths.snore import Snore
from audiosynth.synths.wind import Wind

SEEDS = range(1, 6)


@pytest.mark.parametrize("sr", [16_000, 48_000])
def test_far_rain_is_gaussian_and_near_rain_is_not(sr):
    """A wash has the crest factor of noise (11 to 15 dB over seconds) and its slope; single drops stand out of it."""
    wash = measure.sound(Rain(duration=4.0, drops=0.0, waver_db=0.0, centre=800.0, slope_db=-6.0, seed=1), sr)
    assert 11.0 < measure.crest_db(wash) < 15.5
    assert measure.slope_db(wash, sr, fmin=1000.0, fmax=6000.0) == pytest.approx(-6.0, abs=0.5)
    near = measure.sound(Rain(duration=4.0, drops=20.0, drops_db=10.0, waver_db=0.0, seed=1), sr)
    assert measure.crest_db(near) > 20.0


def test_drops_come_as_often_as_they_should():
    """Drops a second, counted as jumps of the sound over quiet."""
    y = measure.sound(Rain(duration=30.0, drops=6.0, drops_db=40.0, waver_db=0.0, seed=3))
    starts, _ = scipy.signal.find_peaks(measure.envelope(y, 16_000, window=0.004), height=0.002, distance=100)
    assert len(starts) / 30.0 == pytest.approx(6.0, rel=0.2)


def test_waves_come_with_their_period_and_break_bright():
    """Crests are a period apart on average; the high band peaks after the low one."""
    sr, lags, gaps = 8000, [], []
    for seed in SEEDS[::2]:
        y = measure.sound(SeaWaves(duration=60.0, period=6.0, swell_db=25.0, foam_db=0.0, seed=seed), sr)
        low, high = (
            measure.envelope(
                scipy.signal.sosfilt(scipy.signal.butter(4, edge, kind, fs=sr, output="sos"), y), sr, window=0.5
            )[::80]
            for edge, kind in ((300.0, "low"), (2200.0, "high"))
        )
        crests, _ = scipy.signal.find_peaks(low / low.max(), prominence=0.25, distance=250)
        gaps += list(np.diff(crests) * 0.01)
        low, high = low - low.mean(), high - high.mean()
        lags.append(np.argmax(np.correlate(high, low, "full")) - (len(low) - 1))
    assert np.mean(gaps) == pytest.approx(6.0, rel=0.15)
    assert np.mean(lags) * 0.01 > 0.1


def test_crackles_follow_a_power_law():
    """Few loud ones among many faint ones: heavy tails, and as many as asked for."""
    y = measure.sound(FireCrackle(duration=20.0, crackles=15.0, flames_db=-70.0, exponent=1.4, seed=1))
    assert scipy.stats.kurtosis(y) > 50.0
    peaks, found = scipy.signal.find_peaks(np.abs(y), height=1e-3, distance=int(0.004 * 16_000))
    heights = np.sort(found["peak_heights"])[::-1]
    assert 0.6 < len(peaks) / (15.0 * 20.0) < 2.0
    top = heights[: len(heights) // 4]
    slope = np.polyfit(np.log(top), np.log(np.arange(1, len(top) + 1)), 1)[0]
    assert -2.2 < slope < -0.9


def test_flames_flutter_low():
    """With hiss well below, most of a fire without crackles lies under 200 Hz."""
    y = measure.sound(FireCrackle(duration=5.0, crackles=0.0, hiss_db=-20.0, seed=1))
    assert measure.band_db(y, 16_000, 10, 200) > measure.band_db(y, 16_000, 200, 8000) + 6.0


def test_gusts_are_bright_and_howl_follows_strouhal():
    """Louder stretches have a higher centre of gravity; the howl rises with the wind."""
    sr = 16_000
    y = measure.sound(Wind(duration=20.0, gusts=0.4, howl_db=-60.0, seed=2), sr).reshape(40, -1)
    loud, bright = [np.sqrt(np.mean(part**2)) for part in y], [measure.centroid(part, sr) for part in y]
    assert scipy.stats.spearmanr(loud, bright)[0] > 0.5
    howl = measure.sound(Wind(duration=20.0, gusts=0.3, howl=600.0, howl_db=30.0, seed=2), sr).reshape(40, -1)
    tones = [measure.strongest(part, sr, fmin=200.0, fmax=1150.0) for part in howl]
    assert np.median(tones) == pytest.approx(600.0 * 1.1, rel=0.25)
    assert np.std(tones) > 30.0


@pytest.mark.parametrize("sr", [16_000, 44_100])
def test_a_bird_sings_syllables(sr):
    """Phrases times repeats, nearly pure tones within its range."""
    y = measure.sound(BirdSong(n_phrases=3, repeats=4, gap=0.06, f0=3500.0, sweep=0.4, seed=4), sr)
    assert len(measure.bursts(y, sr, gap=0.03, window=0.02, below_db=26)) == 12
    assert measure.band_db(y, sr, 1800, 7000) > measure.band_db(y, sr, 0, 1800) + 20.0
    assert 2200.0 < measure.strongest(y, sr) < 5600.0


@pytest.mark.parametrize("temperature", [15.0, 25.0])
def test_crickets_chirp_by_dolbears_law(temperature):
    """Chirps a minute are 40 + 4·(T - 50), T in degrees Fahrenheit; the tone is 4.7 kHz within a few percent."""
    y = measure.sound(Cricket(duration=20.0, temperature=temperature, seed=1))
    starts = [a for a, _ in measure.bursts(y, 16_000, gap=0.06)]
    a_minute = 60.0 / np.mean(np.diff(starts))
    assert a_minute == pytest.approx(40.0 + 4.0 * (1.8 * temperature + 32.0 - 50.0), rel=0.06)
    assert measure.strongest(y, 16_000) == pytest.approx(4700.0, rel=0.05)


def test_a_chirp_has_its_pulses():
    """As many pulses as the wings close."""
    y = measure.sound(Cricket(duration=0.5, n_pulses=4, temperature=20.0, seed=2))
    assert len(measure.bursts(y, 16_000, gap=0.002, window=0.004)) == 4


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dog_barks(seed):
    """Short bursts, as many as asked for, of 0.1 to 0.3 s, whose pitch comes up to f0 and no further."""
    y = measure.sound(DogBark(n_barks=3, f0=480.0, bark=0.18, roughness=0.0, seed=seed))
    found = measure.bursts(y, 16_000, gap=0.05)
    assert len(found) == 3
    assert all(0.08 < b - a < 0.3 for a, b in found)
    a, b = found[0]
    middle = y[int((a + 0.3 * (b - a)) * 16_000) : int((a + 0.6 * (b - a)) * 16_000)]
    assert 0.8 * 480.0 < measure.pitch(middle, 16_000, fmin=250, fmax=700) < 1.03 * 480.0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cat_opens_its_mouth(seed):
    """The pitch arches by as much as asked for, and the sound is brightest in the middle."""
    y = measure.sound(CatMeow(length=1.0, f0=600.0, arch=1.4, peak=0.45, roughness=0.0, seed=seed))
    pitches = [measure.pitch(y[i : i + 1600], 16_000, fmin=300, fmax=800) for i in (800, 6400, 14_000)]
    assert pitches[1] == pytest.approx(600.0, rel=0.03)
    assert all(p < 0.88 * 600.0 for p in pitches[::2])
    bright = [measure.centroid(y[i : i + 1600], 16_000) for i in (300, 7200, 14_400)]
    assert bright[1] > 1.15 * max(bright[0], bright[2])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rooster_crows_four_syllables(seed):
    """Three short ones and a long one that takes half of the crow, at f0."""
    y = measure.sound(Rooster(length=2.0, f0=600.0, roughness=0.0, seed=seed))
    found = measure.bursts(y, 16_000, below_db=24, gap=0.005)
    assert len(found) == 4
    lengths = [b - a for a, b in found]
    assert lengths[3] > 0.9 > 0.5 > max(lengths[:3])
    a = found[3][0]
    assert measure.pitch(
        y[int((a + 0.2) * 16_000) : int((a + 0.5) * 16_000)], 16_000, fmin=350, fmax=900
    ) == pytest.approx(600.0, rel=0.12)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_baby_cries_on_one_breath_each(seed):
    """Cries of about a second at 350 to 600 Hz, with pauses."""
    y = measure.sound(BabyCry(n_cries=3, f0=450.0, cry=0.8, pause=0.4, roughness=0.0, seed=seed))
    found = [(a, b) for a, b in measure.bursts(y, 16_000, below_db=18) if b - a > 0.3]
    assert len(found) == 3
    for a, b in found:
        middle = y[int((0.7 * a + 0.3 * b) * 16_000) : int((0.5 * a + 0.5 * b) * 16_000)]
        assert 350.0 < measure.pitch(middle, 16_000, fmin=250, fmax=800) < 560.0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sneeze_is_a_burst(seed):
    """The loudest moment comes within a few tens of milliseconds, broad, after a softer breath in."""
    synth = Sneeze(inhale=0.4, gap=0.05, burst=0.3, voice_db=-30.0, seed=seed)
    y = measure.sound(synth)
    e = measure.envelope(y, 16_000)
    top = int(np.argmax(e))
    assert 0.44 < top / 16_000 < 0.55
    assert e[: int(0.42 * 16_000)].max() < 0.5 * e.max()
    burst = y[top - 400 : top + 1600]
    assert 1200.0 < measure.centroid(burst, 16_000) < 6000.0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cough_explodes(seed):
    """Each cough is loudest within 50 ms of its start and half a second at most."""
    y = measure.sound(Cough(n_coughs=2, cough=0.32, interval=0.7, voice_db=-20.0, seed=seed))
    found = measure.bursts(y, 16_000, below_db=26, gap=0.06)
    assert len(found) == 2
    e = measure.envelope(y, 16_000)
    for a, b in found:
        piece = e[int(a * 16_000) : int(b * 16_000)]
        assert np.argmax(piece) / 16_000 < 0.06
        assert b - a < 0.5


def test_a_snore_rattles_at_its_rate():
    """The envelope of breathing in pulses at f0, the sound lies low, and a breath takes its cycle."""
    y = measure.sound(Snore(n_breaths=3, period=3.0, f0=40.0, flutter=0.9, exhale_db=-30.0, seed=1))
    found = [(a, b) for a, b in measure.bursts(y, 16_000, below_db=15, gap=0.2, window=0.1)]
    assert np.diff([a for a, _ in found]) == pytest.approx([3.0, 3.0], abs=0.4)
    a, b = found[0]
    middle = y[int((a + 0.2) * 16_000) : int((b - 0.2) * 16_000)]
    assert measure.modulation(middle, 16_000, fmin=28, fmax=70) == pytest.approx(40.0, rel=0.25)
    assert measure.band_db(middle, 16_000, 20, 800) > measure.band_db(middle, 16_000, 800, 8000)
