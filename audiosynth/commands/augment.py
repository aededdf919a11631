"""`audiosynth augment`: the usual replicas of a speech set, without writing a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from audiosynth.building.cpus import usable_cpus
from audiosynth.commands.build import report
from audiosynth.commands.completion import complete_exporter
from audiosynth.commands.options import Wanted, parse_set, whole, workers_option
from audiosynth.commands.show import Show, example, output_options

_OPTIONS = {"export": "--to", "catalogues.speech.layout": "--layout", "clips.replicas": "--replicas", "sr": "--sr"}
"""What stands in the recipe because an option said so, and the option."""
PRESETS = ("far_field", "noisy", "telephone", "speed3", "kaldi", "enhancement")


@click.command(
    "augment",
    short_help="Augment a speech set: far field, noise, telephone, speed.",
    epilog=example("audiosynth augment ~/LibriSpeech/dev-clean --preset far_field -o output/dev-far --to lhotse"),
)
@click.argument("corpus", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option("--preset", required=True, type=click.Choice(PRESETS), help="What is done to each utterance.")
@click.option("-o", "--output", metavar="OUT", required=True, help="Folder of the new set; its recipe is OUT.yaml.")
@click.option(
    "--layout", metavar="NAME", help="Layout of the corpus, as in a catalogue.  [default: found by its files]"
)
@click.option("--replicas", callback=whole(1, 10_000), metavar="N", help="Per utterance.  [default: the preset's]")
@click.option(
    "--to", "exports", multiple=True, metavar="NAME", shell_complete=complete_exporter,
    help="Format of the labels (`audiosynth list exporters`) in place of the preset's. May be repeated.",
)  # fmt: skip
@click.option("--sr", callback=whole(1000, 384_000), metavar="HZ", help="Sampling rate.  [default: the preset's]")
@click.option("--seed", callback=whole(0, 2**63 - 1), metavar="S", help="Another seed, other rooms, noises and levels.")
@click.option(
    "--set", "set_values", multiple=True, metavar="PATH=VALUE", callback=parse_set,
    help="Change a value of the recipe, as with `audiosynth build`. May be repeated.",
)  # fmt: skip
@workers_option
@click.option(
    "--keep-going", is_flag=True, help="Leave out what cannot be used; failures.tsv says what, and the exit code is 1."
)
@output_options
def augment_command(  # noqa: PLR0913 - one an option
    *, corpus: str, preset: str, output: str, layout: str | None, replicas: int | None, exports: tuple[str, ...],
    sr: int | None, seed: int | None, set_values: tuple[str, ...], workers: int | None, keep_going: bool, show: Show,
) -> None:  # fmt: skip
    """Write replicas of the speech set in DIR: audio, labels that still fit, a manifest, and the recipe that was used.

    DIR is a folder of audio or a corpus in a layout that is known: Kaldi, lhotse, lhotse Shar, NeMo, SpeechBrain, LibriSpeech,
    Common Voice, AudioFolder, Parquet, RTTM. The recipe is written beside the new set (OUT.yaml) and can be changed and built again with
    `audiosynth build OUT.yaml --data speech=DIR`.
    """
    from audiosynth.build import build
    from audiosynth.presets import preset_recipe

    text = preset_recipe(
        preset, corpus, name=Path(output).resolve().name, layout=layout, replicas=replicas, exports=exports, sr=sr
    )
    path = Path(f"{output.rstrip('/')}.yaml")
    wanted = Wanted(str(path), None, seed, set_values, {"speech": corpus})
    with _written(path, text), _told_as_given(path):
        recipe = wanted.load(show, keep_going=keep_going)
    show.note(f"{path}: the recipe")
    with show.progress() as progress:
        built = build(recipe, Path(output), workers=workers or usable_cpus(), keep_going=keep_going, progress=progress)
    report(recipe, built, show, keep_going=keep_going)


@contextmanager
def _told_as_given(recipe: Path) -> Iterator[None]:
    """Name the option where a problem is told by its place in the recipe, which nobody wrote by hand and which goes again."""
    from audiosynth.errors import Problem, RecipeError

    try:
        yield
    except RecipeError as error:
        told = []
        for problem in error.problems:
            given = [
                option for key, option in _OPTIONS.items() if f"{problem.path}.".startswith((f"{key}.", f"{key}["))
            ]
            ours = given and problem.where.startswith(f"{recipe}:")
            told.append(Problem(given[0], "", problem.message) if ours else problem)
        raise RecipeError(told) from None


@contextmanager
def _written(path: Path, text: str) -> Iterator[None]:
    """Write the recipe, and take it away again if it cannot be loaded; one that is there and says something else is left alone."""
    from audiosynth.errors import UsageError

    there = path.exists()
    if there and (not path.is_file() or path.read_text(encoding="utf-8") != text):
        raise UsageError(
            f"{path}: is there already and is not what this command would write; build it with `audiosynth build {path} --data "
            "speech=DIR`, remove it, or give another -o"
        )
    if not there:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    try:
        yield
    except BaseException:
        if not there:
            path.unlink(missing_ok=True)
        raise
