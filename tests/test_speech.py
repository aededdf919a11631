"""Speech: determinism, word and phone times against the sound itself, voices, casts, and what is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from audiosynth import build, load_recipe, reproduce
from audiosynth.clip import RenderContext
from audiosynth.errors import ParameterError, PlanError, RecipeError, RenderError
from audiosynth.plan import plan_clip
from audiosynth.speech import espeak
from audiosynth.speech.espeak_phonemes import mnemonics, require_known
from audiosynth.speech.phones import distances, parse
from audiosynth.speech.utterance import marks_of, tokens
from audiosynth.speech.voices import CAST_VARIANTS, Voice, voice_file
from audiosynth.synths.speech import Context, Speech

SR = 16_000
CTX = RenderContext(sr=SR)
pytestmark = pytest.mark.skipif(not espeak.installed(), reason="espeakng-loader is not installed (extra [speech])")
PLAIN = "language variant\nname own\n"
MIXED = [
    espeak.Request("hey computer", "en-us", voice_file(Voice(variant=v))) if espeak.installed() else None
    for v in ("", "f3", "klatt4", "whisper")
] + [espeak.Request(t, lang, PLAIN, seed=5) for t, lang in (("guten Tag", "de"), ("bonjour", "fr"), ("hola", "es"))]


def spoken(**more: object) -> Speech:
    """Return a phrase."""
    return Speech.model_validate({"text": "hey computer", "seed": 1, **more})


def write(tmp_path: Path, tree: dict[str, object], name: str = "r.yaml") -> Path:
    """Write a recipe."""
    path = tmp_path / name
    path.write_text(json.dumps({"sr": SR, "duration": 2.0, "clips": 2, **tree}), encoding="utf-8")
    return path


def phrase(**more: object) -> dict[str, object]:
    """Return an event that speaks."""
    return {"label": "hey", "source": {"type": "speech", "text": "hey computer", **more}, "level_dbfs": -25.0}


# ------------------------------------------------------------------------------------------------- the same samples


def test_history_changes_nothing():
    """Flutter, breath, echo and Klatt voices say the same in any order: the library's own state does not reach them."""
    first = [espeak.say(request).pcm.tobytes() for request in MIXED]
    backwards = [espeak.say(request).pcm.tobytes() for request in reversed(MIXED)]
    assert first == backwards[::-1]
    assert len(set(first)) == len(first)


def test_every_variant_says_the_same_again():
    """None of the library's own dice, nor the C library's (the breath of Reed and caleb), goes on from before."""
    files = [path.read_text(encoding="utf-8") for path in espeak.variants().values()]
    asked = [espeak.Request("six chips", "en-us", file) for file in files]
    asked += [espeak.Request("six chips", "en-us", PLAIN + f"klatt {k}\nbreath 40\n") for k in range(1, 7)]
    first = [espeak.say(request).pcm.tobytes() for request in asked]
    assert [espeak.say(request).pcm.tobytes() for request in reversed(asked)] == first[::-1]


def test_other_process_other_locale():
    """Another process, in another locale and with other variables of the library, says the same."""
    code = (
        "import hashlib\nfrom audiosynth.speech import espeak\nfrom audiosynth.speech.voices import Voice, voice_file\n"
        "r = espeak.Request('hey computer', 'en-us', voice_file(Voice(variant='f3')))\n"
        "print(hashlib.sha256(espeak.say(r).pcm.tobytes()).hexdigest())"
    )
    found = set()
    for more in ({"LC_ALL": "C"}, {"LC_ALL": "de_DE.UTF-8", "ESPEAK_DATA_PATH": "/nowhere", "PYTHONHASHSEED": "7"}):
        done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **more}, capture_output=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


def test_threads_do_not_share_the_library():
    """Four threads at once: each gets what it asked for, the samples of one alone."""
    from concurrent.futures import ThreadPoolExecutor

    alone = [espeak.say(request).pcm.tobytes() for request in MIXED]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda i: espeak.say(MIXED[i % len(MIXED)]).pcm.tobytes(), range(5 * len(MIXED))))
    assert together == 5 * alone


def test_there_are_104_variants():
    """Each of them a name that recipes can give."""
    assert len(espeak.variants()) == 104


