"""Quantising against exact rationals, hashes against plain hashlib, files against two other readers."""

from __future__ import annotations

import hashlib
import io
import struct
import sys
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audiosynth.dice import uniform_at
from audiosynth.errors import BuildError, ParameterError, RenderError
from audiosynth.files import audiofile
from audiosynth.files.audiofile import AudioFile, write_audio
from audiosynth.files.containers import check_format, wav_bytes_header, with_ogg_serial
from audiosynth.pcm import (
    GRID,
    PcmHash,
    pcm_sha256,
    quantise,
    tpdf,
)

CASES = [
    ("wav", "PCM_16"),
    ("wav", "PCM_24"),
    ("wav", "FLOAT"),
    ("flac", "PCM_16"),
    ("flac", "PCM_24"),
    ("ogg", "PCM_16"),
    ("opus", "PCM_16"),
    ("mp3", "PCM_16"),
]


def sound(n_channels: int = 1, n: int = 4801) -> np.ndarray:
    """Two partials and a little noise, different in every channel, peak under 0.9."""
    t = np.arange(n) / 48_000
    tones = [0.5 * np.sin(2 * np.pi * 300 * (c + 1) * t) for c in range(n_channels)]
    return np.stack(tones) + 0.3 * np.stack([uniform_at(c, start=0, n_samples=n) for c in range(n_channels)]) - 0.15


def as_subtype(y: np.ndarray, subtype: str) -> np.ndarray:
    return y if subtype == "FLOAT" else quantise(y, bits=24 if subtype == "PCM_24" else 16).pcm


def exact(v: Fraction) -> int:
    """Apply the two-step rule in rationals; Python's round is half to even."""
    return round(Fraction(round(v * 2**20), 2**20))


near_half = st.builds(
    lambda k, side, off: (k + 0.5) + side * 2.0**-21 + off * 2.0**-26,
    st.integers(-32768, 32766),
    st.sampled_from([-2, -1, 0, 1, 2]),
    st.integers(-12, 12),
)
levels = st.one_of(st.floats(-33000.0, 33000.0), near_half)


@settings(max_examples=300)
@given(st.lists(levels, min_size=1, max_size=40), st.sampled_from([16, 24]))
def test_rounding_is_the_two_step_rule_in_exact_rationals(values: list[float], bits: int) -> None:
    """Integers and the count of saturated samples are those of rational arithmetic."""
    scale, top = 2 ** (bits - 1), 2 ** (bits - 1)
    y = np.array([values]) / 32768.0 if bits == 24 else np.array([values]) / scale
    want = [exact(Fraction(float(x)) * scale) for x in y[0]]
    got = quantise(y, bits=bits)
    assert got.pcm[0].tolist() == [min(max(w, -top), top - 1) for w in want]
    assert got.clipped == sum(not -top <= w < top for w in want)


@settings(max_examples=300)
@given(st.lists(near_half, min_size=1, max_size=40))
def test_ties_are_exactly_the_samples_that_a_wobble_can_flip(values: list[float]) -> None:
    """Brute force: a sample is reported if and only if moving it by ±2^-24 LSB changes its integer."""
    y = np.array([values]) / 32768.0
    wobble = Fraction(1, 2**24)
    flips = [i for i, v in enumerate(values) if exact(Fraction(v) - wobble) != exact(Fraction(v) + wobble)]
    got = quantise(y)
    assert [tie[1] for tie in got.ties] == flips
    assert all(tie == [0, tie[1], int(got.pcm[0, tie[1]])] for tie in got.ties)


def test_a_reported_tie_can_be_met() -> None:
    """The rule above is not empty: 0.5 + 2^-21 LSB lies on the edge, 0.5 does not."""
    assert quantise(np.array([[0.5 + 2.0**-21, 0.5, 1.5 - 2.0**-21]]) / 32768).ties == [[0, 0, 0], [0, 2, 2]]


def test_structural_halves_are_steady() -> None:
    """A peak normalised to k + ½ that arithmetic moves by 1e-13 LSB keeps its integer and is no tie."""
    base = np.array([[16383.5, -16383.5, 0.5, 1.5]])
    for shift in (-1e-10, 0.0, 1e-10):
        got = quantise((base + shift) / 32768)
        assert got.pcm.tolist() == [[16384, -16384, 0, 2]]
        assert got.ties == []


