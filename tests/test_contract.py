"""The contract of a component, held against every one the registry finds: nobody has to remember to add a test here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from audiosynth import registry
from audiosynth.clip import RenderContext
from audiosynth.registry import FAMILIES, Component
from audiosynth.spaces.places import Position

RATES = (8000, 16000, 44100, 48000)
CLASSES = [(family, name) for family in FAMILIES for name in registry.components(family)]


def _tree(cls: type[Component], example: dict[str, Any]) -> dict[str, Any]:
    return {**example, "type": f"{cls.type_name}@{cls.version}"}


def _examples(*families: str) -> list[Any]:
    found = []
    for family in families:
        for name, cls in registry.components(family).items():
            for i, example in enumerate(getattr(cls, "examples", ())):
                found.append(pytest.param(family, _tree(cls, example), id=f"{name}-{i}"))
    return found


def _made(family: str, tree: dict[str, Any]) -> Any:
    if "recording" in tree or "recordings" in tree:
        pytest.skip("this example names a recording; the component's own test brings one")
    return registry.create(family, tree)


def _properties(cls: type[Component]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield (field, its schema, its numeric branch or {}): `float | None` keeps bounds inside an anyOf."""
    schema = cls.model_json_schema(mode="validation")
    for field, own in schema.get("properties", {}).items():
        branches = [own, *own.get("anyOf", [])]
        numeric = next((b for b in branches if b.get("type") in ("number", "integer")), {})
        yield field, own, numeric


def _beyond(numeric: dict[str, Any]) -> list[float]:
    bad = [numeric[key] for key in ("exclusiveMinimum", "exclusiveMaximum") if key in numeric]
    step = 1 if numeric["type"] == "integer" else 1e-3
    if "minimum" in numeric:
        bad.append(numeric["minimum"] - step * max(1, abs(numeric["minimum"])))
    if "maximum" in numeric:
        bad.append(numeric["maximum"] + step * max(1, abs(numeric["maximum"])))
    return [int(b) for b in bad] if numeric["type"] == "integer" else bad