def test_seed_is_heard_where_there_is_noise():
    """Another seed gives another breath, and the same vowels of a voice without any."""
    breathy = [spoken(seed=s, voice={"variant": "f3"}).render(CTX) for s in (1, 2)]
    assert breathy[0].shape == breathy[1].shape
    assert not np.array_equal(*breathy)


def test_neutral_voice_is_the_library_s_own():
    """A voice with no number moved is the library's, sample for sample."""
    ours = espeak.say(espeak.Request("hey computer", "en-us", voice_file(Voice())))
    theirs = espeak.say(espeak.Request("hey computer", "en-us", PLAIN))
    assert np.array_equal(ours.pcm, theirs.pcm)
    f3 = espeak.variants()["f3"].read_text(encoding="utf-8")
    assert np.array_equal(
        espeak.say(espeak.Request("hey", "en-us", voice_file(Voice(variant="f3")))).pcm,
        espeak.say(espeak.Request("hey", "en-us", f3)).pcm,
    )


def test_build_and_reproduce(tmp_path):
    """A row says what it needs, and gives its samples back."""
    root = build(load_recipe(write(tmp_path, {"events": [phrase()]})), tmp_path / "out").root
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {need.partition("==")[0] for need in rows[0]["needs"]} == {
        "espeakng-loader", "libespeak-ng", "espeak-ng-data", "platform",
    }  # fmt: skip
    assert rows[0]["made_of"]["voices"] == "formant"
    made = list(reproduce(root))
    assert all(clip.same for clip in made)
    assert not any("needs" in note for clip in made for note in clip.notes)  # what it needs is here


# --------------------------------------------------------------------------------------------------- words and phones


def rises(y: np.ndarray, at: int, *, fmin: float) -> float:
    """Return where, in seconds from `at`, the energy above `fmin` rises most within 30 ms, over 8 ms before and after.

    A single glottal pulse rises more steeply than any hiss, so the levels are means; and vowels end below 5 kHz.
    """
    import scipy.signal

    sos = scipy.signal.butter(4, fmin, "highpass", fs=SR, output="sos")
    power = np.square(scipy.signal.sosfiltfilt(sos, y))
    hop, n = SR // 1000, 8
    sums = np.cumsum(np.log10(np.add.reduceat(power, np.arange(0, len(power), hop)) + 1e-9))
    t = np.arange(n, len(sums) - n)
    step = np.full(len(sums), -np.inf)
    step[t + 1] = sums[t + n] - 2.0 * sums[t] + sums[t - n]
    centre = at // hop
    low = max(0, centre - 30)
    return float(low + np.argmax(step[low : centre + 31]) - centre) / 1000.0


