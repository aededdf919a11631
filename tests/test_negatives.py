"""Negatives: the phone distance, what is refused, every kind against what its name promises."""

from __future__ import annotations

import json

import pytest

from audiosynth import load_recipe
from audiosynth.errors import ParameterError
from audiosynth.plan import plan_clip
from audiosynth.speech import espeak
from audiosynth.speech.negatives import NegativesSpec, find_negatives
from audiosynth.speech.phones import contains, difference, distances, gap, parse

needs_espeak = pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed (extra [speech])")
LEXICON = {
    "hey": "h_ˈeɪ", "hay": "h_ˈeɪ", "haye": "h_ˈeɪ", "say": "s_ˈeɪ", "behave": "b_ɪ_h_ˈeɪ_v", "dog": "d_ˈɑː_ɡ",
    "computer": "k_ə_m_p_j_ˈuː_ɾ_ɚ", "commuter": "k_ə_m_j_ˈuː_ɾ_ɚ", "compute": "k_ə_m_p_j_ˈuː_t", "tutor": "t_ˈuː_ɾ_ɚ",
    "two": "t_ˈuː", "to": "t_ˈuː", "too": "t_ˈuː",
}  # fmt: skip


def said(texts, language="en-us"):
    """Pronounce by the small lexicon above; anything else letter by letter."""
    return [" ".join(LEXICON.get(w, "_".join(w)) for w in text.split()) for text in texts]


def found(tmp_path, words, **more):
    """Return the negatives of a small lexicon."""
    (tmp_path / "words.txt").write_text("\n".join(words), encoding="utf-8")
    spec = NegativesSpec.model_validate({"lexicon": "words.txt", "kinds": ["alike"], **more})
    return find_negatives(spec, transcribe=said, folder=tmp_path)


def test_difference_is_a_distance_of_sounds():
    """Symmetric, zero for the same alone, and in the order that ears put it."""
    sounds = ["p", "b", "t", "s", "z", "ʃ", "m", "l", "i", "ɪ", "ɑ", "aɪ", "ə"]
    for a in sounds:
        assert difference(a, a) == 0.0
        assert all(difference(a, b) == difference(b, a) > 0 for b in sounds if b != a)
    assert difference("s", "z") < difference("s", "t") < difference("s", "l") < difference("s", "ɑ")
    assert difference("i", "ɪ") < difference("i", "ɑ")
    assert difference("p", "b") < difference("p", "m")
    assert gap("ə") < gap("p") < gap("ɑ")


def test_distances_are_the_edit_distance():
    """Against the recursion of Wagner and Fischer, written out."""
    from functools import cache

    words = [parse(ipa).phones for ipa in LEXICON.values()] + [()]

    def slow(a, b):
        @cache
        def d(i, j):
            if i == 0 or j == 0:
                return sum(map(gap, a[:i])) + sum(map(gap, b[:j]))
            return min(
                d(i - 1, j) + gap(a[i - 1]), d(i, j - 1) + gap(b[j - 1]), d(i - 1, j - 1) + difference(a[i - 1], b[j - 1])
            )  # fmt: skip

        return d(len(a), len(b)) / sum(map(gap, a))

    for target in words[:-1]:
        assert list(distances(target, words)) == pytest.approx([slow(target, other) for other in words])


def test_distance_within_is_that_of_the_nearest_stretch():
    """Against every stretch of the other, one by one; zero where it holds the phrase."""
    words = [parse(ipa).phones for ipa in LEXICON.values()]
    target = parse(LEXICON["hey"]).phones + parse(LEXICON["computer"]).phones
    for other in [*words, words[0] + words[5] + words[7], ("z", *target, "z")]:
        stretches = [other[a:b] for a in range(len(other) + 1) for b in range(a, len(other) + 1)]
        nearest = min(distances(target, stretches))
        assert distances(target, [other], within=True)[0] == pytest.approx(nearest)
    assert distances(target, [("z", *target, "z")], within=True)[0] == 0.0


@needs_espeak
def test_sentences_that_hold_the_phrase_are_refused():
    """In any language, as each is pronounced; how near is told of the nearest stretch."""
    from audiosynth.speech.lexicons import sentences

    english = next(text for language, text in sentences() if language == "en")
    german = next(text for language, text in sentences() if language == "de")

    def transcribe(texts, language):
        return espeak.transcribe(tuple(texts), language=language)

    for kind, whole, language in (("sentence", english, "en-us"), ("foreign", german, "de")):
        part = " ".join(whole.split()[1:3])
        of = parse(espeak.transcribe((part,), language=language)[0])
        spec = NegativesSpec.model_validate({"of": [part], "kinds": [kind], "n": 500})

        def as_there(texts, asked, part=part, language=language):
            return transcribe(texts, language if list(texts) == [part] else asked)

        made = find_negatives(spec, transcribe=as_there)
        assert of.phones
        assert whole not in {n.text for n in made}
        assert len(made) > 9
        assert all(n.distance > 0 for n in made)


