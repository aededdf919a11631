"""Manifest rows: a spec, its decisions and its outcomes as one line of JSON; written here, read back strictly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from audiosynth import registry
from audiosynth.clip import Recording
from audiosynth.dsp import samples_to_seconds
from audiosynth.errors import ManifestError
from audiosynth.files.paths import safe_path
from audiosynth.language.compiler import path_text
from audiosynth.records.rendered import Clip
from audiosynth.registry import Component
from audiosynth.scaper.spec import spec_model
from audiosynth.spec import ENGINE, FORMAT, ClipSpec, Decisions

MAX_ROW_BYTES: Final = 2**20
"""Longest line that is read as a row."""
VOICES: Final = ("recorded", "trained", "formant")
"""Kinds of voices, the most personal first: a row names the first of its kinds."""
CLIPS_PER_SHARD: Final = 1000
"""Clips per folder of audio."""
NAMES: Final = ("manifest.jsonl", "manifest.jsonl.gz")
"""What a dataset's manifest may be called: plain or packed."""
_CLIP_ID: Final = re.compile(r"[a-z0-9_-]{1,100}")
_NO_RECIPE: Final = "a recipe is for `build`; give the dataset's folder or its manifest.jsonl"
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Row:
    """One clip of a manifest.

    Attributes
    ----------
    clip_id, path
        Name, and POSIX path of the audio below the dataset.
    spec, decisions
        Enough to render the clip again.
    pcm_sha256
        Hash its 16-bit samples must have.
    needs
        What else must be equal for that (pinned components, lossy decoders); empty for portable rows.
    tree
        The row as read.
    """

    clip_id: str
    path: str
    spec: ClipSpec
    decisions: Decisions
    pcm_sha256: str
    needs: tuple[str, ...]
    tree: Mapping[str, Any]


def clip_path(spec: ClipSpec) -> str:
    """Return where a clip's audio goes below the dataset."""
    return f"audio/{spec.split}/{spec.ordinal // CLIPS_PER_SHARD:06d}/{spec.clip_id}.{spec.output.format}"


