"""What makes signals and alarms what they are: standards' frequencies and cadences, Fourier and Bessel series."""

from __future__ import annotations

import measure
import numpy as np
import pytest
import scipy.signal
import scipy.special

from audiosynth.clip import RenderContext
from audiosynth.errors import ParameterError
from audiosynth.synths.alarm_clock import AlarmClock
from audiosynth.synths.am import Am
from audiosynth.synths.car_horn import CarHorn
from audiosynth.synths.carbon_monoxide_alarm import CarbonMonoxideAlarm
from audiosynth.synths.dial_tone import TONES, DialTone
from audiosynth.synths.doorbell import Doorbell
from audiosynth.synths.dtmf import Dtmf
from audiosynth.synths.fm import Fm
from audiosynth.synths.microwave_beep import MicrowaveBeep
from audiosynth.synths.pulse_train import PulseTrain
from audiosynth.synths.reversing_beeper import ReversingBeeper
from audiosynth.synths.sawtooth import Sawtooth
from audiosynth.synths.siren import Siren
from audiosynth.synths.smoke_alarm import SmokeAlarm
from audiosynth.synths.square import Square
from audiosynth.synths.sweep_train import SweepTrain
from audiosynth.synths.telephone_ring import TelephoneRing
from audiosynth.synths.triangle import Triangle


def lines(y: np.ndarray, sr: int, *frequencies: float) -> list[float]:
    """Return the amplitude of each line of a steady sound, by least squares."""
    w = np.hanning(len(y))
    t = np.arange(len(y)) / sr
    return [float(2 * abs(np.sum(w * y * np.exp(-2j * np.pi * f * t))) / w.sum()) for f in frequencies]


