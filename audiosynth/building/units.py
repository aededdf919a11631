"""The work of one unit of 64 clips: plan → render → write, rows last; a unit is there whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from audiosynth import pcm, registry
from audiosynth.building.folder import WORK
from audiosynth.building.orders import Job, Order
from audiosynth.building.placing import disk_error, place, put
from audiosynth.errors import AudiosynthError, BuildError, PlanError
from audiosynth.files.audiofile import AudioFile, write_audio
from audiosynth.manifest import clip_path, dumps, make_row, needs_of
from audiosynth.material.assets import AssetStore
from audiosynth.material.stems import stem_path
from audiosynth.material.workspace import Workspace
from audiosynth.records.rendered import Clip
from audiosynth.render import render
from audiosynth.rendering.separate import file_samples, written
from audiosynth.rendering.stream import stream, streams
from audiosynth.spec import ClipSpec, Decisions, recordings

KEPT: Final = "kept"
"""Folder, in that of a build's work, of rows that are not made again."""
UNIT: Final = 64
"""Clips per unit: the grain of resuming and of sharing work (DESIGN section 6)."""


@dataclass(frozen=True)
class Unit:
    """Clips [first, last) of one split, in the order of what is asked for."""

    split: str
    first: int
    last: int

    def __len__(self) -> int:
        """Return the number of clips."""
        return self.last - self.first

    @property
    def name(self) -> str:
        """Return the name of its rows' file."""
        return unit_name(self.split, self.first)


def unit_name(split: str, number: int) -> str:
    """Return the name of the file that has the rows of the unit of clip `number`."""
    return f"{split}-{number // UNIT:09d}.jsonl"


def units_of(clips: Mapping[str, int]) -> list[Unit]:
    """Return the units of so many clips per split, in the order of their manifest.

    Examples
    --------
    >>> [(u.split, u.first, u.last) for u in units_of({"train": 70, "test": 1})]
    [('train', 0, 64), ('train', 64, 70), ('test', 0, 1)]
    """
    return [Unit(split, a, min(a + UNIT, n)) for split, n in clips.items() for a in range(0, n, UNIT)]


def never() -> bool:
    """Never stop."""
    return False


def _fits(row: Mapping[str, Any]) -> None:
    """Find nothing wrong with a row: for exporters that take any label."""


def render_unit(
    order: Order,
    unit: Unit,
    root: Path,
    work: Workspace,
    *,
    stopped: Callable[[], bool] = never,
    keep_going: bool = False,
    scratch: Path | None = None,
) -> int:
    """Write the audio of a unit, then its rows; returns the number of clips.

    Parameters
    ----------
    order, unit, root, work
        What to make, where, and with which recordings.
    stopped
        Asked before every clip; once true, the unit is given up.
    keep_going
        Note clips that cannot be made, and go on with the next.
    scratch
        Where files are written before they are moved to their place; ``.build/tmp`` if None.

    Raises
    ------
    AudiosynthError
        Naming the clip that cannot be made.
    """
    rows, failed = kept_rows(root / WORK / KEPT / unit.name), []
    scratch = scratch or root / WORK / "tmp"
    checks = _checks(order, unit.split)
    for number in range(unit.first, unit.last):
        if stopped():
            raise BuildError("the build was stopped")
        if number in rows:
            continue
        spec = None
        try:
            job = order.job(unit.split, number)
            if job is None:
                continue
            spec = job.spec
            row = _made(job, root, scratch, work)
            for check in checks:
                check(row)
            rows[number] = dumps(row)
        except OSError as error:
            raise disk_error(error, root) from error
        except AudiosynthError as error:
            told_by = _naming(error, spec)
            if not keep_going or isinstance(error, BuildError):
                raise told_by from (None if told_by is error else error)  # a cause of itself would never end
            failed.append(_failure(unit.split, number, told_by, spec))
    if failed:
        put(root / WORK / "failed" / unit.name, "".join(failed).encode(), scratch=scratch)
    text = "".join(rows[number] + "\n" for number in sorted(rows))
    put(root / WORK / "units" / unit.name, text.encode(), scratch=scratch)
    return len(rows)


def _checks(order: Order, split: str) -> list[Callable[[Mapping[str, Any]], None]]:
    """Return what the formats of a split's labels hold every row against, as soon as it is made."""
    exporters = [registry.create("exporters", tree) for tree in order.exports]
    told = order.supervision.get(split) != "none"
    return [getattr(exporter, "check", _fits) for exporter in exporters] if told else []


