"""The conversations of a clip: which events are their turns, whose they are, and how much of them is said at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator

from audiosynth.clip import Label
from audiosynth.records.fields import Strict
from audiosynth.sound.polyphony import overlap, overlap_ratio
from audiosynth.sound.spans import Pile, within

Number = Annotated[int, Field(ge=0, lt=1000)]


class Conversation(Strict):
    """One `repeat` of turns, as it was planned.

    `events` are the numbers of its events in the order of the turns, `speakers` the number of who speaks in each; `overlap_ratio` is
    what they were placed for (null: nothing), `asked` what they could not reach, `left_out` counts the turns that a length had no
    room for.
    """

    events: Annotated[tuple[Number, ...], Field(strict=False, min_length=1)]
    speakers: Annotated[tuple[Number, ...], Field(strict=False)]
    overlap_ratio: float | None = Field(None, ge=0, lt=1)
    asked: float | None = Field(None, ge=0, lt=1)
    left_out: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _one_each(self) -> Conversation:
        if len(self.speakers) != len(self.events):
            raise ValueError(f"speakers: expected one for each of {len(self.events)} events, got {len(self.speakers)}")
        return self


def ratio_of(spans: Iterable[tuple[int, int]], n_samples: int) -> float | None:
    """Return the time in which two or more of some spans are heard over that in which any is; None where none is.

    Examples
    --------
    >>> ratio_of([(0, 6), (4, 8)], 100)
    0.25
    """
    return overlap_ratio(overlap(((a, b, "") for a, b in spans), n_samples).levels)


def told(conversations: Sequence[Conversation], labels: Sequence[Label], n_samples: int) -> dict[str, Any]:
    """Return what came out of a clip's conversations, for its row: nothing where it has none.

    The overlap ratio is that of the labels, wherever the effects of the mix took them; null where the turns have none. `overlaps`
    are the samples [first, last) in which two or more speak.
    """
    out = []
    for one in conversations:
        spans = [(label.onset, label.offset) for label in labels if label.event in one.events]
        pile = Pile()
        pile.add(within(spans, n_samples))
        ratio = ratio_of(spans, n_samples)
        out.append(
            {
                "speakers": len(set(one.speakers)),
                "turns": len(one.events),
                "overlap_ratio": None if ratio is None else round(ratio, 6),
                "overlaps": [list(span) for span in pile.covered(2)],
            }
        )
    return {"conversations": out} if out else {}
