"""Moving sources against Doppler's law, geometry, still responses, and all images at their own delays."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from exact_images import SR, C, phase_delay
from scipy.signal import hilbert

from audiosynth.acoustics import bands, moving, moving_images
from audiosynth.acoustics.absorption import air_exponents
from audiosynth.acoustics.image_source import Jitter, Options, Pattern, simulate
from audiosynth.acoustics.moving import Box, render_moving
from audiosynth.acoustics.paths3d import (
    Track,
    arc,
    check_track,
    directions,
    emission_times,
    line,
    positions_at,
    through,
)
from audiosynth.dsp import convolve
from audiosynth.errors import ParameterError

SIZE, MIC = (6.0, 5.0, 3.0), (3.1, 2.4, 1.3)
HALL = (40.0, 30.0, 10.0)
UNEVEN = (0.9, 0.7, 0.5, 0.95, 0.3, 0.8)
NUMPY = Options(engine="numpy")
RAW = Options(engine="numpy", highpass_hz=0.0, fade=0.0)
STILL = (2.1, 1.7, 1.5)


def box(**kwargs) -> Box:
    """Return the room of the tests."""
    known = {"size": SIZE, "mics": MIC, "beta": UNEVEN, "sr": SR, "duration": 0.3, "c": C, "options": NUMPY}
    return Box(**{**known, **kwargs})


def hall(**kwargs) -> Box:
    """Return free air: a large box without reflections."""
    return box(**{"size": HALL, "mics": (20.0, 15.0, 5.0), "beta": 0.0, "duration": 0.2, "options": RAW, **kwargs})


def white(n: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(n)


def tone(f: float, n: int) -> np.ndarray:
    return np.sin(2 * np.pi * f / SR * np.arange(n))


def analytic(y: np.ndarray, f: float) -> np.ndarray:
    """Return amplitude times e^{i phase} of a tone near f, phase against f: demodulated and smoothed over 32 ms."""
    window = np.hanning(513)
    carried = y * np.exp(-2j * np.pi * f / SR * np.arange(y.size))
    return np.convolve(carried, window / window.sum(), mode="same") * 2


def error_db(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * np.log10(np.sum((a - b) ** 2) / np.sum(b**2))


@pytest.mark.parametrize("doppler", [True, False])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"mics": [(4.3, 3.4, 1.3), (4.2, 3.4, 1.3)]},
        {"beta": np.linspace(0.3, 0.9, 42).reshape(7, 6)},
        {"beta": [UNEVEN]},
        {"options": replace(NUMPY, foa=True, source_pattern=Pattern(omni=0.5, axis=(1, 1, 0)))},
        {"options": replace(NUMPY, mic_patterns=(Pattern(omni=0.25, axis=(0, -1, 1)),))},
        {"options": replace(NUMPY, jitter=Jitter(distance=0.05, seed=3))},
        {"options": replace(NUMPY, max_order=1)},
        {"options": replace(NUMPY, max_order=3, highpass_hz=0.0, fade=0.02)},
        {"duration": 0.15},
    ],
)
def test_standing_still_is_a_convolution(kwargs: dict, doppler: bool) -> None:
    """A path of no length gives the dry sound convolved with the response: to -90 dB (bands cut before 0), else -120."""
    room = box(**kwargs)
    names = ("size", "mics", "beta", "sr", "duration", "c", "options")
    h = simulate(source=STILL, **{name: getattr(room, name) for name in names}).h
    if h.ndim == 3:
        h = h[0] if len(h) == 1 else bands.combine(h, sr=SR)
    y = white(3000)
    heard = render_moving(y, track=line(STILL, STILL, duration=0.1), box=room, doppler=doppler)
    assert heard.y.shape == (len(h), 3000 + h.shape[1] - 1)
    error = np.sum((heard.y - convolve(y[None], h)) ** 2) / np.sum(convolve(y[None], h) ** 2)
    assert error < (1e-9 if np.shape(room.beta) == (7, 6) else 1e-12) or (room.duration == 0.15 and error < 1e-8)


def test_air_and_envelope_are_those_of_a_still_response() -> None:
    """Bands under air absorption and an early window: within -55 dB of the response that has them.

    The response takes the air of what its band filters smear over ±11 ms; near images take that of their distance.
    """
    air, envelope = air_exponents(), np.linspace(1.0, 0.0, 1600)
    room = box(air=air, envelope=envelope, options=RAW)
    h = simulate(source=STILL, size=SIZE, mics=MIC, beta=UNEVEN, sr=SR, duration=0.1, c=C, options=room.options).h
    h = bands.with_air((h * envelope)[None], sr=SR, c=C, exponents=air)
    y = white(3000)
    heard = render_moving(y, track=line(STILL, STILL, duration=0.1), box=room).y
    reference = convolve(y[None], h)
    assert error_db(heard[:, : reference.shape[1]], reference) < -55
    assert np.max(np.abs(heard[:, reference.shape[1] :])) < 1e-3 * np.max(np.abs(reference))


@pytest.mark.parametrize("speed", [-30.0, -1.5, 0.2, 5.0, 49.0])
def test_a_tone_has_dopplers_frequency(speed: float) -> None:
    """f/(1 - v/c) for v towards the microphone, within 0.001 %."""
    start = 18.0 if speed > 0 else 1.0
    track = line((20 - start, 15, 5), (20 - start + speed * 0.3, 15, 5), duration=0.3)
    heard = render_moving(tone(1000, int(0.3 * SR)), track=track, box=hall()).y[0]
    expected = 1000 / (1 - speed / C)
    inside = slice(int(start / C * SR) + 700, int(start / C * SR) + 3300)
    phase = np.unwrap(np.angle(analytic(heard, expected)))[inside]
    measured = expected + np.polyfit(np.arange(phase.size), phase, 1)[0] * SR / (2 * np.pi)
    assert measured == pytest.approx(expected, rel=1e-5)


def test_without_doppler_the_pitch_stays() -> None:
    """On request a tone stays within half a block's rate, 5 Hz, of its frequency, where Doppler would shift it by 44."""
    track = line((3, 15, 5), (8, 15, 5), duration=1.0)
    heard = render_moving(tone(3000, SR), track=track, box=hall(), doppler=False).y[0]
    spectrum = np.abs(np.fft.rfft(heard[2000:14000] * np.hanning(12000), 1 << 18))
    assert np.argmax(spectrum) * SR / (1 << 18) == pytest.approx(3000, abs=5.5)
    assert 3000 / (1 - 5 / C) - 3000 > 44


