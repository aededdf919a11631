"""Splicing (WSOLA) against what it should be: lengths, joints, places, frequencies, bits, and the joints of SoX."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiosynth.clip import Array, RenderContext
from audiosynth.compiled import Later
from audiosynth.effects.splice import Splice, ratio_of
from audiosynth.errors import ParameterError
from audiosynth.sound import wsola
from audiosynth.sound.stretch import rational
from audiosynth.sound.wsola import Pieces, pieces_for, splice

NEVER = Later(wsola.LOOPS.name, after=sys.maxsize)
ALWAYS = Later(wsola.LOOPS.name, after=1)
RATES = (0.5, 0.8, 0.95, 1.1, 1.5, 2.0)
PRESETS = ("speech", "music", "wide")
FLAG = {"speech": "-s", "music": "-m", "wide": None}
FULL = 2.0**31


def words(n: int, *, key: int = 1, bits: int = 24) -> Array:
    """Return white noise in ±0.5 of so many bits, which float32 holds: the same on any machine."""
    raw = np.random.Philox(key=key).random_raw(n) >> np.uint64(64 - bits)
    return raw.astype(np.float64) * 2.0**-bits - 0.5


def spliced(y: Array, rate: float, *, sr: int, preset: str = "speech") -> Array:
    exact = rational(rate)
    return splice(np.atleast_2d(y), rate=exact, pieces=pieces_for(preset, rate=exact, sr=sr))[0]  # type: ignore[arg-type]


@pytest.fixture(params=["passes", "loops"])
def way(request, monkeypatch):
    """Splice in NumPy's passes, and in the compiled loops."""
    if request.param == "loops" and ALWAYS.for_work(1) is None:
        pytest.skip("numba cannot be loaded here")
    monkeypatch.setattr(wsola, "LOOPS", ALWAYS if request.param == "loops" else NEVER)
    return request.param


@settings(max_examples=60)
@given(
    n=st.integers(1, 4000),
    rate=st.floats(0.125, 8).map(rational),
    sr=st.sampled_from((500, 8000, 16000, 44100, 192000)),
    preset=st.sampled_from(PRESETS),
    n_channels=st.integers(1, 3),
)
def test_length_is_exact_and_nothing_grows(n, rate, sr, preset, n_channels) -> None:
    """Any sound comes out floor(n/rate + ½) long, at least 1, and no sample exceeds what went in: fades are weighted means."""
    y = words(n * n_channels).reshape(n_channels, n)
    out = splice(y, rate=rate, pieces=pieces_for(preset, rate=rate, sr=sr))
    assert out.shape == (n_channels, max(1, int(n / rate + Fraction(1, 2))))
    assert np.max(np.abs(out)) <= np.max(np.abs(y)) * (1 + 1e-12)


