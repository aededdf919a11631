"""Large recordings: stretches read from disk are those of the whole, whatever happens to the files meanwhile."""

from __future__ import annotations

import gc
import hashlib
import io
import multiprocessing
import os
import pickle
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from material import noise, write_wav

from audiosynth import dsp
from audiosynth.clip import Part, Recording, RenderContext
from audiosynth.errors import AssetError, UsageError
from audiosynth.files import stored as stored_module
from audiosynth.files.decoding import decode
from audiosynth.files.locks import locked_file
from audiosynth.files.stored import CHECKED, Span, plain_wav
from audiosynth.material import decoded as decoded_module
from audiosynth.material import large as large_module
from audiosynth.material.assets import AssetStore
from audiosynth.material.decoded import DecodedFiles
from audiosynth.noises.file import FileNoise
from audiosynth.synths.file import File

SR = 8000


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take recordings of two seconds for large ones."""
    monkeypatch.setattr(large_module, "LARGE", 2 * SR)
    monkeypatch.setattr(large_module, "LARGE_FILE", 2 * SR)


def _recording(file: Path, **changes: object) -> Recording:
    """Return a file as a catalogue has it, measured by libsndfile."""
    info = soundfile.info(file)
    known = {
        "data": "d", "path": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "sr": info.samplerate,
        "n_channels": info.channels, "n_samples": info.frames, "active": (0, info.frames),
    }  # fmt: skip
    return Recording.model_validate({**known, **changes})


def _sound(seconds: float = 20.0, *, channels: int = 1, seed: int = 1) -> np.ndarray:
    return np.clip(noise(seconds, SR, seed=seed, channels=channels), -0.99, 0.99)


def _write(path: Path, y: np.ndarray, container: str, subtype: str) -> Path:
    soundfile.write(path, y.T, SR, format=container, subtype=subtype)
    return path


def _store(root: Path, *, most: float = 1e9) -> AssetStore:
    return AssetStore({"d": root}, decoded=DecodedFiles(root.parent / f"{root.name}-decoded", most))


def _never(*args: object, **kwargs: object) -> None:
    raise RuntimeError("this would decode all of it")


STRETCHES = [
    (0, 1),
    (0, 1000),
    (12_345, 70_001),
    (CHECKED - 1, CHECKED + 1),
    (CHECKED, 2 * CHECKED),
    (159_999, 160_000),
]
PLAIN = [
    ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"), ("WAVEX", "PCM_16"),
    ("WAVEX", "PCM_24"), ("WAVEX", "FLOAT"), ("RF64", "PCM_16"), ("RF64", "FLOAT"),
]  # fmt: skip
OTHERS = [
    ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("W64", "PCM_16"),
    ("AIFF", "PCM_24"), ("WAV", "PCM_U8"), ("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("CAF", "DOUBLE"), ("AIFF", "PCM_32"),
]  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("container", "subtype"), PLAIN)
def test_plain_files_are_read_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: str, subtype: str, channels: int
) -> None:
    """Every stretch is what libsndfile reads there, bit for bit; nothing is decoded, nothing is kept on disk."""
    made = _recording(_write(tmp_path / "a.wav", _sound(channels=channels), container, subtype))
    want = soundfile.read(tmp_path / "a.wav", dtype="float64", always_2d=True)[0].T
    monkeypatch.setattr("audiosynth.material.assets.decode", _never)
    monkeypatch.setattr(DecodedFiles, "get", _never)
    store = _store(tmp_path)
    for first, last in STRETCHES:
        y = store.stretch(made, SR, first, last)
        assert y.flags.c_contiguous
        assert y.tobytes() == np.ascontiguousarray(want[:, first:last]).tobytes()


@pytest.mark.parametrize(("container", "subtype"), OTHERS)
def test_others_are_decoded_once_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: str, subtype: str
) -> None:
    """Every stretch is that of the whole, bit for bit; another process's store decodes nothing."""
    made = _recording(_write(tmp_path / "a.x", _sound(channels=1), container, subtype))
    want = decode((tmp_path / "a.x").read_bytes(), "a.x")[0]
    monkeypatch.setattr("audiosynth.material.assets.decode", _never)
    _store(tmp_path).stretch(made, SR, 0, 1)
    monkeypatch.setattr(soundfile.SoundFile, "read", _never)
    store = _store(tmp_path)
    for first, last in STRETCHES:
        last = min(last, made.n_samples)  # noqa: PLW2901
        assert store.stretch(made, SR, first, last).tobytes() == np.ascontiguousarray(want[:, first:last]).tobytes()


