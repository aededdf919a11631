"""YAML 1.2 meaning, positions and bounds of what is read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiosynth.errors import RecipeError
from audiosynth.files.strictyaml import dump, load, load_file, parse_scalar

# The table of YAML 1.2.2 section 10.3.2 (core schema), and what PyYAML's YAML 1.1 gets differently.
CORE = [
    ("null", None), ("Null", None), ("NULL", None), ("~", None), ("", None), ("nULL", "nULL"),
    ("true", True), ("True", True), ("FALSE", False), ("tRUE", "tRUE"),
    ("yes", "yes"), ("No", "No"), ("on", "on"), ("OFF", "OFF"), ("y", "y"), ("n", "n"),
    ("0", 0), ("-19", -19), ("+12", 12), ("0o14", 12), ("0x3A", 58), ("0b1", "0b1"), ("1_000", "1_000"),
    ("0.", 0.0), ("-0.0", 0.0), (".5", 0.5), ("+12e03", 12000.0), ("-2E+05", -200000.0), ("1e-3", 0.001),
    ("-1.5E+3", -1500.0), ("00.5", 0.5), ("1e", "1e"), (".", "."), ("-", [None]), ("+", "+"), ("1.2.3", "1.2.3"),
    ("12:30:45", "12:30:45"), ("2026-11-23", "2026-11-23"), ("2001-12-14t21:59:43.10-05:00",) * 2, ("=", "="),
    ("'1'", "1"), ('"true"', "true"), ("''", ""), ("'<<'", "<<"), ("|\n  5\n", "5\n"), ("$word", "$word"), ("$$", "$$"),
]  # fmt: skip


def problems(text: str, **kwargs: str) -> list[tuple[str, str, str]]:
    with pytest.raises(RecipeError) as caught:
        load(text, name="x.yaml", **kwargs)
    return [(p.where, p.path, p.message) for p in caught.value.problems]


@pytest.mark.parametrize(("text", "value"), CORE)
def test_scalars_mean_what_the_core_schema_says(text, value):
    """Every form of a scalar has its YAML 1.2 meaning and exactly its type."""
    got = load(text, name="x.yaml").tree
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 007", "leading zeros"),
        ("a: .inf", "not a finite number"),
        ("a: -.INF", "not a finite number"),
        ("a: .nan", "not a finite number"),
        ("a: 1e999", "not a finite number"),
        ("a: 9223372036854775808", "64 bits"),
        ("a: 0x8000000000000000", "64 bits"),
        ("a: " + "9" * 5000, "64 bits"),
    ],
)
def test_numbers_that_would_mislead_are_refused(text, message):
    """A number that is not finite, too large or ambiguous is an error at its place."""
    [(where, path, said)] = problems(text)
    assert (where, path) == ("x.yaml:1:4", "a")
    assert message in said


def test_every_node_has_its_place():
    """Marks give line and column from 1 of values and keys, in block and in flow, also after wide characters."""
    document = load("# c\nevents:\n  - {label: yes, at: [1, 2]}\n  - ä: ö\n    b:\n", name="r/x.yaml")
    assert document.tree == {"events": [{"label": "yes", "at": [1, 2]}, {"ä": "ö", "b": None}]}
    assert document.where(()) == "r/x.yaml:2:1"
    assert document.where(("events", 0, "label")) == "r/x.yaml:3:13"
    assert document.where(("events", 0, "label"), key=True) == "r/x.yaml:3:6"
    assert document.where(("events", 0, "at", 1)) == "r/x.yaml:3:26"
    assert document.where(("events", 1, "ä")) == "r/x.yaml:4:8"
    assert document.where(("events", 1, "ä", "chirp", 3)) == "r/x.yaml:4:8"
    assert document.where(("events", 1, "missing"), key=True) == "r/x.yaml:4:5"
    assert document.where(("nothing",)) == "r/x.yaml:2:1"


@given(st.recursive(st.integers(0, 9), lambda s: st.lists(s) | st.dictionaries(st.sampled_from("abc"), s)))
def test_marks_cover_exactly_the_tree(tree):
    """There is a mark for every value of the tree and no other."""

    def paths(node, path=()):
        yield path
        items = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
        for key, value in items:
            yield from paths(value, (*path, key))

    assert set(load(dump(tree), name="x").marks) == set(paths(tree))


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "---\n...\n"])
def test_an_empty_document_is_none(text):
    """No content reads as None, with a place."""
    document = load(text, name="x.yaml")
    assert document.tree is None
    assert document.where(("a",)).startswith("x.yaml:")


def test_problems_come_all_at_once():
    """One reading names every problem, with its place and path, below the path the text will stand at."""
    found = problems(
        "a: 1\nb:\n  - !!python/name:os.system x\n  - {c: 1, c: 2}\na: .nan\n3: x\n<<: {d: 1}\n", base="let"
    )
    assert [(where, path) for where, path, _ in found] == [
        ("x.yaml:3:5", "let.b[0]"),
        ("x.yaml:4:12", "let.b[1]"),
        ("x.yaml:5:4", "let.a"),
        ("x.yaml:5:1", "let"),
        ("x.yaml:6:1", "let"),
        ("x.yaml:7:1", "let"),
    ]


def test_a_repeated_key_names_both_places():
    """Of two equal keys neither wins: the error names both."""
    [(where, path, message)] = problems("noise:\n  snr_db: 1\n  type: pink\n  'snr_db': 2\n")
    assert (where, path) == ("x.yaml:4:3", "noise")
    assert "'snr_db' is given twice, first at x.yaml:2:3" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1: x", "reads as the number 1: write '1' quoted"),
        ("1e3: x", "the number 1000.0"),
        ("true: x", "reads as true: write 'true' quoted"),
        ("~: x", "reads as null"),
        ("[a, b]: x", "not a list, a map or an alias"),
        ("{a: b}: x", "not a list, a map or an alias"),
        ("? - a\n: x", "not a list, a map or an alias"),
        ("&k k: 1\n*k : 2", "not a list, a map or an alias"),
        ("<<: {a: 1}", "merge keys"),
    ],
)
def test_keys_are_texts(text, message):
    """A key that is no string is refused with the way out, never converted."""
    assert message in problems(text)[0][2]


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system", "!foo", "!!binary", "!!str", "!!set", "!", "!<tag:x>"]
)
@pytest.mark.parametrize("value", ["x", "[x]", "{x: 1}"])
def test_tags_are_refused(tag, value):
    """No tag does anything, on scalars, lists or maps; it is refused at its place."""
    [(where, path, message)] = problems(f"a:\n  - {tag} {value}")
    assert (where, path) == ("x.yaml:2:5", "a[0]")
    assert "tag" in message


def test_a_tag_is_refused_on_a_key_and_an_empty_value():
    """Tags are found wherever they stand."""
    assert len(problems("!a b: !c\n")) == 2


def test_aliases_are_written_out():
    """An alias gives an equal, separate tree; it keeps its own place, what it brings keeps the place of writing."""
    document = load("a: &x {b: [1]}\nc: *x\nd: [*x, *x]\n", name="x.yaml")
    assert document.tree == {"a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}, {"b": [1]}]}
    document.tree["c"]["b"].append(2)
    assert document.tree["a"] == document.tree["d"][0] == {"b": [1]}
    assert document.where(("c",)) == "x.yaml:2:4"
    assert document.where(("d", 1, "b", 0)) == "x.yaml:1:12"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x [*x]", "aliases without end"),
        ("&x a: *x", None),
        ("a: &x\n  b: [{c: *x}]", "aliases without end"),
        ("a: *x", "nothing is anchored as &x"),
        ("a: *x\nb: &x 1", "nothing is anchored as &x"),
    ],
)
def test_aliases_end(text, message):
    """An alias inside its own anchor, or of nothing, is an error; of a key's text it is that text."""
    if message is None:
        assert load(text, name="x.yaml").tree == {"a": "a"}
    else:
        assert message in problems(text)[0][2]


