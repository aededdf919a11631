"""Sets to report on: small, with stems, and with labels that would break a careless page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

HOSTILE = "<script>document.title='broken'</script>"
QUOTED = "a \"b\" & 'c' <img src=x onerror=document.title='broken'>"
SR = 8000


def _event(label: str, onset: object, duration: float, frequency: float) -> dict:
    source = {"type": "tone", "frequency": frequency, "duration": duration}
    return {"label": label, "source": source, "onset": onset, "snr_db": {"uniform": [0, 20]}}


TREE = {
    "name": "small", "sr": SR, "duration": 1.0, "clips": {"train": 4, "test": 2},
    "noise": {"type": "coloured", "colour": "pink", "level_dbfs": -40},
    "events": [_event(HOSTILE, 0.25, 0.25, 700.0), _event(QUOTED, {"uniform": [0.4, 0.7]}, 0.2, 1500.0)],
    "output": {"stems": True}, "export": ["jsonl"],
}  # fmt: skip


def enlarge(root: Path, target: Path, n: int) -> Path:
    """Copy a set and repeat its rows under new names, n of them, all with the audio of the first ones."""
    shutil.copytree(root, target)
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    with (target / "manifest.jsonl").open("w", encoding="utf-8") as file:
        for i in range(n):
            row = rows[i % len(rows)]
            file.write(json.dumps({**row, "clip_id": f"{row['split']}-{i:09d}"}) + "\n")
    return target
