"""Licences: SPDX expressions, what they forbid, and recipes that declare what their recordings do not allow."""

from __future__ import annotations

import json

import pytest
from material import full_recipe, sounds, tone, write_recipe, write_wav
from pydantic import ValidationError

from audiosynth import build, load_recipe
from audiosynth.errors import RecipeError
from audiosynth.material.licences import Declared, alternatives, forbidden, spdx


@pytest.mark.parametrize(
    ("licence", "declared", "why"),
    [
        # CC's own chart of adapter's licences (creativecommons.org/faq, "If I derive or adapt…"), and the texts of the licences.
        ("CC0-1.0", {"set": "CC-BY-4.0", "use": "commercial"}, ""),
        ("CC-BY-3.0", {"set": "CC-BY-SA-4.0"}, ""),
        ("CC-BY-4.0", {"set": "CC-BY-NC-4.0"}, ""),
        ("CC-BY-SA-3.0", {"set": "CC-BY-SA-4.0"}, ""),
        ("CC-BY-SA-4.0", {"set": "CC-BY-SA-3.0"}, "same licence"),
        ("CC-BY-SA-1.0", {"set": "CC-BY-SA-4.0"}, "same licence"),
        ("CC-BY-SA-4.0", {"set": "CC-BY-4.0"}, "same licence"),
        ("CC-BY-SA-4.0", {"set": "CC-BY-NC-SA-4.0"}, "same licence"),
        ("CC-BY-SA-4.0", {"use": "commercial"}, ""),  # the set is not handed on
        ("CC-BY-NC-4.0", {"use": "commercial"}, "forbids commercial use"),
        ("CC-BY-NC-4.0", {"set": "CC-BY-4.0"}, "which CC-BY-4.0 would allow"),
        ("CC-BY-NC-4.0", {"set": "CC-BY-NC-4.0", "use": "noncommercial"}, ""),
        ("CC-BY-NC-SA-3.0", {"set": "CC-BY-NC-SA-4.0"}, ""),
        ("CC-BY-NC-SA-4.0", {"set": "CC-BY-NC-4.0"}, "same licence"),
        ("CC-BY-ND-4.0", {"set": "CC-BY-ND-4.0"}, "forbids handing on what is made of it"),
        ("CC-BY-NC-ND-4.0", {"use": "noncommercial"}, ""),
        ("ODbL-1.0", {"set": "CC-BY-4.0"}, "same licence"),
        ("GPL-3.0-only", {"set": "GPL-3.0-only"}, ""),
        ("MIT", {"set": "CC-BY-NC-ND-4.0"}, ""),
        ("CC-BY-NC-4.0 OR MIT", {"use": "commercial"}, ""),
        ("CC-BY-NC-4.0 AND MIT", {"use": "commercial"}, "forbids commercial use"),
        ("http://creativecommons.org/licenses/by-nc/3.0/", {"use": "commercial"}, "CC-BY-NC-3.0 forbids"),
        ("", {"use": "noncommercial"}, "nobody states"),
        ("free, I think", {"use": "noncommercial"}, "no SPDX identifier"),
        ("LicenseRef-Arctic", {"use": "noncommercial"}, "not known here"),
        ("LicenseRef-Arctic", {"use": "commercial", "accept": ["LicenseRef-Arctic"]}, ""),
        (
            "JSON",
            {"use": "commercial"},
            "terms of JSON are not known",
        ),  # an SPDX identifier of whose terms nothing is known here
    ],
)
def test_what_a_licence_forbids(licence, declared, why):
    """Non-commercial, no-derivatives, share-alike and unknown terms are told apart, and nothing else is refused."""
    found = forbidden(licence, Declared(**declared))
    assert (why in found) if why else (found == "")


def test_expressions_are_read_as_spdx_does():
    """OR chooses, AND adds, parentheses bind; spelling is put right."""
    ways = alternatives(spdx("mit and (cc-by-4.0 or (cc0-1.0 and apache-2.0 with llvm-exception))"))
    assert [sorted(way) for way in ways] == [["CC-BY-4.0", "MIT"], ["Apache-2.0", "CC0-1.0", "MIT"]]
    assert spdx("https://creativecommons.org/publicdomain/zero/1.0/deed.en") == "CC0-1.0"
    assert [spdx(text) for text in ("CC-BY-5.0", "MIT OR", "x" * 300, " ")] == ["", "", "", ""]


