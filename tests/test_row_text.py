"""Rows are written from records directly, the bytes that their trees would give."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest
from material import full_recipe
from pydantic import BaseModel, field_serializer
from test_golden import ROWS

from audiosynth import load_recipe, plan_clip, registry
from audiosynth.clip import Part, Recording
from audiosynth.manifest import parse_row
from audiosynth.records.loaded import _stem
from audiosynth.records.text import AsTree, dumps
from audiosynth.registry import FAMILIES, Component
from audiosynth.spec import At, Decisions

WITH_PART = Recording(
    data="d", path="ä\t\"b\".wav", sha256="0" * 64, sr=8000, n_channels=1, n_samples=5, active=(0, 5), part=Part(first=2, last=7),
    meta={"label": "x", "licence": "CC0-1.0", "author": "A", "title": "T", "source": "S", "words": [(0, 0.1, "w")], "n": 1e-7},
)  # fmt: skip


def plain(value: object) -> str:
    """Return JSON as the standard library has it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("name", ROWS)
def test_specs_and_decisions_of_golden_rows(name):
    """Every component, measure and kind of place: the text of the record is that of its tree."""
    row = parse_row(ROWS[name], place=name)
    trees = {"spec": row.spec.to_json(), "decisions": row.decisions.model_dump(mode="json")}
    assert dumps({"spec": row.spec, "decisions": row.decisions}) == plain(trees)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "exporters"])
def test_components(family):
    """All examples of all components, those that hold recordings too."""
    made = [
        cls.model_validate(tree) for cls in registry.components(family).values() for tree in (cls.examples or ({},))
    ]
    assert len(made) >= 4
    assert dumps({"all": made}) == plain({"all": [registry.dump(one) for one in made]})


@pytest.mark.parametrize("part", [WITH_PART.part, None])
def test_recordings(part):
    """Credit stands in `assets.jsonl` only, and a part only where there is one."""
    recording = WITH_PART.model_copy(update={"part": part})
    text = dumps({"r": recording})
    assert text == plain({"r": recording.model_dump(mode="json")})
    assert ("CC0" in text, '"part"' in text) == (False, part is not None)


def test_planned_clips(tmp_path):
    """Specs as they come from a plan, where values of `let` are recordings of a catalogue with a licence."""
    recipe = load_recipe(full_recipe(tmp_path), cache_dir=tmp_path / "cache")
    for ordinal in range(4):
        spec = plan_clip(recipe, "train", ordinal)
        assert dumps({"spec": spec}) == plain({"spec": spec.to_json()})


def test_no_record_writes_its_fields_otherwise():
    """Only recordings have serializers of their own, which `records.text` knows."""
    assert all(registry.components(family) for family in FAMILIES)  # and so all of them are loaded
    kinds, todo = set(), [BaseModel]
    while todo:
        todo += todo.pop().__subclasses__()
        kinds |= {kind for kind in todo if kind.__module__.startswith("audiosynth")}
    assert len(kinds) > 100
    own = [kind.__pydantic_decorators__ for kind in kinds if kind is not Recording]
    assert not any(one.field_serializers or one.model_serializers or one.computed_fields for one in own)


class Loud(Component):
    """A component of another package, which writes a field in its own way."""

    type_name = "loud"
    gain: float = 3.0

    @field_serializer("gain")
    def _in_words(self, gain: float) -> str:
        return f"{gain:g} dB"


def test_components_of_other_packages_write_themselves():
    """What another package's class says of how it is written holds."""
    assert dumps({"a": Loud()}) == '{"a":{"type":"loud@1","gain":"3 dB"}}'


def test_what_checks_read():
    """An exporter that looks into a row finds trees in it, and all of its keys."""
    row = AsTree({"sr": 8000, "at": At(time=1.0), "decisions": Decisions(ties=((0, 1, 2),))})
    assert dict(row) == {
        "sr": 8000,
        "at": {"anchor": "onset", "time": 1.0},
        "decisions": Decisions(ties=((0, 1, 2),)).model_dump(mode="json"),
    }
    assert (row.get("none", 1), "at" in row, len(row)) == (1, True, 3)


def test_spec_of_a_row_that_is_checked_is_its_json(tmp_path):
    """Of a spec, what is not used stays away there as well."""
    recipe = load_recipe(full_recipe(tmp_path), cache_dir=tmp_path / "cache")
    spec = plan_clip(recipe, "train", 0)
    assert AsTree({"spec": spec})["spec"] == spec.to_json()
    assert "scene" not in AsTree({"spec": spec})["spec"]


@pytest.mark.parametrize("path", ["a/b.wav", "b", "a.b/c", "a/.hidden", "a/b.tar.gz", "a/.b.wav", "x..wav"])
def test_names_of_utterances(path):
    """What rows call the file a clip goes back to is the path's stem, as ever."""
    assert _stem(path) == PurePosixPath(path).stem


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_that_json_lacks(value):
    """Such a value is an error, never a line that others cannot read."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps({"a": value})
