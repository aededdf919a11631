"""`audiosynth export`: the labels of a finished build in more formats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from audiosynth.commands.completion import complete_exporter
from audiosynth.commands.options import parse_set
from audiosynth.commands.show import Show, example, output_options


@click.command(
    "export",
    short_help="Write the labels of a finished build in more formats.",
    epilog=example(
        "audiosynth export output/quickstart --to jams --to csv",
        "audiosynth export output/quickstart --to desed --set desed.merge=false -o elsewhere/",
    ),
)
@click.argument("folder", metavar="DIR")
@click.option(
    "--to", "names", multiple=True, required=True, metavar="NAME", shell_complete=complete_exporter,
    help="Exporter (`audiosynth list exporters`). May be repeated.",
)  # fmt: skip
@click.option(
    "--set", "set_values", multiple=True, metavar="NAME.OPTION=VALUE", callback=parse_set,
    help="Option of an exporter, written in YAML: desed.merge=false (`audiosynth describe desed`). May be repeated.",
)  # fmt: skip
@click.option(
    "-o", "--output", metavar="DIR", help="Folder in place of the dataset's labels/; nothing there is replaced."
)
@output_options
def export_command(
    *, folder: str, names: tuple[str, ...], set_values: tuple[str, ...], output: str | None, show: Show
) -> None:
    """Write the labels of the finished build in DIR in more formats, below DIR/labels/.

    Audio and manifest are never touched. All files appear or none; an earlier export of the same name is replaced. The
    options stand in DIR/labels/export.json, so that `audiosynth verify` knows these files too.
    """
    from audiosynth.building.elsewhere import require_folder, require_here
    from audiosynth.exports import export_labels

    require_here(folder, "export")
    require_folder(output)
    written = export_labels(folder, trees_of(names, set_values), out=output)
    show.json({"exports": [{"type": name, "files": [str(path) for path in paths]} for name, paths in written.items()]})
    for name, paths in written.items():
        what = str(paths[0]) if len(paths) == 1 else f"{len(paths)} files"
        show.line(f"{name:14} {what}")


def trees_of(names: Sequence[str], set_values: Sequence[str]) -> list[dict[str, Any]]:
    """Return the exporters with their options.

    Raises
    ------
    UsageError
        If an option is for none of them.
    """
    from audiosynth.errors import UsageError, did_you_mean
    from audiosynth.files import strictyaml

    trees: list[dict[str, Any]] = [{"type": name} for name in names]
    for text in set_values:
        path, _, value = text.partition("=")
        name, _, option = path.strip().partition(".")
        found = [tree for tree in trees if tree["type"] == name and option and option != "type"]
        if not found:
            hint = did_you_mean(name, names) or f"; it goes with --to {', --to '.join(names)}"
            raise UsageError(f"--set {text}: expected NAME.OPTION=VALUE for an exporter of --to{hint}")
        for tree in found:
            tree[option] = strictyaml.parse_scalar(value, name=f"--set {path.strip()}")
    return trees
