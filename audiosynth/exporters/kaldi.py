"""Kaldi data directories: which utterance is where in which recording, what is said, and by whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._corpus import Ids, Replicas, SpeedSpeakers, Suffix
from audiosynth.exporters._kaldi import corpus_tables
from audiosynth.exporters._spoken import speaker_of, words_of
from audiosynth.exporters._text import (
    Inaudible,
    Tokens,
    atomic_text,
    breaks_lines,
    clean,
    decimal_seconds,
    fixed,
    labels_of,
    refuse,
    told_rows,
    withhold,
    within,
)
from audiosynth.registry import Component

PLACES: Final = 6
FILES: Final = ("wav.scp", "segments", "text", "utt2spk", "spk2utt", "utt2dur", "reco2dur")
NO_WORDS: Final = frozenset({"<s>", "</s>", "#0"})
"""Symbols of Kaldi's own, which its utils/validate_text.pl refuses in transcripts."""
_NOT_IN_NAMES: Final = r"[\s!-\-]"
"""Blanks, and what sorts up to the hyphen that stands behind a speaker's name."""
Tables = dict[str, dict[str, str]]


class Kaldi(Component):
    """``kaldi/<split>/``: ``wav.scp``, ``segments``, ``text``, ``utt2spk``, ``spk2utt``, ``utt2dur``, ``reco2dur``.

    Every label is an utterance ``<speaker>-<clip>-<number>`` of a recording, the clip. What is said and who speaks are told as in
    `stm`. Names have ``_`` for blanks and for marks up to the hyphen (``kaldi/names.tsv`` leads back), so that the files sort by
    speaker and by utterance alike, in bytes, as ``utils/validate_data_dir.sh`` demands. Clips without labels are left out, for it
    wants an utterance of every recording; so are weak and unlabeled splits.

    With ``utterances: corpus`` they keep the names of the corpus that was gone through, ``<id>-aug2``, with the speaker before them
    where he is not; an utterance is all of its clip, so that there is no ``segments`` unless clips hold several, ``utt2uniq``
    names its source, and ``utt2lang`` and ``spk2gender`` stand where they are known of all.

    Parameters
    ----------
    paths
        ``relative`` to the dataset's folder, where Kaldi is then started, or ``absolute``.
    utterances
        ``labels``, each called by its clip, or those of the ``corpus``.
    suffix, speed_speakers, replicas
        How replicas of a corpus are called (Kaldi's ``sp0.9-`` for those at another speed), and which are listed.
    inaudible
        Whether events that cannot be heard in the mix are listed.

    References
    ----------
    Kaldi, "Data preparation" (https://kaldi-asr.org/doc/data_prep.html).
    """

    type_name: ClassVar[str] = "kaldi"
    names_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"paths": "absolute", "inaudible": "keep"},
        {"utterances": "corpus", "speed_speakers": True},
    )

    paths: Literal["relative", "absolute"] = Field("relative", description="to the dataset's folder, or from the root")
    utterances: Annotated[Literal["labels", "corpus"], Field(description="what the utterances are")] = "labels"
    suffix: Suffix = "-aug"
    speed_speakers: SpeedSpeakers = False
    replicas: Replicas = None
    inaudible: Annotated[Inaudible, Field(description="whether events that cannot be heard in the mix are listed")] = (
        "drop"
    )

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``kaldi/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a text, a name or a path would be read as something else.
        """
        if self.utterances == "corpus":
            return self._corpus(dataset, folder)
        strong = [split for split in dataset.splits if withhold(split, dataset=dataset) == "strong"]
        tables: dict[str, Tables] = {split: {name: {} for name in FILES} for split in strong}
        tokens, written = Tokens(_NOT_IN_NAMES), []
        for row, tells in told_rows(dataset):
            if tells == "strong":
                self._fill(
                    tables[row["split"]], row, tokens, "" if self.paths == "relative" else f"{dataset.root.resolve()}/"
                )
        with ExitStack() as stack:
            for split, name in ((split, name) for split in strong for name in FILES):
                written.append(folder / "kaldi" / split / name)
                stack.enter_context(atomic_text(written[-1])).writelines(_lines(tables[split][name].items()))
        return [*written, tokens.write(folder / "kaldi" / "names.tsv")]

    def _corpus(self, dataset: DatasetView, folder: Path) -> list[Path]:
        base = "" if self.paths == "relative" else f"{dataset.root.resolve()}/"
        ids = Ids(self.suffix, True, self.speed_speakers, self.replicas, self.inaudible)
        tokens, written = Tokens(), []
        tables = corpus_tables(
            dataset,
            ids,
            tokens,
            opened=lambda row: opened(row, base + row["path"]),
            transcript=transcript,
            places=PLACES,
        )
        with ExitStack() as stack:
            for split, name in ((split, name) for split, found in tables.items() for name in found):
                written.append(folder / "kaldi" / split / name)
                stack.enter_context(atomic_text(written[-1])).writelines(_lines(tables[split][name].items()))
        return [*written, tokens.write(folder / "kaldi" / "names.tsv")]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a row whose texts or file would be read as something else; asked when a clip is made, not when all are."""
        if self.utterances == "corpus":
            opened(row, row["path"])
        else:
            self._fill({name: {} for name in FILES}, row, Tokens(_NOT_IN_NAMES), "")

    def _fill(self, tables: Tables, row: Mapping[str, Any], tokens: Tokens, base: str) -> None:
        clip = row["clip_id"]
        for number, item in enumerate(labels_of(row, self.inaudible)):
            onset, offset = within(row, item, places=PLACES)
            speaker = tokens.of(row, speaker_of(row, item) or item["label"])
            utterance = f"{speaker}-{clip}-{number:04d}"
            tables["wav.scp"][clip] = opened(row, base + row["path"])
            tables["segments"][utterance] = f"{clip} {fixed(onset, PLACES)} {fixed(offset, PLACES)}"
            tables["text"][utterance] = transcript(row, words_of(row, item))
            tables["utt2spk"][utterance] = speaker
            tables["utt2dur"][utterance] = fixed(offset - onset, PLACES)
            tables["reco2dur"][clip] = decimal_seconds(row["n_samples"], row["sr"], places=PLACES)
            told = tables["spk2utt"].get(speaker)
            tables["spk2utt"][speaker] = utterance if told is None else f"{told} {utterance}"


