"""An independent judge of planned conversations: counts sample by sample (NumPy), from the spec alone, knowing none of the planner's code."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from scene_check import heard


def ratio_by_counting(masks: list[np.ndarray]) -> float:
    """Return the samples in which two or more are heard over those in which any is."""
    levels = np.sum(masks, axis=0)
    return float((levels >= 2).sum() / (levels >= 1).sum())


def talk_faults(spec: Mapping[str, Any], talk: Mapping[str, Any]) -> list[str]:
    """Return what a conversation breaks of what was asked: numbers as they stand, [low, high] where they were drawn."""
    n, sr, one = spec["n_samples"], spec["sr"], spec["conversations"][0]
    events = [spec["events"][i] for i in one["events"]]
    masks = [heard(event, n) for event in events]
    ends = [np.flatnonzero(mask)[[0, -1]] + [0, 1] for mask in masks]
    levels, any_one = np.sum(masks, axis=0), int(np.sum(masks, axis=0).astype(bool).sum())
    out = []
    asked = one["overlap_ratio"]
    if asked is not None and abs(ratio_by_counting(masks) - asked) * any_one > len(events):
        out.append(f"overlap ratio {ratio_by_counting(masks)}, not {asked}")
    if levels.max() > talk.get("at_once", 2):
        out.append(f"{levels.max()} at once")
    out += who_faults(one, talk, events, masks)
    if any(a[0] > b[0] for a, b in pairwise(ends)):
        out.append("turns out of order")
    latest = np.maximum.accumulate([b for _, b in ends])
    gaps = [(a - end) / sr for (a, _), end in zip(ends[1:], latest, strict=False)]
    if any(gap > 0 and not in_range(gap, talk["pause"], slack=1 / sr) for gap in gaps):
        out.append(f"pauses {gaps}")
    length = (latest[-1] - ends[0][0]) / sr
    if not talk.get("min_length", 0) - 1 / sr <= length <= talk.get("max_length", np.inf) + 1 / sr:
        out.append(f"length {length} s")
    return out


def who_faults(
    one: Mapping[str, Any], talk: Mapping[str, Any], events: list[Any], masks: list[np.ndarray]
) -> list[str]:
    """Return what is wrong with who speaks."""
    seats, out = sorted(set(one["speakers"])), []
    if not in_range(len(seats), talk["speakers"]) or seats != list(range(len(seats))):
        out.append(f"speakers {seats}")
    if not in_range(len(events) + one["left_out"], talk["n"]):
        out.append(f"{len(events)} turns")
    for seat in seats:
        mine = [i for i, s in enumerate(one["speakers"]) if s == seat]
        if np.sum([masks[i] for i in mine], axis=0).max() > 1:
            out.append(f"speaker {seat} over themselves")
        if len({events[i]["label"] for i in mine}) != 1:
            out.append(f"speaker {seat} has several names")
    if not talk.get("again") and not one["left_out"] and any(a == b for a, b in pairwise(one["speakers"])):
        out.append("the same twice in a row")
    return out


def in_range(value: float, asked: Any, slack: float = 0.0) -> bool:
    """Return whether a value is one of [low, high], or the one asked for."""
    low, high = asked if isinstance(asked, list | tuple) else (asked, asked)
    return bool(low - slack <= value <= high + slack)


def recipe_of(
    talk: Mapping[str, Any], *, seconds: Any = (0.3, 2.0), clips: int = 10_000, **more: Any
) -> dict[str, Any]:
    """Return a recipe of tones that talk; the low rate keeps counting sample by sample cheap, and planning knows no rate."""
    drawn = {key: draw_of(key, value) for key, value in talk.items()}
    names = [f"s{i}" for i in range(8)]
    source = {"type": "tone", "frequency": 300, "duration": {"uniform": list(seconds)}}
    event = {"label": "$speaker", "source": source, "level_dbfs": -30}
    repeat = {"turns": {"from": names, **drawn}, "of": event}
    return {"sr": 1000, "duration": {"fit": 0.2}, "clips": clips, "events": [{"repeat": repeat}], **more}


def draw_of(key: str, value: Any) -> Any:
    """Return a draw from [low, high]."""
    whole = key in ("speakers", "n")
    drawn = isinstance(value, list) and not isinstance(value[0], str)
    return {"integers" if whole else "uniform": value} if drawn else value


TALKS: dict[str, dict[str, Any]] = {
    "two, no overlap": {"speakers": 2, "n": [6, 12], "pause": [0.1, 1.0], "overlap_ratio": 0.0},
    "two to eight, up to 30 %": {"speakers": [2, 8], "n": [12, 20], "pause": [0.1, 1.0], "overlap_ratio": [0.0, 0.3]},
    "four, 40 %": {"speakers": 4, "n": 16, "pause": [0.0, 0.5], "overlap_ratio": 0.4},
    "six, half of it, three at once": {"speakers": 6, "n": 24, "pause": [0.2, 0.8], "overlap_ratio": 0.5, "at_once": 3},
    "somebody goes on": {"speakers": 3, "n": 14, "again": 0.5, "pause": [0.1, 0.6], "overlap_ratio": [0.05, 0.15]},
    "20 to 30 s": {"speakers": [2, 4], "n": 40, "pause": [0.1, 0.5], "overlap_ratio": [0.0, 0.25], "min_length": 15, "max_length": 20},
}  # fmt: skip
"""What is asked of conversations: numbers as they stand, [low, high] where they are drawn."""
