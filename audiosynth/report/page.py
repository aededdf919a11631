"""What the page says, as the templates take it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from audiosynth.errors import AudiosynthError
from audiosynth.leakage import is_meant, shared_roots
from audiosynth.report import charts
from audiosynth.report.embed import script_json
from audiosynth.report.figures import MEASURED, SNR_STEP, Figures
from audiosynth.report.findings import CHECKS, FROM_ROWS, Findings
from audiosynth.report.preview import PALETTE
from audiosynth.report.source import MAX_ROWS, Source
from audiosynth.report.table import Table
from audiosynth.versions import version

TEMPLATES: Final = Path(__file__).with_name("templates")
CLASSES, PAIRED, NAMED, ASSETS = 60, 16, 20, 300
"""Classes, classes in the matrix of pairs, names in a list, recordings that are shown; the page says how many more there are."""
SMALL_DB: Final = 0.001
"""Differences of an SNR below this are rounding."""
GROUPS: Final = (
    ("Durations", {"clip_seconds": "Clips", "event_seconds": "Labeled events"}),
    ("Levels", {"clip_level": "Clips, RMS", "peak": "Clips, peak", "event_level": "Events, RMS while active", "noise_level": "Noise, RMS"}),
    ("Rooms", {"rt60": "RT60 (T30)", "drr": "Direct-to-reverberant ratio", "c50": "Clarity C50", "distance": "Distance of the source"}),
)  # fmt: skip
"""Sections of histograms, and what each is called."""


def page(source: Source, figures: Figures, table: Table, findings: Findings) -> str:
    """Return the page's HTML: the same for the same set, whatever the machine or the number of workers."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = charts.number
    texts = {name: (TEMPLATES / f"report.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
    whole = figures.whole.as_dict()
    unfinished = source.planned is not None
    data = {**table.as_dict(), "palette": PALETTE, "unfinished": unfinished}
    return environment.get_template("report.html").render(
        source=source, version=version(), unfinished=unfinished, n_rows=min(source.n_rows, MAX_ROWS), table=table,
        n_read=findings.n_read, whole=whole, made=_made(source), snr=_snr(figures, whole), groups=_groups(figures),
        classes=_classes(whole["classes"]), hidden=max(0, len(whole["classes"]) - CLASSES), polyphony=_polyphony(whole["polyphony"]),
        pairs=_pairs(whole), splits=_splits(figures), leakage=_leakage(figures, source), assets=_assets(source),
        checks=_checks(findings), duplicates=findings.duplicates[:NAMED], n_duplicates=len(findings.duplicates),
        data=script_json(data), **texts,
    )  # fmt: skip


def _made(source: Source) -> list[tuple[str, str]]:
    """Return what dataset.json says of how the set was made."""
    head = source.head
    out = head.get("output") or {}
    said = {
        "Rate": f"{head['sr']:,} Hz" if "sr" in head else "",
        "Channels": str(head.get("channels", "")),
        "Files": f"{out.get('format', '')} {out.get('subtype', '')}".strip(),
        "Voices": str(head.get("voices", "")),
        "Recordings used": str(head.get("recordings", "")),
        "Labels": ", ".join(str(tree.get("type", "")).partition("@")[0] for tree in head.get("export", ())),
        "Needs to be reproduced": ", ".join(map(str, head.get("needs") or ())),
    }
    return [(name, text) for name, text in said.items() if text]


def _snr(figures: Figures, whole: Mapping[str, Any]) -> dict[str, Any]:
    error, clip_id = figures.worst
    return {
        "scatter": charts.scatter(figures.snrs, SNR_STEP), "side": charts.SIDE, "error": f"{error:.3f}" if error >= SMALL_DB else f"less than {SMALL_DB:g}", "clip": clip_id,
        "histogram": charts.histogram(figures.values["snr"], title="SNR of the events, over their active samples", unit="dB"),
        "figures": whole["snr"],
    }  # fmt: skip


def _groups(figures: Figures) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the sections of histograms that have any."""
    made = [
        (
            title,
            [charts.histogram(figures.values[name], title=text, unit=MEASURED[name]) for name, text in names.items()],
        )
        for title, names in GROUPS
    ]
    return [(title, [chart for chart in found if chart]) for title, found in made if any(found)]


def _classes(classes: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the classes with the most events first."""
    most = sorted(classes.items(), key=lambda item: (-item[1]["events"], item[0]))[:CLASSES]
    bars = charts.shares((name, entry["events"]) for name, entry in most)
    return [{**bar, **entry} for bar, (_, entry) in zip(bars, most, strict=True)]


def _polyphony(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    whole = sum(found["seconds"].values())
    bars = charts.shares(found["seconds"].items())
    clips = found["clips_by_max"]
    return [
        {**bar, "share": 100 * bar["value"] / whole if whole else 0, "clips": clips.get(bar["name"], 0)} for bar in bars
    ]


def _pairs(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return the matrix of the clips that have two classes, for the commonest classes."""
    common = sorted(whole["classes"], key=lambda name: (-whole["classes"][name]["clips"], name))[:PAIRED]
    clips = {tuple(pair["classes"]): pair["clips"] for pair in whole["cooccurrence"]}
    both = {(a, b): clips.get((a, b), clips.get((b, a), 0)) for a in common for b in common}
    most = max(both.values(), default=0)
    rows = [
        (a, [{"n": both[a, b], "share": round(100 * both[a, b] / most) if most else 0} for b in common]) for a in common
    ]
    return {"names": common, "rows": rows, "most": most, "hidden": max(0, len(whole["classes"]) - PAIRED)}


def _splits(figures: Figures) -> list[dict[str, Any]]:
    return [{"name": name, **found.as_dict()} for name, found in figures.splits.items()]


def _leakage(figures: Figures, source: Source) -> list[dict[str, Any]]:
    """Return, kind by kind, how many each split has and what is in two of them."""
    found, free = [], _shared_by_recipe(source.root / "recipe.yaml")
    for kind in figures.leakage.seen:
        counts, shared = figures.leakage.counts(kind), figures.leakage.shared(kind)
        if not counts:
            continue
        allowed = {what for what in shared if is_meant(kind, what, free)}
        bad = {what: dict(splits) for what, splits in shared.items() if what not in allowed}
        rows = [(what, ", ".join(f"{split}: {n}" for split, n in splits.items())) for what, splits in bad.items()]
        found.append(
            {"kind": kind, "counts": [counts.get(name, 0) for name in figures.splits], "bad": len(bad), "allowed": len(allowed),
             "rows": rows[:NAMED]}
        )  # fmt: skip
    return found


def _shared_by_recipe(path: Path) -> frozenset[str]:
    try:
        return shared_roots(path)
    except (AudiosynthError, OSError):  # a page is made of a set whose recipe was edited, too
        return frozenset()


def _assets(source: Source) -> dict[str, Any]:
    """Return the recordings by licence, and the first of them."""
    rows = source.assets()
    by: dict[str, int] = {}
    for row in rows:
        licence = str(row.get("licence") or "not stated")
        by[licence] = by.get(licence, 0) + 1
    shown = [
        {
            "name": f"{row['data']}:{row['path']}",
            "licence": str(row.get("licence") or "not stated"),
            "origin": _origin(row),
        }
        for row in rows[:ASSETS]
    ]
    return {"n": len(rows), "licences": sorted(by.items()), "rows": shown, "hidden": max(0, len(rows) - ASSETS)}


def _origin(row: Mapping[str, Any]) -> str:
    return ", ".join(str(row[key]) for key in ("author", "title", "source") if row.get(key))


def _checks(findings: Findings) -> list[dict[str, Any]]:
    """Return every check with its clips, the first of them by name."""
    return [
        {
            "name": name, "means": means, "n": len(findings.faults.get(name, ())), "of_rows": name in FROM_ROWS,
            "number": number, "ids": _first(findings.faults.get(name, ())),
        }
        for number, (name, means) in enumerate(CHECKS.items())
    ]  # fmt: skip


def _first(ids: Iterable[str]) -> list[str]:
    return list(ids)[:5]
