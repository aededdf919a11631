"""What a user is told when something does not work: one line per error and an exit code, never a traceback."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import click

from audiosynth.errors import AudiosynthError, RecipeError

BUG: Final = 70
"""Exit code of an internal error (EX_SOFTWARE of sysexits.h)."""
PIPE: Final = 141
"""Exit code when the reader of our output is gone: 128 + SIGPIPE, as shells report it."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_WORDS: Final = {
    errno.EACCES: "no permission to read or write it",
    errno.EPERM: "no permission to read or write it",
    errno.EROFS: "it is on a file system that cannot be written",
    errno.ENOENT: "there is no such file or folder",
    errno.EISDIR: "is a folder; a file was expected",
    errno.ENOTDIR: "leads through a file as if it were a folder",
    errno.EEXIST: "is there already",
    errno.EMFILE: "too many files are open; try fewer --workers, or a higher `ulimit -n`",
}
_GO_ON: Final = ("augment", "build", "import-scaper", "merge", "vary")
"""Commands that, run again, go on where they were stopped."""


class Stopped(KeyboardInterrupt):
    """A signal asked the program to end.

    Parameters
    ----------
    number
        Of the signal.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        self.number = number
        super().__init__(number)


@dataclass(frozen=True)
class Failure:
    """What to say of an error: its lines (none: silence), and the exit code."""

    lines: tuple[str, ...]
    code: int
    kind: str
    problems: tuple[dict[str, str], ...] = ()


def explain(error: BaseException, *, command: str = "") -> Failure:
    """Return what to say of an error that ended a command."""
    kind = type(error).__name__
    if isinstance(error, KeyboardInterrupt | click.Abort):
        number = error.number if isinstance(error, Stopped) else signal.SIGINT
        return Failure((_resumable(command),), 128 + int(number), "Stopped")
    if isinstance(error, click.ClickException):
        return Failure((_usage(error),), 2, "UsageError")
    if isinstance(error, RecipeError):
        problems = tuple({"where": p.where, "path": p.path, "message": p.message} for p in error.problems)
        return Failure(tuple(f"error: {problem}" for problem in error.problems), error.exit_code, kind, problems)
    if isinstance(error, AudiosynthError):
        return Failure(tuple(_each(str(error))), error.exit_code, kind)
    if isinstance(error, OSError):
        return (
            Failure((), PIPE, kind) if error.errno == errno.EPIPE else Failure((f"error: {_system(error)}",), 1, kind)
        )
    if isinstance(error, MemoryError):
        return Failure(("error: not enough memory; try fewer --workers or shorter clips",), 1, kind)
    return Failure((_bug(error),), BUG, "Bug")


def report(error: BaseException, *, as_json: bool, command: str = "") -> int:
    """Tell the user (as one JSON object on standard output if `as_json`), and return the exit code."""
    failure = explain(error, command=command)
    if os.environ.get("AUDIOSYNTH_DEBUG") == "1":
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)
    try:
        if as_json and failure.lines:
            click.echo(dumps({"error": as_tree(failure)}))
        else:
            for line in failure.lines:
                click.echo(coloured(printable(line)), err=True)
    except (OSError, ValueError):  # nobody is listening any more, or standard output is the full disk itself
        if as_json:
            click.echo(printable("\n".join(failure.lines)), err=True)
    return failure.code


def as_tree(failure: Failure) -> dict[str, Any]:
    """Return an error as plain data."""
    message = "\n".join(line.removeprefix("error: ") for line in failure.lines)
    tree: dict[str, Any] = {"kind": failure.kind, "message": message, "exit_code": failure.code}
    return {**tree, "problems": list(failure.problems)} if failure.problems else tree


def leave(code: int) -> int:
    """Return the exit code once standard output is flushed; what cannot be written any more is dropped in silence."""
    try:
        sys.stdout.flush()
    except OSError as error:
        code = code or report(error, as_json=False)
        _drop_output()
    return code


def _drop_output() -> None:
    """Send standard output nowhere, so that the interpreter's own last flush has nothing to complain of."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        sys.stdout = None


def dumps(tree: Any, *, indent: int | None = None) -> str:
    """Return JSON that standard output can carry: escaped where its encoding is not UTF-8."""
    utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    separators = (",", ":") if indent is None else None
    return json.dumps(tree, ensure_ascii=not utf8, allow_nan=False, indent=indent, separators=separators)


def printable(text: str) -> str:
    r"""Return text whose control characters cannot steer a terminal.

    Examples
    --------
    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(c if c == "\n" or not (ord(c) < 32 or 127 <= ord(c) < 160) else f"\\x{ord(c):02x}" for c in text)


def colours(stream: Any) -> bool:
    """Return whether a stream is a terminal that wants colours (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(getattr(stream, "isatty", lambda: False)())


def coloured(line: str) -> str:
    """Return a line for standard error, its first word in colour where that is wanted."""
    word, colon, rest = line.partition(":")
    if word not in ("error", "warning") or not colours(sys.stderr):
        return line
    return click.style(word + colon, fg="red" if word == "error" else "yellow", bold=True) + rest


def _each(message: str) -> Iterator[str]:
    """Yield the lines of a message; those that are not indented are errors of their own."""
    for line in message.splitlines() or [""]:
        yield line if line.startswith(" ") else f"error: {line}"


def _resumable(command: str) -> str:
    return "stopped; run the same command again to go on" if command in _GO_ON else "stopped"


def _usage(error: click.ClickException) -> str:
    text = " ".join(error.format_message().split()).rstrip(".")
    if text[1:2].islower():
        text = text[:1].lower() + text[1:]
    ctx = getattr(error, "ctx", None)
    return f"error: {text}" + (f" (see {ctx.command_path} --help)" if ctx is not None else "")


def _system(error: OSError) -> str:
    name = str(error.filename) if error.filename is not None else ""
    if error.errno in _FULL:
        place = f"{name}: " if name else ""
        return f"{place}the disk is full; free some space and run the same command again"
    text = _WORDS.get(error.errno or 0, error.strerror or str(error))
    return f"{name}: {text}" if name else text


def _bug(error: BaseException) -> str:
    said = " ".join(str(error).split())
    said = said if len(said) <= 200 else said[:199] + "…"
    return (
        f"error: a bug in audiosynth ({type(error).__name__}{': ' + said if said else ''}); nothing you did should cause it. "
        "Please report it to the authors (`pip show audiosynth`) with the command, the recipe, "
        "and what the same command prints with AUDIOSYNTH_DEBUG=1 set"
    )
