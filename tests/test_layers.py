"""The architecture, held by reading the source: imports go down only, draws are pure, files and functions stay small."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "audiosynth"
FILES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
# From the ground up: README, Architecture. A module imports from its own floor and from those under it.
# A name stands for a module, or for a package and all that is in it unless the table names that itself.
FLOORS = {
    "array maths": (
        "errors", "plugins", "versions", "compiled", "steps", "kept", "quantities", "dsp", "levels", "pcm", "dice", "files", "sound", "coding", "synthesis", "acoustics",
        "scaper", "scaper.sound", "speech.phones", "speech.espeak_worker", "language.quantiles",
    ),
    "language and material": ("registry", "clip", "language", "material", "corpora", "spaces", "profiles", "speech", "scaper.jams"),
    "components": ("synths", "noises", "rooms", "effects", "exporters"),
    "records that travel": ("spec", "records", "scaper.spec"),
    "stages": (
        "recipe", "loading", "plan", "planning", "render", "rendering", "manifest", "scaper.chain", "scaper.importing",
    ),
    "loops": (
        "build", "building", "cluster", "merge", "reproduce", "verify", "vary", "diff", "exports", "dataset", "torch_stream", "starter", "presets",
        "stats", "leakage", "report", "scaper.order", "withdraw", "doctor", "audit", "auditing",
    ),
    "commands": ("cli", "commands", "__main__"),
}  # fmt: skip
STAGES = {
    "recipe": ("recipe", "loading"),
    "plan": ("plan", "planning"),
    "render": ("render", "rendering", "scaper.chain"),
    "imports": ("scaper.importing",),
    "manifest": ("manifest",),
}
HEAVY = {
    "scipy",
    "soundfile",
    "librosa",
    "soxr",
    "matplotlib",
    "numba",
    "h5py",
    "pyloudnorm",
    "pyarrow",
    "distributed",
    "fsspec",
    "jinja2",
    "PIL",
}
IMPORTED_LATE = ("kernel", "cluster.worker")
"""How modules end that import heavy libraries where they stand: compiled loops, what runs in a Dask worker. Only functions import them."""
ENDS_WORKERS = {"audiosynth.building.pool os._exit"}
"""A worker whose command was killed has nothing to clean up and nobody to tell."""
ORDER_IS_NOBODYS = {"audiosynth.building.crew waiting"}
"""Futures of units: nothing is written in the order they are cancelled in."""
MAX_FILE, MAX_FUNCTION = 300, 40


def short(module: str) -> str:
    """Return a module's name below the package."""
    return module.removeprefix("audiosynth").removeprefix(".")


def home(module: str, table: dict[str, tuple[str, ...]]) -> str | None:
    """Return the longest name in a table that a module is called by, or lies under."""
    names = [n for row in table.values() for n in row if f"{short(module)}.".startswith(f"{n}.")]
    return max(names, key=len, default=None)


