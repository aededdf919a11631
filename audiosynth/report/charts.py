"""The numbers behind the drawings: bins, places and ticks; the templates put them on paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 320.0, 110.0
"""Of a histogram's area, in units of its drawing."""
SIDE: Final = 260.0
"""Of the square in which requested stand against realised SNRs."""
SAME: Final = 1e-9
"""Relative spread up to which values are one."""
MOST_BINS: Final = 24
MOST_TICKS: Final = 6
_NICE: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


def nice_step(span: float, most: int) -> float:
    """Return the smallest of 1, 2, 2.5, 5 × 10ⁿ of which at most `most` cover a span.

    Examples
    --------
    >>> nice_step(20.0, 24), nice_step(0.93, 6)
    (1.0, 0.2)
    """
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    return float(f"{next(n for n in _NICE if n * power >= raw * (1 - 1e-9)) * power:.10g}")


def ticks(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return round numbers from `low` to `high`.

    Examples
    --------
    >>> ticks(-3.0, 21.0)
    [0.0, 5.0, 10.0, 15.0, 20.0]
    """
    if high <= low:
        return [low]
    step = nice_step(high - low, most)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]


def histogram(values: Sequence[float], *, title: str, unit: str) -> dict[str, Any] | None:
    """Return a histogram's bars and ticks in a drawing of `WIDTH` by `HEIGHT`: no bars if all values are one, None if there are none.

    Examples
    --------
    >>> made = histogram([0.0, 1.0, 1.2], title="SNR", unit="dB")
    >>> made["n"], made["low"], made["median"], made["high"], sum(bar["n"] for bar in made["bars"])
    (3, '0', '1', '1.2', 3)
    """
    if not len(values):
        return None
    y = np.asarray(values, np.float64)
    low, high = float(y.min()), float(y.max())
    told = {
        "title": title, "unit": unit, "n": int(y.size), "low": number(low), "median": number(float(np.median(y))),
        "high": number(high),
    }  # fmt: skip
    if high - low < SAME * max(1.0, abs(low)):
        return {**told, "bars": []}
    return {**told, **_bars(y, low, high)}


def _bars(y: npt.NDArray[np.float64], low: float, high: float) -> dict[str, Any]:
    step = nice_step(high - low, MOST_BINS)
    first, last = math.floor(low / step + 1e-9), math.floor(high / step + 1e-9) + 1
    counts = np.bincount(
        np.clip(np.floor(y / step + 1e-9).astype(np.int64) - first, 0, last - first - 1), minlength=last - first
    )
    most, width = int(counts.max()), WIDTH / len(counts)
    bars = [
        {
            "x": round(i * width, 2), "width": round(max(width - 1, 0.5), 2), "height": round(HEIGHT * n / most, 2),
            "n": int(n), "from": number((first + i) * step), "to": number((first + i + 1) * step),
        }
        for i, n in enumerate(counts.tolist())
    ]  # fmt: skip
    places = ticks(first * step, last * step)
    return {
        "most": most, "bars": bars, "step": number(step),
        "ticks": [{"x": round(WIDTH * (t / step - first) / (last - first), 2), "text": number(t)} for t in places],
    }  # fmt: skip


def scatter(counts: Mapping[tuple[int, int], int], step: float) -> dict[str, Any] | None:
    """Return the dots of requested (across) against realised values (up), both in steps, their area by their number."""
    if not counts:
        return None
    both = [v * step for pair in counts for v in pair]
    low, high = min(both), max(both)
    low, high = (low - 1, high + 1) if high - low < 1 else (low, high)
    most = max(counts.values())

    def place(value: float) -> float:
        return round((value - low) / (high - low) * SIDE, 2)

    dots = [
        {"x": place(a * step), "y": round(SIDE - place(b * step), 2), "r": round(1.5 + 4.5 * math.sqrt(n / most), 2)}
        for (a, b), n in sorted(counts.items())
    ]
    return {
        "dots": dots,
        "ticks": [{"at": place(t), "text": number(t)} for t in ticks(low, high)],
        "n": sum(counts.values()),
    }


def shares(found: Iterable[tuple[str, float]]) -> list[dict[str, Any]]:
    """Return (name, value) pairs with their width in percent of the largest value."""
    rows = list(found)
    most = max((value for _, value in rows), default=0)
    return [
        {"name": name, "value": value, "width": round(100 * value / most, 1) if most else 0} for name, value in rows
    ]


def number(value: float) -> str:
    """Return a number as it is read: at most three or four digits, no exponent.

    Examples
    --------
    >>> [number(v) for v in (0.0, -0.0, 0.123456, 12.0, -38.44, 123456.7)]
    ['0', '0', '0.123', '12', '-38.4', '123,457']
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    text = f"{value:.{3 if abs(value) < 1 else 2 if abs(value) < 10 else 1}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
