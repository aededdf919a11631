"""The words of the recipe language, for `list` and `describe`; the numeric distributions describe themselves."""

from __future__ import annotations

from typing import Final, NamedTuple

from audiosynth.acoustics.materials import MATERIALS


class Word(NamedTuple):
    """What a word takes, what it gives, and one example."""

    takes: str
    gives: str
    example: str


WORDS: Final[dict[str, Word]] = {
    "choice": Word(
        "[item, …]", "One of several values or whole sub-trees, all equally likely.", "colour: {choice: [white, pink]}"
    ),
    "one_of": Word(
        "[item, …]",
        "As `choice`, by the name it has for effects elsewhere.",
        "effects: [{one_of: [{type: mp3, bitrate: 32}, {type: opus, bitrate: 16}]}]",
    ),
    "some_of": Word(
        "{n: count, of: [item, …], order: kept | random}",
        "So many of a list's items (a number or a draw of one), each at most once, in their order or (random) another.",
        "effects: [{some_of: {n: {integers: [0, 2]}, of: [{type: gain, gain_db: 3}, {type: gsm}, {type: reverse}]}}]",
    ),
    "sequence": Word(
        "[item, …]",
        "Several items of a list in place of one, such as one of two chains of effects.",
        "effects: [{choice: [{type: gsm}, {sequence: [{type: g722}, {type: gain, gain_db: -3}]}]}]",
    ),
    "p": Word(
        "probability",
        "In an effect, beside its parameters: it is there so often (short for maybe: {p: …, then: …}).",
        "effects: [{type: opus, bitrate: 16, p: 0.3}]",
    ),
    "weighted": Word(
        "[[weight, item], …]",
        "One of several, as likely as its weight says.",
        "label: {weighted: [[3, dog], [1, cat]]}",
    ),
    "cycle": Word(
        "[item, …]",
        "Items in turn over the split, shuffled anew on each pass: exact balance.",
        "label: {cycle: [yes, no]}",
    ),
    "deck": Word(
        "[item, …]", "Each item at most once in a split; an error when all are used up.", "label: {deck: [a, b, c]}"
    ),
    "balance": Word(
        "{of: [item, …], cost: [number, …] or {item: number}}",
        "Items as often as 1 / cost in every 1,000 draws: equal seconds per class where the cost is a use's seconds.",
        "label: {balance: {of: [dog, bell], cost: {dog: 1.2, bell: 4.0}}}",
    ),
    "product": Word(
        "{name: [item, …], …}",
        "Every combination of several lists, balanced over the split.",
        "let: {case: {product: {snr: [0, 10], kind: [a, b]}}}",
    ),
    "pick": Word(
        "catalogue, or {from: catalogue, where: {field: value}, unless: {field: value}, how: random | cycle | deck}",
        "A recording of a catalogue, of this clip's split, that has these values (or one of a list), and none of `unless`.",
        "let: {take: {pick: {from: words, where: {label: yes}}}}",
    ),
    "by": Word(
        "{on: $name, cases: {value: item, …}, default: item}",
        "An item chosen by another value.",
        "snr_db: {by: {on: $kind, cases: {alarm: 20}, default: {uniform: [0, 10]}}}",
    ),
    "sum": Word("[number, …]", "The sum of several numbers or draws.", "frequency: {sum: [$base, {uniform: [-5, 5]}]}"),
    "join": Word("[text, …]", "Several values as one text.", "label: {join: [$speaker, _, $word]}"),
    "repeat": Word(
        "{n: count, of: item}; or in place of n one of density, cooccurrence, sequence, timetable",
        """\
Several casts of one list item, each with dice of its own (0 to 1000).
n             that many: a number or a draw of one.
density       events per minute of the clip: 12, or {per_minute: 12, kind: poisson | fixed, max: 40}; the count of a Poisson
              process, or (fixed) the whole number next to the mean.
cooccurrence  classes that come together: {dog: {probability: 0.6, max_events: 4, classes: {dog: 0.3, car: 0.7}}, …}. A first
              class by `probability`, then up to max_events events in all, the others by `classes`. Under `table`, beside
              `first` (a draw: {cycle: [dog, car]} for exact balance), too.
sequence      a Markov chain: {first: {door: 1}, next: {door: {steps: 0.9}, steps: {steps: 0.6, door: 0.2}}, max_events: 12}; what
              a row lacks to 1 is the chance that it ends there. `onset: {follow: …}` puts one event after the other.
timetable     set times: [[0.5, door], [{uniform: [2, 4]}, steps]].
In the item, $label is the class of this cast (of the last three forms), $time its time (of a timetable).""",
        "events: [{repeat: {density: 12, of: {label: beep, source: {type: click}, onset: {slack: {uniform: [0, 1]}}}}}]",
    ),
    "maybe": Word(
        "{p: probability, then: item}",
        "An item with a probability, else nothing.",
        "room: {maybe: {p: 0.5, then: {type: none}}}",
    ),
    "of": Word("name", "The length in seconds of a named recording.", "duration: {of: utterance}"),
    "slack": Word(
        "fraction from 0 to 1",
        "A place within the room there is: 0 as early as possible, 1 as late as possible.",
        "onset: {slack: {uniform: [0, 1]}}",
    ),
    "follow": Word(
        "seconds",
        "For `onset`: so long after the event before it is last heard (below 0: before that), of the same `repeat` or, outside one, of the list; the first of a `repeat` counts from the start of the clip.",
        "onset: {follow: {uniform: [0.2, 1.0]}}",
    ),
    "fit": Word(
        "seconds",
        "For `duration`: as long as the clip's events, and so many seconds after the last.",
        "duration: {fit: 0.5}",
    ),
    "literal": Word(
        "anything", "The value as it stands, even if it looks like a draw.", "meta: {literal: {choice: [1, 2]}}"
    ),
    "let": Word(
        "{name: value, …}",
        "Names for draws, each drawn once: for the clip, or inside one event.",
        "let: {word: {cycle: [yes, no]}}\nevents: [{label: $word, source: {type: click}}]",
    ),
    "extends": Word(
        "file or name",
        "The recipe that this one changes, in the same folder or of those that come along; maps are merged.",
        "extends: quickstart",
    ),
    "$name": Word(
        "",
        "The value of a `let` name, or a field of it; always a whole value ($$ for a dollar sign).",
        "label: $take.label",
    ),
}

