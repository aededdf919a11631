"""The rows of `scale.py` that are raced against other tools: one clip in turn, processor time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import augment_speed
import scaper_speed
from scale_rows import Asked, Row, made_in_turn, room_recipe

from audiosynth import load_recipe, plan_clip

PEER = Path(__file__).with_name("scale_peer.py")


def soundscapes(asked: Asked) -> Iterator[Row]:
    """Make soundscapes of 10 s, against scaper, plain and with effects."""
    for kind, title, target in (
        ("plain", "10 s soundscape, 4 events, WAV", ">= 10"),
        ("splice", "the same with pitch, stretch as SoX does it, room", ">= 4"),
        ("effects", "the same by phase vocoder", ">= 4"),
    ):
        ours, theirs = scaper_speed.raced(asked.scaper, kind, asked.rounds, warm=True)
        yield Row(title, f"{ours:.2f} ms", f"scaper {theirs:.1f} ms", f"{theirs / ours:.1f} x", target)


def augmentation(asked: Asked) -> Iterator[Row]:
    """Augment one second: room, noise, gain, write; against whichever of both peers there is."""
    augment_speed.make_files(asked.folder)
    peers = {"peer": asked.audiomentations, "plain": asked.lhotse, "lhotse": asked.lhotse}
    found = augment_speed.raced(peers, "mix1", asked.folder)
    names = {"peer": "audiomentations", "plain": "lhotse offline", "lhotse": "lhotse at its fastest"}
    targets = {"peer": f">= {augment_speed.FASTER['mix']:g}", "plain": f">= {augment_speed.OVER_LHOTSE:g}"}
    for name, title in names.items():
        if name in found:
            ours, theirs = found["ours"], found[name]
            ratio = f"{theirs / ours:.2f} x"
            yield Row(
                "1 s: room + noise + gain",
                f"{ours:.2f} ms",
                f"{title} {theirs:.2f} ms",
                ratio,
                targets.get(name, ""),
            )


def fresh_rooms(asked: Asked) -> Iterator[Row]:
    """Simulate a new room for every clip."""
    ours = made_in_turn(room_recipe(asked.folder), asked)
    times, theirs = [], []
    with augment_speed.Peer([asked.audiomentations, PEER, asked.folder]) as peer:
        for i in range(asked.rounds + 3):
            theirs.append(peer.clip())
            times.append(augment_speed.timed(ours, i))
    mine, other = (1e3 * statistics.median(found[3:]) for found in (times, theirs))
    yield Row(
        "a fresh room a clip, RT60 0.6 s",
        f"{mine:.2f} ms",
        f"pyroomacoustics {other:.1f} ms",
        f"{other / mine:.0f} x",
        ">= 30",
    )


def planning(asked: Asked) -> Iterator[Row]:
    """Plan alone, against scaper without audio."""
    recipe = load_recipe(scaper_speed.recipe_of("plain", asked.folder), cache_dir=asked.folder / "cache")
    command = [asked.scaper, scaper_speed.PEER, "clock", scaper_speed.SOUNDS, asked.folder, "plan"]
    ours, theirs = [], []
    with augment_speed.Peer(command) as peer:
        for i in range(asked.rounds + 3):
            theirs.append(peer.clip())
            start = time.process_time()
            for k in range(100):
                plan_clip(recipe, "train", 100 * i + k)
            ours.append((time.process_time() - start) / 100)
    mine, other = statistics.median(ours[3:]), statistics.median(theirs[3:])
    yield Row(
        "planning, 4 events",
        f"{1 / mine:,.0f}/s",
        f"scaper {1 / other:,.0f}/s",
        f"{other / mine:.0f} x",
        ">= 5, 5000/s",
    )
