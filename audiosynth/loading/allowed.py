"""Which recordings a recipe may use: those whose licences allow what it declares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from audiosynth.clip import Recording
from audiosynth.errors import counted, few
from audiosynth.loading.parts import Loader
from audiosynth.material.catalogue import Catalogue, fingerprint
from audiosynth.material.licences import Declared, forbidden

SHOWN: Final = 3
"""Recordings that one message names."""


def allowed(loader: Loader, declared: Declared | None, found: Catalogue) -> Catalogue:
    """Return a catalogue without the recordings that forbid what is declared; note a problem for them unless they may be left out.

    Parameters
    ----------
    loader
        Takes the problems: one for each licence.
    declared
        What the recipe says of the set's licence and use; None: nothing, so that nothing is asked of recordings.
    found
        As it was scanned.
    """
    if declared is None:
        return found
    why = {text: forbidden(text, declared) for text in dict.fromkeys(map(_licence, found.recordings))}
    barred = [recording for recording in found.recordings if why[_licence(recording)]]
    if not barred:
        return found
    kept = [(r, p) for r, p in zip(found.recordings, found.places, strict=True) if not why[_licence(r)]]
    if declared.on_conflict == "error" or not kept:
        loader.fail_all(
            (("catalogues", found.name), _told(reason, [r for r in barred if why[_licence(r)] == reason], declared))
            for reason in dict.fromkeys(why.values()) if reason
        )  # fmt: skip
        return found
    left_out = tuple(
        f"{place}: {why[_licence(r)]}"
        for r, place in zip(found.recordings, found.places, strict=True) if why[_licence(r)]
    )  # fmt: skip
    recordings = tuple(recording for recording, _ in kept)
    return replace(
        found, recordings=recordings, places=tuple(place for _, place in kept), fingerprint=fingerprint(recordings),
        problems=(*found.problems, *left_out),
    )  # fmt: skip


def _licence(recording: Recording) -> str:
    return str(recording.meta.get("licence") or "")


def _told(reason: str, recordings: Iterable[Recording], declared: Declared) -> str:
    paths = [recording.path for recording in recordings]
    said = ", ".join(f"{key}: {value}" for key, value in (("set", declared.set), ("use", declared.use)) if value)
    way = (
        "leave them out (`exclude`, or `licence: {on_conflict: leave_out}`)" if declared.on_conflict == "error" else
        "leaving them out would leave none, so take the catalogue out"
    )  # fmt: skip
    return (
        f"{counted(len(paths), 'recording')} cannot go into a set of `licence: {{{said}}}`: {reason} ({few(paths, SHOWN)}); "
        f"{way}, state their licence, or declare another"
    )
