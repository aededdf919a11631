"""`audiosynth verify` and `audiosynth assets`: the files of a dataset, and the recordings that went into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from audiosynth.commands.show import Show, example, output_options
from audiosynth.errors import counted


@click.command(
    "verify",
    short_help="Hold a dataset's files against its manifest.",
    epilog=example("audiosynth verify output/quickstart"),
)
@click.argument("folder", metavar="DIR")
@output_options
@click.pass_context
def verify_command(ctx: click.Context, *, folder: str, show: Show) -> None:
    """Compare the files of the dataset in DIR, or at a URL, with its manifest: which are missing, changed, or extra.

    Audio and stems are compared by the hashes in the manifest, labels with what the manifest says; exit code 1 if anything
    differs. Nothing is rendered (see `audiosynth reproduce`).
    """
    from audiosynth.errors import UsageError
    from audiosynth.files.remote import is_url
    from audiosynth.verify import verify

    if not is_url(folder) and not Path(folder).is_dir():
        kind = "is a file; give the folder of the dataset" if Path(folder).exists() else "there is no such folder"
        raise UsageError(f"{folder}: {kind}")
    found = verify(folder)
    different = {"missing": found.missing, "changed": found.changed, "extra": found.extra}
    show.json({"ok": found.ok, "clips": found.clips, **different})
    for kind, names in different.items():
        for name in names:
            show.result(f"{kind:8} {name}")
    if found.ok:
        show.line(f"ok: {counted(found.clips, 'clip')}, every file as it was written")
    else:
        show.line(", ".join(f"{len(names)} {kind}" for kind, names in different.items()))
    ctx.exit(0 if found.ok else 1)


@click.command(
    "assets",
    short_help="List the recordings that a set needs.",
    epilog=example("audiosynth assets output/spoken_digits --json | jq -r '.assets[].sha256'"),
)
@click.argument("manifest")
@output_options
def assets_command(*, manifest: str, show: Show) -> None:
    """List every recording that the set of MANIFEST (a dataset's folder, a manifest file, or a URL of one) needs to be made again.

    With path below its data root, size in bytes, SHA-256, licence and origin. Sizes, licences and origins come from the
    assets.jsonl beside the manifest; without one they are left empty.
    """
    from audiosynth.building.elsewhere import near
    from audiosynth.manifest import open_manifest

    with near(manifest) as place:
        rows = sorted(_assets(open_manifest(place)), key=lambda row: (row["data"], row["path"].encode()))
    show.json({"assets": rows, "bytes": sum(row["bytes"] or 0 for row in rows)})
    cells = [
        (f"{r['data']}:{r['path']}", "" if r["bytes"] is None else r["bytes"], r["sha256"], r["licence"], r["origin"])
        for r in rows
    ]
    if rows:
        show.table(("recording", "bytes", "sha256", "licence", "origin"), cells, right=(1,))
    show.note(counted(len(rows), "recording") if rows else "no recordings: the set is fully synthetic")


def _assets(manifest: Path) -> Iterator[dict[str, Any]]:
    from audiosynth.building.finish import read_assets

    beside = manifest.parent / "assets.jsonl"
    rows = read_assets(beside) if beside.is_file() else _named(manifest)
    for row in rows:
        origin = ", ".join(str(row[key]) for key in ("author", "title", "source") if row.get(key))
        yield {
            "data": row["data"], "path": row["path"], "bytes": row.get("bytes"), "sha256": row["sha256"],
            "licence": row.get("licence", ""), "origin": origin,
        }  # fmt: skip


def _named(manifest: Path) -> Iterator[Mapping[str, Any]]:
    """Yield what the rows of a manifest themselves say of their recordings, each once."""
    from audiosynth.building.rows import rows_of
    from audiosynth.manifest import parse_row
    from audiosynth.spec import parts, recordings

    seen: set[str] = set()
    for place, tree in rows_of(manifest):
        for recording in recordings(parts(parse_row(tree, place=place).spec)):
            if recording.sha256 not in seen:
                seen.add(recording.sha256)
                yield {"data": recording.data, "path": recording.path, "sha256": recording.sha256}