ARGUMENTS: Final[dict[str, str]] = {
    "uniform": "snr_db: {uniform: [0, 20]}",
    "log_uniform": "frequency: {log_uniform: [300, 4000]}",
    "normal": "let: {drift: {normal: [0, 1]}}    # for bounded parameters: truncnorm",
    "truncnorm": "level_dbfs: {truncnorm: [-45, 5, -60, -35]}",
    "integers": "n: {integers: [1, 5]}",
    "poisson": "n: {poisson: [2.5, 8]}",
    "beta": "onset: {slack: {beta: [2, 5]}}",
    "histogram": "duration: {histogram: {edges: [1, 2, 4], weights: [3, 1]}}",
}
"""One example of each numeric distribution."""

TOP: Final[dict[str, tuple[str, str]]] = {
    "clips": (
        "number or map",
        "How many: {train: 1000, test: 100}, one number shared out over `splits`, or {each: {from: catalogue, as: name}, replicas: 1}",
    ),
    "splits": ("splits", "Which recordings go where: {train: 0.8, test: 0.2}; see describe splits"),
    "catalogues": ("map of catalogues", "Sets of recordings by name; see describe catalogue"),
    "voices": ("map of casts", "Voices to draw for speech: {n: 200}, or by name; each belongs to one split"),
    "negatives": ("map of tables", "Phrases near to a keyword, and why: {of: [hey computer], kinds: [alike, partial]}"),
    "output": ("output", "How audio is written; see describe output"),
    "export": ("list of exporters", "Formats of the labels; see list exporters"),
    "licence": ("licence", "The set's licence and use, which its recordings must allow; see describe licence"),
    "duration": ("number", "Length of a clip in seconds"),
    "events": ("list of events", "What is heard and labeled; see describe event"),
    "scene": ("scene", "Limits on how the events overlap; see describe scene"),
    "noise": ("noise", "What lies under everything; see describe noise"),
    "room": ("one of the rooms", "The room of all events that name none"),
    "mix": ("mix", "What happens to the sum; see describe mix"),
    "labels": ("labels", "How labels follow the sound; see describe labels"),
    "calibration_db": ("number", "dB SPL of 0 dBFS; for spl_db and spl_db_1m"),
    "channels": ("whole number", "Channels of a clip"),
    "description": ("text", "What the dataset is"),
}
"""Type and description of the recipe's top-level keys, where their JSON Schema says too much or too little."""

