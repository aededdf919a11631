"""Audio inside tar archives and Parquet files: what is wrong with them is named, nothing is unpacked, nothing outside is opened."""

from __future__ import annotations

import io
import json
import re
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from corpora_writers import SR, WHOLE, WRITERS, lines, sounds
from material import noise, write_wav

from audiosynth.corpora.detect import detect
from audiosynth.errors import AssetError
from audiosynth.files import archives
from audiosynth.files.paths import below, read_bytes
from audiosynth.kept import bounded
from audiosynth.material.catalogue import Catalogue, CatalogueSpec, scan

HEARD = {
    "id": "a", "sources": [{"type": "shar", "channels": [0], "source": ""}], "sampling_rate": SR, "num_samples": 5600,
    "duration": 0.7, "channel_ids": [0],
}  # fmt: skip
CUT = {"id": "a", "start": 0, "duration": 0.7, "channel": 0, "supervisions": [], "recording": HEARD, "type": "MonoCut"}


def read(root: Path, **spec: Any) -> Catalogue:
    """Scan a corpus."""
    made = CatalogueSpec.model_validate({"data": "d", **spec})
    return scan(made, name="corpus", root=root, cache_dir=root.parent / "cache")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a data root with a file of 0.7 s."""
    (tmp_path / "root").mkdir()
    write_wav(tmp_path / "root" / "a.wav", noise(0.7, SR, seed=1), SR)
    return tmp_path / "root"


def tar_of(path: Path, *members: tuple[str, bytes | None]) -> Path:
    """Write an archive of some files; of None, a link to ``/etc/passwd``."""
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            if data is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data or b""))
    return path


@pytest.mark.parametrize("name", ["lhotse_shar", "parquet"])
def test_is_found_by_its_files(tmp_path: Path, name: str) -> None:
    """`augment` knows the layout without being told; where the audio lies is a path that leads into the archive."""
    (tmp_path / "root").mkdir()
    sounds(tmp_path / "root", WHOLE)
    spec = WRITERS[name](tmp_path / "root", WHOLE)
    if name == "parquet":
        (tmp_path / "root" / WHOLE[0].file).unlink()
    assert detect(tmp_path / "root") == spec
    paths = [recording.path for recording in read(tmp_path / "root", **spec).recordings]
    if name == "lhotse_shar":
        assert paths[0] == "shar/recording.000000.tar/cut-84-121-0001.wav"
    else:
        assert paths == [
            "777-9-0000.wav",
            "train-00000-of-00002.parquet/audio/0",
            "train-00000-of-00002.parquet/audio/1",
        ]


@pytest.mark.parametrize(
    ("cut", "members", "said"),
    [
        (CUT, [("b.wav", b"x")], r"cuts\.000000\.jsonl:1: a: there is no audio of it in recording\.000000\.tar"),
        (CUT, [("a.nodata", b""), ("a.nometa", b"")], r"there is no audio of it"),
        (CUT, [("a.wav", None)], r"there is no audio of it"),
        (CUT, [("a.wav", b"x"), ("a.wav", b"y")], r"two files are called 'a\.wav'"),
        (CUT, [("a.wav", b"x"), ("./a.wav", b"y")], r"two files are called 'a\.wav'"),
        (CUT, [("a.wav", b"x")], r"a\.wav: not audio that libsndfile can read"),
        (CUT, [("a.wav", b"WAV"), ("a.json", json.dumps({**HEARD, "sampling_rate": 16_000}).encode())], r"jsonl:1: is stated at 16000 Hz, and its file is at 8000 Hz"),
        (CUT, [("a.wav", b"WAV"), ("a.json", b"{")], r"a: a\.json in recording\.000000\.tar is not JSON"),
        (CUT, [("a.wav", b"WAV"), ("a.json", b"[]")], r"nothing says what its recording is"),
        ({**CUT, "duration": 0.9}, [("a.wav", b"WAV")], r"jsonl:1: goes from 0 to 0\.9 s, past the end of its file"),
        ({**CUT, "id": "../a"}, [("../a.wav", b"WAV")], r"jsonl:1: \.\./a: there is no audio of it"),
        ({**CUT, "id": "/etc/passwd"}, [("/etc/passwd", b"WAV")], r"jsonl:1: /etc/passwd: there is no audio of it"),
        ({**CUT, "type": "MixedCut"}, [("a.wav", b"WAV")], r"jsonl:1: a: a MixedCut is neither"),
    ],
)  # fmt: skip
def test_bad_shards(root: Path, cut: Any, members: list[tuple[str, bytes | None]], said: str) -> None:
    """What is wrong with a shard is named with the line of its cut; links, and names that lead out, are no files."""
    data = {b"WAV": (root / "a.wav").read_bytes()}
    tar_of(root / "recording.000000.tar", *((name, data.get(held, held) if held else held) for name, held in members))
    lines(root / "cuts.000000.jsonl", [cut])
    with pytest.raises(AssetError, match=said):
        read(root, layout="lhotse_shar")


def test_bad_archives(root: Path) -> None:
    """Shards without archives, packed and damaged ones, and links that lead out of the data root."""
    with pytest.raises(AssetError, match=r"no cuts\.000000\.jsonl\.gz or the like"):
        read(root, layout="lhotse_shar")
    lines(root / "cuts.000000.jsonl", [CUT])
    with pytest.raises(AssetError, match=r"there is no recording\.000000\.tar beside it"):
        read(root, layout="lhotse_shar")
    audio = root / "recording.000000.tar"
    with tarfile.open(audio, "w:gz") as tar:
        tar.add(root / "a.wav", "a.wav")
    with pytest.raises(AssetError, match=r"is no tar archive that can be read at any place .* unpack a packed one"):
        read(root, layout="lhotse_shar")
    tar_of(audio, ("a.wav", (root / "a.wav").read_bytes()))
    audio.write_bytes(audio.read_bytes()[:3000])
    with pytest.raises(AssetError, match=r"recording\.000000\.tar: (cut off in 'a\.wav'|is no tar archive)"):
        read(root, layout="lhotse_shar")
    audio.unlink()
    audio.symlink_to(tar_of(root.parent / "outside.tar", ("a.wav", b"x")))
    with pytest.raises(AssetError, match="a link that leads outside the data root"):
        read(root, layout="lhotse_shar")


def test_large_members_are_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than the bound is refused by its header alone, in both kinds."""
    tar_of(root / "recording.000000.tar", ("a.wav", (root / "a.wav").read_bytes()))
    lines(root / "cuts.000000.jsonl", [CUT])
    table_of(root, [{"audio": {"bytes": (root / "a.wav").read_bytes(), "path": "a.wav"}}])
    monkeypatch.setattr(archives, "MAX_BYTES", 1000)
    with pytest.raises(AssetError, match=r"'a\.wav' has 11,244 bytes; at most 1,000 are read"):
        read(root, layout="lhotse_shar")
    with pytest.raises(AssetError, match=r"its row group 0 has [\d,]+ bytes; at most 1,000 are read at once"):
        read(root, layout="parquet")