def test_replay_takes_the_recorded_values() -> None:
    """With `ties` the recorded integers stand, whatever was computed, and are handed on."""
    y = np.array([[0.5 + 2.0**-21, 0.25]]) / 32768
    got = quantise(y, ties=[[0, 0, 1]])
    assert got.pcm.tolist() == [[1, 0]]
    assert got.ties == [[0, 0, 1]]


@pytest.mark.parametrize("tie", [[1, 0, 0], [0, 9, 0], [0, -1, 0], [0, 0, 40000]])
def test_a_tie_outside_the_clip_is_refused(tie: list[int]) -> None:
    """Channel, index and value of a tie must lie in the clip."""
    with pytest.raises(ParameterError, match="outside"):
        quantise(np.zeros((1, 4)), ties=[tie])


def test_ties_are_found_beyond_the_first_block_and_channel() -> None:
    """Index and channel of a tie are those of the clip, not of a block."""
    y = np.zeros((2, 100_000))
    y[1, 77_777] = (2.5 + 2.0**-21) / 32768
    assert quantise(y).ties == [[1, 77_777, 2]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_samples_are_errors(bad: float) -> None:
    """A NaN or an infinity anywhere is an error, also among other samples and in a later block."""
    y = np.zeros((1, 70_000))
    y[0, 66_000] = bad
    with pytest.raises(RenderError, match="not finite"):
        quantise(y)


def test_saturation_is_counted() -> None:
    """Full scale is one more than the largest integer; samples outside saturate, even enormous ones."""
    got = quantise(np.array([[1.0, -1.0, 1.1, -1.1, 32767 / 32768, 1e300, -1e300]]))
    assert got.pcm.tolist() == [[32767, -32768, 32767, -32768, 32767, 32767, -32768]]
    assert got.clipped == 5


@pytest.mark.parametrize("shape", [(1, 0), (2, 1), (3, 32_768), (1, 32_769)])
def test_any_length_works(shape: tuple[int, int]) -> None:
    """Empty clips and whole or broken blocks give arrays of the same shape."""
    assert quantise(np.zeros(shape)).pcm.shape == shape


def test_dither_is_triangular_and_makes_the_error_independent() -> None:
    """TPDF: variance 1/6 LSB² by itself; total error variance 1/4 LSB² (1/6 + 1/12) at every constant input."""
    n = 200_000
    d = tpdf(*(uniform_at(3, start=0, n_samples=n, stream=s)[None] for s in "ab"))
    assert np.var(d / GRID) == pytest.approx(1 / 6, rel=0.02)
    for level in (0.0, 0.25, 0.5):
        error = quantise(np.full((1, n), level / 32768), dither=d).pcm - level
        assert abs(error.mean()) < 0.01
        assert error.var() == pytest.approx(0.25, rel=0.02)


@settings(max_examples=100)
@given(st.lists(st.tuples(near_half, st.integers(-(2**20), 2**20)), min_size=1, max_size=20))
def test_dithered_rounding_and_ties_are_exact(pairs: list[tuple[float, int]]) -> None:
    """Dither is added between the two roundings, as an integer, and ties are found with it."""
    y = np.array([[v for v, _ in pairs]]) / 32768
    d = np.array([[k for _, k in pairs]], dtype=np.int32)

    def rule(v: Fraction, k: int) -> int:
        return min(max(round(Fraction(round(v * 2**20) + k, 2**20)), -32768), 32767)

    got = quantise(y, dither=d)
    assert got.pcm[0].tolist() == [rule(Fraction(v), k) for v, k in pairs]
    w = Fraction(1, 2**24)
    flips = [i for i, (v, k) in enumerate(pairs) if rule(Fraction(v) - w, k) != rule(Fraction(v) + w, k)]
    assert [tie[1] for tie in got.ties] == flips


def test_hash_is_the_documented_one() -> None:
    """The identity can be computed with hashlib and struct alone, sample by sample."""
    pcm = np.array([[1, -2, 32767], [0, 5, -32768]], dtype=np.int16)
    body = b"".join(int(pcm[c, i]).to_bytes(2, "little", signed=True) for i in range(3) for c in range(2))
    head = b"audiosynth-pcm/1" + b"".join(v.to_bytes(8, "little") for v in (16000, 2, 16, 3))
    assert pcm_sha256(pcm, 16000) == hashlib.sha256(head + body).hexdigest()


def test_hash_tells_apart_what_sounds_different() -> None:
    """Rate, channels, bits and layout all enter the hash; memory order does not."""
    flat = np.arange(6, dtype=np.int16)[None]
    variants = [(flat, 8000), (flat, 16000), (flat.reshape(2, 3), 8000), (flat.astype(np.int32), 8000)]
    variants += [(flat.reshape(3, 2), 8000), (flat.astype(np.float32), 8000), (flat[:, :5], 8000)]
    assert len({pcm_sha256(*v) for v in variants}) == len(variants)
    assert pcm_sha256(np.asfortranarray(flat.reshape(2, 3)), 8000) == pcm_sha256(flat.reshape(2, 3), 8000)


@pytest.mark.parametrize("n_channels", [1, 2, 6])
@pytest.mark.parametrize(("container", "subtype"), [c for c in CASES if c[0] in ("wav", "flac")])
def test_lossless_files_read_back_bit_for_bit(tmp_path: Path, n_channels: int, container: str, subtype: str) -> None:
    """Another reader (libsndfile) sees our integers, rate, subtype and comment."""
    pcm = as_subtype(sound(n_channels), subtype)
    path = tmp_path / "a.bin"
    digest = write_audio(path, pcm, sr=48_000, container=container, subtype=subtype, comment="clip é")
    with soundfile.SoundFile(path) as file:
        assert (file.samplerate, file.subtype, file.comment) == (48_000, subtype, "clip é")
        back = file.read(dtype={"PCM_16": "int16", "PCM_24": "int32", "FLOAT": "float32"}[subtype], always_2d=True).T
    want = {"PCM_16": pcm, "PCM_24": pcm.astype(np.int64) << 8, "FLOAT": pcm.astype(np.float32)}[subtype]
    assert np.array_equal(back, want)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("n_channels", [1, 2, 6])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_pythons_wave_reads_our_header(tmp_path: Path, n_channels: int, subtype: str) -> None:
    """A second reader agrees on rate, channels, width and samples (extensible headers from Python 3.12)."""
    if (n_channels > 2 or subtype == "PCM_24") and sys.version_info < (3, 12):
        pytest.skip("wave reads WAVE_FORMAT_EXTENSIBLE from Python 3.12")
    pcm = as_subtype(sound(n_channels), subtype)
    write_audio(tmp_path / "a.wav", pcm, sr=44_100, container="wav", subtype=subtype, comment="odd")
    with wave.open(str(tmp_path / "a.wav")) as file:
        width = 2 if subtype == "PCM_16" else 3
        assert file.getparams()[:4] == (n_channels, width, 44_100, pcm.shape[1])
        raw = file.readframes(pcm.shape[1])
    assert raw == b"".join(int(v).to_bytes(width, "little", signed=True) for v in pcm.T.reshape(-1))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.parametrize("comment", [None, "ab", "abc"])
def test_the_chunks_of_a_wav_file_add_up(tmp_path: Path, subtype: str, comment: str | None) -> None:
    """Walking the chunks ends exactly at the end of the file, on even offsets, without a PEAK chunk."""
    path = tmp_path / "a.wav"
    write_audio(path, as_subtype(sound(1, 33), subtype), sr=8000, container="wav", subtype=subtype, comment=comment)
    data, at, names = path.read_bytes(), 12, []
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    while at < len(data):
        assert at % 2 == 0
        names.append(data[at : at + 4])
        size = struct.unpack("<I", data[at + 4 : at + 8])[0]
        at += 8 + size + size % 2
    assert at == len(data)
    facts = [b"fact"] if subtype == "FLOAT" else []
    assert names == [b"fmt ", *facts, *([b"LIST"] if comment else []), b"data"]


@pytest.mark.parametrize(("container", "subtype"), CASES)
def test_the_same_bytes_twice(tmp_path: Path, container: str, subtype: str) -> None:
    """Every container gives the same file for the same samples."""
    pcm = as_subtype(sound(2, 40_000), subtype)
    options = {"sr": 48_000, "container": container, "subtype": subtype, "comment": "c", "clip_id": "train-000000001"}
    digests = [write_audio(tmp_path / name, pcm, **options) for name in ("a", "b")]
    assert digests[0] == digests[1]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(("container", "subtype"), CASES)
def test_the_same_bytes_in_parts(tmp_path: Path, container: str, subtype: str) -> None:
    """A file that is written in parts is the file written in one go, and so is the hash of its samples."""
    pcm = as_subtype(sound(2, 40_001), subtype)
    pcm = pcm.astype(np.float32) if subtype == "FLOAT" else pcm
    options = {"sr": 48_000, "container": container, "subtype": subtype, "comment": "c", "clip_id": "train-000000001"}
    whole = write_audio(tmp_path / "a", pcm, **options)
    digest = PcmHash(48_000, 2, 40_001, subtype)
    with AudioFile(tmp_path / "b", 40_001, 2, **options) as file:
        for start in range(0, 40_001, 32_768):
            file.write(pcm[:, start : start + 32_768])
            digest.update(pcm[:, start : start + 32_768])
    assert file.sha256 == whole == hashlib.sha256((tmp_path / "b").read_bytes()).hexdigest()
    assert digest.hexdigest() == pcm_sha256(pcm, 48_000)


@pytest.mark.parametrize("n", [0, 1, 4801])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_head_and_samples_in_one_write_or_in_two(tmp_path: Path, monkeypatch, subtype: str, n: int) -> None:
    """Whether the samples are few enough to stand behind the head at once or not, and where there are none: the same bytes."""
    pcm = as_subtype(sound(n=4801), subtype)[:, :n]
    options = {"sr": 48_000, "container": "wav", "subtype": subtype, "comment": "c"}
    head = wav_bytes_header(n, sr=48_000, n_channels=1, subtype=subtype, comment="c")
    found = []
    for joined in (2**20, 0):
        monkeypatch.setattr(audiofile, "_JOINED", joined)
        digest = write_audio(tmp_path / "a", pcm, **options)
        found.append((tmp_path / "a").read_bytes())
        assert digest == hashlib.sha256(found[-1]).hexdigest()
    assert found[0] == found[1]
    assert found[0].startswith(head)
    with AudioFile(tmp_path / "b", 0, 1, **options):  # to which nothing was written
        pass
    assert (tmp_path / "b").read_bytes() == wav_bytes_header(0, sr=48_000, n_channels=1, subtype=subtype, comment="c")


@pytest.mark.parametrize("container", ["ogg", "opus", "mp3"])
def test_lossy_files_sound_like_the_samples(tmp_path: Path, container: str) -> None:
    """They decode to the same rate, length and comment, and to nearly the same waveform."""
    y = np.stack([0.5 * np.sin(2 * np.pi * f * np.arange(48_000) / 48_000) for f in (440, 660)])
    path = tmp_path / "a"
    write_audio(path, as_subtype(y, "PCM_16"), sr=48_000, container=container, subtype="PCM_16", comment="words")
    with soundfile.SoundFile(path) as file:
        back, comment = file.read(always_2d=True).T, file.comment
        assert file.samplerate == 48_000
    assert comment == "words"
    assert back.shape == y.shape
    assert np.corrcoef(back[0], y[0])[0, 1] > 0.99
    assert np.sqrt(np.mean((back - y) ** 2)) < 0.05


def test_long_vorbis_files_are_written(tmp_path: Path) -> None:
    """Half a minute in stereo does not overflow the encoder's stack."""
    pcm = as_subtype(sound(2, 30 * 44_100), "PCM_16")
    write_audio(tmp_path / "a.ogg", pcm, sr=44_100, container="ogg", subtype="PCM_16")
    assert soundfile.info(tmp_path / "a.ogg").frames == 30 * 44_100


def bitwise_ogg_crc(page: bytes) -> int:
    """RFC 3533's checksum, one bit at a time."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def test_ogg_pages_carry_the_serial_and_a_true_checksum(tmp_path: Path) -> None:
    """All pages have one serial, another for another clip, and CRCs that a bit-by-bit implementation confirms."""
    pcm, serials = as_subtype(sound(1, 20_000), "PCM_16"), []
    for clip_id in ("train-000000000", "train-000000001"):
        path = tmp_path / clip_id
        write_audio(path, pcm, sr=16_000, container="opus", subtype="PCM_16", clip_id=clip_id)
        pages = [b"OggS" + rest for rest in path.read_bytes().split(b"OggS")[1:]]
        assert len(pages) >= 3
        serials.append({page[14:18] for page in pages})
        for page in pages:
            assert struct.unpack("<I", page[22:26])[0] == bitwise_ogg_crc(page[:22] + bytes(4) + page[26:])
    assert [len(s) for s in serials] == [1, 1]
    assert serials[0] != serials[1]


def test_libsndfile_writes_the_checksums_we_recompute() -> None:
    """Giving a stream its own serial again changes nothing: our CRC is the encoder's."""
    buffer = io.BytesIO()
    soundfile.write(buffer, sound(1, 9000)[0], 16_000, format="OGG", subtype="VORBIS")
    data = buffer.getvalue()
    assert with_ogg_serial(data, struct.unpack("<I", data[14:18])[0]) == data


@pytest.mark.parametrize(
    ("container", "subtype", "sr", "n_channels", "words"),
    [
        ("opus", "PCM_16", 44_100, 1, "16000, 24000 or 48000 Hz, not 44100"),
        ("mp3", "PCM_16", 44_100, 3, "1 to 2 channels"),
        ("flac", "PCM_16", 44_100, 9, "1 to 8 channels"),
        ("flac", "FLOAT", 44_100, 1, "flac holds integers"),
        ("flac", "PCM_16", 700_000, 1, "up to 655350 Hz"),
        ("aac", "PCM_16", 44_100, 1, "there are wav, flac"),
        ("wav", "PCM_32", 44_100, 1, "there are PCM_16"),
    ],
)
def test_what_a_container_cannot_hold_is_said(
    container: str, subtype: str, sr: int, n_channels: int, words: str
) -> None:
    """The message names the limit before anything is rendered."""
    with pytest.raises(ParameterError, match=words):
        check_format(container=container, subtype=subtype, sr=sr, n_channels=n_channels)


@pytest.mark.parametrize(
    ("container", "sr", "n_channels"),
    [
        ("flac", 655_350, 8),
        ("ogg", 200_000, 1),
        ("ogg", 8000, 16),
        ("opus", 12_000, 6),
        ("mp3", 11_025, 2),
        ("wav", 1_000_000, 64),
    ],
)
def test_what_check_format_allows_can_be_written(tmp_path: Path, container: str, sr: int, n_channels: int) -> None:
    """The stated limits are those of the encoders."""
    write_audio(tmp_path / "a", as_subtype(sound(n_channels), "PCM_16"), sr=sr, container=container, subtype="PCM_16")
    assert soundfile.info(tmp_path / "a").channels == n_channels


def test_samples_of_another_subtype_are_refused(tmp_path: Path) -> None:
    """int16 samples are not silently stretched to 24 bits, nor floats to integers."""
    with pytest.raises(ParameterError, match="PCM_24 is written from int32"):
        write_audio(tmp_path / "a", np.zeros((1, 4), np.int16), sr=8000, container="wav", subtype="PCM_24")
    with pytest.raises(ParameterError, match="PCM_16 is written from int16"):
        write_audio(tmp_path / "a", np.zeros((1, 4)), sr=8000, container="wav", subtype="PCM_16")


def test_four_gibibytes_are_refused_with_a_remedy() -> None:
    """A WAV file beyond 32-bit sizes names flac as the way out."""
    with pytest.raises(BuildError, match="use flac"):
        wav_bytes_header(2**31, sr=48_000, n_channels=1, subtype="PCM_16")