def test_parse():
    """Stress is kept apart, length and marks of other languages are dropped, r-coloured vowels are two phones."""
    assert parse("h_ˈɪɹ") == (("h", "ɪ", "ɹ"), 1)
    assert parse("(de)_ɡ_ˈuː_t_(en)").phones == ("ɡ", "u", "t")
    assert parse("").phones == ()
    assert contains(("a", "b", "c"), ("b", "c"))
    assert not contains(("a", "b"), ("b", "a"))


def test_homophones_and_what_contains_the_phrase_are_refused(tmp_path):
    """'hay' sounds like 'hey', and 'behave' holds it."""
    texts = [n.text for n in found(tmp_path, LEXICON, of=["hey"])]
    assert "say" in texts
    assert not {"hay", "haye", "hey", "behave"} & set(texts)


def test_nothing_but_homophones_is_an_error(tmp_path):
    """The message names them."""
    with pytest.raises(
        ParameterError, match=r"all that is 'alike' for 'two' sounds just like it or holds it \(to, too\)"
    ):
        found(tmp_path, ["two", "to", "too"], of=["two"])


def test_all_kinds_that_are_empty_are_named_at_once(tmp_path):
    """One error tells all of them, and what is left."""
    kinds = ["rhyme", "alike", "shuffled"]
    message = (
        r"nothing is 'rhyme' or 'shuffled' for 'dog'; leave these kinds out \(kinds: \[alike\]\), or give a larger"
    )
    with pytest.raises(ParameterError, match=message):
        found(tmp_path, ["dig", "two"], of=["dog"], kinds=kinds)
    with pytest.raises(
        ParameterError, match="nothing is 'shuffled' for 'dog'; leave this kind out and name others, or"
    ):
        found(tmp_path, ["two"], of=["dog"], kinds=["shuffled"])


def test_alike_comes_nearest_first(tmp_path):
    """Phrases with one or all words replaced, by distance, none of them the phrase."""
    some = found(tmp_path, LEXICON, of=["hey computer"], n=50)
    far = [n.distance for n in some]
    assert far == sorted(far)
    assert far[0] > 0
    texts = [n.text for n in some]
    assert "hey commuter" in texts
    assert "say computer" in texts
    assert texts.index("hey commuter") < texts.index("say commuter")
    assert "hay computer" not in texts
    assert found(tmp_path, LEXICON, of=["hey computer"], n=50, nearest=0.2)[0].distance >= 0.2


def test_the_other_kinds(tmp_path):
    """Beginnings, rhymes, parts, orders: each is what it is called."""
    kinds = {
        kind: [n.text for n in found(tmp_path, LEXICON, of=["hey computer"], kinds=[kind], n=20)]
        for kind in ("prefix", "rhyme", "partial", "shuffled", "random")
    }
    assert "compute" in kinds["prefix"]
    assert "dog" not in kinds["prefix"]
    assert "tutor" in kinds["rhyme"]
    assert "compute" not in kinds["rhyme"]
    assert {"hey", "computer", "hey comp"} <= set(kinds["partial"])
    assert kinds["shuffled"] == ["computer hey"]
    assert all(len(text.split()) == 2 for text in kinds["random"])


@needs_espeak
def test_in_a_recipe(tmp_path):
    """A row says why a phrase is a negative, of what, and how near; foreign sentences are said in their language."""
    tree = {
        "sr": 16_000, "duration": 6.0, "clips": 30,
        "negatives": {"of": ["hey computer"], "kinds": ["alike", "foreign"], "n": 20},
        "events": [{
            "label": "unknown", "let": {"n": {"pick": {"from": "negatives", "where": {"kind": ["alike", "foreign"]}}}},
            "source": {"type": "speech", "text": "$n.text", "language": "$n.language"}, "level_dbfs": -30, "overrun": "cut",
        }],
    }  # fmt: skip
    path = tmp_path / "r.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8")
    recipe = load_recipe(path)
    events = [plan_clip(recipe, "train", i).events[0] for i in range(30)]
    why = [event.let["n"] for event in events]
    assert {w["kind"] for w in why} == {"alike", "foreign"}
    assert all(w["of"] == "hey computer" for w in why)
    assert all(0 < w["distance"] < 1.2 for w in why)
    assert {w["language"] for w in why if w["kind"] == "foreign"} <= {"de", "es", "fr", "it", "nl", "pt"}
    assert all(w["language"] is None for w in why if w["kind"] == "alike")
    assert all(e.source.language == w["language"] for e, w in zip(events, why, strict=True))  # type: ignore[attr-defined]


def test_bad_lexicons(tmp_path):
    """A file that is not there, outside, empty, or not text; a language without words."""
    for more, message in (
        ({"lexicon": "none.txt"}, "there is no file 'none.txt'"),
        ({"lexicon": "../words.txt"}, "there is no file"),
        ({"lexicon": "empty.txt"}, "expected 1 to 200,000 words, got 0"),
        ({"lexicon": "bytes.txt"}, "cannot be read as UTF-8"),
        ({"lexicon": None, "language": "sv"}, "no words of 'sv' come along; give a `lexicon`"),
    ):
        (tmp_path / "empty.txt").write_text("# nothing\n", encoding="utf-8")
        (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ParameterError, match=message):
            found(tmp_path, ["a"], of=["hey"], **more)
