"""Static checks of scenes: rules about labels nobody has, more events at once than there are, classes without sounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from audiosynth import registry
from audiosynth.clip import Member
from audiosynth.dsp import seconds_to_samples
from audiosynth.errors import AudiosynthError, did_you_mean
from audiosynth.language.compiler import Path
from audiosynth.language.distributions import is_number
from audiosynth.language.draws import Pick
from audiosynth.language.draws_lists import Several
from audiosynth.language.draws_scene import Series
from audiosynth.language.nodes import OPAQUE, Const, ListNode, MapNode, Node, Repeat, leaves
from audiosynth.language.references import By, Ref, text_of
from audiosynth.loading.checks import Checker, entries, still

PER_LABEL = ("max_overlap_per_label", "min_overlap_per_label", "min_gap_per_label")
Found = Iterator[tuple[Path, str]]


class Sounds(NamedTuple):
    """What every cast of a `repeat` picks: a recording of its class from a catalogue, with what else must hold."""

    path: Path
    catalogue: str
    key: str
    labels: tuple[str, ...]
    rest: Mapping[str, Any]


def scene_problems(scene: Mapping[str, Node], origins: Mapping[int, Path], sr: int) -> Found:
    """Yield (path, message) for what can hold in no clip."""
    rules = entries(scene["scene"].witnesses()[0]) if "scene" in scene else None
    rules = rules or {}
    events = list(_events(scene["events"], ("events",), origins)) if "events" in scene else []
    yield from _unknown_labels(rules, [event for _, event in events])
    least, most = _value(rules, "min_overlap"), _most(scene["events"]) if "events" in scene else 0
    if isinstance(least, int) and least > most:
        yield (
            ("scene", "min_overlap"),
            f"{least} events at once, but a clip has {most} at most; make more, or ask for fewer",
        )
    if _value(rules, "when_full") != "drop":
        longest = leaves(scene["duration"])
        for path, event in events if longest and all(map(is_number, longest)) else ():
            yield from _too_long(event, path, max(longest), sr)
    for series in _series(scene["events"]) if "events" in scene else ():
        for node in _always(series.of):
            if isinstance(node, By) and _is_class(node.on, series) and node.default is None:
                lost = next((label for label in series.labels if text_of(label) not in node.cases), None)
                if lost is not None:
                    has = ", ".join(node.cases)
                    yield (
                        origins.get(id(node), ()),
                        f"class '{lost}' has no case here and there is no default; there are {has}",
                    )


def beyond_full_scale(scene: MapNode, origins: Mapping[int, Path]) -> Found:
    """Yield (path, message) for every level above 0 dBFS (RMS), unless the mix is then given a level: the others are relative."""
    mix = scene.items.get("mix")
    given = [] if mix is None else [entries(end.value) or {} for end in Checker(origins).ends(mix, ("mix",))]
    if any(not items.keys().isdisjoint(("level_dbfs", "effects")) for items in given):
        return
    told: set[Path] = set()
    for level, path in _levels(scene, origins):
        for end in Checker(origins).ends(level, path):
            if isinstance(end.value, int | float) and end.value > 0 and end.path not in told:
                told.add(end.path)
                yield (
                    end.path,
                    f"{end.value:+g} dBFS (RMS) is beyond full scale, so whole clips are turned down; is a minus missing?",
                )


def _levels(scene: MapNode, origins: Mapping[int, Path]) -> Iterator[tuple[Node, Path]]:
    """Yield every node of a level in dBFS, with its path; not those of layers whose bed has a level, which are relative."""
    todo: list[tuple[Node, Path]] = [(scene, ())]
    seen: set[int] = set()
    while todo:
        node, path = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        path = origins.get(id(node), path)
        items = dict(node.items) if isinstance(node, MapNode) else {}
        if "level_dbfs" in items:
            yield items["level_dbfs"], (*path, "level_dbfs")
        if not items.keys().isdisjoint(("level_dbfs", "snr_db", "spl_db")):
            items.pop("layers", None)
        todo += [(child, (*path, key)) for key, child in items.items()]
        todo += [(child, path) for child in (() if isinstance(node, MapNode) else node.children())]


def sounds_of(scene: Mapping[str, Node], origins: Mapping[int, Path]) -> list[Sounds]:
    """Return every draw of a recording by its class that each cast makes."""
    out = []
    for series in _series(scene["events"]) if "events" in scene else ():
        for node in _always(series.of):
            where = node.where.items if isinstance(node, Pick) and isinstance(node.where, MapNode) else {}
            for key, condition in where.items():
                rest = {k: v.value for k, v in where.items() if k != key and isinstance(v, Const)}
                if _is_class(condition, series) and len(rest) == len(where) - 1 and isinstance(node, Pick):
                    out.append(Sounds(origins.get(id(node), ()), node.catalogue, key, series.labels, rest))
    return out


def without_sounds(
    wanted: Iterable[Sounds], members: Mapping[tuple[str, str], Sequence[Member]], splits: Iterable[str]
) -> Found:
    """Yield (path, message) for every class that has no recording in a split."""
    names = list(splits)
    for sounds in wanted:
        for label in sounds.labels:
            conditions = {sounds.key: label, **sounds.rest}
            empty = [split for split in names if not _any_fits(members.get((sounds.catalogue, split), ()), conditions)]
            if empty:
                has = sorted(
                    {str(m.meta.get(sounds.key)) for split in names for m in members.get((sounds.catalogue, split), ())}
                )
                yield (
                    sounds.path,
                    f"class '{label}' has no sounds: no recording of '{sounds.catalogue}' in split '{empty[0]}' has {sounds.key}: "
                    f"{label}{did_you_mean(label, has)}; there are {', '.join(has[:12])}",
                )


def _any_fits(members: Sequence[Member], conditions: Mapping[str, Any]) -> bool:
    def fits(member: Member, key: str, wanted: Any) -> bool:
        value = member.meta.get(key)
        return value in wanted if isinstance(wanted, list) else value == wanted

    return any(all(fits(member, key, wanted) for key, wanted in conditions.items()) for member in members)


def _value(rules: Mapping[str, Node], key: str) -> Any:
    node = rules.get(key)
    return node.value if isinstance(node, Const) else None


def _unknown_labels(rules: Mapping[str, Node], events: Sequence[Mapping[str, Node]]) -> Found:
    found = [leaf for event in events for leaf in (leaves(event["label"]) if "label" in event else [])]
    if OPAQUE in found:
        return
    known = [leaf for leaf in found if isinstance(leaf, str)]
    for key in (*PER_LABEL, "protected"):
        value = _value(rules, key)
        for label in value if isinstance(value, Mapping | list) else ():
            if label not in known:
                path = ("scene", key, label) if isinstance(value, Mapping) else ("scene", key)
                yield path, f"no event of this recipe has the label '{label}'{did_you_mean(label, known)}"


def _events(node: Node, path: Path, origins: Mapping[int, Path]) -> Iterator[tuple[Path, Mapping[str, Node]]]:
    """Yield the place and the entries of every event that a list can hold."""
    path = origins.get(id(node), path)
    for leaf in leaves(node):
        if isinstance(leaf, Repeat):
            yield from _events(leaf.of, path, origins)
        elif isinstance(leaf, ListNode | Several | list):
            for i, item in enumerate(leaf if isinstance(leaf, list) else leaf.items):
                yield from _events(item if isinstance(item, Node) else Const(item), (*path, i), origins)
        else:
            found = entries(leaf)
            if found is not None and "source" in found:
                yield path, found


def _most(node: Node) -> int:
    """Return how many events a list can hold at most."""
    counts = [0]
    for leaf in leaves(node):
        if isinstance(leaf, Repeat):
            counts.append(leaf.n_max * _most(leaf.of))
        elif isinstance(leaf, ListNode | Several):
            counts.append(sum(_most(item) for item in leaf.items))
        elif isinstance(leaf, list):
            counts.append(len(leaf))
        else:
            counts.append(1)
    return max(counts)


def _too_long(event: Mapping[str, Node], path: Path, longest: float, sr: int) -> Found:
    """Yield a problem for an event that may not be cut and is longer than every clip, if nothing about its length is drawn."""
    source, effects = still(event["source"]), still(event["effects"]) if "effects" in event else []
    if (event["overrun"].witnesses() if "overrun" in event else ["error"]) != ["error"] or OPAQUE in (source, effects):
        return
    try:
        made: Any = registry.create("synths", source)
        n = 0 if made.needs() else made.extent(sr)
        for effect in effects if n else ():
            n = registry.create("effects", effect).extent(n, sr)  # type: ignore[attr-defined]
    except (AudiosynthError, ValidationError, TypeError):
        return  # told elsewhere
    if n > seconds_to_samples(longest, sr):
        yield (
            (*path, "source"),
            f"an event of {n / sr:.3f} s is longer than any clip ({longest:g} s); make the clip longer, the event shorter, or say "
            "`overrun: cut`",
        )


def _series(node: Node) -> Iterator[Series]:
    """Yield every `repeat` of classes."""
    todo, seen = [node], {id(node)}
    while todo:
        here = todo.pop(0)
        if isinstance(here, Series):
            yield here
        fresh = [child for child in here.children() if id(child) not in seen]
        seen.update(map(id, fresh))
        todo += fresh


def _always(node: Node) -> Iterator[Node]:
    """Yield the nodes that every cast of a node comes through."""
    yield node
    for child in () if node.exclusive else node.children():
        yield from _always(child)


def _is_class(node: Node, series: Series) -> bool:
    """Return whether a node is `$label` of this `repeat`."""
    return isinstance(node, Ref) and not node.fields and tuple(leaves(node)) == series.labels and node.name == "label"