def test_what_is_kept_is_no_wider_than_needed(tmp_path: Path) -> None:
    """16 bits stay 16 bits, 24 fit in float32, 32 do not."""
    sizes = {}
    for subtype, container in (("PCM_16", "FLAC"), ("PCM_24", "FLAC"), ("PCM_32", "AIFF")):
        root = tmp_path / subtype
        root.mkdir()
        made = _recording(_write(root / "a.x", _sound(), container, subtype))
        _store(root).stretch(made, SR, 0, 1)
        (file,) = (tmp_path / f"{subtype}-decoded").glob("*.samples")
        sizes[subtype] = round(file.stat().st_size / made.n_samples)
    assert sizes == {"PCM_16": 2, "PCM_24": 4, "PCM_32": 8}


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sr", [16000, 7999, 11025, 3000, 48000, 44100, 4000])
def test_another_rate_is_the_same_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sr: int, channels: int
) -> None:
    """Resampled a block at a time or at once: the same bits, to the last sample."""
    monkeypatch.setattr("audiosynth.material.decoded_file._BLOCK", 30_011)
    made = _recording(write_wav(tmp_path / "a.wav", _sound(23.45, channels=channels), SR))
    want = dsp.resample(soundfile.read(tmp_path / "a.wav", always_2d=True)[0].T, sr_in=SR, sr_out=sr)
    monkeypatch.setattr("audiosynth.material.assets.decode", _never)
    store = _store(tmp_path)
    assert store.stretch(made, sr, 0, want.shape[1]).tobytes() == want.tobytes()
    assert store.stretch(made, sr, 5000, 5100).tobytes() == np.ascontiguousarray(want[:, 5000:5100]).tobytes()


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_components_ask_for_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A noise through its joints, and a source's stretch of one channel or their mean, are what the whole in memory gives."""
    (tmp_path / "d").mkdir()
    made = _recording(_write(tmp_path / "d" / name, _sound(channels=2), name[2:].upper(), "PCM_16"))
    few = made.n_samples * 2
    monkeypatch.setattr("audiosynth.material.channels.LONGEST_MIXED", 1000)
    on_disk, in_memory = _store(tmp_path / "d"), _store(tmp_path / "d", most=0)
    in_memory.samples(made, SR)

    def heard(store: AssetStore) -> list[bytes]:
        ctx = RenderContext(sr=SR, n_channels=1, assets=store)
        bed = FileNoise(recording=made, crossfade=0.5, start_sample=3 * SR)
        source = File(recording=made, start=1.5, duration=2.25, trim=False, channel=1)
        return [
            bed.render(ctx, start=made.n_samples - 6 * SR, n_samples=5 * SR).tobytes(), source.render(ctx).tobytes(),
            bed.render(ctx, start=few, n_samples=100).tobytes(),
        ]  # fmt: skip

    want = heard(in_memory)
    monkeypatch.setattr("audiosynth.material.assets.decode", _never)
    assert heard(on_disk) == want


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_parts_of_large_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An utterance of a long file is read alone, at the file's rate and at another; one that is not there is refused."""
    path = _write(tmp_path / name, _sound(channels=2), name[2:].upper(), "PCM_16")
    whole = soundfile.read(path, always_2d=True)[0].T
    part = {"first": 40_000, "last": 48_001}
    both = _recording(path, part=Part(**part), n_samples=8001, active=(0, 8001))
    one = _recording(path, part=Part(**part, channel=1), n_samples=8001, active=(0, 8001), n_channels=1)
    late = _recording(path, part=Part(first=159_000, last=161_000), n_samples=2000, active=(0, 2000))
    with pytest.raises(AssetError, match=r"159000 to 161000 of 2 are asked for; the row was edited"):
        _store(tmp_path).samples(late, SR)
    monkeypatch.setattr("audiosynth.material.assets.decode", _never)
    store = _store(tmp_path)
    assert store.samples(both, SR).tobytes() == np.ascontiguousarray(whole[:, 40_000:48_001]).tobytes()
    assert np.array_equal(store.samples(one, SR), whole[1:, 40_000:48_001])
    assert np.array_equal(store.samples(one, 16000), dsp.resample(whole[1:, 40_000:48_001], sr_in=SR, sr_out=16000))