def test_passing_by_the_level_follows_the_distance_of_emission() -> None:
    """1/(4πd(e)) within 0.02 dB and the phase of e, where e is when the sound was emitted."""
    track = line((15, 16, 5), (25, 16, 5), duration=2.0)
    heard = render_moving(tone(500, 2 * SR), track=track, box=hall()).y[0]
    at = np.arange(2000, 30000, 100)
    e = emission_times(track, at / SR, place=(20, 15, 5), c=C)
    d = np.linalg.norm(positions_at(track, e) - (20.0, 15.0, 5.0), axis=1)
    level = 20 * np.log10(np.abs(hilbert(heard))[at] * 4 * np.pi * d)
    assert np.max(np.abs(level)) < 0.02
    assert np.max(np.abs(heard[at] - np.sin(2 * np.pi * 500 * e) / (4 * np.pi * d))) < 1e-5


def test_delays_are_read_to_minus_70_db_up_to_0_4_of_the_rate() -> None:
    """Tones up to 0.4·sr from an accelerating source: the waveform is that of the tone at the time of emission."""
    track = through([(18, 15, 5), (18.5, 15.5, 5), (18.2, 16, 5)], times=[0.0, 0.2, 0.4])
    for share in (0.05, 0.2, 0.3, 0.4):
        heard = render_moving(tone(share * SR, 6400), track=track, box=hall()).y[0]
        at = np.arange(800, 6000)
        e = emission_times(track, at / SR, place=(20, 15, 5), c=C)
        d = np.linalg.norm(positions_at(track, e) - (20.0, 15.0, 5.0), axis=1)
        assert error_db(heard[at], np.sin(2 * np.pi * share * SR * e) / (4 * np.pi * d)) < -70