def found_in(module: str, table: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the rows of a table that a module is in."""
    return [row for row, names in table.items() if home(module, table) in names]


def is_cli(module: str) -> bool:
    """Return whether a module belongs to the commands."""
    return found_in(module, FLOORS) == ["commands"]


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """Return every file of the package, parsed."""
    return {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in FILES.items()}


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return every node of a file; a dozen rules look at each, and finding them takes longer than looking."""
    return tuple(ast.walk(tree))


def only_for_types(tree: ast.AST) -> set[int]:
    """Return the nodes under `if TYPE_CHECKING`, which never run."""
    blocks = [n for n in nodes(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    return {id(inner) for block in blocks for statement in block.body for inner in ast.walk(statement)}


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that a file imports, wherever it does."""
    skipped = only_for_types(tree)
    for node in nodes(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in FILES else str(node.module)


def edges(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Return which modules of the package each one imports."""
    return {m: {i for i in imported(t) if i.split(".")[0] == "audiosynth"} - {m} for m, t in trees.items()}


def place(module: str, node: ast.AST) -> str:
    """Return where a node stands, for the message."""
    return f"{FILES[module].relative_to(ROOT.parent)}:{getattr(node, 'lineno', 0)}"


def test_every_module_stands_on_one_floor():
    """The table names every file of the package exactly once, so that a new one must be given its place."""
    assert {m: found_in(m, FLOORS) for m in FILES if short(m) and len(found_in(m, FLOORS)) != 1} == {}


def test_every_package_is_shipped():
    """What is installed without this repository is all of the package."""
    listed = (ROOT.parent / "pyproject.toml").read_text(encoding="utf-8").partition("packages = [")[2].partition("]")[0]
    there = {".".join(path.parent.relative_to(ROOT.parent).parts) for path in ROOT.rglob("__init__.py")}
    assert there - {line.strip(' ",') for line in listed.splitlines()} == set()


def test_imports_go_down_only(trees):
    """No module imports from a floor above its own (types alone do not count: nothing is imported for them)."""
    height = {name: i for i, name in enumerate(FLOORS)}
    up = [
        f"{short(a)} → {short(b)}"
        for a, targets in edges(trees).items()
        for b in sorted(targets)
        if short(a) and short(b) and height[found_in(b, FLOORS)[0]] > height[found_in(a, FLOORS)[0]]
    ]
    assert up == []


def test_stages_never_import_each_other(trees):
    """recipe, plan, render and manifest know only the records that travel between them."""
    crossing = [
        f"{short(a)} → {short(b)}"
        for a, targets in edges(trees).items()
        for b in sorted(targets)
        if found_in(a, STAGES) and found_in(b, STAGES) and found_in(a, STAGES) != found_in(b, STAGES)
    ]
    assert crossing == []


def test_components_never_import_each_other(trees):
    """A component stands in one file: it imports no other, only what its family shares under an underscore."""
    found = [
        f"{short(a)} → {short(b)}"
        for a, targets in edges(trees).items()
        for b in sorted(targets)
        if found_in(a, FLOORS) == found_in(b, FLOORS) == ["components"] and not b.split(".")[-1].startswith("_")
    ]
    assert found == []


def test_imports_have_no_circles(trees):
    """Following imports never comes back to where it began."""
    graph = edges(trees)
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " → ".join((*trail, module))
        if module not in done:
            for target in sorted(graph.get(module, ()) - {"audiosynth"}):
                visit(target, (*trail, module))
            done.add(module)

    for module in FILES:
        visit(module, ())


def test_heavy_libraries_are_imported_where_they_are_needed(trees):
    """SciPy and its like are imported inside functions, click and rich by the commands alone."""
    found = []
    for module, tree in ((m, t) for m, t in trees.items() if not m.endswith(IMPORTED_LATE)):
        inside = {
            id(n)
            for f in nodes(tree)
            if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
            for n in nodes(f)
            if n is not f
        } | only_for_types(tree)
        for node in nodes(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [str(node.module)]
                tops = {name.split(".")[0] for name in names}
                bad = tops & HEAVY if id(node) not in inside else set()
                bad |= set() if is_cli(module) else tops & {"click", "rich"}
                found += [f"{place(module, node)} {name}" for name in sorted(bad)]
    assert found == []


def test_importing_the_package_is_light():
    """`import audiosynth` loads no library at all, and its modules none of the heavy ones."""
    heavy = sorted(HEAVY | {"click", "rich"})
    code = (
        f"import sys, audiosynth; assert 'numpy' not in sys.modules; import audiosynth.build, audiosynth.reproduce; "
        f"sys.exit(', '.join(m for m in {heavy} if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT.parent, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Yield every call with the name called, as written."""
    for node in nodes(tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def test_only_commands_print_and_exit(trees):
    """print, exit and the like stand in cli.py and commands/ alone; nothing in the package asserts."""
    exits = {"print", "exit", "quit", "input", "sys.exit", "os._exit", "os.abort"}
    found = [
        f"{place(m, n)} {name}"
        for m, t in trees.items()
        for n, name in calls(t)
        if name in exits and not is_cli(m) and f"{m} {name}" not in ENDS_WORKERS
    ]
    found += [place(m, n) + " assert" for m, t in trees.items() for n in nodes(t) if isinstance(n, ast.Assert)]
    assert found == []


def test_no_chance_and_no_clock(trees):
    """Nothing below the commands uses global or NumPy generators (but raw Philox words), hash(), uuid, time or locale."""
    banned = {"random", "secrets", "uuid", "time", "datetime", "locale", "socket", "getpass"}
    found = []
    for module, tree in trees.items():
        for node in nodes(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
                found += [] if node.attr == "Philox" else [f"{place(module, node)} np.random.{node.attr}"]
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("numpy.random"):
                found += [f"{place(module, node)} {a.name}" for a in node.names if a.name != "Philox"]
        if not is_cli(module):
            found += [f"{place(module, node)} hash()" for node, name in calls(tree) if name == "hash"]
            found += [f"{short(module)} imports {i}" for i in imported(tree) if i.split(".")[0] in banned]
    assert found == []


def parents(tree: ast.AST) -> dict[int, ast.AST]:
    """Return the node above each node."""
    return {id(child): node for node in nodes(tree) for child in ast.iter_child_nodes(node)}


ORDERLESS = {"sorted", "len", "any", "all", "set", "frozenset", "min", "max", "sum", "bool"}


def feeds_order(node: ast.AST, above: dict[int, ast.AST]) -> bool:
    """Return whether the order in which a value is gone through can be seen outside."""
    up = above.get(id(node))
    if isinstance(up, ast.Call) and node in up.args:
        return ast.unparse(up.func) in (
            "list",
            "tuple",
            "iter",
            "enumerate",
            "map",
            "filter",
            "zip",
            "dict.fromkeys",
        ) or (isinstance(up.func, ast.Attribute) and up.func.attr == "join")
    if isinstance(up, ast.For):
        return up.iter is node
    if isinstance(up, ast.comprehension) and up.iter is node:
        holder = above[id(up)]
        outer = above.get(id(holder))
        wrapped = isinstance(outer, ast.Call) and ast.unparse(outer.func) in ORDERLESS
        return not (isinstance(holder, ast.SetComp) or wrapped)
    return isinstance(up, ast.Starred) and not isinstance(above.get(id(up)), ast.Set)


def makes_set(node: ast.AST) -> bool:
    """Return whether an expression is a set, as far as it shows."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return makes_set(node.left) or makes_set(node.right)
    return isinstance(node, ast.Set | ast.SetComp) or (
        isinstance(node, ast.Call) and ast.unparse(node.func) in ("set", "frozenset")
    )


def test_no_order_from_sets(trees):
    """Nothing goes through a set in its own order: sets are sorted first, or only asked."""
    found = []
    for module, tree in trees.items():
        above = parents(tree)
        scopes = [n for n in nodes(tree) if isinstance(n, ast.FunctionDef | ast.Module)]
        for scope in scopes:
            named = {
                target.id
                for n in nodes(scope)
                if isinstance(n, ast.Assign | ast.AnnAssign) and n.value is not None and makes_set(n.value)
                for target in (n.targets if isinstance(n, ast.Assign) else [n.target])
                if isinstance(target, ast.Name)
            }
            for node in nodes(scope):
                is_set = makes_set(node) or (
                    not isinstance(scope, ast.Module) and isinstance(node, ast.Name) and node.id in named
                )
                if is_set and feeds_order(node, above) and f"{module} {ast.unparse(node)}" not in ORDER_IS_NOBODYS:
                    found.append(f"{place(module, node)} {ast.unparse(node)}")
    assert sorted(set(found)) == []


def test_directories_are_sorted(trees):
    """What a directory lists is sorted where it is asked (a walk: in its loop), or only counted; os.listdir is not used."""
    found = []
    for module, tree in trees.items():
        above = parents(tree)
        for node, name in calls(tree):
            up = above[id(node)]
            if name in ("os.listdir", "os.scandir", "glob.glob", "glob.iglob"):
                found.append(f"{place(module, node)} {name}")
            elif name == "os.walk":
                steps = [ast.unparse(n) for n in nodes(up) if isinstance(n, ast.Assign | ast.Call)]
                if not any("[:] = sorted(" in step or step.endswith(".sort()") for step in steps):
                    found.append(f"{place(module, node)} {name}")
            elif name.split(".")[-1] in ("glob", "rglob", "iterdir"):
                holder = above[id(up)] if isinstance(up, ast.comprehension) else up
                outer = above[id(holder)] if isinstance(up, ast.comprehension) else holder
                calm = isinstance(outer, ast.Call) and ast.unparse(outer.func) in ORDERLESS
                if not calm and not isinstance(holder, ast.SetComp | ast.DictComp):
                    found.append(f"{place(module, node)} {name}")
    assert found == []


def test_files_are_short():
    """No file of the package is longer than 300 lines."""
    long = {short(m): n for m, p in FILES.items() if (n := len(p.read_text(encoding="utf-8").splitlines())) > MAX_FILE}
    assert long == {}


def code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that hold code: no comments, no blanks, no texts that stand alone."""
    lines: set[int] = set()
    quiet = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in quiet:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def test_functions_are_short(trees):
    """No function has more than 40 lines of code, its docstring not counted."""
    found = []
    for module, tree in trees.items():
        lines = code_lines(FILES[module].read_text(encoding="utf-8"))
        for node in nodes(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                n = len(lines & set(range(node.lineno, (node.end_lineno or 0) + 1)))
                found += [f"{place(module, node)} {node.name}: {n}"] if n > MAX_FUNCTION else []
    assert found == []


def test_public_things_are_documented(trees):
    """Every module, public class, public function and public method says what it is."""
    found = []
    for module, tree in trees.items():
        found += [] if ast.get_docstring(tree) else [short(module)]
        bodies = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_"))]
        for body in bodies:
            for node in body.body:
                wanted = isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
                if wanted and not ast.get_docstring(node):
                    found.append(f"{place(module, node)} {node.name}")
    assert found == []


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("for x in {1, 2}: pass", test_no_order_from_sets),
        ("def f():\n s = set()\n return [x for x in s]", test_no_order_from_sets),
        ("import os\nos.listdir('.')", test_directories_are_sorted),
        ("for p in folder.rglob('*'): pass", test_directories_are_sorted),
        ("import numpy as np\nnp.random.default_rng(1)", test_no_chance_and_no_clock),
        ("import random", test_no_chance_and_no_clock),
        ("hash('x')", test_no_chance_and_no_clock),
        ("def f():\n import time", test_no_chance_and_no_clock),
        ("print(1)", test_only_commands_print_and_exit),
        ("assert 1", test_only_commands_print_and_exit),
        ("import scipy.signal", test_heavy_libraries_are_imported_where_they_are_needed),
        ("def f():\n import rich", test_heavy_libraries_are_imported_where_they_are_needed),
        ("from audiosynth import plan", test_imports_go_down_only),
        ("def f():\n from audiosynth.build import build", test_imports_go_down_only),
        ("def f(): pass", test_public_things_are_documented),
    ],
)
def test_the_rules_can_fail(source, rule):
    """Each rule finds what it forbids when a module of the lowest floor does it."""
    with pytest.raises(AssertionError):
        rule({"audiosynth.dsp": ast.parse(source)})
    rule({"audiosynth.dsp": ast.parse('"""Nothing."""\nfor x in sorted({1, 2}): pass')})
