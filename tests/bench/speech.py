"""Speech: the same samples whatever came before, word and phone times against the sound, utterances and clips a second.

    python tests/bench/speech.py              # all of it
    python tests/bench/speech.py --only times

Determinism: 500 utterances (5 languages, Klatt, breath, echo, flutter) in three orders, by 1 and 2 processes, in another
locale, and with AVX2, FMA and AVX-512 masked. Times: 200 utterances, the largest rise of high-band energy within 30 ms of
each unvoiced fricative and stop, against its mark. Speed: one core, 16 kHz, with times.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from audiosynth.clip import RenderContext
from audiosynth.speech import espeak
from audiosynth.speech.voices import CAST_VARIANTS, Voice, voice_file
from audiosynth.synths.speech import Speech

ROOT = Path(__file__).parents[2]
SR = 16_000
TEXTS = {
    "en-us": ("hey computer", "seven", "turn on the light", "the kettle is still warm"),
    "de": ("guten Morgen", "sieben", "mach das Licht an"),
    "fr": ("bonjour", "sept", "allume la lumière"),
    "es": ("buenos días", "siete", "enciende la luz"),
    "it": ("buongiorno", "sette", "accendi la luce"),
}
KINDS = (
    {},
    {"klatt": 3},
    {"breath": 0.5},
    {"variant": "f3"},
    {"variant": "whisper"},
    {"variant": "klatt4"},
    {"roughness": 5},
)
FRICATIVES, STOPS = ("s", "ʃ", "f"), ("t", "k", "p")
FROM_HZ = {**dict.fromkeys(FRICATIVES, 5000.0), **dict.fromkeys(STOPS, 1000.0)}
"""Where the energy is measured from."""
LATE = 12
"""Milliseconds that marks are moved by, to see that the measure goes by the sound."""
WORDS = {
    "s": ("a sip", "a seat", "a sofa"), "ʃ": ("a ship", "a shoe", "a sheet"), "f": ("a fish", "a foot"),
    "t": ("a tea", "a tower", "a tune"), "k": ("a cow", "a key", "a car"), "p": ("a pie", "a pea", "a park"),
}  # fmt: skip


def requests() -> list[espeak.Request]:
    """Return 500 utterances of all kinds."""
    made = []
    for i in range(500):
        language = list(TEXTS)[i % 5]
        text = TEXTS[language][(i // 5) % len(TEXTS[language])]
        kinds = (*KINDS, {"variant": CAST_VARIANTS[i // 8 % len(CAST_VARIANTS)], "vocal_tract": 1.05})
        voice = voice_file(Voice(language=language, pitch=float(i % 7 - 3), **kinds[i % len(kinds)]))
        made.append(espeak.Request(text, language, voice + f"flutter {i % 9}\n", rate=120 + i % 200, seed=i))
    return made


def digests(order: list[int]) -> dict[str, str]:
    """Return the hash of each utterance, said in an order."""
    made = requests()
    return {str(i): hashlib.sha256(espeak.say(made[i]).pcm.tobytes()).hexdigest() for i in order}


def ask(order: str, share: str, **environ: str) -> subprocess.Popen[str]:
    """Start a process that says a share of the utterances in an order."""
    command = [sys.executable, __file__, "--digests", order, "--share", share]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environ})


def determinism() -> None:
    """Print how many utterances differ in any circumstance."""
    masked = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-FMA,-AVX2_Usable,-FMA_Usable"}
    cases = {
        "forwards": [ask("forwards", "0/1")],
        "backwards": [ask("backwards", "0/1")],
        "shuffled": [ask("shuffled", "0/1")],
        "two processes": [ask("shuffled", "0/2"), ask("backwards", "1/2")],
        "LC_ALL=de_DE.UTF-8": [ask("forwards", "0/1", LC_ALL="de_DE.UTF-8", LANG="de_DE.UTF-8")],
        "AVX2, FMA, AVX-512 masked": [ask("forwards", "0/1", **masked)],
    }
    first: dict[str, str] = {}
    for name, processes in cases.items():
        found: dict[str, str] = {}
        for process in processes:
            found.update(json.loads(process.communicate()[0]))
        first = first or found
        same = sum(found[i] == first[i] for i in found)
        print(f"same samples, {name:27} {same} of {len(found)}")


def rise(y: np.ndarray, at: int, fmin: float) -> float:
    """Return where, in ms from `at`, energy above `fmin` rises most within 30 ms: the mean of its logarithm over 8 ms after against before.

    Means over 8 ms, since a single glottal pulse rises more steeply than any hiss; above 5 kHz for fricatives, since the
    vowel that goes before is louder than they are up to there.
    """
    import scipy.signal

    sos = scipy.signal.butter(4, fmin, "highpass", fs=SR, output="sos")
    hop, n = SR // 1000, 8
    power = np.square(scipy.signal.sosfiltfilt(sos, y))
    sums = np.cumsum(np.log10(np.add.reduceat(power, np.arange(0, len(power), hop)) + 1e-9))
    sums = np.concatenate([[0.0], sums])
    t = np.arange(n, len(sums) - n)
    step = np.full(len(sums), -np.inf)
    step[t] = (sums[t + n] - 2.0 * sums[t] + sums[t - n]) / n
    centre = at // hop
    low = max(0, centre - 30)
    return float(low + np.argmax(step[low : centre + 31]) - centre)


def times() -> None:
    """Print how far marks are from what is heard, and that the measure would find marks that are late."""
    found: dict[str, list[tuple[np.ndarray, int, float]]] = {"word": [], "phone": []}
    phones = (*FRICATIVES, *STOPS)
    for i in range(200):
        phone = phones[i % len(phones)]
        text = WORDS[phone][(i // len(phones)) % len(WORDS[phone])]
        voice = Voice(variant=("", "f2", "m3", "f4", "m7")[i % 5], vocal_tract=0.88 + 0.002 * (i % 120))
        speech = Speech(text=text, voice=voice, rate=90 + 17 * (i % 20), seed=i)
        y = speech.render(RenderContext(sr=SR))[0]
        marks = speech.marks(SR)
        word = [m for m in marks if m.kind == "word"][-1]
        found["word"].append((y, word.onset, FROM_HZ[phone]))
        found["phone"] += [  # the first of the word, and those inside
            (y, m.onset, FROM_HZ[m.text])
            for m in marks
            if m.kind == "phone" and m.text in phones and m.onset >= word.onset
        ]
    for kind, limit in (("word", 10), ("phone", 15)):
        off = np.array([rise(*one) for one in found[kind]])
        late = np.array([rise(y, at + SR * LATE // 1000, fmin) for y, at, fmin in found[kind]])
        print(
            f"{kind} onsets, {len(off)}: median {np.median(off):+.0f} ms, 95 % within {np.percentile(np.abs(off), 95):.0f} ms, "
            f"{np.mean(np.abs(off) <= limit):.1%} within {limit} ms, worst {np.abs(off).max():.0f} ms; "
            f"marks set {LATE} ms late: median {np.median(late):+.0f} ms"
        )


def speed(n: int = 1500) -> None:
    """Print utterances a second, and clips of the wake word recipe a second."""
    voices = [Voice(variant=v, vocal_tract=0.9) for v in CAST_VARIANTS]
    rates = []
    for part in range(3):
        begun = time.perf_counter()
        for i in range(n // 3):
            speech = Speech(text="hey computer", voice=voices[i % len(voices)], seed=n * part + i)
            speech.extent(SR), speech.marks(SR)
            speech.render(RenderContext(sr=SR))
        rates.append(n / 3 / (time.perf_counter() - begun))
    print(
        f"'hey computer' at 16 kHz with times: {np.median(rates):.0f} utterances/s (three runs: {min(rates):.0f} to {max(rates):.0f})"
    )
    for name, plain, noise in (
        ("speech, room, pink or brown noise, level, write", True, COLOURED),
        ("the same with the recipe's noise profiles", True, None),
        ("the recipe as it is, with echoes of the device's own voice and music", False, None),
    ):
        print(f"wake word clips of 2 s, {name}: {wake_word(plain, noise):.0f} clips/s of one core")


COLOURED = "noise={type: coloured, colour: {choice: [pink, brown]}, level_dbfs: {uniform: [-55, -35]}}"


def wake_word(plain: bool, noise: str | None) -> float:
    """Return clips a second of processor time, the speaking process's included, as other work on the machine does not count.

    The difference of two builds leaves out starting, loading and finishing.
    """
    text = (ROOT / "recipes" / "wake_word.yaml").read_text(encoding="utf-8")
    if plain:  # without what the device itself plays
        text = text[: text.index("\n  - maybe:") + 1] + text[text.index("noise:\n") :]
    spent = []
    with tempfile.TemporaryDirectory() as name:
        recipe = Path(name) / "wake_word.yaml"
        recipe.write_text(text, encoding="utf-8")
        for clips in (576, 1472):  # both load compiled loops
            sets = [f"clips={{train: {clips}}}", "export=[]", "splits={train: 1}", *([] if noise is None else [noise])]
            more = [word for value in sets for word in ("--set", value)]
            command = [sys.executable, "-m", "audiosynth", "build", str(recipe), "-q", "--workers", "1", *more]
            before = os.times()
            subprocess.run([*command, "-o", f"{name}/{clips}"], check=True)
            after = os.times()
            spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return 896 / (spent[1] - spent[0])


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("determinism", "times", "speed"))
    parser.add_argument("--digests")
    parser.add_argument("--share", default="0/1")
    options = parser.parse_args()
    if options.digests:
        order = list(range(500))
        if options.digests == "backwards":
            order.reverse()
        elif options.digests == "shuffled":
            order.sort(key=lambda i: hashlib.sha256(str(i).encode()).digest())
        k, n = map(int, options.share.split("/"))
        print(json.dumps(digests([i for i in order if i % n == k])))
        return
    for name, part in (("determinism", determinism), ("times", times), ("speed", speed)):
        if options.only in (None, name):
            part()


if __name__ == "__main__":
    main()
