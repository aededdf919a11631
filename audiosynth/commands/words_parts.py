"""What the records of a recipe are, in words: what their own descriptions leave open."""

from __future__ import annotations

from typing import Final

from audiosynth.acoustics.materials import MATERIALS
from audiosynth.commands.words import Word

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
the wet. Dry ones are what the event would be without its room, where its direct sound arrives; sources are what
its effects began with, where the event begins: the reference of an echo, say.
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
    "turns": Word(
        "Who talks with whom, for how long, and how much of it at once: what `repeat: {turns: …}` takes.",
        """\
from    a catalogue of utterances (speakers are told apart by its field `by`, speaker if not said; `where` and `unless` as for pick), a
        table of voices, or a list of names.
let     names that every speaker has a value of, for all turns: place, level, voice, room.
In the item: $speaker (the name), $said (the recording; no utterance twice before all were used) or $voice (of a table), $seat
(number of the speaker, from 0), $turn (number of the turn), and the names of `let`. It has no onset: the conversation says when.
All may be drawn. The overlap ratio is met to within a sample or so a turn, or the error names the largest that can be.""",
        "events: [{repeat: {turns: {from: speech, speakers: {integers: [2, 8]}, n: 12, pause: {uniform: [0.1, 1.5]}, overlap_ratio: 0.2}, "
        "of: {label: $speaker, source: {type: file, recording: $said}}}}]",
    ),
    "voice": Word(
        "A voice: which engine, and who of it. A cast (`voices`) is that with draws, and how many to draw.",
        """\
`voices: {n: 200}` draws a cast of 200 voices, each in one split, and `voice: {pick: cast}` takes one; several casts have
names (`voices: {cast: {n: 60, language: {choice: [en-us, en-gb]}}}`, `voice: {pick: {from: cast}}`). What a cast leaves out of
variant, pitch, intonation and vocal_tract is drawn; one of `engine: flite` or `piper` needs that program.
All but engine, name, variant, pitch and intonation is espeak's alone.""",
        "voices: {n: 200, language: {weighted: [[3, en-us], [1, en-gb]]}}",
    ),
    "negatives": Word(
        "Phrases that could be taken for a keyword, and others: a table to pick from.",
        """\
`{pick: negatives}` (or `{pick: {from: near}}`, of a table with a name) gives text, kind, of, distance and language.
alike     nearest in sound, word for word        prefix    words that begin like one of the phrase's
rhyme     words that end like its last           partial   some of its words, or the beginning of one
shuffled  its words in another order             random    words of the lexicon
sentence  sentences of the language              foreign   sentences of other languages
A kind of which a phrase has nothing is an error: a single word cannot be shuffled, and few words rhyme with `jarvis`.
nearest leaves out what is nearer than that (0 the same sound, 1 as far as silence); n is the most of each kind.
lexicon is a text file of words, one a line, below the recipe's folder; for English common words come along.""",
        "negatives: {of: [hey computer], kinds: [alike, partial, sentence]}",
    ),
    "licence": Word(
        "", "Recordings must allow it, by their own licences.", "licence: {set: CC-BY-4.0, use: commercial}"
    ),
    "splits": Word("", "", "splits: {shares: {train: 3, test: 1}, assign: {ann: train, bob: test}}"),
}
"""What the records' own descriptions leave open, and one example of each."""
