"""Write the golden rows of this format again: `python tests/golden/regenerate.py --reason "what alters sound, and why"`.

Rows are what an earlier version wrote and a later one must give back, so this is run for two causes only: a component or a
measure is added (its scene goes below; the other rows must stay as they are), or sound was altered on purpose (a version, the
engine or the format goes up). The reason and what changed are added to log.txt. Rows that stand are kept as they were written, unless `--replace` names them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from material import write_recipe

from audiosynth import build, load_recipe, registry
from audiosynth.spec import ENGINE, FORMAT

HERE = Path(__file__).resolve().parent
TONE = {"type": "tone", "frequency": 440.0, "duration": 0.3}
PINK = {"type": "coloured", "colour": "pink", "seed": 11}
QUIET_PINK = {**PINK, "level_dbfs": -45.0}


def event(source: dict[str, Any], onset: float, **more: Any) -> dict[str, Any]:
    """Return an event called after its source."""
    return {"label": source["type"], "source": source, "onset": onset, **more}


def measured(source: dict[str, Any], onset: float, **level: Any) -> dict[str, Any]:
    """Return an event with a level spelt out."""
    return event(source, onset, level=level)


def talk(**asked: Any) -> dict[str, Any]:
    """Return a conversation of tones."""
    source = {**TONE, "frequency": {"uniform": [200.0, 900.0]}, "duration": {"uniform": [0.05, 0.3]}}
    of = {"label": "$speaker", "source": source, "level_dbfs": -20.0}
    return {"repeat": {"turns": {"from": ["a", "b", "c", "d"], **asked}, "of": of}}


def scenes() -> dict[str, dict[str, Any]]:
    """Return one clip per name: every portable component that needs no recording, every measure, span and signal."""
    long_bell = {"type": "harmonic", "f0": 220.0, "duration": 1.3, "n_partials": 12, "inharmonicity": 1e-4}
    chirp = {"type": "chirp", "fmin": 300.0, "fmax": 3000.0, "duration": 0.3}
    burst = {"type": "noise_burst", "duration": 0.25, "seed": 5}
    filters: list[dict[str, Any]] = [
        {"kind": "lowpass", "frequency": 2000.0, "order": 4}, {"kind": "highpass", "frequency": 120.0},
        {"kind": "bandpass", "fmin": 200.0, "fmax": 3000.0}, {"kind": "bandstop", "fmin": 700.0, "fmax": 900.0},
        {"kind": "peaking", "frequency": 1000.0, "gain_db": 6.0, "q": 2.0},
        {"kind": "lowshelf", "frequency": 300.0, "gain_db": -4.0}, {"kind": "highshelf", "frequency": 2500.0, "gain_db": 5.0, "slope": 0.7},
    ]  # fmt: skip
    return {
        "tones": {
            "noise": QUIET_PINK,
            "events": [event(TONE, 0.1, snr_db=12.0), event({**TONE, "phase": 90.0, "fade": 0.0}, 0.55, snr_db=-3.0)],
        },
        "talks": {
            "duration": {"fit": 0.1},
            "events": [talk(speakers=3, n=7, again=0.2, pause={"uniform": [0.02, 0.1]}, overlap_ratio=0.2)],
        },
        "chirps": {
            "sr": 16_000,
            "noise": {"type": "coloured", "colour": "white", "seed": 1, "level_dbfs": -50.0},
            "events": [
                event(chirp, 0.02, snr_db=20.0),
                event({**chirp, "method": "exponential", "direction": "down"}, 0.34, snr_db=6.5),
                event({**chirp, "method": "hyperbolic", "amplitude": 0.5}, 0.66, snr_db=0.0),
            ],
        },
        "bells": {
            "noise": {
                "type": "coloured",
                "slope_db": -4.5,
                "fmin": 50.0,
                "below": "cut",
                "seed": 3,
                "level_dbfs": -40.0,
            },
            "duration": 1.6,
            "events": [
                measured(long_bell, 0.1, snr_db=8.0, measure="lufs"),
                measured(
                    {**long_bell, "vibrato_rate": 5.0, "vibrato_depth": 40.0}, 0.2, snr_db=3.0, measure="active_speech"
                ),
                measured(
                    {"type": "harmonic", "f0": 330.0, "duration": 0.4, "partials_db": [0.0, -12.0, -7.0]},
                    1.0,
                    snr_db=5.0,
                    measure="a_weighted",
                ),
            ],
        },
        "bursts": {
            "noise": {"type": "coloured", "colour": "brown", "seed": 2, "level_dbfs": -38.0},
            "events": [
                measured(burst, 0.1, snr_db=4.0, span="event", noise_span="clip"),
                measured(
                    {**burst, "seed": 6, "slope_db": -3.0, "fmin": 300.0, "fmax": 3000.0}, 0.5, snr_db=4.0, span="clip"
                ),
            ],
        },
        "clicks": {
            "noise": {"type": "coloured", "colour": "blue", "seed": 4, "level_dbfs": -55.0, "measure": "a_weighted"},
            "events": [
                event({"type": "click"}, 0.1, level_dbfs=-25.0),
                event(
                    {"type": "click", "n_clicks": 6, "interval": 0.031, "polarity": "alternating"},
                    0.4,
                    level_dbfs=-28.0,
                ),
                event({"type": "click", "width": 0.002, "shape": "monophasic"}, 0.8, level_dbfs=-30.0),
            ],
        },
        "silence": {
            "noise": {"layers": [{"source": {"type": "silence"}}, {"source": PINK}], "level_dbfs": -35.0},
            "events": [],
        },
        "layers": {
            "noise": {
                "layers": [
                    {"source": PINK, "level_dbfs": -40.0},
                    {"source": {"type": "coloured", "colour": "violet", "seed": 8}, "level_dbfs": -52.0},
                ]
            },
            "events": [event(TONE, 0.3, level_dbfs=-22.0)],
        },
        "filters": {
            "noise": QUIET_PINK,
            "duration": 1.8,
            "events": [
                event({**burst, "seed": 20 + i}, 0.02 + 0.25 * i, snr_db=15.0, effects=[{"type": "filter", **one}])
                for i, one in enumerate(filters)
            ],
        },
        "moved": {
            "noise": QUIET_PINK,
            "duration": 1.8,
            "events": [
                event(chirp, 0.05, snr_db=15.0, effects=[{"type": "speed", "factor": 1.1}]),
                event(chirp, 0.4, snr_db=15.0, effects=[{"type": "time_stretch", "rate": 0.8}]),
                event(chirp, 0.85, snr_db=15.0, effects=[{"type": "pitch_shift", "semitones": -3.5}]),
                event(
                    TONE,
                    1.3,
                    level_dbfs=-20.0,
                    effects=[
                        {"type": "gain", "gain_db": -6.0, "invert": True},
                        {"type": "fade", "fade_in": 0.1, "fade_out": 0.1, "shape": "sine"},
                    ],
                ),
            ],
        },
        "moved_2": {
            "noise": QUIET_PINK,
            "duration": 1.8,
            "events": [
                event({**burst, "duration": 0.3}, 0.05, snr_db=15.0, effects=[{"type": "time_stretch", "rate": 0.8}]),
                event(chirp, 0.45, snr_db=15.0, effects=[{"type": "time_stretch", "rate": 1.6}]),
                event(chirp, 0.8, snr_db=15.0, effects=[{"type": "pitch_shift", "semitones": -3.5}]),
                event(chirp, 1.2, snr_db=15.0, effects=[{"type": "pitch_shift", "semitones": 1.5, "rate": 0.9}]),
            ],
        },
        "envelopes": {
            "noise": {
                "layers": [
                    {"source": PINK, "level_dbfs": -40.0, "envelope": [[0.3, 0.0], [0.8, -50.0]]},
                    {
                        "source": {"type": "coloured", "colour": "violet", "seed": 8},
                        "envelope": [[0.3, -50.0], [0.8, 0.0]],
                    },
                ],
                "level_dbfs": -35.0,
            },
            "events": [
                event(
                    TONE,
                    0.3,
                    snr_db=15.0,
                    effects=[{"type": "gain_envelope", "points": [[0.0, -30.0], [0.2, 0.0]]}],
                )
            ],
        },
        "formants": {
            "noise": QUIET_PINK,
            "events": [
                event(
                    long_bell | {"duration": 0.7}, 0.1, snr_db=15.0, effects=[{"type": "formant_shift", "ratio": 1.2}]
                )
            ],
        },
        "time_moved": {
            "noise": QUIET_PINK,
            "duration": 3.0,
            "mix": {"effects": [{"type": "shift", "time": 0.2, "rollover": True, "fade": 0.01}]},
            "events": [
                event(burst, 0.1, snr_db=15.0, effects=[{"type": "reverse"}, {"type": "pad", "before": 0.1}]),
                event(
                    TONE,
                    0.7,
                    snr_db=15.0,
                    effects=[
                        {"type": "repeat", "start": 0.05, "duration": 0.07, "n": 2, "crossfade": 0.005},
                        {"type": "trim", "start": 0.02},
                    ],
                ),
                event(
                    chirp,
                    1.5,
                    snr_db=15.0,
                    effects=[{"type": "clock_drift", "ppm": 300.0, "wander_ppm": 2000.0, "period": 0.5}],
                ),
            ],
        },
        "codecs": {
            "noise": QUIET_PINK,
            "duration": 3.0,
            "mix": {
                "effects": [{"type": "packet_loss", "good_to_bad": 0.05, "bad_to_good": 0.5, "seed": 3}],
            },
            "events": [
                event(chirp, 0.2, snr_db=25.0, effects=[{"type": "g711", "law": "mu"}]),
                event(chirp, 0.9, snr_db=25.0, effects=[{"type": "g722"}]),
                event(chirp, 1.6, snr_db=25.0, effects=[{"type": "adpcm", "rate": 8000}]),
            ],
        },
        "under": {
            "noise": {**PINK, "snr_db": 7.0, "measure": "lufs"},
            "room": {"type": "none"},
            "events": [event(TONE, 0.2, level_dbfs=-20.0), event(burst, 0.4, level_dbfs=-26.0)],
        },
        "loud": {
            "noise": QUIET_PINK,
            "mix": {"level_dbfs": -3.0, "guard": "scale", "dither": "tpdf", "seed": 9},
            "events": [measured(long_bell | {"duration": 0.8}, 0.1, level_dbfs=-18.0, measure="lufs", signal="dry")],
        },
        "clipped": {
            "mix": {"guard": "clip", "effects": [{"type": "gain", "gain_db": 9.0}]},
            "events": [event(TONE, 0.3, level_dbfs=-8.0)],
        },
        "spl": {
            "calibration_db": 110.0,
            "noise": {**PINK, "spl_db": 45.0, "measure": "a_weighted"},
            "events": [measured(TONE, 0.3, spl_db_1m=65.0, measure="a_weighted")],
        },
        "wide": {
            "sr": 16_000,
            "channels": 2,
            "reference_channel": 1,
            "duration": 0.8,
            "noise": QUIET_PINK,
            "output": {"format": "flac", "subtype": "PCM_24", "stems": True},
            "labels": {"drop_below_snr_db": 0.0},
            "events": [
                measured(TONE, 0.1, snr_db=10.0, signal="early"),
                measured({**TONE, "frequency": 2500.0}, 0.3, snr_db=-10.0, signal="direct"),
            ],
        },
        **rooms(),
    }


def rooms() -> dict[str, dict[str, Any]]:
    """Return clips in simulated rooms: receivers, absorption, places, and beds in space."""
    box = {"type": "shoebox", "size": [4.4, 3.2, 2.6], "seed": 5}
    pair = {"type": "linear", "n": 2, "spacing": 0.08, "position": [1.9, 1.4, 1.2]}
    foa = {"type": "ambisonic", "position": [2.4, 1.3, 1.1], "yaw": 50.0, "pitch": -8.0}
    there = {"position": [1.1, 2.1, 1.5]}
    return {
        "box": {
            "sr": 16_000,
            "noise": QUIET_PINK,
            "room": {**box, "rt60": 0.35, "jitter": 0.03, "receiver": {"position": [3.1, 1.2, 1.3]}},
            "events": [
                event(TONE, 0.1, snr_db=15.0, **there),
                event(TONE, 0.5, snr_db=5.0, align="causal", position={"distance": 0.9, "azimuth": 140.0}),
                measured(TONE, 0.7, snr_db=9.0, signal="early") | {"position": {"within": {"distance": [0.5, 1.5]}}},
            ],
        },
        "ambient": {
            "channels": 4,
            "noise": {**PINK, "level_dbfs": -45.0, "spatial": "diffuse"},
            "labels": {"offset": "tail"},
            "room": {
                **box,
                "alpha": [0.3, 0.5, 0.4, 0.2, 0.6, 0.4],
                "air": True,
                "pattern": "cardioid",
                "receiver": foa,
            },
            "events": [event(TONE, 0.2, snr_db=12.0, **there)],
        },
        "surfaces": {
            "channels": 2,
            "noise": {**PINK, "level_dbfs": -40.0, "spatial": "point", "position": [3.6, 2.2, 0.8]},
            "room": {
                **box,
                "surfaces": {"walls": "curtain", "floor": "carpet", "ceiling": "acoustic_tile"},
                "duration": 0.4,
                "receiver": pair | {"pattern": "supercardioid"},
            },
            "events": [event(TONE, 0.2, level_dbfs=-20.0, **there)],
        },
        "late": {
            "channels": 4,
            "noise": {**PINK, "level_dbfs": -45.0, "spatial": "diffuse"},
            "room": {**box, "rt60": 0.5, "method": "hybrid", "receiver": foa},
            "events": [event(TONE, 0.2, snr_db=6.0, **there)],
        },
        "polack_2": {
            "channels": 4,
            "noise": {**PINK, "level_dbfs": -45.0, "spatial": "independent"},
            "room": {
                "type": "statistical",
                "rt60": [0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2],
                "drr_db": 2.0,
                "seed": 6,
                "receiver": {"type": "tetrahedral", "radius": 0.042},
            },
            "events": [event(TONE, 0.2, snr_db=18.0, position={"distance": 1.4, "azimuth": -70.0, "elevation": 15.0})],
        },
    }


def sounds() -> dict[str, dict[str, Any]]:
    """Return one clip for every synthesizer that draws its own variety, and one for each noise that is drawn from words."""
    made = {}
    for name, cls in registry.newest("synths").items():
        if cls.drawn:
            source = {"type": name, **cls.examples[0]}
            # a later version has a row of its own; that of the first stays
            later = f"_{cls.version}" if cls.version > 1 else ""
            made[f"synth_{name}{later}"] = {"events": [event(source, 0.1, overrun="cut")]}
    for name in ("coloured", "profile"):
        cls = registry.newest("noises")[name]
        made[f"noise_{name}_{cls.version}"] = {"noise": {"type": name, **cls.examples[-1], "level_dbfs": -30.0}}
    return made


BY_HAND = {
    "adpcm", "clock_drift", "fade", "filter", "formant_shift", "g711", "g722", "gain", "gain_envelope", "packet_loss", "pad",
    "pitch_shift", "repeat", "reverse", "shift", "speed", "time_stretch", "trim",
}  # fmt: skip
"""Effects that stand in scenes of their own above."""


def degradations() -> dict[str, dict[str, Any]]:
    """Return one clip per portable effect without recordings: its examples on events, those that keep the length on the mix."""
    made: dict[str, dict[str, Any]] = {}
    for name, cls in registry.components("effects").items():
        if cls.portability != "portable" or cls.type_name in BY_HAND:
            continue
        trees = [{"type": name, **example} for example in cls.examples if "recording" not in example]
        source = {"type": "noise_burst", "duration": 0.3, "slope_db": -3.0, "seed": 9}
        events = [
            event(source, 0.05 + 0.35 * (i % 3), level_dbfs=-18.0, effects=[tree]) for i, tree in enumerate(trees)
        ]
        still: Any = registry.create("effects", trees[-1])
        mix = {"mix": {"effects": [trees[-1]]}} if still.extent(1000, 8000) == 1000 else {}
        made[f"effect_{name.replace('@', '_')}"] = {"noise": QUIET_PINK, "events": events, **mix}
    return made


def rows() -> dict[str, dict[str, Any]]:
    """Return the manifest row of every scene."""
    made = {}
    with tempfile.TemporaryDirectory() as name:
        for split, scene in {**scenes(), **sounds(), **degradations()}.items():
            tree = {"name": f"golden-{split}", "seed": 1, "sr": 8000, "duration": 1.1, "clips": {split: 1}, **scene}
            recipe = load_recipe(write_recipe(Path(name) / f"{split}.yaml", tree), cache_dir=Path(name) / "cache")
            root = build(recipe, Path(name) / split).root
            made[split] = json.loads((root / "manifest.jsonl").read_text(encoding="utf-8"))
    return made


def changes(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> str:
    """Return in words which clips are new, gone, or sound otherwise."""
    other = [name for name in new if name in old and old[name]["pcm_sha256"] != new[name]["pcm_sha256"]]
    parts = {
        "added": [n for n in new if n not in old],
        "other samples": other,
    }
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts.items() if names) or "no samples changed"


def main() -> None:
    """Write the rows and the log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reason", required=True, help="what alters sound, and why; kept in log.txt")
    parser.add_argument("--replace", nargs="*", default=[], help="rows to write anew where their samples have changed")
    given = parser.parse_args()
    reason = " ".join(given.reason.split())
    if len(reason) < 10:
        parser.error("--reason needs a sentence: whoever finds a changed golden reads it")
    path = HERE / f"format{FORMAT}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    old = {row["split"]: row for row in map(json.loads, lines)}
    written = {json.loads(line)["split"]: line for line in lines}
    new = rows()
    # A row that an earlier version wrote stays as that version wrote it: it must come back even where a new one differs.
    new = {n: row for n, row in new.items() if n not in old or n in given.replace}
    fresh = {n: json.dumps(row, ensure_ascii=False, separators=(",", ":")) for n, row in new.items()}
    text = "".join(line + "\n" for line in {**written, **fresh}.values())
    path.write_text(text, encoding="utf-8", newline="\n")
    with (HERE / "log.txt").open("a", encoding="utf-8", newline="\n") as log:
        log.write(f"format {FORMAT}, engine {ENGINE}: {reason} ({changes(old, new)})\n")
    print(f"{path.name}: {len(new)} rows; {changes(old, new)}")


if __name__ == "__main__":
    main()
