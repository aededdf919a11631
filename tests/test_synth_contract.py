"""What holds for every synthesizer that draws its own variety: any allowed value, any rate, no clicks, no clipping, no DC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from annotated_types import Ge, Le

from audiosynth import registry
from audiosynth.clip import RenderContext
from audiosynth.dice import uniform_at
from audiosynth.errors import ParameterError
from audiosynth.language.reserved import RESERVED
from audiosynth.plan import plan_clip
from audiosynth.recipe import load_recipe

NATURAL = {cls.type_name: cls for cls in registry.components("synths").values() if cls.drawn}
RATES = (8000, 22_050, 44_100, 96_000)
N_DRAWS = 12
END = 0.02
"""Largest first or last sample re the peak: a step of 2 % of the peak is 34 dB down and no click beside the sound."""
LOW = 11_025
"""Hz; up to this rate, a sound may lie above all that the rate carries."""
LONG = 9.0
"""Seconds; longer sounds are rendered at the lowest rate only, to save time."""


WANTED = {
    "test_synth_signals": (
        "am", "fm", "sweep_train", "pulse_train", "square", "sawtooth", "triangle", "dtmf", "telephone_ring", "dial_tone", "siren",
        "smoke_alarm", "carbon_monoxide_alarm", "reversing_beeper", "alarm_clock", "microwave_beep", "doorbell", "car_horn",
    ),
    "test_synth_struck": (
        "bell", "glass_break", "metal_clang", "wood_knock", "door_slam", "footsteps", "keys_jingle", "clap", "drum", "plucked_string",
        "whistle", "thunder", "water_drip", "gunshot", "clock_tick",
    ),
    "test_synth_nature": (
        "rain", "wind", "sea_waves", "fire_crackle", "bird_song", "cricket", "dog_bark", "cat_meow", "rooster", "baby_cry", "cough",
        "sneeze", "snore",
    ),
    "test_synth_machines": ("engine", "helicopter", "chainsaw", "vacuum", "fan", "train_pass"),
}  # fmt: skip
"""What there is, and where its facts are tested."""


def anywhere(cls: type[registry.Component], seed: int) -> dict[str, Any]:
    """Return parameters anywhere in their ranges, all at once; ranges over a factor of 20 by their logarithm."""
    tree = {k: v for k, v in cls.examples[0].items() if cls.model_fields[k].is_required()}
    numbers = uniform_at(seed, start=0, n_samples=len(cls.model_fields), stream=cls.type_name).tolist()
    for (name, field), u in zip(cls.model_fields.items(), numbers, strict=True):
        low, high = (next((getattr(m, k) for m in field.metadata if hasattr(m, k)), None) for k in ("ge", "le"))
        if name == "seed":
            tree[name] = seed
        elif name == "duration":
            tree[name] = round(0.3 + 0.9 * u, 6)
        elif field.annotation in (int, float) and low is not None and high is not None:
            value = low * (high / low) ** u if low > 0 and high > 20 * low else low + (high - low) * u
            tree[name] = round(value) if field.annotation is int else float(value)
    return tree


def drawn(name: str, tmp_path: Path, *, sr: int = 16_000, n: int = N_DRAWS, **given: Any) -> list[Any]:
    """Return n synthesizers as a recipe that says nothing but the type gets them."""
    path = tmp_path / f"{name}.yaml"
    tree = {
        "sr": sr, "duration": 400.0, "clips": n, "events": [{"label": "x", "source": {"type": name, **given}}],
    }  # fmt: skip
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    recipe = load_recipe(path)
    return [plan_clip(recipe, "train", i).events[0].source for i in range(n)]


def bounds(cls: type[registry.Component]) -> list[tuple[str, float]]:
    """Return (field, extreme value) of every number of a component; the length's own largest is left out."""
    found = []
    for name, field in cls.model_fields.items():
        if name in ("duration", "seed") or field.annotation not in (int, float):
            continue
        found += [(name, m.ge) for m in field.metadata if isinstance(m, Ge)]
        found += [(name, m.le) for m in field.metadata if isinstance(m, Le)]
    return found


def check(synth: Any, sr: int, *, low: int = LOW) -> None:
    """Assert what every sound keeps; one that lies above what a low rate carries says so."""
    try:
        y = synth.render(RenderContext(sr=sr))
    except ParameterError as error:
        if sr > low or "raise sr" not in str(error):
            raise
        return
    assert y.shape == (1, synth.extent(sr))
    assert np.isfinite(y).all()
    peak = float(np.max(np.abs(y)))
    assert peak <= synth.amplitude * (1.0 + 1e-12)
    assert peak > 0.99 * synth.amplitude, "silent, or not at its peak"
    assert abs(float(np.mean(y))) <= 1e-6 * peak, "a mean that is not zero"
    assert abs(y[0, 0]) <= END * peak, "a click at the start"
    assert abs(y[0, -1]) <= END * peak, "a click at the end"


