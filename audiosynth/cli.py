"""The command line: the only place that prints and exits."""

from __future__ import annotations

import sys

import click


@click.group()
def cli() -> None:
    """Make labeled audio from recipes, and give any clip of it back."""


@cli.command()
@click.argument("recipe")
@click.option("-o", "--output", help="Folder of the dataset; output/NAME by default.")
@click.option("--clips", type=int, help="Clips per split.")
@click.option("--workers", type=int, default=1, show_default=True)
def build(recipe: str, output: str | None, clips: int | None, workers: int) -> None:
    """Build the dataset of a recipe (a file, or the name of a shipped one)."""
    from pathlib import Path

    from audiosynth.build import build as build_dataset
    from audiosynth.recipe import load_recipe
    from audiosynth.shipped import shipped_recipe

    loaded = load_recipe(recipe if recipe.endswith(".yaml") else shipped_recipe(recipe), clips=clips)
    built = build_dataset(loaded, output or Path("output") / loaded.name, workers=workers)
    click.echo(f"{built.root}: {built.clips} clips")


def main() -> None:
    """Run the command line; errors of this package are one message and an exit code."""
    from audiosynth.errors import AudiosynthError

    try:
        cli(standalone_mode=True)
    except AudiosynthError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
