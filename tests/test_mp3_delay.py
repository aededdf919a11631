"""MP3 files that do not say how late their sound is: found, told, and put right where the recipe says by how much."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from corpora_writers import lines
from material import write_recipe

from audiosynth import build, load_recipe, reproduce
from audiosynth.errors import AssetError, RecipeError
from audiosynth.files.mpeg import LAME_DELAY, untold
from audiosynth.material.assets import AssetStore
from audiosynth.material.catalogue import CatalogueSpec, scan

SR = 16_000
LOWEST = 0.99
"""Compression at which the frames are too small for LAME's tag."""


def burst(sr: int) -> np.ndarray:
    """Return 1.5 s with half a second of low noise in it, from 0.25 s on, and silence in which encoders have room for their name."""
    y = np.zeros(sr * 3 // 2)
    slow = np.convolve(np.random.default_rng(1).standard_normal(sr // 2), np.hanning(sr // 1000), "same")
    y[sr // 4 : sr * 3 // 4] = 0.3 * slow / np.abs(slow).max()
    return y


def mp3(level: float, sr: int = SR, channels: int = 1) -> bytes:
    """Return the burst in an MP3."""
    out = io.BytesIO()
    y = np.repeat(burst(sr)[:, None], channels, axis=1)
    soundfile.write(
        out, y, sr, format="MP3", subtype="MPEG_LAYER_III", compression_level=level, bitrate_mode="CONSTANT"
    )
    return out.getvalue()


def lateness(y: np.ndarray, sr: int = SR) -> int:
    """Return by how many samples the burst comes late, where both are most alike."""
    n = 2 * y.size
    alike = np.fft.irfft(np.fft.rfft(y, n) * np.conj(np.fft.rfft(burst(sr), n)), n)
    return (int(np.argmax(alike)) + n // 2) % n - n // 2


def decoded(data: bytes) -> np.ndarray:
    """Return the first channel."""
    return np.asarray(soundfile.read(io.BytesIO(data), always_2d=True)[0][:, 0])


@pytest.mark.parametrize("sr", [8000, 16_000, 22_050, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_tells_its_delay_or_not(sr: int, channels: int) -> None:
    """A file says how late it is just where the decoder puts its sound back; without its first frame it does not, ID3 or not."""
    told, silent = mp3(0.3, sr, channels), mp3(LOWEST, sr, channels)
    assert (untold(told), lateness(decoded(told), sr)) == ("", 0)
    assert lateness(decoded(silent), sr) == LAME_DELAY
    maker = untold(silent)
    assert maker == "lame" or (maker == "other" and channels == 1)  # a frame of 8 kbit/s may have no room for the name
    id3 = b"ID3\x04\x00\x00\x00\x00\x02\x05" + b"\xff\xfb" * 130 + b"\0"  # 261 bytes that look like frames
    assert (untold(id3 + told), untold(id3 + silent)) == ("", maker)
    second = told.index(told[:2], 4)
    assert untold(told[second:]) == "lame"
    assert untold(told[second:].replace(b"LAME", b"FAME")) == "other"
    assert untold(b"RIFF" + bytes(200)) == untold(b"") == ""


def scanned(root: Path, **spec: Any) -> Any:
    """Scan the MP3 files of a folder."""
    made = CatalogueSpec.model_validate({"data": "d", "layout": "flat", **spec})
    return scan(made, name="clips", root=root, cache_dir=root.parent / "cache")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with an MP3 that tells its delay and one that does not."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root/told.mp3").write_bytes(mp3(0.3))
    (tmp_path / "root/late.mp3").write_bytes(mp3(LOWEST, channels=2))
    return tmp_path / "root"


def test_the_sound_is_where_it_was(root: Path) -> None:
    """With `encoder_delay` sound stands where it stood before it was encoded, in the file that needs it alone."""
    for delay, shift in ((None, LAME_DELAY), (0, LAME_DELAY), (LAME_DELAY, 0)):
        for _ in range(2):  # measured, and from the cache
            found = scanned(root, encoder_delay=delay)
            assert [r.path for r in found.recordings] == ["late.mp3", "told.mp3"]
            at = [lateness(AssetStore({"d": root}).samples(r, SR)[0]) for r in found.recordings]
            assert at == [shift, 0]
            assert found.late == (((str(root / "late.mp3"), "lame"),) if delay is None else ())


def test_times_of_a_corpus_count_from_there(root: Path) -> None:
    """Stretches and lengths that a corpus states are of the sound that was encoded."""
    row = {"audio_filepath": "late.mp3", "text": "x"}
    lines(root / "m.json", [{**row, "offset": 0.125, "duration": 1.0, "id": "a"}, {**row, "duration": 1.5, "id": "b"}])
    spec = {"layout": "nemo", "manifest": "m.json"}
    found = {r.meta["id"]: r for r in scanned(root, encoder_delay=LAME_DELAY, **spec).recordings}
    sounds = {key: AssetStore({"d": root}).samples(r, SR) for key, r in found.items()}
    assert {key: lateness(y[0]) for key, y in sounds.items()} == {"a": -SR // 8, "b": 0}
    with pytest.raises(AssetError, match=r"its file is stated to have 1\.5 s, and has 1\.\d+ s"):
        scanned(root, **spec)


def test_a_warning_until_it_is_said(root: Path) -> None:
    """A recipe warns of files whose delay nobody told; what it says is recorded, and the clip reproduces."""
    tree = {
        "sr": SR, "duration": 2.0, "clips": 1, "data": {"c": "root"}, "catalogues": {"c": {"data": "c", "layout": "flat"}},
        "events": [{"label": "x", "source": {"type": "file", "recording": {"pick": {"from": "c"}}, "trim": False}}],
    }  # fmt: skip
    (warning,) = load_recipe(write_recipe(root.parent / "a.yaml", tree), cache_dir=str(root.parent / "cache")).warnings
    assert "late.mp3; LAME made them, whose sound is 1105 samples late: say `encoder_delay: 1105`" in warning
    assert "told.mp3" not in warning
    (root / "told.mp3").unlink()
    tree["catalogues"]["c"]["encoder_delay"] = LAME_DELAY  # type: ignore[index]
    recipe = load_recipe(write_recipe(root.parent / "b.yaml", tree), cache_dir=root.parent / "cache")
    assert recipe.warnings == ()
    out = build(recipe, root.parent / "out").root
    assert '"part":{"first":1105,' in (out / "manifest.jsonl").read_text("utf-8").replace(" ", "")
    assert [one.same for one in reproduce(out, data={"c": str(root)})] == [True]
    tree["catalogues"]["c"]["encoder_delay"] = -1  # type: ignore[index]
    with pytest.raises(RecipeError, match="encoder_delay"):
        load_recipe(write_recipe(root.parent / "c.yaml", tree))
