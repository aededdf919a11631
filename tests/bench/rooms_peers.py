"""The peers' side of rooms.py, run by a Python that has them: reads one request a line, answers one JSON line each."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pyroomacoustics as pra
import rir_generator

pra.constants.set("num_threads", 1)


def pyroom(job):
    """Return its response with its order for the reverberation time (inverse_sabine), and the absorption it took."""
    alpha, order = pra.inverse_sabine(job["rt60"], job["size"], c=job["c"])
    room = pra.ShoeBox(job["size"], fs=job["sr"], materials=pra.Material(alpha), max_order=order)
    room.set_sound_speed(job["c"])
    room.add_source(job["source"])
    room.add_microphone(job["mic"])
    room.compute_rir()
    return room.rir[0][0], alpha


def habets(job):
    """Return rir-generator's response with all orders."""
    alpha, _ = pra.inverse_sabine(job["rt60"], job["size"], c=job["c"])
    n = int(job["rt60"] * job["sr"])
    beta = [(1 - alpha) ** 0.5] * 6
    h = rir_generator.generate(
        job["c"],
        job["sr"],
        [job["mic"]],
        job["source"],
        job["size"],
        beta=beta,
        nsample=n,
        order=-1,
        hp_filter=not job["samples"],
    )
    return h[:, 0], alpha


def answer(job):
    """Time one call, or return its samples without the high-pass filter of the library."""
    if job["samples"]:
        pra.constants.set("rir_hpf_enable", False)
    start = time.perf_counter()
    h, alpha = {"pyroomacoustics": pyroom, "rir-generator": habets}[job["peer"]](job)
    ms = 1e3 * (time.perf_counter() - start)
    pra.constants.set("rir_hpf_enable", True)
    return {"ms": ms, "alpha": float(alpha), "h": np.asarray(h, float).tolist() if job["samples"] else None}


for line in sys.stdin:
    sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
    sys.stdout.flush()
