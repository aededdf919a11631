"""SOFA files written here by hand, broken in every way, and one that was measured."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from audiosynth.acoustics.responses import find_onsets
from audiosynth.acoustics.sofa import MAX_VALUES, read_sofa
from audiosynth.errors import AssetError

h5py = pytest.importorskip("h5py")

SR = 16000
CARTESIAN = {"Type": "cartesian", "Units": "metre"}
SPHERICAL = {"Type": "spherical", "Units": "degree, degree, metre"}


def responses(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.Generator(np.random.Philox(seed)).standard_normal(shape)


def write(path, *, ir=None, delay=None, convention="SimpleFreeFieldHRIR", kind="FIR", rate=SR, leave=(), **changes):
    """Write a small file: M sources around a head of R ears; `changes` replaces (values, attributes) by name."""
    ir = responses(4, 2, 32) if ir is None else ir
    m, r = ir.shape[:2]
    parts = {
        "Data.IR": (ir, {}),
        "Data.SamplingRate": (np.array([float(rate)]), {"Units": "hertz"}),
        "Data.Delay": (np.zeros((1, r)) if delay is None else np.asarray(delay, float), {}),
        "SourcePosition": (np.array([[90.0 * k, 0.0, 1.5] for k in range(m)]), SPHERICAL),
        "ListenerPosition": (np.zeros((1, 3)), CARTESIAN),
        "ListenerView": (np.array([[1.0, 0.0, 0.0]]), CARTESIAN),
        "ListenerUp": (np.array([[0.0, 0.0, 1.0]]), {}),
        "ReceiverPosition": (np.array([[0, 0.09 - 0.18 * k, 0] for k in range(r)])[:, :, np.newaxis], CARTESIAN),
        "EmitterPosition": (np.zeros((1, 3, 1)), CARTESIAN),
    }
    parts.update({key.replace("_", "."): value for key, value in changes.items()})
    with h5py.File(path, "w") as file:
        file.attrs.update({"Conventions": "SOFA", "SOFAConventions": convention, "DataType": kind})
        for key, (values, attrs) in parts.items():
            if key not in leave:
                file.create_dataset(key, data=values).attrs.update(attrs)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "head.sofa"


# ---- what is in the file


@pytest.mark.parametrize("convention", ["SimpleFreeFieldHRIR", "SingleRoomSRIR", "GeneralFIR"])
def test_responses_come_back_as_they_were_written(path, convention):
    """(M, R, N): every measurement is its rows, sample for sample."""
    ir = responses(4, 2, 32)
    got = read_sofa(write(path, ir=ir, convention=convention))
    assert (got.convention, got.sr, got.n_measurements) == (convention, SR, 4)
    for k in range(4):
        np.testing.assert_array_equal(got.measurement(k), ir[k])


@pytest.mark.parametrize(("kind", "convention", "order"), [
    ("FIR-E", "SingleRoomMIMOSRIR", (0, 1, 3, 2)), ("FIR-E", "GeneralFIR-E", (0, 1, 3, 2)), ("FIRE", "GeneralFIRE", (0, 1, 2, 3)),
])  # fmt: skip
def test_emitters_are_told_apart(path, kind, convention, order):
    """FIR-E has the emitter last, FIRE before the samples; each is its own response, with its own delay."""
    ir = responses(2, 3, 4, 32)  # (M, R, E, N)
    delay = np.arange(24.0).reshape(2, 3, 4)
    emitters = (np.arange(12.0).reshape(4, 3, 1), CARTESIAN)
    got = read_sofa(
        write(path, ir=ir.transpose(order), delay=delay, kind=kind, convention=convention, EmitterPosition=emitters)
    )
    for k, emitter in ((0, 0), (1, 3), (1, 2)):
        h = got.measurement(k, emitter=emitter)
        assert h.shape == (3, 32 + int(delay[k, :, emitter].max()))
        for row, source, d in zip(h, ir[k, :, emitter], delay[k, :, emitter].astype(int), strict=True):
            np.testing.assert_array_equal(row[d : d + 32], source)
            assert not row[:d].any()
            assert not row[d + 32 :].any()
    np.testing.assert_array_equal(got.emitters[0], np.arange(12.0).reshape(4, 3))


@pytest.mark.parametrize("delay", [[[0, 7]], [[0, 7], [1, 2], [3, 3], [250, 0]]])
def test_delays_are_honoured(path, delay):
    """Data.Delay, shared or for each measurement, shifts each receiver by its samples."""
    ir = responses(4, 2, 32)
    got = read_sofa(write(path, ir=ir, delay=delay))
    for k in range(4):
        mine = delay[min(k, len(delay) - 1)]
        h = got.measurement(k)
        assert h.shape == (2, 32 + max(mine))
        for row, source, d in zip(h, ir[k], mine, strict=True):
            np.testing.assert_array_equal(row, np.concatenate([np.zeros(d), source, np.zeros(max(mine) - d)]))


def test_fractions_of_a_sample_are_delays_too(path):
    """A tone delayed by 60.37 samples is in phase with theory within 0.001 of a sample; the whole one beside it is exact."""
    n = np.arange(400)
    tone = np.sin(2 * np.pi * 0.1 * n) * np.hanning(400)
    got = read_sofa(write(path, ir=np.stack([[tone, tone]]), delay=[[60.37, 60.0]])).measurement(0)
    np.testing.assert_array_equal(got[1, 60:460], tone)
    spectrum = np.fft.rfft(got, 1000)[:, 100]
    lag = np.angle(spectrum[1] / spectrum[0]) / (2 * np.pi * 0.1)
    assert lag == pytest.approx(0.37, abs=1e-3)
    assert np.abs(spectrum[0]) == pytest.approx(np.abs(spectrum[1]), rel=1e-3)


def test_only_what_is_asked_for_is_read(path):
    """`only` reads some measurements, with their own places, and says how many there were."""
    ir = responses(4, 2, 32)
    got = read_sofa(write(path, ir=ir), only=[3, 1])
    assert (got.ir.shape[0], got.n_measurements) == (2, 4)
    np.testing.assert_array_equal(got.measurement(0), ir[3])
    np.testing.assert_allclose(got.directions().azimuth, [-90, 90], atol=1e-9)


# ---- places


def test_spherical_and_cartesian_sources_are_the_same_place(path):
    """Degrees anticlockwise from x, elevation up, metres."""
    spherical = (np.array([[0, 0, 2.0], [90, 0, 1.0], [30, 45, 2.0], [180, -90, 1.0]]), SPHERICAL)
    got = read_sofa(write(path, SourcePosition=spherical)).sources
    half = 2**0.5 / 2
    expected = [[2, 0, 0], [0, 1, 0], [2 * half * 3**0.5 / 2, 2 * half / 2, 2 * half], [0, 0, -1]]
    np.testing.assert_allclose(got, expected, atol=1e-12)
    again = read_sofa(write(path, SourcePosition=(np.array(expected), {"Type": "cartesian", "Units": "meter"})))
    np.testing.assert_allclose(again.sources, got, atol=1e-12)


def test_directions_are_those_of_the_listener(path):
    """A listener elsewhere, looking left, sees what is left of it in front; with its top down, left and right change."""
    places = {
        "SourcePosition": (np.array([[1.0, 5.0, 1.0], [4.0, 2.0, 1.0], [1.0, 2.0, 4.0], [1.0, -1.0, 1.0]]), CARTESIAN),
        "ListenerPosition": (np.array([[1.0, 2.0, 1.0]]), CARTESIAN),
        "ListenerView": (np.array([[90.0, 0.0, 1.0]]), SPHERICAL),
        "ListenerUp": (np.array([[0.0, 90.0, 1.0]]), {}),
    }
    seen = read_sofa(write(path, **places)).directions()
    np.testing.assert_allclose(seen.azimuth, [0, -90, 0, 180], atol=1e-9)
    np.testing.assert_allclose(seen.elevation, [0, 0, 90, 0], atol=1e-9)
    np.testing.assert_allclose(seen.distance, 3.0)
    places["ListenerUp"] = (np.array([[0.0, -90.0, 1.0]]), {})
    np.testing.assert_allclose(read_sofa(write(path, **places)).directions().azimuth[1], 90, atol=1e-9)


def test_the_nearest_measurement_is_nearest_on_the_sphere(path):
    """Across the ±180° seam and over the pole; of two distances in one direction the one asked for, else the first."""
    around = [[0, 0, 1], [170, 0, 1], [-100, 0, 1], [0, 89, 1], [170, 0, 3]]
    got = read_sofa(write(path, ir=responses(5, 2, 8), SourcePosition=(np.array(around, float), SPHERICAL)))
    assert got.nearest(azimuth=-170.0) == 1
    assert got.nearest(azimuth=-134.0) == 2
    assert got.nearest(azimuth=177.0, elevation=80.0) == 3
    assert got.nearest(azimuth=20.0, elevation=-10.0) == 0
    assert got.nearest(azimuth=165.0, distance=2.5) == 4
    assert got.nearest(azimuth=165.0, distance=1.2) == 1


def test_receivers_may_move_with_the_measurement(path):
    """ReceiverPosition of shape (R, 3, M), (R, 3, 1) or (R, 3)."""
    moving = responses(2, 3, 4)
    got = read_sofa(write(path, ReceiverPosition=(moving, CARTESIAN)))
    np.testing.assert_array_equal(got.receivers, moving.transpose(2, 0, 1))
    still = read_sofa(write(path, ReceiverPosition=(moving[:, :, 0], CARTESIAN)))
    np.testing.assert_array_equal(still.receivers, np.broadcast_to(moving[:, :, 0], (4, 2, 3)))


# ---- what is wrong


NAN = responses(4, 2, 32)
NAN[2, 1, 5] = np.nan


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"convention": "SimpleFreeFieldHRR"}, "'SimpleFreeFieldHRR' is not known; did you mean 'SimpleFreeFieldHRIR'"),
        ({"convention": "FreeFieldDirectivityTF", "kind": "TF"}, "is not known; .*GeneralFIR"),
        ({"kind": "SOS"}, "of DataType 'SOS'; impulse responses are FIR"),
        ({"leave": ("Data.IR",)}, "Data.IR is missing"),
        ({"leave": ("Data.Delay",)}, "Data.Delay is missing"),
        ({"leave": ("Data.SamplingRate",)}, "Data.SamplingRate is missing"),
        ({"leave": ("SourcePosition",)}, "SourcePosition is missing"),
        ({"leave": ("ReceiverPosition",)}, "ReceiverPosition is missing"),
        ({"ir": NAN}, "Data.IR holds NaN"),
        ({"delay": [[0, np.inf]]}, "Data.Delay holds NaN"),
        ({"delay": [[-1, 0]]}, "runs from -1"),
        ({"delay": [[0, 1e9]]}, r"to 1e\+09 samples"),
        ({"delay": [[0, 0, 0]]}, r"Data.Delay has shape \(1, 3, 1\)"),
        ({"kind": "FIR-E", "convention": "GeneralFIR-E"}, "expected numbers in 4 dimensions"),
        ({"ir": responses(2, 2, 8, 3)}, "expected numbers in 3 dimensions"),
        ({"Data_IR": (np.full((4, 2, 3), b"abc"), {})}, "expected numbers in 3 dimensions"),
        ({"Data_IR": (np.zeros((0, 2, 3)), {})}, "shape"),
        ({"rate": 0}, "whole sampling rate"),
        ({"rate": 44100.5}, "whole sampling rate"),
        ({"Data_SamplingRate": (np.array([16000.0, 48000.0]), {"Units": "hertz"})}, "one whole sampling rate"),
        ({"Data_SamplingRate": (np.array([16.0]), {"Units": "kilohertz"})}, "kilohertz"),
        ({"SourcePosition": (np.zeros((3, 3)), CARTESIAN)}, r"expected \(1, 3\) or \(4, 3\)"),
        ({"SourcePosition": (np.zeros((4, 2)), CARTESIAN)}, "three coordinates"),
        ({"SourcePosition": (np.zeros((4, 3)), {"Type": "spherical harmonics", "Units": "metre"})}, "can be read"),
        ({"SourcePosition": (np.zeros((4, 3)), {"Type": "cartesian", "Units": "feet"})}, "in feet"),
        ({"SourcePosition": (np.zeros((4, 3)), {})}, "of no type"),
        ({"ReceiverPosition": (np.zeros((3, 3, 1)), CARTESIAN)}, r"expected \(2, 3, 1 or 4\)"),
        ({"ListenerUp": (np.array([[1.0, 0.0, 0.0]]), {})}, "two different directions"),
    ],
)
def test_a_broken_file_says_what_is_wrong_with_it(path, options, message):
    """Unknown conventions, missing parts, NaN, wrong shapes and units: one error with the file's name."""
    with pytest.raises(AssetError, match=message) as caught:
        read_sofa(write(path, **options))
    assert str(path) in str(caught.value)


