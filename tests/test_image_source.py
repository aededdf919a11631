"""The image source method against theory and against the image sum evaluated as it is defined."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from exact_images import MIC, ROOM, SIZE, SOURCE, SR, C, db, exact, phase_delay

from audiosynth.acoustics.image_source import Jitter, Options, Pattern, estimate, simulate
from audiosynth.acoustics.image_tables import Axis, Rule
from audiosynth.errors import ParameterError

RAW = Options(highpass_hz=0.0, fade=0.0, engine="numpy")
UNEVEN = np.array([0.9, 0.7, 0.5, 0.95, 0.3, 0.8])
DIRECT = 7.77**0.5  # 2.787472
FIRST = [6.624953, 5.855766, 5.557877, 5.374942, 3.945884, 4.239104]


def raw(**kwargs):
    """Simulate the room of the tests without filter and fade."""
    options = kwargs.pop("options", RAW)
    return simulate(**{**ROOM, "beta": 0.8, "duration": 0.1, **kwargs}, options=options)


def close(a, b, tolerance=1e-12):
    return np.max(np.abs(a - b)) <= tolerance * np.max(np.abs(b))


def test_the_direct_sound_is_exact() -> None:
    """Without walls, the response is 1/(4πd) at d·sr/c: delay to 0.01 sample, gain to 0.01 dB up to 7 kHz."""
    room = raw(beta=0.0)
    assert room.n_images == 1
    assert room.delay[0] == pytest.approx(130.027847, abs=1e-6)
    assert room.onset[0] == 130
    assert room.distance[0] == pytest.approx(DIRECT, abs=1e-12)
    assert phase_delay(room.h[0], low=100, high=7000) == pytest.approx(130.027847, abs=0.001)
    gain = np.abs(np.fft.rfft(room.h[0], 1 << 14))[: int(7000 / SR * (1 << 14))] * 4 * np.pi * DIRECT
    assert np.max(np.abs(20 * np.log10(gain))) < 0.01


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.25, 0.49, 0.5, 0.51, 0.9])
def test_fractions_of_a_sample_are_exact(fraction: float) -> None:
    """Whatever the fraction of the delay, it is there to 0.001 sample."""
    d = (100 + fraction) * C / SR
    h = raw(beta=0.0, source=(1.0, 1.0, 1.0), mics=(1.0 + d, 1.0, 1.0)).h[0]
    assert phase_delay(h, low=100, high=7000) == pytest.approx(100 + fraction, abs=0.001)


@pytest.mark.parametrize("wall", range(6))
def test_first_reflections_arrive_where_geometry_says(wall: int) -> None:
    """With one reflecting wall there are exactly two arrivals, the second beta/(4πd) at the mirrored source."""
    beta = np.zeros(6)
    beta[wall] = 0.7
    room = raw(beta=beta)
    assert room.n_images == 2
    reflection = room.h[0] - raw(beta=0.0).h[0]
    d = FIRST[wall]
    assert phase_delay(reflection, low=100, high=7000) == pytest.approx(d * SR / C, abs=0.002)
    assert np.abs(np.fft.rfft(reflection, 4096))[600] == pytest.approx(0.7 / (4 * np.pi * d), rel=1e-3)


def test_the_count_of_images_is_the_spheres_volume_over_the_rooms() -> None:
    """4/3·π(cT)³/V images lie within cT; the estimate before running is near it too."""
    room = raw(duration=0.3)
    assert room.n_images == pytest.approx(4 / 3 * np.pi * (C * 0.3) ** 3 / 90, rel=0.01)
    expected = estimate(**ROOM, beta=0.8, duration=0.3)
    assert expected.n_images == pytest.approx(room.n_images, rel=0.02)
    assert 5 * 8 * 4800 < expected.n_bytes < 5e6


def test_doubling_the_distance_halves_the_amplitude() -> None:
    """1/r: -6.0206 dB."""
    near, far = (raw(beta=0.0, source=(1, 1, 1), mics=(1 + d, 1, 1)).h for d in (50 * C / SR, 100 * C / SR))
    assert db(far, near) == pytest.approx(-6.0206, abs=1e-4)


def test_source_and_microphone_can_change_places() -> None:
    """Reciprocity."""
    assert close(raw(beta=UNEVEN, source=MIC, mics=SOURCE).h, raw(beta=UNEVEN).h)


def test_axes_can_change_places() -> None:
    """Turning the room turns nothing in the response."""
    turn = [2, 0, 1]
    beta = UNEVEN.reshape(3, 2)[turn].ravel()
    size, source, mic = (np.array(v)[turn] for v in (SIZE, SOURCE, MIC))
    assert close(raw(size=size, source=source, mics=mic, beta=beta).h, raw(beta=UNEVEN).h)


@pytest.mark.parametrize("axis", range(3))
def test_a_mirrored_room_sounds_the_same(axis: int) -> None:
    """Positions p -> L - p with the two walls exchanged."""
    source, mic, beta = np.array(SOURCE), np.array(MIC), UNEVEN.copy()
    source[axis], mic[axis] = SIZE[axis] - source[axis], SIZE[axis] - mic[axis]
    beta[2 * axis : 2 * axis + 2] = beta[2 * axis : 2 * axis + 2][::-1]
    assert close(raw(source=source, mics=mic, beta=beta).h, raw(beta=UNEVEN).h)


@pytest.mark.parametrize(
    ("kwargs", "duration"),
    [
        ({"beta": 0.787}, 0.3),
        ({"beta": UNEVEN}, 0.25),
        ({"beta": 0.95, "size": (3.1, 2.7, 2.4), "source": (0.5, 0.6, 0.7), "mics": (2.2, 1.9, 1.6)}, 0.2),
        ({"beta": 0.9, "max_order": 4}, 0.3),
        ({"beta": UNEVEN, "mic_axis": (0.5, (0.6, 0.0, 0.8)), "source_axis": (0.25, (0.0, -0.8, 0.6))}, 0.2),
    ],
)
def test_the_waveform_is_the_sum_as_defined(kwargs: dict, duration: float) -> None:
    """At most -70 dB beside every image and every tap in float64."""
    reference = exact(**{**ROOM, **kwargs, "duration": duration})
    options = replace(RAW, max_order=kwargs.pop("max_order", None))
    if "mic_axis" in kwargs:
        mic, source = (kwargs.pop(key) for key in ("mic_axis", "source_axis"))
        patterns = (Pattern(omni=mic[0], axis=mic[1]),)
        options = replace(RAW, mic_patterns=patterns, source_pattern=Pattern(omni=source[0], axis=source[1]))
    assert db(raw(**kwargs, duration=duration, options=options).h[0] - reference, reference) < -70


def test_orders_are_what_they_say() -> None:
    """Order N of a long response has (2N+1)(2N²+2N+3)/3 images; order 0 is the direct sound."""
    counts = [raw(duration=0.2, options=replace(RAW, max_order=n)).n_images for n in range(4)]
    assert counts == [1, 7, 25, 63]
    direct = raw(options=replace(RAW, max_order=0))
    assert close(direct.h, raw(beta=0.0).h, 1e-15)


def test_engines_agree() -> None:
    """Compiled loops and NumPy give the same to 1e-12, with everything switched on."""
    pytest.importorskip("numba")
    bands = np.linspace(0.5, 0.9, 12).reshape(2, 6)
    pattern = Pattern(omni=0.5, axis=(1.0, 2.0, 0.3))
    late = Jitter(distance=0.03, seed=5)
    for options in (
        Options(),
        Options(foa=True),
        Options(max_order=5),
        Options(mic_patterns=(pattern,), source_pattern=Pattern(omni=0.3, axis=(-1.0, 0.0, 1.0)), jitter=late),
    ):
        rooms = [
            simulate(**ROOM, beta=bands, duration=0.25, options=replace(options, engine=e)) for e in ("numba", "numpy")
        ]
        assert rooms[0].n_images == rooms[1].n_images
        assert close(rooms[0].h, rooms[1].h)


@pytest.mark.parametrize(
    "heard",
    [
        Options(),
        Options(foa=True),
        Options(source_pattern=Pattern(omni=0.3, axis=(-1.0, 0.2, 1.0))),
        Options(mic_patterns=(Pattern(omni=0.5, axis=(1.0, 2.0, 0.3)),), source_pattern=Pattern(omni=0.0)),
    ],
)
def test_a_pass_for_each_channel_gives_the_general_sum(heard: Options) -> None:
    """The loops for one band of one channel give the bits of those for everything."""
    pytest.importorskip("numba")
    bands = np.linspace(0.5, 0.95, 18).reshape(3, 6)
    passes = raw(beta=bands, options=replace(heard, engine="numba"))
    general = raw(beta=bands, options=replace(heard, engine="numba", max_order=10**6))
    assert passes.n_images == general.n_images
    assert np.array_equal(passes.h, general.h)


@pytest.mark.parametrize("n", [*range(1, 24), 150, 300])
def test_four_images_at_once_are_added_one_by_one(n: int) -> None:
    """Lines of any length, whose images share samples too, give the bits of a sum that goes image by image."""
    pytest.importorskip("numba")
    from audiosynth.acoustics.image_kernel import accumulate
    from audiosynth.acoustics.image_pass_kernel import add

    near, far = np.array([0.3, -0.4]), 20.0 * (np.arange(1, n + 1) / (n + 1)) ** 1.5
    axes = x, y, z = tuple(
        Axis(
            offset,
            offset,
            0.9 ** np.arange(offset.size)[None],
            np.arange(offset.size),
            np.zeros(offset.size, np.uint64),
        )
        for offset in (near, near[::-1].copy(), far)
    )
    rule = Rule(scale=40.0, reach=20.0**2, max_order=-1, jitter=0.0)
    expected, whole = np.zeros((900, 8)), np.array([1.0, 0.0, 0.0, 0.0])
    for i, j, k in np.ndindex(2, 2, n):
        distance = np.sqrt((x.offset[i] * x.offset[i] + y.offset[j] * y.offset[j]) + z.offset[k] * z.offset[k])
        delay = distance * rule.scale
        nearest = int(delay + 0.5)
        moment = x.gain[0, i] * y.gain[0, j] * z.gain[0, k] * (1.0 / distance)
        for p in range(6):
            expected[nearest, p] += moment
            moment *= 2.0 * (delay - nearest)
    passed, general = np.zeros(900 * 8), np.zeros((1, 1, 900 * 8))
    assert add(passed, axes, 0, whole, whole, rule) == 4 * n
    assert accumulate(general, axes, whole[None], whole, rule._replace(max_order=10**6)) == 4 * n
    for moments in (passed, general):
        assert np.array_equal(moments.reshape(900, 8), expected)


@pytest.mark.parametrize("n", [1, 5, 64, 65, 2048, 2049, 5000])
def test_samples_side_by_side_are_those_of_one_after_the_other(n: int) -> None:
    """The compiled sum over taps gives the bits of a sum that goes sample by sample, moment by moment, five pairs at a time."""
    pytest.importorskip("numba")
    from audiosynth.acoustics.image_moments import moment_taps
    from audiosynth.acoustics.image_taps_kernel import moments_of, response, samples_of

    values, taps = np.random.default_rng(n).standard_normal((n, 6)), moment_taps()
    moments, out = moments_of(n, n), np.empty(samples_of(n))
    moments.reshape(-1, 8)[40 : 40 + n, :6] = values
    response(moments, n, out)
    near, expected = np.pad(values, ((40, 40), (0, 0))).T, np.zeros(n)
    for p, (x, t) in enumerate(zip(near, taps, strict=True)):
        expected += t[40] * x[40 : 40 + n]
        for k in range(0, 40, 5):
            low, high = ([x[m : m + n] for m in places] for places in (range(k, k + 5), range(80 - k, 75 - k, -1)))
            pairs = [a + b if p % 2 == 0 else a - b for a, b in zip(low, high, strict=True)]
            a, b, c, d, e = (tap * pair for tap, pair in zip(t[80 - k : 75 - k : -1], pairs, strict=True))
            expected += a + b + c + (d + e)
    assert np.array_equal(out[:n], expected)


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_a_microphone_of_an_array_is_the_same_alone(engine: str) -> None:
    """Bit for bit, in any order of the array, displaced images included."""
    places = np.array([MIC, (1.0, 4.0, 2.0), (4.3, 3.45, 1.3)])
    options = Options(engine=engine, jitter=Jitter(distance=0.04, seed=2))
    together = raw(mics=places, options=options)
    backwards = raw(mics=places[::-1], options=options)
    for k, place in enumerate(places):
        alone = raw(mics=place, options=options)
        assert np.array_equal(alone.h[0], together.h[k])
        assert np.array_equal(alone.h[0], backwards.h[2 - k])


def test_bands_are_runs_of_their_own() -> None:
    """Coefficients per band give, bit for bit, what each gives alone."""
    bands = np.stack([UNEVEN, np.full(6, 0.6), np.zeros(6)])
    room = raw(beta=bands)
    assert room.h.shape == (3, 1, 1600)
    for k in range(3):
        assert np.array_equal(room.h[k], raw(beta=bands[k]).h)


def test_two_microphones_hear_the_right_difference() -> None:
    """The direct sounds of microphones 5 cm apart differ by the difference of distances, to 0.01 sample."""
    room = raw(beta=0.0, mics=[MIC, (4.3, 3.45, 1.3)])
    delays = [phase_delay(h, low=100, high=7000) for h in room.h]
    assert delays[1] - delays[0] == pytest.approx(room.delay[1] - room.delay[0], abs=0.01)


def test_the_tail_is_diffuse() -> None:
    """Coherence of the tails 5 cm apart follows sin(kd)/kd; displacing images together keeps it."""
    from scipy.signal import csd, welch

    for options in (Options(), Options(jitter=Jitter(distance=0.04, seed=1))):
        pairs = []
        for k in range(12):
            source = (1.2 + 0.21 * k, 1.1 + 0.17 * k, 1.0 + 0.07 * k)
            pairs.append(raw(source=source, mics=[MIC, (4.3, 3.45, 1.3)], beta=0.9, duration=0.4, options=options).h)
        tail = np.array(pairs)[:, :, 1600:]
        f, cross = csd(tail[:, 0], tail[:, 1], SR, nperseg=256)
        powers = [welch(tail[:, c], SR, nperseg=256)[1].mean(axis=0) for c in range(2)]
        coherence = np.real(cross.mean(axis=0)) / np.sqrt(powers[0] * powers[1])
        for frequency in (500, 1000, 2000, 4000):
            near = np.abs(f - frequency) <= 200
            assert coherence[near].mean() == pytest.approx(np.sinc(2 * frequency * 0.05 / C), abs=0.15)


def test_ambisonics_point_where_sound_comes_from() -> None:
    """Without walls Y, Z, X are W times the unit vector to the source; W is the omnidirectional microphone."""
    h = raw(beta=0.0, options=replace(RAW, foa=True)).h
    u = (np.array(SOURCE) - MIC) / DIRECT
    assert close(h[0], raw(beta=0.0).h[0], 1e-15)
    for channel, part in zip(h[1:], (u[1], u[2], u[0]), strict=True):
        assert close(channel, part * h[0], 1e-12)


def test_ambisonics_are_figures_of_eight() -> None:
    """In a reflecting room each channel is what a figure of eight along its axis hears, to rounding."""
    h = raw(beta=UNEVEN, options=replace(RAW, foa=True)).h
    for channel, axis in zip(h[1:], ((0, 1, 0), (0, 0, 1), (1, 0, 0)), strict=True):
        alone = raw(beta=UNEVEN, options=replace(RAW, mic_patterns=(Pattern(omni=0.0, axis=axis),)))
        assert close(channel, alone.h[0])


def test_a_cardioid_does_not_hear_behind() -> None:
    """Gain 0 from behind, 1/2 from the side, 1 from the front, for microphone and source alike."""
    front = np.array(SOURCE) - MIC
    side = np.cross(front, (0.0, 0.0, 1.0))
    flat = raw(beta=0.0).h
    for axis, gain in ((front, 1.0), (side, 0.5), (-front, 0.0)):
        mic = replace(RAW, mic_patterns=(Pattern(omni=0.5, axis=tuple(axis)),))
        source = replace(RAW, source_pattern=Pattern(omni=0.5, axis=tuple(-axis)))
        for options in (mic, source):
            assert np.max(np.abs(raw(beta=0.0, options=options).h - gain * flat)) < 1e-15


def test_a_source_facing_a_wall_is_mirrored() -> None:
    """Facing x0 from the front of the microphone, the source is heard by its reflection alone."""
    beta = np.array([0.8, 0, 0, 0, 0, 0])
    options = replace(RAW, source_pattern=Pattern(omni=0.5, axis=(-1.0, 0.0, 0.0)))
    room = raw(beta=beta, source=(1, 2, 1), mics=(3, 2, 1), options=options)
    assert phase_delay(room.h[0], low=100, high=7000) == pytest.approx(4.0 * SR / C, abs=0.002)
    assert np.abs(np.fft.rfft(room.h[0], 4096))[600] == pytest.approx(0.8 / (4 * np.pi * 4), rel=1e-3)


def test_displacement_begins_with_the_second_reflection() -> None:
    """Direct sound and first reflections keep their bits; two reflections between x0 and x1 move by at most √3·distance."""
    moved = replace(RAW, jitter=Jitter(distance=0.04, seed=9))
    first = [raw(options=replace(o, max_order=1)).h for o in (RAW, moved)]
    assert np.array_equal(*first)
    beta = np.array([0.9, 0.9, 0, 0, 0, 0])
    late = [
        raw(beta=beta, options=replace(o, max_order=2)).h - raw(beta=beta, options=replace(o, max_order=1)).h
        for o in (RAW, moved)
    ]
    ends = [slice(0, 620), slice(620, None)]  # images at x = 14.1 and -9.9 m, 465 and 667 samples away
    shifts = [np.diff([phase_delay(h[0, part], low=100, high=7000) for h in late])[0] for part in ends]
    assert all(1e-3 < abs(s) < np.sqrt(3) * 0.04 * SR / C for s in shifts)
    assert abs(shifts[0] - shifts[1]) > 1e-3


def test_displacement_keeps_the_energy_and_its_seed() -> None:
    """Another seed is another response of about equal energy; the same seed the same bits."""
    rooms = [raw(duration=0.3, options=replace(Options(), jitter=Jitter(distance=0.03, seed=s))).h for s in (1, 1, 2)]
    assert np.array_equal(rooms[0], rooms[1])
    assert db(rooms[0] - rooms[2], rooms[0]) > -10
    assert abs(db(rooms[0], rooms[2])) < 0.5


def test_the_filter_takes_dc_and_leaves_the_direct_sound() -> None:
    """Positive reflections sum to much DC, the filtered ones to little; nothing moves or rings before the direct sound."""
    flat = raw(duration=0.4, beta=0.9)
    room = raw(duration=0.4, beta=0.9, options=replace(RAW, highpass_hz=20.0))
    assert abs(room.h.sum()) < 0.01 * abs(flat.h.sum())
    direct, filtered = (raw(beta=0.0, options=o).h[0] for o in (RAW, replace(RAW, highpass_hz=20.0)))
    assert np.max(np.abs(filtered[:89])) < 1e-15
    delay = [phase_delay(h[:400], low=1000, high=7000) for h in (direct, filtered)]
    assert abs(delay[1] - delay[0]) < 0.01
    peak = [np.max(np.abs(h)) for h in (direct, filtered)]
    assert abs(20 * np.log10(peak[1] / peak[0])) < 0.1


def test_the_end_is_faded() -> None:
    """The last 5 ms fall along a half-cosine to nothing; before them nothing changes."""
    flat, faded = raw().h, raw(options=replace(RAW, fade=0.005)).h
    assert np.array_equal(flat[:, :-80], faded[:, :-80])
    assert abs(faded[0, -1]) < 1e-15
    assert faded[0, -40] == pytest.approx(0.5 * flat[0, -40], rel=0.05)


SCRIPT = """
import hashlib
from audiosynth.acoustics.image_source import Jitter, Options, simulate
h = simulate(size=(6, 5, 3), source=(2.1, 1.7, 1.5), mics=[(4.3, 3.4, 1.3), (1, 1, 1)], beta=0.85, sr=16000,
             duration=0.2, c=343.0, options=Options(engine=ENGINE, jitter=Jitter(distance=0.02, seed=3))).h
