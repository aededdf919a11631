"""`audiosynth room`: what a room's responses measure, and a picture of each."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from audiosynth.commands.options import Wanted, clip_of, recipe_options
from audiosynth.commands.show import Show, example, output_options

if TYPE_CHECKING:
    from audiosynth.clip import Array

NAMES: Final = ("t20", "t30", "edt", "drr_db", "c50_db", "c80_db", "d50")
HEADERS: Final = (
    "response",
    "channel",
    "band",
    "delay ms",
    "T20 s",
    "T30 s",
    "EDT s",
    "DRR dB",
    "C50 dB",
    "C80 dB",
    "D50",
)


class Found(NamedTuple):
    """One response: its name, samples, rate, direct delay in samples, and what is known of it."""

    name: str
    h: Array
    sr: int
    delay: int
    facts: dict[str, Any]


@click.command(
    "room",
    short_help="Measure and draw the responses of a recipe's room, or of a file.",
    epilog=example("audiosynth room hall.wav --octaves", "audiosynth room rooms --clip 3 -o room/"),
)
@recipe_options
@click.option("--clip", "which", default="0", show_default=True, metavar="CLIP", help="Of a recipe: which clip.")
@click.option("--split", metavar="SPLIT", help="Of a recipe: which split.  [default: the first]")
@click.option("--measurement", default=0, show_default=True, metavar="N", help="Of a SOFA file: which measurement.")
@click.option("--octaves", is_flag=True, help="Measure every octave too.")
@click.option("-o", "--output", default="room", show_default=True, metavar="DIR", help="Folder for the pictures.")
@output_options
def room_command(
    *, wanted: Wanted, which: str, split: str | None, measurement: int, octaves: bool, output: str, show: Show
) -> None:
    """Measure the responses of RECIPE's clip (one for each event in a room), or of a response FILE (audio or SOFA).

    Reverberation times, direct-to-reverberant ratio and clarity after ISO 3382-1, with the reason where one cannot be known;
    a picture (PNG) of each response: its beginning, its decay with the octaves, its spectrogram.
    """
    if Path(output).exists() and not Path(output).is_dir():
        raise click.UsageError(f"{output}: is a file; give a folder with -o", click.get_current_context())
    found = (
        _of_file(Path(wanted.name), measurement)
        if _is_response(wanted.name)
        else _of_recipe(wanted, which, split, show)
    )
    measured = [row for item in found for row in _measure(item, octaves)]
    pictures = [_draw(item, Path(output)) for item in found]
    show.json({"responses": measured, "pictures": pictures, "facts": {item.name: item.facts for item in found}})
    for path in pictures:
        show.result(path)
    if not show.quiet:
        _tell(found, measured, show)


def _tell(found: list[Found], measured: list[dict[str, Any]], show: Show) -> None:
    """Print the table, what else is known, and what cannot be."""
    show.table(HEADERS, [_row(row) for row in measured], right=tuple(range(3, len(HEADERS))))
    for item in found:
        known = ", ".join(f"{name} {value}" for name, value in item.facts.items() if name != "warnings")
        show.line(f"{item.name}: {known}" if known else "")
    for text in dict.fromkeys(text for row in measured for text in row["unknown"]):
        show.note(f"note: {text}")
    for text in dict.fromkeys(text for item in found for text in item.facts.get("warnings", ())):
        show.note(f"warning: {text}")


def _is_response(name: str) -> bool:
    from audiosynth.acoustics.sofa import SOFA_SUFFIX
    from audiosynth.files.decoding import AUDIO_SUFFIXES, UNREADABLE_SUFFIXES

    return Path(name).suffix.casefold() in AUDIO_SUFFIXES | UNREADABLE_SUFFIXES | {SOFA_SUFFIX}


def _of_file(path: Path, measurement: int) -> list[Found]:
    """Return the response in a file.

    Raises
    ------
    AssetError
        If it is missing, unreadable, silent, or has no direct sound above its noise.
    """
    from audiosynth.acoustics.responses import find_direct
    from audiosynth.acoustics.sofa import SOFA_SUFFIX, read_sofa
    from audiosynth.errors import AssetError, ParameterError
    from audiosynth.files.decoding import decode
    from audiosynth.files.paths import read_bytes

    facts: dict[str, Any] = {}
    if path.suffix.casefold() == SOFA_SUFFIX:
        file = read_sofa(path)
        h, sr, seen = file.measurement(measurement), file.sr, file.directions()
        facts = {"convention": file.convention, "measurement": f"{measurement} of {file.n_measurements}"}
        facts.update({name: round(float(values[measurement]), 3) for name, values in seen._asdict().items()})
    else:
        h, sr = decode(read_bytes(path), str(path))
    try:
        delay = find_direct(h, sr)
    except ParameterError as error:
        raise AssetError(f"{path}: {error}") from None
    return [Found(path.stem, h, sr, delay, facts)]


def _of_recipe(wanted: Wanted, which: str, split: str | None, show: Show) -> list[Found]:
    """Return the responses of a clip.

    Raises
    ------
    UsageError
        If none of its events is in a room.
    """
    from audiosynth.errors import UsageError
    from audiosynth.material.assets import AssetStore
    from audiosynth.material.workspace import Workspace
    from audiosynth.plan import plan_clip
    from audiosynth.rendering.images import amplitude, responses_of

    recipe = wanted.load(show)
    spec = plan_clip(recipe, *clip_of(which, split, recipe))
    found = responses_of(spec, Workspace(AssetStore(recipe.roots)))
    if not found:
        raise UsageError(f"clip {spec.clip_id}: none of its events is heard in a room; give the recipe a `room`")
    return [
        Found(f"{spec.clip_id}.{_safe(name)}", r.h * amplitude(r.gain_db), spec.sr, r.delay, dict(r.facts))
        for name, r in found
    ]


def _safe(name: str) -> str:
    """Return a place such as events[0] as it can stand in a file's name."""
    return name.replace("[", "").replace("]", "")


