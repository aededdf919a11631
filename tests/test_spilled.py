"""Numbers that may not fit in memory come back as they were put, and comparing fingerprints through them changes no result."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations
from tempfile import SpooledTemporaryFile

import numpy as np
import pytest

from audiosynth.auditing import sounds
from audiosynth.sound import fingerprint as fp
from audiosynth.sound import spilled
from audiosynth.sound.spilled import Arrays, Buckets


@pytest.fixture
def little_memory(monkeypatch):
    """Hold a thousand rows, and write to disk what has more than four kilobytes; yield how many rows were held at most."""
    monkeypatch.setattr(spilled, "HELD", 1000)
    monkeypatch.setattr(fp, "HELD", 1000)
    monkeypatch.setattr(spilled, "IN_MEMORY", 4096)
    most = Counter()
    whole, flush = Buckets.__iter__, Buckets._flush

    def watched(self):
        for rows in whole(self):
            most["bucket"] = max(most["bucket"], len(rows))
            yield rows

    def flushed(self):
        most["waiting"] = max(most["waiting"], sum(len(rows) for rows, _ in self._waiting))
        flush(self)

    monkeypatch.setattr(Buckets, "__iter__", watched)
    monkeypatch.setattr(Buckets, "_flush", flushed)
    return most


def by_hand(prints):
    """Return what pairs of frames say, found with dictionaries: (one, other, offset), the most frequent first."""
    places = defaultdict(list)
    for owner, values in enumerate(prints):
        for time, value in enumerate(values.tolist()):
            places[value].append((owner, time))
    pairs = Counter(
        (a, b, t - s)
        for value, found in places.items()
        if value and len(found) <= fp.CROWD
        for (a, s), (b, t) in combinations(found, 2)
        if a != b
    )
    chosen = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[: fp.MOST_PAIRS]
    return sorted(key for key, _ in chosen)


def some_prints(n, *, frames=300, values=3000, seed=1):
    """Return fingerprints whose frames have some values in common, silence, and a tone that nobody is told apart by."""
    rng = np.random.default_rng(seed)
    prints = []
    for i in range(n):
        one = rng.integers(0, values, rng.integers(0, frames), dtype=np.uint32)
        one[rng.random(one.size) < 0.2] = 77
        prints.append(prints[i // 2].copy() if i % 7 == 3 else one)
    return prints


@pytest.mark.parametrize("most", [fp.MOST_PAIRS, 100])
def test_pairs_are_those_of_a_dictionary(little_memory, monkeypatch, most):
    """Through many buckets: every pair, and of too many those with most equal frames, ties in order."""
    monkeypatch.setattr(fp, "MOST_PAIRS", most)
    prints = some_prints(40, values=100_000)
    want = by_hand(prints)
    assert len(want) == most or most == fp.MOST_PAIRS
    assert [tuple(row) for row in fp._seeds(prints, sum(p.size for p in prints)).tolist()] == want


@pytest.mark.parametrize("values", [40, 3000, 2**31])
@pytest.mark.parametrize("window", [None, 45])
def test_disk_or_memory_finds_the_same(little_memory, monkeypatch, values, window):
    """From disk a thousand frames at a time, or from memory all at once: the same matches."""
    prints = some_prints(60, values=values)
    others = some_prints(9, values=values, seed=1)
    with Arrays() as kept, Arrays() as kept_others:
        for one in prints:
            kept.append(one)
        for one in others:
            kept_others.append(one)
        small = fp.same_sound(kept, window=window), fp.same_sound(kept, kept_others, window=window)
    monkeypatch.undo()
    assert small == (fp.same_sound(prints, window=window), fp.same_sound(prints, others, window=window))
    assert values < 2**31 or len(small[0]) > 5 < len(small[1])


def test_what_is_held_does_not_grow_with_the_set(little_memory):
    """Four times the clips: no more rows in memory at once, though one value is in a fifth of all frames."""
    held = []
    for n in (200, 800):
        little_memory.clear()
        prints = some_prints(n, values=2**31, seed=n)
        with Arrays() as kept:
            for one in prints:
                kept.append(one)
            assert kept.total > 20_000
            assert isinstance(kept._file, SpooledTemporaryFile)
            assert kept._file._rolled
            fp.same_sound(kept)
        held.append((little_memory["bucket"], little_memory["waiting"]))
    for bucket, waiting in held:
        assert 0 < bucket < 2500
        assert waiting < 2500


def test_an_audit_holds_no_fingerprints():
    """What an audit remembers of a clip has no fingerprint, which lies with the others; of one that cannot be read it is empty."""
    heard = sounds.Heard("0" * 64, np.arange(9, dtype=np.uint32), -20.0, ("silent",))
    with Arrays() as prints:
        left = list(sounds.kept(iter([heard, "a.wav: cannot be read"]), prints))
        assert [one.tolist() for one in prints] == [list(range(9)), []]
    assert left[1] == "a.wav: cannot be read"
    assert (left[0].sha256, left[0].print.size, left[0].level_dbfs, left[0].faults) == ("0" * 64, 0, -20.0, ("silent",))


def test_arrays_come_back(little_memory):
    """By their place and in order, empty ones too, before and after they went to disk; there is no other."""
    rng = np.random.default_rng(1)
    made = [rng.integers(0, 2**32, n, dtype=np.uint32) for n in (0, 5, 0, 3000, 1)]
    with Arrays() as kept:
        for i, one in enumerate(made):
            kept.append(one)
            assert kept[i].tolist() == one.tolist()
        assert [one.tolist() for one in kept] == [one.tolist() for one in made]
        assert (len(kept), kept.total) == (5, 3006)
        with pytest.raises(IndexError, match="array 5 of 5"):
            kept[5]


def test_rows_of_one_key_are_together_and_in_order(little_memory):
    """No row is lost or doubled; a key is in one bucket only; its rows come as they were put."""
    rng = np.random.default_rng(2)
    rows = rng.integers(0, 500, (20_000, 3), dtype=np.uint32)
    rows[:, 1] = np.arange(20_000)
    with Buckets(20_000) as buckets:
        for at in range(0, 20_000, 700):
            some = rows[at : at + 700]
            buckets.add(some, some[:, 0].astype(np.uint64))
        found = list(buckets)
    assert len(found) > 10
    keys = [set(some[:, 0].tolist()) for some in found]
    assert sum(map(len, keys)) == len(set.union(*keys)) == 500
    assert all((np.diff(some[some[:, 0] == key, 1].astype(int)) > 0).all() for some in found for key in some[:3, 0])
    whole = np.concatenate(found)
    assert whole[np.argsort(whole[:, 1])].tolist() == rows.tolist()
