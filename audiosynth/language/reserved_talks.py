"""The form `turns` of `repeat`: what a conversation takes, checked as far as it can be before any die is cast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from audiosynth.errors import did_you_mean
from audiosynth.language.compiler import Compiler, Path
from audiosynth.language.distributions import is_number, shown
from audiosynth.language.draws import is_condition
from audiosynth.language.draws_scene import OneOf
from audiosynth.language.nodes import MAX_REPEAT, OPAQUE, SOME_RECORDING, Node, leaves
from audiosynth.language.talk import MAX_SPEAKERS, Talk, message_of
from audiosynth.language.talks import TurnOf, Turns

OWN: Final = ("from", "by", "where", "unless", "let")
"""What `turns` takes beside the fields of `Talk`."""
MAX_EXAMPLES: Final = 64
"""Rows of a table that a recipe is checked with."""


class WrongError(Exception):
    """A problem at a place of the recipe, on its way to `repeat`, which notes it."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def turns(c: Compiler, raw: Any, path: Path) -> tuple[Turns, Compiler, int]:
    """Compile what stands under `turns`; return its node, the compiler that knows a turn's names, and the most turns."""
    if not isinstance(raw, Mapping) or "from" not in raw:
        raise WrongError(
            path,
            "'turns' takes {from: catalogue, table of voices or list of names, speakers: count, n: turns, pause: seconds, "
            f"overlap_ratio: …}}; `describe turns` has all; got {shown(raw)}",
        )
    for key in raw:
        if key not in (*OWN, *Talk.model_fields):
            raise WrongError((*path, key), f"'turns' has no '{key}'{did_you_mean(key, (*OWN, *Talk.model_fields))}")
    source = _source(c, raw["from"], (*path, "from"))
    seats = {
        "speaker": OneOf(source if isinstance(source, tuple) else (OPAQUE,)),
        "seat": OneOf(range_of(MAX_SPEAKERS)),
    }
    inner, lets = replace(c, names={**c.names, **seats}).lets(raw.get("let", {}), (*path, "let"))
    settings = {key: inner.at(key).compile(raw[key], (*path, key)) for key in raw if key in Talk.model_fields}
    for key, node in settings.items():
        _check(key, node, raw, (*path, key))
    known = leaves(settings["n"]) if "n" in settings else [Talk.model_fields["n"].default]
    where, unless = (_conditions(c, raw, key, path) for key in ("where", "unless"))
    found = Turns(c.keyed, source, _text(raw, "by", "speaker", path), where, unless, settings, lets)
    names: dict[str, Node | None] = {**inner.names, "turn": OneOf(range_of(MAX_REPEAT)), **_said(c, source)}
    return found, replace(inner, names=names, keyed=c.keyed), MAX_REPEAT if OPAQUE in known else max(known)


def range_of(n: int) -> tuple[int, ...]:
    """Return the first and the last of `n` numbers."""
    return (0, n - 1)


def talk(c: Compiler, raw: Mapping[str, Any], path: Path) -> tuple[Turns, TurnOf, int]:
    """Compile a `repeat` of turns: the node that lists them, that of one turn's event, and how many there are at most."""
    listed, inner, most = turns(c.at("turns"), raw["turns"], (*path, "turns"))
    return (
        listed,
        TurnOf(f"{c.keyed}.of", replace(inner, keyed=c.keyed).at("of").compile(raw["of"], (*path, "of"))),
        most,
    )


def _source(c: Compiler, raw: Any, path: Path) -> str | tuple[str, ...]:
    if isinstance(raw, list) and raw and all(isinstance(name, str) and name for name in raw):
        if len(set(raw)) < len(raw):
            raise WrongError(path, f"expected every name once, got {shown(raw)}")
        return tuple(raw)
    if not isinstance(raw, str):
        raise WrongError(path, f"expected a catalogue, a table of voices or a list of names, got {shown(raw)}")
    if raw not in c.catalogues:
        raise WrongError(path, f"no catalogue is called '{raw}'{did_you_mean(raw, c.catalogues)}")
    return raw


def _said(c: Compiler, source: str | tuple[str, ...]) -> dict[str, Node | None]:
    """Return the name of what is said in a turn, or of the voice that says it."""
    if isinstance(source, tuple):
        return {}
    if source in c.tables:
        return {"voice": OneOf(tuple(entry.meta for entry in c.tables[source][:MAX_EXAMPLES]) or (OPAQUE,))}
    return {"said": OneOf((SOME_RECORDING,))}


def _text(raw: Mapping[str, Any], key: str, default: str, path: Path) -> str:
    value = raw.get(key, default)
    if not isinstance(value, str) or not value:
        raise WrongError((*path, key), f"expected the name of a field of the recordings, got {shown(value)}")
    return value


def _conditions(c: Compiler, raw: Mapping[str, Any], key: str, path: Path) -> Node:
    asked = raw.get(key, {})
    if not isinstance(asked, Mapping) or not all(isinstance(v, Mapping) or is_condition(v) for v in asked.values()):
        raise WrongError((*path, key), f"expected {{field: value or list of values}}, got {shown(asked)}")
    return c.at(key).compile(asked, (*path, key))


def _check(key: str, node: Node, raw: Mapping[str, Any], path: Path) -> None:
    """Refuse what a setting can be and must not."""
    for value in leaves(node):
        if value is OPAQUE:
            continue
        try:
            Talk.model_validate({key: value, **({"n": MAX_REPEAT} if key != "n" else {"speakers": 1})})
        except ValidationError as error:
            raise WrongError(path, f"{message_of(error).removeprefix(f'{key}: ')} ({shown(raw[key])})") from None
        if key == "pause" and is_number(value) and value < 0 and raw.get("overlap_ratio") is not None:
            raise WrongError(
                path, f"with an overlap_ratio, overlaps follow from it; pauses are 0 s or more, not {shown(raw[key])}"
            )
