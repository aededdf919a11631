"""`audiosynth reproduce`: clips from their manifest rows, held against the recorded hashes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiosynth.building.cpus import usable_cpus
from audiosynth.commands.options import data_option, workers_option
from audiosynth.commands.show import Show, example, output_options
from audiosynth.errors import ManifestError, counted

if TYPE_CHECKING:
    from audiosynth.building.compare import Comparison

SHOWN = 20
"""Notes on clips told one by one; the JSON has all of them."""


@click.command(
    "reproduce",
    short_help="Make clips again from their manifest rows.",
    epilog=example(
        "grep dog output/soundscapes/manifest.jsonl | audiosynth reproduce - --data events=~/esc10 -o again/"
    ),
)
@click.argument("manifest")
@click.option(
    "--clip", "clips", multiple=True, metavar="ID", help="This clip only, such as train-000000003. May be repeated."
)
@data_option
@click.option("-o", "--output", metavar="DIR", help="Folder to write the clips to.  [default: compare only]")
@workers_option
@output_options
@click.pass_context
def reproduce_command(
    ctx: click.Context, *, manifest: str, clips: tuple[str, ...], data: dict[str, str], output: str | None,
    workers: int | None, show: Show,
) -> None:  # fmt: skip
    """Make the clips of MANIFEST again and compare their samples with the recorded hashes.

    MANIFEST is a dataset's folder, a manifest file, a URL of either, or - for rows on standard input. Recordings are found by their path
    below the folders given, or by their SHA-256 under any of them. Exit code 1 if a clip came out different; what to
    install to get its samples is said then.
    """
    from audiosynth.building.compare import compare
    from audiosynth.building.elsewhere import near, require_folder

    require_folder(output)
    found: list[Comparison] = []
    count, path = 0, ""
    with near(manifest, clips=clips) as place, show.progress() as progress:
        source = _source(manifest if manifest == "-" else place)
        total = len(set(clips)) or _count(source)
        made = compare(source, clips=clips or None, data=data, out=output, workers=_workers(workers, total))
        for row in made:
            count, path = count + 1, row.path
            progress(count, max(total, count))
            if show.as_json or row.notes or not row.same:
                found.append(row)
        if not count:
            raise ManifestError(f"{'standard input' if manifest == '-' else source}: holds no rows")
    different = [row for row in found if not row.same]
    show.json(
        {
            "clips": count, "same": count - len(different), "output": output,
            "rows": [{"clip_id": r.clip_id, "same": r.same, "expected": r.expected, "got": r.got, "notes": r.notes, "path": r.path} for r in found],
        }
    )  # fmt: skip
    for text in islice(_told(different), SHOWN):
        show.result(text)
    if len(different) > SHOWN:
        show.result(f"… and {len(different) - SHOWN} more; --json lists them all")
    for row in islice((row for row in found if row.same and row.notes), SHOWN):
        show.note(f"note: {row.clip_id}: {'; '.join(row.notes)}")
    show.line(_verdict(count, len(different), output, path if count == 1 else ""))
    ctx.exit(1 if different else 0)


def _source(manifest: str | Path) -> str | Path:
    """Return what the library reads; standard input is UTF-8 whatever the locale says."""
    if manifest == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise click.UsageError(
                "no rows on standard input; pipe some in, or name a manifest", click.get_current_context()
            )
        if hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(encoding="utf-8", errors="strict")
        return "-"
    from audiosynth.manifest import open_manifest

    return open_manifest(Path(manifest))


def _count(source: str | Path) -> int:
    """Return the number of rows of a file; 0 where it is not known."""
    if source == "-":
        return 0
    from audiosynth.building.index import row_count

    return row_count(Path(source))


def _workers(asked: int | None, total: int) -> int:
    """Return how many processes are worth starting: they take seconds to start, small sets less to make."""
    if asked is not None:
        return asked
    return 1 if 0 < total <= 64 else usable_cpus()


def _told(different: list[Comparison]) -> Iterator[str]:
    for row in different:
        yield f"different  {row.clip_id}: expected {row.expected[:16]}…, got {row.got[:16]}…; {'; '.join(row.notes)}"


def _verdict(count: int, different: int, output: str | None, only: str) -> str:
    place = "" if output is None else f"; written to {Path(output, only) if only else output}"
    if different:
        return f"{different} of {counted(count, 'clip')} came out different{place}"
    return f"ok: {counted(count, 'clip')} with the recorded samples{place}"