def test_an_absurd_size_is_refused_before_it_is_read(path):
    """A file may claim any size: over 2^27 samples are refused, and a few of them can still be read."""
    write(path, leave=("Data.IR", "SourcePosition"))
    with h5py.File(path, "a") as file:
        file.create_dataset("Data.IR", shape=(MAX_VALUES // 1000, 2, 1000), chunks=(1, 2, 1000), dtype="f8")
        file.create_dataset("SourcePosition", data=np.ones((1, 3))).attrs.update(CARTESIAN)
    assert path.stat().st_size < 1e6
    with pytest.raises(AssetError, match="read fewer at once"):
        read_sofa(path)
    assert read_sofa(path, only=[5]).ir.shape == (1, 2, 1, 1000)


@pytest.mark.parametrize("link", ["external", "soft"])
def test_links_are_not_followed(path, tmp_path, link):
    """A dataset that is really a link, to another file say, is not read."""
    write(tmp_path / "other.sofa")
    write(path, leave=("Data.IR",))
    with h5py.File(path, "a") as file:
        file["Data.IR"] = (
            h5py.ExternalLink("other.sofa", "Data.IR") if link == "external" else h5py.SoftLink("/Data.Delay")
        )
    with pytest.raises(AssetError, match=r"Data\.IR is missing"):
        read_sofa(path)


def test_what_is_no_file_at_all(path, tmp_path):
    """Nothing there, a folder, text, a cut file: one clear error each."""
    with pytest.raises(AssetError, match="no such file"):
        read_sofa(path)
    with pytest.raises(AssetError, match="no such file"):
        read_sofa(tmp_path)
    path.write_text("RIFF")
    with pytest.raises(AssetError, match="not a readable SOFA"):
        read_sofa(path)
    whole = write(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AssetError, match=str(path)):
        read_sofa(path)


def test_asking_for_what_is_not_there(path):
    """Measurements and emitters are numbered from 0; a silent measurement is named."""
    ir = responses(4, 2, 32)
    ir[1] = 0.0
    got = read_sofa(write(path, ir=ir))
    with pytest.raises(AssetError, match="measurement 1 is silent"):
        got.measurement(1)
    with pytest.raises(AssetError, match="no measurement 4"):
        got.measurement(4)
    with pytest.raises(AssetError, match="of emitter 1"):
        got.measurement(0, emitter=1)
    with pytest.raises(AssetError, match="there are 4"):
        read_sofa(path, only=[4])


def test_without_h5py_there_is_a_way_out(path, monkeypatch):
    """The message names the extra to install."""
    write(path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(AssetError, match=r"pip install audiosynth\[sofa\]"):
        read_sofa(path)


# ---- a real one


def test_a_real_file_holds_what_its_waves_hold(shared_data):
    """Room A of Surrey: the seven directions that also lie there as WAV are the same samples, at their azimuths."""
    import soundfile

    folder = shared_data / "rirs" / "surrey"
    if not (folder / "UniS_Room_A_BRIR_16k.sofa").is_file():
        pytest.skip("the rooms of Surrey are not here")
    room = read_sofa(folder / "UniS_Room_A_BRIR_16k.sofa")
    assert room.ir.shape == (37, 2, 1, 6259)
    np.testing.assert_allclose(room.directions().azimuth, np.arange(-90, 91, 5), atol=1e-9)
    np.testing.assert_allclose(room.directions().distance, 1.5)
    for azimuth in (-90, -60, -30, 0, 30, 60, 90):
        y, sr = soundfile.read(folder / f"UniS_RoomA_16k_az{azimuth:+04d}.wav")
        assert sr == room.sr
        np.testing.assert_array_equal(room.measurement(room.nearest(azimuth=azimuth)), y.T)


def test_that_files_azimuths_run_the_wrong_way(shared_data):
    """It kept its authors' clockwise azimuths: what it puts 90° to the left is heard first by its receiver on the right."""
    path = shared_data / "rirs" / "surrey" / "UniS_Room_A_BRIR_16k.sofa"
    if not path.is_file():
        pytest.skip("the rooms of Surrey are not here")
    room = read_sofa(path)
    k = room.nearest(azimuth=90.0)
    assert room.receivers[k, 0, 1] > 0 > room.receivers[k, 1, 1]
    left, right = find_onsets(room.measurement(k), room.sr)
    assert right < left - 0.0005 * room.sr