@pytest.mark.parametrize("rate", [90, 175, 300, 449])
def test_fricatives_and_stops_begin_where_their_phone_does(rate):
    """The hiss of an s or sh and the burst of a stop begin within 10 ms of their mark, and 12 ms early of a mark set late."""
    for voice in ({}, {"variant": "f2"}, {"vocal_tract": 0.88}):
        for text, phone, fmin in (
            ("a sip", "s", 5000.0), ("a ship", "ʃ", 5000.0), ("a fish", "ʃ", 5000.0), ("my sister", "s", 5000.0),
            ("a tea", "t", 1000.0), ("a cow", "k", 1000.0),
        ):  # fmt: skip
            speech = spoken(text=text, rate=rate, voice=voice)
            mark = next(m for m in speech.marks(SR) if m.kind == "phone" and m.text == phone)
            y = speech.render(CTX)[0]
            found = rises(y, mark.onset, fmin=fmin)
            assert abs(found) <= 0.010, (text, rate, voice)
            late = rises(y, mark.onset + 12 * SR // 1000, fmin=fmin)
            assert late == pytest.approx(found - 0.012, abs=0.003), (text, rate, voice)


def test_words_are_those_of_the_text():
    """One mark a written word, numbers and hyphens too; in order, inside the sound."""
    speech = spoken(text="Dr. Smith's e-mail cost 123 dollars")
    words = [m for m in speech.marks(SR) if m.kind == "word"]
    assert [m.text for m in words] == ["Dr.", "Smith's", "e-mail", "cost", "123", "dollars"]
    assert all(a.offset <= b.onset for a, b in pairwise(words))
    assert words[-1].offset <= speech.extent(SR)


def test_context_is_not_the_phrase():
    """The active part is the phrase alone, and silence before it in the marks is the context's words."""
    alone, inside = spoken(), spoken(context={"before": "and then I said", "after": "to the machine"})
    a, b = inside.active(SR)
    marks = {m.text: m for m in inside.marks(SR) if m.kind == "word"}
    assert (a, b) == (marks["hey"].onset, marks["computer"].offset)
    assert inside.extent(SR) > 2 * alone.extent(SR)
    with pytest.raises(ParameterError, match="runs the words around 'turn on' together"):
        spoken(text="turn on", context={"after": "the light"}).active(SR)


def test_marks_move_with_effects_and_rooms(tmp_path):
    """Half the speed: twice the times; a room that keeps its delay shifts them all."""
    slow = {**phrase(), "effects": [{"type": "speed", "factor": 0.5}], "onset": 0.1}
    tree = {"duration": 3.0, "events": [slow], "labels": {}}
    plain = {"duration": 3.0, "events": [{**phrase(seed=1), "onset": 0.1}]}
    fast, half = (
        plan_clip(load_recipe(write(tmp_path, t, f"{i}.yaml")), "train", 0).events[0].place
        for i, t in enumerate((plain, tree))
    )
    assert fast is not None
    assert half is not None
    assert half.marks[-1][3] == pytest.approx(2 * fast.marks[-1][3], abs=2)
    room = {"type": "shoebox", "size": [5, 4, 3], "rt60": 0.3, "receiver": {"position": [1, 1, 1]}}
    event = {**phrase(seed=1), "onset": 0.1, "align": "causal", "position": [4, 3, 2]}
    root = build(load_recipe(write(tmp_path, {"events": [event], "room": room}, "c.yaml")), tmp_path / "c").root
    row = json.loads((root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()[0])
    label = row["labels"][0]
    assert label["words"][0][1] == label["onset_sample"]
    assert label["words"][-1][2] == label["offset_sample"]
    assert [word for word, _, _ in label["words"]] == ["hey", "computer"]


def test_phonemes_say_it_otherwise():
    """Given phonemes are spoken; words keep their written names."""
    speech = spoken(text="either way", phonemes="'aID3 w'eI")
    assert [m.text for m in speech.marks(SR) if m.kind == "word"] == ["either", "way"]
    assert next(m.text for m in speech.marks(SR) if m.kind == "phone") == "ˈaɪ"


def test_marks_of_an_engine_without_words():
    """Nothing is lost or made up where events are few."""
    assert tokens("  a  bc ") == [(2, "a"), (5, "bc")]
    assert marks_of([], [(0, "a"), (5, "")], [(0, "a")]) == ()


# ------------------------------------------------------------------------------------------------------------- voices


def centroid(y: np.ndarray) -> float:
    """Return the spectral centroid in Hz."""
    power = np.abs(np.fft.rfft(y)) ** 2
    return float(np.sum(power * np.fft.rfftfreq(len(y), 1 / SR)) / np.sum(power))


def envelope(y: np.ndarray) -> np.ndarray:
    """Return the log spectrum up to 5 kHz every 5 Hz, harmonics smoothed away."""
    power = np.convolve(np.abs(np.fft.rfft(y, 16_384)) ** 2, np.hanning(241), mode="same")
    return np.interp(np.arange(0, 8000, 5), np.fft.rfftfreq(16_384, 1 / SR), np.log(power + 1e-9))


def warp(a: np.ndarray, b: np.ndarray) -> float:
    """Return the factor on frequency that takes one envelope best to the other, from 300 to 4000 Hz."""
    f = np.arange(0, 8000, 5)
    inside = (f > 300) & (f < 4000)
    factors = np.arange(0.75, 1.35, 0.01)
    scores = [np.corrcoef(b[inside], np.interp(f / k, f, a)[inside])[0, 1] for k in factors]
    return float(factors[int(np.argmax(scores))])


def test_shorter_vocal_tracts_have_higher_formants():
    """The envelope of a vowel goes by the inverse of the length."""
    found = {}
    for length in (0.85, 1.0, 1.15):
        speech = spoken(text="air", voice={"vocal_tract": length, "pitch": -2.0, "intonation": 0.0})
        a, b = speech.active(SR)
        y = speech.render(CTX)[0]
        found[length] = envelope(y[(3 * a + b) // 4 : (a + b) // 2])
    assert warp(found[1.0], found[0.85]) == pytest.approx(1 / 0.85, rel=0.05)
    assert warp(found[1.0], found[1.15]) == pytest.approx(1 / 1.15, rel=0.05)


def test_pitch_is_in_semitones():
    """Twelve semitones are an octave."""
    import librosa

    low, high = (
        np.nanmedian(librosa.yin(spoken(text="amazing", voice={"pitch": p}).render(CTX)[0], fmin=50, fmax=500, sr=SR))
        for p in (0.0, 12.0)
    )
    assert high / low == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize(
    ("field", "value", "brighter"),
    [
        ("tilt_db", -8.0, False),
        ("breath", 0.8, True),
        ("bandwidth", 2.5, None),
        ("klatt", 2, None),
        ("roughness", 6, None),
    ],
)
def test_timbre_is_heard(field, value, brighter):
    """Each number changes the sound, in the direction that its name says."""
    plain, changed = (spoken(text="seven", voice=v).render(CTX)[0] for v in ({}, {field: value}))
    n = min(len(plain), len(changed))
    assert not np.allclose(plain[:n], changed[:n])
    if brighter is not None:
        assert (centroid(changed) > centroid(plain)) == brighter


def test_every_variant_of_a_cast_speaks():
    """No voice of a cast is silent, and every name is one of the library's."""
    assert set(CAST_VARIANTS) - {""} <= set(espeak.variants())
    for variant in CAST_VARIANTS:
        y = spoken(text="seven", voice={"variant": variant, "breath": 0.4, "bandwidth": 1.5}).render(CTX)
        assert np.sqrt(np.mean(y**2)) > 0.003, variant


def test_a_cast_is_split_by_voice(tmp_path):
    """Voices are drawn once, named, and in one split alone; growing the cast moves nobody; the row holds the voice."""
    tree = {
        "clips": {"train": 40, "test": 40},
        "splits": {"train": 2, "test": 1},
        "voices": {"n": 30},
        "events": [phrase(voice={"pick": {"from": "cast"}})],
    }
    recipe = load_recipe(write(tmp_path, tree))
    bigger = load_recipe(write(tmp_path, {**tree, "voices": {"n": 60}}, "b.yaml"))
    sent = {split: {e.path for e in recipe.members["cast", split]} for split in ("train", "test")}
    assert len(sent["train"] | sent["test"]) == 30
    assert not sent["train"] & sent["test"]
    assert sent["train"] <= {e.path for e in bigger.members["cast", "train"]}
    heard = {
        split: {plan_clip(recipe, split, i).events[0].source.voice.name for i in range(40)}
        for split in sent  # type: ignore[attr-defined]
    }
    assert heard["train"] <= sent["train"]
    assert heard["test"] <= sent["test"]
    lengths = [entry.meta["vocal_tract"] for entry in recipe.members["cast", "train"]]
    assert min(lengths) >= 0.88
    assert max(lengths) <= 1.15
    assert len(set(lengths)) > 10


def test_a_cast_mixes_engines(tmp_path):
    """`of` draws whole voices, by weight."""
    cast = {"n": 40, "of": {"weighted": [[1, {"engine": "flite", "variant": "slt"}], [1, {"language": "en-gb"}]]}}
    recipe = load_recipe(write(tmp_path, {"voices": {"some": cast}, "events": [phrase(voice={"pick": "some"})]}))
    engines = [entry.meta["engine"] for entry in recipe.members["some", "train"]]
    assert 10 < engines.count("flite") < 30
    assert {
        entry.meta["vocal_tract"] for entry in recipe.members["some", "train"] if entry.meta["engine"] == "flite"
    } == {1.0}


def test_a_clip_can_be_as_long_as_what_is_said(tmp_path):
    """`fit` ends it after the last event; what counts from an end has no place in it."""
    recipe = load_recipe(write(tmp_path, {"duration": {"fit": 0.25}, "events": [{**phrase(seed=1), "onset": 0.1}]}))
    spec = plan_clip(recipe, "train", 0)
    place = spec.events[0].place
    assert place is not None
    assert spec.n_samples == place.onset + place.n_samples + SR // 4
    for bad in ({"onset": {"slack": 0.5}}, {"at": {"anchor": "offset", "time": -0.1}}):
        with pytest.raises(PlanError, match="as long as its events"):
            plan_clip(
                load_recipe(write(tmp_path, {"duration": {"fit": 0.1}, "events": [{**phrase(), **bad}]})), "train", 0
            )
    with pytest.raises(PlanError, match="needs an event to fit"):
        plan_clip(load_recipe(write(tmp_path, {"duration": {"fit": 0.1}, "events": []})), "train", 0)
    with pytest.raises(RecipeError, match="stands under `duration`"):
        load_recipe(write(tmp_path, {"events": [{**phrase(), "onset": {"fit": 1}}]}))


def test_the_phrase_ends_where_it_is_placed(tmp_path):
    """`at: offset` is of the phrase's last phone, not of an echo after it."""
    event = {**phrase(seed=1, voice={"variant": "f3"}), "at": {"anchor": "offset", "time": -0.2}}
    spec = plan_clip(load_recipe(write(tmp_path, {"events": [event]})), "train", 0)
    place = spec.events[0].place
    assert place is not None
    assert place.onset + place.active[-1][1] == 2 * SR - SR // 5


def test_the_split_has_a_name(tmp_path):
    """`$split` is known everywhere, and can be taken for another name."""
    tree = {
        "clips": {"train": 1, "test": 1},
        "duration": {"by": {"on": "$split", "cases": {"test": 3.0}, "default": 2.0}},
        "events": [phrase()],
    }
    recipe = load_recipe(write(tmp_path, tree))
    assert [plan_clip(recipe, split, 0).duration for split in ("train", "test")] == [2.0, 3.0]
    mine = load_recipe(write(tmp_path, {**tree, "let": {"split": "test"}}, "m.yaml"))
    assert plan_clip(mine, "train", 0).duration == 3.0


# ------------------------------------------------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"text": " "}, "expected words, got an empty text"),
        ({"text": "a\x07b"}, r"the character U\+0007"),
        ({"rate": 450}, "less than or equal to 449"),
        ({"voice": {"engine": "flite", "vocal_tract": 0.9}}, "vocal_tract is espeak's alone"),
        ({"voice": {"engine": "flite"}, "phonemes": "h'eI"}, "flite takes none"),
        ({"phonemes": "h]]"}, "without brackets"),
        ({"phonemes": "h'eI"}, "expected one a word, 2 with blanks between for 'hey computer', got 1"),
        ({"voice": {"engine": "flite"}, "language": "de"}, "a voice of flite has its own"),
        ({"voice": {"pitch": 100.0}}, "less than or equal to 24"),
    ],
)
def test_what_cannot_be_said(more, message):
    """One message, with the way out."""
    with pytest.raises(ValidationError, match=message):
        spoken(**more)


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"text": "…"}, ParameterError, "there is nothing to say in '…'"),
        ({"phonemes": "h'eI §"}, ParameterError, "'§' at character 6 of .* is no phoneme of en-us"),
        ({"voice": {"variant": "f33"}}, RenderError, "no variant 'f33'; did you mean 'f3'"),
        ({"voice": {"language": "en-uss"}}, RenderError, "no language 'en-uss'; did you mean 'en-us'"),
    ],
)
def test_what_the_engine_does_not_have(more, error, message):
    """Found when it is asked, with near names."""
    with pytest.raises(error, match=message):
        spoken(**more).extent(SR)


