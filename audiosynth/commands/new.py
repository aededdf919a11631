"""`audiosynth new`: a recipe to start from."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from audiosynth.commands.completion import complete_point
from audiosynth.commands.show import Show, example, output_options

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@click.command(
    "new",
    short_help="Write a commented recipe to start from.",
    epilog=example(
        "audiosynth new lamp --from wake_word", "audiosynth new doorbells && audiosynth build doorbells.yaml"
    ),
)
@click.argument("name", required=False)
@click.option(
    "--from", "point", metavar="POINT", shell_complete=complete_point,
    help="What to start from: events, wake_word, commands, augment, rooms, noise.  [default: asked in a terminal, else events]",
)  # fmt: skip
@click.option("-o", "--output", metavar="FILE", help="Where to write it.  [default: NAME.yaml]")
@output_options
def new_command(*, name: str | None, point: str | None, output: str | None, show: Show) -> None:
    """Write a recipe called NAME, with comments, that builds as it stands; without NAME, show what there is to start from.

    Nothing is overwritten.
    """
    from audiosynth.starter import starter

    if name is None:
        _offer(show)
        return
    plain = name.removesuffix(".yaml").removesuffix(".yml")
    if not _NAME.fullmatch(plain):
        text = f"expected a name of a-z, 0-9, _ and -, got '{name}'"
        raise click.UsageError(f"{text}; to say where the file goes, use -o", click.get_current_context())
    point = point or _asked(show)
    text = starter(plain, point=point)
    path = Path(output) if output is not None else Path(f"{plain}.yaml")
    _write(path, text)
    show.json({"path": str(path), "name": plain, "from": point})
    show.line(f"{path}: written; next: {_next(path, point)}")


def _offer(show: Show) -> None:
    """Show the starting points."""
    from audiosynth.starter import POINTS

    points = [{"name": name, "makes": makes, "needs": needs} for name, (makes, needs) in POINTS.items()]
    show.json({"starting_points": points})
    if show.quiet:
        for name in POINTS:
            show.result(name)
        return
    show.table(("start from", "what it makes", "what it needs"), [tuple(point.values()) for point in points])
    show.line("\nnext: audiosynth new mine --from wake_word (or another of these)")


def _asked(show: Show) -> str:
    """Return the starting point that somebody at a terminal chooses; the first where nobody is there to ask."""
    from audiosynth.starter import POINTS

    usual = next(iter(POINTS))
    if show.as_json or show.quiet or not _asked_here():
        return usual
    show.table(("start from", "what it makes", "what it needs"), [(name, *told) for name, told in POINTS.items()])
    chosen: str = click.prompt("Start from", type=click.Choice(list(POINTS)), default=usual, show_choices=False)
    return chosen


def _asked_here() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _next(path: Path, point: str) -> str:
    from audiosynth.speech.espeak import installed
    from audiosynth.starter import POINTS

    needs = POINTS[point][1]
    data = f" {needs}" if needs.startswith("--data") else ""
    first = "pip install 'audiosynth[speech]', " if "[speech]" in needs and not installed() else ""
    return f"{first}audiosynth check {path}{data}, audiosynth build {path}{data}"


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