def test_billion_laughs_are_stopped_at_once():
    """Aliases of aliases are counted before they are written out."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 40)]
    [(where, _, message)] = problems("\n".join(lines))  # written out they are 10^40 values
    assert "more than 200000 values" in message
    assert where.startswith(("x.yaml:5:", "x.yaml:6:"))


def test_depth_is_bounded_also_through_aliases():
    """64 levels are read, 65 are not, and a deep text of any size is refused."""
    assert load("[" * 64 + "]" * 64, name="x.yaml").tree
    for text in (
        "[" * 65 + "]" * 65,
        "[" * 500_000,
        "a: &x " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 30 + "*x" + "]" * 30,
    ):
        assert "nested deeper than 64 levels" in problems(text)[0][2]


def test_size_is_bounded(tmp_path: Path):
    """More than 1 MiB is refused without being parsed, as text and as a file."""
    text = "# " + "x" * 2**20
    assert "larger than 1 MiB" in problems(text)[0][2]
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(RecipeError, match="larger than 1 MiB"):
        load_file(tmp_path / "x.yaml")
    assert "larger than 1 MiB" in problems("# " + "ä" * (2**19))[0][2]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a:\n\tb: 1", "x.yaml:2:1", "not with tabs"),
        ("a: [1, 2\nb: 3", "x.yaml:2:2", "not YAML"),
        ("a: b: c", "x.yaml:1:5", "needs quotes"),
        ("a: @x", "x.yaml:1:4", "needs quotes"),
        ("a:\n  - 1\n b: 2", "x.yaml:3:2", "check the indentation"),
        ('a: "x', "x.yaml:1:6", "not YAML"),
        ('a: "\\q"', "x.yaml:1:6", "single quotes"),
        ("a: 1\n---\nb: 2", "x.yaml:2:1", "one file holds one document"),
        ("%YAML 1.1\n---\na: 1", "x.yaml:1:1", "remove the %YAML line"),
        ("a: x\x00y", "x.yaml:1:5", "U\\+0000"),
        ("a: 1\nb: x\x85y", "x.yaml:2:5", "U\\+0085"),
        ("a: \u2028", "x.yaml:1:4", "U\\+2028"),
        ("a: \ud800", "x.yaml:1:4", "U\\+D800"),
        ('a: "\\ud83d\\ude00"', "x.yaml:1:4", "write the character itself"),
    ],
)
def test_syntax_errors_have_a_place_and_a_way_out(text, where, message):
    """What is not YAML is one problem with its place."""
    with pytest.raises(RecipeError, match=message) as caught:
        load(text, name="x.yaml")
    assert [p.where for p in caught.value.problems] == [where]


def test_files_are_utf8(tmp_path: Path):
    """A byte that is not UTF-8 has a place; a byte order mark and Windows line ends change nothing."""
    path = tmp_path / "x.yaml"
    path.write_bytes("a: ä\nb: ".encode() + b"\xe4\n")
    with pytest.raises(RecipeError, match=r"x\.yaml:2:4: byte 0xe4 is not UTF-8"):
        load_file(path)
    path.write_bytes(b"\xef\xbb\xbfa: yes\r\nb:\r\n  - 1e-3\r\n")
    document = load_file(path)
    assert document.tree == {"a": "yes", "b": [0.001]}
    assert document.where(("b", 0)) == f"{path.as_posix()}:3:5"
    with pytest.raises(RecipeError, match=r"none\.yaml: cannot be read"):
        load_file(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-6", -6),
        ("1e-3", 0.001),
        ("off", "off"),
        ("", None),
        ("[1, two, {a: 3}]", [1, "two", {"a": 3}]),
        ("{uniform: [0, 1]}", {"uniform": [0, 1]}),
        ('{"a":1}', {"a": 1}),
        ("hello world", "hello world"),
    ],
)
def test_set_values_are_yaml(text, value):
    """``--set`` takes any YAML value, of the same meaning."""
    assert parse_scalar(text) == value


def test_set_values_say_where_they_are_wrong():
    """A problem in a ``--set`` value names the option and the path it was for."""
    with pytest.raises(RecipeError, match=r"^--set:1:5 noise\.a: \.nan is not a finite"):
        parse_scalar("{a: .nan}", base="noise")


def test_the_work_grows_with_the_lines():
    """Twice as many lines take no more than twice as many calls."""
    source = "{{type: chirp, fmin: {{uniform: [100, 2e3]}}}}"
    block = f"  - name: e{{}}\n    source: {source}\n    label: $word\n    snr_db: 1e-3\n"

    def calls(n: int) -> int:
        count = 0

        def see(frame: object, event: str, arg: object) -> None:
            nonlocal count
            count += event == "call"

        before = sys.getprofile()
        sys.setprofile(see)
        try:
            tree = load("events:\n" + "".join(block.format(i) for i in range(n)), name="x.yaml").tree
        finally:
            sys.setprofile(before)
        assert len(tree["events"]) == n
        return count

    assert 1000 < calls(250) <= calls(500) <= 2 * calls(250)
