"""Builds on a Dask cluster of real processes: the tree of a local build, whatever dies on the way; what stands in the way is said."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest
from dask_cluster import ENV, Cluster
from material import full_recipe, tree_of, write_recipe

from audiosynth import build, dask_crew, load_recipe, plugins
from audiosynth.building.crew import Task
from audiosynth.building.orders import RecipeOrder
from audiosynth.building.units import Unit
from audiosynth.cluster import connect, dispatch, run
from audiosynth.cluster.run import Run, facts
from audiosynth.errors import BuildError, PlanError, UsageError
from audiosynth.versions import version

CLIPS = 130
needs_dask = pytest.mark.skipif(not connect.installed(), reason="Dask is not installed: pip install 'audiosynth[dask]'")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Return a recipe that uses every kind of recording."""
    path = full_recipe(tmp_path_factory.mktemp("material"))
    return load_recipe(path, clips=CLIPS, cache_dir=path.parent / "cache")


@pytest.fixture(scope="module")
def whole(recipe, tmp_path_factory):
    """Return the tree of a local build."""
    return tree_of(build(recipe, tmp_path_factory.mktemp("whole") / "out").root)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Return a scheduler for several tests."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster")).start()
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(shared):
    """Return a cluster with a worker at least; what a test before has killed is started again."""
    if shared.scheduler.poll() is not None:
        shared.start()
    if not shared.workers:
        shared.work(threads=2)
    yield shared
    for worker in shared.workers[1:]:
        shared.kill(worker)


class Once:
    """Does something when the first unit of a build is there, and waits until it is done."""

    def __init__(self, act) -> None:
        self.act, self.seen = act, []

    def __call__(self, done: int, total: int) -> None:
        self.seen.append(done)
        if done and self.act is not None:
            act, self.act = self.act, None
            act()


@needs_dask
def test_local_workers_make_the_same_bytes(recipe, whole, tmp_path):
    """`--dask local` starts workers, ends with them, prints what a build prints, and leaves the tree of a local build."""
    words = ["build", str(recipe_file(recipe)), "--clips", str(CLIPS), "--dask", "local", "--workers", "2", "-o", "out"]
    done = subprocess.run(
        [sys.executable, "-m", "audiosynth", *words], env=ENV, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("dataset")
    assert tree_of(tmp_path / "out") == whole


def recipe_file(recipe) -> Path:
    """Return the file of the module's recipe."""
    return recipe.roots["words"].parent / "full.yaml"


@needs_dask
def test_a_killed_worker_costs_nothing(recipe, whole, cluster, tmp_path, monkeypatch):
    """Kill -9 of a worker in the midst of its unit: another makes that again; never more in flight than two a thread."""
    flying = []
    real = dispatch.Dispatch._hand_out
    monkeypatch.setattr(
        dispatch.Dispatch, "_hand_out", lambda self, *a: (real(self, *a), flying.append(len(self._flying)))
    )
    doomed = cluster.work()
    once = Once(lambda: cluster.kill(doomed))
    built = build(recipe, tmp_path / "out", crew=dask_crew(cluster.address), progress=once)
    assert tree_of(built.root) == whole
    assert once.seen[-1] == 2 * CLIPS
    assert once.seen == sorted(set(once.seen)), "no clip is counted twice"
    assert 3 <= max(flying) <= 6


@needs_dask
def test_a_killed_scheduler_leaves_a_tree_to_go_on_from(recipe, whole, cluster, tmp_path):
    """One message and no traceback; the same command on a new scheduler ends in the undisturbed tree."""
    killing = Once(lambda: cluster.kill(cluster.scheduler))
    out = tmp_path / "out"
    with pytest.raises(BuildError, match=r"scheduler at tcp://127.0.0.1:\d+ is gone; what is finished stays"):
        build(recipe, out, crew=dask_crew(cluster.address), progress=killing)
    assert not (out / "manifest.jsonl").exists()
    assert killing.seen[-1] < 2 * CLIPS
    cluster.workers.pop().wait()  # a worker leaves with its scheduler
    cluster.start().work()
    again = Once(None)
    assert tree_of(build(recipe, out, crew=dask_crew(str(cluster.file)), progress=again).root) == whole
    assert again.seen[0] >= 64


def clicks(folder: Path, *, onset: object, clips: int):
    """Return a recipe of clips that cost little."""
    event = {"label": "a", "source": {"type": "click"}, "onset": onset, "level_dbfs": -20}
    tree = {"sr": 8000, "duration": 0.2, "clips": clips, "events": [event]}
    return load_recipe(write_recipe(folder / "r.yaml", tree))


@needs_dask
def test_a_worker_of_another_version_is_refused(cluster, tmp_path):
    """One that comes late gets nothing to do and the build goes on without it; with one that is there no build begins."""
    recipe = clicks(tmp_path, onset=0.05, clips=16 * 64)
    whole = tree_of(build(recipe, tmp_path / "whole").root)
    script = tmp_path / "other.py"
    script.write_text("import audiosynth.cluster.run as run\nrun.version = lambda: '0.0.9'\n")
    notes: list[str] = []
    late = Once(lambda: cluster.work("--preload", str(script)))
    built = build(recipe, tmp_path / "out", crew=dask_crew(cluster.address, note=notes.append), progress=late)
    assert tree_of(built.root) == whole
    assert [note.partition(" ")[2] for note in notes] == [
        f"came late and gets nothing to do: it has audiosynth 0.0.9 (here {version()})"
    ]
    with pytest.raises(BuildError, match=r"1 of 2 workers cannot take part(?s:.*)has audiosynth 0\.0\.9 \(here \d"):
        build(recipe, tmp_path / "next", crew=dask_crew(cluster.address))
    assert not list((tmp_path / "next").rglob("*.wav"))


PLUGIN = "plugin hornworks 0.3 with effects.louder"


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ([], "has plugin hornworks none (here 0.3 with effects.louder, synths.buzzer)"),
        ([("Hornworks", "0.2", ("synths.buzzer", "effects.louder"))], "0.2 with effects.louder, synths.buzzer (here 0.3 with"),
        ([("Hornworks", "0.3", ("synths.buzzer",))], "0.3 with synths.buzzer (here 0.3 with effects.louder, synths.buzzer)"),
        ([("Otherhorns", "0.3", ("synths.buzzer", "effects.louder"))], "plugin hornworks none (here 0.3 with"),
        ([("hornworks", "0.3", ("effects.louder", "synths.buzzer")), ("Extra", "1", ("synths.b",))], ""),
    ],
)  # fmt: skip
def test_plugins_are_compared_too(monkeypatch, there, told):
    """A package that offers components has to be there in the same version, with the same components; one more does not matter."""
    monkeypatch.setattr(run, "offers", lambda: offers_of([("Hornworks", "0.3", ("synths.buzzer", "effects.louder"))]))
    wanted = run.facts()
    assert wanted["plugin hornworks"] == "0.3 with effects.louder, synths.buzzer"
    monkeypatch.setattr(run, "offers", lambda: offers_of(there))
    assert told in run.unfit(wanted, [])
    assert bool(told) == bool(run.unfit(wanted, []))


