"""Recipes that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from audiosynth.errors import UsageError, did_you_mean

_STARTING: Final = "starting"
"""Folder of the starting points below that of the recipes."""


def recipes_folder() -> Path:
    """Return the folder of the shipped recipes: inside the installed package, or beside it in a source tree."""
    package = Path(__file__).parents[1]
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parent / "recipes"


def shipped_recipes() -> list[str]:
    """Return the names of the shipped recipes."""
    return sorted(path.stem for path in recipes_folder().glob("*.yaml"))


def _named(folder: Path, name: str, names: list[str], nobody: str) -> Path:
    if name not in names:
        instead = did_you_mean(name, names) or f"; there are {', '.join(names)}"
        raise UsageError(f"{nobody} '{name}'{instead}")
    return folder / f"{name}.yaml"


def starting_points() -> list[str]:
    """Return the names of the recipes to start one's own from (`audiosynth.starter`)."""
    return sorted(path.stem for path in (recipes_folder() / _STARTING).glob("*.yaml"))


def starting_point(name: str) -> Path:
    """Return the file of a starting point.

    Raises
    ------
    UsageError
        If there is none of that name.

    Examples
    --------
    >>> starting_point("rooms").name
    'rooms.yaml'
    """
    return _named(recipes_folder() / _STARTING, name, starting_points(), "no starting point is called")


def shipped_recipe(name: str) -> Path:
    """Return the path of a shipped recipe.

    Raises
    ------
    UsageError
        If there is none of that name.

    Examples
    --------
    >>> shipped_recipe("quickstart").name
    'quickstart.yaml'
    """
    return _named(recipes_folder(), name, shipped_recipes(), "no recipe called")
