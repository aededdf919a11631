"""What the parts of a clip come out at, measured on the very samples that are added: not on what was asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from audiosynth import levels
from audiosynth.clip import Array
from audiosynth.records.level import Level
from audiosynth.rendering.gains import Intervals, Meter, foreground_span, in_clip
from audiosynth.rendering.images import Image, amplitude


class Heard(NamedTuple):
    """Levels in dB on the reference channel: RMS over the active samples, RMS over the clip, and as was asked for."""

    active: float
    whole: float
    asked: float | None = None


class Realised:
    """Told of every part of a clip as it is added, in order: the events under their gains, then the bed under its own.

    Attributes
    ----------
    events
        Levels of the events.
    under
        Levels of the bed where each event sounds.
    foreground
        Level of the sum of the events, in the measure that `noise.snr_db` is asked in.
    bed
        Levels of the bed; those over active samples and as asked for are where any event is active.
    """

    def __init__(self, meter: Meter, images: Sequence[Image]) -> None:
        self._meter = meter
        self._images = images
        self._spans = [meter.span(i, image, "active") for i, image in enumerate(images)]
        self.events: list[Heard] = []
        self.under: list[Heard] = []
        self.foreground: float | None = None
        self.bed: Heard | None = None

    def event(self, y: Array, start: int, gain_db: float) -> None:
        """Measure the next event: what is added to the clip from sample `start` on, which has this gain on its own."""
        i, n = len(self.events), self._meter.spec.n_samples
        row = y[self._meter.ref]
        energies = levels.Energies(row)
        level = self._meter.spec.events[i].level
        active, asked = _rms(energies, self._spans[i], start), None
        if level is not None and level.snr_db is not None:
            plain = (level.measure, level.span, level.signal) == ("rms", "active", "image")
            asked = active if plain else self._asked(i, level, row, start, gain_db)
        self.events.append(Heard(active, _rms(energies, [(0, n)], start), asked))

    def noise(self, heard: levels.Weighings, foreground: Array | levels.Stretches | None) -> None:
        """Measure the bed as it is added to the sum of the events: one channel of it where the bed is set against that."""
        meter, sr, n, bed = self._meter, self._meter.spec.sr, self._meter.spec.n_samples, self._meter.spec.noise

        def db(span: Intervals, measure: levels.Measure) -> float:
            return heard[measure].reading(span).db

        whole = db([(0, n)], "rms")
        for i, image in enumerate(self._images):
            level, active, asked = meter.spec.events[i].level, db(self._spans[i], "rms"), None
            if level is not None and level.snr_db is not None:
                span = [(0, n)] if level.noise_span == "clip" else meter.span(i, image, level.span)
                same = level.measure == "rms" and span == self._spans[i]
                if level.noise_span == "recording":  # not all of it is in the clip: its level, and the gain as measured
                    asked = meter.recording_db(level.measure) + whole - meter.noise_db([(0, n)], "rms")
                else:
                    asked = active if same else db(span, level.measure)
            self.under.append(Heard(active, whole, asked))
        self.bed = Heard(whole, whole)
        if bed is not None and bed.snr_db is not None and foreground is not None:
            spans = foreground_span(meter, self._images)
            reading = levels.level_db(foreground, sr=sr, intervals=spans, measure=bed.measure)
            self.foreground = reading.db
            self.bed = Heard(db(spans, "rms"), whole, db(spans, bed.measure))

    def _asked(self, i: int, level: Level, row: Array, start: int, gain_db: float) -> float:
        """Return the level of event `i` in the measure, span and signal that its SNR is asked for in."""
        meter, image, n = self._meter, self._images[i], self._meter.spec.n_samples
        span = meter.span(i, image, level.span)
        y, begin, room_gain = meter.heard(i, image, level)
        if level.span == "whole":  # with what the clip cuts, which is not added
            row, start = y * amplitude(gain_db + room_gain), begin
        elif level.signal == "dry" or (level.signal != "image" and image.response is not None):
            row, start = in_clip(y * amplitude(gain_db + room_gain), begin, n), 0
        row, inside = meter.counted(row, start, span, level)
        return levels.level_db(row, sr=meter.spec.sr, intervals=inside, measure=level.measure).db


def _rms(energies: levels.Energies, spans: Intervals, start: int) -> float:
    """Return the RMS in dB over disjoint spans of the clip of a part that begins at sample `start` of it."""
    count = sum(b - a for a, b in spans)
    return levels.to_db(energies.of([(a - start, b - start) for a, b in spans]) / count) if count else -math.inf
