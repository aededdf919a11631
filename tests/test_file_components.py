"""Recordings as sources and as backgrounds: cut at whole samples, looped without seams, the same in every block."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from audiosynth import dsp, registry
from audiosynth.clip import Recording, RenderContext
from audiosynth.errors import ParameterError, RenderError
from audiosynth.noises.file import FileNoise
from audiosynth.synths.file import File


class _Sounds:
    """Recordings in memory, resampled as the asset store does it."""

    def __init__(self, *sounds: np.ndarray, sr: int = 8000) -> None:
        self.sr = sr
        self.sounds = {f"{i:064x}": y for i, y in enumerate(sounds)}

    def recording(self, i: int = 0, **changes: Any) -> Recording:
        y = self.sounds[f"{i:064x}"]
        known = {
            "data": "d", "path": f"{i}.wav", "sha256": f"{i:064x}", "sr": self.sr, "n_channels": y.shape[0],
            "n_samples": y.shape[1], "active": (0, y.shape[1]),
        }  # fmt: skip
        return Recording.model_validate({**known, **changes})

    def samples(self, recording: Recording, sr: int) -> np.ndarray:
        y = dsp.resample(self.sounds[recording.sha256], sr_in=self.sr, sr_out=sr)
        y.flags.writeable = False
        return y

    def stretch(self, recording: Recording, sr: int, first: int, last: int) -> np.ndarray:
        return self.samples(recording, sr)[:, first:last]

    def mono(self, recording: Recording, sr: int) -> np.ndarray:
        y = self.samples(recording, sr)
        return sum(y[1:], start=y[0])[None] / y.shape[0]

    def context(self, *, sr: int | None = None, n_channels: int = 1) -> RenderContext:
        return RenderContext(sr=sr or self.sr, n_channels=n_channels, assets=self)


def _noise(n: int, *, seed: int = 0, n_channels: int = 1) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal((n_channels, n))


# --- source -------------------------------------------------------------------------------------------------------


def test_trimmed() -> None:
    """A trimmed recording is its active part, all of it active; untrimmed it is whole, its silence not active."""
    sounds = _Sounds(_noise(8000))
    made = sounds.recording(active=(1000, 5000))
    source, whole = File(recording=made), File(recording=made, trim=False)
    assert np.array_equal(source.render(sounds.context()), sounds.sounds[made.sha256][:, 1000:5000])
    assert (source.extent(8000), source.active(8000)) == (4000, (0, 4000))
    assert np.array_equal(whole.render(sounds.context()), sounds.sounds[made.sha256])
    assert (whole.extent(8000), whole.active(8000)) == (8000, (1000, 5000))


@pytest.mark.parametrize("sr", [8000, 16000, 44100, 11025])
@pytest.mark.parametrize(
    "fields", [{}, {"trim": False}, {"start": 0.1, "duration": 0.2}, {"start_sample": 77, "trim": False}]
)
def test_extent_is_exact(sr: int, fields: dict[str, Any]) -> None:
    """The length promised without decoding is the length given, at any rate; active lies inside."""
    sounds = _Sounds(_noise(7777, n_channels=2))
    source = File(recording=sounds.recording(active=(801, 6003)), **fields)
    y = source.render(sounds.context(sr=sr))
    assert y.shape == (1, source.extent(sr))
    first, last = source.active(sr)
    assert 0 <= first < last <= y.shape[1]


@pytest.mark.parametrize("sr", [8000, 44100])
def test_stretches_are_cut_from_the_whole(sr: int) -> None:
    """A stretch holds the same samples wherever it begins: the whole is resampled first."""
    sounds = _Sounds(_noise(8000))
    ctx = sounds.context(sr=sr)
    whole = File(recording=sounds.recording(), trim=False).render(ctx)
    for start in (0, 1, 1234):
        source = File(recording=sounds.recording(), start_sample=start, duration=0.25)
        assert source.render(ctx).tobytes() == whole[:, start : start + sr // 4].tobytes()


def test_start_in_seconds_and_samples() -> None:
    """`start` counts from the active part; `start_sample` is the same in samples and wins."""
    sounds = _Sounds(_noise(8000))
    made, y = sounds.recording(active=(1000, 7000)), sounds.sounds[f"{0:064x}"]
    a = File(recording=made, start=0.1, duration=0.2).render(sounds.context())
    assert np.array_equal(a, y[:, 1800:3400])
    b = File(recording=made, start=0.5, start_sample=800, duration=0.2).render(sounds.context())
    assert np.array_equal(a, b)


def test_slack() -> None:
    """With all of its slack a stretch ends where the active part ends; one sample more is past the end."""
    sounds = _Sounds(_noise(8000))
    source = File(recording=sounds.recording(active=(1000, 7000)), duration=0.5)
    room = source.slack(44100)
    assert room == (38588 - 5512) - 22050  # 7000 and 1000 at 44.1 kHz, rounded outwards
    assert source.model_copy(update={"start_sample": room}).extent(44100) == 22050
    with pytest.raises(ParameterError):
        source.model_copy(update={"start_sample": room + 1}).extent(44100)
    assert File(recording=sounds.recording()).slack(44100) == 0


@pytest.mark.parametrize(
    "fields", [{"duration": 0.8}, {"start": 0.5, "duration": 0.3}, {"start": 0.75}, {"start_sample": 6000}]
)
def test_past_the_end(fields: dict[str, Any]) -> None:
    """A stretch past the end is an error that names the file and its length; nothing is padded."""
    sounds = _Sounds(_noise(8000))
    source = File(recording=sounds.recording(active=(1000, 7000)), **fields)
    with pytest.raises(
        ParameterError, match=r"d:0\.wav has 0\.750000 s of active sound, and the recipe asks for .*shorten"
    ):
        source.extent(8000)


def test_no_room_at_all() -> None:
    """Asking for the slack of a stretch that does not fit is an error too."""
    sounds = _Sounds(_noise(800))
    with pytest.raises(ParameterError, match=r"has 0\.100000 s"):
        File(recording=sounds.recording(), duration=0.2).slack(8000)


def test_stretch_in_the_silence() -> None:
    """An untrimmed stretch that misses the active part is an error."""
    sounds = _Sounds(_noise(8000))
    source = File(recording=sounds.recording(active=(4000, 5000)), trim=False, duration=0.25)
    with pytest.raises(ParameterError, match=r"lies in the silence before 0\.500 or after 0\.625 s"):
        source.active(8000)


def test_less_than_a_sample() -> None:
    """A duration that rounds to no sample is an error."""
    sounds = _Sounds(_noise(8000))
    with pytest.raises(ParameterError, match="less than one sample at 8000 Hz"):
        File(recording=sounds.recording(), duration=0.00002).extent(8000)


def test_channels() -> None:
    """`mix` is the mean, a number that channel, `all` must fit the clip; a channel that is not there is refused."""
    sounds = _Sounds(_noise(800, n_channels=2))
    made, y = sounds.recording(), sounds.sounds[f"{0:064x}"]
    ctx = sounds.context(n_channels=2)
    assert np.allclose(File(recording=made).render(ctx), y.mean(axis=0), atol=1e-16)
    assert np.array_equal(File(recording=made, channel=1).render(ctx), y[1:])
    assert np.array_equal(File(recording=made, channel="all").render(ctx), y)
    with pytest.raises(RenderError, match=r"0\.wav has 2 channels and the clip 1"):
        File(recording=made, channel="all").render(sounds.context())
    with pytest.raises(ValidationError, match=r"channel 2 is not in 0\.wav, which has 2"):
        File(recording=made, channel=2)


def test_nothing_to_read_from() -> None:
    """Without an asset store a recording cannot be rendered, and the message says so."""
    sounds = _Sounds(_noise(800))
    with pytest.raises(RenderError, match="no recordings at hand"):
        File(recording=sounds.recording()).render(RenderContext(sr=8000))
    with pytest.raises(RenderError, match="no recordings at hand"):
        FileNoise(recording=sounds.recording()).render(RenderContext(sr=8000), start=0, n_samples=1)


# --- background ---------------------------------------------------------------------------------------------------


def _bed(sounds: _Sounds, n: int, **fields: Any) -> FileNoise:
    return FileNoise(recordings=tuple(sounds.recording(i) for i in range(n)), **fields)


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(160, 900), min_size=1, max_size=3),
    crossfade=st.sampled_from([0.0, 0.001, 0.01]),
    start_sample=st.integers(0, 5000),
    start=st.integers(0, 5000),
    cuts=st.lists(st.integers(0, 3000), max_size=5),
)
def test_any_partition(sizes: list[int], crossfade: float, start_sample: int, start: int, cuts: list[int]) -> None:
    """Sample n depends on n alone: any partition gives the same bits."""
    sounds = _Sounds(*(_noise(n, seed=k) for k, n in enumerate(sizes)))
    bed, ctx = _bed(sounds, len(sizes), crossfade=crossfade, start_sample=start_sample), sounds.context()
    whole = bed.render(ctx, start=start, n_samples=3000)
    edges = [0, *sorted(cuts), 3000]
    parts = [bed.render(ctx, start=start + a, n_samples=b - a) for a, b in pairwise(edges)]
    assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()


def test_loop() -> None:
    """The bed repeats after its period, and `start_sample` only moves it."""
    sounds = _Sounds(_noise(900, seed=1), _noise(1100, seed=2))
    bed, ctx = _bed(sounds, 2, crossfade=0.01), sounds.context()
    period = bed.period(8000)
    assert period == 900 + 1100 - 2 * 80
    y = bed.render(ctx, start=0, n_samples=3 * period)
    assert np.array_equal(y[:, :period], y[:, period : 2 * period])
    moved = bed.model_copy(update={"start_sample": 333}).render(ctx, start=0, n_samples=period)
    assert np.array_equal(moved, y[:, 333 : 333 + period])


def test_between_joints_as_recorded() -> None:
    """Between joints the recordings stand untouched, one after the other."""
    sounds = _Sounds(_noise(900, seed=1), _noise(1100, seed=2))
    y = _bed(sounds, 2, crossfade=0.01).render(sounds.context(), start=0, n_samples=1840)
    assert np.array_equal(y[:, 80:820], sounds.sounds[f"{0:064x}"][:, 80:820])
    assert np.array_equal(y[:, 900:1840], sounds.sounds[f"{1:064x}"][:, 80:1020])


def test_no_crossfade_is_plain_looping() -> None:
    """Without cross-fade the recordings are simply strung together."""
    sounds = _Sounds(_noise(300, seed=1), _noise(200, seed=2))
    y = _bed(sounds, 2, crossfade=0.0).render(sounds.context(), start=0, n_samples=1000)
    once = np.concatenate(list(sounds.sounds.values()), axis=1)
    assert np.array_equal(y, np.tile(once, 2))


def test_joints_keep_power() -> None:
    """Equal-power joints of unrelated noise keep its power: averaged over many joints, within 2 % at every place."""
    n, joint = 200, 80
    sounds = _Sounds(*(_noise(n, seed=k) for k in range(400)))
    bed = _bed(sounds, 400, crossfade=joint / 8000)
    y = bed.render(sounds.context(), start=0, n_samples=bed.period(8000))
    power = np.square(y.reshape(400, n - joint)).mean(axis=0)
    joint_power = power[:joint].reshape(8, 10).mean(axis=1)
    assert np.abs(joint_power / 0.01 - 1).max() < 0.1
    assert abs(power[:joint].mean() / power[joint:].mean() - 1) < 0.05


def test_joint_curves() -> None:
    """The two sides of a joint are sin and cos of a quarter turn, sampled in the middle of each sample."""
    sounds = _Sounds(np.ones((1, 400)), np.full((1, 400), 1000.0))
    y = _bed(sounds, 2, crossfade=0.01).render(sounds.context(), start=320, n_samples=80)[0]
    x = (np.arange(80) + 0.5) / 80 * np.pi / 2
    assert np.allclose(y, np.cos(x) + 1000 * np.sin(x), rtol=1e-13)


def test_too_short_for_its_joints() -> None:
    """A recording shorter than two joints is an error that names it."""
    sounds = _Sounds(_noise(8000), _noise(799))
    with pytest.raises(
        ParameterError, match=r"d:1\.wav has 0\.100 s, less than two joints of 0\.05 s; shorten `crossfade`"
    ):
        _bed(sounds, 2).period(8000)


def test_trimmed_loop() -> None:
    """Silence at the ends of a recording does not become a hole in the loop, unless asked for."""
    sounds = _Sounds(np.concatenate([np.zeros((1, 500)), _noise(4000), np.zeros((1, 500))], axis=1))
    made = sounds.recording(active=(500, 4500))
    assert FileNoise(recording=made).period(8000) == 4000 - 400
    y = FileNoise(recording=made).render(sounds.context(), start=0, n_samples=12_000)
    assert np.square(y).reshape(-1, 100).mean(axis=1).min() > 0.002
    assert FileNoise(recording=made, trim=False).period(8000) == 5000 - 400


def test_bed_channels() -> None:
    """All channels come as they are, in step; a mix is mono."""
    sounds = _Sounds(_noise(2000, n_channels=2))
    y = FileNoise(recording=sounds.recording(), channel="all").render(
        sounds.context(n_channels=2), start=7, n_samples=3000
    )
    for c in range(2):
        one = FileNoise(recording=sounds.recording(), channel=c).render(
            sounds.context(n_channels=2), start=7, n_samples=3000
        )
        assert one.tobytes() == y[c : c + 1].tobytes()
    mix = FileNoise(recording=sounds.recording()).render(sounds.context(n_channels=2), start=7, n_samples=3000)
    assert np.allclose(mix, y.mean(axis=0), atol=1e-16)
    with pytest.raises(RenderError, match="has 2 channels and the clip 4"):
        FileNoise(recording=sounds.recording(), channel="all").render(
            sounds.context(n_channels=4), start=0, n_samples=9
        )


def test_own_annotations() -> None:
    """A background's events come along, through every loop, cut at the clip's edges and at the recording's trims."""
    sounds = _Sounds(_noise(8000), _noise(8000, seed=1))
    events = [[0.0, 0.2, "early"], [0.5, 0.75, "bark"]]
    one = sounds.recording(0, active=(800, 8000), meta={"events": events})
    bed = FileNoise(recordings=(one, sounds.recording(1)), crossfade=0.1)
    period = 7200 + 8000 - 2 * 800
    assert bed.period(8000) == period
    assert bed.annotations(8000, 2 * period) == [
        (0, 800, "early"), (3200, 5200, "bark"), (period, period + 800, "early"), (period + 3200, period + 5200, "bark"),
    ]  # fmt: skip
    later = bed.model_copy(update={"start_sample": 4000})
    assert later.annotations(8000, 1000) == [(0, 1000, "bark")]
    assert later.annotations(16000, 1000) == []


