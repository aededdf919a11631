"""Every error a user can meet: one root class, and messages that name the place, what was expected, what came and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class AudiosynthError(Exception):
    """Root of all errors raised on purpose by this package."""

    exit_code = 1


class UsageError(AudiosynthError):
    """A command or function was called with arguments that cannot be meant."""

    exit_code = 2


class PluginError(UsageError):
    """A component of another package is not here: the package is not installed, offers no such thing, or cannot be loaded."""


class ParameterError(AudiosynthError):
    """A numeric function was called with values outside its domain."""


class AssetError(AudiosynthError):
    """A recording is missing, unreadable, silent, changed or otherwise unusable."""


class PlanError(AudiosynthError):
    """A clip cannot be planned: the combination of its draws does not fit.

    Parameters
    ----------
    message
        The place, what was expected, what came, the way out.
    event
        What was drawn for the event at fault, as JSON; None where no single one is.
    """

    exit_code = 2

    def __init__(self, message: str, event: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.event = event

    def __reduce__(self) -> tuple[type[PlanError], tuple[str, Mapping[str, Any] | None]]:
        """Let worker processes hand it over whole."""
        return type(self), (str(self), self.event)


class WithdrawnError(PlanError):
    """A clip cannot be planned without a recording that was withdrawn."""


class RenderError(AudiosynthError):
    """A planned clip cannot be rendered."""


class BuildError(AudiosynthError):
    """A dataset cannot be written, resumed or verified."""


class ManifestError(AudiosynthError):
    """A manifest row is malformed, from a later version, or points outside its folder."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a recipe.

    Attributes
    ----------
    where
        ``file:line:column`` of the offending node, or where the value came from (``--set``).
    path
        Path inside the recipe, such as ``events[0].source.fmin``.
    message
        What was expected, what came, and the way out.
    """

    where: str
    path: str
    message: str

    def __str__(self) -> str:
        """Return ``where path: message``."""
        told = self.where.endswith(f" {self.path}")  # --set names the path itself
        place = " ".join(part for part in (self.where, "" if told else self.path) if part)
        return f"{place}: {self.message}" if place else self.message


class RecipeError(AudiosynthError):
    """A recipe has one or more problems; all of them are listed at once.

    Parameters
    ----------
    problems
        The problems found, in the order of the recipe.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))

    def __reduce__(self) -> tuple[type[RecipeError], tuple[tuple[Problem, ...]]]:
        """Let worker processes hand it over whole."""
        return type(self), (self.problems,)


def did_you_mean(word: object, candidates: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest candidate, or an empty string.

    Examples
    --------
    >>> did_you_mean("f_min", ["fmin", "fmax"])
    "; did you mean 'fmin'?"
    """
    close = difflib.get_close_matches(str(word), sorted(candidates), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def counted(count: int, word: str) -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> counted(1, "clip"), counted(2, "clip")
    ('1 clip', '2 clips')
    """
    return f"{count} {word}{'' if count == 1 else 's'}"


def few(names: Sequence[str], most: int) -> str:
    """Return the first of some names, and how many more there are.

    Examples
    --------
    >>> few(["a", "b"], 5), few(list("abcdefg"), 5)
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
