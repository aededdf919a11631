"""`audiosynth build`: a recipe becomes a dataset."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiosynth.building.cpus import usable_cpus
from audiosynth.commands.options import (
    Command,
    Wanted,
    clips_option,
    recipe_options,
    whole,
    workers_option,
)
from audiosynth.commands.show import Show, example, output_options
from audiosynth.errors import counted

if TYPE_CHECKING:
    from audiosynth.build import Built
    from audiosynth.building.crew import Crew
    from audiosynth.building.delivery import Upload
    from audiosynth.building.parts import Shard
    from audiosynth.records.loaded import Recipe


def shard_of(ctx: click.Context, param: click.Parameter, value: str | None) -> Shard | None:
    """Turn ``3/64`` into a shard."""
    from audiosynth.building.parts import Shard
    from audiosynth.errors import UsageError

    try:
        return None if value is None else Shard.parse(value)
    except UsageError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def shards_option(command: Command) -> Command:
    """Add `--shards`, which is one more export of the recipe."""

    @click.option(
        "--shards", callback=whole(1, 1_000_000), metavar="N",
        help="Also write N tar files a split, each clip with its labels (WebDataset), as `export: [{type: webdataset, shards: N}]` does; "
        "`lhotse_shar` and `parquet` are exports too, and `output: {audio: tar}` leaves out the loose files.",
    )  # fmt: skip
    @wraps(command)
    def wrapped(*args: Any, wanted: Wanted, shards: int | None, **rest: Any) -> Any:
        if shards is not None:
            more = f"export[+]={{type: webdataset, shards: {shards}}}"
            wanted = replace(wanted, set_values=(*wanted.set_values, more))
        return command(*args, wanted=wanted, **rest)

    return wrapped  # type: ignore[return-value]


def output_option(command: Command) -> Command:
    """Add `-o` and `--free-local`; the command gets one `output`: a folder, a URL with what is said of it, or None."""

    @click.option(
        "-o",
        "--output",
        metavar="DIR",
        help="Folder of the dataset, or a URL such as s3://bucket/set, where it is uploaded to while it is made.  "
        "[default: output/NAME]",
    )
    @click.option(
        "--free-local", is_flag=True,
        help="With a URL: delete audio here as soon as it has arrived there, for sets larger than this disk.",
    )  # fmt: skip
    @wraps(command)
    def wrapped(*args: Any, output: str | None, free_local: bool, **rest: Any) -> Any:
        from audiosynth.building.delivery import Upload
        from audiosynth.errors import UsageError
        from audiosynth.files.remote import is_url

        if output is not None and is_url(output):
            return command(*args, output=Upload(output, free_local), **rest)
        if free_local:
            raise UsageError(
                "--free-local: nothing is uploaded; say where the dataset goes with -o URL, such as s3://bucket/set"
            )
        return command(*args, output=None if output is None else Path(output), **rest)

    return wrapped  # type: ignore[return-value]


@click.command(
    "build",
    short_help="Build the dataset of a recipe.",
    epilog=example("audiosynth build spoken_digits --data digits=~/fsdd --set noise.level_dbfs=-40 -o output/quiet"),
)
@clips_option
@recipe_options
@shards_option
@output_option
@workers_option
@click.option(
    "--dask", metavar="ADDRESS",
    help="Render on the workers of a Dask cluster: tcp://HOST:PORT of its scheduler, the scheduler's --scheduler-file, or "
    "`local` for --workers processes here. They need this folder and the data under the same paths.",
)  # fmt: skip
@click.option(
    "--shard", metavar="K/N", callback=shard_of,
    help="Make only part K of N, as one job of many; `audiosynth merge` puts the parts together. Clips go out in units of 64, so parts of "
    "small sets differ in size.  "
    "[default folder: output/NAME.parts/K-of-N]",
)  # fmt: skip
@click.option(
    "--resume/--fresh", default=True,
    help="Go on with an unfinished build in the folder, or delete the build that is there.  [default: --resume]",
)  # fmt: skip
@click.option(
    "--keep-going", is_flag=True,
    help="Leave out clips that cannot be made (they are listed in failed.jsonl; the same command again tries them again) and recordings "
    "that cannot be used (failures.tsv), and end with exit code 1. A label that an export format cannot hold stops the build all the same.",
)  # fmt: skip
@output_options
def build_command(
    *, wanted: Wanted, output: Path | Upload | None, workers: int | None, dask: str | None, shard: Shard | None, resume: bool,
    keep_going: bool, show: Show,
) -> None:  # fmt: skip
    """Build the dataset of RECIPE: audio, labels, and a manifest from which each clip can be made again.

    A build that was stopped, by Ctrl-C or by a power cut, goes on where it was when the same command runs again, and ends
    in the same bytes. A finished build is left alone, but for clips that could not be made, which are tried again.
    """
    from audiosynth.build import build

    crew = None if dask is None else _dask(dask, workers, show)
    recipe = wanted.load(show, keep_going=keep_going)
    root = default_root(recipe.name, shard) if output is None else output
    _note_room(recipe, root, shard, show)
    with show.progress() as progress:
        built = build(
            recipe, root, workers=workers or usable_cpus(), fresh=not resume, keep_going=keep_going, progress=progress,
            crew=crew, shard=None if shard is None else str(shard),
        )  # fmt: skip
    report(recipe, built, show, keep_going=keep_going)


def _note_room(recipe: Recipe, root: Path | Upload, shard: Shard | None, show: Show) -> None:
    """Warn of a set larger than the disk that it is made on; the build goes on, for it may be resumed elsewhere, or space be freed."""
    from audiosynth.building.delivery import staging_of
    from audiosynth.building.size import without_room

    if not isinstance(root, Path):
        if root.free_local:
            return
        root = staging_of(root.url, os.environ) / "set"
    text = without_room(recipe, root, shard)
    if text:
        show.note(f"warning: {text}")


def _dask(address: str, workers: int | None, show: Show) -> Crew:
    from audiosynth.cluster.connect import LOCAL, dask_crew
    from audiosynth.errors import UsageError

    if workers is not None and address != LOCAL:
        raise UsageError(f"--workers {workers}: the workers are those of the cluster at {address}; leave it out")
    return dask_crew(address, workers=workers or usable_cpus(), note=show.note)


def report(recipe: Recipe, built: Built, show: Show, *, keep_going: bool) -> None:
    """Print what a build made.

    Raises
    ------
    BuildError
        If something was left out.
    """
    from audiosynth.errors import BuildError

    show.json({"root": built.place, "total": built.clips, "made": built.made, **built.stats})
    if not show.quiet:
        show.table(("", ""), summary(built))
    require_all(built)
    left_out = sum(len(catalogue.problems) for catalogue in recipe.catalogues.values())
    if keep_going and left_out:
        raise BuildError(
            f"{counted(left_out, 'recording')} could not be used; {built.place}/failures.tsv says which, and why"
        )


def require_all(built: Built, *, parts: bool = False) -> None:
    """Raise `BuildError` if clips could not be made, here or in `parts`; it says how they are made once that is mended."""
    from audiosynth.errors import BuildError

    failed = built.stats.get("failed")
    if failed:
        way = (
            "run the same command again, which tries only these"
            if built.tries_again
            else "build the set anew with --fresh"
        )
        if parts:
            fresh = "" if built.tries_again else " with --fresh"
            way = f"make the parts that lack them again with `build --shard`, then merge again{fresh}"
        raise BuildError(
            f"{counted(failed, 'clip')} could not be made; {built.place}/failed.jsonl says which, and why. Once that is mended, {way}"
        )


def default_root(name: str, shard: Shard | None = None) -> Path:
    """Return ``output/NAME``, or ``output/NAME.parts/K-of-N``; a recipe from a stranger must not name a place elsewhere."""
    from audiosynth.errors import UsageError

    if not re.fullmatch(r"\w[\w .-]{0,99}", name):
        raise UsageError(f"the recipe's name {name!r} cannot be a folder's name; say where the dataset goes with -o")
    return Path("output") / name if shard is None else Path("output") / f"{name}.parts" / shard.folder


def summary(built: Built) -> list[tuple[str, str]]:
    """Return the rows of the final table: clips, hours, classes, realised SNR, guarded clips, a clip to hear."""
    stats = built.stats
    stood, failed = built.clips - built.made, stats.get("failed")
    made = (
        ""
        if not stood
        else ", nothing to do"
        if not (built.made or failed)
        else f", {stood} of them from an earlier run"
    )
    lost = f"; {failed} could not be made" if failed else ""
    rows = [
        ("dataset", built.place),
        ("clips", f"{built.clips} ({_by_split(stats['clips'])}){made}{lost}"),
        ("hours", f"{sum(stats['hours'].values()):.3f}"),
        ("classes", _classes(stats["classes"])),
        ("realised SNR", _snr(stats["snr"])),
        ("guarded", f"{counted(stats['guarded'], 'clip')}, turned down so as not to clip"),
    ]
    if stats["clipped"]:
        rows.append(("clipped", f"{counted(stats['clipped'], 'clip')} with saturated samples"))
    if stats["needs"]:
        rows.append(("not portable", f"same samples only with {', '.join(stats['needs'])}"))
    return [*rows, *_heard(built)]


def _heard(built: Built) -> list[tuple[str, str]]:
    """Return a row with the first clip's file: what somebody wants to do next is hear one."""
    from audiosynth.building.rows import rows_of
    from audiosynth.manifest import open_manifest

    if built.url:  # nothing of it is here any more
        return []
    _, first = next(rows_of(open_manifest(built.root)), ("", None))
    heard = None if first is None else built.root / first["path"]
    return [("hear one", str(heard))] if heard is not None and heard.is_file() else []


def _by_split(clips: Mapping[str, int]) -> str:
    return ", ".join(f"{split} {count}" for split, count in clips.items())


def _classes(classes: Mapping[str, Any], most: int = 12) -> str:
    shown = ", ".join(f"{name} {entry['events']}" for name, entry in list(classes.items())[:most])
    more = f", and {len(classes) - most} more" if len(classes) > most else ""
    return f"{len(classes)} ({shown}{more}; events)" if classes else "none"


def _snr(snr: Mapping[str, Any] | None) -> str:
    if snr is None:
        return "no event asks for one; `audiosynth stats` tells those that came out"
    middle = snr.get("median_db", snr["mean_db"])
    return (
        f"median {middle:.1f} dB, from {snr['min_db']:.1f} to {snr['max_db']:.1f} dB over {counted(snr['events'], 'event')}; "
        f"off the request by at most {snr['largest_error_db']:.4f} dB"
    )
