"""`audiosynth new`: a recipe to start from."""

from __future__ import annotations

import re
from pathlib import Path

import click

from audiosynth.commands.show import Show, example, output_options

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@click.command(
    "new",
    short_help="Write a commented recipe to start from.",
    epilog=example("audiosynth new doorbells && audiosynth build doorbells.yaml"),
)
@click.argument("name")
@click.option("-o", "--output", metavar="FILE", help="Where to write it.  [default: NAME.yaml]")
@output_options
def new_command(*, name: str, output: str | None, show: Show) -> None:
    """Write a recipe called NAME, with comments, that builds as it stands and needs no recordings.

    Nothing is overwritten.
    """
    from audiosynth.starter import starter

    plain = name.removesuffix(".yaml").removesuffix(".yml")
    if not _NAME.fullmatch(plain):
        text = f"expected a name of a-z, 0-9, _ and -, got '{name}'"
        raise click.UsageError(f"{text}; to say where the file goes, use -o", click.get_current_context())
    path = Path(output) if output is not None else Path(f"{plain}.yaml")
    _write(path, starter(plain))
    show.json({"path": str(path), "name": plain})
    show.line(f"{path}: written; next: audiosynth check {path}, audiosynth build {path}")


def _write(path: Path, text: str) -> None:
    from audiosynth.errors import UsageError

    if path.is_dir():
        raise UsageError(f"{path}: is a folder; give the name of a file with -o")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: there is no such folder; make it first")
    try:
        file = path.open("x", encoding="utf-8", newline="\n")
    except FileExistsError:
        raise UsageError(
            f"{path}: is there already and is left alone; choose another name, or a file with -o"
        ) from None
    try:
        with file:
            file.write(text)
    except OSError:
        path.unlink(missing_ok=True)
        raise