def offers_of(packages):
    """Return what installed packages offer, as `plugins.offers` does."""
    return tuple(
        plugins.Offer(package.lower(), version, *name.split("."), EntryPoint(name, "horns:Horn", plugins.GROUP))
        for package, version, names in packages
        for name in names
    )


@needs_dask
def test_a_worker_without_a_plugin_is_refused(cluster, tmp_path, monkeypatch):
    """What is installed here and not there is told in one message, and no build begins."""
    monkeypatch.setattr(run, "offers", lambda: offers_of([("hornworks", "0.3", ("effects.louder",))]))
    with pytest.raises(
        BuildError, match=rf"1 of 1 workers cannot take part(?s:.*)has plugin hornworks none \(here {PLUGIN[17:]}\)"
    ):
        build(clicks(tmp_path, onset=0.05, clips=2), tmp_path / "out", crew=dask_crew(cluster.address))
    assert not list((tmp_path / "out").rglob("*.wav"))


@needs_dask
def test_a_worker_that_does_not_see_a_folder_is_refused(recipe, cluster, tmp_path, monkeypatch):
    """Folders that are not shared are found out before anything is made."""
    monkeypatch.setattr(dispatch, "LATE_LOOKS", 2)
    monkeypatch.setattr(Run, "folders", property(lambda run: (run.scratch, Path("/only/here"))))
    with pytest.raises(BuildError, match=r"1 of 1 workers cannot take part(?s:.*)does not see /only/here"):
        build(recipe, tmp_path / "out", crew=dask_crew(cluster.address))


@needs_dask
def test_errors_of_a_clip_are_those_of_a_local_build(cluster, tmp_path):
    """The clip that cannot be made is named; with `keep_going` it is left out, and the tree is that of a local build."""
    recipe = clicks(tmp_path, onset={"choice": [0.05, 0.05, 0.05, 0.3]}, clips=130)
    with pytest.raises(PlanError, match=r"clip train/\d+.*does not fit"):
        build(recipe, tmp_path / "stopped", crew=dask_crew(cluster.address))
    local = build(recipe, tmp_path / "local", keep_going=True)
    far = build(recipe, tmp_path / "far", keep_going=True, crew=dask_crew(cluster.address))
    assert far.stats["failed"] > 15
    assert tree_of(far.root) == tree_of(local.root)