def table_of(root: Path, rows: list[dict[str, Any]]) -> Path:
    """Write a Parquet file."""
    path = root / "train.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"audio": {"bytes": b"x", "path": "b.wav"}},
            r"train\.parquet:1: .*audio/0: not audio that libsndfile can read",
        ),
        ({"audio": {"bytes": None, "path": "b.wav"}}, r"train\.parquet:1: b: there is no file 'b\.wav'"),
        ({"audio": {"bytes": None, "path": "../../b.wav"}}, r"train\.parquet:1: b: .*leads outside the data root"),
        ({"audio": {"bytes": None, "path": None}}, r"train\.parquet:1: train-0: has neither bytes nor a path"),
        ({"audio": {"bytes": b"WAV", "path": "a.wav"}, "text": " "}, r"train\.parquet:1: a: its text is empty"),
        ({"audio": "a.wav", "text": "x"}, r"has no column of audio \(a struct of bytes and path\), but audio, text"),
    ],
)
def test_bad_tables(root: Path, row: dict[str, Any], said: str) -> None:
    """What is wrong with a Parquet file is named with its row."""
    audio = row["audio"]
    if isinstance(audio, dict) and audio["bytes"] == b"WAV":
        row = {**row, "audio": {**audio, "bytes": (root / "a.wav").read_bytes()}}
    if isinstance(audio, dict) and audio["path"] is None:
        row["audio"] = {"bytes": pyarrow.scalar(None, pyarrow.binary()).as_py(), "path": None}
    table_of(root, [row])
    with pytest.raises(AssetError, match=said):
        read(root, layout="parquet")


