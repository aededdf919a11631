"""The JSON Schema of a recipe: it takes what is right, and refuses what the checks refuse."""

from __future__ import annotations

import copy
import json

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from material import full_recipe, write_recipe

from audiosynth import load_recipe, shipped_recipe
from audiosynth.cli import cli
from audiosynth.errors import RecipeError
from audiosynth.files.shipped import shipped_recipes
from audiosynth.files.strictyaml import load, load_file
from audiosynth.loading.schema import recipe_schema
from audiosynth.registry import FAMILIES, newest
from audiosynth.starter import POINTS, starter

SCHEMA = recipe_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
GOOD = {
    "duration": 1.0,
    "clips": 2,
    "noise": {"type": "coloured", "slope_db": -3, "level_dbfs": -40},
    "events": [
        {"label": "a", "source": {"type": "tone", "frequency": 300, "duration": 0.5}, "onset": 0.1, "snr_db": 10}
    ],
}


def changed(path: tuple, value: object) -> dict:
    """Return the good recipe with one value put in."""
    tree = copy.deepcopy(GOOD)
    here = tree
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    return tree


def test_it_is_a_schema():
    """It keeps to the rules of its own dialect, and is what the command prints."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for words in (["schema"], ["schema", "--json"]):
        assert json.loads(CliRunner().invoke(cli, words).stdout) == SCHEMA


@pytest.mark.parametrize("name", shipped_recipes())
def test_shipped_recipes_are_valid(name):
    """Every recipe that comes with the package passes."""
    assert not list(VALIDATOR.iter_errors(load_file(shipped_recipe(name)).tree))


def test_other_recipes_are_valid(tmp_path):
    """So do the starting points, and a recipe with recordings in rooms."""
    for point in POINTS:
        assert not list(VALIDATOR.iter_errors(load(starter("x", point=point), name=point).tree)), point
    assert VALIDATOR.is_valid(load_file(full_recipe(tmp_path)).tree)


SOURCE = ("events", 0, "source")
RIGHT = [
    (("sr",), 44100),
    (("clips",), {"train": 3}),
    (("splits",), {"train": 3, "test": 1}),
    (("splits",), {"shares": {"train": 3, "test": 1}, "assign": {"ann": "train"}}),
    (("duration",), {"uniform": [1, 2]}),
    (("let",), {"f": {"log_uniform": [100, 200]}}),
    ((*SOURCE, "frequency"), {"log_uniform": [100, 200]}),
    ((*SOURCE, "frequency"), {"sum": [100, {"uniform": [0, 5]}]}),
    ((*SOURCE, "frequency"), {"choice": [100, {"truncnorm": [200, 10, 150, 250]}]}),
    ((*SOURCE, "frequency"), {"weighted": [[1, 100], [3, {"uniform": [200, 300]}]]}),
    (SOURCE, {"choice": [{"type": "click"}, {"type": "tone@1", "frequency": 300, "duration": 0.2}]}),
    (("events", 0, "onset"), {"slack": {"beta": [2, 5]}}),
    (("events", 0, "effects"), [{"type": "gain", "gain_db": {"uniform": [-3, 3]}}]),
    (("events", 0, "effects"), [{"maybe": {"p": 0.5, "then": {"type": "gain", "gain_db": 3}}}]),
    (("events", 0, "effects"), [{"one_of": [{"type": "gain", "gain_db": 3}, {"type": "reverse", "p": 0.5}]}]),
    (
        ("events", 0, "effects"),
        [{"choice": [{"sequence": [{"type": "gain", "gain_db": 3}, {"type": "reverse"}]}, None]}],
    ),
    (
        ("events", 0, "effects"),
        [{"some_of": {"n": {"integers": [0, 2]}, "of": [{"type": "gsm"}, {"type": "reverse"}]}}],
    ),
    (("events", 0, "effects"), {"some_of": {"n": 1, "of": [{"type": "gsm"}, {"type": "reverse"}], "order": "random"}}),
    (("mix",), {"effects": [{"type": "gain", "gain_db": {"uniform": [-3, 3]}, "p": 0.25}]}),
    (("events", 0), {"repeat": {"n": {"poisson": [2, 5]}, "of": GOOD["events"][0]}}),
    (("events", 0, "level"), {"snr_db": 3, "measure": {"choice": ["rms", "lufs"]}}),
    (("noise",), {"layers": [{"source": {"type": "silence"}, "level_dbfs": -40}], "level_dbfs": -30}),
    (("noise",), {"weighted": [[3, GOOD["noise"]], [1, {"type": "coloured", "colour": "white", "level_dbfs": -50}]]}),
    (("noise", "slope_db"), {"histogram": {"edges": [-6, -3, 0], "weights": [1, 2]}}),
    (("mix",), {"guard": "clip", "level_dbfs": -20}),
    (("room",), {"maybe": {"p": 0.5, "then": {"type": "none"}}}),
    (("export",), ["desed", {"type": "audacity"}]),
    (("output",), {"format": "flac", "subtype": "PCM_24", "stems": True}),
]


@pytest.mark.parametrize(("path", "value"), RIGHT)
def test_what_loads_is_valid(tmp_path, path, value):
    """What the loader takes, the schema takes: values, draws, and draws of whole sub-trees."""
    tree = changed(path, value)
    if path == ("events", 0, "level"):
        del tree["events"][0]["snr_db"]
    load_recipe(write_recipe(tmp_path / "x.yaml", tree))
    assert not list(VALIDATOR.iter_errors(tree))


WRONG = [
    (("foo",), 1),
    (("sr",), 999),
    (("sr",), 384_001),
    (("sr",), "fast"),
    (("channels",), 65),
    (("seed",), -1),
    (("clips",), -1),
    (("clips",), {"train": "many"}),
    (("duration",), "long"),
    (("duration",), 0),
    (("events",), {"label": "a"}),
    (("events", 0, "lable"), "a"),
    (("events", 0, "onset"), "now"),
    (("events", 0, "align"), "sometimes"),
    (("events", 0, "effects"), [{"type": "chirp"}]),
    (("events", 0, "effects"), [{"type": "reverse", "p": 1.5}]),
    (("events", 0, "effects"), [{"some_of": {"n": 1, "of": []}}]),
    (("events", 0, "effects"), [{"some_of": {"n": 1, "of": [{"type": "chirp"}]}}]),
    (("events", 0, "effects"), [{"some_of": {"n": 1, "of": [{"type": "gsm"}], "order": "odd"}}]),
    (("events", 0, "effects"), [{"sequence": [{"type": "tuba"}]}]),
    ((*SOURCE, "frequency"), {"sequence": [300, 400]}),
    (SOURCE, {"type": "tone", "frequency": 300}),
    (SOURCE, {"type": "tuba", "frequency": 300, "duration": 1}),
    (SOURCE, {"frequency": 300, "duration": 1}),
    ((*SOURCE, "frequency"), "high"),
    ((*SOURCE, "frequency"), -3),
    ((*SOURCE, "frequncy"), 300),
    ((*SOURCE, "frequency"), {"choice": []}),
    ((*SOURCE, "frequency"), {"choice": [300, "high"]}),
    ((*SOURCE, "frequency"), {"uniform": [1]}),
    ((*SOURCE, "frequency"), {"uniform": ["a", "b"]}),
    ((*SOURCE, "frequency"), {"weighted": [[-1, 100]]}),
    (SOURCE, {"choice": [{"type": "click", "frequncy": 3}]}),
    (("noise", "slope"), -3),
    (("noise", "level_dbfs"), "quiet"),
    (("noise",), {"layers": [{"source": {"type": "tone", "frequency": 3, "duration": 1}}]}),
    (("mix",), {"guard": "hope"}),
    (("output",), {"format": "wma"}),
    (("export",), ["mp3"]),
    (("catalogues",), {"x": {"data": "d", "pattern": "{label}.wav", "lable": "x"}}),
    (("let",), {"1x": 3}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_what_does_not_load_is_not_valid(tmp_path, path, value):
    """Unknown keys, wrong types and impossible values are refused, by the loader and by the schema."""
    tree = changed(path, value)
    with pytest.raises(RecipeError):
        load_recipe(write_recipe(tmp_path / "x.yaml", tree))
    assert not VALIDATOR.is_valid(tree)


def test_the_good_recipe_is_good(tmp_path):
    """The recipe that the others are made from is itself right: what fails above fails for its change."""
    load_recipe(write_recipe(tmp_path / "x.yaml", GOOD))
    assert VALIDATOR.is_valid(GOOD)


def test_an_error_points_to_its_place():
    """A wrong parameter is reported at its own path, with the names that are allowed."""
    (error,) = VALIDATOR.iter_errors(changed((*SOURCE, "frequncy"), 300))
    leaves = [error]
    while leaves[0].context:
        leaves = [child for leaf in leaves for child in leaf.context]
    assert any("'frequncy' was unexpected" in leaf.message for leaf in leaves)
    assert list(error.absolute_path) == ["events", 0, "source"]


def test_every_component_has_its_parameters():
    """Each component is there, with every field a recipe may give, described."""
    for family in FAMILIES:
        for name, cls in newest(family).items():
            made = SCHEMA["$defs"][f"{family}_{name}_v{cls.version}"]
            assert set(made["properties"]) >= {"type", *cls.model_fields} - {"start_sample"}
            assert made["additionalProperties"] is False
            filled = {"seed", "content"}  # by the plan, and from the profile's file
            assert (
                set(made["required"]) == {"type", *(k for k, f in cls.model_fields.items() if f.is_required())} - filled
            )


def test_a_schema_is_the_same_every_time():
    """Two processes, two days: the same text."""
    assert json.dumps(recipe_schema()) == json.dumps(SCHEMA)


def test_it_is_small_enough_for_editors():
    """Under 1.5 MB, with more than fifty synthesizers and thirty effects: editors take that at once."""
    assert len(json.dumps(SCHEMA)) < 1_500_000
