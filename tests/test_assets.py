"""Recordings as rendering sees them: every encoding, checked by hash, found again, never outside their root."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import socket
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from material import noise, write_wav

from audiosynth import dsp
from audiosynth.clip import Recording
from audiosynth.errors import AssetError, RenderError
from audiosynth.files import decoding
from audiosynth.files.decoding import decode
from audiosynth.files.paths import files_below, plain_bytes
from audiosynth.kept import Kept
from audiosynth.material import assets
from audiosynth.material.assets import AssetStore, lossy, resampled_active
from audiosynth.material.channels import pick_channels, stretch_of
from audiosynth.material.listing import walk
from audiosynth.material.roots import environment_name, resolve_roots


def _recording(root: Path, file: str, **changes: object) -> Recording:
    data = (root / file).read_bytes()
    y, sr = decode(data, file)
    known = {
        "data": "d", "path": file, "sha256": hashlib.sha256(data).hexdigest(), "sr": sr, "n_channels": y.shape[0],
        "n_samples": y.shape[1], "active": (0, y.shape[1]),
    }  # fmt: skip
    return Recording.model_validate({**known, **changes})


def _encoded(y: np.ndarray, sr: int, container: str, subtype: str | None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, y.T, sr, format=container, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    ("container", "subtype", "step"),
    [
        ("WAV", "PCM_U8", 2**-7), ("WAV", "PCM_16", 2**-15), ("WAV", "PCM_24", 2**-23), ("WAV", "PCM_32", 2**-31),
        ("WAV", "FLOAT", 2**-25), ("WAV", "DOUBLE", 0.0), ("FLAC", "PCM_16", 2**-15), ("FLAC", "PCM_24", 2**-23),
        ("AIFF", "PCM_16", 2**-15), ("W64", "PCM_24", 2**-23),
    ],
)  # fmt: skip
def test_exact_encodings(container: str, subtype: str, step: float) -> None:
    """Linear encodings come back within one step of what was written, at their rate, channels first."""
    y = noise(0.1, 11025, seed=1, channels=2)
    got, sr = decode(_encoded(y, 11025, container, subtype), "x")
    assert (sr, got.shape, got.dtype) == (11025, y.shape, np.float64)
    assert np.abs(got - y).max() <= step


@pytest.mark.parametrize(
    ("container", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None), ("WAV", "MS_ADPCM")]
)
def test_lossy_encodings(container: str, subtype: str | None) -> None:
    """Lossy encodings come back as the same sound: nearly the same power, and mostly the same waveform."""
    t = np.arange(48000) / 48000
    y = 0.3 * np.sin(2 * np.pi * 440 * t)[None]
    got, sr = decode(_encoded(y, 48000, container, subtype), "x")
    assert sr == 48000
    m = min(got.shape[1], 48000)
    assert abs(np.sqrt(np.mean(got[0, 9600:38400] ** 2)) / np.sqrt(np.mean(y[0, 9600:38400] ** 2)) - 1) < 0.02
    spectrum = np.abs(np.fft.rfft(got[0, :m]))
    assert abs(int(np.argmax(spectrum)) * 48000 / m - 440) < 2


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "empty .0 bytes."),
        (b"just some text\n" * 20, "not audio that libsndfile can read"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0" + b"\0" * 500, "MPEG-4 or AAC audio.*convert it to FLAC or WAV"),
        (b"\xff\xf1\x50\x80" + b"\x12" * 500, "MPEG-4 or AAC audio"),
        (_encoded(np.zeros((1, 0)), 8000, "WAV", "PCM_16"), "holds no samples"),
        (_encoded(np.array([[0.0, np.nan, np.inf, 0.5]]), 8000, "WAV", "FLOAT"), "2 samples are NaN or infinite .the first is sample 1"),
    ],
    ids=["empty", "text", "MP4", "AAC", "no samples", "not finite"],  # of the bytes: a float WAV holds the time it was written
)  # fmt: skip
def test_refused(data: bytes, match: str) -> None:
    """What is empty, unreadable or not finite is refused with its name and the reason."""
    with pytest.raises(AssetError, match=rf"bird\.wav: .*{match}"):
        decode(data, "bird.wav")


@pytest.mark.parametrize(
    ("container", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("MP3", None), ("OGG", "VORBIS")]
)
def test_half_a_file(container: str, subtype: str | None) -> None:
    """A file cut off in the middle is refused, not taken for a shorter sound."""
    data = _encoded(noise(2.0, 16000, seed=2), 16000, container, subtype)
    with pytest.raises(AssetError, match=r"cut off|no samples|damaged|cannot be|can read"):
        decode(data[: len(data) // 2], "half")


def test_absurd_header() -> None:
    """A short file whose header claims hours is refused before memory is asked for."""
    data = bytearray(_encoded(noise(0.1, 8000, seed=3), 8000, "FLAC", "PCM_16"))
    # STREAMINFO begins at byte 8; its 36-bit count of samples ends at offset 18 (RFC 9639, section 8.2).
    data[8 + 14 : 8 + 18] = b"\xff\xff\xff\xff"
    with pytest.raises(AssetError, match=r"at most 536870912 values"):
        decode(bytes(data), "bomb.flac")


def test_odd_encodings(shared_data: Path) -> None:
    """Every odd encoding at hand is read, except the m4a, and gives its sound at another rate."""
    root = shared_data / "odd_encodings"
    read = 0
    for file in sorted(root.rglob("*")):
        if file.suffix.lower() in (".wav", ".ogg", ".opus") and "silence" not in file.name:
            made = _recording(root, file.relative_to(root).as_posix())
            y = AssetStore({"d": root}).samples(made, 16000)
            assert y.shape[1] == dsp.resampled_length(made.n_samples, sr_in=made.sr, sr_out=16000)
            assert y.any()
            read += 1
    assert read >= 20
    with pytest.raises(AssetError, match=r"testing\.m4a.*libsndfile cannot read"):
        decode((root / "testing.m4a").read_bytes(), "testing.m4a")


def test_samples_resampled(tmp_path: Path) -> None:
    """A recording is given whole at the rate asked for: a tone keeps its frequency and level, and nobody can write in it."""
    t = np.arange(22050) / 22050
    write_wav(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * t)[None], 22050)
    y = AssetStore({"d": tmp_path}).samples(_recording(tmp_path, "tone.wav"), 16000)
    assert y.shape == (1, 16000)
    truth = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    assert np.abs(y[0, 500:-500] - truth[500:-500]).max() < 1e-4
    with pytest.raises(ValueError, match="read-only"):
        y[0, 0] = 1.0


@pytest.mark.parametrize("extra", [b"", b"LIST\x05\0\0\0INFOx\0", b"cue \x04\0\0\0\0\0\0\0"])
@pytest.mark.parametrize("n_channels", [1, 2, 5])
def test_plain_wavs_are_what_libsndfile_reads(n_channels: int, extra: bytes) -> None:
    """16-bit WAVs are read here; with chunks around the samples too, they are libsndfile's samples."""
    rng = np.random.default_rng(n_channels)
    y = rng.integers(-(2**15), 2**15, (1001, n_channels)).astype(np.int16)
    data = _encoded(y.T, 8000, "WAV", "PCM_16")
    at = data.index(b"data")
    data = data[:at] + extra + data[at:] + extra
    data = data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]
    wanted, sr = soundfile.read(io.BytesIO(data), always_2d=True)
    got = decoding.decode_fully(data, "x")
    assert (got.sr, got.subtype) == (sr, "PCM_16")
    np.testing.assert_array_equal(got.y, wanted.T)
    assert got.y.flags.c_contiguous


