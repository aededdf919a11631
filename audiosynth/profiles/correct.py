"""Correct a learned noise profile: make twins of it, compare them with the recording, move what differs, a few times over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from audiosynth.profiles import sound as profile_sound
from audiosynth.profiles import stats as profile_stats
from audiosynth.profiles.profile import Profile
from audiosynth.profiles.stats import GROUPS, RATES, Stats

ROUNDS: Final = 10
FIRST: Final = 4
"""Rounds with one twin; after them several are averaged, so that no luck of one seed is corrected for."""
SEEDS: Final = (1, 3, 4)
LOWEST_BAND: Final = 63.0
HIDDEN_DB: Final = 6.0
"""A band so far under its measured level is covered by impulses."""
MIN_DEPTH: Final = 0.05
"""dB of modulation below which it is left out."""
MISSING_DB: Final = 1.0
"""A crest factor so much higher than noise has is made up for by impulses."""
FEWEST: Final = 6.0
"""Impulses that such a recording is taken to hold."""


def corrected(tree: dict[str, Any], real: Stats, sr: int, seconds: float) -> tuple[Profile, Stats]:
    """Make twins and move what differs, until the rounds are over; return the best and its statistics."""
    best: tuple[float, Profile, Stats] | None = None
    for i in range(ROUNDS):
        profile = Profile.model_validate(_rounded(tree))
        seeds = SEEDS[:1] if i < FIRST else SEEDS
        twin = profile_stats.mean([_twin(profile, seed, sr, seconds, real.seconds) for seed in seeds])
        cost = _cost(real, twin)
        if i >= FIRST and (best is None or cost < best[0]):
            best = (cost, profile, twin)
        tree = _moved(tree, real, twin)
    if best is None:
        raise ValueError(f"expected more than {FIRST} rounds, got {ROUNDS}")
    return best[1], best[2]


def _twin(profile: Profile, seed: int, sr: int, seconds: float, stretch: float) -> Stats:
    """Return the statistics of noise from a profile, its crest factor as of stretches of the recording's length."""
    y = profile_sound.render(profile, seed=seed, sr=sr, channel=0, start=0, n_samples=int(seconds * sr))
    return profile_stats.measure(y, sr, stretch=stretch)


def compared(real: Stats, twin: Stats) -> Iterator[float]:
    """Yield the errors in dB of third octaves from 63 Hz to 0.8 of half the rate."""
    for (f, a), (_, b) in zip(real.bands, twin.bands, strict=False):
        if LOWEST_BAND <= f <= 0.4 * min(real.sr, twin.sr):
            yield abs(a - b)


def _cost(real: Stats, twin: Stats) -> float:
    bands = list(compared(real, twin))
    depth = np.abs(real.modulation - twin.modulation)
    crest = 2.0 * max(abs(real.crest_db - twin.crest_db) - 0.5, 0.0)
    return float(max(bands) + np.median(bands) + np.nanmax(np.nan_to_num(depth)) + crest)


def _moved(tree: dict[str, Any], real: Stats, twin: Stats) -> dict[str, Any]:
    """Return the tree with every number moved by what the twin lacks."""
    out = dict(tree)
    lacking = {f: a - b for (f, a), (_, b) in zip(real.bands, twin.bands, strict=False)}
    out["bands"] = [
        [f, float(np.clip(level + 0.9 * np.clip(lacking[f], -12, 12), -140.0, 10.0))] for f, level in tree["bands"]
    ]
    groups = [g for g in range(len(GROUPS)) if np.isfinite(real.modulation[g]).any()]
    out["modulation"] = []
    for group, g in zip(tree["modulation"], groups, strict=True):
        rates = []
        for rate, depth in group["rates"]:
            r = RATES.index(rate)
            other = twin.modulation[g, r] if np.isfinite(twin.modulation[g, r]) else real.modulation[g, r]
            rates.append(
                [
                    rate,
                    float(np.clip(max(depth**2 + 0.8 * (real.modulation[g, r] ** 2 - other**2), 0.0), 0.0, 144.0))
                    ** 0.5,
                ]
            )
        out["modulation"].append({**group, "rates": rates})
    missing = real.crest_db - twin.crest_db
    if "impulses" in tree:
        out["impulses"] = _moved_impulses(tree, real, missing, lacking)
    elif missing > MISSING_DB:
        rate = float(np.clip(FEWEST / real.seconds, 0.3, 5.0))
        out["impulses"] = {
            "rate": rate, "level_db": -20.0, "exponent": 2.0, "range_db": 6.0, "t60": 0.03,
            "bands": [[f, level] for f, level in real.bands],
        }  # fmt: skip
    return out


def _moved_impulses(tree: dict[str, Any], real: Stats, missing: float, lacking: dict[float, float]) -> dict[str, Any]:
    """Return impulses louder or softer by what the crest factor lacks, less of them in bands that they alone overfill."""
    made = dict(tree["impulses"])
    made["range_db"] = float(np.clip(made["range_db"] + 0.7 * missing, 0.0, 55.0))
    made["level_db"] = float(np.clip(made["level_db"] + 0.3 * float(np.clip(missing, -6, 6)), -60.0, 0.0))
    measured, noise = dict(real.bands), dict(tree["bands"])
    covered = {f: -lacking[f] for f in noise if noise[f] < measured[f] - HIDDEN_DB and lacking[f] < 0.0}
    made["bands"] = [
        [f, float(np.clip(level - 0.8 * min(covered.get(f, 0.0), 12.0), -140.0, 10.0))] for f, level in made["bands"]
    ]
    return made


def _rounded(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the tree as it is written: levels to 0.1 dB, depths to 0.01 dB, what does nothing left out."""
    out = dict(tree)
    out["bands"] = [[f, round(level, 1)] for f, level in tree["bands"]]
    kept = [{**g, "rates": [[r, round(d, 2)] for r, d in g["rates"] if d >= MIN_DEPTH]} for g in tree["modulation"]]
    out["modulation"] = [g for g in kept if g["rates"]]
    if "impulses" in tree:
        made = tree["impulses"]
        out["impulses"] = {key: float(f"{value:.3g}") for key, value in made.items() if key != "bands"}
        out["impulses"]["bands"] = [[f, round(level)] for f, level in made["bands"]]
    return out
