"""`audiosynth plan`: what would be built, as specs, without any sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from audiosynth.commands.failures import dumps
from audiosynth.commands.options import Wanted, clip_of, clips_option, recipe_options
from audiosynth.commands.show import Show, example, output_options
from audiosynth.errors import counted

if TYPE_CHECKING:
    from audiosynth.records.loaded import Recipe
    from audiosynth.spec import ClipSpec


@click.command(
    "plan",
    short_help="Print what a recipe would give, without sound.",
    epilog=example("audiosynth plan quickstart --split test --clip 0 --clip 3 | jq .events"),
)
@clips_option
@recipe_options
@click.option("--split", metavar="SPLIT", help="This split only.  [default: all of them]")
@click.option(
    "--clip", "clips_wanted", multiple=True, metavar="CLIP",
    help="This clip only: a number from 0 (of --split, or of the first split), or an id. May be repeated.",
)  # fmt: skip
@output_options
def plan_command(*, wanted: Wanted, split: str | None, clips_wanted: tuple[str, ...], show: Show) -> None:
    """Print the spec of every clip of RECIPE, one JSON object a line: the recipe with every die cast.

    The specs go to standard output (with or without --json), a summary to standard error; no sound is made.
    """
    from audiosynth.plan import plan_clip

    recipe = wanted.load(show)
    totals = _Totals()
    for name, ordinal in list(_chosen(recipe, split, clips_wanted)):
        spec = plan_clip(recipe, name, ordinal)
        click.echo(dumps(spec.to_json()))
        totals.add(spec)
    if not show.quiet:
        show.table(("label", "events", "seconds"), totals.rows(), right=(1, 2), err=True)
        show.note(f"{counted(totals.clips, 'clip')}, {totals.seconds / 3600:.3f} h")


def _chosen(recipe: Recipe, split: str | None, clips: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    if split is not None:
        recipe.require_clip(split, 0)
    if clips:
        yield from (clip_of(text, split, recipe) for text in clips)
        return
    for name, count in recipe.clips.items():
        if split in (None, name):
            yield from ((name, ordinal) for ordinal in range(count))


@dataclass
class _Totals:
    """What the planned clips add up to."""

    clips: int = 0
    seconds: float = 0.0
    labels: dict[str, list[float]] = field(default_factory=dict)

    def add(self, spec: ClipSpec) -> None:
        """Count one clip; an event without a label is counted under its own mark."""
        self.clips += 1
        self.seconds += spec.duration
        for event in spec.events:
            entry = self.labels.setdefault(event.label or "(no label)", [0, 0.0])
            entry[0] += 1
            entry[1] += sum(b - a for a, b in event.place.labels) / spec.sr if event.place else 0.0

    def rows(self) -> list[tuple[str, str, str]]:
        """Return label, number of events, and seconds."""
        return [(name, f"{n:.0f}", f"{s:.1f}") for name, (n, s) in sorted(self.labels.items())]
