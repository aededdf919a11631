"""The dataset card: front matter by the Hub's rules, true shares and names, the same bytes whoever builds."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from material import full_recipe, noise, write_recipe, write_wav

from audiosynth import build, load_recipe, shipped_recipe, vary, verify
from audiosynth.building.card import card, front_matter
from audiosynth.building.content import Content
from audiosynth.building.orders import RecipeOrder
from audiosynth.building.state import changes

# https://github.com/huggingface/hub-docs/blob/main/datasetcard.md, and what the Hub's validation of a card accepts.
SIZES = {"n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "1B<n<10B"}
TASKS = {
    "audio-classification",
    "automatic-speech-recognition",
    "audio-to-audio",
    "text-to-speech",
    "voice-activity-detection",
}
FIELDS = {
    "language", "license", "license_name", "license_link", "pretty_name", "size_categories", "task_categories",
    "annotations_creators", "source_datasets", "tags",
}  # fmt: skip


def parts(text: str) -> tuple[dict, str]:
    """Return front matter and body, split as huggingface_hub does."""
    match = re.match(r"^(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---(\r\n|\n|$))", text)
    assert match is not None
    return yaml.safe_load(match[2]), text[match.end() :]


def require_valid(meta: dict) -> None:
    """Hold front matter against the rules."""
    assert meta.keys() <= FIELDS
    assert set(meta["size_categories"]) <= SIZES
    assert set(meta.get("task_categories", ())) <= TASKS
    assert set(meta["annotations_creators"]) <= {"machine-generated", "found", "crowdsourced", "expert-generated"}
    assert set(meta["source_datasets"]) <= {"original", "extended"}
    assert all(re.fullmatch(r"[a-z]{2,3}", code) for code in meta.get("language", ()))
    assert (meta["license"] == "other") == ("license_name" in meta)
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", meta.get("license_name", "x"))


def test_a_card_tells_who_and_what_went_in(tmp_path):
    """Shares, licences, speakers, places and rooms are those of the rows; verify holds the file."""
    path = full_recipe(tmp_path / "m", licence={"set": "CC-BY-4.0", "use": "commercial"})
    free = [f"catalogues.{name}.licence=CC0-1.0" for name in ("rooms", "beds")]
    root = build(load_recipe(path, set_values=free), tmp_path / "out").root
    meta, body = parts((root / "README.md").read_text("utf-8"))
    require_valid(meta)
    assert (meta["license"], meta["pretty_name"], meta["source_datasets"]) == ("cc-by-4.0", "full", ["extended"])
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text().splitlines()]
    events = sum(len(row["spec"]["events"]) for row in rows)
    seconds = sum(e["place"]["n_samples"] / row["sr"] for row in rows for e in row["spec"]["events"])
    seconds += sum(row["duration"] for row in rows)  # every clip has one bed
    head = json.loads((root / "dataset.json").read_text())
    assert head["made_of"] == {"recorded": {"sounds": events + len(rows), "seconds": round(seconds, 3)}}
    speakers = sorted({e["source"]["recording"]["meta"]["speaker"] for row in rows for e in row["spec"]["events"]})
    voices = {e["source"]["recording"]["sha256"] for row in rows for e in row["spec"]["events"]}
    assert f"**Real voices**: {len(speakers)} people, in {len(voices)} recordings: {', '.join(speakers)}." in body
    assert re.search(r"\*\*Recordings of places\*\*: \d: beds/bed", body)
    assert re.search(r"\*\*Rooms that were measured\*\*: \d: rooms/room", body)
    assert "| 100.0 % |" in body
    assert "The set: CC-BY-4.0, for commercial use." in body
    assert verify(root).ok
    with (root / "README.md").open("a") as file:
        file.write("mine\n")
    assert verify(root).changed == ("README.md",)
    varied = vary(root, tmp_path / "louder", set_values=["noise.level_dbfs=+3"], data=_roots(tmp_path / "m")).root
    text = (varied / "README.md").read_text()
    assert parts(text)[0]["license"] == "cc-by-4.0"
    assert "from the set full, with something changed" in text


def test_a_recording_in_two_roles_is_named_once(tmp_path):
    """What is both the bed and an event of a set is counted as both, and named as the first."""
    material = tmp_path / "beds"
    for seed in (1, 2):
        write_wav(material / f"bed{seed}.wav", noise(1.0, 8000, seed=seed), 8000)
    tree = {
        "sr": 8000, "clips": {"train": 8}, "duration": 0.5, "data": {"beds": ""},
        "catalogues": {"beds": {"data": "beds", "layout": "flat"}},
        "events": [{"label": "x", "source": {"type": "file", "recording": {"pick": "beds"}, "duration": 0.2}, "onset": 0.1, "level_dbfs": -20}],
        "noise": {"type": "file", "recording": {"pick": "beds"}, "level_dbfs": -30},
    }  # fmt: skip
    recipe = load_recipe(write_recipe(tmp_path / "r.yaml", tree), data={"beds": str(material)})
    body = (build(recipe, tmp_path / "out").root / "README.md").read_text("utf-8")
    assert "- **Recordings of places**: 2: beds/bed1.wav, beds/bed2.wav. People may" in body
    assert "- **Other recorded sounds**: 2: 2 of them named above. People may" in body


def test_a_set_of_voices_alone_tells_no_recordings(tmp_path):
    """Nothing but a cast is split, and a build that goes on with another cast says so in words that hold for it."""
    cast = {"engine": "espeak", "language": "en"}
    tree = {
        "sr": 16000, "clips": {"train": 2, "test": 2}, "duration": 1, "splits": {"shares": {"train": 0.5, "test": 0.5}},
        "voices": {"cast": {"n": 8, **cast}}, "noise": None,
        "events": [{"source": {"type": "speech", "text": "hello", "voice": {"pick": "cast"}}, "onset": 0, "level_dbfs": -20, "overrun": "cut"}],
    }  # fmt: skip
    first, second = (
        load_recipe(write_recipe(tmp_path / "r.yaml", {**tree, "voices": {"cast": {"n": n, **cast}}})) for n in (8, 9)
    )
    assert (
        "recordings"
        not in (build(first, tmp_path / "out").root / "README.md").read_text("utf-8").split("## Licences")[0]
    )
    assert "which recordings or voices are in which split" in changes(
        RecipeOrder(first).state(), RecipeOrder(second).state()
    )


def _roots(folder):
    return {name: str(folder / name) for name in ("words", "rooms", "beds")}


def test_a_synthetic_set_has_nobody_in_it(tmp_path):
    """Formant voices and designed noise are told apart from people and places."""
    tree = {
        "extends": "quickstart",
        "events": [{"label": "hello", "source": {"type": "speech", "text": "hello", "voice": {"engine": "espeak", "language": "de"}},
                    "onset": 0.1, "level_dbfs": -20}],
        "noise": {"type": "profile", "profile": "office", "level_dbfs": -50},
    }  # fmt: skip
    root = build(load_recipe(write_recipe(tmp_path / "r.yaml", tree), clips=1), tmp_path / "out").root
    meta, body = parts((root / "README.md").read_text("utf-8"))
    require_valid(meta)
    assert (meta["license"], meta["language"], meta["source_datasets"]) == ("unknown", ["de"], ["original"])
    assert "automatic-speech-recognition" in meta["task_categories"]
    assert "no recording whose catalogue names a speaker" in body
    assert "withdraw" not in body
    made = json.loads((root / "dataset.json").read_text())["made_of"]
    assert {kind: entry["sounds"] for kind, entry in made.items()} == {"formant": 2, "designed": 2}


def _head(**more):
    return {
        "name": "a|b", "description": "<script>x</script> | y", "sr": 8000, "channels": 2, "splits": {"train": 12_000}, "clips": {"train": 12_000},
        "hours": {"train": 1.5}, "supervision": {"train": "weak"}, "classes": {"a|<b>": {"events": 1, "seconds": 1.0}}, "snr": None, "needs": ["x==1"],
        "output": {"format": "flac", "subtype": "PCM_16", "stems": True}, "export": [{"type": "csv@1"}], **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "meta"),
    [
        ("MIT", {"license": "mit"}),
        ("GPL-3.0-only", {"license": "gpl-3.0"}),
        ("ODbL-1.0", {"license": "odbl"}),
        ("CC-BY-SA-2.0", {"license": "other", "license_name": "cc-by-sa-2.0"}),
        ("MIT OR LicenseRef-Own.x", {"license": "other", "license_name": "mit-or-licenseref-own.x"}),
        ("edited by hand", {"license": "unknown"}),
    ],
)
def test_licences_are_called_as_the_hub_calls_them(declared, meta):
    """The Hub has its own list; what is not on it is `other`, with a name."""
    found = front_matter(_head(licence={"set": declared}), [], Content())
    require_valid(found)
    assert {key: found[key] for key in meta} == meta
    assert (found["size_categories"], found["task_categories"]) == (
        ["10K<n<100K"],
        ["audio-classification", "audio-to-audio"],
    )


def test_names_cannot_become_markup():
    """Labels, names and licences from strangers are escaped, and tables keep their columns; learned and trained are named."""
    content = Content()
    for source in ({"type": "noise", "profile": "cafe.yaml", "content": {"made": "learned", "origin": "<b>"}},
                   {"type": "speech", "voice": {"engine": "piper", "name": "amy"}}, {"type": "chirp"}):  # fmt: skip
        row = {
            "spec": {"events": [{"source": source, "place": {"n_samples": 8000}}]},
            "sr": 8000,
            "duration": 1.0,
            "labels": [],
        }
        content.add({**row, "made_of": {"recordings": 0}})
    assets = [{"data": "d", "path": "a.wav", "licence": "<i>", "used_as": ["voice"], "speakers": ["<u>"]}]
    text = card(_head(), assets, content)
    assert re.findall(r"<\w", parts(text)[1]) == []
    assert "- **Learned noise**: cafe.yaml, statistics without order in time, of &lt;b&gt;." in text
    assert "- **Trained voices**: amy." in text
    assert [line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("| a")] == [4]
    shares = [line.split("|")[2:5] for line in text.splitlines() if line.endswith("33.3 % |")]
    assert shares == [[" 1 ", " 1.0 ", " 33.3 % "]] * 3


def test_a_card_stays_short():
    """For as many classes, people and recordings as a large set has."""
    assets = [
        {"data": "d", "path": f"{i}.wav", "licence": "CC-BY-4.0", "used_as": ["voice"], "speakers": [f"p{i}"]}
        for i in range(2000)
    ]
    head = _head(classes={f"c{i}": {"events": i, "seconds": 1.0} for i in range(500)})
    text = card(head, assets, Content())
    assert len(text) < 20_000
    assert "more (`assets.jsonl`)" in text


def test_builds_of_shipped_recipes_have_valid_cards(tmp_path):
    """As a user makes them."""
    root = build(load_recipe(shipped_recipe("quickstart"), clips=2), tmp_path / "out").root
    require_valid(parts((root / "README.md").read_text("utf-8"))[0])
