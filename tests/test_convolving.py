"""Convolution with responses: against exact sums of whole numbers, and the compiled loops against NumPy's passes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audiosynth.clip import Response
from audiosynth.errors import ParameterError
from audiosynth.material import workspace
from audiosynth.material.workspace import Workspace
from audiosynth.sound import convolving, fourier

SIZES = [
    (1, 1),
    (2, 3),
    (5, 128),
    (100, 29),
    (300, 213),
    (1000, 27),
    (700, 900),
    (900, 893),
    (2000, 561),
    (7000, 200),
    (9000, 2265),
]
"""Samples of sound and response: one, less than a vector, and lengths of 1, 3, 5 and 7 times powers of two, odd and even ones."""
ODD_PARTS = {1, 3, 5, 7}


@pytest.fixture
def plain(monkeypatch):
    """Have NumPy's passes, whatever has been loaded."""
    monkeypatch.setattr(convolving, "kernel", lambda: None)


@pytest.fixture
def compiled(monkeypatch):
    """Return what switches to the compiled loops for the rest of the test."""
    if not convolving.load_kernel():
        pytest.skip("numba cannot be loaded here")
    return lambda: monkeypatch.setattr(convolving, "kernel", lambda: sys.modules[convolving._KERNEL])


def convolved(y, h):
    """Return the convolution of two arrays."""
    n = y.shape[1] + h.shape[1] - 1
    return convolving.convolve(y, convolving.spectrum(h, n), n_samples=n)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_sums_of_whole_numbers_are_exact(plain, size):
    """Products of small integers, added up: what comes out is within a ten-millionth of the true integer."""
    rng = np.random.default_rng(sum(size))
    y, h = (rng.integers(-1000, 1001, (1, n)).astype(float) for n in size)
    want = np.convolve(y[0].astype(int), h[0].astype(int))
    assert np.abs(convolved(y, h) - want).max() < 1e-7


def test_every_kind_of_length_is_tried():
    """Of the sizes above: all odd factors, and both last stages (of radix 4 and 2)."""
    rows = [convolving.rows_of(n + taps - 1) for n, taps in SIZES]
    assert {fourier.transform_of(m).odd for m in rows} == ODD_PARTS
    assert {(m & -m).bit_length() % 2 for m in rows} == {0, 1}


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_compiled_loops_give_the_same_bits(plain, compiled, size):
    """Spectra and samples do not depend on whether numba is there."""
    rng = np.random.default_rng(sum(size))
    y, h = (rng.standard_normal((1, n)) for n in size)
    n = sum(size) - 1
    want = convolving.spectrum(h, n), convolved(y, h)
    compiled()
    assert convolving.spectrum(h, n).tobytes() == want[0].tobytes()
    assert convolved(y, h).tobytes() == want[1].tobytes()


@pytest.mark.parametrize("loops", [False, True])
def test_channels(plain, compiled, loops):
    """Mono with several, several with mono, several with as many: each as alone."""
    if loops:
        compiled()
    rng = np.random.default_rng(3)
    y, h = rng.standard_normal((2, 300)), rng.standard_normal((2, 100))
    for sound, response in ((y, h), (y[:1], h), (y, h[:1])):
        got = convolved(sound, response)
        assert got.shape == (2, 399)
        for c in range(2):
            want = np.convolve(sound[min(c, len(sound) - 1)], response[min(c, len(response) - 1)])
            assert np.abs(got[c] - want).max() < 1e-13


def test_a_delay_moves_a_sound_whole():
    """A response of one sample gives the sound again, later and scaled: nothing wraps to the front or leaks to the end."""
    y, h = np.zeros((1, 4096)), np.zeros((1, 512))
    y[0, [0, 1, 4095]], h[0, 511] = (1.0, -0.5, 0.25), 2.0
    want = np.zeros(4607)
    want[[511, 512, 4606]] = 2.0, -1.0, 0.5
    assert np.abs(convolved(y, h)[0] - want).max() < 1e-15


