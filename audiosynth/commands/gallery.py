"""`audiosynth gallery`: hear and see every synthesizer and noise."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import click

from audiosynth.commands.show import Show, example, output_options

MAX_EACH: Final = 20


@click.command(
    "gallery",
    short_help="Write a page to hear and see every synthesizer and noise.",
    epilog=example("audiosynth gallery -o gallery/"),
)
@click.option("-o", "--output", default="gallery", show_default=True, metavar="DIR", help="Folder to write to.")
@click.option(
    "-n",
    "--each",
    default=3,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, MAX_EACH),
    help="Sounds of each component.",
)
@click.option(
    "--sr",
    default=32_000,
    show_default=True,
    metavar="HZ",
    type=click.IntRange(8000, 96_000),
    help="Sampling rate of the sounds.",
)
@click.option("--only", multiple=True, metavar="NAME", help="This component only. May be repeated.")
@output_options
def gallery_command(*, output: str, each: int, sr: int, only: tuple[str, ...], show: Show) -> None:
    """Make a few sounds of every synthesizer and noise, and one HTML page with players, spectrograms and parameters.

    Components that vary by themselves are drawn as a recipe would draw them; the others sound as in their examples. The page
    (DIR/index.html) opens from disk and needs no network. Files of an earlier gallery are replaced.
    """
    from audiosynth.report import gallery

    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"{output}: is a file; give a folder with -o", click.get_current_context())
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    with tempfile.TemporaryDirectory() as scratch, show.progress("sounds") as progress:
        chosen = list(gallery.specimens(each, sr=sr, folder=Path(scratch), only=only))
        for i, specimen in enumerate(chosen):
            progress(i, len(chosen))
            found.append((specimen, gallery.put(specimen, sr, folder)))
        progress(len(chosen), len(chosen))
    (folder / "index.html").write_text(gallery.page(found, sr=sr), encoding="utf-8")
    show.json({"page": str(folder / "index.html"), "sounds": len(found)})
    show.result(str(folder / "index.html"))
