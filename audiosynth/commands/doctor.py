"""`audiosynth doctor`: what works here, and what to install for the rest."""

from __future__ import annotations

from dataclasses import asdict

import click

from audiosynth.commands.show import Show, example, output_options


@click.command(
    "doctor", short_help="Try what is installed, and say what to install.", epilog=example("audiosynth doctor --json")
)
@click.option("-o", "--output", default=".", metavar="DIR", help="Where sets are to be built.  [default: here]")
@output_options
@click.pass_context
def doctor_command(ctx: click.Context, *, output: str, show: Show) -> None:
    """Try everything that audiosynth needs: libraries, extras, audio formats, speech, compiled loops, disk.

    What is `missing` is needed for its own purpose alone; after a `fault` builds will fail, and the exit code is 1.
    """
    from audiosynth.doctor import examine

    found = examine(output)
    faults = [finding for finding in found if finding.state == "fault"]
    show.json({"ok": not faults, "findings": [asdict(finding) for finding in found]})
    show.table(("", "", "", "found"), [(f.area, f.name, f.state, f.detail) for f in found])
    for finding in found:
        if finding.advice:
            show.result(f"{finding.name}: {finding.advice}")
    show.line("everything that a build needs works" if not faults else f"{len(faults)} faults")
    ctx.exit(1 if faults else 0)
