"""One clip: its audio and stems written by rename, and its row, which needs no samples and can wait for others'."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth import pcm
from audiosynth.building.placing import place
from audiosynth.clip import Array
from audiosynth.files.audiofile import AudioFile, write_audio
from audiosynth.manifest import clip_path, made_of, make_row, needs_of
from audiosynth.material.assets import AssetStore
from audiosynth.material.stems import stem_path
from audiosynth.material.workspace import Workspace
from audiosynth.records.rendered import Clip
from audiosynth.render import in_steps
from audiosynth.rendering.separate import file_samples, written
from audiosynth.rendering.stream import stream, streams
from audiosynth.spec import ClipSpec, Decisions, parts, recordings
from audiosynth.steps import Steps

_join: Final = os.path.join  # on text, not on `Path`s: see `placing.place`


@dataclass(frozen=True)
class Written:
    """A clip whose audio is written.

    Attributes
    ----------
    clip
        As rendered, without its samples.
    recipe_sha256
        Of the recipe it goes back to.
    file_sha256, written_sha256
        Hash of the file's bytes, and of its samples where they are not the 16-bit ones.
    stems
        Hash of the bytes of each stem's file, by name.
    """

    clip: Clip
    recipe_sha256: str
    file_sha256: str
    written_sha256: str | None = None
    stems: Mapping[str, str] = field(default_factory=dict)

    def row(self, work: Workspace) -> dict[str, Any]:
        """Return the clip's manifest row; `work` is what it was rendered with."""
        spec = self.clip.spec
        made_with = parts(spec)
        used = recordings(made_with)
        decoders = work.assets.decoders(used) if isinstance(work.assets, AssetStore) else ()
        return make_row(
            self.clip, file_sha256=self.file_sha256, written_sha256=self.written_sha256, recipe_sha256=self.recipe_sha256,
            needs=needs_of(made_with, decoders=decoders), stems=self.stems, made_of=made_of(made_with, used),
        )  # fmt: skip


def write(
    spec: ClipSpec,
    root: Path,
    *,
    scratch: Path,
    work: Workspace,
    recipe_sha256: str,
    decisions: Decisions | None = None,
    kept: Decisions | None = None,
) -> Steps[Written]:
    """Render a clip, in blocks if it is long, and write its audio (and stems) by rename; in steps (`audiosynth.steps`)."""
    if not streams(spec):
        clip = yield from in_steps(spec, decisions, assets=work, stems=bool(spec.output.stems), kept=kept)
        yield
        return write_clip(clip, root, scratch=scratch, recipe_sha256=recipe_sha256)
    out, comment = spec.output, _comment(spec, recipe_sha256)
    head: dict[str, Any] = {
        "sr": spec.sr,
        "container": out.format,
        "subtype": out.subtype,
        "comment": comment,
        "clip_id": spec.clip_id,
    }
    samples, written_apart = pcm.PcmHash(spec.sr, spec.channels, spec.n_samples, out.subtype), out.subtype != "PCM_16"
    made = []

    def put_blocks(path: str) -> str:
        with AudioFile(path, spec.n_samples, spec.channels, **head) as file:

            def sink(block: Any) -> None:
                file.write(block)
                if written_apart:
                    samples.update(block)

            made.append(stream(spec, decisions, assets=work, sink=sink, kept=kept))
        return file.sha256

    digest = place(_join(root, clip_path(spec)), scratch, put_blocks)
    return Written(made[0], recipe_sha256, digest, samples.hexdigest() if written_apart else None)


def write_clip(clip: Clip, root: Path, *, scratch: Path, recipe_sha256: str) -> Written:
    """Write a clip's audio (and stems) by rename."""
    spec, out, relative = clip.spec, clip.spec.output, clip_path(clip.spec)
    comment = _comment(spec, recipe_sha256)

    def put_all(samples: Any, container: str, subtype: str) -> Callable[[str], str]:
        return lambda path: write_audio(
            path, samples, sr=spec.sr, container=container, subtype=subtype, comment=comment, clip_id=spec.clip_id
        )

    samples = samples_of(clip)
    digest = place(_join(root, relative), scratch, put_all(samples, out.format, out.subtype))
    stems = {}
    for name, stem in clip.stems.items():
        subtype = out.wanted.subtype
        path = _join(root, stem_path(relative, name))
        stems[name] = place(path, scratch, put_all(file_samples(stem, subtype, out.subtype), "wav", subtype))
    sha256 = None if out.subtype == "PCM_16" else pcm.pcm_sha256(samples, spec.sr)
    return Written(_without_samples(clip), recipe_sha256, digest, sha256, stems)


def unwrite(spec: ClipSpec, root: Path) -> None:
    """Delete a clip's audio and stems, as far as they are there."""
    name = clip_path(spec)
    (root / name).unlink(missing_ok=True)
    shutil.rmtree((root / stem_path(name, "")).parent, ignore_errors=True)


def _without_samples(clip: Clip) -> Clip:
    y, pcm16 = _nothing(clip.spec.channels)
    return Clip(
        clip.spec, y, pcm16, clip.pcm_sha256, clip.labels, clip.decisions, clip.outcomes, warnings=clip.warnings
    )


@lru_cache(maxsize=64)  # as many as a clip has channels
def _nothing(channels: int) -> tuple[Array, npt.NDArray[np.int16]]:
    """Return no samples of so many channels, as floats and as integers."""
    return np.zeros((channels, 0)), np.zeros((channels, 0), dtype=np.int16)


def _comment(spec: ClipSpec, recipe_sha256: str) -> str:
    return f"synthetic; audiosynth; clip {spec.clip_id}; recipe {recipe_sha256[:16]}"


def samples_of(clip: Clip) -> Any:
    """Return the samples that a clip's file holds."""
    return written(clip.y, clip.pcm16, clip.spec.output.subtype)
