"""`audiosynth reference`: everything that a recipe may hold, as one Markdown page made from the components themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click

from audiosynth.commands.show import Show, example, output_options

if TYPE_CHECKING:
    from audiosynth.commands.entries import Entry

_TITLES: Final = {
    "records": ("The parts of a recipe", "Every key may hold a value, a draw of one, or a `$name`."),
    "words": (
        "Words of the language",
        "A map whose only key is one of these is not data: it draws, names, or repeats.",
    ),
    "distributions": ("Distributions", "Draws of numbers: `{uniform: [0, 20]}` in place of a number."),
    "synths": ("Synthesizers", "For `source:` of an event."),
    "noises": ("Noises", "For `noise:`, or the `source:` of its layers."),
    "rooms": ("Rooms", "For `room:`, of the recipe or of one event."),
    "effects": (
        "Effects",
        "For `effects:` of an event or of the `mix:`; each takes `p`, the probability that it is there.",
    ),
    "exporters": ("Formats of labels", "For `export:`, or `audiosynth export --to`."),
    "recipes": ("Recipes that come along", "For `audiosynth build`, or `extends:`."),
}
"""Title of each group and a line about it, in the order of the page."""
_HEADERS: Final = ("parameter", "type", "unit", "range", "default", "what it is")


@click.command(
    "reference",
    short_help="Print the reference of recipes as one Markdown page.",
    epilog=example("audiosynth reference > reference.md"),
)
@output_options
def reference_command(*, show: Show) -> None:
    """Print a Markdown page of everything that a recipe may hold.

    That is its parts, the words of the language, every distribution and every component, with parameters, units, ranges,
    defaults or draws and an example, and the recipes that come along. It is made from the components themselves (those of
    other installed packages too); the same versions print the same page.
    """
    from audiosynth.commands.entries import entries

    groups = {group: list(entries(group)) for group in _TITLES}
    text = "\n".join(_page(groups)) + "\n"
    show.json({"markdown": text})
    show.result(text.rstrip("\n"))


def _page(groups: dict[str, list[Entry]]) -> Iterator[str]:
    from audiosynth.versions import version

    yield f"# audiosynth {version()}: the recipe reference"
    yield "\nMade by `audiosynth reference`. In a terminal, `audiosynth describe NAME` shows one of these with a picture.\n"
    for group, found in groups.items():
        names = ", ".join(f"[{_code(entry.name)}](#{_anchor(entry)})" for entry in found)
        yield f"- **{_TITLES[group][0]}**: {names}"
    for group, found in groups.items():
        title, told = _TITLES[group]
        yield f"\n## {title}\n\n{told}"
        for entry in found:
            yield from _entry(entry)


def _anchor(entry: Entry) -> str:
    """Return a name that no other heading has: several families have a `file`."""
    return f"{entry.group}-{entry.name.replace('$', '').replace(':', '-')}"


def _entry(entry: Entry) -> Iterator[str]:
    yield f'\n### <a id="{_anchor(entry)}"></a>{_code(entry.name)}\n'
    older = (
        f" (older ones: {', '.join(f'{entry.name}@{n}' for n in entry.versions[:-1])})" if entry.versions[1:] else ""
    )
    version = f" *Version {entry.versions[-1]}{older}, {entry.portability}.*" if entry.versions else ""
    yield f"{_plain(entry.summary)}{version}"
    if entry.text:
        yield (
            f"\n```text\n{entry.text}\n```"
            if "\n  " in f"\n{entry.text}" or "   " in entry.text
            else f"\n{_plain(entry.text)}"
        )
    if entry.parameters:
        yield ""
        rows = [(_code(p.name), p.type, p.unit, p.range, p.draw or p.default, p.description) for p in entry.parameters]
        yield from _table(rows)
    if entry.example:
        yield f"\n```yaml\n{entry.example}\n```" if entry.group != "recipes" else f"\n```sh\n{entry.example}\n```"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(_HEADERS)} |"
    yield "|---" * len(_HEADERS) + "|"
    for row in rows:
        yield f"| {' | '.join(_cell(text) for text in row)} |"


def _cell(text: str) -> str:
    return _plain(" ".join(text.split())).replace("|", "\\|")


def _plain(text: str) -> str:
    """Return text in which nothing is taken for a tag."""
    return text.replace("<", "&lt;")


def _code(name: str) -> str:
    return f"`{name}`"
