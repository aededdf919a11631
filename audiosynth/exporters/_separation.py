"""What the lists for source separation share: which stems of a clip are sources, and where their files stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from audiosynth.errors import BuildError
from audiosynth.material.stems import Part, Stem, stem_path, stems_of_row


class Separated(NamedTuple):
    """A clip as separation sees it: what is mixed, and the files, as paths below the dataset's folder."""

    mixture: str
    sources: list[tuple[Stem, str]]
    backgrounds: list[tuple[Stem, str]]


def separated(row: Mapping[str, Any], *, part: Part = "wet") -> Separated:
    """Return a clip's mixture, the files of its sources (this part of them) and of its backgrounds, in the order of the spec.

    Raises
    ------
    BuildError
        If the clip has events and no such stems.
    """
    found = stems_of_row(row)
    with_files = [(stem, stem_path(row["path"], stem.file(part))) for stem, parts in found if part in parts]
    behind = [
        (s, stem_path(row["path"], s.file("wet"))) for s, parts in found if s.role == "background" and "wet" in parts
    ]
    sources = [(stem, path) for stem, path in with_files if stem.role != "background"]
    if row["spec"]["events"] and not sources:
        raise refuse(row, f"has no {part} stems; say `output: {{stems: {{parts: [{part}]}}}}`")
    return Separated(row["path"], sources, behind)


def require_mono(row: Mapping[str, Any]) -> None:
    """Refuse a clip of several channels, which readers of one-channel sets take for several samples."""
    if row["n_channels"] > 1:
        raise refuse(row, f"has {row['n_channels']} channels, and readers of this layout take one; set `channels: 1`")


def require_pcm16(row: Mapping[str, Any]) -> None:
    """Refuse a clip whose mix or stems are not 16-bit WAV."""
    output = row["spec"]["output"]
    asked = output["stems"]
    subtype = asked["subtype"] if isinstance(asked, Mapping) else "FLOAT"
    if (output["format"], output["subtype"], subtype) != ("wav", "PCM_16", "PCM_16"):
        raise refuse(
            row,
            f"is {output['format']} {output['subtype']} with {subtype} stems, and readers of this layout decode 16-bit WAV alone; "
            "say `output: {format: wav, stems: {subtype: PCM_16}}`",
        )


def refuse(row: Mapping[str, Any], why: str) -> BuildError:
    """Return the error for a clip that a layout cannot hold."""
    return BuildError(f"clip {row['clip_id']}: {why}")
