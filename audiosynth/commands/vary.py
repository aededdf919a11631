"""`audiosynth vary`: a set made again from its manifest, with something changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiosynth.building.cpus import usable_cpus
from audiosynth.commands.build import default_root, require_all, summary
from audiosynth.commands.options import data_option, parse_set, workers_option
from audiosynth.commands.show import Show, example, output_options
from audiosynth.errors import counted

if TYPE_CHECKING:
    from audiosynth.vary import Variation


@click.command(
    "vary",
    short_help="Make a set again from its manifest, with something changed.",
    epilog=example(
        "audiosynth vary output/quickstart --set 'noise.level_dbfs=+6'",
        "audiosynth vary output/soundscapes --set 'events[label=dog].snr_db=+3' --data events=~/esc10 -o output/louder_dogs",
    ),
)
@click.argument("manifest")
@click.option(
    "--set", "set_values", multiple=True, required=True, metavar="PATH=VALUE", callback=parse_set,
    help="What differs, wherever a clip has it: noise.snr_db=6, events[label=dog].snr_db=+3 (added; +-3 takes away), "
    "events[*].source.amplitude=*0.5 (multiplied), output.stems=true. May be repeated.",
)  # fmt: skip
@data_option
@click.option("-o", "--output", metavar="DIR", help="Folder of the new dataset.  [default: output/NAME-what_is_set]")
@workers_option
@click.option(
    "--resume/--fresh", default=True,
    help="Go on with an unfinished build in the folder, or delete the build that is there.  [default: --resume]",
)  # fmt: skip
@click.option(
    "--keep-going", is_flag=True,
    help="Leave out clips that cannot be made, list them in failed.jsonl, and end with exit code 1.",
)  # fmt: skip
@output_options
def vary_command(
    *, manifest: str, set_values: tuple[str, ...], data: dict[str, str], output: str | None, workers: int | None,
    resume: bool, keep_going: bool, show: Show,
) -> None:  # fmt: skip
    """Make the clips of MANIFEST again into a new dataset that differs in what is set, and in nothing else.

    MANIFEST is a dataset's folder or a manifest file, or a URL of either. No die is thrown: sources, seeds and places stay as they are, and what
    follows from a change is worked out. One level in the place of another: set the other to null as well. Every row names the
    clip it was made from (parent); labels are written as for the parent.
    """
    from audiosynth.build import carry_out
    from audiosynth.building.elsewhere import near, require_folder
    from audiosynth.vary import variation

    require_folder(output)
    with near(manifest) as place, show.progress() as progress:
        order = variation(place, set_values, data=data)
        root = Path(output) if output is not None else default_root(order.name)
        built = carry_out(
            order, root, workers=workers or usable_cpus(), fresh=not resume, keep_going=keep_going, progress=progress
        )
    changed = {"changed": order.changed, "set": [setting.text for setting in order.settings]}
    show.json({"root": str(built.root), "total": built.clips, "made": built.made, **changed, **built.stats})
    if not show.quiet:
        show.table(("", ""), [*summary(built), ("changed", _changed(order))])
    require_all(built)


def _changed(order: Variation) -> str:
    clips = sum(order.clips.values())
    rest = "" if order.changed == clips else f"; the other {clips - order.changed} are as they were"
    return f"{', '.join(setting.text for setting in order.settings)} in {counted(order.changed, 'clip')}{rest}"