def _naming(error: AudiosynthError, spec: ClipSpec | None) -> AudiosynthError:
    """Return an error that names its clip, which some do already."""
    if spec is None or str(error).startswith(f"clip {spec.clip_id}"):
        return error
    return type(error)(f"clip {spec.clip_id}: {error}")


def _made(job: Job, root: Path, scratch: Path, work: Workspace) -> dict[str, Any]:
    """Write the audio of a clip and return its row."""
    known = {"decisions": job.decisions, "kept": job.kept}
    row = write(job.spec, root, scratch=scratch, work=work, recipe_sha256=job.recipe_sha256, **known)
    return {**row, **job.extra}


def kept_rows(path: Path) -> dict[int, str]:
    """Return the rows of a unit that stand as they are, by number: those of a set from which something was withdrawn."""
    lines = (
        path.read_bytes().splitlines() if path.is_file() else ()
    )  # of text, splitlines ends a line inside a label too
    return {int(json.loads(line)["spec"]["ordinal"]): line.decode() for line in lines}


def _failure(split: str, number: int, error: AudiosynthError, spec: ClipSpec | None) -> str:
    """Return the line of a clip that could not be made: why, and its spec, or the event that could not be planned."""
    name, tree = (f"{split}-{number:09d}", None) if spec is None else (spec.clip_id, spec.to_json())
    row: dict[str, Any] = {"clip_id": name, "error": str(error), "spec": tree}
    if isinstance(error, PlanError) and error.event is not None:
        row["event"] = error.event
    return dumps(row) + "\n"


def write(
    spec: ClipSpec,
    root: Path,
    *,
    scratch: Path,
    work: Workspace,
    recipe_sha256: str,
    decisions: Decisions | None = None,
    kept: Decisions | None = None,
) -> dict[str, Any]:
    """Render a clip, in blocks if it is long, write its audio (and stems) by rename, and return its row."""
    if not streams(spec):
        clip = render(spec, decisions, assets=work, stems=bool(spec.output.stems), kept=kept)
        return write_clip(clip, root, scratch=scratch, work=work, recipe_sha256=recipe_sha256)
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

    def put_blocks(path: Path) -> str:
        with AudioFile(path, spec.n_samples, spec.channels, **head) as file:

            def sink(block: Any) -> None:
                file.write(block)
                if written_apart:
                    samples.update(block)

            made.append(stream(spec, decisions, assets=work, sink=sink, kept=kept))
        return file.sha256

    digest = place(root / clip_path(spec), scratch, put_blocks)
    return _row(made[0], digest, samples.hexdigest() if written_apart else None, {}, work, recipe_sha256)


def write_clip(clip: Clip, root: Path, *, scratch: Path, work: Workspace, recipe_sha256: str) -> dict[str, Any]:
    """Write a clip's audio (and stems) by rename, and return its row."""
    spec, out = clip.spec, clip.spec.output
    comment = _comment(spec, recipe_sha256)

    def put_all(samples: Any, container: str, subtype: str) -> Callable[[Path], str]:
        return lambda path: write_audio(
            path, samples, sr=spec.sr, container=container, subtype=subtype, comment=comment, clip_id=spec.clip_id
        )

    samples = samples_of(clip)
    digest = place(root / clip_path(spec), scratch, put_all(samples, out.format, out.subtype))
    stems = {}
    for name, stem in clip.stems.items():
        subtype = out.wanted.subtype
        path = root / stem_path(clip_path(spec), name)
        stems[name] = place(path, scratch, put_all(file_samples(stem, subtype, out.subtype), "wav", subtype))
    sha256 = None if out.subtype == "PCM_16" else pcm.pcm_sha256(samples, spec.sr)
    return _row(clip, digest, sha256, stems, work, recipe_sha256)


def _comment(spec: ClipSpec, recipe_sha256: str) -> str:
    return f"synthetic; audiosynth; clip {spec.clip_id}; recipe {recipe_sha256[:16]}"


def _row(
    clip: Clip,
    file_sha256: str,
    written_sha256: str | None,
    stems: Mapping[str, str],
    work: Workspace,
    recipe_sha256: str,
) -> dict[str, Any]:
    decoders = work.assets.decoders(recordings(clip.spec)) if isinstance(work.assets, AssetStore) else ()
    return make_row(
        clip, file_sha256=file_sha256, written_sha256=written_sha256, needs=needs_of(clip.spec, decoders=decoders),
        recipe_sha256=recipe_sha256, stems=stems,
    )  # fmt: skip


def samples_of(clip: Clip) -> Any:
    """Return the samples that a clip's file holds."""
    return written(clip.y, clip.pcm16, clip.spec.output.subtype)