def test_mnemonics_are_the_library_s():
    """All that the library writes for a text is known; what it passes over in silence is not."""
    assert {"eI", "@", "tS", "'", "_:"} <= mnemonics("en-us")
    require_known("h'eI k@mpj'u:t3", language="en-us")
    with pytest.raises(ParameterError, match="'Ω"):
        require_known("h'eIΩ", language="en-us")


def test_bad_recipes(tmp_path):
    """Casts and negatives that cannot be: with file, place and way out."""
    for tree, message in (
        ({"voices": {"cast": {"n": 0}}}, r"voices\.cast: a cast is \{n: 1 to 100,000"),
        (
            {"voices": {"cast": {"n": 3, "vocal_tract": 9.0}}},
            r"voices\.cast\.vocal_tract: .* less than or equal to 1\.4",
        ),
        ({"voices": {"cast": {"n": 3, "of": {}, "pitch": 1.0}}}, "`of` holds whole voices, so 'pitch' has no place"),
        ({"voices": {"cast": {"n": 3, "colour": 1}}}, "'a voice' has no such parameter"),
        ({"negatives": {"of": ["two"], "kinds": ["shuffled"]}}, "nothing is 'shuffled' for 'two'"),
        ({"negatives": {"of": ["two"], "kinds": ["loud"]}}, r"negatives\.kinds\[0\]"),
        ({"events": [phrase(voice={"pick": "crowd"})]}, "no catalogue is called 'crowd'"),
    ):
        with pytest.raises(RecipeError, match=message):
            load_recipe(write(tmp_path, {"events": [phrase()], **tree}))