def beeps(y: np.ndarray, sr: int, *, gap: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Return starts and lengths of the beeps in seconds, at half of their height."""
    found = np.array(measure.bursts(y, sr, below_db=6, window=0.004, gap=gap))
    return found[:, 0], found[:, 1] - found[:, 0]


@pytest.mark.parametrize("sr", [8000, 44_100])
@pytest.mark.parametrize(
    ("cls", "falls"),
    [
        (Square, [1, 0, 1 / 3, 0, 1 / 5]),
        (Sawtooth, [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]),
        (Triangle, [1, 0, 1 / 9, 0, 1 / 25]),
    ],
)
def test_waveforms_have_their_partials(cls, falls, sr):
    """Amplitudes 1/n of odd partials, 1/n of all, 1/n² of odd ones; nothing else within 60 dB."""
    y = measure.sound(cls(duration=1.0, frequency=311.1), sr)
    a = lines(y, sr, *(311.1 * k for k in range(1, 6)))
    assert np.array(a) / a[0] == pytest.approx(falls, abs=2e-3)
    s = np.abs(np.fft.rfft(y * scipy.signal.windows.blackmanharris(len(y))))
    f = np.fft.rfftfreq(len(y), 1 / sr)
    between = np.abs(f / 311.1 - np.rint(f / 311.1)) * 311.1 > 12.0
    assert s[between & (f > 150)].max() < 1e-3 * s.max()


def test_pulses_have_a_sinc_of_partials():
    """Partial n is sin(nπ·duty)/n re the first's."""
    y = measure.sound(PulseTrain(duration=1.0, rate=200.0, duty=0.2), 16_000)
    a = np.array(lines(y, 16_000, *(200.0 * k for k in range(1, 9))))
    k = np.arange(1, 9)
    exact = np.abs(np.sin(np.pi * 0.2 * k) / k)
    assert a / a[0] == pytest.approx(exact / exact[0], abs=2e-3)


def test_am_has_side_bands():
    """Depth/2 of the carrier at carrier ± rate."""
    y = measure.sound(Am(duration=2.0, frequency=1000.0, rate=40.0, depth=0.6, seed=1))
    low, mid, high, none = lines(y, 16_000, 960.0, 1000.0, 1040.0, 1080.0)
    assert [low / mid, high / mid] == pytest.approx([0.3, 0.3], abs=0.005)
    assert none < 0.003 * mid


def test_fm_has_bessel_side_bands():
    """J_k(index) at carrier ± k·modulator."""
    y = measure.sound(Fm(duration=2.0, carrier=2000.0, modulator=150.0, index=1.7))
    a = np.array(lines(y, 16_000, *(2000.0 + 150.0 * k for k in range(5))))
    exact = np.abs(scipy.special.jv(np.arange(5), 1.7))
    assert a / a[1] == pytest.approx(exact / exact[1], abs=0.01)


def test_fm_refuses_side_bands_that_would_fold():
    """Carson's rule against the rate, with what to do."""
    with pytest.raises(ParameterError, match=r"below 3600 Hz at sr 8000, got up to 4700 Hz; lower index"):
        Fm(carrier=3000.0, modulator=500.0, index=2.4).render(RenderContext(sr=8000))
    with pytest.raises(ValueError, match="expected side bands below 40 kHz"):
        Fm(carrier=20_000.0, modulator=5000.0, index=200.0)


def test_sweeps_cover_equal_intervals():
    """Half-way in time is half-way in octaves; sweeps follow at their period."""
    y = measure.sound(SweepTrain(duration=1.05, start=400.0, end=1600.0, sweep=0.25, gap=0.1))
    starts, _ = beeps(y, 16_000)
    assert np.diff(starts) == pytest.approx([0.35, 0.35], abs=0.01)
    middle = y[int(0.115 * 16_000) : int(0.135 * 16_000)]
    assert measure.strongest(middle, 16_000) == pytest.approx(800.0, rel=0.06)


@pytest.mark.parametrize("key", list("123A456B789C*0#D"))
def test_dtmf_is_q23(key):
    """Each key is its pair of frequencies within 1.8 % (Q.23), nothing else near."""
    y = measure.sound(Dtmf(digits=key, tone=0.2), 8000)
    low, high = {
        c: (f, g)
        for f, row in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
        for c, g in zip(row, (1209, 1336, 1477, 1633), strict=True)
    }[key]
    assert measure.strongest(y, 8000, fmin=600, fmax=1050) == pytest.approx(low, abs=4)
    assert measure.strongest(y, 8000, fmin=1100, fmax=1750) == pytest.approx(high, abs=4)


def test_dtmf_times_and_bad_digits():
    """Tones and pauses as long as asked for; letters that no keypad has are refused."""
    starts, lengths = beeps(measure.sound(Dtmf(digits="159#", tone=0.08, pause=0.06), 8000), 8000)
    assert np.diff(starts) == pytest.approx([0.14] * 3, abs=0.003)
    assert lengths == pytest.approx([0.08] * 4, abs=0.008)
    with pytest.raises(ValueError, match="digits"):
        Dtmf(digits="12x")


@pytest.mark.parametrize(("country", "kind"), list(TONES))
def test_network_tones_are_e180(country, kind):
    """Frequencies and cadence of ITU-T E.180, Supplement 2."""
    frequencies, pattern = TONES[country, kind]
    y = measure.sound(DialTone(duration=9.0, country=country, kind=kind), 8000)
    on = y[: int(min(pattern[0], 2.0) * 8000)]
    a = lines(on, 8000, *frequencies)
    assert min(a) > 0.6 * max(a)
    if pattern[1] > 0.01:
        starts, lengths = beeps(y, 8000, gap=0.03)
        steps = np.cumsum([0.0, *(pattern * 40)])[::2]
        assert starts[:3] == pytest.approx(steps[: len(starts[:3])], abs=0.03)
        assert lengths[0] == pytest.approx(pattern[0], abs=0.03)


@pytest.mark.parametrize(("country", "gap"), [("us", 6.0), ("de", 5.0), ("jp", 3.0)])
def test_telephones_ring_in_their_cadence(country, gap):
    """From ring to ring as the country has it; the hammer strikes twice a period of the ringing current."""
    y = measure.sound(TelephoneRing(duration=13.0, country=country, t60=0.2, seed=1), 8000)
    found = [a for a, _ in measure.bursts(y, 8000, below_db=20, gap=0.15)]
    assert np.diff(found) == pytest.approx([gap] * (len(found) - 1), abs=0.05)


def test_hammers_follow_the_ringing_current():
    """20 Hz of American current are 40 strokes a second."""
    y = measure.sound(TelephoneRing(duration=1.8, country="us", t60=0.05, seed=1), 16_000)
    assert measure.modulation(y, 16_000, fmin=30, fmax=60) == pytest.approx(40.0, rel=0.02)


def test_smoke_alarms_sound_t3():
    """Three pulses of 0.5 s, 0.5 s apart, 1.5 s of pause (ISO 8201), at 3.1 kHz; the low one is a 520 Hz square."""
    y = measure.sound(SmokeAlarm(duration=8.0))
    starts, lengths = beeps(y, 16_000)
    assert starts == pytest.approx([0, 1, 2, 4, 5, 6], abs=0.01)
    assert lengths == pytest.approx([0.5] * 6, abs=0.02)
    assert measure.strongest(y, 16_000) == pytest.approx(3100.0, abs=2)
    low = measure.sound(SmokeAlarm(duration=0.5, kind="low"))
    a = lines(low, 16_000, 520.0, 1040.0, 1560.0)
    assert a[2] / a[0] == pytest.approx(1 / 3, abs=0.02)
    assert a[1] < 0.01 * a[0]


def test_carbon_monoxide_alarms_sound_t4():
    """Four pulses of 0.1 s, 0.1 s apart, 5 s of pause."""
    starts, lengths = beeps(measure.sound(CarbonMonoxideAlarm(duration=6.5)), 16_000)
    assert starts == pytest.approx([0, 0.2, 0.4, 0.6, 5.7, 5.9, 6.1, 6.3], abs=0.01)
    assert lengths[:7] == pytest.approx([0.1] * 7, abs=0.01)


@pytest.mark.parametrize(("kind", "rate", "octaves"), [("wail", 0.2, 1.0), ("yelp", 3.3, 1.0), ("hi_lo", 0.7, 5 / 12)])
def test_sirens_cycle(kind, rate, octaves):
    """Wail 12, yelp 198, hi-lo 42 cycles a minute; an octave of sweep, a fourth between two notes."""
    sr, fmin = 16_000, 500.0
    y = measure.sound(Siren(duration=6.0, kind=kind, fmin=fmin), sr)
    step = sr // 40
    pitches = np.array(
        [measure.pitch(y[i : i + step], sr, fmin=430, fmax=1200) for i in range(sr // 10, len(y) - sr // 10, step // 2)]
    )
    assert np.log2(np.percentile(pitches, 97) / np.percentile(pitches, 3)) == pytest.approx(octaves, abs=0.14)
    cycles = np.abs(np.fft.rfft(np.log(pitches) - np.log(pitches).mean(), 1 << 14))
    found = np.fft.rfftfreq(1 << 14, step / 2 / sr)[np.argmax(cycles)]
    assert found == pytest.approx(rate, rel=0.15)


@pytest.mark.parametrize("kind", ["tone", "noise"])
def test_vehicles_beep(kind):
    """The rate asked for, half of the time; broad-band alarms are noise of 400 Hz to 4 kHz."""
    y = measure.sound(ReversingBeeper(duration=6.0, kind=kind, rate=1.25, duty=0.5, seed=1))
    e = measure.envelope(y, 16_000, window=0.02)
    assert np.mean(e > 0.5 * np.percentile(e, 95)) == pytest.approx(0.5, abs=0.05)
    assert measure.modulation(y, 16_000, fmin=0.5, fmax=3.0) == pytest.approx(1.25, abs=0.1)
    if kind == "noise":
        assert measure.band_db(y, 16_000, 400, 4000) > measure.band_db(y, 16_000, 4500, 8000) + 12.0


def test_clocks_and_ovens_beep():
    """Groups of four in a second; three beeps of 0.6 s."""
    starts, lengths = beeps(measure.sound(AlarmClock(duration=3.0)), 16_000)
    assert len(starts) == 12
    assert starts[4] - starts[0] == pytest.approx(1.0, abs=0.005)
    assert lengths == pytest.approx([0.06] * 12, abs=0.006)
    starts, lengths = beeps(measure.sound(MicrowaveBeep()), 16_000)
    assert starts == pytest.approx([0.0, 1.1, 2.2], abs=0.01)
    assert lengths == pytest.approx([0.6] * 3, abs=0.02)


@pytest.mark.parametrize("kind", ["bars", "electronic"])
def test_doorbells_fall_by_a_major_third(kind):
    """Ding at f0, dong 400 cents below."""
    y = measure.sound(Doorbell(duration=2.0, kind=kind, f0=660.0, gap=0.5, t60=0.6, seed=1))
    ding, dong = measure.strongest(y[:7000], 16_000, fmax=1000), measure.strongest(y[9000:20_000], 16_000, fmax=1000)
    assert 1200 * np.log2(ding / dong) == pytest.approx(400.0, abs=20)


def test_horns_are_a_third_apart():
    """Two fundamentals, and partials up into the trumpet's resonance."""
    y = measure.sound(CarHorn(duration=1.0, f0=400.0, ratio=1.25, seed=1))
    assert measure.strongest(y, 16_000, fmin=380, fmax=430) == pytest.approx(400.0, rel=0.012)
    assert measure.strongest(y, 16_000, fmin=470, fmax=530) == pytest.approx(500.0, rel=0.012)
    assert measure.band_db(y, 16_000, 1800, 3550) > measure.band_db(y, 16_000, 3550, 8000)