def _lines(items: Iterable[tuple[str, str]]) -> list[str]:
    """Return lines in the order of their bytes, which is that of Kaldi's tools (LC_ALL=C)."""
    return [f"{key} {value}\n" for key, value in sorted(items, key=lambda item: item[0].encode())]


def transcript(row: Mapping[str, Any], text: str) -> str:
    """Return a text that readers take word by word as it stands.

    Raises
    ------
    BuildError
        If it holds a symbol of Kaldi's own, or what ends a line.
    """
    words = clean(text)
    if breaks_lines(words):
        raise refuse(
            row, words, "holds a tab, line end or outer blank, or is empty, which breaks a transcript; rename it"
        )
    found = sorted(NO_WORDS.intersection(words.split()))
    if found:
        raise refuse(row, words, f"has the word {found[0]!r}, which Kaldi keeps for itself; rename it")
    return " ".join(words.split())


def opened(row: Mapping[str, Any], path: str) -> str:
    """Return how Kaldi opens a clip's file: a WAV by its name, a FLAC through its decoder.

    Raises
    ------
    BuildError
        If it is neither, or its name is taken for something else.
    """
    if path.endswith((".wav", ".flac")) and not re.search(r"\s", path):
        return path if path.endswith(".wav") else f"flac -cds {path} |"
    raise BuildError(
        f"clip {row['clip_id']}: Kaldi reads WAV, and FLAC through its decoder, from paths without blanks, not {path!r}; say "
        "`output: {format: wav}`, or move the dataset"
    )
