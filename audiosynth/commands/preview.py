"""`audiosynth preview`: one clip to hear, to look at, and to read."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiosynth.commands.options import Wanted, clip_of, recipe_options
from audiosynth.commands.show import Show, example, output_options

if TYPE_CHECKING:
    from audiosynth.records.loaded import Recipe
    from audiosynth.records.rendered import Clip
    from audiosynth.spec import ClipSpec


@click.command(
    "preview",
    short_help="Make one clip of a recipe to hear and look at.",
    epilog=example("audiosynth preview quickstart --clip 3 --set noise.level_dbfs=-30 -o preview/"),
)
@recipe_options
@click.option(
    "--clip", "which", default="0", show_default=True, metavar="CLIP",
    help="Which clip: a number from 0 (of --split), or an id such as train-000000003.",
)  # fmt: skip
@click.option("--split", metavar="SPLIT", help="Which split.  [default: the recipe's first]")
@click.option("-o", "--output", default="preview", show_default=True, metavar="DIR", help="Folder to write to.")
@output_options
def preview_command(*, wanted: Wanted, which: str, split: str | None, output: str, show: Show) -> None:
    """Write one clip of RECIPE: its audio, its spec as JSON, and a picture (PNG) with waveform, spectrogram and labels.

    It is the very clip that `build` gives under that number, for the same recipe and seed. Files of an earlier preview of
    that clip are replaced.
    """
    from audiosynth.plan import plan_clip

    if Path(output).exists() and not Path(output).is_dir():
        raise click.UsageError(f"{output}: is a file; give a folder with -o", click.get_current_context())
    recipe = wanted.load(show)
    spec = plan_clip(recipe, *clip_of(which, split, recipe))
    clip, files = _write(recipe, spec, Path(output))
    events = _events(clip)
    show.json({"clip_id": spec.clip_id, "pcm_sha256": clip.pcm_sha256, **files, "events": events})
    for path in files.values():
        show.result(path)
    if not show.quiet:
        rows = [tuple("" if value is None else value for value in event.values()) for event in events]
        show.table(("label", "onset s", "offset s", "asked dB", "realised dB"), rows, right=(1, 2, 3, 4))


def _write(recipe: Recipe, spec: ClipSpec, folder: Path) -> tuple[Clip, dict[str, str]]:
    """Render the clip and put its three files in place; each is there whole or not at all."""
    from audiosynth.building.clips import write_clip
    from audiosynth.manifest import clip_path
    from audiosynth.material.assets import AssetStore
    from audiosynth.material.workspace import Workspace
    from audiosynth.render import render
    from audiosynth.report.preview import draw_clip

    work = Workspace(AssetStore(recipe.roots))
    clip = render(spec, assets=work)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".preview-") as name:
        scratch = Path(name)
        write_clip(clip, scratch, scratch=scratch, recipe_sha256=recipe.sha256)
        text = json.dumps(spec.to_json(), ensure_ascii=False, indent=1)
        (scratch / "spec.json").write_text(text + "\n", encoding="utf-8")
        draw_clip(clip.y, spec.sr, clip.labels, scratch / "picture.png", title=f"{recipe.name}: {spec.clip_id}")
        made = {"audio": scratch / clip_path(spec), "spec": scratch / "spec.json", "picture": scratch / "picture.png"}
        files = {kind: folder / f"{spec.clip_id}{path.suffix}" for kind, path in made.items()}
        for kind, path in made.items():
            path.replace(files[kind])
    return clip, {kind: str(path) for kind, path in files.items()}


def _events(clip: Clip) -> list[dict[str, Any]]:
    """Return the labels with their times in seconds, and the SNR asked for and realised in dB."""
    outcomes = clip.outcomes["events"]
    found = []
    for label in clip.labels:
        outcome = {} if label.event is None else outcomes[label.event]
        times = {"onset": round(label.onset / clip.spec.sr, 3), "offset": round(label.offset / clip.spec.sr, 3)}
        snr = {key: outcome.get(f"{key}_snr_db") for key in ("requested", "realised")}
        found.append({"label": label.label, **times, **{f"{key}_snr_db": _short(value) for key, value in snr.items()}})
    return found


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