@pytest.mark.parametrize("beta", [0.0, 0.85])
@pytest.mark.parametrize(
    "track",
    [
        through([(1, 1, 1.5), (3, 1, 1.5), (3, 4, 1.2), (1, 3.5, 1.2)], duration=2.0),
        through([(1, 1, 1.5), (3, 1, 1.5), (3, 4, 1.2), (1, 3.5, 1.2)], times=[0, 0.5, 1.4, 2.0]),
        arc((3, 2.5, 1.5), radius=1.5, azimuth=(0, 400), duration=2.0),
    ],
)
def test_nothing_clicks(beta: float, track: Track) -> None:
    """A tone of 1 kHz has at most -70 dB above 3 kHz in every 32 ms, corners and knots included."""
    n = 2 * SR
    fade = np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / 1600, 0, 1)
    dry = tone(1000, n) * np.sin(0.5 * np.pi * fade) ** 2
    heard = render_moving(dry, track=track, box=box(beta=beta, options=replace(NUMPY, max_order=6))).y[0]
    frames = np.lib.stride_tricks.sliding_window_view(heard[600:n], 512)[::128] * np.blackman(512)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    assert np.max(power[:, 96:].sum(axis=1)) < 1e-7 * np.max(power.sum(axis=1))


def test_two_microphones_hear_geometrys_difference() -> None:
    """Pulses emitted on the way arrive with the difference of the two distances, to 0.01 sample."""
    mics = np.array([(20.0, 15.0, 5.0), (20.1, 15.0, 5.0)])
    track = line((15, 16, 5), (25, 17, 6), duration=2.0)
    for moment in (4000, 15000, 16000, 29000):
        dry = np.zeros(2 * SR)
        dry[moment] = 1.0
        heard = render_moving(dry, track=track, box=hall(mics=mics)).y
        d = np.linalg.norm(mics - positions_at(track, moment / SR), axis=1) * SR / C
        first = moment + int(d.min()) - 100
        delays = [phase_delay(part[first : first + 400], low=100, high=6000) for part in heard]
        assert delays[1] - delays[0] == pytest.approx(d[1] - d[0], abs=0.01)
        assert delays[0] == pytest.approx(d[0] + moment - first, abs=0.01)


@pytest.mark.parametrize("axis", [0, 2])
def test_a_mirrored_room_sounds_the_same(axis: int) -> None:
    """Positions p -> L - p with the two walls exchanged."""
    ends, mic, beta = np.array([(1, 1, 1), (1.5, 1.8, 1.2)]), np.array(MIC), np.array(UNEVEN)
    y = white(4000)
    one = render_moving(y, track=line(*ends, duration=0.25), box=box(beta=beta)).y
    ends[:, axis], mic[axis] = SIZE[axis] - ends[:, axis], SIZE[axis] - mic[axis]
    beta[2 * axis : 2 * axis + 2] = beta[2 * axis : 2 * axis + 2][::-1]
    other = render_moving(y, track=line(*ends, duration=0.25), box=box(beta=beta, mics=mic)).y
    assert error_db(other, one) < -200


def levels(y: np.ndarray, edges: tuple[int, ...]) -> np.ndarray:
    """Return levels in dB between frequencies."""
    power, f = np.abs(np.fft.rfft(y)) ** 2, np.fft.rfftfreq(y.size, 1 / SR)
    return np.array([10 * np.log10(power[(f >= a) & (f < b)].sum()) for a, b in pairwise(edges)])