def test_bad_parquet_files(root: Path) -> None:
    """No file, half a file, two rows of one id, and a row that is not there."""
    with pytest.raises(AssetError, match=r"no \.parquet files"):
        read(root, layout="parquet")
    good = {"audio": {"bytes": (root / "a.wav").read_bytes(), "path": "a.wav"}, "text": "x"}
    path = table_of(root, [good, good])
    with pytest.raises(AssetError, match=r"train\.parquet:2: a: is the id of .*train\.parquet:1 already"):
        read(root, layout="parquet")
    assert below(root, "train.parquet/audio/1") == path / "audio" / "1"
    assert below(root, "train.parquet/audio/2") is None
    with pytest.raises(AssetError, match="has no row 2; it has 2"):
        read_bytes(path / "audio" / "2")
    with pytest.raises(AssetError, match="expected a column and a row"):
        read_bytes(path / "audio" / "x")
    with pytest.raises(AssetError, match="has no column 'text' of audio"):
        read_bytes(path / "text" / "0")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(AssetError, match=r"train\.parquet: is no Parquet file"):
        read(root, layout="parquet")


def test_another_column(root: Path) -> None:
    """Of several columns of audio the named one is read; numbers and texts beside it are fields, the split is in the file's name."""
    y = noise(0.3, SR, seed=2)
    write_wav(root / "b.wav", y, SR)
    sides = {name: {"bytes": (root / f"{name}.wav").read_bytes(), "path": f"{name}.wav"} for name in ("a", "b")}
    table_of(root, [{**sides, "id": "one", "take": 3, "words": ["x"]}])
    (found,) = read(root, layout="parquet", columns={"audio": "b"}).recordings
    assert (found.path, found.n_samples) == ("train.parquet/b/0", 2400)
    assert found.meta == {"id": "one", "take": 3, "split": "train"}
    np.testing.assert_array_equal(archives.bytes_of(archives.Place(root / "train.parquet", "b/0")), sides["b"]["bytes"])


def test_an_archive_that_changed(root: Path) -> None:
    """Another archive under the same name is looked at anew."""
    path = tar_of(root / "x.tar", ("a", b"one"))
    assert read_bytes(path / "a") == b"one"
    tar_of(path, ("b", b"x" * 20_000), ("a", b"other"))
    assert read_bytes(path / "a") == b"other"


@pytest.mark.parametrize("name", ["lhotse_shar", "parquet"])
def test_the_rest_is_not_lost(tmp_path: Path, name: str) -> None:
    """With ``on_bad: skip`` a damaged archive is left out and listed, and the others are read."""
    root = tmp_path / "root"
    root.mkdir()
    sounds(root, WHOLE)
    spec = WRITERS[name](root, WHOLE)
    first = sorted(path for path in root.rglob("*") if path.suffix in (".tar", ".parquet"))[0]
    first.write_bytes(first.read_bytes()[:100])
    found = read(root, on_bad="skip", **spec)
    assert [recording.meta["text"] for recording in found.recordings] == [WHOLE[2].text]
    (problem,) = found.problems
    assert problem.startswith(f"{first}: is no ")
    with pytest.raises(AssetError, match=re.escape(problem)):
        read(root, **spec)


def test_tables_of_archives_are_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few large tables or many small ones: what is held stays below the bound, and the one in use is read once all the same."""
    sizes = {"small": 20, "large": 400}
    made = {
        f"{kind}{k}": archives._version(tar_of(tmp_path / f"{kind}{k}.tar", *((f"{k}/{i:06d}.wav", b"") for i in range(n))))
        for kind, n in sizes.items() for k in range(8)
    }  # fmt: skip
    read = []
    look = archives._members.__wrapped__
    ask = bounded(100 * archives.BYTES_A_NAME, archives._bytes_held)(
        lambda of: (read.append(Path(of.path).stem), look(of))[1]
    )
    for name in ("small0", "small1", "small2", "small3", "small0", "small1", "small2", "small3"):
        assert len(ask(made[name])) == 20
    assert len(read) == 4
    for name in ("large0", "large0", "large1", "large1"):
        assert len(ask(made[name])) == 400
    assert read[4:] == ["large0", "large1"]
    ask(made["small0"])
    assert read[6:] == ["small0"]
    ask(made["large1"])
    assert read[7:] == ["large1"], "it was held alone"


def test_what_a_table_takes() -> None:
    """The estimate is within a third of what Python takes."""
    tracemalloc.start()
    table = {f"audio/train/{i:09d}/clip.wav": (10_000_000 + 5000 * i, 50_000 + i) for i in range(50_000)}
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert archives._bytes_held(table) == pytest.approx(taken, rel=0.33)
