"""The peer's side of `degradations.py`: run by a Python that has audiomentations 0.43.1, one call for each line of input."""

from __future__ import annotations

import sys
import time

import audiomentations as peer
import numpy as np

SR, SECONDS = 16_000, 10
CASES = {
    "loudness": peer.LoudnessNormalization(min_lufs=-23.0, max_lufs=-23.0, p=1.0),
    "normalise": peer.Normalize(p=1.0),
    "clipping, 10 % of the samples": peer.ClippingDistortion(
        min_percentile_threshold=5, max_percentile_threshold=5, p=1.0
    ),
    "clipping, soft": peer.TanhDistortion(min_distortion=0.3, max_distortion=0.3, p=1.0),
    "limiter": peer.Limiter(
        min_threshold_db=-12.0, max_threshold_db=-12.0, min_attack=0.005, max_attack=0.005, min_release=0.05,
        max_release=0.05, threshold_mode="absolute", p=1.0,
    ),
    "equalizer, one peak": peer.PeakingFilter(
        min_center_freq=1000.0, max_center_freq=1000.0, min_gain_db=6.0, max_gain_db=6.0, p=1.0
    ),
    "seven_band_eq": peer.SevenBandParametricEQ(p=1.0),
    "air_absorption": peer.AirAbsorption(
        min_distance=50.0, max_distance=52.0, min_temperature=20.0, max_temperature=20.0, min_humidity=50.0,
        max_humidity=50.0, p=1.0,
    ),
    "resample_round_trip, aliasing": peer.Aliasing(min_sample_rate=8000, max_sample_rate=8000, p=1.0),
    "bit_depth": peer.BitCrush(min_bit_depth=8, max_bit_depth=8, p=1.0),
    "time_mask": peer.TimeMask(min_band_part=0.1, max_band_part=0.1, p=1.0),
    "frequency_mask": peer.BandStopFilter(
        min_center_freq=1400.0, max_center_freq=1430.0, min_bandwidth_fraction=0.7, max_bandwidth_fraction=0.72,
        min_rolloff=24, max_rolloff=24, zero_phase=True, p=1.0,
    ),
    "polarity": peer.PolarityInversion(p=1.0),
    "channels, gain": peer.Gain(min_gain_db=-3.0, max_gain_db=-3.0, p=1.0),
}  # fmt: skip


def sound() -> np.ndarray:
    """Return the same sound as ours, in the type that the peer wants."""
    t = np.arange(SR * SECONDS) / SR
    y = np.random.default_rng(1).standard_normal(t.size) * (0.6 - 0.4 * np.cos(2 * np.pi * 4 * t))
    return (0.1 * y / np.sqrt(np.mean(y**2))).astype(np.float32)


def main() -> None:
    """Answer each name with the seconds of one call, or - where there is nothing like it."""
    y = sound()
    for line in iter(sys.stdin.readline, ""):
        transform = CASES.get(line.strip())
        if transform is None:
            print("-", flush=True)
            continue
        start = time.process_time()
        transform(samples=y, sample_rate=SR)
        print(time.process_time() - start, flush=True)


if __name__ == "__main__":
    main()
