"""Diffuse fields against theory: coherence, powers, and bits that do not depend on how a sound is cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from audiosynth.acoustics.arrays import ambisonic, circular, linear, positions, rotation, tetrahedral, unit
from audiosynth.acoustics.diffuse import coherent_noise, decorrelator, diffuse_mixer, mix, spread
from audiosynth.acoustics.isotropic import cross_powers, mixing_matrix, powers
from audiosynth.dice import gaussian_at
from audiosynth.errors import ParameterError

SR, C = 16000, 343.0
ARRAYS = {
    "pair 5 mm": linear(2, spacing=0.005),
    "pair 5 cm": linear(2, spacing=0.05),
    "pair 1 m": linear(2, spacing=1.0),
    "eight": linear(8, spacing=0.04),
    "tetrahedron": tetrahedral(radius=0.042),
    "cardioids": tetrahedral(radius=0.042, pattern="cardioid").turned(yaw=30.0, pitch=10.0),
    "circle": circular(3, radius=0.1, pattern="hypercardioid"),
    "ambisonics": ambisonic(),
}


def sphere(n: int) -> np.ndarray:
    z = 1 - (2 * np.arange(n) + 1) / n
    return unit(np.degrees(np.pi * (1 + 5**0.5) * np.arange(n)), np.degrees(np.arcsin(z)))


def normalised(gamma: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.real(np.einsum("fmm,fnn->fmn", gamma, gamma)))
    return gamma / size


def welch(y: np.ndarray, n_fft: int = 512) -> tuple[np.ndarray, np.ndarray]:
    """Return cross spectra (n_frequencies, n, n), Hann windows half overlapping, as E[X_m X_n*]."""
    window = np.hanning(n_fft + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(y, n_fft, axis=-1)[:, :: n_fft // 2] * window
    spectra = np.fft.rfft(frames, axis=-1)
    return np.fft.rfftfreq(n_fft, 1 / SR), np.einsum("mtf,ntf->fmn", spectra, spectra.conj()) / frames.shape[1]


# ---- the field itself


@pytest.mark.parametrize("name", ARRAYS)
def test_the_closed_form_is_the_mean_over_all_directions(name):
    """Cross powers equal the sum over 40,000 plane waves spread evenly over the sphere, imaginary parts included."""
    array, u = ARRAYS[name], sphere(40000)
    f = np.array([0.0, 40.0, 300.0, 1000.0, 2500.0])
    heard = array.gains(u)
    for k, frequency in enumerate(f):
        phase = np.exp(2j * np.pi * frequency / C * (u @ array.offsets.T))
        waves = heard * phase
        expected = waves.T @ waves.conj() / len(u)
        np.testing.assert_allclose(cross_powers(array, f, c=C)[k], expected, atol=1e-3)


def test_omnis_have_the_sinc():
    """Open omnidirectional microphones: sin(kd)/(kd), 1 at 0 Hz, 0 where the distance is half a wave."""
    f = np.linspace(0.0, 8000.0, 500)
    gamma = cross_powers(linear(2, spacing=0.05), f, c=C)
    np.testing.assert_allclose(gamma[:, 0, 1], np.sinc(2 * f * 0.05 / C), atol=1e-12)
    assert abs(cross_powers(linear(2, spacing=0.05), np.array([C / 0.1]), c=C)[0, 0, 1]) < 1e-15


def test_small_and_large_arguments_meet():
    """Series and closed form agree where one takes over: no step in any cross power."""
    array = tetrahedral(radius=0.042, pattern="cardioid")
    x = np.linspace(0.29, 0.31, 2001)
    gamma = cross_powers(array, x * C / (2 * np.pi * 0.042 * (8 / 3) ** 0.5), c=C)
    assert np.abs(np.diff(gamma, n=2, axis=0)).max() < 1e-10


def test_powers_of_patterns():
    """Omni 1, cardioid 1/3, hypercardioid 1/4, ambisonics 1, 1/3, 1/3, 1/3."""
    named = [positions([[0, 0, 0]], pattern=name) for name in ("omni", "cardioid", "hypercardioid")]
    np.testing.assert_allclose([powers(array)[0] for array in named], [1, 1 / 3, 1 / 4])
    np.testing.assert_allclose(powers(ambisonic()), [1, 1 / 3, 1 / 3, 1 / 3])


def test_turning_the_array_changes_nothing():
    """A field that is the same from everywhere does not know how an array is turned."""
    array, f = ARRAYS["circle"], np.linspace(0, 4000, 50)
    turned = array.turned(yaw=77.0, pitch=-33.0)
    np.testing.assert_allclose(cross_powers(turned, f, c=C), cross_powers(array, f, c=C), atol=1e-12)
    assert not np.allclose(rotation(yaw=77.0), np.eye(3))


def test_the_mixing_matrix_is_a_root():
    """L is lower triangular and L·Lᴴ is what was asked, also where all microphones hear the same."""
    gamma = cross_powers(ARRAYS["cardioids"], np.array([0.0, 10.0, 1000.0]), c=C)
    noise = np.full(4, 1e-6)
    root = mixing_matrix(gamma, noise)
    np.testing.assert_allclose(root @ np.conj(np.swapaxes(root, 1, 2)), gamma + np.diag(noise), atol=1e-14)
    assert not np.triu(np.abs(root).max(axis=0), 1).any()


# ---- the filters and the noise


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("sr", [16000, 48000])
def test_the_filters_are_as_accurate_as_they_say(name, sr):
    """Without any noise: coherence within 0.004 up to 300 Hz below sr/2, level within 0.06 dB throughout."""
    array = ARRAYS[name]
    mixer = diffuse_mixer(array, sr=sr, c=C)
    n = 32768
    f = (np.arange(n // 2 + 1) * sr / n)[::11]
    h = np.fft.rfft(mixer.taps, n, axis=-1)[..., ::11]
    made, asked = np.einsum("mkf,nkf->fmn", h, h.conj()), cross_powers(array, f, c=C)
    below = f < sr / 2 - 300
    assert np.abs(normalised(made) - normalised(asked))[below].max() < 0.004
    level = np.real(np.einsum("fmm->fm", made)) / powers(array)
    assert np.abs(10 * np.log10(level)).max() < 0.06
    np.testing.assert_allclose(np.sum(mixer.taps**2, axis=(1, 2)), powers(array))


@pytest.mark.parametrize("name", ["pair 5 cm", "cardioids", "ambisonics"])
def test_the_noise_has_the_coherence_of_theory(name):
    """Measured on 40 s: within 0.08 at every frequency from 60 Hz on, rms 0.02 (chance alone); powers within 0.1 dB."""
    array = ARRAYS[name]
    y = coherent_noise(7, diffuse_mixer(array, sr=SR, c=C), start=0, n_samples=40 * SR)
    f, cross = welch(y)
    error = np.abs(normalised(cross) - normalised(cross_powers(array, f, c=C)))[2:-10]
    assert error.max() < 0.08
    assert np.sqrt(np.mean(error**2)) < 0.02
    np.testing.assert_allclose(10 * np.log10(np.mean(y**2, axis=1) / powers(array)), 0.0, atol=0.1)


def test_the_tail_of_two_microphones_of_the_notes():
    """Two microphones 5 cm apart: .99, .97, .87, .53 at 250, 500, 1000, 2000 Hz."""
    y = coherent_noise(3, diffuse_mixer(linear(2, spacing=0.05), sr=SR, c=C), start=0, n_samples=40 * SR)
    f, cross = welch(y)
    seen = np.abs(normalised(cross)[:, 0, 1])
    for frequency, expected in ((250, 0.99), (500, 0.97), (1000, 0.87), (2000, 0.53)):
        assert seen[np.argmin(np.abs(f - frequency))] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("name", ["pair 5 cm", "pair 1 m", "cardioids", "ambisonics"])
def test_any_cut_gives_the_same_bits(name):
    """Sample n depends on n alone: pieces of any size, from any start, equal the whole to the last bit."""
    mixer = diffuse_mixer(ARRAYS[name], sr=SR, c=C)
    whole = coherent_noise(5, mixer, start=0, n_samples=20000)
    for edges in ((0, 1, 2, 900, 20000), (3, 4096, 4097, 12345, 19999), (mixer.n_block - 1, mixer.n_block + 1, 20000)):
        for a, b in pairwise(edges):
            np.testing.assert_array_equal(coherent_noise(5, mixer, start=a, n_samples=b - a), whole[:, a:b])
    assert coherent_noise(5, mixer, start=10, n_samples=0).shape == (len(ARRAYS[name]), 0)
    far = 10**12
    np.testing.assert_array_equal(
        coherent_noise(5, mixer, start=far, n_samples=50)[:, 7:], coherent_noise(5, mixer, start=far + 7, n_samples=43)
    )


def test_seeds_and_streams_are_independent():
    """Another seed or stream name is other noise (correlation under 0.02 in 6 s)."""
    mixer = diffuse_mixer(ARRAYS["pair 5 cm"], sr=SR, c=C)
    noises = [
        coherent_noise(s, mixer, start=0, n_samples=100000, stream=n)[0] for s, n in ((1, "a"), (2, "a"), (1, "b"))
    ]
    correlation = np.corrcoef(noises)
    assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 0.02


def test_coloured_streams_keep_their_colour():
    """Any independent streams can be mixed: a resonance goes through with its spectrum."""
    import scipy.signal

    mixer = diffuse_mixer(ARRAYS["pair 5 cm"], sr=SR, c=C)
    n = 20 * SR
    long = np.stack([gaussian_at(1, start=0, n_samples=n + 8192, stream=str(k)) for k in range(2)])
    ringing = scipy.signal.lfilter([1.0], [1.0, -1.6, 0.9], long)
    y = mix(mixer, lambda start, n: ringing[:, start : start + n], start=0, n_samples=n)
    for row in y:
        ratio = np.real(welch(np.stack([row, ringing[0, :n]]))[1])
        np.testing.assert_allclose(10 * np.log10(ratio[2:-10, 0, 0] / ratio[2:-10, 1, 1]), 0.0, atol=1.2)


# ---- one sound made diffuse


@pytest.mark.parametrize("name", ["pair 1 m", "ambisonics", "tetrahedron"])
def test_a_spread_sound_keeps_its_level_and_spectrum(name):
    """Power of each channel within 0.3 dB, third octaves from 200 Hz on within 1.5 dB on average over 8 seeds."""
    array = ARRAYS[name]
    f = np.fft.rfftfreq(65536, 1 / SR)
    edges = 200 * 2 ** (np.arange(16) / 3)
    levels = []
    for seed in range(8):
        mixer = decorrelator(array, sr=SR, c=C, seed=seed)
        gain = np.abs(np.fft.rfft(mixer.taps[:, 0], 65536)) ** 2 / powers(array)[:, None]
        np.testing.assert_allclose(10 * np.log10(gain.mean(axis=1)), 0.0, atol=0.3)
        bands = [gain[:, (f >= a) & (f < b)].mean(axis=1) for a, b in pairwise(edges)]
        levels.append(10 * np.log10(bands))
    assert np.abs(np.mean(levels, axis=0)).max() < 1.5


def test_channels_that_share_nothing_are_all_passes():
    """The first microphone, and every channel of ambisonics, keeps the source's spectrum within 0.1 dB everywhere."""
    for array, channels in ((ambisonic(), slice(None)), (ARRAYS["tetrahedron"], slice(0, 1))):
        mixer = decorrelator(array, sr=SR, c=C, seed=4)
        gain = np.abs(np.fft.rfft(mixer.taps[channels, 0], 65536)) ** 2 / powers(array)[channels, None]
        assert np.abs(10 * np.log10(gain)).max() < 0.12