@pytest.mark.parametrize("name", NATURAL)
def test_no_field_is_a_word_of_the_language(name: str) -> None:
    """A field called like a draw could not be written in a recipe."""
    assert not set(NATURAL[name].model_fields) & set(RESERVED)


@pytest.mark.parametrize("name", NATURAL)
def test_no_two_are_alike(name: str, tmp_path: Path) -> None:
    """A recipe that gives the type alone gets another individual in every clip, each of them valid."""
    synths = drawn(name, tmp_path)
    assert len({synth.model_dump_json(exclude={"seed"}) for synth in synths}) > N_DRAWS // 2
    cls = NATURAL[name]
    assert set(cls.drawn) <= set(cls.model_fields)
    if "seed" in cls.model_fields:
        pairs = [(s, s.model_copy(update={"seed": s.seed + 1})) for s in synths]
        assert any(differ(*pair) for pair in pairs)


def differ(one: Any, other: Any) -> bool:
    """Return whether two sounds are not the same."""
    a, b = (s.render(RenderContext(sr=16_000)) for s in (one, other))
    return a.shape != b.shape or not np.allclose(a, b)


@pytest.mark.parametrize("sr", RATES)
@pytest.mark.parametrize("name", NATURAL)
def test_any_rate(name: str, sr: int, tmp_path: Path) -> None:
    """At every rate a drawn sound is finite, at its peak, without a mean, and begins and ends softly."""
    for synth in drawn(name, tmp_path, n=1 if sr == max(RATES) else 2):
        if synth.extent(8000) <= LONG * 8000 or sr == min(RATES):
            check(synth, sr)


@pytest.mark.parametrize("name", NATURAL)
def test_any_value(name: str, tmp_path: Path) -> None:
    """Every number at either end of its range gives a sound that is finite and whole."""
    cls = NATURAL[name]
    short = {"duration": 0.7} if "duration" in cls.model_fields else {}
    needed = {k: v for k, v in cls.examples[0].items() if cls.model_fields[k].is_required()}
    for field, value in bounds(cls):
        tree = {**needed, **short, **({"seed": 3} if "seed" in cls.model_fields else {}), field: value}
        if field == "amplitude":
            continue
        try:
            synth: Any = registry.create("synths", {"type": name, **tree})
        except ValueError as error:
            assert "expected" in str(error) or "fit" in str(error), (field, value, error)  # noqa: PT017
            continue
        assert synth.extent(8000) <= 400 * 8000, (field, value)
        check(synth, 8000)


@pytest.mark.parametrize("sr", [8000, 16_000, pytest.param(96_000, marks=pytest.mark.heavy)])
@pytest.mark.parametrize("name", NATURAL)
def test_any_values_together(name: str, sr: int) -> None:
    """Wherever all parameters stand in their ranges at once, the sound is finite and whole, or says what does not fit."""
    for seed in range(4):
        try:
            synth: Any = registry.create("synths", {"type": name, **anywhere(NATURAL[name], seed)})
        except ValueError as error:
            assert any(word in str(error) for word in ("expected", "fit", "multiple")), error  # noqa: PT017
            continue
        if synth.extent(8000) <= LONG * 8000:
            check(synth, sr, low=20_000)


@pytest.mark.parametrize(("file", "names"), WANTED.items())
def test_every_sound_is_there_and_known_by_its_facts(file: str, names: tuple[str, ...]) -> None:
    """Each synthesizer that a complete set needs exists, and the tests of facts make one of it."""
    source = (Path(__file__).parent / f"{file}.py").read_text(encoding="utf-8")
    known = registry.newest("synths")
    for name in names:
        made = known[name].__name__
        assert f"{made}(" in source or f"({made}," in source, name


@pytest.mark.parametrize("name", NATURAL)
def test_quick(name: str) -> None:
    """The shortest allowed sound is a sound too."""
    cls = NATURAL[name]
    if "duration" in cls.model_fields:
        low = next(m.ge for m in cls.model_fields["duration"].metadata if isinstance(m, Ge))
        needed = {k: v for k, v in cls.examples[0].items() if cls.model_fields[k].is_required()}
        tree = {**needed, "type": name, "duration": low, **({"seed": 5} if "seed" in cls.model_fields else {})}
        try:
            synth: Any = registry.create("synths", tree)
        except ValueError:
            return
        y = synth.render(RenderContext(sr=16_000))
        assert y.shape == (1, synth.extent(16_000))
        assert np.isfinite(y).all()