def test_in_a_tar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member of a tar is read in place too."""
    write_wav(tmp_path / "x" / "a.wav", _sound(), SR)
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("first.txt"), io.BytesIO(b""))
        tar.add(tmp_path / "x" / "a.wav", "b/a.wav")
    made = _recording(tmp_path / "x" / "a.wav", path="s.tar/b/a.wav")
    want = soundfile.read(tmp_path / "x" / "a.wav")[0]
    (tmp_path / "x" / "a.wav").unlink()
    monkeypatch.setattr("audiosynth.material.assets.decode", _never)
    assert np.array_equal(_store(tmp_path).stretch(made, SR, 777, 7777)[0], want[777:7777])


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("how", ["other", "in_place", "truncated", "gone"])
def test_a_file_that_changes_is_noticed(tmp_path: Path, name: str, how: str) -> None:
    """Replaced, overwritten, cut off or deleted between two stretches: the next one says so, and the process lives."""
    path = _write(tmp_path / name, _sound(), name[2:].upper(), "PCM_16")
    made, store = _recording(path), _store(tmp_path)
    store.stretch(made, SR, 0, 1000)
    if how == "other":
        _write(tmp_path / "b", _sound(seed=2), name[2:].upper(), "PCM_16").replace(path)
    elif how == "in_place":
        before = path.stat()
        with path.open("r+b") as file:
            file.seek(9000)
            file.write(b"other")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # even if its time is set back
    elif how == "truncated":
        os.truncate(path, 4000)
    else:
        path.unlink()
    words = "is missing; looked in" if how == "gone" else "the file changed: expected sha256"
    with pytest.raises(AssetError, match=words):
        store.stretch(made, SR, 100_000, 101_000)


def test_a_file_that_comes_back_elsewhere_is_found(tmp_path: Path) -> None:
    """Moved under another name below the root, it is found by its hash as any other."""
    made, store = _recording(write_wav(tmp_path / "a.wav", _sound(), SR)), _store(tmp_path)
    want = store.stretch(made, SR, 50, 60)
    (tmp_path / "a.wav").rename(tmp_path / "z.bin")
    write_wav(tmp_path / "a.wav", _sound(seed=5), SR)
    assert np.array_equal(store.stretch(made, SR, 50, 60), want)


def test_written_to_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is another one right after each stretch was read never gives a sample."""
    made, store = _recording(write_wav(tmp_path / "a.wav", _sound(), SR)), _store(tmp_path)
    read = stored_module.bytes_at

    def meanwhile(path: Path, first: int, size: int) -> object:
        os.utime(path)
        return read(path, first, size)

    monkeypatch.setattr(stored_module, "bytes_at", meanwhile)
    with pytest.raises(AssetError, match=r"d:a\.wav cannot be read, or is written to while it is read"):
        store.stretch(made, SR, 0, 10)


@pytest.mark.parametrize("damage", ["cut", "bit", "head", "empty", "gone"])
def test_a_damaged_decoded_file_is_made_again(tmp_path: Path, damage: str) -> None:
    """Cut off, with one bit turned, without a head or deleted: the sound is right all the same, before and after a start."""
    (tmp_path / "d").mkdir()
    made = _recording(_write(tmp_path / "d" / "a.flac", _sound(), "FLAC", "PCM_16"))
    store = _store(tmp_path / "d")
    want = store.stretch(made, SR, 100_000, 120_000)
    (file,) = (tmp_path / "d-decoded").glob("*.samples")
    for reader in (store, _store(tmp_path / "d")):
        data = bytearray(file.read_bytes())
        data[4096 + 2 * 110_000] ^= 4
        if damage == "gone":
            file.unlink()
        else:
            file.write_bytes({"cut": data[:50_000], "bit": data, "head": b"x" * len(data), "empty": b""}[damage])
        assert np.array_equal(reader.stretch(made, SR, 100_000, 120_000), want)
        assert [f for f in (tmp_path / "d-decoded").iterdir() if f.suffix == ".samples"] == [file]


