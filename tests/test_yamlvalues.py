"""The YAML writer: what it writes reads back equal, here and with readers of YAML 1.1."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from audiosynth.errors import ParameterError
from audiosynth.files.strictyaml import dump, load

LOOKS = (
    "null Null ~ true False yes No on OFF y n 0 -19 007 0o14 0x3A 0b1 1_000 0. .5 1e-3 .nan 12:30:45 2026-11-23 = << $w"
)
WORDS = st.sampled_from(["", "- a", "a: b", "#", "x #y", " x", "x ", "é", "\n", *LOOKS.split(" ")])
TEXTS = st.text() | WORDS | st.text("ab '\"\\:#\n\t-?", max_size=200)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
TREES = st.recursive(SCALARS, lambda s: st.lists(s, max_size=5) | st.dictionaries(TEXTS, s, max_size=5), max_leaves=30)


def typed(tree):
    """Return a form of the tree in which 1, 1.0 and True differ."""
    if isinstance(tree, dict):
        return [(key, typed(value)) for key, value in tree.items()]
    return [typed(item) for item in tree] if isinstance(tree, list) else (type(tree), tree)


@given(TREES)
def test_what_is_dumped_loads_equal(tree):
    """Writing and reading gives the same values, types and order of keys; writing again gives the same text."""
    text = dump(tree)
    back = load(text, name="x").tree
    assert typed(back) == typed(tree)
    assert dump(back) == text


@given(st.lists(WORDS | TEXTS))
def test_dumped_texts_are_texts_to_yaml_1_1_readers(words):
    """A reader of YAML 1.1 (PyYAML itself) takes every dumped string for a string."""
    assert yaml.safe_load(dump(words)) == words


def test_letters_that_the_standard_1_1_calls_booleans_are_quoted():
    """``y`` and ``n`` are quoted, though PyYAML's own reader knows them as strings."""
    assert dump(["y", "N"]) == "['y', 'N']\n"


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"a": float("nan")}, "a: cannot be written"),
        ({"a": [float("inf")]}, r"a\[0\]: cannot be written"),
        ({1: 2}, "a key must be a string, got 1"),
        ({"a": b"x"}, "bytes"),
        ({"a": {1, 2}}, "set"),
        ({"a": 2**63}, "int"),
        ({"a": "\ud800"}, "str"),
        ({"\ud800": 1}, "key"),
        ({"a": np.float64(1)}, "float64"),
    ],
)
def test_dump_refuses_what_load_would_not_give(tree, message):
    """Nothing is written that could not be read back."""
    with pytest.raises(ParameterError, match=message):
        dump(tree)


def test_dump_refuses_endless_trees():
    """A tree that holds itself is too deep."""
    tree: list = []
    tree.append(tree)
    with pytest.raises(ParameterError, match="64 levels"):
        dump(tree)