def test_what_knots_approximate_has_the_level_of_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of 3 to 6 reflections, beside all at their own running delays: each octave within 0.5 dB, all within 0.1."""
    y, track = white(2 * SR), line((1, 1, 1.5), (4.2, 3.6, 1.2), duration=2.0)
    room = box(beta=0.92, options=replace(NUMPY, max_order=6))
    near = render_moving(y, track=track, box=replace(room, options=replace(NUMPY, max_order=2))).y[0]
    heard = render_moving(y, track=track, box=room)
    monkeypatch.setattr(moving, "NEAR_ORDER", 6)
    truth = render_moving(y, track=track, box=room)
    assert (heard.n_knots > 80, truth.n_knots) == (True, 0)
    edges = (60, 250, 500, 1000, 2000, 4000, 8000)
    assert np.max(np.abs(levels(heard.y[0] - near, edges) - levels(truth.y[0] - near, edges))) < 0.5
    assert np.max(np.abs(levels(heard.y[0], edges) - levels(truth.y[0], edges))) < 0.1


def test_noise_is_as_loud_as_in_still_rooms_on_the_way() -> None:
    """In each quarter of a second, within 0.3 dB of the mean over still responses at the places passed."""
    y, track = white(2 * SR), line((1, 1, 1.5), (5.2, 1.4, 1.2), duration=2.0)
    heard = render_moving(y, track=track, box=box()).y[0]
    for start in (0.5, 1.0, 1.5):
        places = positions_at(track, start + np.linspace(0, 0.25, 26) - 0.01)
        still = [
            simulate(source=p, size=SIZE, mics=MIC, beta=UNEVEN, sr=SR, duration=0.3, c=C, options=NUMPY)
            for p in places
        ]
        part = slice(int(start * SR), int(start * SR) + SR // 4)
        power = np.mean([np.mean(convolve(y[None], r.h)[0, part] ** 2) for r in still])
        assert 10 * np.log10(np.mean(heard[part] ** 2) / power) == pytest.approx(0, abs=0.3)


def test_ambisonics_follow_the_direction() -> None:
    """Around the receiver, Y/W, Z/W and X/W of the direct sound are the unit vector of the direction of emission."""
    track = arc((20, 15, 6), radius=2.0, azimuth=(0, 200), duration=1.0)
    heard = render_moving(white(SR), track=track, box=hall(options=replace(RAW, foa=True))).y
    for at in (3000, 8000, 15000):
        part = heard[:, at : at + 200]
        seen = directions(track, centre=(20, 15, 5), c=C, times=[(at + 100) / SR], aligned=False)
        a, e = np.radians(seen.azimuth[0]), np.radians(seen.elevation[0])
        expected = (np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e))
        assert part[1:] @ part[0] / (part[0] @ part[0]) == pytest.approx(expected, abs=0.01)


def test_samples_are_the_same_every_time_and_in_every_process() -> None:
    """Equal bits twice and in another process; the compiled engine agrees to 1e-10."""
    code = (
        "import numpy as np, hashlib\n"
        "from test_moving import box, white\n"
        "from audiosynth.acoustics.moving import render_moving\n"
        "from audiosynth.acoustics.paths3d import line\n"
        "y = render_moving(white(4000), track=line((1, 1, 1), (1.5, 1.2, 1), duration=0.25), box=box()).y\n"
        "print(hashlib.sha256(y.tobytes()).hexdigest())"
    )
    path = os.pathsep.join(map(str, (Path(__file__).parent, Path(__file__).parents[1])))
    env = {**os.environ, "PYTHONPATH": path, "NUMBA_DISABLE_JIT": "1", "OMP_NUM_THREADS": "1"}
    there = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    track = line((1, 1, 1), (1.5, 1.2, 1), duration=0.25)
    here = [render_moving(white(4000), track=track, box=box()).y for _ in range(2)]
    assert {hashlib.sha256(y.tobytes()).hexdigest() for y in here} == {there.stdout.strip()}
    pytest.importorskip("numba")
    compiled = render_moving(white(4000), track=track, box=box(options=Options(engine="numba"))).y
    assert np.max(np.abs(compiled - here[0])) < 1e-10 * np.max(np.abs(here[0]))


def test_pieces_of_work_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many samples are worked on at once, the same bits come out."""
    room = box(options=replace(NUMPY, foa=True, max_order=2))
    whole, pieces = [], (100, 1 << 30)
    for piece in pieces:
        monkeypatch.setattr(moving_images, "_PIECE", piece)
        whole.append(render_moving(white(3000), track=line((1, 1, 1), (2, 1.5, 1), duration=0.2), box=room).y)
    assert np.array_equal(*whole)


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_knots_leave_no_haze_around_a_tone(speed: float) -> None:
    """In full reverberation, at most -60 dB of a moving tone's power lies 100 Hz or more beside it."""
    track = arc((3, 2.5, 1.5), radius=1.4, azimuth=(0, np.degrees(speed / 1.4)), duration=1.0)
    heard = render_moving(tone(1000, SR), track=track, box=box(beta=0.88)).y[0, 3000:SR]
    power, f = np.abs(np.fft.rfft(heard * np.blackman(heard.size))) ** 2, np.fft.rfftfreq(heard.size, 1 / SR)
    assert power[np.abs(f - 1000) > 100].sum() < 1e-6 * power.sum()