def _measure(item: Found, octaves: bool) -> list[dict[str, Any]]:
    """Return the measures of every channel, and of its octaves."""
    from audiosynth.acoustics.decay import measure
    from audiosynth.acoustics.octaves import bands_of
    from audiosynth.errors import ParameterError

    rows = []
    for channel in range(item.h.shape[0]):
        for centre in (None, *(bands_of(item.sr) if octaves else ())):
            head = {"response": item.name, "channel": channel, "band": "all" if centre is None else f"{centre:g} Hz"}
            times = {"delay_samples": item.delay, "delay_ms": round(1e3 * item.delay / item.sr, 3)}
            try:
                found = measure(
                    item.h, item.sr, channel=channel, delay=item.delay if channel == 0 else None, centre=centre
                )
            except ParameterError as error:
                rows.append({**head, **times, **dict.fromkeys(NAMES), "dynamic_db": None, "unknown": [str(error)]})
                continue
            values = {name: getattr(found, name) for name in NAMES}
            rounded = {name: None if value is None else round(value, 3) for name, value in values.items()}
            said: dict[str, list[str]] = {}
            for name, text in found.reasons.items():
                said.setdefault(text, []).append(name)
            where = f"{head['response']}, channel {channel}, {head['band']}"
            why = [f"{where}: {', '.join(names)}: {text}" for text, names in said.items()]
            rows.append({**head, **times, **rounded, "dynamic_db": round(found.dynamic_db, 1), "unknown": why})
    return rows


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    numbers = ["-" if row[name] is None else f"{row[name]:.2f}" for name in NAMES]
    return (row["response"], row["channel"], row["band"], f"{row['delay_ms']:.2f}", *numbers)


def _draw(item: Found, folder: Path) -> str:
    """Write the picture of a response; it is there whole or not at all."""
    from audiosynth.report.response import draw_response

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{item.name}.png"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".room-") as name:
        made = Path(name) / "picture.png"
        draw_response(item.h, item.sr, made, delay=item.delay, title=item.name)
        made.replace(target)
    return str(target)
