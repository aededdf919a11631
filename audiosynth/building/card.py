"""The dataset card: README.md of a built set, as the Hugging Face Hub reads it, with shares, licences and a section on privacy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from audiosynth.building.content import SOUNDS, Content
from audiosynth.errors import counted
from audiosynth.exporters.attribution import escaped
from audiosynth.files import strictyaml
from audiosynth.manifest import NAMES
from audiosynth.material.licences import spdx

SHOWN: Final = 50
"""Classes, speakers and recordings of places that are told one by one."""
HUB_LICENCES: Final = frozenset(
    (
        "afl-3.0", "apache-2.0", "artistic-2.0", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0",
        "cc-by-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0",
        "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "cdla-permissive-1.0",
        "cdla-permissive-2.0", "cdla-sharing-1.0", "ecl-2.0", "etalab-2.0", "isc", "lgpl-3.0", "mit", "mpl-2.0", "ncsa",
        "ofl-1.1", "osl-3.0", "postgresql", "unlicense", "wtfpl", "zlib",
    )
)  # fmt: skip
"""Identifiers that the Hub and SPDX share but for capitals (https://huggingface.co/docs/hub/repositories-licenses)."""
_HUB_NAMES: Final = {
    "ODC-By-1.0": "odc-by",
    "ODbL-1.0": "odbl",
    "PDDL-1.0": "pddl",
    "C-UDA-1.0": "c-uda",
    "GPL-2.0-only": "gpl-2.0",
    "GPL-3.0-only": "gpl-3.0",
}
_SIZES: Final = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
"""The Hub's `size_categories`."""
_WORDS: Final = {
    "recorded": "recordings, and voices of recordings",
    "formant": "speech by rule (formant synthesis; nobody's voice)",
    "trained": "speech of trained voices",
    "learned": "noise with the statistics of recordings",
    "designed": "noise with statistics that somebody wrote down",
    "synthesized": "synthesizers",
}


def card(head: Mapping[str, Any], assets: Sequence[Mapping[str, Any]], content: Content) -> str:
    """Return the text of the card: the same for the same set.

    Parameters
    ----------
    head
        What ``dataset.json`` says.
    assets
        The rows of ``assets.jsonl``.
    content
        What the rows are made of.
    """
    sections = (
        _intro(head), ("## Splits", "", *_splits(head)), ("## Classes", "", *_classes(head["classes"])), ("## What it is made of", "", *_shares(content)),
        ("## Licences", "", *_licences(head, assets)), ("## Privacy", "", *_privacy(head, assets, content)), ("## How to use it", "", *_use(head)),
    )  # fmt: skip
    body = "\n\n".join("\n".join(lines) for lines in sections)
    return f"---\n{strictyaml.dump(front_matter(head, assets, content))}---\n\n{body}\n"


def front_matter(head: Mapping[str, Any], assets: Sequence[Mapping[str, Any]], content: Content) -> dict[str, Any]:
    """Return the metadata that the Hub reads."""
    tasks = {
        "audio-classification": bool(head["classes"]),
        "automatic-speech-recognition": content.spoken,
        "audio-to-audio": bool(head["output"]["stems"]),
    }
    codes = {language.split("-")[0].lower() for language in content.languages}
    languages = [code for code in sorted(codes) if re.fullmatch(r"[a-z]{2,3}", code)]  # ISO 639
    return {
        **({"language": languages} if languages else {}),
        **_hub_licence((head.get("licence") or {}).get("set")),
        "pretty_name": head["name"],
        "size_categories": [_size(sum(head["clips"].values()))],
        **({"task_categories": [name for name, wanted in tasks.items() if wanted]} if any(tasks.values()) else {}),
        "annotations_creators": ["machine-generated"],
        "source_datasets": ["extended" if assets else "original"],
        "tags": ["audio", "synthetic", "audiosynth"],
    }


def _hub_licence(declared: str | None) -> dict[str, str]:
    expression = spdx(declared or "")
    if not expression:
        return {"license": "unknown"}
    name = _HUB_NAMES.get(expression, expression.lower())
    if name in HUB_LICENCES or expression in _HUB_NAMES:
        return {"license": name}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.]+", "-", expression.lower()).strip("-")}


def _size(n: int) -> str:
    """Return the Hub's word for so many clips.

    Examples
    --------
    >>> _size(0), _size(999), _size(1000), _size(10_000)
    ('n<1K', 'n<1K', '1K<n<10K', '10K<n<100K')
    """
    return _SIZES[min(max(0, len(str(n)) - 3), len(_SIZES) - 1)]


