"""The numeric distributions of the recipe language by name, and how their arguments are written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from audiosynth.errors import ParameterError, did_you_mean
from audiosynth.language.quantiles import (
    Beta,
    Distribution,
    Histogram,
    Integers,
    LogUniform,
    Normal,
    Poisson,
    TruncNorm,
    Uniform,
)

LARGEST: Final = 1e300
"""Largest magnitude of an argument: sums and differences of a few stay finite."""
NUMERIC: Final[Mapping[str, type[Distribution]]] = {
    cls.name: cls for cls in (Uniform, LogUniform, Normal, TruncNorm, Integers, Poisson, Beta, Histogram)
}


def numeric(name: str, args: Any) -> Distribution:
    """Build a distribution from its recipe arguments: a list in order, or a map by name.

    Raises
    ------
    ParameterError
        If the arguments are not what the distribution takes.

    Examples
    --------
    >>> numeric("uniform", [1, 3]).inverse(0.5)
    2.0
    """
    cls = NUMERIC[name]
    takes = f"'{name}' takes {cls.signature}"
    keys = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    if isinstance(args, Mapping):
        unknown = [k for k in args if k not in keys]
        if unknown:
            raise ParameterError(f"{takes}, not '{unknown[0]}'{did_you_mean(unknown[0], keys)}")
        given: dict[str, Any] = dict(args)
    elif isinstance(args, Sequence) and not isinstance(args, str) and len(args) <= len(keys):
        given = dict(zip(keys, args, strict=False))
    else:
        raise ParameterError(f"{takes}, got {shown(args)}")
    read = _numbers if cls is Histogram else _number
    values = {key: read(value, takes) for key, value in given.items()}
    try:
        return cls(**values)
    except TypeError:
        missing = [key for key in keys if key not in given]
        raise ParameterError(f"{takes}; {' and '.join(missing)} missing, got {shown(args)}") from None


def shown(value: Any) -> str:
    """Return a value as messages show it: at most 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number (and no truth value)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(value: Any, takes: str) -> tuple[float, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ParameterError(f"{takes}, two lists of numbers; got {shown(value)}")
    return tuple(_number(item, takes) for item in value)


def _number(value: Any, takes: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParameterError(f"{takes}, all of them numbers; got {shown(value)}")
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise ParameterError(f"{takes}, numbers up to 1e300; got {shown(value)}")
    return value