def test_too_few_voices_for_the_splits(tmp_path):
    """A split without a voice says so."""
    tree = {"splits": {"train": 100, "test": 1}, "voices": {"n": 2}, "events": [phrase(voice={"pick": "cast"})]}
    with pytest.raises(Exception, match="split"):
        load_recipe(write(tmp_path, tree))


def test_without_the_library(monkeypatch):
    """The message says how to install it, and what works without."""
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    espeak.files.cache_clear()
    try:
        with pytest.raises(RenderError, match=r"pip install 'audiosynth\[speech\]'.*recipes without"):
            espeak.files()
    finally:
        espeak.files.cache_clear()


def test_a_crash_of_the_library_takes_one_utterance():
    """A killed worker is an error of that utterance; the next one gets a new worker and the same samples."""
    request = espeak.Request("boo", "en-us", PLAIN)
    before = espeak.say(request).pcm.tobytes()
    espeak._host(os.getpid()).process.kill()
    with pytest.raises(RenderError, match=r"libespeak-ng crashed \(exit code -9\) at 'boo'"):
        espeak.say(request)
    assert espeak.say(request).pcm.tobytes() == before


# ------------------------------------------------------------------------------------------------------ other engines


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_flite_speaks():
    """The same twice; words and phones in order; faster and higher as asked."""
    voice = {"engine": "flite", "variant": "slt"}
    speech = spoken(voice=voice)
    assert [m.text for m in speech.marks(SR) if m.kind == "word"] == ["hey", "computer"]
    assert [m.text for m in speech.marks(SR) if m.kind == "phone"][:3] == ["h", "eɪ", "k"]
    assert spoken(voice=voice, rate=350).extent(SR) < 0.6 * speech.extent(SR)
    version, sound, platform = speech.needs()
    assert re.fullmatch(r"flite==\d+\.\d.*", version)
    assert re.fullmatch(r"flite-slt==[0-9a-f]{16}", sound)
    assert platform.startswith("platform==")
    assert spoken(voice={"engine": "flite", "variant": "kal16"}).needs()[1] != sound
    with pytest.raises(RenderError, match="no voice 'slx'; did you mean 'slt'"):
        spoken(voice={"engine": "flite", "variant": "slx"}).extent(SR)
    with pytest.raises(ParameterError, match="'rms' has its own alone"):
        spoken(voice={"engine": "flite", "variant": "rms", "pitch": 2.0}).extent(SR)


