"""Codecs and packet loss: against standards, other decoders, theory; and sound stays where it was."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from itertools import groupby
from typing import Any

import numpy as np
import pytest
import scipy.signal
import soundfile
from pydantic import ValidationError

from audiosynth import registry
from audiosynth.clip import RenderContext
from audiosynth.coding import packets, waveform
from audiosynth.coding.lossy import Coder, round_trip
from audiosynth.errors import ParameterError, RenderError

LOSSY: dict[str, dict[str, Any]] = {
    "mp3 that has no tag": {"type": "mp3", "bitrate": 32.0},
    "mp3": {"type": "mp3", "bitrate": 64.0},
    "mp3 vbr": {"type": "mp3", "vbr": 6.0},
    "opus": {"type": "opus", "bitrate": 32.0},
    "opus low": {"type": "opus", "bitrate": 12.0},
    "vorbis": {"type": "vorbis", "quality": 1.0},
    "gsm": {"type": "gsm"},
    "mp3 switched": {"type": "mp3", "bitrate": 64.0, "switches": [[0.15, 32.0], [0.25, 48.0]]},
    "opus switched": {"type": "opus", "bitrate": 48.0, "switches": [[0.15, 12.0], [0.25, 32.0]]},
    "vorbis switched": {"type": "vorbis", "quality": 6.0, "switches": [[0.15, 0.0]]},
}
EXACT: dict[str, dict[str, Any]] = {
    "mu": {"type": "g711", "law": "mu"},
    "a": {"type": "g711", "law": "a", "rate": "clip"},
    "g722": {"type": "g722"},
    "adpcm": {"type": "adpcm"},
    "adpcm 8 kHz": {"type": "adpcm", "rate": 8000},
}
CODECS = {**LOSSY, **EXACT}
FLOOR = 0.003
"""Noise under a click, -50 dBFS: no microphone hears nothing, and predictors of codecs wander in digital silence."""
RATES = (8000, 11025, 16000, 44100, 48000)


def applied(tree: dict[str, Any], y: np.ndarray, sr: int) -> np.ndarray:
    """Return what an effect makes of `y`."""
    effect: Any = registry.create("effects", tree)
    return effect.apply(y, RenderContext(sr=sr, n_channels=y.shape[0]))


def click(t: np.ndarray) -> np.ndarray:
    """Return a click of 8 ms around t = 0 that lies inside 4 kHz, so that every codec passes it."""
    return np.where(np.abs(t) < 0.004, 0.8 * np.cos(2 * np.pi * 1000 * t) * np.cos(np.pi * t / 0.008) ** 2, 0.0)


def lateness(out: np.ndarray, y: np.ndarray) -> float:
    """Return by how many samples `out` is later than `y`: the peak of their correlation, a parabola through it."""
    reach = 2000
    like = scipy.signal.correlate(np.pad(out, reach), y, "valid", method="fft")
    i = int(np.argmax(like))
    before, there, after = like[i - 1 : i + 2]
    return i - reach + 0.5 * (before - after) / (before - 2 * there + after)


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("name", CODECS)
def test_sound_stays_where_it_was(name: str, sr: int) -> None:
    """A click is found within a sample after codecs of samples, within 1 ms after lossy ones; in mono and stereo, near either end."""
    allowed = 1.0 if name in EXACT else 0.001 * sr
    for n, at in ((sr // 2 + 7, 0.02), (sr // 2 + 7, 0.31), (sr // 4 + 1, 0.24)):
        mono = click(np.arange(n) / sr - at) + FLOOR * np.random.default_rng(n).standard_normal(n)
        for y in (mono[None], np.stack([mono, 0.5 * mono])):
            out = applied(CODECS[name], y, sr)
            assert out.shape == y.shape
            for heard, given in zip(out, y, strict=True):
                assert abs(lateness(heard, given)) <= allowed


@pytest.mark.parametrize(("sr", "seconds"), [(16000, 3.0), (44100, 1.7)])
@pytest.mark.parametrize("name", CODECS)
def test_no_drift_over_time(name: str, sr: int, seconds: float) -> None:
    """Clicks late in a sound, after many frames and several writes, are no later than early ones."""
    t = np.arange(round(seconds * sr)) / sr
    times = (0.1, seconds / 2, seconds - 0.1)
    out = applied(CODECS[name], sum(click(t - at) for at in times)[None], sr)[0]
    for at in times:
        near = slice(round((at - 0.05) * sr), round((at + 0.05) * sr))
        assert abs(lateness(out[near], click(t[near] - at))) <= (1.0 if name in EXACT else 0.001 * sr)


def test_every_codec_twice_and_elsewhere() -> None:
    """The same samples come back in another process."""
    code = (
        "import hashlib, numpy as np; import test_codecs as t\n"
        "y = np.random.default_rng(7).standard_normal((2, 20000)) * 0.2\n"
        "print(hashlib.sha256(b''.join(t.applied(c, y, 16000).tobytes() for c in t.CODECS.values())).hexdigest())"
    )
    y = np.random.default_rng(7).standard_normal((2, 20000)) * 0.2
    here = hashlib.sha256(b"".join(applied(tree, y, 16000).tobytes() for tree in CODECS.values())).hexdigest()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=__file__.rpartition("/")[0] or "."
    )
    assert done.stdout.strip() == here


def power_db(y: np.ndarray, sr: int, low: float, high: float) -> float:
    """Return the power between two frequencies in dB."""
    spectrum = np.abs(np.fft.rfft(y * np.hanning(y.size))) ** 2
    f = np.fft.rfftfreq(y.size, 1 / sr)
    return float(10 * np.log10(spectrum[(f >= low) & (f < high)].mean() + 1e-30))


@pytest.mark.parametrize(
    ("tree", "sr", "passes", "stops"),
    [
        ({"type": "gsm"}, 16000, 3000, 4200),
        ({"type": "g711", "law": "a"}, 16000, 3500, 4200),
        ({"type": "adpcm", "rate": 8000}, 44100, 3500, 4200),
        ({"type": "g722"}, 44100, 6500, 8400),
        ({"type": "mp3", "bitrate": 64.0}, 44100, 10_000, 17_000),
        ({"type": "opus", "bitrate": 10.0}, 48000, 3000, 9000),
        ({"type": "vorbis", "quality": 0.0}, 44100, 10_000, 20_000),
    ],
)
def test_band_limits(tree: dict[str, Any], sr: int, passes: float, stops: float) -> None:
    """White noise comes through up to one frequency, and beyond another 30 dB or more are missing."""
    y = np.random.default_rng(11).standard_normal((1, sr)) * 0.1
    out = applied(tree, y, sr)[0]
    low = power_db(out, sr, 500, passes)
    assert abs(low - power_db(y[0], sr, 500, passes)) < 6
    assert power_db(out, sr, stops, sr / 2) < low - 30


@pytest.mark.parametrize("law", ["mu", "a"])
def test_g711_against_libsndfile(law: waveform.Law) -> None:
    """All 256 codes decode alike, all 65,536 samples are coded alike but where one lies on a decision level below zero."""
    subtype = {"mu": "ULAW", "a": "ALAW"}[law]
    codes = np.arange(256, dtype=np.uint8)
    theirs, _ = soundfile.read(
        io.BytesIO(codes.tobytes()), samplerate=8000, channels=1, format="RAW", subtype=subtype, dtype="int16"
    )
    assert np.array_equal(waveform.g711_decode(codes, law), theirs)
    samples = np.arange(-32768, 32768)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.astype(np.int16), 8000, format="RAW", subtype=subtype)
    differ = samples[np.frombuffer(buffer.getvalue(), np.uint8) != waveform.g711_encode(samples, law)]
    levels = np.unique(np.diff(waveform.g711_decode(waveform.g711_encode(samples, law), law)).nonzero()[0])
    assert set(differ.tolist()) <= set(samples[levels + 1].tolist())  # they count -n as n, ITU-T G.191 as n - 1
    assert len(differ) < 128


@pytest.mark.parametrize("law", ["mu", "a"])
@pytest.mark.parametrize(("level", "least"), [(0, 33), (-10, 33), (-20, 33), (-30, 33), (-40, 27), (-45, 22)])
def test_g711_distortion(law: str, level: float, least: float) -> None:
    """Signal to total distortion of a sine of 1020 Hz meets ITU-T G.712, figure 13 (levels re the nominal one, 3.14 dB under full scale)."""
    sr = 8000
    wave = 10 ** ((level - 3.14) / 20) * np.sin(2 * np.pi * 1020 * np.arange(sr) / sr + 0.1)
    out = applied({"type": "g711", "law": law}, wave[None], sr)[0]
    gain = out @ wave / (wave @ wave)
    assert 10 * np.log10(np.sum((gain * wave) ** 2) / np.sum((out - gain * wave) ** 2)) > least


def triangles() -> np.ndarray:
    """Return a test signal in whole numbers: two triangle waves and a click."""
    i = np.arange(2560)
    first, second = (np.abs((i * 2 * a // p) % (2 * a) - a) * 2 - a for p, a in ((37, 5000), (11, 2500)))
    return first + second * (i > 800) + (i == 1500) * 15_000


def test_g722_against_ffmpeg() -> None:
    """Bytes and samples are those that FFmpeg 8 gives (PyAV 18, run once; its hashes stand here)."""
    codes = waveform.g722_encode(triangles())
    assert (
        hashlib.sha256(codes.tobytes()).hexdigest()
        == "9c53f3dd0fc8c4a474466fb8966f46427adefa2c095cc4eb9995241c87bbb0e0"
    )
    heard = waveform.g722_decode(codes).astype("<i2")
    assert (
        hashlib.sha256(heard.tobytes()).hexdigest()
        == "0f27089beb0dfa8d7e2e0259820d2fb8a7242b3d5eef5032c73ca780f477e6b4"
    )


def test_g722_against_ffmpeg_here() -> None:
    """Loud noise, overload and silence are decoded as FFmpeg decodes them, where PyAV is installed."""
    av = pytest.importorskip("av")
    rng = np.random.default_rng(3)
    samples = np.concatenate([rng.integers(-32768, 32768, 3200), np.full(640, 32767), np.zeros(640, np.int64)])
    codes = waveform.g722_encode(samples)
    decoder = av.CodecContext.create("g722", "r")
    decoder.sample_rate, decoder.layout = 16000, "mono"
    theirs = np.concatenate([f.to_ndarray().ravel() for f in decoder.decode(av.Packet(codes.tobytes()))])
    assert np.array_equal(waveform.g722_decode(codes), theirs)


def test_ima_against_libsndfile() -> None:
    """The blocks of a WAV file decode to what libsndfile makes of them."""
    rng = np.random.default_rng(4)
    samples = np.clip(np.cumsum(rng.integers(-3000, 3001, 4000)), -32768, 32767).astype(np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 16000, format="WAV", subtype="IMA_ADPCM")
    data = buffer.getvalue()
    at, align = data.index(b"data") + 8, int.from_bytes(data[32:34], "little")
    mine = []
    for start in range(at, len(data), align):
        block = np.frombuffer(data[start : start + align], np.uint8)
        predicted = int.from_bytes(block[:2].tobytes(), "little", signed=True)
        codes = np.stack([block[4:] & 15, block[4:] >> 4], axis=1).ravel()
        mine += [[predicted], waveform.ima_decode(codes, predicted=predicted, index=int(block[2]))]
    theirs, _ = soundfile.read(io.BytesIO(data), dtype="int16")
    assert np.array_equal(np.concatenate(mine)[: theirs.size], theirs)
    n = samples.size
    ours = np.mean((waveform.ima(samples.astype(np.int64)) - samples) ** 2.0)
    assert ours < 1.05 * np.mean((theirs[:n].astype(float) - samples) ** 2)


@pytest.mark.parametrize("name", CODECS)
def test_silence_stays_silent(name: str) -> None:
    """Nothing in, next to nothing out; and what is too loud comes out at full scale, not wrapped around."""
    assert np.abs(applied(CODECS[name], np.zeros((1, 4000)), 16000)).max() < 1e-3
    loud = 3.0 * np.sin(2 * np.pi * 440 * np.arange(8000) / 16000)
    out = applied(CODECS[name], loud[None], 16000)[0]
    assert lateness(out, loud) == pytest.approx(0.0, abs=16)
    assert np.corrcoef(out, loud)[0, 1] > 0.8


def test_many_channels() -> None:
    """More channels than a codec takes are coded one by one."""
    y = np.stack([click(np.arange(4000) / 16000 - at) for at in (0.05, 0.1, 0.15, 0.2)])
    for tree in ({"type": "mp3", "bitrate": 64.0}, {"type": "opus", "bitrate": 32.0}, {"type": "gsm"}):
        out = applied(tree, y, 16000)
        assert np.array_equal(out[2:3], applied(tree, y[2:3], 16000))


@pytest.mark.parametrize(
    ("tree", "match"),
    [
        ({"type": "mp3"}, "expected one of bitrate and vbr"),
        ({"type": "mp3", "bitrate": 64.0, "vbr": 2.0}, "expected one of bitrate and vbr"),
        ({"type": "g711", "law": "b"}, "law"),
        ({"type": "vorbis", "quality": 11.0}, "quality"),
        ({"type": "mp3", "vbr": 2.0, "switches": [[1.0, 32.0]]}, "switches go with a constant bitrate, not with vbr"),
        (
            {"type": "opus", "bitrate": 32.0, "switches": [[1.0, 24.0], [1.0, 16.0]]},
            r"switches: 1 s stands behind 1 s; give them in order",
        ),
        ({"type": "opus", "bitrate": 32.0, "switches": [[0.0, 24.0]]}, "greater than 0"),
        ({"type": "vorbis", "quality": 1.0, "switches": [[1.0, 11.0]]}, "less than or equal to 10"),
    ],
)
def test_wrong_parameters(tree: dict[str, Any], match: str) -> None:
    """What cannot be is refused by name."""
    with pytest.raises(ValidationError, match=match):
        registry.create("effects", tree)


def test_bit_rates_that_are_not_there() -> None:
    """A bit rate that the format lacks at the clip's rate is refused while planning; one of a stream's channels while rendering."""
    effect: Any = registry.create("effects", {"type": "mp3", "bitrate": 128.0})
    with pytest.raises(ParameterError, match=r"mp3: 128 kbit/s at 8000 Hz; MP3 has 8 to 64 there"):
        effect.extent(8000, 8000)
    with pytest.raises(RenderError, match=r"opus: 8 kbit/s for a stream of 2 channels; it takes 12 to 512"):
        applied({"type": "opus", "bitrate": 8.0}, np.zeros((2, 800)), 8000)
    with pytest.raises(RenderError, match=r"cannot code NOTHING at 8000 Hz"):
        round_trip(np.zeros((1, 80)), sr=8000, coder=Coder(container="WAV", subtype="NOTHING", rates=(8000,)))


SWITCHED = {
    "mp3": ("bitrate", 96.0, 16.0),
    "opus": ("bitrate", 96.0, 8.0),
    "vorbis": ("quality", 9.0, 0.0),
}
"""The parameter that changes, a high and a low value."""


@pytest.mark.parametrize("sr", [16_000, 44_100])
@pytest.mark.parametrize("name", SWITCHED)
def test_switches(name: str, sr: int) -> None:
    """Between changes the sound is that of each rate alone; across one it goes over within 20 ms, and no faster than either moves."""
    key, high, low = SWITCHED[name]
    if (name, sr) == ("mp3", 44_100):
        low = 32.0
    n = 2 * sr
    t = np.arange(n) / sr
    y = (0.3 * np.sin(2 * np.pi * (200 * t + 700 * t**2)) + 0.03 * np.random.default_rng(3).standard_normal(n))[None]
    out = applied({"type": name, key: high, "switches": [[0.5, low], [1.25, high], [7.0, low]]}, y, sr)
    alone = {value: applied({"type": name, key: value}, y, sr) for value in (high, low)}
    for a, b, value in ((0.0, 0.49, high), (0.51, 1.24, low), (1.26, 2.0, high)):
        part = slice(round(a * sr), round(b * sr))
        np.testing.assert_array_equal(out[:, part], alone[value][:, part])
    apart = np.abs(alone[high] - alone[low]).max()
    for at in (0.5, 1.25):
        near = slice(round((at - 0.011) * sr), round((at + 0.011) * sr))
        share = (out - alone[low])[0, near], (alone[high] - alone[low])[0, near]
        keep = np.abs(share[1]) > 0.2 * apart
        blend = share[0][keep] / share[1][keep]
        assert blend.size > 20
        assert ((blend > -1e-9) & (blend < 1 + 1e-9)).all()
        assert (np.diff(blend if at > 1 else -blend) >= -1e-9).all()
        steps = [np.abs(np.diff(sound[0, near])).max() for sound in (out, *alone.values())]
        assert steps[0] <= max(steps[1:]) + apart * np.pi / 2 / (
            0.02 * sr
        )  # the slope of sine squared over 20 ms is pi / 2 at most


def test_switches_before_loss() -> None:
    """Loss acts on what a switching codec gives: packets that arrive are its very samples, and lost ones are silent."""
    y = 0.1 * np.random.default_rng(5).standard_normal((1, 16_000))
    coded = applied({"type": "opus", "bitrate": 32.0, "switches": [[0.4, 12.0]]}, y, 16_000)
    loss = {"type": "packet_loss", "good_to_bad": 0.2, "bad_to_good": 0.5, "conceal": "silence", "seed": 4}
    gaps = registry.create("effects", loss).gaps(16_000, 16_000)  # type: ignore[attr-defined]
    out = applied(loss, coded, 16_000)
    lost = np.zeros(16_000, bool)
    for gap in gaps:
        lost[gap[0] : gap[1]] = True
    assert 0.1 < lost.mean() < 0.6
    edge = np.convolve(lost, np.ones(161), "same") > 0
    np.testing.assert_array_equal(out[:, ~edge], coded[:, ~edge])
    inner = np.convolve(~lost, np.ones(161), "same") == 0
    assert not out[:, inner].any()


def test_bit_rate_is_met() -> None:
    """A higher bit rate or quality comes nearer to the sound."""
    t = np.arange(16000) / 16000
    y = (0.3 * np.sin(2 * np.pi * (200 * t + 1500 * t**2)) + 0.05 * np.random.default_rng(1).standard_normal(16000))[
        None
    ]

    def error(tree: dict[str, Any]) -> float:
        return float(np.mean((applied(tree, y, 16000) - y) ** 2))

    for low, high in (
        ({"type": "mp3", "bitrate": 16.0}, {"type": "mp3", "bitrate": 96.0}),
        ({"type": "mp3", "vbr": 9.0}, {"type": "mp3", "vbr": 0.0}),
        ({"type": "opus", "bitrate": 8.0}, {"type": "opus", "bitrate": 96.0}),
        ({"type": "vorbis", "quality": 0.0}, {"type": "vorbis", "quality": 9.0}),
    ):
        assert error(high) < 0.25 * error(low)


@pytest.mark.parametrize(
    "channel",
    [
        packets.Channel(good_to_bad=0.02, bad_to_good=0.25, loss_good=0.0, loss_bad=1.0),
        packets.Channel(good_to_bad=0.05, bad_to_good=0.5, loss_good=0.01, loss_bad=0.7),
        packets.Channel(good_to_bad=0.3, bad_to_good=0.7, loss_good=0.0, loss_bad=1.0),
    ],
)
def test_loss_statistics(channel: packets.Channel) -> None:
    """Loss rate, its spread over clips, and burst lengths are those of Gilbert's and Elliott's chain."""
    n, clips = 2000, 200
    lost = np.stack([channel.lost(n, seed) for seed in range(clips)])
    # a chain forgets with 1 - p - r a step: the variance of a mean over n packets (two-state Markov chain)
    p, r = channel.good_to_bad, channel.bad_to_good
    bad, memory = p / (p + r), 1 - p - r
    share = bad * channel.loss_bad + (1 - bad) * channel.loss_good
    jump = (channel.loss_bad - channel.loss_good) ** 2 * bad * (1 - bad)
    variance = (share * (1 - share) + 2 * jump * memory / (1 - memory)) / n
    assert lost.mean() == pytest.approx(share, abs=4 * np.sqrt(variance / clips))
    assert channel.mean_loss() == pytest.approx(share, rel=1e-12)
    assert lost.mean(axis=1).std() == pytest.approx(np.sqrt(variance), rel=0.2)
    assert lost[:, 0].mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / clips))
    if channel.loss_bad == 1.0 and channel.loss_good == 0.0:
        runs = np.array([sum(1 for _ in run) for clip in lost for is_lost, run in groupby(clip.tolist()) if is_lost])
        assert runs.mean() == pytest.approx(1 / r, abs=4 * np.sqrt((1 - r) / r**2 / runs.size) + 0.01)
        assert np.mean(runs == 1) == pytest.approx(r, abs=4 * np.sqrt(r * (1 - r) / runs.size) + 0.01)


LOSS = {"type": "packet_loss", "good_to_bad": 0.15, "bad_to_good": 0.5, "seed": 5}


@pytest.mark.parametrize("conceal", ["silence", "repeat", "interpolate"])
@pytest.mark.parametrize("sr", [8000, 44100])
def test_what_arrives_is_untouched(conceal: str, sr: int) -> None:
    """Outside the gaps, and 10 ms beside them, sound is as it was; the same packets are lost in every channel and by every concealment."""
    y = np.random.default_rng(9).standard_normal((2, 2 * sr))
    tree = {**LOSS, "conceal": conceal}
    effect: Any = registry.create("effects", tree)
    gaps, out = effect.gaps(2 * sr, sr), applied(tree, y, sr)
    assert len(gaps) > 5
    assert {(gap.last - gap.first) % (sr // 50) for gap in gaps} == {0}
    beside = 0 if conceal != "interpolate" else round(0.0101 * sr)
    near = np.zeros(2 * sr, bool)
    for first, last in gaps:
        near[max(0, first - beside) : last + beside] = True
    assert np.array_equal(out[:, ~near], y[:, ~near])
    inside = np.concatenate([np.arange(*gap) for gap in gaps])
    assert (np.abs(out[:, inside]).max() == 0.0) == (conceal == "silence")


def test_repeat_plays_the_last_packet() -> None:
    """A gap holds the packet before it, at half the amplitude each time."""
    y = np.arange(1.0, 13.0)[None]
    out = packets.repeated(y, [packets.Gap(4, 9)], n_packet=2)
    assert out[0].tolist() == [1, 2, 3, 4, 1.5, 2, 0.75, 1, 0.375, 10, 11, 12]
    assert packets.repeated(y, [packets.Gap(0, 3)], n_packet=2)[0, :4].tolist() == [0, 0, 0, 4]


@pytest.mark.parametrize("sr", [8000, 16000, 44100])
@pytest.mark.parametrize("f0", [83.0, 120.0, 190.0])
def test_interpolation_goes_on(sr: int, f0: float) -> None:
    """A voice-like tone is missed by 10 dB less than with silence in a lost packet; a long gap is silent after 60 ms."""
    t = np.arange(sr) / sr
    y = sum(np.sin(2 * np.pi * k * f0 * t + k * k) / k for k in range(1, 8))[None]
    gap = packets.Gap(sr // 2, sr // 2 + sr // 50)
    inside = slice(*gap)
    out = packets.interpolated(y, [gap], sr=sr)
    assert np.sum((out - y)[:, inside] ** 2) < 0.1 * np.sum(y[:, inside] ** 2)
    steepest = np.abs(np.diff(y)).max()
    assert np.abs(np.diff(out)).max() < 1.5 * steepest
    long = packets.interpolated(y, [packets.Gap(sr // 2, sr // 2 + sr // 5)], sr=sr)
    assert not long[:, sr // 2 + round(0.0601 * sr) : sr // 2 + sr // 5].any()


def test_loss_at_the_very_start() -> None:
    """Where nothing came before, silence is heard, whatever conceals; and with no loss all of it arrives."""
    y = np.random.default_rng(2).standard_normal((1, 4000))
    for conceal in ("silence", "repeat", "interpolate"):
        gone = applied({**LOSS, "good_to_bad": 1.0, "bad_to_good": 0.0, "conceal": conceal}, y, 8000)
        assert not gone.any()
        kept = applied({**LOSS, "good_to_bad": 0.0, "bad_to_good": 1.0, "conceal": conceal}, y, 8000)
        assert np.array_equal(kept, y)
