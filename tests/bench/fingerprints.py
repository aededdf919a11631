"""Copies among many clips: `python tests/bench/fingerprints.py [clips]`: time and memory of comparing their fingerprints.

Fingerprints of clips of 10 s are made up, each a walk of its own whose frames now and then have a value of a common stock, as
those of clips of one kind do; a hundredth of the clips are copies of another with every tenth bit wrong. Told are seconds, the highest
memory of the process beyond what it had before (fingerprints included), and how many copies were found.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator

import numpy as np

from audiosynth.sound import fingerprint

CLIPS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
FRAMES = 625


def prints() -> Iterator[np.ndarray]:
    """Yield fingerprints, the copies right behind their originals."""
    rng = np.random.default_rng(1)
    stock = rng.integers(1, 2**32, 200_000, dtype=np.uint32)
    made = 0
    while made < CLIPS:
        one = rng.integers(1, 2**32, FRAMES, dtype=np.uint32)
        common = rng.random(FRAMES) < 0.02
        one[common] = rng.choice(stock, np.count_nonzero(common))
        yield one
        made += 1
        if made % 100 == 0 and made < CLIPS:
            wrong = np.packbits(rng.random((FRAMES, 32)) < 0.1, axis=1).view(np.uint32)[:, 0]
            yield np.where(rng.random(FRAMES) < 0.5, one, one ^ wrong)
            made += 1


def peak_mb() -> float:
    """Return the highest resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print one line."""
    import scipy.fft  # noqa: F401

    before, begun, cpu = peak_mb(), time.perf_counter(), time.process_time()
    if "memory" in sys.argv:  # all in memory, as they come
        found = fingerprint.same_sound(list(prints()))
    else:
        from audiosynth.sound.spilled import Arrays

        with Arrays() as kept:
            for one in prints():
                kept.append(one)
            found = fingerprint.same_sound(kept)
    print(
        f"{CLIPS} clips: {time.perf_counter() - begun:.1f} s ({time.process_time() - cpu:.1f} s of processor), {peak_mb() - before:.0f} MB, "
        f"{len(found)} copies, {hash(tuple(found)) & 0xFFFFFFFF:08x}"
    )


if __name__ == "__main__":
    main()