@pytest.mark.parametrize("n", [1, 127, 128, 129, 5000, 23_999, 100_003, 440_999, convolving.LARGEST])
def test_lengths_hold_what_is_convolved_and_little_more(n):
    """At least what is needed; up to a third more, but for the shortest."""
    held = 16 * convolving.rows_of(n)
    assert n <= held <= max(256, n * 4 / 3 + 16)


def test_what_does_not_fit_is_refused():
    """Lengths and channels."""
    h = convolving.spectrum(np.ones((3, 4)), 10)
    with pytest.raises(ParameterError, match="2 channels and a response of 3; one must be mono"):
        convolving.convolve(np.ones((2, 7)), h, n_samples=10)
    with pytest.raises(ParameterError, match="a spectrum for 128 samples and 900 of sound do not give 903"):
        convolving.convolve(np.ones((1, 900)), h, n_samples=903)
    with pytest.raises(ParameterError, match="a response of 11 samples does not fit in 10"):
        convolving.spectrum(np.ones((1, 11)), 10)
    with pytest.raises(ParameterError, match="are convolved in parts; at most 2097152 are at once"):
        convolving.rows_of(convolving.LARGEST + 1)


def test_a_workspace_convolves_what_is_longer_too(monkeypatch):
    """Beyond the largest length a library's transform takes over: the same to rounding, and spectra are kept apart."""
    rng = np.random.default_rng(5)
    y, response = rng.standard_normal((1, 500)), Response(rng.standard_normal((1, 200)), 0, key=("a room",))
    work = Workspace()
    short = work.convolve(y, response)
    monkeypatch.setattr(convolving, "LARGEST", 600)
    long = work.convolve(y, response)
    assert short.shape == long.shape == (1, 699)
    assert 0 < np.abs(short - long).max() < 1e-12
    assert len(work._spectra._items) == 2


def test_a_workspace_that_convolves_much_loads_the_loops(monkeypatch):
    """Once, when NumPy's passes have had their share."""
    asked = []
    monkeypatch.setattr(convolving, "load_kernel", lambda: asked.append(1))
    monkeypatch.setattr(workspace, "COMPILE_AFTER", 900)
    work, response = Workspace(), Response(np.ones((1, 100)), 0)
    for want in (0, 1, 1, 1):
        work.convolve(np.ones((1, 400)), response)
        assert len(asked) == want


CHILD = """
import os, sys
from numpy._core._multiarray_umath import __cpu_features__ as on
off = os.environ["NPY_DISABLE_CPU_FEATURES"].split()
assert not any(on[name] for name in off), [name for name in off if on[name]]
sys.path.insert(0, sys.argv[1])
from audiosynth.sound import convolving
from test_convolving import digest_of_convolutions
before = digest_of_convolutions()
assert convolving.load_kernel()
print(before, digest_of_convolutions())
"""


def digest_of_convolutions() -> str:
    """Return a hash of all sizes convolved."""
    digest = hashlib.sha256()
    for size in SIZES:
        rng = np.random.default_rng(sum(size))
        digest.update(convolved(*(rng.standard_normal((1, n)) for n in size)).tobytes())
    return digest.hexdigest()


def test_bits_do_not_depend_on_the_processor(compiled) -> None:
    """Not on NumPy's loops for better processors, nor on which one numba compiles for: the least there is, and this one."""
    core = pytest.importorskip("numpy._core._multiarray_umath")
    here = Path(__file__).resolve().parent
    environment = {
        **os.environ,
        "NPY_DISABLE_CPU_FEATURES": " ".join(name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]),
        "NUMBA_CPU_NAME": "generic",
        "PYTHONPATH": os.pathsep.join([str(here.parent), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-c", CHILD, str(here)]
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert child.returncode == 0, child.stderr
    compiled()
    assert set(child.stdout.split()) == {digest_of_convolutions()}