def test_annotations_are_where_the_sound_is() -> None:
    """An annotated click is heard in the bed where its annotation says, in every loop and at another rate."""
    y = np.full((1, 8000), 1e-6)
    y[:, 4000:4080] = 1.0
    sounds = _Sounds(y)
    made = sounds.recording(meta={"events": [[0.5, 0.51, "click"]]})
    bed = FileNoise(recording=made, start_sample=5000)
    for sr in (8000, 44100):
        n = 4 * bed.period(sr)
        heard = np.flatnonzero(bed.render(sounds.context(sr=sr), start=0, n_samples=n)[0] > 0.5)
        found = bed.annotations(sr, n)
        assert len(found) == 4
        inside = np.concatenate([np.arange(a, b) for a, b, _ in found])
        # The edge of a step lies halfway between two stored samples, up to 3 samples of the clip away.
        assert np.isin(heard, np.concatenate([inside + k for k in range(-3, 4)])).all()
        assert heard.size > 0.95 * inside.size


@pytest.mark.parametrize("fields", [{}, {"recordings": ()}, "both"])
def test_one_or_several(fields: Any) -> None:
    """A bed has one `recording`, or `recordings`; not both, not none."""
    made = _Sounds(_noise(800)).recording()
    with pytest.raises(ValidationError, match="either `recording` or `recordings`"):
        FileNoise(**({"recording": made, "recordings": (made,)} if fields == "both" else fields))


def test_from_json() -> None:
    """Beds of several recordings come back from JSON, where tuples are lists."""
    sounds = _Sounds(_noise(800), _noise(900))
    bed = _bed(sounds, 2, crossfade=0.01)
    assert registry.create("noises", registry.dump(bed)) == bed
