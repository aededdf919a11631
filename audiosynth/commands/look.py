"""`audiosynth list`, `describe`, `schema`: what there is, and how it is written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from audiosynth.commands.completion import complete_entry, complete_family
from audiosynth.commands.failures import dumps
from audiosynth.commands.show import Show, example, output_options

if TYPE_CHECKING:
    from audiosynth.commands.entries import Entry


@click.command(
    "list",
    short_help="List components, distributions, words and recipes.",
    epilog=example("audiosynth list effects"),
)
@click.argument("family", required=False, shell_complete=complete_family)
@output_options
def list_command(*, family: str | None, show: Show) -> None:
    """List what a recipe may use.

    FAMILY is synths, noises, rooms, effects, exporters (components); distributions, words (the recipe language); records
    (keys of the recipe's parts); or recipes (those that come with audiosynth). All of them without FAMILY; with --quiet,
    names only.
    """
    from audiosynth.commands.entries import GROUPS, summaries

    _known(family, GROUPS)
    found = [entry for group in GROUPS if family in (None, group) for entry in summaries(group)]
    for text in _left_out(family):
        show.note(f"warning: {text}")
    keys = ("group", "name", "summary", "versions", "portability")
    show.json({"entries": [{key: getattr(entry, key) for key in keys} for entry in found]})
    if show.quiet:
        for entry in found:
            show.result(entry.name)
    else:
        show.table(("family", "name", "what it is"), [(e.group, e.name, e.summary) for e in found])


def _left_out(family: str | None) -> list[str]:
    from audiosynth.plugins import misnamed
    from audiosynth.registry import FAMILIES, faults

    asked = [group for group in FAMILIES if family in (None, group)]
    return [*(text for group in asked for text in faults(group)), *(misnamed() if asked else ())]


def _known(family: str | None, groups: tuple[str, ...]) -> None:
    from audiosynth.errors import UsageError, did_you_mean

    if family is not None and family not in groups:
        hint = did_you_mean(family, groups) or f"; there are {', '.join(groups)}"
        raise UsageError(f"no family is called '{family}'{hint}")


@click.command(
    "describe",
    short_help="Describe a component, distribution or word.",
    epilog=example("audiosynth describe chirp"),
)
@click.argument("name", shell_complete=complete_entry)
@click.option(
    "--picture/--no-picture", default=None,
    help="Draw what a synthesizer, noise, room or effect does, in characters.  [default: in a terminal]",
)  # fmt: skip
@output_options
def describe_command(*, name: str, picture: bool | None, show: Show) -> None:
    """Describe NAME: what it is, its parameters with units, ranges and defaults, an example, and (in a terminal) a picture.

    NAME is anything that `audiosynth list` shows; family/name (noises/file) where two families have it. Every parameter
    may also be drawn.
    """
    from audiosynth.commands.pictures import PICTURED
    from audiosynth.commands.pictures import picture as draw

    wanted = sys.stdout.isatty() if picture is None else picture
    found = _named(name)
    show.json({"entries": [entry.as_dict() for entry in found]})
    for i, entry in enumerate(found):
        if i:
            show.result("")
        _describe(entry, show)
        if wanted and not show.as_json and entry.group in PICTURED:
            draw(entry.group, entry.name, show)


def _named(name: str) -> list[Entry]:
    from audiosynth.commands.entries import GROUPS, entries
    from audiosynth.errors import UsageError

    group, slash, plain = name.rpartition("/")
    _known(group if slash else None, GROUPS)
    same = [entry for g in GROUPS for entry in entries(g, name=plain.partition("@")[0])]
    found = [entry for entry in same if not slash or entry.group == group]
    if not found and name in GROUPS:
        raise UsageError(f"'{name}' is a family; `audiosynth list {name}` shows what is in it")
    if same and not found:
        raise UsageError(
            f"nothing is called '{name}'; did you mean {' or '.join(f'{e.group}/{e.name}' for e in same)}?"
        )
    if not found:
        raise UsageError(f"nothing is called '{plain}'{_hint(plain)}")
    return found


def _hint(name: str) -> str:
    """Return what somebody may have meant by a name that nothing has: a parameter, or a name that is near."""
    from audiosynth.commands.entries import GROUPS, entries
    from audiosynth.errors import did_you_mean

    every = [entry for group in GROUPS for entry in entries(group)]
    owners = [entry.name for entry in every if name in {p.name for p in entry.parameters}]
    if owners:
        told = f"{', '.join(owners[:5])}{', …' if owners[5:] else ''}"
        return f"; it is a parameter of {told} (`audiosynth describe {owners[0]}`)"
    return did_you_mean(name, {entry.name for entry in every}) or "; `audiosynth list` shows what there is"


def _describe(entry: Entry, show: Show) -> None:
    version = f", version {entry.versions[-1]}, {entry.portability}" if entry.versions else ""
    show.result(f"{entry.name} ({entry.group}{version}): {entry.summary}")
    if entry.text:
        show.result("\n" + entry.text)
    if entry.parameters:
        show.result("")
        rows = [(p.name, p.type, p.unit, p.range, p.default, p.description) for p in entry.parameters]
        show.table(("parameter", "type", "unit", "range", "default", "what it is"), rows)
    if entry.example:
        show.result("\nExample:\n" + "\n".join(f"  {line}" for line in entry.example.splitlines()))


@click.command(
    "schema",
    short_help="Print the JSON Schema of a recipe.",
    epilog=example("audiosynth schema > recipe.schema.json"),
)
@output_options
def schema_command(*, show: Show) -> None:
    """Print the JSON Schema (2020-12) of a recipe, for editors that complete and check while you type.

    Name it in the first line of a recipe: # yaml-language-server: $schema=recipe.schema.json. With --json, in one line. The
    schema says what may stand where; `audiosynth check` also says whether it fits together.
    """
    from audiosynth.loading.schema import recipe_schema

    click.echo(dumps(recipe_schema(), indent=None if show.as_json else 1))
