"""What rendering gives: sound, integers, labels, decisions, outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from audiosynth.clip import Array, Label
from audiosynth.spec import ClipSpec, Decisions


@dataclass(frozen=True)
class Clip:
    """A rendered clip.

    Attributes
    ----------
    spec
        What was rendered.
    y
        The mix before quantising, float64, shape (n_channels, n_samples).
    pcm16
        The 16-bit samples that carry the clip's identity, same shape.
    pcm_sha256
        Their hash (`audiosynth.pcm.pcm_sha256`).
    labels
        In order of onset.
    decisions
        What was measured and must be used again to get the same samples.
    outcomes
        What came out: levels, SNRs, peak, clipped samples.
    stems
        By file name; empty unless asked for. The wet ones sum to the mix as it is written, exactly: int32 in its steps (to
        `pcm16`, or to the 24-bit samples), or float32 beside a FLOAT mix.
    warnings
        What a replay measured differently.
    """

    spec: ClipSpec
    y: Array
    pcm16: npt.NDArray[Any]
    pcm_sha256: str
    labels: tuple[Label, ...]
    decisions: Decisions
    outcomes: Mapping[str, Any]
    stems: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
