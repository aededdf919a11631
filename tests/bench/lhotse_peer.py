"""lhotse's side of `augment_speed.py`: its offline path in a Python of its own, one clip for every line on its input.

    PEER/bin/python tests/bench/lhotse_peer.py FOLDER KIND [--plain]  # mix1 or mix10; prints the seconds of processor time of each clip

A lazy set of cuts with their supervisions, whose recordings are known before the clock runs; of each cut: `reverb_rir` with a
response drawn for it (`CutSet.reverb_rir` draws one for the whole set), `CutSet.mix` with a stretch of background at 0 to 20 dB,
`perturb_volume`, `save_audio` as 16-bit WAV, its line of the manifest written by lhotse's writer. With `--plain` as lhotse does it
where nothing is set; else as fast as it was found to do it: one thread, libsndfile chosen beforehand instead of tried for, no resampling, identifiers left as they are, responses read from
files in memory (lhotse keeps no decoded sound; with `move_to_memory`, which keeps encoded bytes, a clip takes 0.3 ms longer).
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from lhotse import CutSet, Recording, SupervisionSegment
from lhotse.audio.backend import set_current_audio_backend
from lhotse.cut import Cut


def cuts_of(folder: Path) -> CutSet:
    """Return the cuts of a folder of recordings, each with one supervision of its whole length."""
    cuts = []
    for path in sorted(folder.glob("*.wav")):
        cut = Recording.from_file(path).to_cut()
        cut.supervisions = [SupervisionSegment(path.stem, path.stem, 0.0, cut.duration, text="x", speaker="x")]
        cuts.append(cut)
    return CutSet.from_cuts(cuts)


def augmented(kind: str, folder: Path, *, plain: bool) -> Iterator[Cut]:
    """Yield the augmented cuts, none of which has been loaded."""
    named = {} if plain else {"affix_id": False}
    dice = np.random.default_rng(1)
    rirs = [Recording.from_file(path) for path in sorted((folder / "rirs").glob("*.wav"))]
    noises = cuts_of(folder / "noises").map(lambda cut: cut.drop_supervisions()).to_eager()
    cuts = cuts_of(folder / ("long" if kind.endswith("10") else "short")).repeat()
    heard = cuts.map(lambda cut: cut.reverb_rir(rirs[dice.integers(len(rirs))], **named))
    mixed = heard.mix(noises, snr=(0.0, 20.0), preserve_id="left", random_mix_offset=True, seed=2)
    return iter(mixed.map(lambda cut: cut.perturb_volume(float(10 ** (dice.uniform(-12, 0) / 20)), **named)))


def main() -> None:
    """Make one clip for each line that comes in."""
    warnings.simplefilter("ignore")
    folder, kind, plain = Path(sys.argv[1]), sys.argv[2], sys.argv[3:] == ["--plain"]
    if not plain:
        torch.set_num_threads(1)
        set_current_audio_backend("LibsndfileBackend")
    out = folder / ("lhotse_plain" if plain else "lhotse")
    out.mkdir(exist_ok=True)
    cuts = augmented(kind, folder, plain=plain)
    with CutSet.open_writer(out / "cuts.jsonl") as manifest:
        for i, _ in enumerate(sys.stdin):
            start = time.process_time()
            cut = next(cuts)
            manifest.write(cut.save_audio(out / f"{i:05d}-{cut.id}.wav", encoding="PCM_16"))
            print(time.process_time() - start, flush=True)


if __name__ == "__main__":
    main()
