"""The picture of a clip: what is drawn where, for awkward clips and labels."""

from __future__ import annotations

import itertools
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiosynth.clip import Label
from audiosynth.errors import ParameterError
from audiosynth.report.preview import MAX_LANES, PALETTE, class_colours, draw_clip, envelope, lanes, log_mel

SR = 16_000


def tone(frequency: float, n: int = SR, sr: int = SR) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(n) / sr)[None]


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


@pytest.mark.parametrize("name", ["dog bark", "Vögel", "犬", "$x_1$", "a$b", "", 'six "nails"', "x" * 200])
def test_any_words_can_be_labels_and_titles(tmp_path: Path, name: str) -> None:
    """Dollar signs are not mathematics, letters that the font lacks are no errors, long names no trouble."""
    draw_clip(tone(440), SR, [Label(name, 100, 9000)], tmp_path / "a.png", title=f"clip {name}")
    assert png_size(tmp_path / "a.png")[0] == 1000


@pytest.mark.parametrize("n", [1, 10, 1000, 16_000])
@pytest.mark.parametrize("n_channels", [1, 4])
def test_short_and_silent_clips_are_drawn(tmp_path: Path, n: int, n_channels: int) -> None:
    """A clip of one sample and a silent one have pictures too, without warnings."""
    draw_clip(np.zeros((n_channels, n)), SR, [Label("a", 0, n)], tmp_path / "a.png", title="t")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_the_same_picture_twice(tmp_path: Path) -> None:
    """Two drawings of one clip have the same bytes: neither time nor host is in them."""
    for name in "ab":
        draw_clip(tone(440), SR, [Label("a", 0, 99)], tmp_path / name, title="t")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_pyplot_stays_out(tmp_path: Path) -> None:
    """Drawing keeps no figures in pyplot's global list: it does not even import it."""
    present = "matplotlib.pyplot" in sys.modules
    draw_clip(tone(440), SR, [], tmp_path / "a.png", title="t")
    assert ("matplotlib.pyplot" in sys.modules) == present


@pytest.mark.parametrize("shape", [(16,), (1, 0), (0, 16)])
def test_no_samples_no_picture(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Arrays without samples or of another shape are refused."""
    with pytest.raises(ParameterError, match="shape"):
        draw_clip(np.zeros(shape), SR, [], tmp_path / "a.png", title="t")


events = st.lists(
    st.tuples(st.integers(0, 9000), st.integers(1, 5000), st.sampled_from(["a", "dog", "a long name of a class"])),
    max_size=40,
)


@settings(max_examples=100)
@given(events)
def test_bars_of_a_lane_never_meet(spans: list[tuple[int, int, str]]) -> None:
    """Every label is placed once, in a lane where nothing overlaps it, in at most 12 lanes."""
    labels = [Label(name, a, a + d) for a, d, name in spans]
    placed = lanes(labels, 1000, 14.0)
    key = [(p.label.onset, p.label.offset, p.label.label) for p in placed]
    assert sorted(key) == sorted((x.onset, x.offset, x.label) for x in labels)
    for lane in range(MAX_LANES + 1):
        mine = [p for p in placed if p.lane == lane]
        assert not mine or lane < MAX_LANES
        for one, two in itertools.combinations(mine, 2):
            assert one.label.offset <= two.label.onset
            assert one.text < two.text


def test_names_at_the_end_stay_in_the_picture() -> None:
    """The name of a short event at the very end starts early enough to be read."""
    (placed,) = lanes([Label("a rather long name", 15_900, 16_000)], SR, 1.0)
    assert placed.text < 0.9


def test_more_labels_than_lanes_are_counted(tmp_path: Path) -> None:
    """Twenty simultaneous events do not grow the picture without bound."""
    many, few = ([Label(f"c{i}", 0, 9000) for i in range(n)] for n in (40, MAX_LANES))
    draw_clip(tone(440), SR, many, tmp_path / "many.png", title="t")
    draw_clip(tone(440), SR, few, tmp_path / "few.png", title="t")
    assert png_size(tmp_path / "many.png") == png_size(tmp_path / "few.png")
    assert sum(p.lane is None for p in lanes(many, SR, 1.0)) == 40 - MAX_LANES


def test_classes_have_colours_of_their_own() -> None:
    """Seven classes have seven colours, whatever the order of the events."""
    labels = [Label(name, 0, 1) for name in "gfedcba"]
    assert sorted(class_colours(labels).values()) == sorted(PALETTE)
    assert class_colours(labels) == class_colours(labels[::-1])


@pytest.mark.parametrize("sr", [8000, 16_000, 44_100, 96_000])
@pytest.mark.parametrize("frequency", [500.0, 2000.0])
def test_a_tone_lies_in_its_mel_band(sr: int, frequency: float) -> None:
    """The loudest band of a tone is the one whose centre is nearest (Slaney's scale, 64 bands up to sr/2)."""
    import librosa

    level, hop = log_mel(tone(frequency, n=sr, sr=sr), sr)
    centres = librosa.mel_frequencies(n_mels=66, fmax=sr / 2)[1:-1]
    assert abs(int(level[:, level.shape[1] // 2].argmax()) - int(np.abs(centres - frequency).argmin())) <= 1
    assert abs(level.shape[1] * hop - sr) <= hop


def test_long_clips_have_bounded_spectrograms() -> None:
    """Ten minutes make no more frames than 1,500."""
    level, _ = log_mel(np.zeros((1, 600 * 8000)), 8000)
    assert level.shape[1] <= 1501


def test_the_envelope_holds_every_peak() -> None:
    """A single sample in a long clip is in the envelope, at its time."""
    y = np.zeros((2, 480_000))
    y[1, 123_456] = 0.9
    low, high, times = envelope(y, 48_000)
    at = int(high.argmax())
    assert high[at] == 0.9
    assert times[at] <= 123_456 / 48_000 < times[at + 1]
    assert low.min() == 0.0


def test_words_and_phones_are_drawn(tmp_path: Path) -> None:
    """What is said changes the picture of the same sound; names that have no room are left out, not their onsets."""
    from audiosynth.report.preview import readable

    said = {
        "words": [("hey", 2000, 5000), ("computer", 5200, 9000)],
        "phones": [("h", 2000, 2400), ("ˈeɪ", 2400, 5000)],
    }
    pictures = []
    for extra in ({}, said):
        path = tmp_path / f"{len(extra)}.png"
        draw_clip(tone(440.0), SR, [Label("hey computer", 2000, 9000, extra=extra)], path, title="x")
        pictures.append(path.read_bytes())
    assert pictures[0] != pictures[1]
    assert readable(said["words"], SR, 60.0) == [(2000 / SR, ""), (5200 / SR, "")]
    assert [name for _, name in readable(said["words"], SR, 1.0)] == ["hey", "computer"]
