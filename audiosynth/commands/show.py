"""How commands print: results, tables, notes, JSON, and a progress bar where somebody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import click

from audiosynth.commands.failures import coloured, colours, dumps, printable

Command = TypeVar("Command", bound=Callable[..., Any])
Progress = Callable[[int, int], None]
Row = Sequence[object]


@dataclass(frozen=True)
class Show:
    """What the user asked to see.

    Attributes
    ----------
    as_json
        ``--json``: the result as JSON on standard output, and nothing else.
    quiet
        ``--quiet``: no progress, notes or summaries.
    """

    as_json: bool = False
    quiet: bool = False

    def json(self, tree: Any) -> None:
        """Print a result as one line of JSON, if JSON was asked for."""
        if self.as_json:
            click.echo(dumps(tree))

    def result(self, text: str) -> None:
        """Print what the command is for, on standard output."""
        if not self.as_json:
            click.echo(printable(text))

    def line(self, text: str) -> None:
        """Print on standard output what `--quiet` leaves out."""
        if not self.quiet:
            self.result(text)

    def note(self, text: str) -> None:
        """Print on standard error what `--quiet` leaves out."""
        if not (self.quiet or self.as_json):
            click.echo(coloured(printable(text)), err=True)

    def table(
        self, headers: Sequence[str], rows: Sequence[Row], *, right: Sequence[int] = (), err: bool = False
    ) -> None:
        """Print a table: fitted to a terminal, or in plain columns that never wrap."""
        if self.as_json:
            return
        cells = [[printable(str(cell)) for cell in row] for row in rows]
        stream = sys.stderr if err else sys.stdout
        if stream.isatty():
            _rich_table(headers, cells, right, stream)
        else:
            for text in _plain_table(headers, cells, right):
                click.echo(text, err=err)

    @contextmanager
    def progress(self, unit: str = "clips") -> Iterator[Progress]:
        """Give a function (done, total) that moves a bar on standard error, if that is a terminal."""
        if self.quiet or self.as_json or not sys.stderr.isatty():
            yield _nothing
            return
        with _bar(unit) as move:
            yield move


def _nothing(done: int, total: int) -> None:
    """Show no progress."""


@contextmanager
def _bar(unit: str) -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Bar(*columns, console=_console(sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=None, rate="")
        begun: list[tuple[int, float]] = []

        def move(done: int, total: int) -> None:
            if not begun:
                begun.append((done, time.monotonic()))
            first, since = begun[0]
            seconds = time.monotonic() - since
            rate = f"{(done - first) / seconds:.0f} {unit}/s" if done > first and seconds > 0 else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield move


def _console(stream: Any) -> Any:
    from rich.console import Console

    return Console(file=stream, no_color=not colours(stream), markup=False, highlight=False, emoji=False)


def _rich_table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int], stream: Any) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD if any(headers) else None, show_header=any(headers), pad_edge=False)
    for i, header in enumerate(headers):
        table.add_column(header, justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    _console(stream).print(table)


def _plain_table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> Iterator[str]:
    lines = [list(headers), *rows] if any(headers) else [list(row) for row in rows]
    widths = [max((len(row[i].split("\n")[0]) for row in lines), default=0) for i in range(len(headers))]
    for row in lines:
        cells = [text.rjust(widths[i]) if i in right else text.ljust(widths[i]) for i, text in enumerate(row)]
        yield "  ".join(cells).rstrip()


def example(*lines: str) -> str:
    """Return the end of a command's help: an example that is not wrapped."""
    return "\n".join(("\b", "Example:", *(f"  {line}" for line in lines)))


def output_options(command: Command) -> Command:
    """Add ``--json`` and ``--quiet`` to a command and hand it one `show`."""

    @click.option("--json", "as_json", is_flag=True, help="Print the result (or the error) as JSON on standard output.")
    @click.option("-q", "--quiet", is_flag=True, help="No progress, notes or summaries; errors are still told.")
    @wraps(command)
    def shown(*args: Any, as_json: bool, quiet: bool, **rest: Any) -> Any:
        return command(*args, show=Show(as_json, quiet), **rest)

    return shown  # type: ignore[return-value]