@pytest.mark.parametrize("rate", RATES)
def test_joints_are_where_the_waveforms_differ_least(way, rate: float) -> None:
    """Of noise, each piece is a copy of the offset around its due place whose squared differences sum to the least, by plain integers."""
    sr, n = 8000, 6000
    exact = rational(rate)
    pieces = pieces_for("speech", rate=exact, sr=sr)
    y = words(n, bits=14)
    out = spliced(y, rate, sr=sr)
    q = np.concatenate([np.zeros(2000, np.int64), (y * 2**14).astype(np.int64), np.zeros(4000, np.int64)])
    before = 0
    for k in range(1, out.size // pieces.hop):
        due = int(k * pieces.hop * exact + Fraction(1, 2)) - pieces.search // 2
        target = q[2000 + before + pieces.hop :][: pieces.overlap]
        costs = [((q[2000 + due + i :][: pieces.overlap] - target) ** 2).sum() for i in range(pieces.search)]
        before = due + int(np.argmin(costs))
        plain = slice(pieces.overlap, pieces.hop)
        piece = q[2000 + before :][: pieces.hop] / 2**14
        assert np.array_equal(out[k * pieces.hop :][: pieces.hop][plain], piece[plain])


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("rate", RATES)
def test_a_click_stays_within_half_a_search_and_a_part_of_a_piece(rate: float, preset: str) -> None:
    """Wherever a click is heard, it is no further from where time maps it than the method allows; over 200 places."""
    sr = 16000
    pieces = pieces_for(preset, rate=rational(rate), sr=sr)
    allowed = (pieces.search / 2 + pieces.length * abs(rate - 1) + 1) / rate + 1
    heard = 0
    for place in range(3000, 12000, 45):
        y = np.zeros(16000)
        y[place] = 1.0
        found = np.flatnonzero(spliced(y, rate, sr=sr, preset=preset))
        assert np.all(np.abs(found - place / rate) <= allowed)
        heard += found.size > 0
    assert heard > 200 * min(1.0, 1 / rate) * 0.9


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("rate", RATES)
def test_a_sine_stays_a_sine(rate: float, preset: str) -> None:
    """A joint is off by half a sample at most: 440 Hz stays 440 Hz, of its level, as pure as a phase error of π·f/sr allows."""
    sr, f = 44100, 440.0
    out = spliced(0.5 * np.sin(2 * np.pi * f * np.arange(sr) / sr), rate, sr=sr, preset=preset)
    part = out[len(out) // 5 : -len(out) // 5]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(part.size), 2**20))
    assert np.argmax(spectrum) * sr / 2**20 == pytest.approx(f, abs=1.5)
    assert np.sqrt(np.mean(part**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    around = np.abs(np.arange(spectrum.size) * sr / 2**20 - f) < 150
    assert 10 * np.log10((spectrum[~around] ** 2).sum() / (spectrum[around] ** 2).sum()) < -30


def test_a_joint_that_needs_none_is_none(way) -> None:
    """Near rate 1 the first pieces go on where the last ended, so they are the sound itself, bit for bit."""
    y = words(4000)
    out = spliced(y, 0.99, sr=16000)
    assert np.array_equal(out[:3000], y[:3000])


def test_rate_one_is_an_exact_copy_and_input_is_left_alone() -> None:
    """Rate 1 gives the same bits in another array; no rate writes to its argument."""
    y = words(3000)[None].copy()
    y.flags.writeable = False
    same = splice(y, rate=Fraction(1), pieces=pieces_for("speech", rate=Fraction(1), sr=8000))
    assert same.tobytes() == y.tobytes()
    assert not np.shares_memory(same, y)
    spliced(y, 1.5, sr=8000)


@pytest.mark.parametrize("gain", [2.0**-9, 0.5, 4.0])
def test_joints_do_not_depend_on_level_or_channel(way, gain: float) -> None:
    """A louder sound gives the louder one of the same joints; an inverted copy on another channel stays one."""
    y = words(8000)
    one = spliced(y, 1.2, sr=8000)
    assert np.array_equal(spliced(gain * y, 1.2, sr=8000), gain * one)
    rate = rational(1.2)
    pair = splice(np.stack((y, -gain * y)), rate=rate, pieces=pieces_for("speech", rate=rate, sr=8000))
    assert np.array_equal(pair[1], -gain * pair[0])


def test_silence_stays_silent_and_the_earliest_of_equals_is_taken(way) -> None:
    """Silence gives zeros; in it all offsets are alike, and a piece begins at the first, as in SoX: a click tells where."""
    assert not spliced(np.zeros(5000), 0.8, sr=44100).any()
    rate = rational(1.25)
    pieces = pieces_for("speech", rate=rate, sr=44100)
    first = int(9 * pieces.hop * rate + Fraction(1, 2)) - pieces.search // 2
    y = np.zeros(20000)
    y[first + pieces.overlap + 10] = (
        1.0  # not in what the piece is compared with, nor in it at the first eleven offsets
    )
    assert np.flatnonzero(spliced(y, 1.25, sr=44100)).tolist() == [9 * pieces.hop + pieces.overlap + 10]


PRINTED = {
    # sox 14.4.2 -V3 at 44.1 kHz: preset, factor, segment, search, overlap in ms
    ("speech", 0.8): (35, 16.3551, 14), ("speech", 1.25): (32.5153, 15.1941, 13.0061), ("speech", 2): (27.8438, 13.0111, 11.1375),
    ("music", 0.8): (82, 13.6667, 11.7143), ("music", 1.25): (65.6, 10.9333, 9.37143), ("music", 2): (41, 6.83333, 5.85714),
    ("wide", 0.8): (82, 14.6769, 12.0006), ("wide", 2): (82, 14.6769, 12.0006),
}  # fmt: skip


@pytest.mark.parametrize(("preset", "rate"), PRINTED)
def test_lengths_are_those_that_sox_prints(preset: str, rate: float) -> None:
    """Segment, search and overlap are SoX's to the sample; overlaps to a multiple of eight."""
    pieces = pieces_for(preset, rate=rational(rate), sr=44100)  # type: ignore[arg-type]
    segment, search, overlap = (ms * 44.1 for ms in PRINTED[preset, rate])
    assert (pieces.length, pieces.search) == (int(segment + 0.5), int(search + 0.5))
    assert pieces.overlap % 8 == 0
    assert abs(pieces.overlap - overlap) <= 4.5


@pytest.mark.parametrize(
    ("rate", "starts"),
    [
        (1.25, [0, 858, 1810, 2883, 3955, 5028, 6100, 7173, 8245, 9318, 10390, 11463]),
        (0.8, [0, 928, 1845, 2587, 3330, 4072, 4814, 5557, 6299, 7042, 7784, 8526]),
    ],
)
def test_pieces_of_a_ramp_begin_where_soxs_do(rate: float, starts: list[int]) -> None:
    """A ramp says of each output sample where it is from; these are from sox 14.4.2 (`tempo -s`, 44.1 kHz)."""
    pieces = pieces_for("speech", rate=rational(rate), sr=44100)
    out = spliced(np.arange(40000) / 2.0**16, rate, sr=44100) * 2.0**16
    found = [out[k * pieces.hop + pieces.overlap + 9] - pieces.overlap - 9 for k in range(len(starts))]
    assert found == starts


@pytest.mark.skipif(shutil.which("sox") is None, reason="needs the program sox")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("rate", [0.3, 0.8, 1.1, 1.7, 3.0])
def test_the_sound_is_soxs(way, preset: str, rate: float) -> None:
    """Noise and bursts in silence, mono and stereo: sox's own output to the 24 bits of its floats, at every joint."""
    n, sr = 30000, 22050
    bursts = words(n, key=2) * np.exp(-(np.arange(n) % 7000) / 500.0) * (np.arange(n) % 7000 < 3000)
    for y in (words(n)[None], np.rint(bursts * 2**23)[None] / 2**23, np.stack((words(n, key=3), words(n, key=4)))):
        flag = [FLAG[preset]] if FLAG[preset] else []
        form = ["-t", "raw", "-e", "signed", "-b", "32", "-r", str(sr), "-c", str(y.shape[0]), "-"]
        command = ["sox", "-D", *form, *form, "tempo", *flag, str(rate)]
        raw = subprocess.run(command, input=(y.T * FULL).astype("<i4").tobytes(), capture_output=True, check=True)
        theirs = np.frombuffer(raw.stdout, "<i4").reshape(-1, y.shape[0]).T / FULL
        exact = rational(rate)
        mine = splice(y, rate=exact, pieces=pieces_for(preset, rate=exact, sr=sr))  # type: ignore[arg-type]
        assert mine.shape == theirs.shape
        assert np.abs(mine - theirs).max() < 2.0**-22


@pytest.mark.parametrize(
    ("y", "rate", "message"),
    [(np.zeros((1, 10)), 9, "rate must be between 0.125 and 8.0, got 9"), (np.zeros(10), 2, "shape .*got .10,.")],
)
def test_what_cannot_be_spliced_is_refused(y: Array, rate: int, message: str) -> None:
    """Rates beyond the range and arrays of other shapes raise an error that says what was expected."""
    with pytest.raises(ParameterError, match=message):
        splice(y, rate=Fraction(rate), pieces=Pieces(80, 40, 16))


# --- the effect -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("semitones", [-12.0, -2.5, 0.5, 3.0, 12.0])
@pytest.mark.parametrize("rate", [0.8, 1.0, 1.25])
def test_pitch_and_tempo(semitones: float, rate: float) -> None:
    """440 Hz becomes 440·2^(semitones/12) within 0.2 %, and the length that of the tempo within two samples."""
    sr = 16000
    effect = Splice(semitones=semitones, rate=rate)
    y = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * sr) / sr)[None]
    out = effect.apply(y, RenderContext(sr=sr))
    assert out.shape == (1, effect.extent(2 * sr, sr))
    assert abs(out.shape[1] - 2 * sr / rate) <= 2
    part = out[0, sr // 4 : -sr // 4]
    peak = np.argmax(np.abs(np.fft.rfft(part * np.hanning(part.size), 2**20))) * sr / 2**20
    assert peak == pytest.approx(440 * 2 ** (semitones / 12), rel=2e-3)


@pytest.mark.parametrize(
    ("semitones", "n", "length"), [(-2.3, 40003, 40002), (-3.0, 40008, 40009), (2.0, 40001, 40001)]
)
def test_lengths_of_pitch_are_soxs(semitones: float, n: int, length: int) -> None:
    """SoX rounds to whole samples twice on the way there and back; lengths from sox 14.4.2 (`pitch`)."""
    assert Splice(semitones=semitones).extent(n, 44100) == length


@pytest.mark.parametrize(
    "effect",
    [Splice(semitones=-2.3, keep_length=True), Splice(rate=0.8, keep_length=True), Splice(rate=1.25, keep_length=True)],
)
def test_a_kept_length_cuts_or_fills_up(effect: Splice) -> None:
    """The start is that of the effect without it, the rest is cut off or silent, and labels end where their sound does."""
    y, ctx = words(40003)[None], RenderContext(sr=44100)
    whole = effect.model_copy(update={"keep_length": False}).apply(y, ctx)
    out = effect.apply(y, ctx)
    assert out.shape == y.shape
    n = min(whole.shape[1], y.shape[1])
    assert np.array_equal(out[:, :n], whole[:, :n])
    assert not out[:, n:].any()
    (segment,) = effect.segments(y.shape[1], 44100)
    assert segment.out1 == n
    assert segment.in1 == pytest.approx(min(y.shape[1], n * effect.rate), abs=2)


@settings(max_examples=200)
@given(semitones=st.floats(-24, 24))
def test_ratios_are_within_a_hundredth_of_a_cent(semitones: float) -> None:
    """The fraction for a number of semitones is off by less than 0.01 cents."""
    assert abs(1200 * np.log2(float(ratio_of(semitones))) - 100 * semitones) < 0.01


def test_neutral_parameters_change_no_bit() -> None:
    """Rate 1 and 0 semitones give the very same samples in another array, and labels stay."""
    y = words(6002).reshape(2, 3001)
    out = Splice().apply(y, RenderContext(sr=16000))
    assert out.tobytes() == y.tobytes()
    assert not np.shares_memory(out, y)
    (segment,) = Splice(rate=0.5).segments(1000, 16000)
    assert (segment.in0, segment.in1, segment.out0, segment.out1) == (0, 1000, 0, 2000)


def sounds(n: int) -> dict[str, Array]:
    """Return sounds with one best joint, with several that are nearly as good, and with many that are alike."""
    t = np.arange(n)
    return {
        "noise": words(n),
        "two": words(2 * n, key=5).reshape(2, n),
        "sine": np.sin(t * 0.06),
        "very low": np.sin(t * 1e-4),
        "period": np.sign(np.sin(2 * np.pi * (t + 0.5) / 100)),
        "steady": np.full(n, 0.25),
        "silence": np.zeros(n),
        "clicks": (t % 2500 == 0).astype(float),
        "quiet end": np.where(t < n // 2, 1.0, 1e-4) * words(n, key=6),
        "quiet": 1e-12 * words(n, key=7),
        "huge": 2.0**400 * words(n, key=8),
    }


@pytest.mark.parametrize("name", sounds(1))
@pytest.mark.parametrize("preset", PRESETS)
def test_the_loops_give_the_bits_of_the_passes(monkeypatch, name: str, preset: str) -> None:
    """Whatever the sound, and at rates where few samples overlap."""
    if ALWAYS.for_work(1) is None:
        pytest.skip("numba cannot be loaded here")
    for sr, rate in ((44100, 0.8), (22050, 1.31), (1000, 0.7), (16000, 8.0)):
        y, found = sounds(20000)[name], []
        for loops in (NEVER, ALWAYS):
            monkeypatch.setattr(wsola, "LOOPS", loops)
            exact = rational(rate)
            found.append(splice(np.atleast_2d(y), rate=exact, pieces=pieces_for(preset, rate=exact, sr=sr)))  # type: ignore[arg-type]
        assert found[0].tobytes() == found[1].tobytes()


@pytest.mark.parametrize("pieces", [Pieces(80, 40, 16), Pieces(100, 1, 13), Pieces(31, 200, 15), Pieces(9, 3, 1)])
def test_pieces_of_any_lengths(monkeypatch, pieces: Pieces) -> None:
    """Overlaps that are no multiple of a vector, one offset, more offsets than a piece has samples: the same bits."""
    if ALWAYS.for_work(1) is None:
        pytest.skip("numba cannot be loaded here")
    found = []
    for loops in (NEVER, ALWAYS):
        monkeypatch.setattr(wsola, "LOOPS", loops)
        found.append(splice(sounds(3000)["noise"][None], rate=Fraction(5, 4), pieces=pieces))
    assert found[0].tobytes() == found[1].tobytes()


@pytest.mark.parametrize("lengths", [(20, 30, 16), (80, 0, 16), (80, 40, 0)])
def test_pieces_that_cannot_be_joined_are_refused(lengths: tuple[int, int, int]) -> None:
    """Two overlaps need room in a piece, and something must be searched and shared."""
    with pytest.raises(ParameterError, match=f"got {lengths[0]} samples with overlaps of {lengths[2]} and a search of"):
        Pieces(*lengths)


def test_sums_of_transforms_are_nearer_than_the_loops_rely_on() -> None:
    """Of the loudest, widest windows there are, sums are off by a ten-thousandth of what is allowed for."""
    kernel = ALWAYS.for_work(1)
    if kernel is None:
        pytest.skip("numba cannot be loaded here")
    rng, pieces = np.random.default_rng(1), pieces_for("wide", rate=Fraction(4, 5), sr=192_000)
    n = pieces.search - 1 + pieces.overlap
    tables = wsola.tables_of(wsola.rows_of(n))
    for window in (rng.integers(-(2**20), 2**20, n), np.full(n, 2**20 - 1), 2**20 - (np.arange(n) % 2)):
        target, work = window[7 : 7 + pieces.overlap], kernel.room(tables)
        kernel.correlate(target.astype(float), window.astype(float), tables, work)
        exact = np.array([int(window[i : i + pieces.overlap] @ target) for i in range(pieces.search)])
        energy = int(window @ window) + int(target @ target)
        assert np.max(np.abs(work[2, : pieces.search] - exact)) < 1e-4 * kernel.DOUBT * energy


def test_a_process_that_splices_much_loads_the_loops(monkeypatch) -> None:
    """It counts the offsets that were tried; the sound is the same before and after."""
    asked: list[int] = []
    monkeypatch.setattr(wsola.LOOPS, "for_work", asked.append)
    pieces = pieces_for("speech", rate=Fraction(4, 5), sr=16000)
    splice(words(8 * pieces.hop)[None], rate=Fraction(4, 5), pieces=pieces)
    assert asked == [10 * pieces.search]


CHILD = """
import sys
from numpy._core._multiarray_umath import __cpu_features__ as on
import os
off = os.environ["NPY_DISABLE_CPU_FEATURES"].split()
assert not any(on[name] for name in off), [name for name in off if on[name]]
sys.path.insert(0, sys.argv[1])
from test_wsola import ALWAYS, digest
from audiosynth.sound import wsola
before = digest()
wsola.LOOPS = ALWAYS
print(before, digest())
"""


def digest() -> str:
    """Return a hash of the very bits of spliced clicks, sines, noise and a mixture."""
    sr, n = 16000, 20000
    clicks = np.zeros(n)
    clicks[::4000] = 0.5
    sine = np.sin(2 * np.pi * np.arange(n) * 1000 / sr)
    found = hashlib.sha256()
    for y in (clicks, np.rint(sine * 2**14) / 2**15, words(n), clicks + 0.1 * words(n)):
        for rate in (0.75, 1.5):
            found.update(spliced(y, rate, sr=sr).tobytes())
    return found.hexdigest()


def test_bits_do_not_depend_on_the_processor() -> None:
    """With NumPy's vector instructions off, the plainest kernels of OpenBLAS, and compiled for the least processor, every bit is the same."""
    core = pytest.importorskip("numpy._core._multiarray_umath")
    names = [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]
    if not names:
        pytest.skip("NumPy dispatches nothing on this machine")
    here = Path(__file__).resolve().parent
    environment = {
        **os.environ,
        "NPY_DISABLE_CPU_FEATURES": " ".join(names),
        "OPENBLAS_CORETYPE": "Prescott",
        "NUMBA_CPU_NAME": "generic",
        "PYTHONPATH": os.pathsep.join([str(here.parent), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-c", CHILD, str(here)]
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert child.returncode == 0, child.stderr
    assert set(child.stdout.split()) == {digest()}