def test_the_folder_stays_below_its_bound(tmp_path: Path) -> None:
    """Those unused for longest make room; what a running store reads stays, and what has no room is decoded into memory."""
    (tmp_path / "d").mkdir()
    made = [_recording(_write(tmp_path / "d" / f"{k}.flac", _sound(seed=k), "FLAC", "PCM_16")) for k in range(4)]
    want = [soundfile.read(tmp_path / "d" / f"{k}.flac")[0][500:600] for k in range(4)]
    folder, one = tmp_path / "d-decoded", 2 * made[0].n_samples + 5000

    def size() -> int:
        return sum(f.stat().st_size for f in folder.glob("*.samples"))

    first = _store(tmp_path / "d", most=2.5 * one)
    for k in range(4):
        assert np.array_equal(first.stretch(made[k], SR, 500, 600)[0], want[k])
    kept = {f.name for f in folder.glob("*.samples")}
    assert len(kept) == 2
    assert [first._get((r.sha256, SR)) is None for r in made] == [True, True, False, False]
    del first
    gc.collect()
    third = _store(tmp_path / "d", most=0.9 * one)
    assert np.array_equal(third.stretch(made[2], SR, 500, 600)[0], want[2])
    assert {f.name for f in folder.glob("*.samples")} == kept, "none is deleted in vain"
    second = _store(tmp_path / "d", most=2.5 * one)
    for k in (3, 2):
        assert np.array_equal(second.stretch(made[k], SR, 500, 600)[0], want[k])
        assert second._get((made[k].sha256, SR)) is None
    assert len(kept & {f.name for f in folder.glob("*.samples")}) == 0
    assert size() < 2.5 * one


def test_what_a_killed_process_left_makes_room(tmp_path: Path) -> None:
    """An unfinished file of a process that is gone counts until room is needed; that of one that lives stays."""
    (tmp_path / "d").mkdir()
    folder = tmp_path / "d-decoded"
    folder.mkdir()
    made = _recording(_write(tmp_path / "d" / "a.flac", _sound(), "FLAC", "PCM_16"))
    left = folder / f".{'ab' * 16}.samples.part"
    left.write_bytes(b"\0" * 2 * made.n_samples)
    with locked_file(folder / "ab.lock"):
        store = _store(tmp_path / "d", most=3 * made.n_samples)
        store.stretch(made, SR, 0, 10)
        assert left.exists()
        assert not [*folder.glob("*.samples")]
    _store(tmp_path / "d", most=3 * made.n_samples).stretch(made, SR, 0, 10)
    assert not left.exists()
    assert len([*folder.glob("*.samples")]) == 1


@pytest.mark.parametrize("why", ["bound", "disk", "folder", "none"])
def test_without_room_it_is_decoded_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """No room, a full disk, a folder that cannot be made or none at all: the same samples, and nothing left behind."""
    (tmp_path / "d").mkdir()
    made = _recording(_write(tmp_path / "d" / "a.flac", _sound(), "FLAC", "PCM_16"))
    place = tmp_path / "c"
    if why == "disk":
        monkeypatch.setattr(decoded_module, "ROOM", 2**62)
    elif why == "folder":
        place.write_text("a file")
    store = AssetStore(
        {"d": tmp_path / "d"}, decoded=DecodedFiles(None if why == "none" else place, 1000 if why == "bound" else 1e9)
    )
    want = soundfile.read(tmp_path / "d" / "a.flac")[0]
    assert np.array_equal(store.stretch(made, SR, 1000, 2000)[0], want[1000:2000])
    assert store._get((made.sha256, SR)) is not None
    assert not [*place.glob("*.samples"), *place.glob("*.part")]


def _ask(root: Path, made: Recording, queue: object) -> None:
    large_module.LARGE = 2 * SR
    read = soundfile.SoundFile.read
    n = []
    soundfile.SoundFile.read = lambda *args, **kwargs: (n.append(1), read(*args, **kwargs))[1]
    y = _store(root).stretch(made, SR, 0, made.n_samples)
    queue.put((len(n), hashlib.sha256(y.tobytes()).hexdigest()))


def test_two_processes_decode_once(tmp_path: Path) -> None:
    """Of two that ask at the same time, one decodes and the other waits for it; both get the same samples."""
    (tmp_path / "d").mkdir()
    made = _recording(_write(tmp_path / "d" / "a.flac", _sound(60.0), "FLAC", "PCM_16"))
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    pair = [context.Process(target=_ask, args=(tmp_path / "d", made, queue)) for _ in range(2)]
    for process in pair:
        process.start()
    told = sorted(queue.get(timeout=120) for _ in pair)
    for process in pair:
        process.join()
    assert told[0][0] == 0
    assert told[1][0] > 0
    assert told[0][1] == told[1][1]


