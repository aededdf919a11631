"""An independent judge of planned scenes: counts sample by sample (NumPy), from the spec alone, knowing none of the planner's code."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np


def heard(event: Mapping[str, Any], n: int) -> np.ndarray:
    """Return which samples of the clip an event is heard in."""
    y = np.zeros(n, bool)
    place = event["place"]
    for a, b in place["labels"] or [[0, place["n_samples"]]]:
        y[max(0, a + place["onset"]) : max(0, b + place["onset"])] = True
    return y


def per_label(limit: Any, label: str) -> Any:
    """Return a limit per label for one label."""
    return limit.get(label) if isinstance(limit, Mapping) else limit


def gap_faults(masks: list[np.ndarray], labels: list[Any], rules: Mapping[str, Any], sr: int) -> list[str]:
    """Return which events are nearer to each other, from end to beginning, than a gap allows."""
    out = []
    gaps = rules.get("min_gap_per_label")
    ends = [np.flatnonzero(mask)[[0, -1]] for mask in masks] if gaps is not None or "min_gap" in rules else []
    for i, j in combinations(range(len(ends)), 2):
        apart = max(ends[j][0] - ends[i][1] - 1, ends[i][0] - ends[j][1] - 1) / sr
        same = labels[i] is not None and labels[i] == labels[j]
        wanted = [rules.get("min_gap"), per_label(gaps, labels[i]) if same else None]
        if any(w is not None and apart < w - 0.6 / sr for w in wanted):
            out.append(f"events {i} and {j} are {apart:.4f} s apart")
    return out


def clip_faults(spec: Mapping[str, Any], rules: Mapping[str, Any]) -> list[str]:
    """Return which events do not lie in the clip as they must."""
    n, sr, out = spec["n_samples"], spec["sr"], []
    for i, event in enumerate(spec["events"]):
        a, b = event["place"]["onset"], event["place"]["onset"] + event["place"]["n_samples"]
        if (event["overrun"] == "error" or event["label"] in rules.get("protected", ())) and (a < 0 or b > n):
            out.append(f"event {i} goes past the clip: {a} to {b} of {n}")
        if not heard(event, n).any():
            out.append(f"event {i} is not heard in the clip")
        if abs(event["onset"] * sr - a) > 0.6:
            out.append(f"event {i}: onset {event['onset']} s is not sample {a}")
    return out


def overlap_faults(masks: list[np.ndarray], labels: list[Any], rules: Mapping[str, Any], least: int) -> list[str]:
    """Return which limits on overlaps do not hold."""
    out = []
    whole = np.sum(masks, axis=0) if masks else np.zeros(1)
    if whole.max() > rules.get("max_overlap", 10**9):
        out.append(f"{whole.max()} events at once")
    if "min_overlap" in rules and (whole >= rules["min_overlap"]).sum() < least:
        out.append(f"never {rules['min_overlap']} events at once for {least} samples")
    wanted = rules.get("min_overlap_per_label", {})
    for label in dict.fromkeys([*(label for label in labels if label is not None), *wanted]):
        own = [mask for mask, other in zip(masks, labels, strict=True) if other == label]
        count = np.sum(own, axis=0) if own else np.zeros(1)
        most = per_label(rules.get("max_overlap_per_label"), label)
        if most is not None and count.max() > most:
            out.append(f"{count.max()} of '{label}' at once")
        if label in wanted and (count >= wanted[label]).sum() < least:
            out.append(f"never {wanted[label]} of '{label}' at once")
    return out


def faults(spec: Mapping[str, Any], rules: Mapping[str, Any]) -> list[str]:
    """Return which rules of a recipe's `scene:` block a spec (as JSON) breaks."""
    n, sr = spec["n_samples"], spec["sr"]
    roles = rules.get("roles", ("foreground", "interference"))
    counted = [e for e in spec["events"] if e.get("role", "foreground") in roles]
    masks, labels = [heard(e, n) for e in counted], [e["label"] for e in counted]
    least = max(1, int(np.floor(rules.get("min_overlap_duration", 0.0) * sr + 0.5)))
    return [
        *clip_faults(spec, rules),
        *overlap_faults(masks, labels, rules, least),
        *gap_faults(masks, labels, rules, sr),
    ]


ANYWHERE = {"slack": {"uniform": [0, 1]}}


