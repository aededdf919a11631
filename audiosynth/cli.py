"""The command line: a group that loads each command when it is asked for, and the only way out of the program.

Everything heavy waits inside the commands: `audiosynth --help` imports click and nothing else.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, Final, NoReturn

import click

from audiosynth.building.memory import collect_seldom, keep_freed_memory
from audiosynth.commands.failures import Stopped, leave, report
from audiosynth.errors import did_you_mean

HOMES: Final = {
    "new": "commands.new",
    "build": "commands.build",
    "augment": "commands.augment",
    "merge": "commands.merge",
    "check": "commands.check",
    "plan": "commands.plan",
    "preview": "commands.preview",
    "room": "commands.room",
    "gallery": "commands.gallery",
    "profile": "commands.profile",
    "learn": "commands.profile",
    "reproduce": "commands.reproduce",
    "vary": "commands.vary",
    "diff": "commands.diff",
    "export": "commands.export",
    "report": "commands.report",
    "verify": "commands.verify",
    "audit": "commands.audit",
    "withdraw": "commands.withdraw",
    "import-scaper": "commands.import_scaper",
    "assets": "commands.verify",
    "stats": "commands.stats",
    "doctor": "commands.doctor",
    "show": "commands.rows",
    "index": "commands.rows",
    "list": "commands.look",
    "describe": "commands.look",
    "reference": "commands.reference",
    "schema": "commands.look",
    "completion": "commands.completion",
}
"""Module of each command, in the order of a first day's work."""


COMPLETE: Final = "_AUDIOSYNTH_COMPLETE"
"""Set in the environment by the shell's script (`audiosynth completion`)."""


class Commands(click.Group):
    """A group whose commands are imported on demand and whose errors are one line and an exit code."""

    stopped: int = 0
    """Number of the signal that asked the program to end."""

    def stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End the program in order."""
        self.stopped = number
        raise Stopped(number)

    def stay(self) -> None:
        """Let no signal stop the program any more: it is about to end, with a code that says what it did."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if (
                signal.getsignal(number) == self.stop
            ):  # of the interpreter's end only what is ignored outlives the first steps
                signal.signal(number, signal.SIG_IGN)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the commands in the order of `HOMES`."""
        return list(HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command, importing its module."""
        if cmd_name not in HOMES:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"audiosynth.{HOMES[cmd_name]}"), f"{cmd_name.replace('-', '_')}_command"
        )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        if args[0] not in HOMES and not args[0].startswith("-"):
            hint = did_you_mean(args[0], HOMES)
            if not hint and (args[0].endswith((".yaml", ".yml")) or args[0] in _shipped()):
                hint = f"; to build this recipe: audiosynth build {args[0]}"
            raise click.UsageError(f"no command is called '{args[0]}'{hint or '; there are ' + ', '.join(HOMES)}", ctx)
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command line and exit: 0 done, 1 a check failed, 2 bad usage or recipe, 70 a bug, 130 and 143 stopped."""
        if COMPLETE in os.environ:  # a shell asks for completions
            super().main(
                args,
                prog_name or "audiosynth",
                complete_var or COMPLETE,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        words = list(sys.argv[1:] if args is None else args) or ["--help"]
        try:
            code = 0
            with self.make_context(prog_name or "audiosynth", list(words), **extra) as ctx:
                self.invoke(ctx)
            sys.stdout.flush()
            self.stay()
        except click.exceptions.Exit as done:
            code = done.exit_code
        except BaseException as error:  # the last one to ask: nothing may become a traceback
            ended = error
            if self.stopped and not isinstance(
                error, Stopped
            ):  # compiled code turns what interrupts it into other errors
                ended = Stopped(self.stopped)
                ended.__cause__ = error
            code = report(ended, as_json="--json" in words, command=words[0])
        self.stay()
        gc.freeze()  # the interpreter's last search for garbage takes up to a second, and the system takes all of it anyway
        sys.exit(leave(code))


def _shipped() -> list[str]:
    from audiosynth.files.shipped import shipped_recipes

    return shipped_recipes()


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001
    if value:
        from audiosynth.versions import version

        click.echo(f"audiosynth {version()}")
        ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="\b\nFirst steps:\n  audiosynth build quickstart\n  audiosynth build quickstart_spoken      (with the extra [speech])\n  audiosynth preview quickstart --clip 3\n  audiosynth new mine",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Print the version."
)
def cli() -> None:
    """Make labeled audio from recipes, and give any clip of it back, bit for bit, from its manifest row.

    A RECIPE is a YAML file, or the name of one that comes with audiosynth (`audiosynth list recipes`). Results go to
    standard output (with --json as JSON), progress and errors to standard error. Exit codes: 0 done, 1 a check failed,
    2 bad usage or recipe.
    """


def main() -> None:
    """Run the command line as a program: output that cannot be encoded is escaped, a signal ends it in order."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup and the like stay in force
            signal.signal(number, cli.stop)
    keep_freed_memory()
    collect_seldom()
    cli.main()