@pytest.mark.parametrize(
    ("declared", "match"),
    [
        ({"set": "CC-BY-44.0"}, "did you mean 'CC-BY-4.0'"),
        ({"use": "comercial"}, "'commercial' or 'noncommercial'"),
        ({}, "expected `set`"),
        ({"set": "MIT", "for": "all"}, "Extra inputs"),
    ],
)
def test_a_declaration_is_checked(declared, match):
    """Identifiers and words are checked where they are written."""
    with pytest.raises(ValidationError, match=match):
        Declared.model_validate(declared)


def test_a_recipe_is_refused_for_what_its_recordings_forbid(tmp_path):
    """Every catalogue at fault is told at once, with its place, before anything is rendered."""
    path = full_recipe(tmp_path, licence={"set": "CC-BY-4.0", "use": "commercial"})
    with pytest.raises(
        RecipeError, match=r"full\.yaml:\d+:\d+ catalogues\.rooms: 2 recordings .*nobody states"
    ) as caught:
        load_recipe(path)
    assert [problem.path for problem in caught.value.problems] == ["catalogues.rooms", "catalogues.beds"]
    stated = [f"catalogues.{name}.licence=CC-BY-NC-4.0" for name in ("rooms", "beds")]
    with pytest.raises(RecipeError, match=r"CC-BY-NC-4\.0 forbids commercial use \(bed0\.wav, bed1\.wav\)"):
        load_recipe(path, set_values=stated)
    with pytest.raises(RecipeError, match=r"licence\.set: expected an SPDX identifier"):
        load_recipe(path, set_values=["licence.set=CC-BY"])
    with pytest.raises(
        RecipeError, match=r"catalogues\.words\.licence: expected an SPDX identifier.*did you mean 'CC0-1\.0'"
    ):
        load_recipe(path, set_values=["catalogues.words.licence=CC0-1"])
    free = [f"catalogues.{name}.licence=CC0-1.0" for name in ("rooms", "beds")]
    assert load_recipe(path, set_values=free).licence == Declared(set="CC-BY-4.0", use="commercial")


def test_what_is_forbidden_can_be_left_out(tmp_path):
    """With `on_conflict: leave_out` the set is made without, and failures.tsv says without what, and why."""
    sounds(tmp_path / "words")
    write_wav(tmp_path / "words" / "yes_dora_0.wav", tone(555, 0.3, 8000), 8000)
    names = sorted(path.name for path in (tmp_path / "words").glob("*.wav"))
    table = [
        f"{name},{'CC-BY-NC-3.0' if '_bob_' in name else 'http://creativecommons.org/licenses/by/4.0/'}"
        for name in names
    ]
    (tmp_path / "words" / "list.csv").write_text("path,licence\n" + "\n".join(table) + "\n")
    tree = {
        "sr": 8000, "duration": 1.0, "clips": 4, "data": {"words": "words"},
        "licence": {"set": "CC-BY-4.0", "on_conflict": "leave_out"},
        "catalogues": {"words": {"data": "words", "table": "list.csv"}},
        "events": [{"label": "word", "source": {"type": "file", "recording": {"pick": {"from": "words", "how": "cycle"}}}, "onset": 0.1}],
    }  # fmt: skip
    root = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree), clips=9), tmp_path / "out").root
    used = [json.loads(line)["path"] for line in (root / "assets.jsonl").read_text().splitlines()]
    assert sorted(used) == [name for name in names if "_bob_" not in name]
    told = (root / "failures.tsv").read_text().splitlines()[1:]
    assert [line.split("\t")[2] for line in told] == [
        "CC-BY-NC-3.0 forbids commercial use, which CC-BY-4.0 would allow"
    ] * 4
    text = (root / "ATTRIBUTION.md").read_text()
    assert "handed on under [CC-BY-4.0](https://creativecommons.org/licenses/by/4.0/)" in text
    assert "## [CC-BY-4.0](https://creativecommons.org/licenses/by/4.0/) (9)" in text
    tree["catalogues"]["words"]["include"] = ["*_bob_*"]
    with pytest.raises(RecipeError, match=r"4 recordings cannot go into"):  # nothing would be left
        load_recipe(write_recipe(tmp_path / "r.yaml", tree))
