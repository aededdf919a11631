"""A page to hear and see every sound that can be made from nothing."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from audiosynth import registry
from audiosynth.clip import Array, RenderContext
from audiosynth.errors import UsageError, did_you_mean
from audiosynth.files.audiofile import write_audio
from audiosynth.pcm import quantise
from audiosynth.profiles.profile import profile_path, read_profile, shipped_profiles, tree_of
from audiosynth.report.preview import log_mel

FAMILIES: Final = ("synths", "noises")
LONGEST: Final = 8.0
"""Seconds of a sound that are shown and heard."""
BED: Final = 5.0
"""Seconds of a noise."""
PEAK: Final = 0.5
"""Of what is written, so that nobody is startled."""
WIDTH, HEIGHT, DPI = 3.6, 1.6, 100


class Specimen(NamedTuple):
    """One sound of the page: its component, its number, and the component itself."""

    family: str
    name: str
    number: int
    component: Any

    @property
    def stem(self) -> str:
        """Return the name of its files."""
        return f"{self.family}-{self.name.replace(':', '-')}-{self.number}"


def specimens(n: int, *, sr: int, folder: Path, only: Collection[str] = ()) -> Iterator[Specimen]:
    """Yield n sounds of every synthesizer and noise that needs no recording: draws of its own, or its examples.

    Parameters
    ----------
    n
        Of each component.
    sr
        Rate in Hz.
    folder
        For scratch files.
    only
        Names of components; all if empty.

    Raises
    ------
    UsageError
        If one of the names is none of a synthesizer or noise.
    """
    known = {name: None for family in FAMILIES for name in registry.newest(family, everywhere=bool(only))}
    for name in only:
        if name not in known:
            raise UsageError(f"no synthesizer or noise is called '{name}'{did_you_mean(name, known)}")
    for family in FAMILIES:
        for name, cls in registry.newest(family, everywhere=bool(only)).items():
            if only and name not in only:
                continue
            if name == "profile":
                yield from _profiles()
                continue
            if cls.drawn:
                yield from _drawn(family, name, n, sr=sr, folder=folder)
                continue
            trees = [t for t in getattr(cls, "examples", ()) if not {"recording", "recordings"} & set(t)]
            for i, tree in enumerate(trees[:n]):
                yield Specimen(family, name, i, registry.create(family, {**tree, "type": name}))


def _profiles() -> Iterator[Specimen]:
    """Yield a noise of every profile that comes with audiosynth."""
    for name in shipped_profiles():
        tree = {
            "type": "profile",
            "profile": name,
            "content": tree_of(read_profile(profile_path(name, None))),
            "seed": 1,
        }
        yield Specimen("noises", f"profile_{name}", 0, registry.create("noises", tree))


def _drawn(family: str, name: str, n: int, *, sr: int, folder: Path) -> Iterator[Specimen]:
    """Yield what a recipe gets that names the type and nothing else (but what it has to, as in the first example)."""
    from audiosynth.plan import plan_clip
    from audiosynth.recipe import load_recipe

    path = folder / "draw.yaml"
    cls = registry.lookup(family, name)
    example: Mapping[str, Any] = next(iter(getattr(cls, "examples", ())), {})
    needed = {key: example[key] for key, info in cls.model_fields.items() if info.is_required() and key in example}
    source = {"type": name, **{key: value for key, value in needed.items() if key != "seed"}}
    scene: dict[str, Any] = {"events": [{"label": name, "source": source}]}
    if family == "noises":
        scene = {"noise": {**source, "level_dbfs": -30}}
    path.write_text(json.dumps({"sr": sr, "duration": 3600.0, "clips": n, **scene}), encoding="utf-8")
    recipe = load_recipe(path)
    for i in range(n):
        spec = plan_clip(recipe, "train", i)
        found = spec.events[0].source if family == "synths" else spec.noise.layers[0].source  # type: ignore[union-attr]
        yield Specimen(family, name, i, found)


def sound(specimen: Specimen, sr: int) -> Array:
    """Return a specimen's first channel, at most `LONGEST` seconds, shape (1, n_samples), at a friendly level."""
    ctx = RenderContext(sr=sr)
    if specimen.family == "noises":
        y = specimen.component.render(ctx, start=0, n_samples=int(BED * sr))[:1]
    else:
        y = specimen.component.render(ctx)[:1, : int(LONGEST * sr)]
    peak = float(np.max(np.abs(y)))
    return np.asarray(y * (PEAK / peak) if peak > 0 else y)


