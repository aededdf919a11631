"""`audiosynth import-scaper`: soundscapes of scaper, made here from their JAMS files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from audiosynth.building.cpus import usable_cpus
from audiosynth.commands.build import default_root, require_all, summary
from audiosynth.commands.options import data_option, workers_option
from audiosynth.commands.show import Show, example, output_options

NEW_LOUDNESS = (1, 6, 2)
"""The version of scaper from which on loudness has been measured as it is here."""


@click.command(
    "import-scaper",
    short_help="Make scaper's soundscapes from their JAMS files.",
    epilog=example("audiosynth import-scaper soundscapes/*.jams --data audio=~/sounds -o output/scaper"),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE.jams…")
@data_option
@click.option("-o", "--output", metavar="DIR", help="Folder of the dataset.  [default: output/scaper]")
@click.option("--split", default="scaper", show_default=True, metavar="NAME", help="Split that the clips belong to.")
@click.option(
    "--subtype", type=click.Choice(["PCM_16", "PCM_24", "FLOAT"]), default="PCM_24", show_default=True,
    help="Samples of the WAV files.",
)  # fmt: skip
@click.option("--stems", is_flag=True, help="Also every event and background alone, as scaper's isolated events.")
@click.option(
    "--labels", multiple=True, metavar="NAME", default=("audacity",), show_default=True,
    help="Label format (`audiosynth list exporters`). May be repeated.",
)  # fmt: skip
@workers_option
@click.option(
    "--resume/--fresh", default=True,
    help="Go on with an unfinished import in the folder, or delete the build that is there.  [default: --resume]",
)  # fmt: skip
@click.option(
    "--keep-going", is_flag=True,
    help="Leave out clips that cannot be made, list them in failed.jsonl, and end with exit code 1.",
)  # fmt: skip
@output_options
def import_scaper_command(*, files: tuple[str, ...], data: dict[str, str], show: Show, **asked: Any) -> None:
    """Make the soundscapes of FILE.jams again under scaper's own rules, as a dataset with manifest and labels.

    The values a JAMS file was instantiated with decide the sound: same loudness, fades and truncations as scaper 1.6, within
    1e-9 of full scale where nothing is stretched, pitched or resampled. Sources are looked for below the folders of --data by
    the longest ending of their paths.
    """
    from audiosynth.build import carry_out
    from audiosynth.records.output import Output
    from audiosynth.scaper.order import order_of

    order = order_of(
        files, data=data, split=asked["split"], output=Output(subtype=asked["subtype"], stems=asked["stems"]),
        exports=[{"type": name} for name in asked["labels"]],
    )  # fmt: skip
    _tell_versions([spec.rules.origin.scaper_version for spec in order.specs], show)
    _tell_quick([spec.rules.origin.jams for spec in order.specs if spec.rules.quick], show)
    root = Path(asked["output"]) if asked["output"] is not None else default_root(order.name)
    with show.progress() as progress:
        built = carry_out(
            order, root, workers=asked["workers"] or usable_cpus(), fresh=not asked["resume"], keep_going=asked["keep_going"],
            progress=progress,
        )  # fmt: skip
    show.json({"root": str(built.root), "total": built.clips, "made": built.made, **built.stats})
    if not show.quiet:
        show.table(("", ""), summary(built))
    require_all(built)


def _tell_versions(versions: Sequence[str], show: Show) -> None:
    """Say which files were written by a scaper that measured loudness otherwise."""
    numbers = {v: [int(part) for part in v.split(".") if part.isascii() and part.isdigit()] for v in versions}
    old = sorted(v for v, parts in numbers.items() if parts and tuple(parts) < NEW_LOUDNESS)
    if old:
        show.note(
            f"note: written by scaper {', '.join(old)}, which measured loudness otherwise (by up to 0.5 dB); rendered by the "
            "rules of 1.6.2 and later"
        )


def _tell_quick(files: Sequence[str], show: Show) -> None:
    """Say which files were made with SoX's quick search, which this program does not have."""
    if files:
        show.note(
            f"note: {files[0]}{f' and {len(files) - 1} more' if len(files) > 1 else ''} asked for `quick_pitch_time`: SoX then takes "
            "other joints than its full search, which is used here; loudness stays, onsets may differ by up to 15 ms"
        )
