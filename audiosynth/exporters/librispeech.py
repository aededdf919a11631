"""LibriSpeech's layout: a folder a speaker, a folder a chapter, FLAC files, and a list of texts in each chapter."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from pydantic import Field

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._corpus import Ids, Replicas, SpeedSpeakers, Spoken, require_known, spoken_rows, the_one
from audiosynth.exporters._files import flac_needs, put_flac
from audiosynth.exporters._kaldi import GENDERS
from audiosynth.exporters._layout import digest
from audiosynth.exporters._text import Inaudible, atomic_text, breaks_lines, clean, refuse
from audiosynth.registry import Component

PER_CHAPTER: Final = 10_000
"""Utterances of a chapter: their numbers have four digits."""
OWN_SPEAKERS: Final = 100_000_000
"""Least number of a speaker whose name is none: the corpus has four digits, and `int32` takes nine."""
UNKNOWN: Final = "-"
_ID: Final = re.compile(r"(\d+)-(\d+)-(\d{4,})", re.ASCII)
_NUMBER: Final = re.compile(r"0|[1-9]\d{0,7}", re.ASCII)
"""Names of speakers that are numbers as they stand; two never mean the same one."""
_COMMENT: Final = ";ID        |SEX| SUBSET           |MINUTES| NAME"


class Librispeech(Component):
    """``librispeech/<split>/<speaker>/<chapter>/<speaker>-<chapter>-<number>.flac``, the chapter's ``….trans.txt``, ``SPEAKERS.TXT``.

    Every clip is one utterance, copied as FLAC: of a WAV, the same samples. Utterances called as LibriSpeech's are keep
    speaker and number, and replica k of chapter c is chapter c + k · `chapter_step`. Others count up in chapter 1, 2, … of
    their speaker, and a speaker whose name is not a number gets one of nine digits, always the same. ``ids.tsv`` leads from an
    id to its source, its clip and the speaker's name. SPEAKERS.TXT has ``-`` for a sex that is not known. Clips in which
    nobody speaks are left out.

    torchaudio takes the corpus's own subsets alone (``subsets: {train: train-clean-100}``):
    ``LIBRISPEECH(root=…/labels, url="train-clean-100", folder_in_archive="librispeech")``.

    References
    ----------
    V. Panayotov et al., "Librispeech: an ASR corpus based on public domain audio books", ICASSP 2015, and the corpus's README.TXT;
    ``torchaudio.datasets.LIBRISPEECH``; lhotse, ``lhotse.recipes.librispeech``.
    """

    type_name: ClassVar[str] = "librispeech"
    reads_audio: ClassVar[bool] = True
    portability: ClassVar[str] = "pinned"
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"subsets": {"train": "train-clean-100", "test": "test-clean"}, "chapter_step": 0, "replicas": [1]},
    )

    subsets: Annotated[
        dict[str, Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]] | None,
        Field(description="what splits are called in the layout; null: as here", json_schema_extra={"unit": ""}),
    ] = None
    chapter_step: Annotated[int, Field(ge=0, le=10_000_000)] = Field(
        1_000_000,
        description="what is added to the number of a chapter for each replica; 0: ids as they were, of one replica",
        json_schema_extra={"unit": ""},
    )
    speed_speakers: SpeedSpeakers = False
    replicas: Replicas = None
    inaudible: Annotated[
        Inaudible, Field(description="whether utterances that cannot be heard in the mix are listed")
    ] = "drop"

    def needs(self) -> tuple[str, ...]:
        """Return the library that decides the bytes of FLAC files."""
        return flac_needs()

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``librispeech/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a clip has several utterances, one without a text or a speaker, or an audio file that FLAC cannot hold; if two would
            have one id; or if an audio file is not what was written.
        """
        base = folder / "librispeech"
        book = _Book(self.chapter_step)
        paths = []
        for name, one in self._named(dataset, book):
            subset = (self.subsets or {}).get(one.row["split"], one.row["split"])
            place = PurePosixPath(subset, *name.split("-")[:2], f"{name}.flac")
            paths.append(base / place)
            put_flac(paths[-1], dataset, one.row)
            book.note(name, one, place)
        for path, text in book.texts():
            paths.append(base / path)
            with atomic_text(
                paths[-1]
            ) as file:  # one at a time: a corpus has more chapters than a process may have files open
                file.write(text)
        return paths

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a clip that cannot be a file of the layout; asked when a clip is made, not when all are.

        Raises
        ------
        BuildError
            If its audio cannot be FLAC, or who speaks or what is said is not known.
        """
        require_known(row, self._ids(), "LibriSpeech's layout")
        if not str(row["path"]).endswith((".flac", ".wav")):
            raise BuildError(
                f"clip {row['clip_id']}: LibriSpeech's files are FLAC, and {row['path']!r} cannot be one without loss; say "
                "`output: {format: flac}`, or export `commonvoice`"
            )

    def _named(self, dataset: DatasetView, book: _Book) -> Iterator[tuple[str, Spoken]]:
        for row, found in spoken_rows(dataset, self._ids()):
            one = the_one(row, found, "a file of LibriSpeech")
            if one is not None:
                self.check(row)
                yield book.name(one), one

    def _ids(self) -> Ids:
        return Ids(speed_speakers=self.speed_speakers, replicas=self.replicas, inaudible=self.inaudible)


class _Told(NamedTuple):
    """What the lists say of an utterance; its row is not kept."""

    text: str
    source: str
    clip_id: str
    who: str


@dataclass
class _Book:
    """Who has which number, and what stands in the lists at the end."""

    step: int
    numbers: dict[str, str] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    told: dict[str, _Told] = field(default_factory=dict)
    seconds: dict[str, array[float]] = field(default_factory=dict)
    sexes: dict[str, str] = field(default_factory=dict)
    chapters: dict[PurePosixPath, list[str]] = field(default_factory=dict)
    subsets: dict[str, dict[str, None]] = field(default_factory=dict)

    def name(self, one: Spoken) -> str:
        """Return ``<speaker>-<chapter>-<number>`` of an utterance."""
        if breaks_lines(str(one.text)):
            raise refuse(one.row, one.text, "holds a tab, line end or outer blank, which breaks a list of texts")
        speaker = self._number(one)
        match = _ID.fullmatch(one.source or "")
        if match is not None:
            chapter, number = int(match[2]), match[3]
        else:
            mine = self.counts.setdefault(speaker, {})
            n = mine.setdefault(one.source or str(one.row["clip_id"]), len(mine))
            chapter, number = 1 + n // PER_CHAPTER, f"{n % PER_CHAPTER:04d}"
        name = f"{speaker}-{chapter + self.step * int(one.row.get('replica', 1))}-{number}"
        if name in self.told:
            other = self.told[name].clip_id
            raise BuildError(
                f"clips {other} and {one.row['clip_id']}: both would be called '{name}'; choose another `chapter_step`, or one of "
                "the `replicas`"
            )
        return name

    def _number(self, one: Spoken) -> str:
        """Return the number of a speaker: the name where it is one, else nine digits of its hash that nobody has."""
        who = str(one.speaker)
        if breaks_lines(who) or "|" in who:
            raise refuse(
                one.row, who, "is a speaker whose name SPEAKERS.TXT cannot hold (a tab, line end or |); rename it"
            )
        if who not in self.numbers:
            taken = set(self.numbers.values())
            hashed = (str(OWN_SPEAKERS + int(digest(who, k), 16) % (9 * OWN_SPEAKERS)) for k in count())
            self.numbers[who] = who if _NUMBER.fullmatch(who) else next(found for found in hashed if found not in taken)
        return self.numbers[who]

    def note(self, name: str, one: Spoken, place: PurePosixPath) -> None:
        """Take in an utterance that was written."""
        who, sex = str(one.speaker), str(one.fields.get("gender")).lower()
        self.told[name] = _Told(clean(str(one.text)), one.source or "", str(one.row["clip_id"]), who)
        self.chapters.setdefault(place.parent, []).append(name)
        self.subsets.setdefault(who, {})[place.parts[0]] = None
        self.seconds.setdefault(who, array("d")).append(one.row["n_samples"] / one.row["sr"])
        if sex in GENDERS:
            self.sexes.setdefault(who, GENDERS[sex].upper())

    def texts(self) -> Iterator[tuple[PurePosixPath, str]]:
        """Yield every list with its path."""
        for chapter, names in self.chapters.items():
            lines = [f"{name} {self.told[name].text}\n" for name in sorted(names)]
            yield chapter / f"{'-'.join(chapter.parts[1:])}.trans.txt", "".join(lines)
        yield PurePosixPath("SPEAKERS.TXT"), "".join(f"{line}\n" for line in self._speakers())
        rows = [("id", "augmented_from", "clip_id", "speaker")]
        rows += [(name, one.source, one.clip_id, one.who) for name, one in self.told.items()]
        yield PurePosixPath("ids.tsv"), "".join("\t".join(row) + "\n" for row in rows)

    def _speakers(self) -> Iterator[str]:
        yield "; Readers, as LibriSpeech's SPEAKERS.TXT tells them."
        yield _COMMENT
        for who, number in sorted(self.numbers.items(), key=lambda item: int(item[1])):
            sex, minutes = self.sexes.get(who, UNKNOWN), sum(self.seconds[who]) / 60
            yield f"{number:<11}| {sex} | {', '.join(self.subsets[who]):<17}| {minutes:.2f} | {who}"
