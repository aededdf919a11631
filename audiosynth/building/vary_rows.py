"""The rows of a manifest as `audiosynth.vary` goes through them: what is set is checked against each, and applied to it."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from audiosynth import registry
from audiosynth.building.vary_set import Found, Setting, unused
from audiosynth.clip import Recording
from audiosynth.errors import AudiosynthError, ManifestError, PlanError, UsageError, counted
from audiosynth.language.compiler import path_text
from audiosynth.loading.normalise import normalise
from audiosynth.manifest import Row, parse_row
from audiosynth.planning.replan import replan
from audiosynth.spec import ClipSpec, Decisions, parts, recordings

_LEVELS: Final = ("snr_db", "level_dbfs", "spl_db_1m", "spl_db")


class Survey:
    """Goes once through all rows: where they are, what they need, whether what is set fits each of them."""

    def __init__(self, settings: tuple[Setting, ...], clips: dict[str, int]) -> None:
        self.settings = settings
        self.found = [Found() for _ in settings]
        self.clips = clips
        self.offsets: dict[str, array[int]] = {}
        self.recordings: dict[str, Recording] = {}
        self.digest = hashlib.sha256()
        self.changed = 0
        self.first: list[ClipSpec] = []
        self._begin = 0
        self._last: dict[str, int] = {}

    def lines(self, file: Iterable[bytes]) -> Iterator[str]:
        """Yield the lines of a manifest and note where each begins."""
        end = 0
        for line in file:
            self._begin, end = end, end + len(line)
            self.digest.update(line)
            yield line.decode()

    def add(self, place: str, tree: Mapping[str, Any]) -> None:
        """Check one row."""
        row = parse_row(tree, place=place)
        split, ordinal = row.spec.split, row.spec.ordinal
        if ordinal <= self._last.get(split, -1):
            raise ManifestError(
                f"{place}: {row.clip_id} comes after clip {self._last[split]} of its split; rows should be in the order of a build, each once"
            )
        self._last[split] = ordinal
        spec = varied(row.spec, self.settings, self.found)
        self.changed += spec != row.spec
        self.first = self.first or [spec]
        self.clips[split] = self.clips.get(split, 0) + 1
        self.offsets.setdefault(split, array("q")).append(self._begin)
        self.recordings.update({recording.sha256: recording for recording in recordings(parts(spec))})

    def require_changes(self, path: Path) -> None:
        """Refuse what changes nothing."""
        clips = sum(self.clips.values())
        if not clips:
            raise ManifestError(f"{path}: holds no rows")
        for setting, found in zip(self.settings, self.found, strict=True):
            if message := unused(setting, found, clips):
                raise UsageError(message)
        if self.settings and not self.changed:
            raise UsageError(
                f"--set: what is set is what stands there already, in all {counted(clips, 'clip')}; nothing would change"
            )


def varied(spec: ClipSpec, settings: Iterable[Setting], found: Iterable[Found]) -> ClipSpec:
    """Return a spec with everything set that it has.

    Raises
    ------
    PlanError
        If a value is not allowed, or does not fit the rest; the message names the clip.
    """
    tree = spec.model_dump(mode="json")
    if not sum(setting.apply(tree, counted) for setting, counted in zip(settings, found, strict=True)):
        return spec
    try:
        return replan(spec, normalise(tree)[0])
    except ValidationError as error:
        loc, message = registry.explain(error, "clip")[0]
        place = f"{path_text(loc)}: " if loc else ""
        replaces = any(name in message for name in _LEVELS)  # one level stands in the way of another
        way_out = "; set the one that is replaced to null as well" if replaces else ""
        raise PlanError(f"clip {spec.clip_id}, {place}{message}{way_out}") from None
    except AudiosynthError as error:
        raise PlanError(f"clip {spec.clip_id}, {error}") from None


def still_true(row: Row, spec: ClipSpec) -> tuple[Decisions | None, Decisions | None]:
    """Return the decisions of a row as `render` takes them for its varied spec: all, those on its parts, or none."""
    old, new = row.spec.model_dump(mode="json"), spec.model_dump(mode="json")
    if _sound(old) == _sound(new):
        return row.decisions, None
    return None, row.decisions if _parts(old) == _parts(new) else None


def _sound(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec without what cannot be heard: names, labels and roles of events, rules, whose turns they are, how labels end,
    what is written.
    """  # noqa: D205
    events = [{**event, **dict.fromkeys(("name", "label", "role"))} for event in tree["events"]]
    return {
        **tree,
        "events": events,
        "scene": None,
        "conversations": (),
        "labels": {**tree["labels"], "offset": None},
        "output": None,
    }


def _parts(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the decisions on rooms, tails and layers follow from: a spec without the levels of its parts and its mix."""
    sound = _sound(tree)
    events = [{**event, "level": None} for event in sound["events"]]
    bed = None if tree["noise"] is None else {**tree["noise"], **dict.fromkeys((*_LEVELS, "measure"))}
    labels = {**sound["labels"], "drop_below_snr_db": None}
    return {**sound, "events": events, "noise": bed, "labels": labels, "mix": None, "calibration_db": None}
