"""Who speaks: a voice as a few numbers, written into the row, and what an engine makes of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audiosynth.errors import RenderError, did_you_mean

PITCH: Final = (80.0, 118.0)
"""Base and top in Hz of libespeak-ng's voice without a `pitch` line (measured: the pair that gives its lengths)."""
TONE: Final = ((600, 170), (1200, 135), (2000, 110), (3000, 110), (5000, 110))
"""Its gain over frequency (Hz, of 255), from `tone` in its documentation of voices; the last point is ours."""
FORMANTS: Final = 9
"""Formants of a voice file, numbered from 0 (a nasal resonance) on."""
BREATH: Final = (0.0, 0.6, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7)
"""Shape of breath noise over the formants, as in the library's own breathy variants."""
CAST_VARIANTS: Final = (
    "", "Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Gene2", "Henrique", "Hugo", "Jacky", "Lee",
    "Marco", "Mario", "Michael", "Mike", "Mr serious", "Nguyen", "Reed", "Storm", "adam", "anika", "announcer", "antonio",
    "aunty", "belinda", "benjamin", "boris", "caleb", "david", "ed", "edward", "edward2", "f1", "f2", "f3", "f4", "f5",
    "grandma", "grandpa", "gustave", "ian", "iven", "iven2", "iven3", "iven4", "john", "kaukovalta", "klatt", "klatt2",
    "klatt3", "klatt4", "klatt5", "klatt6", "linda", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "marcelo", "max",
    "michel", "miguel", "mike2", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby",
    "steph", "steph2", "steph3", "travis", "victor", "zac",
)  # fmt: skip
"""Variants that a cast is drawn from: those of libespeak-ng 1.52 that mean a person (no robots, whispers or demons)."""
KINDS: Final = {"espeak": "formant", "flite": "recorded", "piper": "trained"}

Factor = Annotated[float, Field(ge=0.5, le=2.0)]


class Voice(BaseModel):
    """A voice: which engine, and who of it.

    Attributes
    ----------
    engine
        ``espeak`` (formants), ``flite`` (recorded diphones and trained clusters), ``piper`` (trained).
    name
        Of a cast's voice; empty for one written in place.
    language
        Language and accent of espeak; flite speaks American English, a piper model what it was trained on.
    variant
        Which of the engine's voices: one of espeak's 104 variants, a flite voice, a piper model.
    pitch
        Semitones over the voice's own pitch.
    intonation
        How far the pitch moves, against the voice's own.
    vocal_tract
        Length against the voice's own: all formants go by its inverse. Women's vocal tracts are some 15 % shorter than
        men's (Fant 1960). For espeak.
    formants
        Factors on the frequencies of F1, F2, … beside that. For espeak.
    bandwidth
        Factor on the width of every formant: above 1 the peaks are broader and lower, as in voices with losses. For espeak.
    consonants
        Strength of fricatives and bursts. For espeak.
    breath, roughness, tilt_db
        Noise at the formants; irregularity of the voicing; dB per octave above 600 Hz. For espeak; breath is of its formant
        synthesizer, and the Klatt voices (``klatt``, and variants such as Reed and caleb) keep their own.
    klatt
        1 to 6: libespeak-ng's Klatt synthesizer with that voicing source; 0 leaves the variant's. For espeak.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    engine: Literal["espeak", "flite", "piper"] = Field("espeak", description="what speaks")
    name: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_.-]*$", description="name in a cast")
    language: str = Field("en-us", pattern=r"^[A-Za-z0-9-]{1,32}$", description="language and accent (espeak)")
    variant: str = Field("", pattern=r"^[A-Za-z0-9_.# -]{0,64}$", description="which of the engine's voices")
    pitch: float = Field(
        0.0, ge=-24, le=24, description="over the voice's own", json_schema_extra={"unit": "semitones"}
    )
    intonation: float = Field(1.0, ge=0, le=3, description="movement of the pitch", json_schema_extra={"unit": ""})
    vocal_tract: float = Field(1.0, ge=0.7, le=1.4, description="length", json_schema_extra={"unit": ""})
    formants: tuple[Factor, ...] = Field((), max_length=8, strict=False, description="factors on F1, F2, …")
    bandwidth: float = Field(1.0, ge=0.3, le=4, description="of the formants", json_schema_extra={"unit": ""})
    consonants: float = Field(1.0, ge=0, le=2, description="strength", json_schema_extra={"unit": ""})
    breath: float = Field(0.0, ge=0, le=1, description="noise at the formants", json_schema_extra={"unit": ""})
    roughness: int = Field(0, ge=0, le=7, description="irregular voicing", json_schema_extra={"unit": ""})
    tilt_db: float = Field(0.0, ge=-12, le=6, description="above 600 Hz", json_schema_extra={"unit": "dB/octave"})
    klatt: int = Field(
        0, ge=0, le=6, description="voicing source of the Klatt synthesizer", json_schema_extra={"unit": ""}
    )

    @model_validator(mode="after")
    def _fits_engine(self) -> Voice:
        if self.engine != "espeak":
            only = (
                "language",
                "vocal_tract",
                "formants",
                "bandwidth",
                "consonants",
                "breath",
                "roughness",
                "tilt_db",
                "klatt",
            )
            odd = [key for key in only if getattr(self, key) != type(self).model_fields[key].default]
            if odd:
                raise ValueError(f"{odd[0]} is espeak's alone; {self.engine} has variant, pitch and intonation")
        return self

    def made(self) -> str:
        """Return what kind of voice this is: formant, recorded or trained."""
        return KINDS[self.engine]


def default_cast() -> dict[str, Any]:
    """Return the draws of a cast's voice where its recipe does not say: every variant in turn, each body another one."""
    return {
        "variant": {"cycle": list(CAST_VARIANTS)},
        "pitch": {"truncnorm": [0.0, 2.0, -5.0, 5.0]},
        "intonation": {"uniform": [0.6, 1.5]},
        "vocal_tract": {"uniform": [0.88, 1.15]},
    }


