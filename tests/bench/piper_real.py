"""A piper voice here against piper's own program: the same phonemes and samples.

    ENV/bin/python tests/bench/piper_real.py FOLDER/NAME.onnx      # ENV has audiosynth[speech] and piper-tts

Piper's own noise is switched off, as it is here: it has no seed. Phrases without punctuation inside, which is all that a
voice is told of here (piper's program hands it commas and question marks too, and says one sentence at a time).
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np

PHRASES = (
    "hey computer",
    "seven",
    "the kettle is still warm",
    "zero one two three",
    "turn on the light",
    "good morning",
)


def main() -> None:
    """Print a line a phrase."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    model = parser.parse_args().model
    os.environ["AUDIOSYNTH_PIPER"] = str(model.parent)
    from piper import PiperVoice, SynthesisConfig

    from audiosynth.clip import RenderContext
    from audiosynth.speech import espeak, piper
    from audiosynth.speech.voices import Voice
    from audiosynth.synths.speech import Speech

    theirs = PiperVoice.load(str(model))
    quiet = SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0, length_scale=1.0, normalize_audio=False)
    config = json.loads(model.with_name(model.name + ".json").read_text(encoding="utf-8"))
    for text in PHRASES:
        ipa = piper.plain_ipa(espeak.transcribe((text,), language=config["espeak"]["voice"])[0])
        wanted = theirs.phonemes_to_ids(theirs.phonemize(text)[0])
        speech = Speech(text=text, voice=Voice(engine="piper", variant=model.stem), rate=int(piper.PLAIN_RATE), seed=1)
        ours = speech.render(RenderContext(sr=config["audio"]["sample_rate"]))[0]
        other = np.concatenate([chunk.audio_float_array for chunk in theirs.synthesize(text, quiet)])
        error = float(np.abs(ours - other).max()) if ours.shape == other.shape else float("nan")
        same = "the same" if piper.phoneme_ids(ipa, config["phoneme_id_map"]) == wanted else "OTHER"
        print(f"{text:26} {same} phonemes, {ours.size} and {other.size} samples, largest difference {error:.1e}")


if __name__ == "__main__":
    main()
