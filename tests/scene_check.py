"""An independent judge of planned scenes: counts sample by sample (NumPy), from the spec alone, knowing none of the planner's code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def heard(event: Mapping[str, Any], n: int) -> np.ndarray:
    """Return which samples of the clip an event is heard in."""
    y = np.zeros(n, bool)
    place = event["place"]
    for a, b in place["labels"] or [[0, place["n_samples"]]]:
        a, b = max(0, a + place["onset"]), min(n, b + place["onset"])
        y[a : max(a, b)] = True
    return y


def per_label(limit: Any, label: str) -> Any:
    """Return a limit per label for one label."""
    return limit.get(label) if isinstance(limit, Mapping) else limit


def gap(a: np.ndarray, b: np.ndarray) -> int:
    """Return the samples of silence between two events as wholes; below 0 where they overlap."""
    (p, q), (r, s) = ((int(np.flatnonzero(y)[0]), int(np.flatnonzero(y)[-1]) + 1) for y in (a, b))
    return max(r - q, p - s)


def faults(spec: Mapping[str, Any], rules: Mapping[str, Any]) -> list[str]:
    """Return which rules of a recipe's `scene:` block a spec (as JSON) breaks."""
    n, sr, out = spec["n_samples"], spec["sr"], []
    protected, roles = rules.get("protected", ()), rules.get("roles", ("foreground", "interference"))
    for i, event in enumerate(spec["events"]):
        a, b = event["place"]["onset"], event["place"]["onset"] + event["place"]["n_samples"]
        if (event["overrun"] == "error" or event["label"] in protected) and (a < 0 or b > n):
            out.append(f"event {i} goes past the clip: {a} to {b} of {n}")
        if not heard(event, n).any():
            out.append(f"event {i} is not heard in the clip")
        if abs(event["onset"] * sr - a) > 0.6:
            out.append(f"event {i}: onset {event['onset']} s is not sample {a}")
    counted = [e for e in spec["events"] if e.get("role", "foreground") in roles]
    masks = [heard(e, n) for e in counted]
    labels = dict.fromkeys(e["label"] for e in counted if e["label"] is not None)
    at_once = {
        label: sum(
            (m.astype(int) for e, m in zip(counted, masks, strict=True) if e["label"] == label), np.zeros(n, int)
        )
        for label in labels
    }
    whole = sum((m.astype(int) for m in masks), np.zeros(n, int))
    least = max(1, int(np.floor(rules.get("min_overlap_duration", 0.0) * sr + 0.5)))
    if whole.max() > rules.get("max_overlap", 10**9):
        out.append(f"{whole.max()} events at once")
    if "min_overlap" in rules and (whole >= rules["min_overlap"]).sum() < least:
        out.append(f"never {rules['min_overlap']} events at once for {least} samples")
    for label, count in at_once.items():
        most = per_label(rules.get("max_overlap_per_label"), label)
        if most is not None and count.max() > most:
            out.append(f"{count.max()} of '{label}' at once")
    for label, wanted in rules.get("min_overlap_per_label", {}).items():
        if (at_once.get(label, np.zeros(n, int)) >= wanted).sum() < least:
            out.append(f"never {wanted} of '{label}' at once")
    for i in range(len(counted)):
        for j in range(i):
            apart = gap(masks[i], masks[j]) / sr
            same = counted[i]["label"] is not None and counted[i]["label"] == counted[j]["label"]
            wanted = [
                rules.get("min_gap"),
                per_label(rules.get("min_gap_per_label"), counted[i]["label"]) if same else None,
            ]
            if any(w is not None and apart < w - 0.6 / sr for w in wanted):
                out.append(f"events {j} and {i} are {apart:.4f} s apart")
    return out