def test_the_first_samples_delay_is_geometrys() -> None:
    """Distance, delay and onset are those of the path's start, per microphone."""
    heard = render_moving(white(10), track=line((1, 1, 1), (1, 2, 1), duration=1), box=box(mics=[MIC, (1, 1, 2)]))
    assert heard.distance == pytest.approx([np.hypot(np.hypot(2.1, 1.4), 0.3), 1.0])
    assert heard.delay == pytest.approx(heard.distance * SR / C)
    assert heard.onset.tolist() == [118, 46]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": white(20).reshape(2, 10)}, "one channel of sound, not shape"),
        ({"knot": 0.0}, "knots are more than 0 m apart"),
        ({"track": line((1, 1, 1), (5.995, 1, 1), duration=5)}, "outside the room or within 0.01 m of a wall"),
        ({"track": line((1, 1, 1), (5, 1, 1), duration=0.05)}, "moves at 80.0 m/s"),
        ({"track": line((1, 2.405, 1.3), (5, 2.405, 1.3), duration=3)}, "within 0.0050 m of microphone 0 at 1.57"),
        ({"box": box(duration=0.005)}, "direct sound arrives at"),
        ({"box": box(air=[0.1, 0.2])}, "has 7 octave bands, not 2"),
        ({"box": box(beta=np.full((3, 6), 0.5))}, "has 7 octave bands, not 3"),
        ({"box": box(envelope=np.ones((2, 2)))}, "an envelope is finite numbers"),
        (
            {"box": box(beta=1.0, duration=4.0, options=replace(NUMPY, foa=True)), "y": white(10 * SR)},
            "shorten the response",
        ),
    ],
)
def test_what_cannot_be_is_refused(change: dict, message: str) -> None:
    """One clear error, with the way out."""
    call = {"y": white(100), "track": line((1, 1, 1), (5, 1, 1), duration=5), "box": box(), **change}
    with pytest.raises(ParameterError, match=message):
        render_moving(call.pop("y"), **call)


def test_lines_and_arcs_are_exact() -> None:
    """Positions are the formula's; before and after, the source stands still."""
    t = np.linspace(-1, 3, 41)
    u = np.clip(t / 2, 0, 1)[:, None]
    straight = positions_at(line((1, 2, 3), (4, 1, 0.5), duration=2), t)
    assert np.max(np.abs(straight - ((1 - u) * (1, 2, 3) + u * (4, 1, 0.5)))) < 1e-14
    angle = np.radians(30 + 300 * u[:, 0])
    around = positions_at(arc((2, 3, 1), radius=1.5, azimuth=(30, 330), duration=2), t)
    expected = np.stack([2 + 1.5 * np.cos(angle), 3 + 1.5 * np.sin(angle), np.ones_like(angle)], axis=1)
    assert np.max(np.abs(around - expected)) < 1e-14


