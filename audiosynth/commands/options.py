"""Options that several commands share: the recipe and what changes it, folders of data, which clip."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from audiosynth.commands.completion import complete_recipe
from audiosynth.commands.show import Show

if TYPE_CHECKING:
    from audiosynth.records.loaded import Recipe

Command = TypeVar("Command", bound=Callable[..., Any])
MAX_CLIPS = 100_000_000
MAX_WORKERS = 1024
MOST_NAMED = 3
"""Files that a hint names."""
_CLIP_ID = re.compile(r"(.+)-(\d{9,})")


@dataclass(frozen=True)
class Wanted:
    """A recipe as the command line asks for it.

    Attributes
    ----------
    name
        File or shipped recipe.
    clips, seed, set_values, data
        As `audiosynth.load_recipe` takes them.
    shared
        Whether `data` is meant for several recipes, so that one of them may have no use for some of it.
    """

    name: str
    clips: int | None
    seed: int | None
    set_values: tuple[str, ...]
    data: Mapping[str, str]
    shared: bool = False

    def load(self, show: Show, *, keep_going: bool = False) -> Recipe:
        """Load the recipe, print its warnings, refuse folders that it has no use for."""
        from audiosynth.recipe import load_recipe

        recipe = load_recipe(
            find_recipe(self.name), set_values=self.set_values, seed=self.seed, clips=self.clips, data=self.data,
            keep_going=keep_going,
        )  # fmt: skip
        if not self.shared:
            require_used(self.data, recipe.roots)
        for text in getattr(recipe, "warnings", ()):
            show.note(f"warning: {text}")
        return recipe


def whole(low: int, high: int) -> Callable[[click.Context, click.Parameter, Any], int | None]:
    """Return the callback of an option that takes a whole number from `low` to `high`."""

    def parse(ctx: click.Context, param: click.Parameter, value: Any) -> int | None:
        if value is None or (re.fullmatch(r"[+-]?[0-9]{1,30}", str(value)) and low <= int(value) <= high):
            return None if value is None else int(value)
        raise click.BadParameter(f"expected a whole number from {low} to {high}, got '{value}'", ctx, param)

    return parse


def find_recipe(name: str) -> Path:
    """Return the file of a recipe: the one of that path, or else the shipped one of that name.

    Raises
    ------
    UsageError
        If there is neither; the message says what comes near.
    """
    from audiosynth.errors import UsageError
    from audiosynth.files.shipped import shipped_recipe, shipped_recipes

    path = Path(name)
    if path.is_file() or (path.suffix in (".yaml", ".yml") and not path.is_dir()):
        return path
    if name in shipped_recipes():
        return shipped_recipe(name)
    if path.is_dir():
        raise UsageError(f"{name}: is a folder{_hint_at(path)}")
    beside = path.with_name(path.name + ".yaml") if path.name else path
    if beside.is_file():
        raise UsageError(f"no recipe is called '{name}'; did you mean the file {beside}?")
    return shipped_recipe(name)


def _hint_at(folder: Path) -> str:
    """Return what to do with a folder where a recipe was expected."""
    from audiosynth.building.folder import WORK
    from audiosynth.errors import few

    recipe = folder / "recipe.yaml"
    if (folder / "dataset.json").is_file():
        way = (
            f"its recipe is {recipe} (-o names another folder to build it into)"
            if recipe.is_file()
            else "it was made from another set's manifest and has no recipe"
        )
        return f" that holds a finished set; {way}, `audiosynth verify {folder}` checks it, `audiosynth reproduce {folder}` makes its clips again"
    if (folder / WORK).is_dir():
        return " that holds an unfinished build; give the recipe it was begun with, and the same options: it goes on"
    found = [recipe] if recipe.is_file() else sorted(folder.glob("*.y*ml"))
    named = few([str(path) for path in found], MOST_NAMED)
    return f"; did you mean {named}?" if found else "; expected a YAML file or the name of a recipe"


def require_used(data: Mapping[str, str], roots: Mapping[str, Path]) -> None:
    """Raise `UsageError` if a folder was given that the recipe does not ask for: a slip of the pen would pass unseen."""
    from audiosynth.errors import UsageError, did_you_mean

    for name in data:
        if name not in roots:
            known = f"; it has {', '.join(roots)}" if roots else "; it needs no data"
            raise UsageError(f"--data {name}: the recipe has no data root '{name}'{did_you_mean(name, roots) or known}")


def parse_data(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Turn ``NAME=DIR`` options into a map; every folder must be there, URLs are met later."""
    from audiosynth.files.remote import is_url

    found: dict[str, str] = {}
    for value in values:
        name, equals, folder = value.partition("=")
        if not (equals and name and folder):
            raise click.BadParameter(f"expected NAME=DIR, got '{value}'", ctx, param)
        if name in found:
            raise click.BadParameter(f"'{name}' is given twice", ctx, param)
        if not (is_url(folder) or Path(folder).expanduser().is_dir()):
            kind = "is a file, not a folder" if Path(folder).expanduser().exists() else "there is no such folder"
            raise click.BadParameter(f"{name}={folder}: {kind}", ctx, param)
        found[name] = folder
    return found


