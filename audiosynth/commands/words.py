"""The words of the recipe language, for `list` and `describe`; the numeric distributions describe themselves."""

from __future__ import annotations

from typing import Final, NamedTuple


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
        "{n: count, of: item}; or in place of n one of density, cooccurrence, sequence, timetable, turns",
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
turns         a conversation: {from: catalogue, speakers: 4, n: 12, pause: 0.4, overlap_ratio: 0.2}; see describe turns.
In the item, $label is the class of this cast (of cooccurrence, sequence, timetable), $time its time (of a timetable).""",
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
    "voices": (
        "map of casts",
        "Voices to draw for speech: {n: 200}, or by name; each belongs to one split; see describe voice",
    ),
    "negatives": (
        "map of tables",
        "Phrases near to a keyword, and why: {of: [hey computer]}, or by name; see describe negatives",
    ),
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
