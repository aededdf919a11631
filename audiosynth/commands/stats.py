"""`audiosynth stats`: what a finished set holds, as tables or JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from audiosynth.commands.show import Show, example, output_options

SHOWN: Final = 30
"""Classes and pairs told one by one; the JSON has all of them."""
STEP_DB: Final = 5
"""Width of the histogram's lines; the JSON has whole dB."""
BAR: Final = 40
"""Characters of the longest bar."""


@click.command(
    "stats",
    short_help="Count what a set holds: classes, overlaps, SNRs.",
    epilog=example("audiosynth stats output/quickstart --split train"),
)
@click.argument("manifest", metavar="DIR")
@click.option("--split", metavar="NAME", help="Tables of this split only.  [default: of all splits together]")
@output_options
def stats_command(*, manifest: str, split: str | None, show: Show) -> None:
    """Count what the dataset in DIR (or a manifest file, or a URL of either) holds.

    Events and seconds per class, how many sounds are heard at once (max, mean and Gini coefficient over time: 0 where it is
    the same all the time, near 1 where all sound is heaped into a short time), which classes occur together, and the SNRs
    that came out. Labels that cannot be heard (`labels.drop_below_snr_db`) are counted apart.
    """
    from audiosynth.building.elsewhere import near
    from audiosynth.errors import UsageError, did_you_mean
    from audiosynth.stats import ALL, stats

    with near(manifest) as place:
        found = stats(place)
    if split is not None and split not in found["splits"]:
        hint = did_you_mean(split, found["splits"]) or f"; there are {', '.join(found['splits'])}"
        raise UsageError(f"--split {split}: the set has no such split{hint}")
    show.json(found if split is None else {"splits": {split: found["splits"][split]}})
    if show.as_json:
        return
    splits = found["splits"] if split is None else {split: found["splits"][split]}
    _overview({**splits, **({ALL: found[ALL]} if len(splits) > 1 else {})}, show)
    figures = found[ALL] if split is None else found["splits"][split]
    _classes(figures["classes"], show)
    _polyphony(figures, show)
    _conversations(figures["conversations"], show)
    _pairs(figures["cooccurrence"], show)
    _histogram(figures["snr_histogram"], show)


def _overview(splits: Mapping[str, Mapping[str, Any]], show: Show) -> None:
    headers = ("split", "clips", "hours", "events", "per minute", "polyphony max", "mean", "Gini")
    rows = [
        (
            name, s["clips"], f"{s['seconds'] / 3600:.3f}", s["events"], f"{60 * s['events'] / s['seconds']:.1f}" if s["seconds"] else "",
            s["polyphony"]["max"], f"{s['polyphony']['mean']:.3f}", _number(s["polyphony"]["gini"]),
        )
        for name, s in splits.items()
    ]  # fmt: skip
    show.table(headers, rows, right=range(1, len(headers)))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _classes(classes: Mapping[str, Mapping[str, Any]], show: Show) -> None:
    if not classes:
        return
    most = sorted(classes.items(), key=lambda item: -item[1]["events"])
    show.line("")
    rows = [(name, entry["events"], f"{entry['seconds']:.1f}", entry["clips"]) for name, entry in most[:SHOWN]]
    show.table(("class", "events", "seconds", "clips"), rows, right=(1, 2, 3))
    _more(len(most), show)


def _more(n: int, show: Show) -> None:
    if n > SHOWN:
        show.line(f"… and {n - SHOWN} more; --json lists them all")


def _polyphony(figures: Mapping[str, Any], show: Show) -> None:
    seconds, clips = figures["polyphony"]["seconds"], figures["polyphony"]["clips_by_max"]
    whole = sum(seconds.values())
    show.line("")
    rows = [
        (level, f"{s:.1f}", f"{100 * s / whole:.1f} %" if whole else "", clips.get(level, 0))
        for level, s in seconds.items()
    ]
    show.table(("at once", "seconds", "of the time", "clips with that at most"), rows, right=(0, 1, 2, 3))


def _conversations(figures: Mapping[str, Any] | None, show: Show) -> None:
    """Show how many speak, and how much of it at once: time with two speakers or more over time with any."""
    if figures is None:
        return
    show.line("")
    ratio, count = figures["overlap_ratio"], figures["count"]
    said = [] if ratio is None else [f"{ratio[key]:.4f}" for key in ("mean", "min", "max")]
    more = [] if ratio is None else [f"{ratio['largest_error']:.1e}", ratio["short"]]
    headers = ("conversations", "turns each", "overlap ratio", "least", "most", "largest error", "short of it")
    row = (count, f"{figures['turns'] / count:.1f}", *said, *more)
    show.table(headers[: len(row)], [row], right=range(len(row)))
    show.line("")
    show.table(("speakers", "conversations"), list(figures["speakers"].items()), right=(0, 1))


def _pairs(pairs: Sequence[Mapping[str, Any]], show: Show) -> None:
    if not pairs:
        return
    most = sorted(pairs, key=lambda pair: -pair["clips"])
    show.line("")
    rows = [(" + ".join(pair["classes"]), pair["clips"], f"{pair['seconds']:.1f}") for pair in most[:SHOWN]]
    show.table(("together", "clips", "seconds at once"), rows, right=(1, 2))
    _more(len(most), show)


def _histogram(bins: Sequence[Sequence[int]], show: Show) -> None:
    if not bins:
        return
    wide: Counter[int] = Counter()
    for db, n in bins:
        wide[db // STEP_DB * STEP_DB] += n
    show.line("")
    most = max(wide.values())
    rows = [
        (f"{db} to {db + STEP_DB - 1} dB", wide[db], "█" * -(-BAR * wide[db] // most))
        for db in range(min(wide), max(wide) + STEP_DB, STEP_DB)
    ]
    show.table(("realised SNR", "events", ""), rows, right=(0, 1))
