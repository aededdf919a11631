"""Requested against realised SNR, measured again from the parts: run `python tests/bench/snr.py`, read the table.

Every measure × span × noise_span × signal, with and without a room, mono and stereo, recorded-like and synthetic sound, in both
directions (`events[].snr_db`, `noise.snr_db`), with and without `mix.level_dbfs`. RMS, spans, placing and windows of the
response are computed here, apart from the package; weightings are the package's, which have tests of their own.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from material import noise, read_wav, room, write_recipe, write_wav

from audiosynth import load_recipe, plan_clip, render
from audiosynth.levels import level_db
from audiosynth.material.assets import AssetStore
from audiosynth.records.rendered import Clip
from audiosynth.spec import ClipSpec, Level

SR, SECONDS, DELAY = 16_000, 2.6, 90
N = round(SR * SECONDS)
MEASURES = ("rms", "a_weighted", "lufs", "active_speech")
SPANS = ("active", "event", "clip")
SIGNALS = ("image", "early", "direct", "dry")
BASES = list(itertools.product(("recorded", "synthetic"), ("no room", "room"), (1, 2)))
FLOOR_DBFS = -60.0
"""Below this 16 bits say too little of a level."""


@dataclass(frozen=True)
class Base:
    """A clip of two events over a bed, and its parts as they are before the event's and the bed's gain."""

    spec: ClipSpec
    store: AssetStore
    truth: dict[str, np.ndarray]
    other: np.ndarray
    bed: np.ndarray
    onset: int
    n_event: int
    active: tuple[int, int]

    @property
    def ref(self) -> int:
        """Return the reference channel."""
        return self.spec.reference_channel

    def span(self, name: str) -> list[tuple[int, int]]:
        """Return the samples of the clip that a span means."""
        ends = {"active": self.active, "event": (0, self.n_event), "clip": (-self.onset, N - self.onset)}[name]
        return [(ends[0] + self.onset, ends[1] + self.onset)]


@dataclass(frozen=True)
class Deviation:
    """What came of one clip: realised less requested, in dB, before quantising and from 16-bit stems (None under -60 dBFS)."""

    measure: str
    combination: tuple[str, ...]
    before: float
    after: float | None
    sum_error: float


def level(y: np.ndarray, spans: list[tuple[int, int]], measure: str) -> float:
    """Return the level of one clip-long channel; RMS by a mask."""
    if measure != "rms":
        return level_db(y, sr=SR, intervals=spans, measure=measure).db  # type: ignore[arg-type]
    mask = np.zeros(y.size, bool)
    for a, b in spans:
        mask[max(0, a) : b] = True
    return float(10 * np.log10(np.mean(np.square(y[mask]))))


def part_of_response(h: np.ndarray, part: str) -> np.ndarray:
    """Return the direct ±2.5 ms, or the early part to 50 ms and a half-cosine of 2.5 ms, of a response."""
    k = np.arange(h.shape[1]) - DELAY
    width, early = round(0.0025 * SR), round(0.05 * SR)
    if part == "direct":
        return h * (np.abs(k) <= width)
    fall = np.clip((k - early) / (width + 1), 0, 1)
    return h * (k >= -width) * (0.5 + 0.5 * np.cos(np.pi * fall))


def convolved(dry: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the clip with every channel of a response on it, its direct sound on time; the time domain's own sum."""
    out = np.zeros((max(dry.shape[0], h.shape[0]), N))
    for c in range(out.shape[0]):
        y = np.convolve(np.trim_zeros(dry[c % dry.shape[0]], "b"), np.trim_zeros(h[c % h.shape[0]], "b"))[DELAY:][:N]
        out[c, : y.size] = y
    return out


