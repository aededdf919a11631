"""What is left of a decay, in one compiled loop. Import only inside functions: it takes most of a second.

The sums of `audiosynth.acoustics.knees.Decay.remaining`, in its order: the same bits, a fifth of the time.
"""

from __future__ import annotations

from typing import Any, Final

from audiosynth.compiled import loop


@loop
def remaining(energy: Any, noise: float, rest: float, out: Any) -> None:
    """Write for each sample what it and all after it hold, without the noise, and `rest`."""
    total = 0.0
    for k in range(energy.size - 1, -1, -1):
        total += energy[k] - noise
        out[k] = total + rest


READY: Final = True
"""The last line: see `audiosynth.compiled.loaded`."""
