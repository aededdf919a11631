"""Lhotse's manifests: recordings, supervisions and cuts, as packed lines of JSON."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, Final

from audiosynth.clip import DatasetView
from audiosynth.exporters._corpus import (
    OfUtterances,
    spoken_rows,
)
from audiosynth.exporters._files import atomic_gzip
from audiosynth.exporters._json import json_line
from audiosynth.exporters._lhotse import cut, name_of, recording, supervision

KINDS: Final = ("recordings", "supervisions", "cuts")


class Lhotse(OfUtterances):
    """``lhotse/<split>/{recordings,supervisions,cuts}.jsonl.gz``, for ``CutSet.from_jsonl``; the same bytes each time.

    A clip is a recording and a cut; an utterance is a supervision with text, speaker, language, gender, the alignment of its words
    and phones, and, under ``custom``, its SNR, what its corpus said of it, and ``augmented_from``, the id of its source. Clips
    of one utterance are called by it: ``<id>-aug2``. Audio paths are relative to the dataset's folder
    (``cuts.with_recording_path_prefix``).

    References
    ----------
    P. Żelasko, D. Povey, J. Trmal, S. Khudanpur, "Lhotse: a speech data representation library for the modern deep learning
    ecosystem", 2021; lhotse 1.33: ``Recording``, ``SupervisionSegment``, ``MonoCut``.
    """

    type_name: ClassVar[str] = "lhotse"
    names_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"suffix": "", "speed_speakers": True, "inaudible": "keep"})

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``lhotse/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If two utterances would have one id.
        """
        paths = {(s, kind): folder / "lhotse" / s / f"{kind}.jsonl.gz" for s in dataset.splits for kind in KINDS}
        ids = self.ids()
        with ExitStack() as stack:
            files = {key: stack.enter_context(atomic_gzip(path)) for key, path in paths.items()}
            for row, found in spoken_rows(dataset, ids):
                name, said = name_of(row, found), [supervision(one, row, name_of(row, found)) for one in found]
                heard = recording(row, name, {"type": "file", "source": str(row["path"])})
                for kind, records in (
                    ("recordings", [heard]),
                    ("supervisions", said),
                    ("cuts", [cut(row, name, heard, said)]),
                ):
                    for record in records:
                        files[row["split"], kind].write(json_line(record).encode())
        return list(paths.values())