def write_material(folder: Path) -> None:
    """Write a word with pauses and silent ends, a swelling background, and a response; mono and stereo."""
    for channels in (1, 2):
        t = np.arange(round(1.2 * SR)) / SR
        y = noise(1.2, SR, seed=5, channels=channels) * (np.abs(np.sin(2 * np.pi * 1.3 * t)) ** 2 + 1e-3)
        y[:, 1:] += 0.8 * y[:, :-1]
        quiet = np.zeros((channels, SR // 5))
        write_wav(folder / f"words{channels}" / "w.wav", np.concatenate([quiet, y, quiet], axis=1), SR)
        t = np.arange(4 * SR) / SR
        bed = 0.3 * noise(4.0, SR, seed=6, channels=channels) * (1.2 + np.sin(2 * np.pi * 0.6 * t))
        write_wav(folder / f"beds{channels}" / "b.wav", bed, SR)
        write_wav(folder / f"rooms{channels}" / "r.wav", room(0.25, SR, seed=7, channels=channels, delay=DELAY), SR)


def make_recipe(folder: Path, kind: str, where: str, channels: int) -> Path:
    """Write the recipe of one base: the event that is measured, another that overlaps it, a bed."""
    names = [f"{name}{channels}" for name in ("words", "beds", "rooms")]
    pick = [{"pick": {"from": name}} for name in names]
    channel = {} if channels == 1 else {"channel": "all"}
    source = {"type": "file", "recording": pick[0], "trim": False, **channel}
    bed = {"type": "file", "recording": pick[1], "start_sample": 777, **channel}
    if kind == "synthetic":
        source = {"type": "harmonic", "f0": 180.0, "duration": 1.5, "attack": 0.1, "release": 0.3}
        bed = {"type": "coloured", "slope_db": -3, "seed": 4}
    event = {"label": "a", "source": source, "onset": 0.61}
    if where == "room":
        event["room"] = {"type": "measured", "recording": pick[2], **channel}
    other = {
        "label": "b",
        "source": {"type": "tone", "frequency": 700.0, "duration": 0.8},
        "onset": 1.1,
        "level_dbfs": -30,
    }
    return write_recipe(
        folder / f"{kind}-{where[:2]}-{channels}.yaml",
        {
            "sr": SR, "duration": SECONDS, "clips": 1, "channels": channels, "reference_channel": channels - 1,
            "data": {n: n for n in names}, "catalogues": {n: {"data": n, "layout": "flat", "group": None} for n in names},
            "events": [event, other], "noise": {**bed, "level_dbfs": -42},
        },
    )  # fmt: skip


def make_base(folder: Path, kind: str, where: str, channels: int) -> Base:
    """Plan the base and render its parts one by one."""
    recipe = load_recipe(make_recipe(folder, kind, where, channels), cache_dir=folder / "cache")
    store = AssetStore(recipe.roots)
    spec = plan_clip(recipe, "train", 0)
    event, place = spec.events[0], spec.events[0].place

    def alone(**changes: object) -> np.ndarray:
        free = spec.mix.model_copy(update={"guard": "clip"})  # so that no gain is put on a part
        return render(spec.model_copy(update={"mix": free, **changes}), assets=store).y

    image = alone(noise=None, events=(event,))
    dry = alone(noise=None, events=(event.model_copy(update={"room": None}),))
    truth = dict.fromkeys(SIGNALS, image)
    if where == "room":
        h = read_wav(folder / f"rooms{channels}" / "r.wav")[0] / 32768
        first = h[0] if channels == 1 else h[np.argmax(np.abs(h[:, DELAY]) > 0)]
        h = h / np.max(np.abs(part_of_response(first[None], "direct")))
        truth = {part: convolved(dry, part_of_response(h, part)) for part in ("early", "direct")}
        truth |= {"image": convolved(dry, h), "dry": dry}
        if not np.allclose(truth["image"], image, atol=1e-7):
            raise AssertionError("the image is not the source convolved with the response")
    return Base(
        spec, store, truth, alone(noise=None, events=spec.events[1:]), alone(events=()), place.onset, place.n_samples,
        place.active[0],
    )  # fmt: skip


def sum_error(base: Base, clip: Clip, bed_gain_db: float) -> float:
    """Return how far the mix is from the parts under the recorded gains."""
    gains = clip.decisions
    event = base.truth["image"] * 10 ** (gains.event_gain_db[0] / 20)
    bed = base.bed * 10 ** (bed_gain_db / 20)
    after = 10 ** ((gains.mix_gain_db + gains.guard_gain_db) / 20)
    return float(np.max(np.abs((event + base.other + bed) * after - clip.y)))


def realised(event: np.ndarray, bed: np.ndarray, base: Base, wanted: Level) -> tuple[float, float]:
    """Return the levels of an event and of the bed as `wanted` defines them."""
    span = base.span(wanted.span)
    under = span if wanted.noise_span == "same" else base.span("clip")
    return level(event[base.ref], span, wanted.measure), level(bed[base.ref], under, wanted.measure)


def event_deviations(base: Base) -> Iterator[Deviation]:
    """Yield what every way to ask for an event's SNR comes to."""
    everything = itertools.product(MEASURES, SPANS, ("same", "clip"), SIGNALS)
    for i, (measure, span, noise_span, signal) in enumerate(everything):
        wanted = Level(snr_db=3.0 + i % 12, measure=measure, span=span, noise_span=noise_span, signal=signal)  # type: ignore[arg-type]
        mix = base.spec.mix.model_copy(update={"level_dbfs": -24.0 if i % 2 else None})
        event = base.spec.events[0].model_copy(update={"level": wanted})
        clip = render(
            base.spec.model_copy(update={"events": (event, base.spec.events[1]), "mix": mix}),
            assets=base.store,
            stems=True,
        )
        gain = 10 ** (clip.decisions.event_gain_db[0] / 20)
        a, b = realised(base.truth[signal] * gain, base.bed, base, wanted)
        after = None
        if signal == "image":
            a16, b16 = realised(clip.stems["event00_a"] / 32768, clip.stems["noise"] / 32768, base, wanted)
            after = a16 - b16 - wanted.snr_db if min(a16, b16) > FLOOR_DBFS else None
        yield Deviation(
            measure, (span, noise_span, signal, "mix level" if i % 2 else "no mix level"), a - b - wanted.snr_db, after,
            sum_error(base, clip, 0.0),
        )  # fmt: skip


def bed_deviations(base: Base) -> Iterator[Deviation]:
    """Yield what `noise.snr_db` comes to: the bed under the sum of the events where any is active."""
    other = base.spec.events[1].place
    spans = [*base.span("active"), (other.onset, other.onset + other.n_samples)]
    foreground = base.truth["image"] * 10 ** (-33.0 / 20) + base.other
    for measure, wanted in itertools.product(MEASURES, (-4.0, 11.0)):
        bed = base.spec.noise.model_copy(update={"level_dbfs": None, "snr_db": wanted, "measure": measure})
        # A level that gives the event a known gain: what it has on its own, less 33 dB.
        own = level(base.truth["image"][base.ref], base.span("active"), "rms") - 33.0
        event = base.spec.events[0].model_copy(update={"level": Level(level_dbfs=round(own, 9))})
        spec = base.spec.model_copy(update={"noise": bed, "events": (event, base.spec.events[1])})
        clip = render(spec, assets=base.store, stems=True)
        under = clip.y - foreground
        a, b = (level(y[base.ref], spans, measure) for y in (foreground, under))
        total = np.sum([y for name, y in clip.stems.items() if name != "noise"], axis=0) / 32768
        a16, b16 = (level(y[base.ref], spans, measure) for y in (total, clip.stems["noise"] / 32768))
        after = a16 - b16 - wanted if min(a16, b16) > FLOOR_DBFS else None
        scale = np.vdot(under, base.bed) / np.vdot(base.bed, base.bed)
        yield Deviation(
            measure, ("noise.snr_db",), a - b - wanted, after, float(np.max(np.abs(under - scale * base.bed)))
        )


def deviations(folder: Path, base: tuple[str, str, int]) -> list[Deviation]:
    """Return everything measured on one base, its name before each combination."""
    write_material(folder)
    made = make_base(folder, *base)
    return [*event_deviations(made), *bed_deviations(made)]


def main() -> None:
    """Print the worst deviation of every measure in both directions."""
    worst: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0.0, 0, 0.0])
    sums = 0.0
    with tempfile.TemporaryDirectory() as name:
        for base in BASES:
            for found in deviations(Path(name), base):
                row = worst[found.measure, "bed" if found.combination == ("noise.snr_db",) else "event"]
                row[0] += 1
                row[1] = max(row[1], abs(found.before))
                if found.after is not None:
                    row[2] += 1
                    row[3] = max(row[3], abs(found.after))
                sums = max(sums, found.sum_error)
    print(f"{'measure':15} {'moves':6} {'clips':>5} {'worst, float':>14} {'read back':>9} {'worst, 16 bit':>14}")
    for (measure, moves), (count, before, back, after) in worst.items():
        print(f"{measure:15} {moves:6} {count:5} {before:11.6f} dB {back:9} {after:11.4f} dB")
    print(f"images + bed against the mix: {sums:.1e}")


if __name__ == "__main__":
    main()
