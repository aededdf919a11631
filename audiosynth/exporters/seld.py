"""DCASE sound event localization and detection: class, track and direction of every event in frames of 100 ms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._text import (
    Inaudible,
    atomic_text,
    below_split,
    breaks_lines,
    clean,
    labels_of,
    refuse,
    withhold,
)
from audiosynth.registry import Component

FRAMES_PER_SECOND: Final = 10
HEADER_2025: Final = "frame,class,source,azimuth,distance,onscreen"


class Seen(NamedTuple):
    """One event in one frame."""

    frame: int
    label: str
    source: int
    azimuth: float
    elevation: float
    distance: float


class Seld(Component):
    """Metadata of the DCASE tasks on sound event localization and detection, one CSV per clip.

    ``seld/<split>/<clip>.csv`` in frames of 100 ms; a frame is active if the event overlaps it at all. 2023: ``frame, class,
    source, azimuth, elevation``; 2024 adds the distance in centimetres; 2025 (stereo) has a header, azimuths folded to
    -90..90 (sound from behind is heard at its mirror image in front), distance, and ``onscreen``, always 0: there is no
    picture. Whole degrees, azimuth anticlockwise; events of one class that overlap have different source numbers, the lowest
    free ones in order of onset. ``seld/classes.tsv`` names the class numbers. Unlabeled and weak splits have none.

    References
    ----------
    DCASE Challenge 2023, 2024 and 2025, task 3: "Audio and audiovisual sound event localization and detection", dataset and
    metadata format.
    """

    type_name: ClassVar[str] = "seld"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"year": 2024, "classes": ["alarm", "speech"]},
        {"year": 2025},
    )

    year: Annotated[
        Literal[2023, 2024, 2025],
        Field(description="of the challenge whose format is written", json_schema_extra={"unit": ""}),
    ] = 2023
    classes: Annotated[
        tuple[str, ...] | None,
        Field(strict=False, description="in order of their numbers; all labels, sorted, if null"),
    ] = None
    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``seld/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a label has no direction, is not among the classes, or breaks a line.
        """
        strong = {split for split in dataset.splits if withhold(split, dataset=dataset) == "strong"}
        base = folder / "seld"
        numbers = {name: i for i, name in enumerate(self.classes or self._found(dataset, strong))}
        paths = [base / "classes.tsv"]
        with atomic_text(paths[0]) as file:
            file.writelines(f"{i}\t{name}\n" for name, i in numbers.items())
        for row in dataset.rows():
            if row["split"] in strong:
                paths.append(base / str(row["split"]) / f"{below_split(row).stem}.csv")
                with atomic_text(paths[-1]) as file:
                    file.writelines(self._lines(row, numbers))
        return paths

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose labels have no direction; asked when a clip is made, not when all are."""
        seen_in(row, labels_of(row, self.inaudible))

    def _found(self, dataset: DatasetView, strong: Iterable[str]) -> list[str]:
        rows = (row for row in dataset.rows() if row["split"] in strong)
        return sorted({clean(item["label"]) for row in rows for item in labels_of(row, self.inaudible)})

    def _lines(self, row: Mapping[str, Any], numbers: Mapping[str, int]) -> list[str]:
        lines = [f"{HEADER_2025}\n"] if self.year == 2025 else []
        for item in seen_in(row, labels_of(row, self.inaudible)):
            if item.label not in numbers:
                raise refuse(row, item.label, f"is none of the classes {', '.join(numbers)}; add it to `classes`")
            lines.append(self._line(item, numbers[item.label]))
        return lines

    def _line(self, item: Seen, number: int) -> str:
        start = f"{item.frame},{number},{item.source}"
        if self.year == 2025:
            return f"{start},{_degrees(folded(item.azimuth))},{round(100 * item.distance)},0\n"
        place = f"{start},{_degrees(item.azimuth)},{round(item.elevation)}"
        return f"{place},{round(100 * item.distance)}\n" if self.year == 2024 else f"{place}\n"


def seen_in(row: Mapping[str, Any], labels: Sequence[Mapping[str, Any]]) -> list[Seen]:
    """Return every event in every frame that it overlaps, in order of frames.

    Raises
    ------
    BuildError
        If a label has no direction, or cannot stand in a line.
    """
    out: list[Seen] = []
    busy: dict[str, list[int]] = {}
    for item in labels:
        label = clean(item["label"])
        if breaks_lines(label):
            raise refuse(row, label, "holds a tab, line end or outer blank, or is empty; rename it")
        if not {"azimuth", "elevation", "distance"} <= item.keys():
            raise refuse(
                row,
                label,
                "has no direction; give its event a `position` in a room with a receiver, or no label (`label: null`)",
            )
        first, last = frames_of(item["onset_sample"], item["offset_sample"], row["sr"])
        tracks = busy.setdefault(label, [])
        free = [k for k, until in enumerate(tracks) if until < first]
        source = free[0] if free else len(tracks)
        tracks[source : source + 1] = [last]
        out += [Seen(frame, label, source, *_at(item, frame)) for frame in range(first, last + 1)]
    return sorted(out, key=lambda seen: (seen.frame, seen.label, seen.source))


def frames_of(onset: int, offset: int, sr: int) -> tuple[int, int]:
    """Return the first and last frame that samples [onset, offset) overlap at all.

    Examples
    --------
    >>> frames_of(1599, 3201, 16000), frames_of(1600, 3200, 16000)
    ((0, 2), (1, 1))
    """
    return onset * FRAMES_PER_SECOND // sr, max(onset, offset - 1) * FRAMES_PER_SECOND // sr


def folded(azimuth: float) -> float:
    """Return the azimuth in front, -90..90, that a left-right difference cannot tell from this one.

    Examples
    --------
    >>> folded(100.0), folded(-170.0), folded(30.0)
    (80.0, -10.0, 30.0)
    """
    wrapped = (azimuth + 180.0) % 360.0 - 180.0
    return math.copysign(180.0, wrapped) - wrapped if abs(wrapped) > 90.0 else wrapped


def _at(item: Mapping[str, Any], frame: int) -> tuple[float, float, float]:
    """Return azimuth, elevation and distance in a frame; of a moving event those nearest to the frame's middle."""
    track = item.get("track")
    if not track:
        return float(item["azimuth"]), float(item["elevation"]), float(item["distance"])
    middle = (frame + 0.5) / FRAMES_PER_SECOND
    _, azimuth, elevation, distance = min(track, key=lambda point: (abs(point[0] - middle), point[0]))
    return float(azimuth), float(elevation), float(distance)


def _degrees(azimuth: float) -> int:
    """Return whole degrees in [-180, 180)."""
    return (round(azimuth) + 180) % 360 - 180
