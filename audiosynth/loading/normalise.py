"""Short forms of the recipe language written out: `snr_db: 10`, `noise: {type: …}`, `position: [x, y, z]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from audiosynth.spec import Bed

Path = tuple[str | int, ...]
Moved = dict[Path, Path]

LEVEL_KEYS: Final = ("snr_db", "level_dbfs", "spl_db_1m")
DEFINITIONS: Final[Mapping[str, Mapping[str, str]]] = {
    # wav-reverberate: mean square of speech * response from 1 ms before to 50 ms after its peak, over all that comes of it,
    # against the noise as long as the clip (backgrounds are cut to it first)
    "kaldi": {"measure": "rms", "signal": "early_peak", "span": "whole", "noise_span": "clip"},
    # perturb.py, NoisePerturbation: RMS of the utterance, silence and all, against that of the noise's whole file
    "nemo": {"measure": "rms", "signal": "image", "span": "clip", "noise_span": "recording"},
    # DNS-Challenge, segmental_snr_mixer, as it is meant: both over the 0.1 s windows in which the noise is active
    "dns": {"measure": "rms", "signal": "image", "span": "noise", "noise_span": "same"},
}
"""What other tools mean by an SNR, in the words of a level. All of them count silence of the speech, so that the SNR where
there is speech (`snr_db` of the row's outcomes) is higher by up to the share of it."""
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
    if "level" in out:
        out["level"] = _within(out["level"], (*path, "level"), lambda item, at: _level(item, at, moved))
    if short:
        level = out.get("level", {})
        out["level"] = {**(level if isinstance(level, Mapping) else {}), **short}
        moved.update({(*path, "level", key): (*path, key) for key in short})
    if "room" in out:
        out["room"] = _within(out["room"], (*path, "room"), lambda raw, at: _room(raw, at, moved))
    if "motion" in out:
        out["motion"] = _within(out["motion"], (*path, "motion"), lambda raw, at: _moving(raw, at, moved))
    return _placed(out, path, moved)


def _level(raw: Mapping[str, Any], path: Path, moved: Moved) -> dict[str, Any]:
    """Write out the definition that a level names; what stands beside the name counts."""
    name = raw.get("as")
    if not isinstance(name, str) or name not in DEFINITIONS:
        return dict(raw)
    meant = {key: value for key, value in DEFINITIONS[name].items() if key not in raw}
    moved.update({(*path, key): (*path, "as") for key in meant})
    return {**{key: value for key, value in raw.items() if key != "as"}, **meant}


def _moving(raw: Mapping[str, Any], path: Path, moved: Moved) -> dict[str, Any]:
    """Write `to: [x, y, z]` and the items of `via` as points."""
    out = dict(raw)
    if isinstance(out.get("to"), list):
        moved[(*path, "to", "point")] = (*path, "to")
        out["to"] = {"point": out["to"]}
    if isinstance(out.get("via"), list):
        moved.update(
            {(*path, "via", i, "point"): (*path, "via", i) for i, v in enumerate(out["via"]) if isinstance(v, list)}
        )
        out["via"] = [{"point": item} if isinstance(item, list) else item for item in out["via"]]
    return out


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


Write = Callable[[Any, Path], Any]


def _each_item(raw: Any, path: Path, write: Write) -> Any:
    """Apply `write` to every map of a list, and of every list that a draw in its place can give."""
    if isinstance(raw, list):
        return [_within(item, (*path, i), write) for i, item in enumerate(raw)]
    return _within(raw, path, lambda item, _: item, lambda item, at: _each_item(item, at, write))


def _within(raw: Any, path: Path, write: Write, write_list: Write | None = None) -> Any:
    """Apply `write` to a map (`write_list` to a list), or to every one that a draw in its place can give."""
    if isinstance(raw, list) and write_list is not None:
        return write_list(raw, path)
    if not isinstance(raw, Mapping):
        return raw
    key, value = next(iter(raw.items())) if len(raw) == 1 else ("", None)

    def inner(item: Any, *more: str | int) -> Any:
        return _within(item, (*path, key, *more), write, write_list)

    if isinstance(value, list) and key in ("choice", "one_of", "cycle", "deck", "sequence"):
        return {key: [inner(item, i) for i, item in enumerate(value)]}
    if isinstance(value, list) and key == "weighted":
        return {key: [[w, inner(item, i, 1)] for i, (w, item) in enumerate(value)]} if _pairs(value) else raw
    if isinstance(value, Mapping) and (drawn := _in_map(key, value, inner)) is not None:
        return {key: {**value, **drawn}}
    return write(raw, path)


def _in_map(key: str, value: Mapping[str, Any], inner: Callable[..., Any]) -> dict[str, Any] | None:
    """Return the changed parts of a draw that is written as a map; None if it is no such draw."""
    if key in ("balance", "some_of") and isinstance(value.get("of"), list):
        return {"of": [inner(item, "of", i) for i, item in enumerate(value["of"])]}
    if key == "maybe" and "then" in value:
        return {"then": inner(value["then"], "then")}
    if key == "repeat" and "of" in value:
        return {"of": inner(value["of"], "of")}
    if key == "by" and isinstance(value.get("cases"), Mapping):
        cases = {k: inner(v, "cases", k) for k, v in value["cases"].items()}
        return {"cases": cases, **({"default": inner(value["default"], "default")} if "default" in value else {})}
    return None


def _pairs(value: list[Any]) -> bool:
    return all(isinstance(item, list) and len(item) == 2 for item in value)
