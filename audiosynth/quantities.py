"""Fields that components declare in one line: a number with its range and unit, a length, a number of things."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

MAX_EVENT_SECONDS: Final = 300.0
"""Longest event of the synthesizers that hold all of it at once."""


def number(low: float, high: float, unit: str, text: str) -> Any:
    """Return the field of a number between `low` and `high`, both allowed.

    Examples
    --------
    >>> from pydantic import BaseModel
    >>> class Bell(BaseModel):
    ...     f0: Annotated[float, number(50, 5000, "Hz", "strike note")] = 440.0
    >>> Bell().f0
    440.0
    """
    return Field(ge=low, le=high, description=text, json_schema_extra={"unit": unit})


EventDuration = Annotated[float, number(0.02, MAX_EVENT_SECONDS, "s", "Length of the sound")]
"""Length of a sound that is made as a whole."""
