"""`repeat` and `follow`: how many events there are, of which classes, one after the other or not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from audiosynth.errors import did_you_mean
from audiosynth.language.compiler import Compiler, Path, path_text
from audiosynth.language.distributions import is_number, shown
from audiosynth.language.draws import Choice
from audiosynth.language.draws_scene import WHOLE, Chain, Cooccurrence, Density, OneOf, Row, Series, Timetable
from audiosynth.language.draws_time import MAX_GAP, FollowNode
from audiosynth.language.nodes import MAX_REPEAT, OPAQUE, Const, ListNode, Node, Repeat, leaves
from audiosynth.language.reserved_talks import WrongError, talk

FORMS: Final = ("n", "density", "cooccurrence", "sequence", "timetable", "turns")
"""What says how many casts a `repeat` makes."""
DEVIATIONS: Final = 6
"""Standard deviations over the largest mean at which a Poisson density ends, unless `max` says where."""


class Listed(NamedTuple):
    """A node that lists casts, the classes it can give, how many at most, and the times they can stand at."""

    node: Node
    labels: tuple[str, ...]
    most: int
    times: tuple[Any, ...] = ()


def repeat(c: Compiler, raw: Any, path: Path) -> Node:
    """Compile `repeat`: how many (`n`, `density`), which classes (`cooccurrence`, `sequence`, `timetable`), or who (`turns`)."""
    forms = [key for key in raw if key in FORMS] if isinstance(raw, Mapping) else []
    if len(forms) != 1 or raw.keys() != {forms[0], "of"}:
        others = ", ".join(FORMS[1:])
        return c.fail(path, f"'repeat' takes {{n: count, of: …}}, or in place of n one of {others}; got {shown(raw)}")
    form = forms[0]
    try:
        if form in _COUNTS:
            n = _COUNTS[form](c.at(form), raw[form], (*path, form))
            counts = leaves(n)
            return Repeat(c.keyed, n, c.at("of").compile(raw["of"], (*path, "of")), min(counts), max(1, *counts))
        if form == "turns":
            listed, of, most = talk(c, raw, path)
            return Series(c.keyed, listed, of, 0, most)
        found = _LISTS[form](c.at(form), raw[form], (*path, form))
    except WrongError as wrong:
        return c.fail(wrong.path, str(wrong))
    names: dict[str, Node | None] = {**c.names, "label": OneOf(found.labels)}
    names.update({"time": OneOf(found.times)} if form == "timetable" else {})
    cast = replace(c, names=names).at("of").compile(raw["of"], (*path, "of"))
    return Series(c.keyed, found.node, cast, 0, found.most, found.labels)


def follow(c: Compiler, raw: Any, path: Path) -> Node:
    """Compile `follow`: seconds after the event before."""
    if "onset" not in path:
        return c.fail(path, "'follow' says when an event begins; it stands under `onset`")
    value = c.compile(raw, path)
    if any(w is not OPAQUE and (not is_number(w) or abs(w) > MAX_GAP) for w in leaves(value)):
        message = f"'follow' takes seconds (±{MAX_GAP:g}; below 0: before the end) or a draw of them, got {shown(raw)}"
        return c.fail(path, message)
    return FollowNode(path_text(path), value)


def _count(c: Compiler, raw: Any, path: Path) -> Node:
    n = c.compile(raw, path)
    if any(isinstance(w, bool) or not isinstance(w, int) or not 0 <= w <= MAX_REPEAT for w in leaves(n)):
        raise WrongError(
            path, f"expected whole numbers from 0 to {MAX_REPEAT} (integers, poisson, choice), got {shown(raw)}"
        )
    return n


def _most(raw: Any, path: Path) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= MAX_REPEAT:
        raise WrongError(path, f"expected a whole number from 1 to {MAX_REPEAT}, got {shown(raw)}")
    return raw


def _density(c: Compiler, raw: Any, path: Path) -> Node:
    raw = raw if isinstance(raw, Mapping) and "per_minute" in raw else {"per_minute": raw}
    for key in raw:
        if key not in ("per_minute", "kind", "max"):
            raise WrongError(
                (*path, key), f"'density' has no '{key}'{did_you_mean(key, ('per_minute', 'kind', 'max'))}"
            )
    fixed = raw.get("kind", "poisson") == "fixed"
    if raw.get("kind", "poisson") not in ("poisson", "fixed"):
        raise WrongError((*path, "kind"), f"expected poisson or fixed, got {shown(raw['kind'])}")
    rate = c.at("per_minute").compile(raw["per_minute"], (*path, "per_minute"))
    rates, seconds = leaves(rate), [] if c.length is None else leaves(c.length)
    if any(w is not OPAQUE and (not is_number(w) or w < 0) for w in rates):
        raise WrongError(
            (*path, "per_minute"), f"expected events per minute, 0 or more, got {shown(raw['per_minute'])}"
        )
    known = bool(seconds) and all(map(is_number, [*rates, *seconds]))
    if not known and "max" not in raw:
        raise WrongError(
            path, "how long the clip is (or the rate) is known only when it is planned; give `max`, the most events"
        )
    low, high = (min(rates) * min(seconds) / 60.0, max(rates) * max(seconds) / 60.0) if known else (0.0, 0.0)
    most = math.ceil(high if fixed else high + DEVIATIONS * math.sqrt(high))
    if "max" not in raw and most > MAX_REPEAT:
        raise WrongError(path, f"{high:g} events on average, up to {most:,}; a clip holds at most {MAX_REPEAT:,}")
    most = _most(raw["max"], (*path, "max")) if "max" in raw else max(1, most)
    return Density(c.keyed, rate, c.length or Const(0), fixed, min(math.floor(low), most) if fixed else 0, most)


def _shares(raw: Any, path: Path) -> dict[str, float]:
    """Return {class: share} without those of share 0."""
    items = raw.items() if isinstance(raw, Mapping) else [("", raw)]
    if not all(isinstance(k, str) and k and is_number(v) and 0 <= v <= 1e12 for k, v in items):
        raise WrongError(path, f"expected {{class: probability}}, got {shown(raw)}")
    return {label: float(share) for label, share in raw.items() if share > 0}


def _first(c: Compiler, raw: Any, path: Path) -> Node:
    """Return the draw of a first class: a class, a draw of one, or {class: probability}."""
    if isinstance(raw, Mapping) and not (len(raw) == 1 and next(iter(raw)) in c.words):
        row = Row.of(_shares(raw, path))
        if not row.labels:
            raise WrongError(path, "no class has a probability above 0")
        return Choice(c.keyed, tuple(map(Const, row.labels)), row.edges)
    node = c.compile(raw, path)
    wrong = [w for w in leaves(node) if w is not OPAQUE and not (isinstance(w, str) and w)]
    if wrong:
        raise WrongError(path, f"expected a class or a draw of one, got {shown(wrong[0])}")
    return node


def _cooccurrence(c: Compiler, raw: Any, path: Path) -> Listed:
    deep = isinstance(raw, Mapping) and "table" in raw and raw.keys() <= {"first", "table"}
    rows, at = (raw["table"], (*path, "table")) if deep else (raw, path)
    if not isinstance(rows, Mapping) or not rows:
        raise WrongError(
            at,
            "expected {class: {probability: p, max_events: n, classes: {class: probability}}, …} (or that under `table`, "
            f"beside `first`, a draw of the first class), got {shown(rows)}",
        )
    table = {label: _row(entry, (*at, label)) for label, entry in rows.items()}
    if deep and "first" in raw:
        first = _first(c.at("first"), raw["first"], (*path, "first"))
    else:
        first = _first(c.at("first"), {label: rows[label].get("probability", 1.0) for label in rows}, at)
    begins = [w for w in leaves(first) if w is not OPAQUE] or list(table)
    lost = next((w for w in begins if w not in table), None)
    if lost is not None:
        raise WrongError((*path, "first"), f"class '{lost}' has no row in the table{did_you_mean(lost, table)}")
    reached = dict.fromkeys(label for w in begins for label in (w, *table[w].labels))
    most = max(table[w].max_events for w in begins)
    return Listed(Cooccurrence(c.keyed, first, table), tuple(reached), most)


def _row(entry: Any, path: Path) -> Row:
    if not isinstance(entry, Mapping) or not {"max_events", "classes"} <= entry.keys() <= {
        "probability",
        "max_events",
        "classes",
    }:
        message = f"expected {{probability: p, max_events: n, classes: {{class: probability}}}}, got {shown(entry)}"
        raise WrongError(path, message)
    most, chance = _most(entry["max_events"], (*path, "max_events")), entry.get("probability", 1.0)
    if not is_number(chance) or chance < 0:
        raise WrongError((*path, "probability"), f"expected a probability, got {shown(chance)}")
    shares = _shares(entry["classes"], (*path, "classes"))
    if not shares and most > 1:
        message = f"max_events is {most}, but no class can come with this one; name some, or say 1"
        raise WrongError((*path, "classes"), message)
    return Row.of(shares, most)


def _sequence(c: Compiler, raw: Any, path: Path) -> Listed:
    if (
        not isinstance(raw, Mapping)
        or set(raw) != {"first", "next", "max_events"}
        or not isinstance(raw["next"], Mapping)
    ):
        raise WrongError(
            path,
            "'sequence' takes {first: class or {class: probability}, next: {class: {class: probability}}, max_events: n}; what "
            f"a row lacks to 1 is the chance that the sequence ends there; got {shown(raw)}",
        )
    most = _most(raw["max_events"], (*path, "max_events"))
    table = {label: Row.of(_shares(row, (*path, "next", label))) for label, row in raw["next"].items()}
    for label, row in table.items():
        if row.edges and row.edges[-1] > 1.0 + WHOLE:
            raise WrongError((*path, "next", label), f"the probabilities add up to {row.edges[-1]:g}; at most 1")
    first = _first(c.at("first"), raw["first"], (*path, "first"))
    return Listed(Chain(c.keyed, first, table, most), _reached(leaves(first), table, most), most)


def _reached(begins: list[Any], table: Mapping[str, Row], most: int) -> tuple[str, ...]:
    """Return every class that a chain can come to."""
    wave = [label for w in begins for label in (table if w is OPAQUE else [w])]
    found = dict.fromkeys(wave)
    for _ in range(most - 1):
        wave = [label for one in wave if one in table for label in table[one].labels if label not in found]
        found.update(dict.fromkeys(wave))
    return tuple(found)


def _timetable(c: Compiler, raw: Any, path: Path) -> Listed:
    if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_REPEAT:
        message = f"'timetable' takes a list of [time, label], 1 to {MAX_REPEAT:,} of them; got {shown(raw)}"
        raise WrongError(path, message)
    pairs = c.compile(raw, path)
    items = pairs.items if isinstance(pairs, ListNode) else tuple(map(Const, raw))
    labels: list[str] = []
    times: list[Any] = []
    for i, item in enumerate(items):
        for leaf in leaves(item):
            pair = leaf.items if isinstance(leaf, ListNode) else leaf
            if pair is None:
                continue  # a `maybe`
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise WrongError((*path, i), f"expected [time in seconds, label], got {shown(pair)}")
            moments, names = ([w for w in _ends(x) if w is not OPAQUE] for x in pair)
            wrong = [w for w in moments if not is_number(w)] + [w for w in names if not (isinstance(w, str) and w)]
            if wrong:
                raise WrongError(
                    (*path, i), f"expected [time in seconds, label], got {shown(wrong[0])} for one of the two"
                )
            times += moments
            labels += names
    return Listed(Timetable(c.keyed, pairs), tuple(dict.fromkeys(labels)), len(items), tuple(times))


def _ends(value: Any) -> list[Any]:
    return leaves(value) if isinstance(value, Node) else [value]


_COUNTS: Final = {"n": _count, "density": _density}
_LISTS: Final = {"cooccurrence": _cooccurrence, "sequence": _sequence, "timetable": _timetable}
