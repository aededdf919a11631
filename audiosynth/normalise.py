"""Short forms of the recipe language written out: `snr_db: 10`, `noise: {type: …}`, `position: [x, y, z]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from audiosynth.spec import Bed

Path = tuple[str | int, ...]
Moved = dict[Path, Path]

LEVEL_KEYS: Final = ("snr_db", "level_dbfs", "spl_db_1m")
_BED_KEYS: Final = frozenset(Bed.model_fields)


def normalise(tree: Mapping[str, Any]) -> tuple[dict[str, Any], Moved]:
    """Return the recipe with short forms written out, and where each moved value stood.

    Examples
    --------
    >>> normalise({"noise": {"type": "coloured", "level_dbfs": -40}})[0]
    {'noise': {'level_dbfs': -40, 'layers': [{'source': {'type': 'coloured'}}]}}
    """
    moved: Moved = {}
    out = dict(tree)
    if "events" in out:
        out["events"] = _each_item(out["events"], ("events",), lambda raw, path: _event(raw, path, moved))
    if "noise" in out:
        out["noise"] = _within(out["noise"], ("noise",), lambda raw, path: _bed(raw, path, moved))
    if "room" in out:
        out["room"] = _within(out["room"], ("room",), lambda raw, path: _room(raw, path, moved))
    return out, moved


def _event(raw: Mapping[str, Any], path: Path, moved: Moved) -> dict[str, Any]:
    out = {key: value for key, value in raw.items() if key not in LEVEL_KEYS}
    short = {key: raw[key] for key in LEVEL_KEYS if key in raw}
    if short:
        level = raw.get("level", {})
        out["level"] = {**(level if isinstance(level, Mapping) else {}), **short}
        moved.update({(*path, "level", key): (*path, key) for key in short})
    if "room" in out:
        out["room"] = _within(out["room"], (*path, "room"), lambda raw, at: _room(raw, at, moved))
    return _placed(out, path, moved)


def _room(raw: Mapping[str, Any], path: Path, moved: Moved) -> dict[str, Any]:
    if "receiver" not in raw:
        return dict(raw)
    here = (*path, "receiver")
    return {**raw, "receiver": _within(raw["receiver"], here, lambda item, at: _placed(item, at, moved))}


def _placed(raw: Mapping[str, Any], path: Path, moved: Moved) -> dict[str, Any]:
    """Write `position: [x, y, z]` as a point."""
    if not isinstance(raw.get("position"), list):
        return dict(raw)
    moved[(*path, "position", "point")] = (*path, "position")
    return {**raw, "position": {"point": raw["position"]}}


def _bed(raw: Mapping[str, Any], path: Path, moved: Moved) -> dict[str, Any]:
    raw = _placed(raw, path, moved)
    if "type" not in raw:
        return raw
    source = {key: value for key, value in raw.items() if key not in _BED_KEYS}
    moved.update({(*path, "layers", 0, "source", key): (*path, key) for key in source})
    moved[(*path, "layers", 0, "source")] = path
    return {**{key: value for key, value in raw.items() if key in _BED_KEYS}, "layers": [{"source": source}]}


Write = Callable[[Mapping[str, Any], Path], Any]


def _each_item(raw: Any, path: Path, write: Write) -> Any:
    if isinstance(raw, list):
        return [_within(item, (*path, i), write) for i, item in enumerate(raw)]
    if isinstance(raw, Mapping) and len(raw) == 1:
        (key, value) = next(iter(raw.items()))
        if key == "repeat" and isinstance(value, Mapping) and "of" in value:
            return {key: {**value, "of": _within(value["of"], (*path, key, "of"), write)}}
        if key in ("choice", "cycle", "deck") and isinstance(value, list):
            return {key: [_each_item(item, (*path, key, i), write) for i, item in enumerate(value)]}
    return raw


def _within(raw: Any, path: Path, write: Write) -> Any:
    """Apply `write` to a map, or to every map that a draw in its place can give."""
    if not isinstance(raw, Mapping):
        return raw
    key, value = next(iter(raw.items())) if len(raw) == 1 else ("", None)
    here = (*path, key)
    if key in ("choice", "cycle", "deck") and isinstance(value, list):
        return {key: [_within(item, (*here, i), write) for i, item in enumerate(value)]}
    if key == "weighted" and isinstance(value, list):
        return {
            key: [[w, _within(item, (*here, i, 1), write)] for i, (w, item) in enumerate(value)]
            if _pairs(value)
            else value
        }
    if key == "balance" and isinstance(value, Mapping) and isinstance(value.get("of"), list):
        return {key: {**value, "of": [_within(item, (*here, "of", i), write) for i, item in enumerate(value["of"])]}}
    if key == "maybe" and isinstance(value, Mapping) and "then" in value:
        return {key: {**value, "then": _within(value["then"], (*here, "then"), write)}}
    if key == "repeat" and isinstance(value, Mapping) and "of" in value:
        return {key: {**value, "of": _within(value["of"], (*here, "of"), write)}}
    if key == "by" and isinstance(value, Mapping) and isinstance(value.get("cases"), Mapping):
        cases = {k: _within(v, (*here, "cases", k), write) for k, v in value["cases"].items()}
        rest = {"default": _within(value["default"], (*here, "default"), write)} if "default" in value else {}
        return {key: {**value, "cases": cases, **rest}}
    return write(raw, path)


def _pairs(value: list[Any]) -> bool:
    return all(isinstance(item, list) and len(item) == 2 for item in value)