def test_flite_is_not_there(monkeypatch):
    """The message says how to get it."""
    monkeypatch.setattr("audiosynth.speech.flite.shutil.which", lambda _: None)
    with pytest.raises(RenderError, match="flite is not installed; on Debian: apt install flite"):
        spoken(text="no flite here", voice={"engine": "flite"}).extent(SR)


def test_piper_is_not_there(monkeypatch, tmp_path):
    """The message says where voices are looked for, and which there are."""
    monkeypatch.delenv("AUDIOSYNTH_PIPER", raising=False)
    with pytest.raises(RenderError, match="AUDIOSYNTH_PIPER names, and it names none; set it to where NAME"):
        spoken(voice={"engine": "piper", "variant": "amy"}).extent(SR)
    monkeypatch.setenv("AUDIOSYNTH_PIPER", str(tmp_path))
    (tmp_path / "amyy.onnx").write_bytes(b"")
    with pytest.raises(RenderError, match="no piper voice 'amy'; did you mean 'amyy'"):
        spoken(voice={"engine": "piper", "variant": "amy"}).extent(SR)


def test_piper_speaks_through_its_model(monkeypatch, tmp_path):
    """A model of the same inputs is fed the phoneme ids and the length scale, and its sound is what is said."""
    onnx, pytest_ort = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    assert pytest_ort
    h = onnx.helper
    # y = sin of the ids, each held for 400 samples times the length scale: not speech, but all of the way there and back
    nodes = [
        h.make_node("Cast", ["input"], ["ids"], to=onnx.TensorProto.FLOAT),
        h.make_node("Sin", ["ids"], ["wave"]),
        h.make_node("Expand", ["wide", "shape"], ["held"]),
        h.make_node("Unsqueeze", ["wave", "axis"], ["wide"]),
        h.make_node("Flatten", ["held"], ["flat"]),
        h.make_node("Gather", ["scales", "one"], ["length"]),
        h.make_node("Mul", ["flat", "length"], ["output"]),
    ]
    order = [0, 1, 3, 2, 4, 5, 6]
    tensors = [
        h.make_tensor("shape", onnx.TensorProto.INT64, [3], [1, 1, 400]),
        h.make_tensor("axis", onnx.TensorProto.INT64, [1], [2]),
        h.make_tensor("one", onnx.TensorProto.INT64, [1], [1]),
    ]
    inputs = [
        h.make_tensor_value_info("input", onnx.TensorProto.INT64, [1, None]),
        h.make_tensor_value_info("input_lengths", onnx.TensorProto.INT64, [1]),
        h.make_tensor_value_info("scales", onnx.TensorProto.FLOAT, [3]),
    ]
    outputs = [h.make_tensor_value_info("output", onnx.TensorProto.FLOAT, None)]
    graph = h.make_graph([nodes[i] for i in order], "voice", inputs, outputs, tensors)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "amy.onnx")
    table = {c: [i + 3] for i, c in enumerate("hˈeɪkəmpjuːɾɚ ?")} | {"_": [0], "^": [1], "$": [2]}
    config = {"audio": {"sample_rate": SR}, "espeak": {"voice": "en-us"}, "phoneme_id_map": table, "num_speakers": 1}
    voice = {"engine": "piper", "variant": "amy"}
    (tmp_path / "amy.onnx.json").write_text(json.dumps(config), encoding="utf-8")
    monkeypatch.setenv("AUDIOSYNTH_PIPER", str(tmp_path))
    speech = spoken(voice={"engine": "piper", "variant": "amy"})
    y = speech.render(CTX)
    assert y.shape[1] % 400 == 0
    assert y.shape[1] // 400 > 20
    assert [m.text for m in speech.marks(SR) if m.kind == "word"] == ["hey computer"]
    half = spoken(voice={"engine": "piper", "variant": "amy"}, rate=350).render(CTX)
    assert np.max(np.abs(half)) == pytest.approx(0.5 * np.max(np.abs(y)), rel=1e-3)
    assert re.fullmatch(r"piper-amy==[0-9a-f]{16}", speech.needs()[0])
    assert spoken(voice=voice, style="question").render(CTX).shape[1] > y.shape[1]  # the model hears the question mark
    with pytest.raises(RenderError, match="asks for speaker 3; the model has 0 to 0"):
        spoken(voice={**voice, "variant": "amy#3"}).extent(SR)
    with pytest.raises(RenderError, match="expected MODEL or MODEL#NUMBER"):
        spoken(voice={**voice, "variant": "amy#x"}).extent(SR)
    with pytest.raises(ParameterError, match="the piper voice knows no b ɡ"):
        spoken(voice=voice, text="big").extent(SR)