def _intro(head: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {escaped(head['name'])}"
    yield ""
    if head.get("description"):
        yield escaped(" ".join(str(head["description"]).split()))
        yield ""
    parent = head.get("parent") or {}
    made = (
        "from `recipe.yaml`"
        if not parent
        else f"from the set {escaped(str(parent.get('name') or 'of another manifest'))}, with something changed"
    )
    yield (
        f"**Synthetic audio**, made with audiosynth {made}: every clip can be made again from its row in `{_manifest(head)}`. "
        "Labels are what was put there, not what somebody heard."
    )  # fmt: skip


def _splits(head: Mapping[str, Any]) -> Iterator[str]:
    yield from _table(
        ("split", "clips", "hours", "labels"),
        ((escaped(s), n, head["hours"].get(s, 0), head["supervision"].get(s, "strong")) for s, n in head["splits"].items()),
    )  # fmt: skip
    out = head["output"]
    channels = "1 channel" if head["channels"] == 1 else f"{head['channels']} channels"
    stems = ", with stems" if out["stems"] else ""
    yield ""
    yield f"{head['sr']} Hz, {channels}, {out['format']} ({out['subtype']}){stems}."
    snr = head.get("snr")
    if snr:
        yield f"SNRs that came out: median {snr['median_db']} dB, from {snr['min_db']} to {snr['max_db']} dB over {snr['events']} events."


def _classes(classes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if not classes:
        yield "No labeled events."
        return
    most = sorted(classes.items(), key=lambda item: (-item[1]["events"], item[0]))
    rows = ((escaped(name), entry["events"], entry["seconds"]) for name, entry in most[:SHOWN])
    yield from _table(("class", "events", "seconds"), rows)
    if len(most) > SHOWN:
        yield f"\n… and {len(most) - SHOWN} more; `dataset.json` has all of them."


def _shares(content: Content) -> Iterator[str]:
    whole = sum(content.seconds.values())
    kinds = [kind for kind in SOUNDS if content.sounds[kind]]
    if not kinds:
        yield "Nothing but silence."
        return
    rows = (
        (_WORDS[kind], content.sounds[kind], f"{content.seconds[kind]:.1f}", f"{100 * content.seconds[kind] / whole:.1f} %" if whole else "")
        for kind in kinds
    )  # fmt: skip
    yield from _table(("events and noises", "how many", "seconds", "share of seconds"), rows)


def _licences(head: Mapping[str, Any], assets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    said = head.get("licence") or {}
    own, use = said.get("set"), said.get("use")
    yield f"The set: {escaped(spdx(own)) if own else 'no licence declared'}{f', for {use} use' if use else ''}."
    if not assets:
        yield "No recordings went in."
        return
    counts = Counter(spdx(str(row.get("licence") or "")) or str(row.get("licence") or "") for row in assets)
    yield ""
    rows = sorted(counts.items(), key=lambda item: (not item[0], item[0]))
    yield from _table(("licence of recordings", "recordings"), ((escaped(k) or "**not stated**", n) for k, n in rows))
    yield ""
    checked = "Each of them was held against what the recipe declares" if said else "Nobody has held them against a use"
    yield f"{checked}; `ATTRIBUTION.md` names every recording and its author, and goes along with the set."


def _privacy(head: Mapping[str, Any], assets: Sequence[Mapping[str, Any]], content: Content) -> Iterator[str]:
    people = sorted({name for row in assets for name in row.get("speakers", ())})
    voices = sum("voice" in row.get("used_as", ()) for row in assets)
    if voices:
        count = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
        yield f"- **Real voices**: {count}, in {counted(voices, 'recording')}: {_few(people)}."
    else:
        yield "- **Real voices**: no recording whose catalogue names a speaker."
    for kind, word in (("trained", "Trained voices"), ("recorded", "Voices of recordings in a synthesizer")):
        if content.voices.get(kind):
            yield f"- **{word}**: {_few(sorted(content.voices[kind]))}. They may sound like the people whose recordings they come from."
    yield from _recordings(assets)
    for name, origin in sorted(content.learned.items()):
        yield f"- **Learned noise**: {escaped(name)}, statistics without order in time{f', of {escaped(origin)}' if origin else ''}."
    if content.refilled:
        yield f"- **Withdrawn**: {counted(content.refilled, 'clip')} with other recordings in place of some that were withdrawn (`withdrawn.json`)."
    if assets:
        first = "build the set again from `recipe.yaml` with `output.audio=files`, then " if _tars(head) else ""
        yield ""
        yield (
            f"To take somebody's recordings out: {first}`audiosynth withdraw DIR --speaker ID`, or `--asset SHA256` for one recording; "
            "the clips that used them are made again without."
        )


def _recordings(assets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what recordings are used as; one that is used as several things is named the first time, and counted every time."""
    told: set[str] = set()
    for role, word in (
        ("background", "Recordings of places"),
        ("room", "Rooms that were measured"),
        ("event", "Other recorded sounds"),
    ):
        names = {f"{row['data']}/{row['path']}" for row in assets if role in row.get("used_as", ())}
        if names:
            heard = " People may be heard in them." if role != "room" else ""
            new, again = sorted(names - told), len(names & told)
            parts = [*([_few(new)] if new else []), *([f"{again} of them named above"] if again else [])]
            yield f"- **{word}**: {len(names)}: {'; '.join(parts)}.{heard}"
            told |= names


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more (`assets.jsonl`)" if len(names) > SHOWN else ""
    return ", ".join(map(escaped, names[:SHOWN])) + more


def _manifest(head: Mapping[str, Any]) -> str:
    return NAMES[head["output"].get("manifest") == "gzip"]


def _tars(head: Mapping[str, Any]) -> bool:
    return bool(head["output"].get("audio") == "tar")


def _use(head: Mapping[str, Any]) -> Iterator[str]:
    formats = ", ".join(str(tree["type"]).partition("@")[0] for tree in head["export"])
    tars = ", in tar files that WebDataset reads" if _tars(head) else ""
    yield f"Audio is below `audio/`{tars}, labels are below `labels/` ({formats or 'none'}); `{_manifest(head)}` has everything that is known of each clip."
    yield ""
    yield "```"
    yield "audiosynth verify DIR       # is every file as it was written?"
    yield "audiosynth reproduce DIR    # make the clips again, and compare their samples"
    yield "```"
    if head["needs"]:
        yield ""
        yield f"The same samples only with: {', '.join(map(escaped, head['needs']))}."


def _table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield a table in Markdown."""
    yield f"| {' | '.join(headers)} |"
    yield f"|{'---|' * len(headers)}"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"