def make_row(
    clip: Clip, *, file_sha256: str, written_sha256: str | None, recipe_sha256: str,
    made_of: Mapping[str, Any], needs: Iterable[str] = (), stems: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the manifest row of a written clip, ready for `dumps`: spec and decisions stand in it as records.

    Parameters
    ----------
    clip
        As rendered.
    file_sha256, written_sha256
        Hash of the file's bytes, and of its samples where they are not the 16-bit ones.
    recipe_sha256
        Hash of the recipe; its first 16 digits stand in the row and in the audio's comment.
    made_of
        What went in (`made_of`).
    needs
        What else must be equal to get the same samples (`needs_of`).
    stems
        Hash of the bytes of each stem's file, by name.
    """
    spec = clip.spec
    row: dict[str, Any] = {
        "clip_id": spec.clip_id,
        "split": spec.split,
        "path": clip_path(spec),
        "duration": samples_to_seconds(spec.n_samples, spec.sr),
        "n_samples": spec.n_samples,
        "sr": spec.sr,
        "n_channels": spec.channels,
        "labels": label_rows(clip),
        "pcm_sha256": clip.pcm_sha256,
        "file_sha256": file_sha256,
        "format": FORMAT,
        "engine": ENGINE,
        "made_of": made_of,
        "needs": sorted(needs),
        "recipe": recipe_sha256[:16],
        "spec": spec,
        "decisions": clip.decisions,
        "outcomes": clip.outcomes,
    }
    if written_sha256 is not None:
        row["written_sha256"] = written_sha256
    if stems:
        row["stems"] = dict(stems)
    return row


def label_rows(clip: Clip) -> list[dict[str, Any]]:
    """Return the labels of a clip as rows have them: seconds on the grid of 1 µs beside samples."""
    sr = clip.spec.sr
    return [
        {
            "label": label.label,
            "onset": samples_to_seconds(label.onset, sr),
            "offset": samples_to_seconds(label.offset, sr),
            "onset_sample": label.onset,
            "offset_sample": label.offset,
            "event": label.event,
            "audible": label.audible,
            "snr_db": None if label.event is None else clip.outcomes["events"][label.event]["snr_db"],
            **label.extra,
        }
        for label in clip.labels
    ]


def made_of(components: Sequence[Any], used: Sequence[Recording]) -> dict[str, Any]:
    """Return what went into a clip of some `components`, with the recordings they hold: recordings, voices, profiles (DESIGN section 6).

    A recording whose catalogue names a speaker counts as a recorded voice.
    """
    kinds = {part.voice.made() for part in components if registry.takes(part, "voice")}
    kinds |= {"recorded"} if any("speaker" in r.meta for r in used) else set()
    voices = next((kind for kind in VOICES if kind in kinds), "none")
    made = {part.content.made for part in components if registry.takes(part, "content")}
    profiles = "learned" if "learned" in made else "designed" if made else "none"
    return {"recordings": len(used), "voices": voices, "profiles": profiles}


def needs_of(components: Iterable[Component], *, decoders: Iterable[str] = ()) -> list[str]:
    """Return what a row needs beyond portable float64 arithmetic, as ``library==version``."""
    found = {need for component in components for need in component.needs()}
    return sorted(found.union(decoders))


def read_rows(lines: Iterable[str], *, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row tree) for every non-empty line.

    Raises
    ------
    ManifestError
        If a line is too long, not UTF-8, or not a JSON object.
    """
    for number, line in enumerate(_decoded(lines, name), 1):
        place = f"{name}:{number}"
        if len(line) > MAX_ROW_BYTES:
            raise ManifestError(f"{place}: a row of {len(line):,} characters; at most {MAX_ROW_BYTES:,} are read")
        if not line.strip():
            continue
        try:
            tree = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            hint = _NO_RECIPE if name.endswith((".yaml", ".yml")) else "was the file edited or cut?"
            raise ManifestError(f"{place}: not a row of JSON ({error}); {hint}") from None
        if not isinstance(tree, dict):
            raise ManifestError(f"{place}: expected a JSON object, got {type(tree).__name__}")
        yield place, tree


def _decoded(lines: Iterable[str], name: str) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as error:  # files are decoded in blocks, so the line is not known
        byte = error.object[error.start]
        raise ManifestError(f"{name}: not UTF-8 (byte 0x{byte:02x}); rows are text, one JSON object a line") from None


def parse_row(tree: Mapping[str, Any], *, place: str) -> Row:
    """Check a row read from a manifest and return its records.

    Raises
    ------
    ManifestError
        If it is of a later format or engine, lacks something, points outside its folder, or was edited by hand.
    """
    clip_id, path = named(tree, place=place)
    digest = tree.get("pcm_sha256")
    if not isinstance(digest, str) or not _HASH.fullmatch(digest):
        raise ManifestError(f"{place} ({clip_id}): pcm_sha256 should be 64 hexadecimal digits, got {digest!r}")
    needs = tree.get("needs") or ()
    if not isinstance(needs, list | tuple) or not all(isinstance(need, str) for need in needs):
        raise ManifestError(f"{place} ({clip_id}): needs should be a list of library==version, got {needs!r}")
    spec = _record(spec_model(tree.get("spec")), tree.get("spec"), f"{place} ({clip_id}) spec", needs)
    decisions = _record(Decisions, tree.get("decisions"), f"{place} ({clip_id}) decisions")
    _consistent(spec, decisions, clip_id, place)
    if not re.fullmatch(r"[0-9a-f]{0,64}", str(tree.get("recipe", ""))):
        raise ManifestError(f"{place} ({clip_id}): recipe should be hexadecimal digits, got {tree['recipe']!r}")
    return Row(clip_id, path, spec, decisions, digest, tuple(needs), tree)


def named(tree: Mapping[str, Any], *, place: str) -> tuple[str, str]:
    """Return the clip's name and path of a row that this version can read: all that is checked is what files go by.

    Raises
    ------
    ManifestError
        If it is of a later format or engine, or its path or name cannot be used.
    """
    for key, mine in (("format", FORMAT), ("engine", ENGINE)):
        value = tree.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ManifestError(f"{place}: '{key}' should be a whole number from 1, got {value!r}; was the row edited?")
        if value > mine:
            raise ManifestError(
                f"{place}: {key} {value} is of a later audiosynth (this one knows {mine}); install a newer version"
            )
    path, clip_id = safe_path(tree.get("path"), place=place), tree.get("clip_id")
    if not isinstance(clip_id, str) or not _CLIP_ID.fullmatch(clip_id):
        raise ManifestError(f"{place}: clip_id should be made of a-z, 0-9, _ and -, got {clip_id!r}")
    return clip_id, path


def _record(model: Any, tree: Any, place: str, needs: Iterable[str] = ()) -> Any:
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        loc, message = registry.explain(error, "row")[0]
        absent = error.errors(include_url=False)[0]["type"] == registry.NO_PLUGIN
        hint = f"the row needs {', '.join(needs)}" if absent else "was the row edited?"
        raise ManifestError(f"{place}.{path_text(loc)}: {message}; {hint}") from None


def _consistent(spec: ClipSpec, decisions: Decisions, clip_id: str, place: str) -> None:
    n = len(spec.events)
    layers = 0 if spec.noise is None else len(spec.noise.layers)
    counts = {"event_gain_db": n, "room_gain_db": n, "direct": n, "tail": n, "audible": n, "layer_gain_db": layers}
    for key, count in counts.items():
        if len(getattr(decisions, key)) != count:
            raise ManifestError(f"{place} ({clip_id}): decisions.{key} should have {count} values; was the row edited?")
    if any(event.place is None for event in spec.events):
        raise ManifestError(f"{place} ({clip_id}): an event has no place; was the row edited?")
    if any(i >= n for one in spec.conversations for i in one.events):
        raise ManifestError(f"{place} ({clip_id}): a conversation has a turn that is no event; was the row edited?")
    if spec.clip_id != clip_id:
        raise ManifestError(f"{place}: the row calls itself {clip_id}, its spec {spec.clip_id}; was the row edited?")
    inside = all(0 <= c < spec.channels and 0 <= i < spec.n_samples for c, i, _ in decisions.ties)
    if not inside or spec.reference_channel >= spec.channels:
        raise ManifestError(
            f"{place} ({clip_id}): a tie or the reference channel lies outside the clip; was the row edited?"
        )


def open_manifest(path: Path) -> Path:
    """Return the manifest file for a dataset folder or a manifest path.

    Raises
    ------
    ManifestError
        If there is none.
    """
    found = next((f for n in NAMES if (f := path / n).is_file()), path / NAMES[0]) if path.is_dir() else path
    if not found.is_file():
        raise ManifestError(
            f"{found}: no such manifest; a finished build has a manifest.jsonl (give the folder that `audiosynth build` made; a build that was stopped goes on when the same command runs again)"
        )
    return found
