"""JAMS: one JSON annotation file per clip, as scaper writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.exporters._json import classes_of
from audiosynth.exporters._text import Inaudible, Tells, atomic_text, below_split, clean, labels_of, told_rows, within
from audiosynth.registry import Component

PLACES: Final = 6
VERSION: Final = "0.3.5"
"""Of the schema that the files are written for."""


class Jams(Component):
    """``jams/<split>/<path of the clip>.jams``: the events in the namespace ``scaper``, the classes in ``tag_open``.

    Values hold what scaper's do: label, source_file (data root and path; empty for sounds made from nothing), source_time,
    event_time, event_duration, role, pitch_shift and time_stretch (null), and `snr` where there is one: RMS over the active
    samples in dB, as realised, not scaper's loudness over a reference. Every label is ``foreground``. A clip without events
    has an empty list. Weak splits have the tags alone; unlabeled ones have no files. The files validate; scaper cannot
    render from them.

    References
    ----------
    Humphrey et al., "JAMS: a JSON annotated music specification", ISMIR 2014; jams 0.3.5, ``schemata``.
    """

    type_name: ClassVar[str] = "jams"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"inaudible": "keep"})

    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``jams/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a label lies outside its clip.
        """
        paths = []
        for row, tells in told_rows(dataset):
            if tells != "none":
                paths.append(folder / "jams" / str(row["split"]) / below_split(row).with_suffix(".jams"))
                with atomic_text(paths[-1]) as file:
                    file.write(
                        clean(json.dumps(self._tree(row, tells, dataset.name), ensure_ascii=False, indent=1)) + "\n"
                    )
        return paths

    def _tree(self, row: Mapping[str, Any], tells: Tells, corpus: str) -> dict[str, Any]:
        duration = row["duration"]
        tags = [{"time": 0.0, "duration": duration, "value": label, "confidence": 1.0} for label in classes_of(row)]
        found = [("scaper", [self._event(row, item) for item in labels_of(row, self.inaudible)])]
        found = [*(found if tells == "strong" else []), ("tag_open", tags)]
        return {
            "annotations": [
                {
                    "annotation_metadata": {"corpus": corpus, "annotation_tools": "audiosynth", "data_source": "synthetic"},
                    "namespace": namespace,
                    "data": data,
                    "sandbox": {},
                    "time": 0.0,
                    "duration": duration,
                }
                for namespace, data in found
            ],
            "file_metadata": {
                "title": row["clip_id"], "artist": "", "release": "", "duration": duration, "identifiers": {},
                "jams_version": VERSION,
            },
            "sandbox": {"path": row["path"]},
        }  # fmt: skip

    def _event(self, row: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
        onset, offset = within(row, item, places=PLACES)
        time, duration = onset / 10**PLACES, (offset - onset) / 10**PLACES
        file, start = _source(row, item)
        value = {
            "label": clean(item["label"]), "source_file": file, "source_time": start, "event_time": time,
            "event_duration": duration, "role": "foreground", "pitch_shift": None, "time_stretch": None,
        }  # fmt: skip
        snr = {} if item.get("snr_db") is None else {"snr": item["snr_db"]}
        return {"time": time, "duration": duration, "value": {**value, **snr}, "confidence": 1.0}


def _source(row: Mapping[str, Any], item: Mapping[str, Any]) -> tuple[str, float]:
    """Return the recording of a label, and where in it the stretch begins, as far as it is in seconds."""
    events = row["spec"]["events"]
    source = {} if item.get("event") is None else events[item["event"]]["source"]
    recording = source.get("recording")
    if not isinstance(recording, Mapping):
        return "", 0.0
    return f"{recording['data']}/{recording['path']}", float(source.get("start") or 0.0)