def test_a_spread_sound_has_the_coherence_of_theory_in_bands():
    """Averaged over 400 Hz and 12 seeds, two microphones of one spread source are coherent as in a diffuse field."""
    array = ARRAYS["pair 5 cm"]
    f = np.fft.rfftfreq(65536, 1 / SR)
    total = np.zeros((len(f), 2, 2), dtype=complex)
    for seed in range(12):
        h = np.fft.rfft(decorrelator(array, sr=SR, c=C, seed=seed).taps[:, 0], 65536)
        total += np.einsum("mf,nf->fmn", h, h.conj())
    for centre in (300, 1000, 2000, 3400, 5000, 7000):
        near = np.abs(f - centre) < 200
        made = normalised(total[near].mean(axis=0)[None])[0, 0, 1]
        assert np.abs(made - cross_powers(array, f[near], c=C)[:, 0, 1].mean()) < 0.12


def test_a_spread_sound_stays_in_its_place():
    """A click comes out around its own sample (energy's centre within 6 ms, all within ±60 ms), whatever the cut."""
    mixer = decorrelator(ARRAYS["tetrahedron"], sr=SR, c=C, seed=2)
    click = np.zeros(SR)
    click[5000] = 1.0

    def source(start: int, n: int) -> np.ndarray:
        padded = np.zeros(n)
        part = click[start : start + n]
        padded[: len(part)] = part
        return padded

    y = spread(mixer, source, start=0, n_samples=12000)
    energy = np.sum(y**2, axis=0)
    assert abs(np.sum(np.arange(12000) * energy) / energy.sum() - 5000) < 0.006 * SR
    assert energy[5000 - 960 : 5000 + 960].sum() > 0.999 * energy.sum()
    pieces = [spread(mixer, source, start=a, n_samples=b - a) for a, b in ((0, 10), (10, 4999), (4999, 12000))]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), y)


def test_a_spread_bed_does_not_fade_in():
    """Its first 20 ms are as loud as the rest (within 1.5 dB, mean of channels): the source is taken mirrored before 0."""
    mixer = decorrelator(ambisonic(), sr=SR, c=C, seed=2)
    y = spread(mixer, lambda start, n: gaussian_at(9, start=start, n_samples=n), start=0, n_samples=SR)
    power = np.mean(y**2 / powers(ambisonic())[:, None], axis=0)
    assert abs(10 * np.log10(power[:320].mean() / power[320:].mean())) < 1.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: diffuse_mixer(circular(33, radius=0.1), sr=SR, c=C), "1 to 32"),
        (lambda: diffuse_mixer(linear(2, spacing=0.1), sr=SR, c=0.0), "c above 0"),
        (lambda: decorrelator(linear(2, spacing=0.1), sr=SR, c=C, seed=1, smear=3.0), "smear"),
    ],
)
def test_impossible_fields_are_refused(make, message):
    """Too many microphones, no speed of sound, an endless smear."""
    with pytest.raises(ParameterError, match=message):
        make()