print(hashlib.sha256(h.astype("float64").tobytes()).hexdigest())
"""


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_bits_do_not_depend_on_threads_or_processes(engine: str) -> None:
    """Processes of one and two threads give the hash this process gives."""
    pytest.importorskip("numba")
    options = Options(engine=engine, jitter=Jitter(distance=0.02, seed=3))
    here = raw(mics=[MIC, (1, 1, 1)], beta=0.85, duration=0.2, options=options).h
    expected = {hashlib.sha256(here.tobytes()).hexdigest()}
    for n in ("1", "2"):
        env = {**os.environ, "NUMBA_NUM_THREADS": n, "OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n}
        script = SCRIPT.replace("ENGINE", repr(engine))
        ran = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
        expected.add(ran.stdout.strip())
    assert len(expected) == 1


def test_without_numba_numpy_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` falls back silently; asking for numba says what to do."""
    monkeypatch.setitem(sys.modules, "audiosynth.acoustics.image_kernel", None)
    monkeypatch.setitem(sys.modules, "numba", None)
    assert np.array_equal(raw(options=replace(RAW, engine="auto")).h, raw().h)
    with pytest.raises(ParameterError, match="install it, or take engine='numpy'"):
        raw(options=replace(RAW, engine="numba"))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"source": (7, 1, 1)}, "source at .* is outside the room of .6, 5, 3."),
        ({"mics": [(1, 1, 1), (1, 1, 3)]}, "microphone 1 at .* is outside the room"),
        ({"mics": (2.1, 1.7, 1.505)}, "0.0050 m apart, less than 0.01 m; move one"),
        ({"size": (6, 0, 3)}, "three sizes above 0 m, not .6, 0, 3."),
        ({"size": (6, -5, 3)}, "three sizes above 0 m"),
        ({"size": (6, 5)}, "size is three numbers"),
        ({"source": (1, float("nan"), 1)}, "source's position must be finite numbers, not .1, nan, 1."),
        ({"mics": (1, 2)}, "shape .n_mics, 3."),
        ({"beta": 1.01}, "lie in 0..1, not .1.01"),
        ({"beta": -0.1}, "lie in 0..1"),
        ({"beta": float("nan")}, "must be finite"),
        ({"beta": [0.5, 0.5]}, "one number, six .x0, x1, y0, y1, z0, z1."),
        ({"duration": 0.0}, "a rate, a duration and a speed of sound lie above 0"),
        ({"duration": 0.005}, "arrives at 0.0081 s, after the response of 0.005 s has ended"),
        ({"duration": 30.0}, "images .times channels and bands. and .* MB, more than .*; shorten the response"),
        ({"options": replace(RAW, max_images=100)}, "more than 1e.02 images"),
        ({"options": replace(RAW, foa=True), "mics": [MIC, (1, 1, 1)]}, "ambisonics have one position"),
        ({"options": replace(RAW, mic_patterns=(Pattern(), Pattern()))}, "1 microphones need 1 patterns, not 2"),
        ({"options": replace(RAW, mic_patterns=(Pattern(omni=1.5),))}, "omni in 0..1"),
        ({"options": replace(RAW, source_pattern=Pattern(omni=0.5, axis=(0, 0, 0)))}, "axis other than zero"),
        ({"options": replace(RAW, jitter=Jitter(distance=-1, seed=0))}, "displaced by 0..0.5 m, not -1"),
        ({"options": replace(RAW, max_order=-1)}, "an order is 0 .direct sound alone. or more"),
        ({"options": replace(RAW, highpass_hz=9000.0)}, "corner lies in 0..8000"),
        ({"options": replace(RAW, engine="cuda")}, "'auto', 'numba' or 'numpy', not 'cuda'"),
    ],
)
def test_what_cannot_be_is_refused(kwargs: dict, message: str) -> None:
    """One clear error with what was expected, what came and the way out."""
    with pytest.raises(ParameterError, match=message):
        raw(**kwargs)
