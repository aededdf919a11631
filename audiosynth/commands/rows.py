"""`audiosynth show` and `audiosynth index`: one row of a manifest, found at once however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from audiosynth.commands.show import Show, example, output_options
from audiosynth.errors import counted


@click.command(
    "show",
    short_help="Show one clip of a set: its labels, levels, files.",
    epilog=example(
        "audiosynth show output/quickstart train-000000003",
        "audiosynth show output/quickstart train-000000003 --json | jq .spec.noise",
    ),
)
@click.argument("manifest", metavar="DIR")
@click.argument("clip", metavar="CLIP")
@output_options
def show_command(*, manifest: str, clip: str, show: Show) -> None:
    """Show CLIP of the dataset in DIR (or of a manifest file, or a URL of either): an id such as train-000000003, or the number of its row, from 0.

    With --json, its whole manifest row. The index beside the manifest (manifest.idx) finds it at once; without one, the
    manifest is gone through.
    """
    place, row = _row(manifest, clip)
    show.json(row)
    if show.as_json:
        return
    from audiosynth.manifest import parse_row

    parse_row(row, place=place)
    show.table(("", ""), [*_facts(row)])
    if row["labels"]:
        show.line("")
        cells = [
            (x["label"], f"{x['onset']:.3f}", f"{x['offset']:.3f}", _db(x.get("snr_db")), "" if x["audible"] else "no")
            for x in row["labels"]
        ]
        show.table(("label", "onset s", "offset s", "SNR dB", "audible"), cells, right=(1, 2, 3))


def _row(manifest: str, clip: str) -> tuple[str, dict[str, Any]]:
    from audiosynth.building.elsewhere import clip_at, near
    from audiosynth.building.row_files import index_of
    from audiosynth.manifest import open_manifest
    from audiosynth.reproduce import chosen_rows

    clip = clip_at(manifest, clip)
    with near(manifest, clips=[clip]) as path:
        if clip.isascii() and clip.isdigit():
            return index_of(open_manifest(path)).row(int(clip))
        return next(chosen_rows(path, [clip]))


def _facts(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spec, outcomes = row["spec"], row["outcomes"]
    yield "clip", row["clip_id"]
    yield "file", row["path"]
    yield (
        "length",
        f"{row['duration']:g} s, {row['n_samples']} samples at {row['sr']} Hz, {counted(row['n_channels'], 'channel')}",
    )
    yield "events", ", ".join(_source(event["source"]) for event in spec.get("events", ())) or "none"
    noise = spec.get("noise")
    if noise is not None:
        yield "noise", ", ".join(_source(layer["source"]) for layer in noise["layers"])
    made = row["made_of"]
    yield (
        "made of",
        f"{counted(made['recordings'], 'recording')}; voices: {made['voices']}; profiles: {made['profiles']}",
    )
    if outcomes.get("guarded"):
        yield "guarded", "turned down so as not to clip"
    yield "needs", ", ".join(row["needs"]) or "nothing: the same samples anywhere"
    yield "samples", f"sha256 {row['pcm_sha256']}"
    for name in row.get("stems", {}):
        yield "stem", name


def _source(source: Mapping[str, Any]) -> str:
    recording = source.get("recording") or {}
    where = f" ({recording['data']}:{recording['path']})" if "path" in recording else ""
    return f"{source['type']}{where}"


def _db(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


@click.command(
    "index",
    short_help="Write the index of a manifest anew.",
    epilog=example("audiosynth index output/quickstart"),
)
@click.argument("manifest", metavar="DIR")
@output_options
def index_command(*, manifest: str, show: Show) -> None:
    """Write the index of the manifest in DIR (or of a manifest file) beside it, as a build does.

    For sets of an earlier audiosynth, and manifests that were edited or copied alone.
    """
    from audiosynth.building.elsewhere import require_here
    from audiosynth.building.index import ManifestIndex
    from audiosynth.building.row_files import write_index
    from audiosynth.manifest import open_manifest

    require_here(manifest, "index")
    path = open_manifest(Path(manifest))
    written = write_index(path)
    index = ManifestIndex.beside(path)
    rows = 0 if index is None else index.rows
    show.json({"index": str(written), "rows": rows})
    show.line(f"{written}: {counted(rows, 'row')}")
