"""`audiosynth completion`, and what a shell is offered when somebody presses the tab key."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem, get_completion_class

from audiosynth.commands.show import Show, example, output_options

SHELLS = ("bash", "zsh", "fish")


def _offer(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_recipe(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer the recipes that come along, and files."""
    from audiosynth.files.shipped import shipped_recipes

    return [*_offer(shipped_recipes(), incomplete), CompletionItem(incomplete, type="file")]


def complete_point(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer the starting points."""
    from audiosynth.starter import POINTS

    return _offer(POINTS, incomplete)


def complete_exporter(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer the formats of labels."""
    from audiosynth.registry import newest

    return _offer(newest("exporters"), incomplete)


def complete_family(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer what `list` takes."""
    from audiosynth.commands.entries import GROUPS

    return _offer(GROUPS, incomplete)


def complete_entry(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Offer everything that `describe` knows, without reading what it says of them."""
    from audiosynth.commands.words import ARGUMENTS, WORDS
    from audiosynth.commands.words_parts import PARTS
    from audiosynth.files.shipped import shipped_recipes
    from audiosynth.registry import FAMILIES, newest

    found = {name for family in FAMILIES for name in newest(family, everywhere=True)}
    return _offer(sorted(found.union(ARGUMENTS, PARTS, WORDS, shipped_recipes())), incomplete)


@click.command(
    "completion",
    short_help="Print the script that lets a shell complete commands and names.",
    epilog=example(
        "audiosynth completion bash >> ~/.bashrc",
        "audiosynth completion zsh >> ~/.zshrc",
        "audiosynth completion fish > ~/.config/fish/completions/audiosynth.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@output_options
@click.pass_context
def completion_command(ctx: click.Context, *, shell: str, show: Show) -> None:
    """Print the script for SHELL: bash (4.4 or newer), zsh or fish.

    The tab key then completes commands and options, and the names of recipes, components, formats, presets and starting points.
    """
    from audiosynth.cli import COMPLETE

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click has no completion for {shell}", ctx)
    root = ctx.find_root()
    script = made(root.command, {}, "audiosynth", COMPLETE).source()
    show.json({"shell": shell, "script": script})
    show.result(script)
