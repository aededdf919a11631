"""A head of theory, a sphere with an ear on each side, and sets of its responses as SOFA files.

Delays after Woodworth, shadow of one pole and one zero after Brown and Duda (IEEE Trans. Speech and Audio Processing 6,
1998): nothing here is anybody's measurement, and nothing is shared with the package.
"""

from __future__ import annotations

import numpy as np

RADIUS, C = 0.0875, 343.0
ZERO = 40
"""Sample at which sound would pass the sphere's middle."""
LENGTH = 192


def unit(azimuth, elevation):
    """Return unit vectors of degrees."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.stack([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e) + 0 * a], -1)


def ear_delay(axes, side):
    """Return seconds until an ear (side 1 left, -1 right) hears what would pass the middle at 0."""
    angle = np.arccos(np.clip(side * axes[..., 1], -1, 1))
    return RADIUS / C * np.where(angle < np.pi / 2, -np.cos(angle), angle - np.pi / 2)


def transfer(axes, frequency):
    """Return the ears' transfer functions, shape (m, 2, n_frequencies)."""
    both = []
    for side in (1, -1):
        angle = np.degrees(np.arccos(np.clip(side * axes[..., 1], -1, 1)))
        shadow = 1.05 + 0.95 * np.cos(np.radians(1.2 * angle))
        s = 1j * np.asarray(frequency) * np.pi * RADIUS / C
        magnitude = (1 + shadow[..., None] * s) / (1 + s)
        both.append(magnitude * np.exp(-2j * np.pi * np.asarray(frequency) * ear_delay(axes, side)[..., None]))
    return np.stack(both, axis=-2)


def responses(axes, sr):
    """Return impulse responses, shape (m, 2, LENGTH), with ZERO samples before them."""
    n = 4 * LENGTH
    frequency = np.fft.rfftfreq(n, 1 / sr)
    soft = np.clip((0.5 * sr - frequency) / (0.1 * sr), 0, 1)  # ends softly below half the rate: no ringing
    h = transfer(axes, frequency) * np.sin(0.5 * np.pi * soft) ** 2 * np.exp(-2j * np.pi * frequency * ZERO / sr)
    return np.fft.irfft(h, n)[..., :LENGTH]


def lattice(step=15.0, low=-45.0):
    """Return azimuths and elevations (degrees) of a set as they are measured: as many at every height, one above."""
    elevations = np.arange(low, 90.0, step)
    around = np.arange(0.0, 360.0, step)
    azimuth, elevation = (a.ravel() for a in np.meshgrid(around, elevations))
    return np.append(azimuth, 0.0), np.append(elevation, 90.0)


def write(
    path, *, azimuth, elevation, ir, sr, convention="SimpleFreeFieldHRIR", delay=None, distance=1.5, ears=(1, -1)
):
    """Write a SOFA file."""
    import h5py

    cartesian = {"Type": "cartesian", "Units": "metre"}
    spherical = {"Type": "spherical", "Units": "degree, degree, metre"}
    places = np.stack([azimuth, elevation, np.broadcast_to(distance, np.shape(azimuth))], axis=1)
    around = np.array([[0.0, 0.09 * side, 0.0] for side in ears])[:, :, None]
    parts = {
        "Data.IR": (ir, {}),
        "Data.SamplingRate": (np.array([float(sr)]), {"Units": "hertz"}),
        "Data.Delay": (np.zeros((1, ir.shape[1])) if delay is None else delay, {}),
        "SourcePosition": (places, spherical),
        "ListenerPosition": (np.zeros((1, 3)), cartesian),
        "ListenerView": (np.array([[1.0, 0.0, 0.0]]), cartesian),
        "ListenerUp": (np.array([[0.0, 0.0, 1.0]]), {}),
        "ReceiverPosition": (around, cartesian),
        "EmitterPosition": (np.zeros((1, 3, 1)), cartesian),
    }
    with h5py.File(path, "w") as file:
        file.attrs.update({"Conventions": "SOFA", "SOFAConventions": convention, "DataType": "FIR"})
        for key, (values, attrs) in parts.items():
            file.create_dataset(key, data=values).attrs.update(attrs)
    return path