def tones(n: Any, *, onset: Any = ANYWHERE, seconds: Any = {"uniform": [0.2, 1.5]}, **more: Any) -> dict[str, Any]:  # noqa: B006
    """Return a `repeat` of tones of three labels."""
    source = {"type": "tone", "frequency": 300, "duration": seconds}
    event = {"label": {"choice": ["a", "b", "c"]}, "source": source, "onset": onset, "level_dbfs": -20, **more}
    return {"repeat": {**(n if isinstance(n, dict) and "density" in n else {"n": n}), "of": event}}


def scene(rules: dict[str, Any] | None, *events: Any, duration: Any = 10.0, clips: int = 10_000) -> dict[str, Any]:
    """Return a recipe of planned scenes; the low rate keeps counting sample by sample cheap, and planning knows no rate."""
    tree = {"sr": 1000, "duration": duration, "clips": clips, "events": list(events)}
    return tree if rules is None else {**tree, "scene": rules}


BARKS = {"type": "dog_bark", "n_barks": {"integers": [1, 4]}}
KINDS: dict[str, dict[str, Any]] = {
    "no two at once": scene({"max_overlap": 1}, tones(6)),
    "no two at once, 80 % of the clip full": scene({"max_overlap": 1}, tones(8, seconds=1.0)),
    "two at once, ten events": scene({"max_overlap": 2}, tones(10)),
    "no two of a class": scene({"max_overlap_per_label": 1}, tones(9)),
    "limits by class": scene({"max_overlap_per_label": {"a": 1, "b": 2}, "max_overlap": 3}, tones(10)),
    "a gap between all": scene({"min_gap": 0.25}, tones(6, seconds={"uniform": [0.2, 1.0]})),
    "a gap between those of a class": scene({"min_gap_per_label": 0.5, "max_overlap": 3}, tones(8, seconds={"uniform": [0.2, 0.8]})),
    "three at once for half a second": scene({"min_overlap": 3, "max_overlap": 3, "min_overlap_duration": 0.5}, tones(6, seconds={"uniform": [0.6, 1.5]})),
    "two of a class at once": scene({"min_overlap_per_label": {"x": 2}, "max_overlap": 2}, tones(3), tones(2, label="x")),
    "a drawn limit": scene({"max_overlap": {"integers": [2, 4]}}, tones({"integers": [1, 8]}, seconds={"uniform": [0.1, 0.7]}), duration={"uniform": [4, 12]}),
    "poisson, left out where full": scene({"max_overlap": 1, "min_gap": 0.1, "when_full": "drop"}, tones({"density": 60})),
    "fixed density": scene({"max_overlap": 2}, tones({"density": {"per_minute": 33, "kind": "fixed"}})),
    "cut at the edges": scene({"max_overlap": 2, "protected": ["b"]}, tones(8, onset={"uniform": [-1.4, 9.9]}, overrun="cut")),
    "centres": scene({"max_overlap_per_label": 1}, {"repeat": {"n": 6, "of": {
        "label": {"choice": ["a", "b"]}, "source": {"type": "tone", "frequency": 300, "duration": {"uniform": [0.2, 2]}},
        "at": {"anchor": "centre", "time": {"uniform": [0, 10]}}, "overrun": "cut", "level_dbfs": -20}}}),
    "not drawn evenly": scene({"max_overlap": 1}, tones(5, onset={"slack": {"beta": [2, 2]}}, seconds={"uniform": [0.2, 1.0]})),
    "beside what stands": scene({"max_overlap": 1}, tones(4), {"label": "z", "source": {"type": "tone", "frequency": 200, "duration": 2.0}, "onset": 4.0}),
    "with interference and background": scene({"max_overlap": 2, "roles": ["foreground"]}, tones(5), tones(4, role="interference"), tones(2, role="background")),
    "several labeled spans in one event": scene({"max_overlap": 1}, {"repeat": {"n": 4, "of": {
        "label": "dog", "source": BARKS, "onset": ANYWHERE, "level_dbfs": -20}}}),
    "chains": scene({"max_overlap": 2, "when_full": "drop"}, tones(4, onset={"follow": {"uniform": [0.1, 0.8]}}), tones(4)),
}  # fmt: skip
"""Recipes of scenes that are always possible, one for each kind of rule."""
