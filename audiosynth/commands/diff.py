"""`audiosynth diff`: what differs between two sets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from audiosynth.commands.show import Show, example, output_options

if TYPE_CHECKING:
    from audiosynth.diff import ClipDifference

SHOWN: Final = 20
"""Clips and parameters told one by one; the JSON has all of them."""
WIDEST: Final = 40
"""Characters of a value that fit into the table."""


@click.command(
    "diff",
    short_help="Tell what differs between two sets.",
    epilog=example("audiosynth diff output/quickstart output/louder --audio"),
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--audio", is_flag=True, help="Also read the files whose samples differ, and tell by how much.")
@output_options
@click.pass_context
def diff_command(ctx: click.Context, *, first: str, second: str, audio: bool, show: Show) -> None:
    """Compare the sets A and B (datasets' folders or manifest files, or URLs of them) clip by clip.

    Which clips only one of them has, which parameters differ (paths as in the recipe), and which samples, by their hashes.
    Exit code 1 if anything differs.
    """
    from audiosynth.building.elsewhere import near
    from audiosynth.diff import diff

    told = _Told()
    kept: list[dict[str, Any]] = []
    with near(first, audio=audio) as one, near(second, audio=audio) as two:
        compared = diff(one, two, audio=audio)
        for found in compared.differences():
            told.add(found)
            if show.as_json:
                kept.append(found.as_dict())
        counts = told.counts(compared.rows)
    show.json({**counts, "parameters": dict(told.parameters), "max_abs": told.max_abs, "different": kept})
    if not show.quiet:
        show.table(("", "clips"), [(key.replace("_", " "), n) for key, n in counts.items()], right=(1,))
    if audio and told.max_abs is not None:
        show.line(f"samples differ by at most {told.max_abs:.3g} of full scale")
    told.tell(show)
    ctx.exit(1 if told.any else 0)


class _Told:
    """Counts of differences, and the first of each kind."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.parameters: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.alone: dict[str, list[str]] = {"first": [], "second": []}
        self.max_abs: float | None = None

    @property
    def any(self) -> bool:
        """Return whether anything differs."""
        return bool(self.kinds)

    def add(self, found: ClipDifference) -> None:
        """Count one clip."""
        self.kinds[found.where] += 1
        if found.where != "both":
            if len(self.alone[found.where]) < SHOWN:
                self.alone[found.where].append(found.clip_id)
            return
        self.kinds.update(kind for kind in ("samples", "labels", "decisions", "files") if getattr(found, kind))
        self.kinds["parameters"] += bool(found.parameters)
        anywhere = {re.sub(r"\[\d+\]", "[*]", change.path): change for change in found.parameters}
        self.parameters.update(anywhere.keys())
        for path, change in anywhere.items():
            self.examples.setdefault(
                path, f"{found.clip_id}: {_value(change.values, 'first')} → {_value(change.values, 'second')}"
            )
        if found.max_abs is not None:
            self.max_abs = max(self.max_abs or 0.0, found.max_abs)

    def counts(self, rows: tuple[int, int]) -> dict[str, int]:
        """Return the table of counts."""
        kinds = self.kinds
        shared = rows[0] - kinds["first"]
        return {
            "only_in_A": kinds["first"], "only_in_B": kinds["second"], "in_both": shared, "the_same": shared - kinds["both"],
            "other_samples": kinds["samples"], "other_parameters": kinds["parameters"], "other_labels": kinds["labels"],
            "other_decisions": kinds["decisions"], "other_files": kinds["files"],
        }  # fmt: skip

    def tell(self, show: Show) -> None:
        """Print which parameters differ, and the clips that only one set has."""
        if self.parameters:
            show.line("")
            rows = [(path, n, self.examples[path]) for path, n in islice(self.parameters.most_common(), SHOWN)]
            show.table(("parameter", "clips", "for example"), rows, right=(1,))
            if len(self.parameters) > SHOWN:
                show.line(f"… and {len(self.parameters) - SHOWN} more; --json lists them all")
        for side, letter in (("first", "A"), ("second", "B")):
            if self.alone[side]:
                more = ", …" if self.kinds[side] > len(self.alone[side]) else ""
                show.line(f"only in {letter}: {', '.join(self.alone[side])}{more}")


def _value(values: Mapping[str, Any], side: str) -> str:
    if side not in values:
        return "nothing"
    text = str(values[side])
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
