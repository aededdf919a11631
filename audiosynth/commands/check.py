"""`audiosynth check`: every error of a recipe, with its place, before anything is made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiosynth.commands.completion import complete_recipe
from audiosynth.commands.options import Wanted, data_option, find_recipe, seed_option, set_option, whole
from audiosynth.commands.show import Show, example, output_options
from audiosynth.errors import (
    AssetError,
    AudiosynthError,
    PlanError,
    RecipeError,
    UsageError,
    WithdrawnError,
    counted,
    did_you_mean,
)

if TYPE_CHECKING:
    from audiosynth.records.loaded import Recipe

MAX_TRIALS = 1_000_000
MOST_FAILURES = 20


@dataclass
class Finding:
    """What was found in one recipe.

    Attributes
    ----------
    recipe
        As given.
    errors
        What must be changed; empty for a clean recipe.
    problems
        The same with place and path apart, where they are known.
    needs_data
        What could not be looked at for want of recordings.
    summary
        What a clean recipe gives.
    code
        Exit code.
    """

    recipe: str
    errors: list[str] = field(default_factory=list)
    problems: list[dict[str, str]] = field(default_factory=list)
    needs_data: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    summary: str = ""
    code: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return {
            "recipe": self.recipe, "ok": not self.errors, "errors": self.errors, "problems": self.problems,
            "warnings": self.warnings, "needs_data": self.needs_data, "summary": self.summary,
        }  # fmt: skip


@click.command(
    "check",
    short_help="Find every error of a recipe.",
    epilog=example("audiosynth check mine.yaml spoken_digits --data digits=~/fsdd"),
)
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE...", shell_complete=complete_recipe)
@seed_option
@set_option
@data_option
@click.option(
    "--trials", type=str, callback=whole(0, MAX_TRIALS), default="500", show_default=True, metavar="N",
    help="Clips of each split to plan, and its last one, for what only a combination of draws shows; 0: none.",
)  # fmt: skip
@output_options
@click.pass_context
def check_command(
    ctx: click.Context, *, recipes: tuple[str, ...], seed: int | None, set_values: tuple[str, ...], data: dict[str, str],
    trials: int, show: Show,
) -> None:  # fmt: skip
    """Check each RECIPE and print all its errors, each with file:line:column.

    That is: keys, types and ranges in every branch, what a distribution could draw outside a parameter's range, the
    recordings, and a number of planned clips. What needs recordings that are not here is said, and is no error.
    """
    shared = len(recipes) > 1
    findings = [check_recipe(Wanted(name, None, seed, set_values, data, shared), trials) for name in recipes]
    show.json({"recipes": [finding.as_dict() for finding in findings]})
    for finding in findings:
        for text in finding.errors:
            if not show.as_json:
                click.echo(_error(text), err=True)
        for text in finding.warnings:
            show.note(f"warning: {text}")
        if not finding.errors:
            show.line(f"ok {finding.recipe}: {finding.summary}")
            for text in finding.needs_data:
                show.note(f"not checked: {text}")
    ctx.exit(max(finding.code for finding in findings))


def _error(text: str) -> str:
    from audiosynth.commands.failures import coloured, printable

    return coloured(printable(f"error: {text}"))


def check_recipe(wanted: Wanted, trials: int) -> Finding:
    """Return everything that can be found in a recipe."""
    finding = Finding(wanted.name)
    try:
        path = find_recipe(wanted.name)
        try:
            recipe = wanted.load(Show(quiet=True))
        except AssetError:
            missing = missing_roots(path, wanted)
            if not missing:
                raise
            _without_data(finding, missing, _strange(path, wanted))
            return finding
        finding.warnings.extend(getattr(recipe, "warnings", ()))
        for text in failures(recipe, trials):
            finding.errors.append(f"{wanted.name}: {text}")
            finding.code = PlanError.exit_code
        finding.summary = _summary(recipe, trials)
    except UsageError:
        raise
    except RecipeError as error:
        finding.errors += [str(problem) for problem in error.problems]
        finding.problems += [{"where": p.where, "path": p.path, "message": p.message} for p in error.problems]
        finding.code = error.exit_code
    except AudiosynthError as error:
        finding.errors.append(f"{wanted.name}: {error}")
        finding.code = error.exit_code
    return finding


def missing_roots(path: Path, wanted: Wanted) -> dict[str, str]:
    """Return the data roots of a recipe that have no folder here, each with what its catalogues are called."""
    from audiosynth.loading.source import read_source
    from audiosynth.material.roots import resolve_roots

    source = read_source(path, set_values=wanted.set_values)
    declared: Mapping[str, Any] = source.tree.get("data", {})
    uses: dict[str, list[str]] = {}
    for name, entry in source.tree.get("catalogues", {}).items():
        uses.setdefault(str(entry["data"]), []).append(name)
    missing = {}
    for name, catalogues in sorted(uses.items()):
        try:
            resolve_roots({name: declared.get(name, "")}, wanted.data, source.folder)
        except AssetError:
            missing[name] = ", ".join(catalogues)
    return missing


def _strange(path: Path, wanted: Wanted) -> list[str]:
    """Return the data roots that were given, to one recipe alone, and are none of its own."""
    from audiosynth.loading.source import read_source

    declared = read_source(path, set_values=wanted.set_values).tree.get("data", {})
    return [] if wanted.shared else [name for name in wanted.data if name not in declared]


def _without_data(finding: Finding, missing: Mapping[str, str], strange: Sequence[str]) -> None:
    finding.summary = "no error in the recipe itself"
    finding.warnings += [
        f"--data {name}: the recipe has no data root '{name}'{did_you_mean(name, missing)}" for name in strange
    ]
    for name, catalogues in missing.items():
        finding.needs_data.append(
            f"data root '{name}' is not here, so neither are the recordings of {catalogues} (their names, labels, groups "
            f"and lengths); give it with --data {name}=DIR"
        )
    finding.needs_data.append(
        "splits, `where` and `pick`, and whether the events fit their clips, for want of that data"
    )


def failures(recipe: Recipe, trials: int) -> Iterator[str]:
    """Yield why clips cannot be planned: of the first `trials` of each split and its last, each reason once, at most 20."""
    found: dict[str, list[str]] = {}
    for split, ordinal in _tried(recipe, trials):
        text = _failure(recipe, split, ordinal)
        if text:
            found.setdefault(re.sub(r"^clip [^/]+/\d+", "", text), []).append(text)
        if len(found) > MOST_FAILURES:
            break
    for texts in list(found.values())[:MOST_FAILURES]:
        more = len(texts) - 1
        yield texts[0] + (f" (and the same in {more} more of the clips that were tried)" if more else "")
    if len(found) > MOST_FAILURES:
        yield f"… and more clips that cannot be planned (the first {MOST_FAILURES} reasons are told)"


def _tried(recipe: Recipe, trials: int) -> Iterator[tuple[str, int]]:
    for split, count in recipe.clips.items():
        yield from ((split, ordinal) for ordinal in range(min(trials, count)))
        if 0 < trials < count:
            yield split, count - 1


def _failure(recipe: Recipe, split: str, ordinal: int) -> str:
    """Return why a clip cannot be planned; empty if it can."""
    from audiosynth.plan import plan_clip

    try:
        plan_clip(recipe, split, ordinal)
    except WithdrawnError:  # left out of the set, as it should be
        return ""
    except AudiosynthError as error:
        text = str(error)
        return text if text.startswith("clip ") else f"clip {split}/{ordinal}: {text}"
    return ""


def _summary(recipe: Recipe, trials: int) -> str:
    from audiosynth.building.size import size_of, told

    counts = ", ".join(f"{split} {count}" for split, count in recipe.clips.items())
    size = size_of(recipe) if trials else None
    about = "" if size is None else f", about {size.seconds / 3600:.2g} h, {told(size.n_bytes)}"
    return f"{counted(sum(recipe.clips.values()), 'clip')} ({counts}) at {recipe.sr} Hz, seed {recipe.seed}{about}"