@needs_dask
def test_a_worker_of_a_run_that_is_over_writes_nothing(recipe, tmp_path):
    """What a worker still has in hand when its run ends, it gives up: at once, or at the next clip; no file gets to its place."""
    from audiosynth.cluster.worker import BuildPlugin

    scratch = tmp_path / "out" / ".build" / "tmp" / "run"
    scratch.mkdir(parents=True)
    task = Task(RecipeOrder(recipe), tmp_path / "out")
    memory = SimpleNamespace(memory_limit=2**30)
    worker = SimpleNamespace(
        id="w", address="tcp://w", plugins={}, memory_manager=memory, state=SimpleNamespace(nthreads=1)
    )
    plugin = BuildPlugin(Run("run", pickle_of(task), scratch, recipe.roots, facts(), 1))
    plugin.setup(worker)
    assert plugin.make(Unit("train", 0, 2)) == 2
    before = tree_of(tmp_path / "out")
    scratch.rename(scratch.with_name("over"))
    with pytest.raises(BuildError, match="stopped"):
        plugin.make(Unit("train", 64, 66))
    fresh = BuildPlugin(Run("run", pickle_of(task), scratch, recipe.roots, facts(), 1))
    fresh.setup(worker)
    assert "does not see" in fresh.make(Unit("train", 64, 66)).reason
    assert tree_of(tmp_path / "out") == before


@needs_dask
def test_an_error_that_cannot_travel_is_told_in_words(recipe, cluster, tmp_path):
    """An error that holds what cannot be pickled ends the build with its words; the client does not wait for it without end."""
    script = tmp_path / "odd.py"
    script.write_text(
        "import threading\nimport audiosynth.building.crew as crew\n"
        "def odd(self, unit):\n    raise KeyError('odd', threading.Lock())\ncrew.Hand.__call__ = odd\n"
    )
    cluster.kill(cluster.workers[0])
    cluster.work("--preload", str(script))
    with pytest.raises(RuntimeError, match=r"jsonl: KeyError: \('odd', <unlocked"):
        build(recipe, tmp_path / "out", crew=dask_crew(cluster.address))
    cluster.kill(cluster.workers[0])


def pickle_of(task: Task) -> bytes:
    """Return a task as it travels."""
    import pickle

    return pickle.dumps(task)


@needs_dask
def test_no_scheduler_at_the_address(recipe, tmp_path, monkeypatch):
    """The message says how one is started."""
    monkeypatch.setattr(connect, "CONNECT_SECONDS", 0.5)
    with pytest.raises(BuildError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1; .*dask scheduler"):
        build(recipe, tmp_path / "out", crew=dask_crew("tcp://127.0.0.1:1"))
    file = tmp_path / "none.json"
    for text in (None, "{}", "[1]"):
        if text is not None:
            file.write_text(text)
        with pytest.raises(BuildError, match=r"none\.json: is not the file of a Dask scheduler .*--scheduler-file"):
            build(recipe, tmp_path / "out", crew=dask_crew(str(file)))


@pytest.mark.parametrize("address", ["", "8786", "127.0.0.1:8786", "tcp://host", "http://host:8786", "LOCAL"])
def test_addresses_that_are_none(address):
    """What is no address is told what one looks like."""
    with pytest.raises(UsageError, match="expected tcp://HOST:PORT"):
        dask_crew(address)


def test_without_dask_it_says_what_to_install(monkeypatch):
    """A missing extra is one message."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'audiosynth\[dask\]'"):
        dask_crew("local")


@pytest.mark.heavy
@needs_dask
def test_a_unit_that_ends_every_worker_is_named(recipe, tmp_path):
    """A unit that kills whoever takes it is given up after a bounded number of workers; the message names it."""
    script = tmp_path / "deadly.py"
    script.write_text(
        "import os\nimport audiosynth.cluster.worker as w\nreal = w.BuildPlugin.make\n"
        "w.BuildPlugin.make = lambda self, unit, real=real: os._exit(1) if unit.name.startswith('test') else real(self, unit)\n"
    )
    cluster = Cluster(tmp_path / "cluster").start(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        cluster.work("--nanny", "--preload", str(script))
        with pytest.raises(BuildError, match=r"test-\d+\.jsonl: every worker that took this unit was killed"):
            build(recipe, tmp_path / "out", crew=dask_crew(cluster.address))
    finally:
        cluster.close()
    assert len(list((tmp_path / "out").glob("audio/train/*/*.wav"))) == CLIPS
