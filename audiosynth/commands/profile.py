"""`audiosynth profile` and `audiosynth learn`: noise profiles to see, and to make from recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiosynth.commands.show import Show, example, output_options

if TYPE_CHECKING:
    from audiosynth.clip import Array


@click.group(
    "profile",
    short_help="List and draw noise profiles.",
    epilog=example("audiosynth profile list", "audiosynth profile show cafe"),
)
def profile_command() -> None:
    """List noise profiles, or draw one."""


@profile_command.command("list", epilog=example("audiosynth profile list"))
@output_options
def list_profiles(*, show: Show) -> None:
    """List the noise profiles that come with audiosynth."""
    from audiosynth.profiles.profile import profile_path, read_profile, shipped_profiles

    found = [(name, read_profile(profile_path(name, None))) for name in shipped_profiles()]
    show.json(
        {"profiles": [{"name": name, "description": p.description, "level_dba": p.level_dba} for name, p in found]}
    )
    if show.quiet:
        for name, _ in found:
            show.result(name)
        return
    rows = [(name, "" if p.level_dba is None else f"{p.level_dba:g}", p.description) for name, p in found]
    show.table(("profile", "dB(A)", "what it sounds like"), rows, right=(1,))


@profile_command.command("show", epilog=example("audiosynth profile show cafe"))
@click.argument("name")
@click.option("-o", "--output", metavar="FILE", help="PNG to write.  [default: NAME.png]")
@click.option(
    "--sr", default=44_100, show_default=True, metavar="HZ", type=click.IntRange(8000, 96_000), help="Sampling rate."
)
@output_options
def show_profile(*, name: str, output: str | None, sr: int, show: Show) -> None:
    """Draw the noise profile NAME (a shipped one, or a .yaml file): spectrum, modulation, ten seconds of its sound."""
    from audiosynth.errors import UsageError
    from audiosynth.profiles.profile import profile_path, read_profile
    from audiosynth.report.profile import draw_profile

    path = Path(name)
    try:
        file = path if path.suffix in (".yaml", ".yml") and path.is_file() else profile_path(name, None)
    except ValueError as error:
        raise UsageError(str(error)) from None
    profile = read_profile(file)
    picture = Path(output or f"{path.stem}.png")
    found = draw_profile(profile, picture, sr=sr, title=f"{path.stem}: {profile.description}")
    show.json({"picture": str(picture), "crest_db": round(found.crest_db, 1), "made": profile.made})
    show.result(str(picture))
    if not show.quiet:
        show.line(f"{profile.description} {profile.made}. {profile.origin}")


@click.command(
    "learn",
    short_help="Learn a noise profile from recordings.",
    epilog=example("audiosynth learn cafe1.wav cafe2.wav -o my_cafe.yaml"),
)
@click.argument("recordings", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("-o", "--output", required=True, metavar="FILE", help="Profile to write (.yaml).")
@click.option("--description", metavar="TEXT", help="What it sounds like.  [default: the file's name]")
@click.option("--origin", default="", metavar="TEXT", help="Where the recordings come from, and their licence.")
@click.option("--high-pass", is_flag=True, help="Take out what lies below 10 Hz first, and with it an offset.")
@click.option("--picture", metavar="FILE", help="Draw profile and recordings to this PNG.")
@output_options
def learn_command(
    *, recordings: tuple[str, ...], output: str, description: str | None, origin: str, high_pass: bool, picture: str | None, show: Show
) -> None:  # fmt: skip
    """Learn a noise profile from RECORDINGS of one kind of noise, and say how near its noise comes.

    What is kept are statistics: a level per third octave, how levels waver per octave of rates, steady tones, and how often
    and how loud impulses are; under 4 kB however long the recordings are, no values in the order of time, so that nothing that
    was heard can be made again. The recordings should hold the noise alone: at least 4 s, better a minute.
    """
    from audiosynth.profiles.fit import learn
    from audiosynth.profiles.text import profile_text

    target = Path(output)
    if target.suffix not in (".yaml", ".yml"):
        raise click.UsageError(f"{output}: a profile is a .yaml file", click.get_current_context())
    heard = [_read(Path(name)) for name in recordings]
    fit = learn(heard, description=description or target.stem.replace("_", " "), origin=origin, high_pass=high_pass)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(profile_text(fit.profile), encoding="utf-8")
    errors = {key: round(value, 2) for key, value in fit.errors().items()}
    if picture:
        from audiosynth.report.profile import draw_profile

        draw_profile(fit.profile, Path(picture), sr=max(sr for _, sr, _ in heard), title=target.stem, real=fit.real)
    show.json({"profile": output, "warnings": list(fit.warnings), "errors_db": errors})
    for warning in fit.warnings:
        show.note(f"warning: {warning}")
    show.result(output)
    if not show.quiet:
        names = ("third octaves, median", "third octaves from 63 Hz, worst", "modulation, worst", "crest factor")
        show.table(
            ("its noise against the recordings", "dB"),
            [(n, f"{v:.2f}") for n, v in zip(names, errors.values(), strict=True)],
            right=(1,),
        )


def _read(path: Path) -> tuple[Array, int, str]:
    from audiosynth.files.decoding import decode

    y, sr = decode(path.read_bytes(), path.name)
    return y, sr, path.name
