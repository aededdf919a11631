"""How clips are written: container, samples, the stems beside them; and how a set of them is packed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from audiosynth.material.stems import PARTS, By, Part
from audiosynth.records.fields import Strict


class Stems(Strict):
    """Which parts of a clip are written beside it, and how; the wet ones add up to the mix as it is written."""

    by: By = Field(
        "event", description="one stem an event, a label or a role (labeled events, unlabeled ones, the bed)"
    )
    layers: bool = Field(False, description="one stem a noise of the bed, not one for their sum")
    parts: Annotated[tuple[Part, ...], Field(strict=False, min_length=1, max_length=len(PARTS))] = Field(
        ("wet",),
        description="of each event: wet (all of it, with the bed's stem), direct (2.5 ms), early (50 ms), late (the rest), "
        "dry (before the room), source (before its effects, such as what a loudspeaker was given to play)",
    )
    subtype: Literal["FLOAT", "PCM_16", "PCM_24"] = Field(
        "FLOAT", description="FLOAT holds whole steps of the mix, also beyond full scale; PCM has the mix's own subtype"
    )

    @model_validator(mode="after")
    def _each_once(self) -> Stems:
        if len(set(self.parts)) < len(self.parts):
            raise ValueError(f"parts: expected each once, got {', '.join(self.parts)}")
        return self


class Output(Strict):
    """What is written."""

    format: Literal["wav", "flac", "ogg", "opus", "mp3"] = "wav"
    subtype: Literal["PCM_16", "PCM_24", "FLOAT"] = "PCM_16"
    stems: bool | Stems = Field(
        False, description="also every event and the bed alone, which add up to the mix; a map says which, and how"
    )
    images: Annotated[tuple[Literal["direct", "early", "late"], ...], Field(strict=False, max_length=3)] = Field(
        (), description="with stems, also parts of each event's image: direct (2.5 ms), early (50 ms), late (the rest)"
    )

    @model_validator(mode="after")
    def _pair(self) -> Output:
        if self.subtype == "FLOAT" and self.format != "wav":
            raise ValueError("FLOAT is written as wav only")
        if self.subtype == "PCM_24" and self.format not in ("wav", "flac"):
            raise ValueError("PCM_24 is written as wav or flac only")
        if self.images and self.stems is not True:
            raise ValueError("images are stems; say `stems: {parts: [wet, early, …]}`, or `stems: true` too")
        if isinstance(self.stems, Stems) and self.stems.subtype not in ("FLOAT", self.subtype):
            raise ValueError(
                f"stems.subtype: {self.stems.subtype} stems do not add up to a {self.subtype} mix; "
                f"write them as FLOAT{'' if self.subtype == 'FLOAT' else f' or {self.subtype}'}"
            )
        return self

    @property
    def wanted(self) -> Stems:
        """Return the stems to write, in full, for where there are any."""
        if isinstance(self.stems, Stems):
            return self.stems
        return Stems(parts=("wet", *self.images))


class Packing(Strict):
    """How the files of a set are packed; nothing of it is of a single clip.

    Attributes
    ----------
    manifest
        ``gzip`` writes manifest.jsonl.gz, some eight times smaller; its index still finds any row at once.
    audio
        ``tar`` packs every 1000 clips, with their labels, while the build runs. Rows keep their paths; formats of labels that
        name files (`names_audio`) are refused then.
    """

    manifest: Literal["plain", "gzip"] = Field(
        "plain", description="gzip: manifest.jsonl.gz in place of manifest.jsonl, found by all commands as well"
    )
    audio: Literal["files", "tar"] = Field(
        "files",
        description="tar: audio/SPLIT/NUMBER.tar in place of folders of 1000 clips, each clip with its labels (WebDataset)",
    )

    def told(self) -> dict[str, Any]:
        """Return what is not as it usually is, for `dataset.json`."""
        return self.model_dump(exclude_defaults=True)

    def refusal(self, exporter: object) -> str:
        """Return why an exporter is of no use beside such files; empty if it is of use."""
        if self.audio != "tar" or not getattr(exporter, "names_audio", False):
            return ""
        return (
            "this format names the file of each clip, and there are none beside `output: {audio: tar}`; leave it out, build with "
            "`audio: files`, or take one that holds the audio itself: webdataset, lhotse_shar, parquet, audiofolder"
        )


class SetOutput(Packing, Output):
    """What is written."""

    def parted(self) -> tuple[Output, Packing]:
        """Return what is of every clip, and what is of the set."""
        kept = {key: getattr(self, key) for key in Output.model_fields}
        return Output(**kept), Packing(**{key: getattr(self, key) for key in Packing.model_fields})