@lru_cache(maxsize=1024)
def voice_file(voice: Voice) -> str:
    """Return a voice file of libespeak-ng for a voice: its variant's lines, moved by the numbers.

    Raises
    ------
    RenderError
        If there is no such language or variant.

    References
    ----------
    espeak-ng, docs/voices.md: attributes of voice files.
    """
    from audiosynth.speech import espeak

    espeak.language_name(voice.language)
    known = espeak.variants()
    if voice.variant and voice.variant not in known:
        hint = did_you_mean(voice.variant, known)
        raise RenderError(
            f"libespeak-ng has no variant '{voice.variant}'{hint or '; leave it out for the plain voice'}"
        )
    spoken = _lines(espeak.languages()[voice.language].read_text(encoding="utf-8"))
    own = _lines(known[voice.variant].read_text(encoding="utf-8")) if voice.variant else []
    rest = [line for line in own if line[0] not in ("language", "name", "gender", "pitch", "formant", "tone")]
    klatt = voice.klatt > 0 or any(line[0] == "klatt" for line in own)
    over = {
        key
        for key, on in (
            ("breath", voice.breath > 0 and not klatt),
            ("roughness", voice.roughness > 0),
            ("consonants", voice.consonants != 1.0),
            ("klatt", voice.klatt > 0),
        )
        if on
    }
    lines = [["language", "variant"], ["name", "own"], *(line for line in rest if line[0] not in over)]
    lines += [*_pitch(voice, spoken, own), *_formants(voice, spoken, own), *_more(voice, own)]
    return "\n".join(" ".join(line) for line in lines) + "\n"


def _lines(text: str) -> list[list[str]]:
    """Return the attributes of a voice file, without comments."""
    found = [line.split("//")[0].split() for line in text.splitlines()]
    return [line for line in found if line]


def _pitch(voice: Voice, spoken: list[list[str]], own: list[list[str]]) -> list[list[str]]:
    """Return the pitch line: moved from the variant's, else the language's; none where nothing is said or moved."""
    if voice.pitch == 0.0 and voice.intonation == 1.0:
        return [line for line in own if line[0] == "pitch"]
    given = [line for line in [*spoken, *own] if line[0] == "pitch" and len(line) > 2]
    base, top = (float(x) for x in given[-1][1:3]) if given else PITCH
    ratio = 2.0 ** (voice.pitch / 12.0)
    return [["pitch", f"{base * ratio:.0f}", f"{(base + (top - base) * voice.intonation) * ratio:.0f}"]]


def _formants(voice: Voice, spoken: list[list[str]], own: list[list[str]]) -> list[list[str]]:
    """Return the formant lines: those of the variant, else of the language, else plain, all moved."""
    given = {line[1]: line[2:] for line in [*spoken, *own] if line[0] == "formant" and len(line) > 2}
    if voice.vocal_tract == voice.bandwidth == 1.0 and not voice.formants:
        return [["formant", number, *rest] for number, rest in given.items() if ["formant", number, *rest] in own]
    out = []
    for number in range(FORMANTS):
        frequency, *rest = given.get(str(number), ["100", "100", "100"])
        if len(rest) > 1:
            rest[1] = f"{float(rest[1]) * voice.bandwidth:.0f}"
        factor = voice.formants[number - 1] if 1 <= number <= len(voice.formants) else 1.0
        out.append(["formant", str(number), f"{float(frequency) * factor / voice.vocal_tract:.0f}", *rest])
    return out


def _more(voice: Voice, own: list[list[str]]) -> list[list[str]]:
    """Return breath, roughness, tone and voicing source."""
    out = []
    klatt = voice.klatt > 0 or any(line[0] == "klatt" for line in own)
    if voice.breath > 0 and not klatt:  # with it, voicing source 6 falls silent
        out.append(["breath", *(f"{10.0 * voice.breath * shape:.0f}" for shape in BREATH)])
    if voice.consonants != 1.0:
        out.append(["consonants", *2 * [f"{100.0 * voice.consonants:.0f}"]])
    if voice.roughness > 0:
        out.append(["roughness", str(voice.roughness)])
    if voice.klatt > 0:
        out.append(["klatt", str(voice.klatt)])
    tones = [[int(x) for x in line[1:]] for line in own if line[0] == "tone" and all(x.isdigit() for x in line[1:])]
    points = list(zip(tones[-1][::2], tones[-1][1::2], strict=False)) if tones else list(TONE)
    if voice.tilt_db != 0.0:
        points = [(f, min(255, round(a * 10.0 ** (voice.tilt_db * _octaves(f) / 20.0)))) for f, a in points]
    if tones or voice.tilt_db != 0.0:
        out.append(["tone", *(str(x) for point in points for x in point)])
    return out


def _octaves(frequency: int) -> float:
    import math

    return max(0.0, math.log2(frequency / 600.0))