def test_two_threads_of_one_process(tmp_path: Path) -> None:
    """Stores of two threads do not wait for each other for ever."""
    (tmp_path / "d").mkdir()
    made = _recording(_write(tmp_path / "d" / "a.flac", _sound(), "FLAC", "PCM_16"))
    got: list[bytes] = []
    pair = [
        threading.Thread(target=lambda: got.append(_store(tmp_path / "d").stretch(made, SR, 9, 99).tobytes()))
        for _ in "ab"
    ]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    assert len(got) == 2
    assert got[0] == got[1]


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_past_the_end_there_is_nothing(tmp_path: Path, name: str) -> None:
    """A stretch that goes on past the end ends there, as a slice does."""
    made = _recording(_write(tmp_path / name, _sound(), name[2:].upper(), "PCM_16"))
    store, n = _store(tmp_path), made.n_samples
    assert [store.stretch(made, SR, *span).shape for span in ((n - 5, n + 5), (n, n + 1), (n + 7, n + 9))] == [
        (1, 5), (1, 0), (1, 0)
    ]  # fmt: skip


def test_a_store_can_be_sent_to_another_process(tmp_path: Path) -> None:
    """Pickled after use, it reads the same."""
    (tmp_path / "d").mkdir()
    made = [_recording(_write(tmp_path / "d" / f"a.{x}", _sound(), x.upper(), "PCM_16")) for x in ("wav", "flac")]
    store = _store(tmp_path / "d")
    want = [store.stretch(recording, SR, 10, 20).tolist() for recording in made]
    again = pickle.loads(pickle.dumps(store))
    assert [again.stretch(recording, SR, 10, 20).tolist() for recording in made] == want


def test_edited_rows_and_damage_are_told(tmp_path: Path) -> None:
    """A row of another length, and a file of no numbers, are refused in the words that small ones have."""
    path = write_wav(tmp_path / "a.wav", _sound(), SR)
    with pytest.raises(AssetError, match=r"expected .*\(8000, 1, 150000\) as recorded, got \(8000, 1, 160000\)"):
        _store(tmp_path).stretch(_recording(path, n_samples=150_000, active=(0, 10)), SR, 0, 10)
    flac = _write(tmp_path / "c.flac", _sound(), "FLAC", "PCM_16")
    for sr in (SR, 2 * SR):
        with pytest.raises(AssetError, match=r"expected .*\(16000, 1, 160000\) as recorded, got \(8000, 1, 160000\)"):
            _store(tmp_path).stretch(_recording(flac, sr=2 * SR), sr, 0, 10)
    y = _sound()
    y[0, 1234] = np.nan
    path = _write(tmp_path / "b.wav", y, "WAV", "FLOAT")
    with pytest.raises(AssetError, match=r"1 samples are NaN or infinite \(the first is sample 1234\)"):
        _store(tmp_path).stretch(_recording(path), SR, 1000, 2000)


@pytest.mark.parametrize(
    "change", [{12: b"junk"}, {20: b"\x02\x00"}, {22: b"\x00\x00"}, {24: b"\x00\x00"}, {32: b"\x03\x00"}, {34: b"\x0c\x00"}, {40: b"\xff\xff"}]
)  # fmt: skip
def test_what_is_not_plain_is_left_to_libsndfile(tmp_path: Path, change: dict[int, bytes]) -> None:
    """Another tag, no channels, no rate, other bits, a data chunk that goes on past the end: not read in place."""
    path = write_wav(tmp_path / "a.wav", _sound(0.1), SR)
    data = bytearray(path.read_bytes())
    assert plain_wav(Span(path, 0, len(data))) is not None
    for at, new in change.items():
        data[at : at + len(new)] = new
    path.write_bytes(data)
    assert plain_wav(Span(path, 0, len(data))) is None


@pytest.mark.parametrize(
    ("n", "sr", "large"), [(2**24, 8000, True), (2**24 - 1, 8000, False), (2**23, 16000, True), (2**24, 3000, True), (2**23, 15999, False)]
)  # fmt: skip
def test_what_is_large(monkeypatch: pytest.MonkeyPatch, n: int, sr: int, large: bool) -> None:
    """2^24 samples over all channels, as it is or at the rate that is asked for."""
    monkeypatch.undo()
    made = Recording(data="d", path="a.wav", sha256="0" * 64, sr=8000, n_channels=1, n_samples=n, active=(0, 1))
    assert large_module.is_large(made, sr) is large
    two = made.model_copy(update={"n_channels": 2, "n_samples": n // 2})
    assert large_module.is_large(two, sr) is (large and n % 2 == 0)


def test_the_bound_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound in words is refused."""
    monkeypatch.setenv("AUDIOSYNTH_DECODED_GB", "much")
    with pytest.raises(UsageError, match=r"AUDIOSYNTH_DECODED_GB: expected a number of gigabytes, got 'much'"):
        AssetStore({})