def test_context_is_plain():
    """Control characters have no place around a phrase either."""
    with pytest.raises(ValidationError, match=r"U\+000A"):
        Context(before="a\nb")


# ---------------------------------------------------------------------------------------------------- pronunciations


@pytest.mark.parametrize(
    ("word", "cmu"),
    [
        ("computer", "K AH0 M P Y UW1 T ER0"), ("seven", "S EH1 V AH0 N"), ("machine", "M AH0 SH IY1 N"),
        ("thing", "TH IH1 NG"), ("joyous", "JH OY1 AH0 S"), ("measure", "M EH1 ZH ER0"), ("how", "HH AW1"),
        ("five", "F AY1 V"), ("cheese", "CH IY1 Z"), ("good", "G UH1 D"), ("bird", "B ER1 D"), ("happy", "HH AE1 P IY0"),
        ("open", "OW1 P AH0 N"), ("light", "L AY1 T"), ("law", "L AO1"), ("father", "F AA1 DH ER0"), ("red", "R EH1 D"),
        ("weather", "W EH1 DH ER0"),
    ],
)  # fmt: skip
def test_phones_of_cmudict_are_the_word(word, cmu):
    """What CMUdict writes for a word sounds as the library says it: its own letter-to-sound rules are the witness."""
    alone, given = (
        [m.text for m in spoken(text=word, **more).marks(SR) if m.kind == "phone"]
        for more in ({}, {"pronounce": {word: cmu}})
    )
    assert distances(parse("_".join(alone)).phones, [parse("_".join(given)).phones])[0] < 0.12
    assert len(alone) == len(given)


