"""The recipe that `audiosynth new` writes: commented, complete, without recordings."""

from __future__ import annotations

from typing import Final

_TEXT: Final = """\
# A recipe of audiosynth: every key says what a clip is made of; a map such as {uniform: [0, 20]} is a draw.
#   audiosynth check NAME.yaml                   every error, with file:line:column
#   audiosynth preview NAME.yaml --clip 0        one clip to hear and look at
#   audiosynth build NAME.yaml                   the dataset, in output/NAME
#   audiosynth list | describe chirp | describe uniform      what there is, with units and ranges
# For completion and checks while you type: audiosynth schema > recipe.schema.json, and as the first line of this file
#   # yaml-language-server: $schema=recipe.schema.json

name: NAME
description: Two kinds of alarm over coloured noise.
seed: 1                     # another seed: another dataset of the same kind
sr: 16000                   # sampling rate in Hz
duration: 3.0               # of a clip, in seconds; may be a draw: {uniform: [2, 4]}
clips: {train: 20, test: 5} # per split; a clip depends on seed, split and its number, on nothing else

# The noise under everything. 0 dBFS is RMS 1.0.
noise:
  type: coloured
  slope_db: {choice: [0, -3, -6]}        # dB per octave: white, pink, brown
  level_dbfs: {uniform: [-50, -40]}

# What happens in a clip, and gets a label. Without `repeat` a list item is one event.
events:
  - repeat:
      n: {integers: [1, 3]}              # one to three events
      of:
        let:
          kind: {cycle: [siren, beeps]}  # drawn once, used below as $kind; `cycle`: exactly as many of each
        label: $kind
        onset: {slack: {uniform: [0, 1]}}   # anywhere it fits; or seconds: 0.5
        snr_db: {uniform: [0, 20]}       # over the noise, where the event sounds
        source:
          by:                            # another source for each kind
            on: $kind
            cases:
              siren:
                type: chirp
                fmin: {log_uniform: [400, 900]}    # Hz
                fmax: {log_uniform: [1200, 3000]}
                direction: {choice: [up, down]}
                duration: {uniform: [0.3, 0.8]}    # seconds
              beeps:
                type: tone
                frequency: {truncnorm: [2000, 400, 1000, 3000]}   # mean, standard deviation, lowest, highest
                duration: 0.25
        effects:
          - {type: fade, fade_in: 0.01, fade_out: 0.02}

# Recordings: a catalogue is a folder whose names or folders say what is what. Then write, in an event,
#   let: {word: {pick: {from: words}}}
#   label: $word.label
#   source: {type: file, recording: $word}
# and build with --data words=DIR.
# data: {words: ""}
# catalogues:
#   words: {data: words, pattern: "{label}_{speaker}_{take}.wav", group: speaker, licence: CC-BY-4.0}
# splits: {train: 0.8, test: 0.2}        # no speaker is in two splits

output: {format: wav}                    # wav, flac, ogg, opus, mp3
export: [desed, audacity, jsonl]         # label files, in labels/
"""


def starter(name: str) -> str:
    """Return a recipe called `name` that builds as it stands.

    Examples
    --------
    >>> starter("mine").splitlines()[8]
    'name: mine'
    """
    return _TEXT.replace("NAME", name)