def put(specimen: Specimen, sr: int, folder: Path) -> float:
    """Write a specimen's sound and picture; returns the seconds."""
    y = sound(specimen, sr)
    write_audio(folder / f"{specimen.stem}.flac", quantise(y).pcm, sr=sr, container="flac", subtype="PCM_16")
    draw(y, sr, folder / f"{specimen.stem}.png")
    return float(y.shape[1] / sr)


def draw(y: Array, sr: int, path: Path) -> None:
    """Write a PNG of a sound's log-mel spectrogram, its waveform below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI)
    FigureCanvasAgg(figure)
    mel, wave = figure.subplots(2, 1, gridspec_kw={"height_ratios": (4, 1), "hspace": 0.0})
    figure.subplots_adjust(0.0, 0.0, 1.0, 1.0)
    level, _ = log_mel(y, sr)
    top = float(level.max())
    mel.imshow(level, origin="lower", aspect="auto", cmap="magma", vmin=top - 70.0, vmax=top + 1e-9)
    wave.plot(y[0, :: max(1, y.shape[1] // 4000)], color="#0072B2", linewidth=0.5)
    wave.set_xlim(0, max(1, y[0, :: max(1, y.shape[1] // 4000)].size - 1))
    for axes in (mel, wave):
        axes.set_axis_off()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure.savefig(path, format="png", metadata={"Software": None})


def page(found: list[tuple[Specimen, float]], *, sr: int) -> str:
    """Return the page: one section per component, one figure per sound.

    Parameters
    ----------
    found
        Each specimen with the seconds of its sound.
    sr
        Rate in Hz.
    """
    sections, last = [], ""
    names: dict[str, list[str]] = {}
    for specimen, seconds in found:
        if specimen.name != last:
            sections.append(_heading(specimen))
            names.setdefault(specimen.family, []).append(specimen.name)
        last = specimen.name
        sections.append(_figure(specimen, seconds))
    links = "".join(_links(family, listed) for family, listed in names.items())
    n = len({(s.family, s.name) for s, _ in found})
    head = f"<h1>Sounds made from nothing</h1><p>{n} components, {len(found)} sounds at {sr} Hz; no recordings.</p>"
    return _PAGE.replace("{body}", f"{head}<nav>{links}</nav>{''.join(sections)}</section>")


def _links(family: str, names: list[str]) -> str:
    anchors = " ".join(f'<a href="#{name}">{name}</a>' for name in names)
    return f"<p><b>{family}</b> {anchors}</p>"


def _heading(specimen: Specimen) -> str:
    content = getattr(specimen.component, "content", None)
    first = content.description if content else (type(specimen.component).__doc__ or "").strip().splitlines()[0]
    return f'</section><section id="{specimen.name}"><h2>{specimen.name}</h2><p>{escape(first)}</p>'


def _figure(specimen: Specimen, seconds: float) -> str:
    values: Mapping[str, Any] = specimen.component.model_dump(
        mode="json", exclude={"seed", "amplitude", "content"}, exclude_none=True
    )
    text = ", ".join(f"{key} {_short(value)}" for key, value in values.items())
    name = f"{specimen.name} {specimen.number + 1}"
    return (
        f'<figure><img src="{specimen.stem}.png" width="{int(WIDTH * DPI)}" height="{int(HEIGHT * DPI)}" loading="lazy" '
        f'alt="Spectrogram of {name}, {seconds:.1f} s"><audio controls preload="none" src="{specimen.stem}.flac" '
        f'aria-label="{name}"></audio><figcaption>{seconds:.1f} s; {escape(text)}</figcaption></figure>'
    )


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    return str(value)


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>audiosynth gallery</title><style>
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { max-width: 1180px; margin: 1.5em auto; padding: 0 1em; }
nav a { margin-right: .5em; }
section { border-top: 1px solid #8886; padding: .3em 0 .8em; }
h2 { margin: .3em 0 0; font-size: 1.15em; } section > p { margin: .1em 0 .5em; }
figure { display: inline-block; width: 360px; margin: 0 .8em .8em 0; vertical-align: top; }
img, audio { width: 360px; display: block; } audio { height: 2.2em; margin-top: .2em; }
figcaption { font-size: .78em; opacity: .8; overflow-wrap: anywhere; }
</style></head><body><section>{body}</body></html>
"""