@pytest.mark.parametrize(
    ("subtype", "change"),
    [("PCM_24", None), ("FLOAT", None), ("ULAW", None), ("PCM_16", "half"), ("PCM_16", "align")],
)
def test_other_wavs_are_left_to_libsndfile(subtype: str, change: str | None) -> None:
    """Whatever is not the plainest form, or is damaged, is read (or refused) by the library."""
    data = bytearray(_encoded(np.zeros((1, 8000)), 8000, "WAV", subtype))
    if change == "half":
        del data[len(data) // 2 :]
    elif change == "align":
        data[32] = 3
    assert decoding._plain_wav(bytes(data)) is None


def test_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it stays in memory a file is decoded once, for another rate too; memory stays below its bound."""
    import audiosynth.material.assets as module

    for k in range(3):
        write_wav(tmp_path / f"{k}.wav", noise(0.5, 8000, seed=k), 8000)
    made = [_recording(tmp_path, f"{k}.wav") for k in range(3)]
    names = []
    monkeypatch.setattr(module, "decode", lambda data, name: (names.append(Path(name).name), decode(data, name))[1])
    store = AssetStore({"d": tmp_path}, max_bytes=4000 * 8 * 2)
    first = store.samples(made[0], 8000)
    assert store.samples(made[0], 8000) is first
    store.samples(made[0], 4000)
    assert names == ["0.wav"]
    store.samples(made[1], 8000)
    store.samples(made[2], 8000)
    store.samples(made[0], 8000)
    assert names == ["0.wav", "1.wav", "2.wav", "0.wav"]
    assert store._held.held <= store.max_bytes


def test_changed_file(tmp_path: Path) -> None:
    """A file whose bytes changed is refused before it is decoded, with both hashes."""
    write_wav(tmp_path / "a.wav", noise(0.1, 8000, seed=1), 8000)
    made = _recording(tmp_path, "a.wav")
    (tmp_path / "a.wav").write_bytes(b"something else")
    got = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(
        AssetError, match=rf"a\.wav: the file changed: expected sha256 {made.sha256}, got {got}; bring back"
    ):
        AssetStore({"d": tmp_path}).samples(made, 8000)


@pytest.mark.parametrize("name", ["b.wav", "sound.bin", "deep/no_suffix"])
def test_found_by_hash_under_whatever_name(tmp_path: Path, name: str) -> None:
    """A recording is found where another file took its path, and where it has another suffix or none."""
    write_wav(tmp_path / "a.wav", noise(0.1, 8000, seed=1), 8000)
    made = _recording(tmp_path, "a.wav")
    want = AssetStore({"d": tmp_path}).samples(made, 8000)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / "a.wav").rename(tmp_path / name)
    assert AssetStore({"d": tmp_path}).samples(made, 8000).tobytes() == want.tobytes()
    write_wav(tmp_path / "a.wav", noise(0.1, 8000, seed=2), 8000)
    assert AssetStore({"d": tmp_path}).samples(made, 8000).tobytes() == want.tobytes()


def test_a_recording_larger_than_the_memory_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one is kept beside the others, at its rate or at another, and leaves before the next one is decoded."""
    import audiosynth.material.assets as module

    made = []
    for k in range(3):
        write_wav(tmp_path / f"{k}.wav", noise(0.5 if k < 2 else 0.01, 8000, seed=k), 8000)
        made.append(_recording(tmp_path, f"{k}.wav"))
    names = []

    def counted(data: bytes, name: str) -> tuple[np.ndarray, int]:
        names.append((Path(name).name, store._large is not None))
        return decode(data, name)

    monkeypatch.setattr(module, "decode", counted)
    store = AssetStore({"d": tmp_path}, max_bytes=1000)
    for rate in (8000, 16000):
        first = store.samples(made[0], rate)
        store.samples(made[2], 8000)
        assert store.samples(made[0], rate) is first
    store.samples(made[1], 8000)
    store.samples(made[0], 8000)
    assert names == [("0.wav", False), ("2.wav", True), ("1.wav", False), ("0.wav", False)]


def test_edited_row(tmp_path: Path) -> None:
    """A row that says another length than the file has is refused."""
    write_wav(tmp_path / "a.wav", noise(0.1, 8000, seed=1), 8000)
    with pytest.raises(AssetError, match=r"expected .* \(8000, 1, 700\) .* got \(8000, 1, 800\)"):
        AssetStore({"d": tmp_path}).samples(_recording(tmp_path, "a.wav", n_samples=700, active=(0, 700)), 8000)


def test_found_by_hash(tmp_path: Path) -> None:
    """A file that was moved and renamed is found by its hash under any root given; a missing one names the way out."""
    write_wav(tmp_path / "old" / "a.wav", noise(0.1, 8000, seed=1), 8000)
    write_wav(tmp_path / "new" / "deep" / "other.wav", noise(0.1, 8000, seed=2), 8000)
    (tmp_path / "new" / "deep" / "notes.txt").write_text("not audio")
    made = _recording(tmp_path / "old", "a.wav")
    want = AssetStore({"d": tmp_path / "old"}).samples(made, 8000)
    (tmp_path / "old" / "a.wav").rename(tmp_path / "new" / "deep" / "renamed.wav")
    store = AssetStore({"d": [tmp_path / "old"], "elsewhere": tmp_path / "new"})
    assert store.samples(made, 8000).tobytes() == want.tobytes()
    assert store.find_by_hash(made.sha256) == tmp_path / "new" / "deep" / "renamed.wav"
    with pytest.raises(AssetError, match=r"d:a\.wav .* is missing; looked in .*old; .*--data d=DIR"):
        AssetStore({"d": tmp_path / "old"}).samples(made, 8000)


@pytest.fixture
def alarm() -> Iterator[None]:
    """Have a test fail that waits for ever."""

    def fail(*_: object) -> None:
        pytest.fail("it waits for what never comes")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
def test_pipes_and_sockets_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no file is passed over by the search for a hash, and told where recordings are listed: reading it may never end."""
    write_wav(tmp_path / "old" / "a.wav", noise(0.1, 8000, seed=1), 8000)
    made = _recording(tmp_path / "old", "a.wav")
    new = tmp_path / "new"
    new.mkdir()
    os.mkfifo(new / "a.wav")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(new)  # such an address is short
        listening.bind("b.wav")
        (tmp_path / "old" / "a.wav").rename(new / "z.wav")
        (new / "link.wav").symlink_to("a.wav")
        assert AssetStore({"d": [tmp_path / "old", new]}).find_by_hash(made.sha256, like="a.wav") == new / "z.wav"
        assert [path.name for path in files_below(new)] == ["z.wav"]
        problems: list[str] = []
        assert [found.path for found in walk(new, "", include=(), exclude=(), problems=problems)] == ["z.wav"]
    assert len(problems) == 3
    assert all(f"{name}.wav: is a pipe, socket or device" in "\n".join(problems) for name in ("a", "b", "link"))


@pytest.mark.parametrize("path", ["../a.wav", "x/../../a.wav", "/etc/passwd", "C:/a.wav", "..\\a.wav", ""])
def test_no_way_out(tmp_path: Path, path: str) -> None:
    """A row cannot name a file outside its data root."""
    (tmp_path / "root").mkdir()
    write_wav(tmp_path / "a.wav", noise(0.1, 8000, seed=1), 8000)
    with pytest.raises(AssetError, match=r"expected a path below the data root"):
        AssetStore({"d": tmp_path / "root"}).locate(_recording(tmp_path, "a.wav", path=path))


def test_no_link_out(tmp_path: Path) -> None:
    """A link inside the root that leads outside it is not followed."""
    (tmp_path / "root").mkdir()
    write_wav(tmp_path / "secret.wav", noise(0.1, 8000, seed=1), 8000)
    (tmp_path / "root" / "a.wav").symlink_to(tmp_path / "secret.wav")
    for ask in (AssetStore.locate, lambda store, made: store.samples(made, 8000)):
        with pytest.raises(AssetError, match=r"a link that leads outside the data root"):
            ask(AssetStore({"d": tmp_path / "root"}), _recording(tmp_path, "secret.wav", path="a.wav"))


def test_no_way_out_by_a_folder(tmp_path: Path) -> None:
    """Nor is a file read whose folder is such a link."""
    (tmp_path / "root").mkdir()
    write_wav(tmp_path / "secret" / "a.wav", noise(0.1, 8000, seed=1), 8000)
    (tmp_path / "root" / "x").symlink_to(tmp_path / "secret")
    with pytest.raises(AssetError, match=r"a link that leads outside the data root"):
        AssetStore({"d": tmp_path / "root"}).samples(_recording(tmp_path / "secret", "a.wav", path="x/a.wav"), 8000)


def test_plain_files(tmp_path: Path) -> None:
    """Plain files are read at once; what is no such file is left to whoever looks further, and nobody waits for a pipe."""
    write_wav(tmp_path / "stored.wav", noise(0.1, 8000, seed=1), 8000)
    (tmp_path / "link.wav").symlink_to(tmp_path / "stored.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    assert plain_bytes(tmp_path, "stored.wav") == (tmp_path / "stored.wav").read_bytes()
    for name in ("link.wav", "pipe.wav", "none.wav", ".", "../stored.wav", "a\0.wav"):
        assert plain_bytes(tmp_path, name) is None
    made = _recording(tmp_path, "stored.wav", path="link.wav")
    assert AssetStore({"d": tmp_path}).samples(made, 8000).shape == (1, 800)


def test_decomposed_name(tmp_path: Path) -> None:
    """A row's name in NFC finds the file whose name is stored decomposed."""
    stored = unicodedata.normalize("NFD", "trñ00.wav")
    write_wav(tmp_path / "x" / stored, noise(0.1, 8000, seed=1), 8000)
    made = _recording(tmp_path, f"x/{stored}", path=unicodedata.normalize("NFC", "x/trñ00.wav"))
    assert AssetStore({"d": tmp_path}).samples(made, 8000).shape == (1, 800)


def test_rows(tmp_path: Path) -> None:
    """An asset row says where, what and whose; fields that nobody stated are empty."""
    write_wav(tmp_path / "a.wav", noise(0.1, 8000, seed=1), 8000)
    made = _recording(tmp_path, "a.wav", meta={"label": "dog", "licence": "CC0-1.0", "speaker": "x"})
    assert AssetStore({"d": tmp_path}).rows([made]) == [
        {
            "path": "a.wav", "data": "d", "sha256": made.sha256, "bytes": (tmp_path / "a.wav").stat().st_size,
            "licence": "CC0-1.0", "author": "", "label": "dog",
        }
    ]  # fmt: skip


def test_lossy_needs_decoder(tmp_path: Path) -> None:
    """Only lossy recordings tie a clip to a decoder: by suffix, or as the scan noted it."""
    write_wav(tmp_path / "a.wav", noise(0.1, 8000, seed=1), 8000)
    plain = _recording(tmp_path, "a.wav")
    ogg = plain.model_copy(update={"path": "a.OGG"})
    flac_in_ogg = ogg.model_copy(update={"meta": {"lossy": False}})
    assert [lossy(r) for r in (plain, ogg, flac_in_ogg)] == [False, True, False]
    store = AssetStore({"d": tmp_path})
    assert store.decoders([plain, flac_in_ogg]) == ()
    assert store.decoders([plain, ogg]) == (f"libsndfile=={soundfile.__libsndfile_version__}",)


def test_pick_channels() -> None:
    """`mix` is the mean, a number is that channel, `all` must be as many as the clip has."""
    y = np.array([[1.0, 2.0], [3.0, -2.0]])
    assert pick_channels(y, "mix", n_channels=1, name="x").tolist() == [[2.0, 0.0]]
    assert pick_channels(y, 1, n_channels=1, name="x").tolist() == [[3.0, -2.0]]
    assert pick_channels(y, "all", n_channels=2, name="x").tolist() == y.tolist()
    with pytest.raises(RenderError, match=r"x has 2 channels and the clip 4; say `channel: mix`"):
        pick_channels(y, "all", n_channels=4, name="x")


def test_the_mean_of_a_recording_is_kept(tmp_path: Path) -> None:
    """What is mixed once is the mean of the channels, sample for sample; it is read-only, and the same array the next time."""
    write_wav(tmp_path / "a.wav", noise(0.1, 8000, seed=1, channels=2), 8000)
    made = _recording(tmp_path, "a.wav")
    store = AssetStore({"d": tmp_path})
    y = store.samples(made, 16000)
    mixed = stretch_of(store, made, 16000, "mix", (100, 900))
    assert np.array_equal(mixed, ((y[:1] + y[1:]) / 2)[:, 100:900])
    assert not mixed.flags.writeable
    assert stretch_of(store, made, 16000, "mix", (100, 900)).base is mixed.base
    assert stretch_of(store, made, 16000, "all", (100, 900)).base is y


@pytest.mark.parametrize(("sr_in", "sr_out"), [(44100, 16000), (8000, 44100), (16000, 16000), (11024, 48000)])
def test_active_is_not_cut(sr_in: int, sr_out: int) -> None:
    """The active part at another rate covers the times of the stored one, and less than a sample more at each end."""
    made = Recording(
        data="d", path="a", sha256="0" * 64, sr=sr_in, n_channels=1, n_samples=sr_in, active=(1001, sr_in - 333)
    )
    first, last = resampled_active(made, sr_out)
    assert 0 <= 1001 / sr_in - first / sr_out < 1 / sr_out
    assert 0 <= last / sr_out - (sr_in - 333) / sr_in < 1 / sr_out


def test_roots(tmp_path: Path) -> None:
    """`--data` wins over the environment, and that over the recipe, whose folders are relative to it."""
    for name in ("recipe/mine", "env", "given"):
        (tmp_path / name).mkdir(parents=True)
    declared, base = {"my-words": "mine"}, tmp_path / "recipe"
    environ = {environment_name("my-words"): str(tmp_path / "env")}
    assert resolve_roots(declared, {}, base, {}) == {"my-words": base / "mine"}
    assert resolve_roots(declared, {}, base, environ) == {"my-words": tmp_path / "env"}
    overrides = {"my-words": str(tmp_path / "given")}
    assert resolve_roots(declared, overrides, base, environ) == {"my-words": tmp_path / "given"}


def test_missing_roots(tmp_path: Path) -> None:
    """Folders that are missing are named all at once, each with the three ways to give it."""
    with pytest.raises(AssetError) as caught:
        resolve_roots({"words": "nowhere", "beds": ""}, {"wrods": "x"}, tmp_path, {})
    text = str(caught.value)
    assert f"data root 'words': {tmp_path / 'nowhere'} is not a folder" in text
    assert "data root 'beds': no folder was given" in text
    assert "--data beds=DIR" in text
    assert "AUDIOSYNTH_DATA_BEDS=DIR" in text
    assert "`data: {beds: DIR}`" in text
    assert "was it given as 'wrods'?" in text
    assert resolve_roots({"beds": ""}, {}, tmp_path, {}, missing_ok=True) == {}


def test_recordings_that_pass_by_once_take_little_memory(tmp_path, monkeypatch) -> None:
    """Room grows when one that had to leave is asked for again, and not before; what is used all the time stays."""
    monkeypatch.setattr(assets, "FIRST_BYTES", 3 * 8000)
    for k in range(20):
        write_wav(tmp_path / f"{k}.wav", noise(0.125, 8000, seed=k), 8000)
    recordings = [_recording(tmp_path, f"{k}.wav") for k in range(20)]
    store = AssetStore({"d": tmp_path})
    for recording in recordings:
        store.samples(recordings[0], 8000)
        store.samples(recording, 8000)
    assert (store._held.room, store._held.held) == (24_000, 24_000)
    monkeypatch.setattr(AssetStore, "_decoded", lambda *_: pytest.fail("the one in use had left"))
    store.samples(recordings[0], 8000)
    monkeypatch.undo()
    for recording in recordings * 3:
        store.samples(recording, 8000)
    assert store._held.held == 20 * 8000 <= store._held.room <= store.max_bytes


def test_what_left_long_ago_makes_no_room() -> None:
    """A corpus that is larger than all the room there could be, gone through again and again."""
    kept: Kept[int] = Kept(100, first=20)
    for k in [*range(30)] * 4:
        if kept.get(k) is None:
            kept.put(k, k, 5)
    assert (kept.room, kept.held) == (20, 20)
    for k in [*range(15)] * 4:
        if kept.get(k) is None:
            kept.put(k, k, 5)
    assert (kept.room, kept.held) == (100, 75)
