"""Which stems a clip has: what each of them is the sum of, and what it is called. Rendering makes them, exporters link them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

Role = Literal["foreground", "interference", "background"]
By = Literal["event", "label", "role"]
Part = Literal["source", "dry", "direct", "early", "late", "wet"]
PARTS: Final[tuple[Part, ...]] = ("source", "dry", "direct", "early", "late", "wet")
"""What of an event a stem can hold; the wet ones add up to the mix."""


class Source(NamedTuple):
    """What a stem's name and role come from: an event as its clip has it."""

    label: str | None
    name: str | None = None
    role: Role = "foreground"

    @property
    def plays(self) -> Role:
        """Return the role of its stem: what is not labeled is no foreground."""
        return "interference" if self.label is None and self.role == "foreground" else self.role


@dataclass(frozen=True)
class Stem:
    """One stem of a clip.

    Attributes
    ----------
    name
        Of its file, without suffix; parts other than `wet` have theirs behind a dot.
    role
        ``foreground``: labeled events; ``interference``: others that are heard; ``background``: the bed, and events of that role.
    label
        Of its events, if they have one and the same.
    events
        Numbers of the events it is the sum of.
    layers
        Numbers of the bed's noises it is the sum of.
    """

    name: str
    role: Role
    label: str | None = None
    events: tuple[int, ...] = ()
    layers: tuple[int, ...] = ()

    def file(self, part: Part) -> str:
        """Return the name of the file that holds a part of it.

        Examples
        --------
        >>> stem = Stem("event00_dog", "foreground", "dog", (0,))
        >>> stem.file("wet"), stem.file("dry")
        ('event00_dog', 'event00_dog.dry')
        """
        return self.name if part == "wet" else f"{self.name}.{part}"


def stems_of(sources: Sequence[Source], n_layers: int, *, by: By = "event", layers: bool = False) -> list[Stem]:
    """Return the stems of a clip, the bed's last.

    Parameters
    ----------
    sources
        Its events.
    n_layers
        Noises of its bed; 0 without one.
    by
        One stem an event, a label (events without one are one stem together), or a role.
    layers
        One stem a noise of the bed, in place of their sum.

    Examples
    --------
    >>> events = [Source("dog"), Source(None), Source("dog")]
    >>> [(stem.name, stem.events) for stem in stems_of(events, 2, by="label")]
    [('label_dog', (0, 2)), ('interference', (1,)), ('noise', ())]
    >>> [stem.name for stem in stems_of(events, 2, by="role", layers=True)]
    ['foreground', 'interference', 'noise00', 'noise01']
    """
    found = _by_event(sources) if by == "event" else _grouped(sources, by)
    if n_layers and layers:
        found += [Stem(f"noise{j:02d}", "background", layers=(j,)) for j in range(n_layers)]
    elif n_layers:
        found.append(Stem("noise", "background", layers=tuple(range(n_layers))))
    return found


def stems_of_row(row: Mapping[str, Any]) -> list[tuple[Stem, tuple[Part, ...]]]:
    """Return the stems that a manifest row has files of, each with the parts that there are."""
    spec = row["spec"]
    asked = spec["output"]["stems"] if isinstance(spec["output"]["stems"], Mapping) else {}
    bed = spec["noise"] or {"layers": ()}
    sources = [Source(event["label"], event["name"], event.get("role", "foreground")) for event in spec["events"]]
    made = stems_of(sources, len(bed["layers"]), by=asked.get("by", "event"), layers=asked.get("layers", False))
    parts = [(stem, tuple(part for part in PARTS if stem.file(part) in row.get("stems", {}))) for stem in made]
    return [(stem, there) for stem, there in parts if there]


def stem_path(path: str, name: str) -> str:
    """Return where a stem of the clip at `path` goes.

    Examples
    --------
    >>> stem_path("audio/train/000000/train-000000000.flac", "noise")
    'audio/train/000000/train-000000000.stems/noise.wav'
    """
    return f"{path.rsplit('.', 1)[0]}.stems/{name}.wav"


def _by_event(sources: Iterable[Source]) -> list[Stem]:
    return [
        Stem(f"event{i:02d}_{_safe(source.label or source.name or 'event')}", source.plays, source.label, (i,))
        for i, source in enumerate(sources)
    ]


def _grouped(sources: Sequence[Source], by: By) -> list[Stem]:
    """Return one stem a group, in the order of the groups' first events."""
    groups: dict[str | None, list[int]] = {}
    for i, source in enumerate(sources):
        groups.setdefault(source.label if by == "label" else source.plays, []).append(i)
    stems: list[Stem] = []
    for events in groups.values():
        label, role = sources[events[0]].label, sources[events[0]].plays
        name = f"label_{_safe(label)}" if by == "label" and label is not None else role
        taken = sum(stem.name == name or stem.name.startswith(f"{name}-") for stem in stems)
        told = label if by == "label" else None
        stems.append(Stem(f"{name}-{taken + 1}" if taken else name, role, told, tuple(events)))
    return stems


def _safe(text: str) -> str:
    """Return a text as part of a file name."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text.lower())[:40]