def test_one_word_is_said_otherwise():
    """Words without a pronunciation of their own keep the engine's; punctuation and names stay."""
    plain = spoken(text="say data, please")
    said = {}
    for name, how in (("eI", "d'eIt@"), ("a", "D AE1 T AH0")):
        speech = spoken(text="say data, please", pronounce={"Data": how})
        marks = speech.marks(SR)
        assert [m.text for m in marks if m.kind == "word"] == ["say", "data,", "please"]
        said[name] = [m.text for m in marks if m.kind == "phone" and m.token == 1]
        others = [m.text for m in marks if m.kind == "phone" and m.token != 1]
        assert others == [m.text for m in plain.marks(SR) if m.kind == "phone" and m.token != 1]
    assert said["eI"][1] == "ˈeɪ"
    assert said["a"][1] == "ˈæ"


def test_pronunciations_are_drawn(tmp_path):
    """Several of one word, by weight, in one recipe; the row says which."""
    how = {"weighted": [[3, "d'eIt@"], [1, "D AE1 T AH0"]]}
    source = {"text": "hey data", "pronounce": {"data": how}, "seed": 1}
    recipe = load_recipe(write(tmp_path, {"clips": 40, "events": [phrase(**source)]}))
    given = [plan_clip(recipe, "train", i).events[0].source.pronounce["data"] for i in range(40)]  # type: ignore[attr-defined]
    assert 20 < given.count("d'eIt@") < 40
    assert set(given) == {"d'eIt@", "D AE1 T AH0"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"pronounce": {"data": "d'eIt@"}}, "the word 'data' is not in the text 'hey computer'"),
        ({"pronounce": {"hey": "h'eI§"}}, r"pronounce\.hey: '§' at character 5"),
        ({"pronounce": {"hey": "HH EY"}}, r"vowels with their stress \(D EY1 T AH0\)"),
    ],
)
def test_pronunciations_that_cannot_be(more, message):
    """A word that is not said, symbols that are none, phones without stress."""
    with pytest.raises(ParameterError, match=message):
        spoken(**more).extent(SR)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"voice": {"engine": "flite"}, "pronounce": {"hey": "h'eI"}}, "pronounce: flite takes none"),
        ({"phonemes": "h'eI", "pronounce": {"hey": "h'eI"}}, "leave one of the two out"),
        ({"pronounce": {"hey": "[[h'eI]]"}}, "pronounce"),
    ],
)
def test_pronunciations_of_the_wrong_kind(more, message):
    """Another engine, twice the same, brackets."""
    with pytest.raises(ValidationError, match=message):
        spoken(**more)
