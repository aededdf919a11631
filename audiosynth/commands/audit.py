"""`audiosynth audit`: whether a built set is fit to be trained and tested with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import click

from audiosynth.building.cpus import usable_cpus
from audiosynth.commands.options import workers_option
from audiosynth.commands.show import Show, example, output_options
from audiosynth.errors import counted

FEW: Final = 200
"""Files that one process reads sooner than others are started."""


@click.command(
    "audit",
    short_help="Look for leakage, memorised recordings, wrong levels and labels.",
    epilog=example(
        "audiosynth audit output/spoken_digits", "audiosynth audit output/office_noise --against ~/office_recordings"
    ),
)
@click.argument("folder", metavar="DIR")
@click.option(
    "--against", multiple=True, metavar="PATH",
    help="A recording, or a folder of them, of which no clip may hold a stretch (unless its row names it). May be repeated.",
)  # fmt: skip
@click.option(
    "--listen/--no-listen", default=True, help="Read the audio too, or the manifest alone.  [default: --listen]"
)
@workers_option
@output_options
@click.pass_context
def audit_command(
    ctx: click.Context, *, folder: str, against: tuple[str, ...], listen: bool, workers: int | None, show: Show
) -> None:
    """Look in the dataset in DIR, or at a URL, for what makes results of training on it worthless.

    Leakage: recordings, speakers, voices and rooms in more than one split, and clips that are, or sound, the same. Memorised:
    clips that hold a stretch of a given recording. Levels and SNRs off what was asked for, labels past the end, of no length,
    or of one class at once (which PSDS refuses), classes that a split lacks. Exit code 1 if there is a fault; notes may be meant.
    """
    from audiosynth.audit import audit
    from audiosynth.auditing.findings import SHOWN
    from audiosynth.building.elsewhere import near
    from audiosynth.building.index import row_count
    from audiosynth.errors import few
    from audiosynth.manifest import open_manifest

    with near(folder, audio=listen) as place, show.progress("files") as progress:
        processes = workers or (1 if row_count(open_manifest(place)) < FEW else usable_cpus())
        found = audit(place, against=against, listen=listen, workers=processes, progress=progress)
    faults = [finding for finding in found if finding.state == "fault"]
    show.json({"ok": not faults, "findings": [asdict(finding) for finding in found]})
    if found:
        show.table(("check", "", "what", "clips"), [(f.check, f.state, f.message, few(f.clips, SHOWN)) for f in found])
    show.line(
        f"{counted(len(faults), 'fault')}, {counted(len(found) - len(faults), 'note')}"
        if found
        else "ok: nothing is wrong"
    )
    ctx.exit(1 if faults else 0)
