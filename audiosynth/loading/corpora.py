"""What is looked at before a corpus is gone through: ids of replicas that are taken, speakers who stand alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from audiosynth.errors import few
from audiosynth.files.mpeg import LAME_DELAY
from audiosynth.loading.parts import Loader
from audiosynth.material.catalogue import Catalogue, CatalogueSpec
from audiosynth.records.loaded import Each

SHOWN: Final = 3
"""Speakers that one warning names."""


def before_corpora(
    loader: Loader, scanned: Mapping[str, Catalogue], specs: Mapping[str, CatalogueSpec], *, each: Each | None,
    exports: Sequence[Mapping[str, Any]], split: bool,
) -> tuple[str, ...]:  # fmt: skip
    """Note what would go wrong after a corpus was gone through; return what is worth a warning.

    Parameters
    ----------
    loader
        Takes the problems.
    scanned, specs
        Catalogues by name, and what the recipe says of them.
    each, exports
        What clips go through, if they do, and the exporters' trees.
    split
        Whether recordings belong to splits.
    """
    loader.fail_all([] if each is None else taken_ids(scanned[each.catalogue], exports, each.replicas))
    parted = specs.items() if split else ()
    late = [text for found in scanned.values() for text in untold_delays(found)]
    return (*late, *(text for name, spec in parted for text in lone_speakers(scanned[name], spec.group_fields())))


def taken_ids(
    found: Catalogue, exports: Sequence[Mapping[str, Any]], replicas: int
) -> Iterator[tuple[tuple[str, int], str]]:
    """Yield a problem, with its path, for each exporter that would call a replica as an utterance of the corpus is called."""
    places = {
        str(r.meta["id"]): place for r, place in zip(found.recordings, found.places, strict=True) if "id" in r.meta
    }
    for i, tree in enumerate(exports):
        suffix = tree.get("suffix")
        if not isinstance(suffix, str) or not suffix:
            continue
        ends = [f"{suffix}{k}" for k in range(1, replicas + 1)]
        twice = next(((name, f"{name}{end}") for name in places for end in ends if f"{name}{end}" in places), None)
        if twice is not None:
            name, other = twice
            yield (
                ("export", i),
                f"a replica of '{name}' ({places[name]}) would be called '{other}', which is an utterance of the corpus "
                f"({places[other]}); choose another `suffix`",
            )


def untold_delays(found: Catalogue) -> Iterator[str]:
    """Yield a warning if MP3 files do not say how late their sound is, and the recipe does not either."""
    if not found.late:
        return
    by_lame = sum(maker == "lame" for _, maker in found.late)
    which = few([path for path, _ in found.late], SHOWN)
    known = (
        f"LAME made {'them' if by_lame == len(found.late) else f'{by_lame} of them'}, whose sound is {LAME_DELAY} samples late"
        if by_lame
        else f"encoders delay by some 500 to 1,200 samples (LAME: {LAME_DELAY})"
    )
    yield (
        f"catalogue '{found.name}': MP3 files without a tag that tells their delay, so that sound comes late against what is known of it: "
        f"{which}; {known}: say `encoder_delay: {LAME_DELAY}`, another number, or 0 to leave them as they are"
    )


def lone_speakers(found: Catalogue, group: Sequence[str]) -> Iterator[str]:
    """Yield a warning if splits are by speaker and speakers have one utterance each: no pair of theirs can be made."""
    if "speaker" not in group:
        return
    said: dict[str, list[str]] = {}
    for recording, place in zip(found.recordings, found.places, strict=True):
        if "speaker" in recording.meta:
            said.setdefault(str(recording.meta["speaker"]), []).append(place)
    alone = [f"{who} ({places[0]})" for who, places in said.items() if len(places) == 1]
    if alone:
        yield (
            f"catalogue '{found.name}': splits are by speaker, and these have one utterance, with no other to set it against: "
            f"{few(alone, SHOWN)}"
        )