PARTS: Final[dict[str, Word]] = {
    "recipe": Word(
        "",
        "",
        "sr: 16000\nduration: 2.0\nclips: {train: 1000, test: 100}\nevents: [{label: beep, source: {type: click}, onset: 0.5, level_dbfs: -20}]",
    ),
    "event": Word(
        "One event of a clip: what sounds, when, how loud, and its label.",
        """\
A source (a synthesizer or a recording), its effects, and its room; then its place (`onset` in seconds, {slack: 0..1}, or
`at`), and its level (`snr_db` over the noise, or `level_dbfs`, `spl_db_1m`; `level` for other measures).
In a room with walls, `position` says where the source stands (describe position).
`overrun: cut` cuts what does not fit the clip (its label is marked `partial`); otherwise that is an error. `align: causal` delays label and sound by the
room's direct path. An item with `name` keeps its draws when other items come or go.
role: foreground    labeled, and counted by the limits of `scene`.
role: interference  heard and counted, never labeled; `label` names its class in the row.
role: background    heard, neither labeled nor counted. (`noise` is the bed that SNRs speak of, and always there; this is for
                    single sounds, with effects, rooms and places of their own.)""",
        "events:\n  - label: alarm\n    source: {type: chirp, fmin: 400, fmax: 3000, duration: 0.5}\n    onset: {slack: {uniform: [0, 1]}}\n    snr_db: {uniform: [0, 20]}",
    ),
    "scene": Word(
        "Limits that the places of a clip's events keep, met by planning.",
        """\
An event stands where its `onset` is drawn; if that breaks a limit, its onset is drawn again, among the places that are left. Onsets
that stand in the recipe, named values and exact turns (`cycle`) are never moved. A scene that cannot be is an error that names the
clip and the limit (`when_full: drop` leaves events out instead, and counts them in the row as `dropped`).
Overlaps and gaps are those of the dry labels: an event's own silence does not count, nor does the decay of a room, nor a delay
under `align: causal`. Overlap per label 1 is "no two of a class at once".
Balance between classes: `label: {cycle: [a, b]}` (equal counts), `{balance: {of: [a, b], cost: {a: 1.2, b: 4.0}}}` (equal seconds).""",
        "scene: {max_overlap: 3, max_overlap_per_label: 1, min_gap_per_label: 0.2}",
    ),
    "level": Word(
        "",
        """\
`snr_db: 10` in an event is short for `level: {snr_db: 10}`: RMS over the noise, both over the event's active samples.
measure  rms, a_weighted, lufs (BS.1770), active_speech (P.56).
span     where the event is measured: its active samples, its whole length, or the clip.
noise_span  where the noise is measured: over the same samples, or over the clip.
signal   what is measured: the event in its room (image), its early or direct sound only, or the dry source.""",
        "level: {snr_db: {uniform: [0, 20]}, measure: a_weighted, noise_span: clip}",
    ),
    "at": Word(
        "",
        "In place of `onset`: which point of the event (its onset, centre, offset, or direct sound) falls when.",
        "at: {anchor: centre, time: 1.0}",
    ),
    "noise": Word(
        "",
        """\
One noise with its parameters and a level ({type: coloured, slope_db: -3, level_dbfs: -45}), or `layers` of several.
`snr_db` moves the bed under the sum of all events, which keep their own levels.
spatial  how a mono noise fills several channels: duplicate (the same in all), independent, diffuse (from everywhere, as the
         room's receiver hears it), point (from a `position` in the room).""",
        "noise: {layers: [{source: {type: coloured, colour: pink}, level_dbfs: -40}, {source: {type: coloured, colour: white}, level_dbfs: -60}]}",
    ),
    "layer": Word(
        "",
        "Levels of the layers balance them against each other; the bed's own level is that of their sum. With mirrored envelopes one\nbackground gives way to another.",
        "layers: [{source: {type: coloured, colour: pink}, level_dbfs: -40, envelope: [[2, 0], [4, -60]]}]",
    ),
    "mix": Word(
        "",
        """\
guard    what is done to a mix above full scale: scale it down (recorded), clip it (counted), or stop (error); scale_all scales until
         every stem fits too, for stems of 16 bits.
effects  on the sum, such as a microphone's filter.""",
        "mix: {level_dbfs: -25, guard: scale}",
    ),
    "labels": Word(
        "",
        """\
offset   labels end with the dry sound, or (tail) where the room's decay falls below `tail_db`.
drop_below_snr_db  quieter events keep their row but are marked `audible: false`.""",
        "labels: {offset: tail, tail_db: -30}",
    ),
    "output": Word(
        "",
        "FLOAT goes with wav, PCM_24 with wav and flac. `stems: true` also writes every event and the noise on its own; they add up to\nthe mix. A map says which parts of a clip, and how; see describe stems. (`images` is `parts` in its older place.)",
        "output: {format: flac, stems: true}",
    ),
    "stems": Word(
        "What is written beside the mix, as `<clip>.stems/<name>.wav`.",
        """\
The wet stems add up to the mix as it is written, sample for sample: each is rounded to the mix's steps and the largest takes the
remainder, so their integers sum to its integers (beside a FLOAT mix they are unrounded floats). Early and late stems add up to
the wet. Dry ones are what the event would be without its room, where its direct sound arrives.
by       event: event00_dog, event01_bell, noise; label: label_dog, noise; role: foreground, interference, noise.
subtype  FLOAT holds stems beyond full scale, which the mix need not be; PCM_16 stops where a stem is.""",
        "output: {stems: {by: label, parts: [wet, dry], subtype: PCM_16}}",
    ),
    "catalogue": Word(
        "",
        "",
        'catalogues:\n  words: {data: words, pattern: "{label}_{speaker}_{take}.wav", group: speaker, licence: CC-BY-4.0}',
    ),
    "position": Word(
        "",
        """\
In a room with walls a place is a point [x, y, z] in metres from a lower corner, or what the receiver sees (a distance, azimuth
anticlockwise from its front, elevation), or drawn `within` a region. Rows hold the point that was used.""",
        "position: {within: {distance: [0.5, 3], azimuth: [-90, 90], height: [1.2, 1.8]}}",
    ),
    "within": Word(
        "A part of a room that a place is drawn from.",
        """\
With a `distance`, that, the azimuth and the height are drawn evenly, until the place lies in the room; without, places are even
over floor and height. Drawn places keep 5 cm off the middle planes, where a box's echoes line up.""",
        "position: {within: {height: [0.8, 1.4], margin: 0.5}}",
    ),
    "receiver": Word(
        "",
        """\
mono         one microphone          linear       n microphones, spacing metres apart, from left to right
circular     n on a circle           tetrahedral  four corners (an open array, no capsules on a rigid sphere)
positions    any offsets             ambisonic    first order, W Y Z X (ACN order, SN3D gains)
The clip's `channels` are the receiver's.""",
        "receiver: {type: linear, n: 4, spacing: 0.04, position: [2.5, 1.8, 1.2], yaw: 30}",
    ),
    "surfaces": Word(
        "The material of each surface, absorbing in octaves.",
        "Materials: " + ", ".join(MATERIALS) + ".",
        "surfaces: {walls: plaster, floor: carpet, ceiling: acoustic_tile, x0: curtain}",
    ),
    "licence": Word(
        "", "Recordings must allow it, by their own licences.", "licence: {set: CC-BY-4.0, use: commercial}"
    ),
    "splits": Word("", "", "splits: {shares: {train: 3, test: 1}, assign: {ann: train, bob: test}}"),
}
"""What the records' own descriptions leave open, and one example of each."""
