"""The compiled loops of adding up and rounding, against NumPy's passes: the same bits."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from audiosynth import pcm
from audiosynth.building.memory import keep_freed_memory
from audiosynth.sound import mixing


@pytest.fixture
def plain(monkeypatch):
    """Have NumPy's passes, whatever has been loaded."""
    monkeypatch.setattr(mixing, "kernel", lambda: None)


@pytest.fixture
def compiled(monkeypatch):
    """Return what switches to the compiled loops for the rest of the test."""
    if not mixing.load_kernel():
        pytest.skip("numba cannot be loaded here")
    return lambda: monkeypatch.setattr(mixing, "kernel", lambda: sys.modules[mixing._KERNEL])


HALF = np.arange(-40_000, 40_000) + 0.5
SHIFTS = [0.0, *(s * 2.0**e * m for e in (-26, -24, -22, -20, -19) for s in (-1, 1) for m in (0.999, 1.0, 1.5))]
SOUNDS = {
    "halves": np.concatenate([HALF + shift for shift in SHIFTS])[None] / 2**15,
    "noise": 0.2 * np.random.default_rng(1).standard_normal((2, 70_001)),
    "tiny": np.array([[0.0, -0.0, 5e-324, -1e-310, 2.0**-16, -(2.0**-16)]]),
    "huge": np.array([[1.0, -1.0, 32767.4 / 32768, -32768.6 / 32768, 1e300, -1e300, 1e306]]),
    "none": np.zeros((1, 0)),
}


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("y", SOUNDS.values(), ids=SOUNDS.keys())
def test_rounding_is_the_same(plain, compiled, y, bits):
    """Integers, clipped samples and ties do not depend on whether numba is there."""
    want = pcm.quantise(y, bits=bits)
    compiled()
    got = pcm.quantise(y, bits=bits)
    assert (got.clipped, got.ties) == (want.clipped, want.ties)
    assert got.pcm.tobytes() == want.pcm.tobytes()


def test_samples_that_are_not_finite_are_found(compiled):
    """The compiled loop hands them on to the words that name them."""
    compiled()
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(pcm.RenderError, match="1 samples are not finite"):
            pcm.quantise(np.array([[0.1, bad, 0.2]]))


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("y", [row for y in SOUNDS.values() if y.size for row in y])
@pytest.mark.parametrize("own", [False, True])
def test_adding_is_the_same(plain, compiled, y, fresh, own):
    """Sums, scaled parts and peaks have the same bits, signs of zeros too; so has a NaN."""
    rng = np.random.default_rng(2)
    for extra in (0.0, np.nan):
        part = np.append(y, extra)
        part.flags.writeable = False
        before = rng.standard_normal(part.size)
        before[0] = -0.0
        made = []
        for switch in (lambda: None, compiled):
            switch()
            total, scaled = before.copy(), np.empty(part.size)
            under = None if fresh else total if own else before
            peak = mixing.add_scaled(under, part, 0.3, scaled=scaled, total=total)
            made.append((total.tobytes(), scaled.tobytes(), np.float64(peak).tobytes() if peak == peak else "nan"))
        assert made[0] == made[1]


def test_freed_memory_is_kept_where_the_c_library_can():
    """It says whether it could; asking twice does no harm."""
    import platform

    assert keep_freed_memory() is keep_freed_memory()
    if platform.libc_ver()[0] == "glibc":
        assert keep_freed_memory()