def _sound(n_samples: int, *, sr: int, n_channels: int) -> Any:
    """Return something with highs, lows, a pause and an end that is not zero; read-only."""
    t = np.arange(n_samples) / sr
    low = [0.3 * np.sin(2 * np.pi * (300 + 50 * c) * t) for c in range(n_channels)]
    y = np.stack(low) + 0.1 * np.sin(2 * np.pi * 1700 * t)
    y[:, n_samples // 3 : n_samples // 2] = 0.0
    y.flags.writeable = False
    return y


@pytest.mark.parametrize(("family", "name"), CLASSES)
def test_is_described(family: str, name: str) -> None:
    """A component has a docstring, a version, a portability of two words, and at least one example."""
    cls = registry.components(family)[name]
    assert cls.__doc__ is not None
    assert len(cls.__doc__.strip().splitlines()[0]) > 10
    assert isinstance(cls.version, int)
    assert cls.version >= 1
    assert cls.portability in ("portable", "pinned")
    assert len(getattr(cls, "examples", ())) >= 1, f"{name} has no `examples: ClassVar[tuple[dict[str, Any], ...]]`"


@pytest.mark.parametrize(("family", "name"), CLASSES)
def test_fields_are_described(family: str, name: str) -> None:
    """Every field says what it is; every number says its unit and both of its bounds."""
    for field, own, numeric in _properties(registry.components(family)[name]):
        branches = [own, *own.get("anyOf", [])]
        if not any("$ref" in b or "allOf" in b for b in branches):
            assert any(b.get("description") for b in branches), f"{name}.{field} has no description"
        if numeric and "enum" not in numeric:
            assert any("unit" in b for b in branches), f"{name}.{field} has no unit in json_schema_extra"
            assert {"minimum", "exclusiveMinimum"} & set(numeric), f"{name}.{field} has no lower bound"
            assert {"maximum", "exclusiveMaximum"} & set(numeric), f"{name}.{field} has no upper bound"


@pytest.mark.parametrize(("family", "tree"), _examples(*FAMILIES))
def test_json_round_trip(family: str, tree: dict[str, Any]) -> None:
    """A component written as JSON and read again is equal, with its pinned type; so are its recordings."""
    component = registry.create(family, tree)
    text = json.dumps(registry.dump(component))
    assert registry.create(family, json.loads(text)) == component
    assert json.dumps(registry.dump(registry.create(family, json.loads(text)))) == text
    assert "@" in json.loads(text)["type"]


@pytest.mark.parametrize(("family", "tree"), _examples(*FAMILIES))
def test_unknown_parameter(family: str, tree: dict[str, Any]) -> None:
    """A parameter that does not exist is refused by its name."""
    with pytest.raises(ValidationError, match="wobble_factor"):
        registry.create(family, {**tree, "wobble_factor": 1})


@pytest.mark.parametrize(("family", "tree"), _examples(*FAMILIES))
def test_out_of_range(family: str, tree: dict[str, Any]) -> None:
    """Every bounded number is refused just outside its bounds, by the name of its field."""
    for field, _, numeric in _properties(registry.lookup(family, tree["type"])):
        for bad in _beyond(numeric) if numeric else []:
            with pytest.raises(ValidationError) as caught:
                registry.create(family, {**tree, field: bad})
            assert field in {item["loc"][0] for item in caught.value.errors() if item["loc"]}, (field, bad)


@pytest.mark.parametrize(("family", "tree"), _examples(*FAMILIES))
def test_not_finite(family: str, tree: dict[str, Any]) -> None:
    """NaN and infinity are refused in every float field."""
    for field, _, numeric in _properties(registry.lookup(family, tree["type"])):
        for bad in (float("nan"), float("inf")) if numeric.get("type") == "number" else ():
            with pytest.raises(ValidationError):
                registry.create(family, {**tree, field: bad})


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize(("family", "tree"), _examples("synths"))
def test_synth_renders(family: str, tree: dict[str, Any], sr: int) -> None:
    """A synthesizer gives finite float64 of the length it promised, the same bytes twice, active inside."""
    synth, ctx = _made(family, tree), RenderContext(sr=sr, n_channels=2)
    y = synth.render(ctx)
    assert y.dtype == np.float64
    assert y.shape in ((1, synth.extent(sr)), (2, synth.extent(sr)))
    assert np.isfinite(y).all()
    assert y.tobytes() == synth.render(ctx).tobytes()
    if hasattr(synth, "active") and synth.active(sr) is not None:
        first, last = synth.active(sr)
        assert 0 <= first < last <= synth.extent(sr)


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize(("family", "tree"), _examples("noises"))
def test_noise_partitions(family: str, tree: dict[str, Any], sr: int) -> None:
    """A noise is finite, and bit-identical however it is cut into requests."""
    noise, ctx = _made(family, tree), RenderContext(sr=sr, n_channels=2)
    start, n = 12_345, 20_001
    whole = noise.render(ctx, start=start, n_samples=n)
    assert whole.dtype == np.float64
    assert whole.shape == (2, n)
    assert np.isfinite(whole).all()
    cuts = [0, 1, 2, 4097, 8192, 13_000, n]
    parts = [noise.render(ctx, start=start + a, n_samples=b - a) for a, b in pairwise(cuts)]
    assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()


@pytest.mark.parametrize(("family", "tree"), _examples("noises"))
def test_noise_from_zero(family: str, tree: dict[str, Any]) -> None:
    """The beginning of a long noise is the short one."""
    noise, ctx = _made(family, tree), RenderContext(sr=16000)
    long = noise.render(ctx, start=0, n_samples=40_000)
    assert noise.render(ctx, start=0, n_samples=100).tobytes() == long[:, :100].tobytes()


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize(("family", "tree"), _examples("rooms"))
def test_room_responds(family: str, tree: dict[str, Any], sr: int) -> None:
    """A room's response is finite, the same twice, and its direct sound lies inside it."""
    room = _made(family, tree)
    placed = getattr(room, "simulated", False)
    ctx = RenderContext(sr=sr, n_channels=room.n_channels() if placed else int(tree.get("n_channels", 1)))
    given = {"position": room.place(Position(distance=0.8, azimuth=-50.0))} if placed else {}
    response = room.response(ctx, **given)
    assert response.h.ndim == 2
    assert response.h.dtype == np.float64
    assert np.isfinite(response.h).all()
    assert 0 <= response.delay < response.h.shape[1]
    assert np.isfinite(response.gain_db)
    again = room.response(ctx, **given)
    assert (again.h.tobytes(), again.delay, again.gain_db) == (response.h.tobytes(), response.delay, response.gain_db)


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize(("family", "tree"), _examples("effects"))
def test_effect_applies(family: str, tree: dict[str, Any], sr: int) -> None:
    """An effect leaves its input alone, gives the promised length, the same bytes twice, and segments inside bounds."""
    effect = _made(family, tree)
    for n, n_channels in ((sr // 2, 1), (sr // 3 + 7, 2)):
        ctx = RenderContext(sr=sr, n_channels=n_channels)
        y = _sound(n, sr=sr, n_channels=n_channels)
        before = y.tobytes()
        out = effect.apply(y, ctx)
        assert y.tobytes() == before
        assert out.dtype == np.float64
        assert out.shape[1] == effect.extent(n, sr)
        assert np.isfinite(out).all()
        assert out.tobytes() == effect.apply(y, ctx).tobytes()
        for segment in effect.segments(n, sr):
            assert all(isinstance(value, int) for value in segment)
            assert 0 <= segment[0] <= segment[1] <= n
            assert 0 <= min(segment[2:]) <= max(segment[2:]) <= effect.extent(n, sr)
        assert isinstance(effect.linear, bool)


@pytest.mark.parametrize(("family", "tree"), _examples(*FAMILIES))
def test_pinned_says_what_it_needs(family: str, tree: dict[str, Any]) -> None:
    """A pinned component names libraries as name==version; a portable one names none."""
    component = registry.create(family, tree)
    needs = component.needs()
    assert all(name.count("==") == 1 for name in needs)
    assert bool(needs) == (component.portability == "pinned")
