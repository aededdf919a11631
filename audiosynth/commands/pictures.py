"""What a component sounds like, as a picture of characters: a sound, a response, or a test sound before and after an effect."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from audiosynth.commands.failures import colours
from audiosynth.commands.show import Show

if TYPE_CHECKING:
    from audiosynth.clip import Array

SR: Final = 16_000
"""Rate of what is shown, in Hz."""
PICTURED: Final = ("synths", "noises", "rooms", "effects")
_COLOURS: Final = (
    "#000004",
    "#1b0c41",
    "#4a0c6b",
    "#781c6d",
    "#a52c60",
    "#cf4446",
    "#ed6925",
    "#fb9b06",
    "#f7d13d",
    "#fcffa4",
)
"""Ten steps of the colour map "inferno", even in lightness and told apart with any kind of colour vision."""
_ROWS: Final = 12
_EFFECT_ROWS: Final = 8


def picture(family: str, name: str, show: Show) -> None:
    """Print the picture of a component at its defaults (its first example, or a draw of its own), or why there is none."""
    from audiosynth.errors import AudiosynthError

    try:
        found = list(_sounds(family, name))
    except (AudiosynthError, ValueError, ImportError) as error:
        show.line(f"\nNo picture: {str(error).splitlines()[0]}")
        return
    for title, y in found:
        show.result(f"\n{title}")
        _draw(y, _EFFECT_ROWS if family == "effects" else _ROWS)


def _sounds(family: str, name: str) -> Iterator[tuple[str, Array]]:
    """Yield what is to be drawn, with a line above it."""
    from audiosynth import registry

    cls = registry.lookup(family, name)
    trees = [t for t in getattr(cls, "examples", ()) if not {"recording", "recordings"} & set(t)]
    if family in ("synths", "noises"):
        yield from _sound(name)
    elif family == "rooms" and trees:
        yield f"Response ({_told(trees[0])}):", _response(registry.create(family, {**trees[0], "type": name}))
    elif trees:
        yield from _change(registry.create(family, {**trees[0], "type": name}), _told(trees[0]))


def _sound(name: str) -> Iterator[tuple[str, Array]]:
    from audiosynth.report import gallery

    with tempfile.TemporaryDirectory() as folder:
        for specimen in gallery.specimens(1, sr=SR, folder=Path(folder), only=(name,)):
            values = specimen.component.model_dump(mode="json", exclude={"content", "amplitude"}, exclude_none=True)
            yield f"Sounds like this ({_told(values)}):", gallery.sound(specimen, SR)
            return  # one is enough; a profile has many


def _told(values: dict[str, Any], most: int = 100) -> str:
    """Return parameters in a line."""
    text = ", ".join(f"{key} {round(v, 3) if isinstance(v, float) else v}" for key, v in values.items())
    return text if len(text) <= most else f"{text[: text.rfind(',', 0, most)]}, …"


def _response(room: Any) -> Array:
    from audiosynth.clip import RenderContext
    from audiosynth.spaces.places import Position

    if not getattr(room, "simulated", False):
        h: Array = room.response(RenderContext(sr=SR)).h
        return h
    ctx = RenderContext(sr=SR, n_channels=room.n_channels())
    made: Array = room.response(ctx, position=room.place(Position(distance=0.8, azimuth=-50.0))).h
    return made


def _change(effect: Any, told: str) -> Iterator[tuple[str, Array]]:
    import numpy as np

    from audiosynth.clip import RenderContext

    y = _specimen()
    n = effect.extent(y.shape[1], SR) if hasattr(effect, "extent") else y.shape[1]
    after = effect.apply(y, RenderContext(sr=SR))
    if not np.isfinite(after).all() or n < 1:
        return
    yield "A test sound:", y
    yield f"The same after it ({told}):", after


def _specimen() -> Array:
    """Return a sweep, a pause, a tone with many harmonics, and a click: something of everything, 1.2 s."""
    import numpy as np

    t = np.arange(round(0.5 * SR)) / SR
    sweep = 0.4 * np.sin(2 * np.pi * (200 * t + 0.5 * 12_000 * t**2))
    tone = sum(0.3 / k * np.sin(2 * np.pi * 220 * k * t) for k in range(1, 20))
    click = np.zeros(round(0.1 * SR))
    click[len(click) // 2] = 0.9
    return np.concatenate([sweep, np.zeros(round(0.1 * SR)), tone, click])[None]


def _draw(y: Array, rows: int) -> None:
    """Print a picture: in colours, two rows a line, where the terminal has them; else in shades."""
    import click

    from audiosynth.report.blocks import blocks, framed, shaded

    coarse = blocks(y, SR, rows=rows)
    lines = framed(shaded(coarse), coarse)
    console = _console() if colours(sys.stdout) else None
    if console is None:
        for line in lines:
            click.echo(line)
        return
    from rich.text import Text

    fine = blocks(y, SR, rows=2 * rows)
    for i, line in enumerate(lines):
        text = Text(line.partition("│")[0] + "│" if i < rows else line)
        for top, bottom in zip(fine.levels[2 * i], fine.levels[2 * i + 1], strict=True) if i < rows else ():
            text.append("▀", style=f"{_colour(top)} on {_colour(bottom)}")
        console.print(text, no_wrap=True, crop=False, overflow="ignore")


def _console() -> Any:
    """Return a console for a terminal with 256 colours or more; None for others, where shades tell more."""
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    return console if console.color_system in ("256", "truecolor") else None


def _colour(level: float) -> str:
    from audiosynth.report.blocks import RANGE_DB

    return _COLOURS[min(len(_COLOURS) - 1, int((level + RANGE_DB) / RANGE_DB * len(_COLOURS)))]
