"""Recipes that come with the package."""

from __future__ import annotations

from pathlib import Path

from audiosynth.errors import UsageError, did_you_mean


def recipes_folder() -> Path:
    """Return the folder of the shipped recipes: inside the installed package, or beside it in a source tree."""
    package = Path(__file__).parents[1]
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parent / "recipes"


def shipped_recipes() -> list[str]:
    """Return the names of the shipped recipes."""
    return sorted(path.stem for path in recipes_folder().glob("*.yaml"))


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
    names = shipped_recipes()
    if name not in names:
        raise UsageError(f"no recipe called '{name}'{did_you_mean(name, names)}; there are {', '.join(names)}")
    return recipes_folder() / f"{name}.yaml"
