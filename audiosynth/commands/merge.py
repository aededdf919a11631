"""`audiosynth merge`: the parts of a build become one dataset."""

from __future__ import annotations

from pathlib import Path

import click

from audiosynth.commands.build import require_all, summary
from audiosynth.commands.show import Show, example, output_options


@click.command(
    "merge",
    short_help="Put the parts of a build together.",
    epilog=example(
        "audiosynth build quickstart --shard $SLURM_ARRAY_TASK_ID/64     # in every job of --array=1-64",
        "audiosynth merge output/quickstart.parts/* -o output/quickstart",
    ),
)
@click.argument("parts", metavar="PART...", nargs=-1, required=True)
@click.option("-o", "--output", metavar="DIR", required=True, help="Folder of the whole dataset.")
@click.option("--resume/--fresh", default=True, help="Go on with an unfinished merge in the folder, or start over.")
@output_options
def merge_command(*, parts: tuple[str, ...], output: str, resume: bool, show: Show) -> None:
    """Make one dataset of all the PARTs that `audiosynth build --shard K/N` made, in any order.

    It is the dataset that one build would have made, byte for byte; labels are written now. The parts stay: audio is linked
    where they are on the same file system, and copied otherwise. A merge that was stopped goes on when the same command runs
    again. Exit code 1 if clips are missing that a part could not make.
    """
    from audiosynth.building.elsewhere import require_folder, require_here
    from audiosynth.merge import merge

    require_folder(output)
    for part in parts:
        require_here(part, "merge")
    with show.progress() as progress:
        built = merge(parts, Path(output), fresh=not resume, progress=progress)
    show.json({"root": str(built.root), "total": built.clips, "made": built.made, **built.stats})
    if not show.quiet:
        show.table(("", ""), summary(built))
    require_all(built, parts=True)
