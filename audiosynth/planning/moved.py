"""What the effects of the mix do to the times of a clip, as planning needs to know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audiosynth.clip import Segment
from audiosynth.planning.timing import require_length
from audiosynth.records.moves import moves_of


@dataclass(frozen=True)
class Moved:
    """What the effects of the mix do to the events of a clip.

    Attributes
    ----------
    names
        Of the effects.
    moves
        Their time maps, in order, those that move nothing left out.
    """

    names: tuple[str, ...] = ()
    moves: tuple[Sequence[Segment], ...] = ()

    @classmethod
    def by(cls, effects: Sequence[Any], n_clip: int | None, sr: int) -> Moved:
        """Return what effects do to a clip; nothing where its length is not known yet.

        Raises
        ------
        PlanError
            If they give it another length.
        """
        if n_clip is None:
            return cls()
        require_length(effects, n_clip, sr)
        return cls(tuple(dict.fromkeys(effect.type_name for effect in effects)), tuple(moves_of(effects, n_clip, sr)))

    @property
    def fastest(self) -> float:
        """Return how many samples of the clip become one at most: by so much they can shorten a pause.

        Examples
        --------
        >>> Moved(moves=([Segment(0, 110, 0, 100)], [Segment(0, 100, 100, 0)])).fastest
        1.1
        """
        rate = 1.0
        for segments in self.moves:
            rate *= max([1.0, *((in1 - in0) / abs(out1 - out0) for in0, in1, out0, out1 in segments if out1 != out0)])
        return rate
