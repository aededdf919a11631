"""Inverse distribution functions, one small class each; a draw is u in [0, 1) sent through `inverse`.

Continuous results are rounded to nine significant digits, so that the last bits of a platform's logarithm never
reach a spec.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist
from typing import ClassVar, Final, Protocol

from audiosynth.errors import ParameterError

SIGNIFICANT_DIGITS: Final = 9
"""Digits kept of every continuous draw (DESIGN section 4)."""
POISSON_LIMIT: Final = 10_000
"""Largest `max` of a Poisson draw; a recipe from a stranger must not ask for endless lists."""
_HALF_STEP: Final = 2.0**-54
"""Half the spacing of the dice: keeps u inside (0, 1) where an end would be infinite."""


class Distribution(Protocol):
    """What a numeric distribution offers."""

    name: ClassVar[str]
    signature: ClassVar[str]

    def inverse(self, u: float) -> float | int:
        """Return the value at cumulative probability `u` in [0, 1)."""
        ...

    def support(self) -> tuple[float | int, float | int]:
        """Return the smallest and largest value it can give (infinite where unbounded)."""
        ...


def round_significant(x: float) -> float:
    """Return `x` rounded to nine significant digits.

    Examples
    --------
    >>> round_significant(0.12345678949)
    0.123456789
    """
    return float(f"{x:.{SIGNIFICANT_DIGITS}g}")


def _within(x: float, low: float, high: float) -> float:
    x = round_significant(x)
    return x if low <= x <= high else float(min(max(x, low), high))


def _ordered(low: float, high: float) -> None:
    if not low <= high:
        raise ParameterError(f"expected low <= high, got [{low}, {high}]")


@dataclass(frozen=True)
class Uniform:
    """Evenly between two numbers."""

    low: float
    high: float
    name: ClassVar[str] = "uniform"
    signature: ClassVar[str] = "[low, high]"

    def __post_init__(self) -> None:
        _ordered(self.low, self.high)

    def inverse(self, u: float) -> float:
        """Return low + (high - low)·u."""
        return _within(self.low + (self.high - self.low) * u, self.low, self.high)

    def support(self) -> tuple[float, float]:
        """Return (low, high)."""
        return self.low, self.high


@dataclass(frozen=True)
class LogUniform:
    """Evenly in the logarithm between two positive numbers (frequencies, durations)."""

    low: float
    high: float
    name: ClassVar[str] = "log_uniform"
    signature: ClassVar[str] = "[low, high], both > 0"

    def __post_init__(self) -> None:
        _ordered(self.low, self.high)
        if self.low <= 0:
            raise ParameterError(f"expected low > 0, got {self.low}")
        if not math.isfinite(self.high / self.low):
            raise ParameterError(f"expected high / low below 1.8e308, got [{self.low}, {self.high}]")

    def inverse(self, u: float) -> float:
        """Return low·(high/low)^u."""
        return _within(self.low * math.exp(math.log(self.high / self.low) * u), self.low, self.high)

    def support(self) -> tuple[float, float]:
        """Return (low, high)."""
        return self.low, self.high


@dataclass(frozen=True)
class Normal:
    """Gaussian, without bounds; a bounded parameter needs `truncnorm`."""

    mean: float
    std: float
    name: ClassVar[str] = "normal"
    signature: ClassVar[str] = "[mean, std]"

    def __post_init__(self) -> None:
        if self.std <= 0:
            raise ParameterError(f"expected std > 0, got {self.std}")

    def inverse(self, u: float) -> float:
        """Return the Gaussian quantile (Wichura 1988, algorithm AS 241)."""
        return round_significant(NormalDist(self.mean, self.std).inv_cdf(max(u, _HALF_STEP)))

    def support(self) -> tuple[float, float]:
        """Return (-inf, inf)."""
        return -math.inf, math.inf


@dataclass(frozen=True)
class TruncNorm:
    """Gaussian cut to an interval."""

    mean: float
    std: float
    low: float
    high: float
    name: ClassVar[str] = "truncnorm"
    signature: ClassVar[str] = "[mean, std, low, high]"

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ParameterError(f"expected low < high, got [{self.low}, {self.high}]")
        if self.std <= 0:
            raise ParameterError(f"expected std > 0, got {self.std}")
        if self.low <= self.mean and not self._below(self.low) < self._below(self.high):
            raise ParameterError(
                f"[{self.low}, {self.high}] lies so far from the mean {self.mean} that nothing is left"
            )
        if self.low > self.mean:
            self._mirrored()

    def _mirrored(self) -> TruncNorm:
        """Return the same about the mean: the lower tail keeps its digits, 1 - tiny does not."""
        return TruncNorm(self.mean, self.std, 2 * self.mean - self.high, 2 * self.mean - self.low)

    def _below(self, x: float) -> float:
        # NormalDist.cdf computes (1 + erf)/2 before Python 3.13, which loses the tail, and differs between versions.
        return 0.5 * math.erfc((self.mean - x) / (self.std * math.sqrt(2.0)))

    def inverse(self, u: float) -> float:
        """Return the quantile of the Gaussian cut to [low, high]."""
        if self.low > self.mean:
            return _within(2 * self.mean - self._mirrored().unrounded(1.0 - u), self.low, self.high)
        return _within(self.unrounded(u), self.low, self.high)

    def unrounded(self, u: float) -> float:
        """Return the quantile before rounding, for an interval that begins below the mean."""
        below, above = self._below(self.low), self._below(self.high)
        p = min(max(below + (above - below) * u, sys.float_info.min), 1 - 2 * _HALF_STEP)
        return NormalDist(self.mean, self.std).inv_cdf(p)

    def support(self) -> tuple[float, float]:
        """Return (low, high)."""
        return self.low, self.high


@dataclass(frozen=True)
class Integers:
    """Whole numbers, both ends included."""

    low: int
    high: int
    name: ClassVar[str] = "integers"
    signature: ClassVar[str] = "[low, high], both included"

    def __post_init__(self) -> None:
        _ordered(self.low, self.high)
        if not isinstance(self.low, int) or not isinstance(self.high, int):
            raise ParameterError(f"expected whole numbers, got [{self.low}, {self.high}]")

    def inverse(self, u: float) -> int:
        """Return low + floor(u·n)."""
        return min(self.low + int(u * (self.high - self.low + 1)), self.high)

    def support(self) -> tuple[int, int]:
        """Return (low, high)."""
        return self.low, self.high


@dataclass(frozen=True)
class Poisson:
    """Counts of mean `mean`, never above `max` (the cut-off probability goes to `max`)."""

    mean: float
    max: int
    name: ClassVar[str] = "poisson"
    signature: ClassVar[str] = "[mean, max]"

    def __post_init__(self) -> None:
        if self.mean < 0 or self.mean > 700:
            raise ParameterError(f"expected 0 <= mean <= 700, got {self.mean}")
        if not isinstance(self.max, int) or not 0 <= self.max <= POISSON_LIMIT:
            raise ParameterError(f"expected a whole number 0 <= max <= {POISSON_LIMIT}, got {self.max}")

    def inverse(self, u: float) -> int:
        """Return the smallest k whose cumulative probability exceeds `u`."""
        term = total = math.exp(-self.mean)
        k = 0
        while u >= total and k < self.max:
            k += 1
            term *= self.mean / k
            if k > self.mean and total + term == total:  # the sum may end a rounding below 1, and u above it
                break
            total += term
        return k

    def support(self) -> tuple[int, int]:
        """Return (0, max)."""
        return 0, self.max


@dataclass(frozen=True)
class Beta:
    """Beta distribution, stretched to [low, high]."""

    a: float
    b: float
    low: float = 0.0
    high: float = 1.0
    name: ClassVar[str] = "beta"
    signature: ClassVar[str] = "[a, b] or [a, b, low, high]"

    def __post_init__(self) -> None:
        _ordered(self.low, self.high)
        if not (1e-3 <= self.a <= 1e6 and 1e-3 <= self.b <= 1e6):
            raise ParameterError(f"expected a and b from 0.001 to 1e6, got a={self.a}, b={self.b}")

    def inverse(self, u: float) -> float:
        """Return the inverse of the regularised incomplete beta function, stretched."""
        from scipy.special import betaincinv

        return _within(self.low + (self.high - self.low) * float(betaincinv(self.a, self.b, u)), self.low, self.high)

    def support(self) -> tuple[float, float]:
        """Return (low, high)."""
        return self.low, self.high


@dataclass(frozen=True)
class Histogram:
    """Even within each bin; bins are drawn by weight."""

    edges: tuple[float, ...]
    weights: tuple[float, ...]
    name: ClassVar[str] = "histogram"
    signature: ClassVar[str] = "{edges: [e0, …, en], weights: [w1, …, wn]}"

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.weights) + 1 or not self.weights:
            raise ParameterError(f"expected one edge more than weights, got {len(self.edges)} and {len(self.weights)}")
        if any(b <= a for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ParameterError(f"expected rising edges, got {list(self.edges)}")
        if min(self.weights) < 0 or sum(self.weights) < sys.float_info.min:
            raise ParameterError(f"expected weights >= 0 with a positive sum, got {list(self.weights)}")

    def inverse(self, u: float) -> float:
        """Return the quantile of the piecewise-uniform density."""
        totals = list(accumulate(self.weights, initial=0.0))
        target = u * totals[-1]
        i = min(bisect_right(totals, target) - 1, len(self.weights) - 1)
        while not self.weights[i]:  # only where rounding brought u·total up to the total
            i -= 1
        inside = (target - totals[i]) / self.weights[i]
        low, high = self.edges[i], self.edges[i + 1]
        return _within(low + (high - low) * inside, low, high)

    def support(self) -> tuple[float, float]:
        """Return the first and last edge of the bins that have weight."""
        used = [i for i, w in enumerate(self.weights) if w > 0]
        return self.edges[used[0]], self.edges[used[-1] + 1]