def parse_set(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse overrides that are not ``path=value``."""
    for value in values:
        if not value.partition("=")[1] or value.startswith("="):
            raise click.BadParameter(f"expected path=value such as noise.snr_db=6, got '{value}'", ctx, param)
    return values


data_option = click.option(
    "--data", multiple=True, metavar="NAME=DIR", callback=parse_data,
    help="Folder of a data root, or a URL such as s3://bucket/sounds, downloaded once; wins over the environment (AUDIOSYNTH_DATA_NAME) and the recipe. May be repeated.",
)  # fmt: skip
set_option = click.option(
    "--set", "set_values", multiple=True, metavar="PATH=VALUE", callback=parse_set,
    help="Change a value of the recipe, written in YAML: noise.snr_db=6, events[0].source.fmin=200, export[+]=jams. May be repeated.",
)  # fmt: skip
seed_option = click.option(
    "--seed", callback=whole(0, 2**63 - 1), metavar="S",
    help="Another seed, another dataset of the same kind.  [default: the recipe's]",
)  # fmt: skip
clips_option = click.option(
    "--clips", callback=whole(1, MAX_CLIPS), metavar="N",
    help="Clips per split.  [default: as the recipe says]",
)  # fmt: skip


def recipe_options(command: Command) -> Command:
    """Add RECIPE and the options that change it; the command gets one `wanted`."""

    @click.argument("recipe", shell_complete=complete_recipe)
    @set_option
    @seed_option
    @data_option
    @wraps(command)
    def wrapped(
        *args: Any, recipe: str, seed: int | None, set_values: tuple[str, ...], data: dict[str, str],
        clips: int | None = None, **rest: Any,
    ) -> Any:  # fmt: skip
        return command(*args, wanted=Wanted(recipe, clips, seed, set_values, data), **rest)

    return wrapped  # type: ignore[return-value]


def clip_of(text: str, split: str | None, recipe: Recipe) -> tuple[str, int]:
    """Return (split, ordinal) of ``3`` or ``train-000000003``.

    Raises
    ------
    UsageError
        If it is neither, or names another split than `split`.
    """
    from audiosynth.errors import UsageError

    if text.isascii() and text.isdigit():
        return split or next(iter(recipe.clips)), int(text)
    match = _CLIP_ID.fullmatch(text)
    if match is None:
        raise UsageError(f"--clip: expected a number from 0 or an id such as train-000000003, got '{text}'")
    if split is not None and split != match[1]:
        raise UsageError(f"--clip {text}: is not of --split {split}")
    return match[1], int(match[2])


workers_option = click.option(
    "--workers", callback=whole(1, MAX_WORKERS), metavar="N",
    help="Processes that render; the result is the same for any number.  [default: the CPUs this process may use]",
)  # fmt: skip
