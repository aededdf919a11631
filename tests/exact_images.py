"""The image sum as it is defined, every image and every tap in float64: slow, and nothing shared with the package."""

from __future__ import annotations

import itertools

import numpy as np

SIZE, SOURCE, MIC = (6.0, 5.0, 3.0), (2.1, 1.7, 1.5), (4.3, 3.4, 1.3)
SR, C = 16000, 343.0
ROOM = {"size": SIZE, "source": SOURCE, "mics": MIC, "sr": SR, "c": C}


def images(*, size, source, beta, reach):
    """Return positions, gains, reflections, and the signs of a mirrored source's axis of all images of a box."""
    per_axis = []
    for axis, (length, s) in enumerate(zip(size, source, strict=True)):
        most = int(reach / (2 * length)) + 2
        lower, upper = beta[2 * axis], beta[2 * axis + 1]
        own = []
        for n, mirrored in itertools.product(range(-most, most + 1), (0, 1)):
            at = 2 * n * length + (-s if mirrored else s)
            own.append((at, lower ** abs(n - mirrored) * upper ** abs(n), abs(n) + abs(n - mirrored), 1 - 2 * mirrored))
        per_axis.append(np.array(own))
    grids = [np.stack(np.meshgrid(*(a[:, k] for a in per_axis), indexing="ij"), -1).reshape(-1, 3) for k in range(4)]
    position, gain, order, sign = grids
    return position, gain.prod(axis=1), order.sum(axis=1).astype(int), sign


def kernel(t):
    """Return the 81-tap Hann-windowed sinc."""
    return np.sinc(t) * np.where(np.abs(t) < 40.5, np.cos(np.pi * t / 81) ** 2, 0.0)


def exact(*, size, source, mics, beta, sr, duration, c, max_order=None, mic_axis=None, source_axis=None):
    """Return one microphone's response; `*_axis` are (p, unit axis) of p + (1 - p)·cos θ."""
    n = round(duration * sr)
    beta = np.broadcast_to(beta, 6)
    position, gain, order, sign = images(size=size, source=source, beta=beta, reach=duration * c)
    away = position - np.asarray(mics)
    d = np.sqrt((away**2).sum(axis=1))
    kept = (d < n / sr * c) & (gain > 0)
    if max_order is not None:
        kept &= order <= max_order
    away, d, gain, sign = away[kept], d[kept], gain[kept], sign[kept]
    a = gain / (4 * np.pi * d)
    if mic_axis is not None:
        a = a * (mic_axis[0] + (1 - mic_axis[0]) * (away @ np.asarray(mic_axis[1])) / d)
    if source_axis is not None:
        towards = -away * sign / d[:, None]
        a = a * (source_axis[0] + (1 - source_axis[0]) * (towards @ np.asarray(source_axis[1])))
    h = np.zeros(n + 200)
    tau = d * sr / c
    first = np.ceil(tau - 40.5).astype(int)
    for k in range(82):
        at = first + k
        inside = (at >= 0) & (at < n)
        h += np.bincount(at[inside], (a * kernel(at - tau))[inside], minlength=h.size)
    return h[:n]


def db(x, reference):
    """Return the RMS of `x` over that of `reference` in dB."""
    return 10 * np.log10(np.sum(np.square(x)) / np.sum(np.square(reference)))


def phase_delay(h, *, low, high, sr=SR):
    """Return the delay in samples from the slope of the phase between two frequencies."""
    n = 1 << 16
    spectrum = np.fft.rfft(h, n)
    f = np.fft.rfftfreq(n)
    band = (f > low / sr) & (f < high / sr)
    peak = int(np.argmax(np.abs(h)))
    phase = np.unwrap(np.angle(spectrum[band] * np.exp(2j * np.pi * f[band] * peak)))
    return peak - np.polyfit(2 * np.pi * f[band], phase, 1)[0]