def test_a_way_through_points_has_constant_speed_and_no_corners() -> None:
    """Speed is the length over the duration away from corners, never more, and velocity has no jumps."""
    track = through([(1, 1, 1), (3, 1, 1), (3, 2, 1), (4, 2, 2)], duration=4.0)
    t = np.linspace(0, 4, 40001)
    velocity = np.diff(positions_at(track, t), axis=0) / np.diff(t)[:, None]
    speed = np.linalg.norm(velocity, axis=1)
    constant = (3 + 2**0.5) / 4
    away = np.min(np.abs(t[:-1, None] - track.times[1:-1]), axis=1) > 0.11
    assert np.max(np.abs(speed[away] - constant)) < 1e-9
    assert speed.max() < constant * (1 + 1e-9)
    assert np.max(np.linalg.norm(np.diff(velocity, axis=0), axis=1)) < 1e-3 * 2 * constant
    assert positions_at(track, [0.0, 4.0]).tolist() == [[1, 1, 1], [4, 2, 2]]


def test_given_times_are_kept_and_boxes_not_left() -> None:
    """The source is at each point when it should be, stands still between equal points, and never overshoots."""
    points = np.array([(1, 1, 1), (3, 1, 1), (3, 1, 1), (2, 4, 2)], dtype=float)
    times = [0.0, 1.0, 2.0, 2.5]
    track = through(points, times=times)
    assert np.max(np.abs(positions_at(track, times) - points)) < 1e-14
    assert np.max(np.abs(positions_at(track, np.linspace(1, 2, 50)) - points[1])) < 1e-14
    way = positions_at(track, np.linspace(0, 2.5, 500))
    assert (way >= points.min(axis=0) - 1e-12).all()
    assert (way <= points.max(axis=0) + 1e-12).all()
    check_track(track, size=SIZE, mics=MIC)


def test_labels_say_where_what_is_heard_came_from() -> None:
    """At time t of the aligned image one hears what was emitted at e with e + d(e)/c = t + d(0)/c."""
    track = line((12, 15, 5), (28, 19, 5), duration=2.0)
    seen = directions(track, centre=(20, 15, 5), c=C, yaw=30.0)
    assert seen.azimuth.shape == (21,)
    assert (seen.azimuth[0], seen.distance[0]) == (pytest.approx(150.0), pytest.approx(8.0))
    for k in (0, 7, 20):
        e = float(emission_times(track, 0.1 * k + 8 / C, place=(20, 15, 5), c=C))
        x, y, _ = positions_at(track, e) - (20, 15, 5)
        assert e + np.hypot(x, y) / C == pytest.approx(0.1 * k + 8 / C, abs=1e-12)
        turned = (np.degrees(np.arctan2(y, x)) - 30 + 180) % 360 - 180
        assert seen.azimuth[k] == pytest.approx(turned, abs=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: line((1, 1, 1), (2, 2, 2), duration=0), "a duration lies above 0"),
        (lambda: line((1, 1), (2, 2), duration=1), "points are finite numbers"),
        (lambda: arc((1, 1, 1), radius=-1, azimuth=(0, 1), duration=1), "a radius lies above 0"),
        (lambda: arc((1, 1, 1), radius=1, azimuth=(0, np.nan), duration=1), "azimuths of start and end"),
        (lambda: through([(1, 1, 1)], duration=1), "2 points or more"),
        (lambda: through([(1, 1, 1), (2, 1, 1)]), "a duration or times"),
        (lambda: through([(1, 1, 1), (1, 1, 1)], duration=1), "two points in a row are the same"),
        (lambda: through([(1, 1, 1), (2, 1, 1)], times=[1, 1]), "increasing times"),
        (lambda: through([(1, 1, 1), (np.inf, 1, 1)], times=[0, 1]), "finite"),
    ],
)
def test_what_is_no_path_is_refused(make, message: str) -> None:
    """One clear error each."""
    with pytest.raises(ParameterError, match=message):
        make()
