"""Splits: whole groups, by a keyed hash, so that growing catalogues move nobody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from audiosynth.clip import Recording
from audiosynth.errors import AssetError
from audiosynth.material.splits import SplitSpec, assign, groups


def _made(*rows: dict[str, str], data: str = "d") -> list[Recording]:
    return [
        Recording(
            data=data, path=row.get("path", f"{i:05d}.wav"), sha256=f"{i:064x}", sr=8000, n_channels=1, n_samples=1,
            active=(0, 1), meta={key: value for key, value in row.items() if key != "path"},
        )
        for i, row in enumerate(rows)
    ]  # fmt: skip


def _speakers(n: int) -> list[Recording]:
    return _made(*({"speaker": f"s{k}"} for k in range(n) for _ in range(3)))


SHARES = {"train": 0.5, "val": 0.2, "test": 0.3}


def test_groups_stay_together() -> None:
    """All recordings of a speaker go to one split."""
    made = _speakers(50)
    sent = assign(made, group_fields=["speaker"], shares=SHARES)
    assert len(sent) == 150
    for speaker in {r.meta["speaker"] for r in made}:
        assert len({sent[r.path] for r in made if r.meta["speaker"] == speaker}) == 1


def test_shares_are_met() -> None:
    """Of many groups each split gets its share, within four standard deviations of the binomial."""
    made = _made(*({} for _ in range(4000)))
    sent = list(assign(made, group_fields=["path"], shares={"train": 5, "val": 2, "test": 3}).values())
    for split, p in SHARES.items():
        assert abs(sent.count(split) - 4000 * p) < 4 * (4000 * p * (1 - p)) ** 0.5


def test_growing_moves_nobody() -> None:
    """Recordings added later, in any order, leave every earlier one where it was."""
    small, large = _speakers(40), _speakers(200)
    before = assign(small, group_fields=["speaker"], shares=SHARES)
    after = assign(large[::-1], group_fields=["speaker"], shares=SHARES)
    assert {path: after[path] for path in before} == before


def test_same_speaker_in_two_catalogues() -> None:
    """A speaker goes to the same split in every catalogue."""
    one = assign(_speakers(30), group_fields=["speaker"], shares=SHARES)
    rows = [{"speaker": f"s{k}", "path": f"other/{k}.flac"} for k in range(30)]
    two = assign(_made(*rows, data="more"), group_fields=["speaker"], shares=SHARES)
    assert all(two[f"other/{k}.flac"] == one[f"{3 * k:05d}.wav"] for k in range(30))


def test_seed_deals_anew() -> None:
    """Another seed sends groups elsewhere."""
    made = _speakers(60)
    deals = [assign(made, group_fields=["speaker"], shares=SHARES, seed=seed) for seed in (0, 1)]
    assert deals[0] != deals[1]
    assert deals[0] == assign(made, group_fields=["speaker"], shares=SHARES, seed=0)


def test_any_shared_key_joins() -> None:
    """Recordings joined by any field, even through others, are one group, named by its smallest key."""
    made = _made(
        {"speaker": "ann", "room": "k"}, {"speaker": "bob", "room": "k"}, {"speaker": "bob", "room": "h"},
        {"speaker": "cleo", "room": "z"}, {"speaker": "dora"},
    )  # fmt: skip
    found = groups(made, ["speaker", "room"])
    assert found == {
        "room:h": ("room:h", "room:k", "speaker:ann", "speaker:bob"),
        "room:z": ("room:z", "speaker:cleo"),
        "speaker:dora": ("speaker:dora",),
    }
    for seed in range(20):
        sent = assign(made, group_fields=["speaker", "room"], shares={"a": 1, "b": 0}, seed=seed, frozen={"cleo": "b"})
        assert [sent[r.path] for r in made] == ["a", "a", "a", "b", "a"]


def test_field_is_part_of_the_key() -> None:
    """A speaker and a room of the same name are not one group."""
    found = groups(_made({"speaker": "x", "room": "1"}, {"speaker": "y", "room": "x"}), ["speaker", "room"])
    assert len(found) == 2


def test_frozen_wins() -> None:
    """A group that stands fixed goes there, by its key or its value alone."""
    made = _speakers(40)
    for seed in range(5):
        frozen = {"speaker:s3": "test", "s4": "val"}
        sent = assign(made, group_fields=["speaker"], shares=SHARES, seed=seed, frozen=frozen)
        assert (sent["00009.wav"], sent["00012.wav"]) == ("test", "val")


def test_frozen_in_conflict() -> None:
    """One group cannot be fixed to two splits."""
    made = _made({"speaker": "ann", "room": "k"}, {"speaker": "bob", "room": "k"})
    with pytest.raises(AssetError, match=r"several splits: 'ann' to 'a', 'speaker:bob' to 'b'"):
        assign(made, group_fields=["speaker", "room"], shares={"a": 1, "b": 1}, frozen={"ann": "a", "speaker:bob": "b"})


def test_too_few_groups() -> None:
    """A split that no group falls to is an error that names catalogue, split, groups and the way out."""
    with pytest.raises(AssetError, match=r"catalogue 'digits': a split with too few groups: '\w+' gets none of the 2 \(speaker:s0, speaker:s1\); .*assign"):  # fmt: skip
        assign(_speakers(2), group_fields=["speaker"], shares=SHARES, name="digits")


def test_no_field_to_group_by() -> None:
    """A recording without the field is refused by name."""
    with pytest.raises(AssetError, match=r"d:00000\.wav has no 'speaker' to group it by"):
        assign(_made({}), group_fields=["speaker"], shares=SHARES)


def test_spec_shorthand() -> None:
    """Shares may stand alone; written out they take a seed and fixed groups."""
    assert SplitSpec.model_validate({"train": 3, "test": 1}) == SplitSpec(shares={"train": 3, "test": 1})
    whole = SplitSpec.model_validate({"shares": {"a": 1, "b": 1}, "seed": 4, "assign": {"ann": "b"}})
    assert (list(whole.shares), whole.seed, whole.frozen(Path())) == (["a", "b"], 4, {"ann": "b"})


@pytest.mark.parametrize(
    ("tree", "match"),
    [
        ({"train": 0, "test": 0}, "at least one of them above 0"),
        ({"train": -1, "test": 2}, "0 or more"),
        ({"train": "many"}, "valid number"),
        ({"train": float("nan")}, "finite"),
        ({}, "at least 1"),
        ({"shares": {"a": 1}, "assign": {"ann": "c"}}, "no split is called 'c'; there are a"),
        ({"shares": {"a": 1}, "sed": 1}, "sed"),
    ],
)
def test_spec_refused(tree: dict[str, object], match: str) -> None:
    """Shares that cannot be meant are refused."""
    with pytest.raises(ValidationError, match=match):
        SplitSpec.model_validate(tree)


def test_splits_file(tmp_path: Path) -> None:
    """Fixed groups may stand in a file below the recipe's folder; the recipe's own win over it."""
    (tmp_path / "splits.json").write_text(json.dumps({"ann": "a", "bob": "b"}))
    spec = SplitSpec(shares={"a": 1, "b": 1}, assign={"ann": "b"}, file="splits.json")
    assert spec.frozen(tmp_path) == {"ann": "b", "bob": "b"}


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("../splits.json", "{}", "below the recipe's folder"),
        ("none.json", None, "cannot be read"),
        ("s.json", "{", "not JSON"),
        ("s.json", "[1]", "expected a map"),
        ("s.json", '{"ann": "c"}', "'ann' is sent to 'c'"),
        ("s.json", '{"ann": ["a"]}', "'ann' is sent to"),
    ],
)
def test_splits_file_refused(tmp_path: Path, name: str, text: str | None, match: str) -> None:
    """A file outside the folder, missing, or of another form is refused."""
    if text is not None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / name).write_text(text)
    with pytest.raises(AssetError, match=match):
        SplitSpec(shares={"a": 1}, file=name).frozen(tmp_path / "in")
