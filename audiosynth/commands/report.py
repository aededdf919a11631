"""`audiosynth report`: look at a set and listen to it."""

from __future__ import annotations

import click

from audiosynth.building.cpus import usable_cpus
from audiosynth.commands.options import MAX_CLIPS, MAX_WORKERS, whole
from audiosynth.commands.show import Show, example, output_options
from audiosynth.errors import counted


@click.command(
    "report",
    short_help="Write a page to look at a set and listen to it.",
    epilog=example("audiosynth report output/quickstart"),
)
@click.argument("folder", metavar="DIR")
@click.option(
    "--clips", default="2000", show_default=True, callback=whole(0, MAX_CLIPS), metavar="N",
    help="Clips whose audio is read at most, evenly spread: for pictures and checks.",
)  # fmt: skip
@click.option(
    "--workers", callback=whole(1, MAX_WORKERS), metavar="N",
    help="Processes that read; the page is the same for any number.  [default: the CPUs this process may use]",
)  # fmt: skip
@output_options
def report_command(*, folder: str, clips: int, workers: int | None, show: Show) -> None:
    """Write DIR/report.html: what the dataset in DIR holds, what is wrong with it, and every clip to see and hear.

    The page opens from disk and needs no network; keep DIR/report_files beside it. A build that is not finished is shown as far
    as it has come. An earlier report is replaced.
    """
    from audiosynth.building.elsewhere import require_here
    from audiosynth.report.report import report

    require_here(folder, "report")
    with show.progress() as progress:
        made = report(folder, clips=clips, workers=workers or usable_cpus(), progress=progress)
    counts = {name: len(ids) for name, ids in made.found.items()}
    show.json({
        "page": str(made.page), "clips": made.clips, "planned": made.planned, "listed": made.listed, "read": made.read,
        "found": counts, "duplicates": len(made.duplicates), "shared": dict(made.shared),
    })  # fmt: skip
    show.result(str(made.page))
    if made.planned is not None:
        show.note(f"the build is not finished: {made.clips} of {counted(made.planned, 'clip')}")
    for part, what in ((made.listed, "listed"), (made.read, "read for pictures and checks")):
        if part < made.clips:
            show.note(f"{part} of {made.clips} clips are {what}")
    if counts:
        show.note("found: " + ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in counts.items()))
