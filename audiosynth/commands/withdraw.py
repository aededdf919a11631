"""`audiosynth withdraw`: recordings out of a built set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from audiosynth.building.cpus import usable_cpus
from audiosynth.commands.options import data_option, workers_option
from audiosynth.commands.show import Show, example, output_options
from audiosynth.errors import counted

if TYPE_CHECKING:
    from audiosynth.withdraw import Withdrawal

SHOWN: Final = 20
"""Clips and recordings told one by one; the JSON has all of them."""


@click.command(
    "withdraw",
    short_help="Take recordings, or a speaker, out of a built set.",
    epilog=example(
        "audiosynth withdraw output/spoken_digits --speaker theo --data digits=~/fsdd",
        "audiosynth withdraw output/spoken_digits --asset c9e78bcc1c5d786b --data digits=~/fsdd --yes",
        "audiosynth withdraw output/spoken_digits --asset digits:0_theo_0.wav --data digits=~/fsdd",
    ),
)
@click.argument("folder", metavar="DIR")
@click.option(
    "--asset",
    "assets",
    multiple=True,
    metavar="SHA256|PATH",
    help="This recording, by its hash, the hash's first digits, or its path as rows have it (PATH below its data root, or DATA:PATH). "
    "May be repeated.",
)
@click.option(
    "--speaker", "speakers", multiple=True, metavar="ID", help="Every recording of this speaker. May be repeated."
)
@data_option
@workers_option
@click.option("--yes", is_flag=True, help="Do it; otherwise it is only told what would be done.")
@output_options
def withdraw_command(
    *, folder: str, assets: tuple[str, ...], speakers: tuple[str, ...], data: dict[str, str], workers: int | None, yes: bool, show: Show
) -> None:  # fmt: skip
    """Take recordings out of the set in DIR, and make the clips that used them again with others of the same kind.

    All other clips stay as they are, bit for bit. A clip for which nothing else fits is left out. Manifest, assets, labels,
    attribution and card follow; a report is deleted. DIR/withdrawn.json keeps the recordings' hashes; beside a recipe, that file is always obeyed, so
    that a new build gives the same set. If this is interrupted, the same command goes on. Copies that you handed on are yours to
    recall.
    """
    from audiosynth.building.elsewhere import require_here
    from audiosynth.errors import UsageError
    from audiosynth.withdraw import begun, go_on, withdraw, withdrawal

    require_here(folder, "withdraw")
    if begun(folder):
        if not yes:
            raise UsageError(
                f"{folder}: a withdrawal, or a build that tried clips again, was interrupted here; add --yes to finish it"
            )
        with show.progress() as progress:
            built = go_on(folder, data=data, workers=workers or usable_cpus(), progress=progress)
        show.json({"finished": True, "clips": built.stats["clips"]})
        show.line("what was interrupted is finished; run the command again for what else there is")
        return
    if not (assets or speakers):
        raise UsageError("what is to be withdrawn? Give --asset SHA256 (or a recording's path) or --speaker ID")
    found = withdrawal(folder, assets=assets, speakers=speakers, data=data)
    _tell(found, show)
    done = yes and bool(found.gone)
    if done:
        with show.progress() as progress:
            withdraw(found, workers=workers or usable_cpus(), progress=progress)
    show.json(
        {
            "recordings": list(found.paths),
            "refilled": list(found.refilled),
            "removed": list(found.removed),
            "done": done,
        }
    )
    show.line(_verdict(found, done))


def _tell(found: Withdrawal, show: Show) -> None:
    for word, names in (("recording", found.paths), ("refill", found.refilled), ("remove", found.removed)):
        for name in names[:SHOWN]:
            show.result(f"{word:10} {name}")
        if len(names) > SHOWN:
            show.result(f"{word:10} … and {len(names) - SHOWN} more; --json lists them all")


def _verdict(found: Withdrawal, done: bool) -> str:
    if not found.gone:
        return "nothing to do: these recordings were withdrawn before"
    counts = (
        f"{counted(len(found.paths), 'recording')}, {counted(len(found.refilled), 'clip')} made again, "
        f"{counted(len(found.removed), 'clip')} left out"
    )
    return f"withdrawn: {counts}" if done else f"would be withdrawn: {counts}; add --yes to do it"
