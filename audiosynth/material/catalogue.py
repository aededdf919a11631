"""Catalogues: sets of recordings with their labels, speakers and licences, indexed so that a plan need not decode them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from audiosynth.clip import Member, Recording
from audiosynth.corpora.read import LAYOUTS
from audiosynth.errors import AssetError, ParameterError
from audiosynth.files.mpeg import Untold
from audiosynth.files.patterns import Pattern
from audiosynth.material.found import listed
from audiosynth.material.index import IndexCache, default_cache_dir, lossy_by_suffix
from audiosynth.material.licences import Spdx
from audiosynth.material.listing import Found, read_events
from audiosynth.material.parts import part_of

SHOWN: Final = 20
"""Problems that one message lists."""

Layout = Literal[
    "folders", "flat", "audiofolder", "commonvoice", "kaldi", "lhotse", "lhotse_shar", "librispeech", "nemo", "parquet", "rttm",
    "speechbrain",
]  # fmt: skip
_TABLES: Final = r"\.(csv|tsv|jsonl)$"


def _is_table(name: object) -> object:
    """Refuse a table by its name, in words that say what the pattern is for."""
    if isinstance(name, str) and not re.search(_TABLES, name):
        raise ValueError("expected a file below the data root that ends in .csv, .tsv or .jsonl")
    return name


Table = Annotated[str, BeforeValidator(_is_table), Field(pattern=_TABLES)]
Suffix = Annotated[str, Field(pattern=r"^\.[A-Za-z0-9]+$")]


class CatalogueSpec(BaseModel):
    """A catalogue as a recipe writes it: where its files are, and what is known of them.

    Attributes
    ----------
    data, folder
        Name of the data root, and the folder below it.
    layout
        ``folders``: the first folder below `folder` is the label. ``flat``: all files alike. Or a speech corpus (``kaldi``,
        ``lhotse``, ``nemo``, …), whose utterances are the recordings, with what is known of them. This, `pattern` or `table`.
    manifest
        With a corpus: the file, or files, below `folder` that list its utterances.
    moved
        With a corpus: folder below the data root for what paths in it begin with: ``{"/export/corpora": "."}``.
    alignments
        With a corpus: a CTM file, or a folder of TextGrids called by utterance, below `folder`.
    label_after
        With ``folders``: the label is what follows this text in the folder's name (" - ": "001 - Dog bark" → "Dog bark").
    pattern
        ``{label}_{speaker}_{take}.wav``: fields from names; ``/`` takes in the folders above (see `patterns`).
    table, columns
        A ``.csv``, ``.tsv`` or ``.jsonl`` file below the data root, with a column ``path`` (below `folder`); all other
        columns are fields (texts, in CSV). `columns` says what the table calls them: ``{path: filename}``. If it names a ``start``,
        an ``end`` or a ``channel``, rows are such stretches (seconds) of their files.
    group
        Field, or fields, whose values may not be in two splits; ``path``: every recording for itself; null: all splits
        share the catalogue.
    label, licence, author
        For all recordings that do not say otherwise; the licence is an SPDX identifier.
    include, exclude
        Suffixes (``.wav``) or `fnmatch` patterns on paths below `folder`, whatever the case. SOFA files are taken where
        ``.sofa`` is included.
    trim_db
        The active part begins and ends with the first and last 10 ms frame above the loudest one plus this; null: no
        trimming.
    encoder_delay
        Samples by which the sound of MP3 files comes late that do not say so themselves (no Xing or LAME tag): so many are left
        out at their start, and times of a corpus count from there. 1105 for files of LAME; 0 for as they are; null: as they are,
        with a warning. Other files are never touched.
    annotations
        Suffix of the files beside the recordings that hold their events (``.txt``: Audacity labels; onset, offset, label
        between tabs), or a map of suffixes: ``{words: .words, phones: .phones, events: .txt}``.
    on_bad
        ``error``: files that cannot be used stop everything; ``skip``: they are left out, and listed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    data: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")
    folder: str = "."
    layout: Layout | None = None
    pattern: str | None = None
    table: Table | None = None
    manifest: str | list[str] | None = None
    moved: dict[str, str] = {}
    alignments: str | None = None
    label_after: str | None = Field(None, min_length=1)
    columns: dict[str, str] = {}
    group: str | list[str] | None = "path"
    label: str | None = Field(None, min_length=1)
    licence: Spdx | None = None
    author: str | None = None
    include: list[str] = []
    exclude: list[str] = []
    trim_db: float | None = Field(-60.0, ge=-120, le=-10)
    encoder_delay: int | None = Field(None, ge=0, le=10_000)
    annotations: Suffix | dict[Literal["events", "words", "phones"], Suffix] | None = None
    on_bad: Literal["error", "skip"] = "error"

    @field_validator("folder")
    @classmethod
    def _below(cls, folder: str) -> str:
        parts = PurePosixPath(folder)
        if parts.is_absolute() or ".." in parts.parts or "\\" in folder or "\0" in folder:
            raise ValueError("expected a folder below the data root, with '/' and without '..'")
        return parts.as_posix()

    @field_validator("pattern")
    @classmethod
    def _readable(cls, pattern: str | None) -> str | None:
        try:
            return None if pattern is None else Pattern.parse(pattern).text
        except ParameterError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _one_way(self) -> CatalogueSpec:
        ways = [name for name in ("layout", "pattern", "table") if getattr(self, name) is not None]
        if len(ways) != 1:
            raise ValueError(f"expected one of layout, pattern and table, got {' and '.join(ways) or 'none'}")
        if self.label_after is not None and self.layout != "folders":
            raise ValueError("label_after goes with `layout: folders`")
        if self.columns and self.table is None and self.layout not in LAYOUTS:
            raise ValueError("columns go with `table`, or with the layout of a corpus")
        stray = [
            name for name in ("manifest", "moved", "alignments") if getattr(self, name) and self.layout not in LAYOUTS
        ]
        if stray:
            raise ValueError(f"{stray[0]} goes with the layout of a corpus: {', '.join(LAYOUTS)}")
        if self.label is not None and (self.layout == "folders" or "label" in self._pattern_fields()):
            raise ValueError("label is given twice: as a constant, and by the folder or name; remove one")
        return self

    def _pattern_fields(self) -> frozenset[str]:
        return frozenset() if self.pattern is None else Pattern.parse(self.pattern).fields

    def group_fields(self) -> tuple[str, ...]:
        """Return the fields that group recordings; empty if all splits share them."""
        return () if self.group is None else (self.group,) if isinstance(self.group, str) else tuple(self.group)


@dataclass(frozen=True)
class Catalogue:
    """A scanned catalogue.

    Attributes
    ----------
    name
        As in the recipe.
    recordings
        In order of their paths (UTF-8 bytes, NFC).
    fingerprint
        SHA-256 over all of them.
    problems
        What was left out with ``on_bad: skip``.
    places
        Of each recording: the file, or the line that lists it.
    late
        Files whose sound comes late by nobody knows how much, each with who made it (`audiosynth.files.mpeg`).
    line
        What draws count: the recordings, and those that were withdrawn in their places; empty: the recordings alone.
    """

    name: str
    recordings: tuple[Recording, ...]
    fingerprint: str
    problems: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    late: tuple[tuple[str, Untold], ...] = ()
    line: tuple[Member, ...] = ()

    @property
    def drawn_from(self) -> tuple[Member, ...]:
        """Return what draws count."""
        return self.line or self.recordings


def scan(spec: CatalogueSpec, *, name: str, root: Path, cache_dir: str | Path | None = None) -> Catalogue:
    """Find the recordings of a catalogue and measure each one (once: results are cached).

    Parameters
    ----------
    spec
        The catalogue.
    name
        What the recipe calls it.
    root
        Folder of its data root.
    cache_dir
        Where indexes are kept; ``$AUDIOSYNTH_CACHE`` or the user's cache by default.

    Raises
    ------
    AssetError
        If the folder is missing or holds nothing to use, or (unless ``on_bad: skip``) with every file that cannot be used.
    """
    if not (root / spec.folder).is_dir():
        raise AssetError(
            f"catalogue '{name}': there is no folder {root / spec.folder}; correct `folder`, or say where the data is "
            f"with --data {spec.data}=DIR"
        )
    problems: list[str] = []
    items = listed(spec, root, problems)
    cache = IndexCache(default_cache_dir() if cache_dir is None else Path(cache_dir), root, trim_db=spec.trim_db)
    recordings, places, late = [], [], dict[str, Untold]()
    for item in items:
        try:
            recordings.append(_recording(spec, root, item, cache))
            places.append(item.where)
            if spec.encoder_delay is None and (maker := cache.untold(item.path)):
                late[str(item.file)] = maker
        except AssetError as error:
            text = str(error)
            problems.append(text if item.where in ("", str(item.file)) else f"{item.where}: {text}")
    cache.save()
    if problems and (spec.on_bad == "error" or not recordings):
        raise AssetError(_all(name, problems))
    if not recordings:
        raise AssetError(
            f"catalogue '{name}': no audio in {root / spec.folder}; correct `folder` or `include`, or say where the data is "
            f"with --data {spec.data}=DIR"
        )
    return Catalogue(
        name, tuple(recordings), fingerprint(recordings), tuple(problems), tuple(places), tuple(late.items())
    )


def fingerprint(members: Sequence[Member]) -> str:
    """Return the SHA-256 over all that is known of some recordings, in their order."""
    digest = hashlib.sha256()
    for member in members:
        tree = {"meta": member.meta}  # rows leave credits out; draws may use them
        if isinstance(member, Recording):
            tree = {**member.model_dump(mode="json"), **tree}
        else:
            tree.update(withdrawn={"sha256": member.sha256})
        row = json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        digest.update(row.encode() + b"\n")
    return digest.hexdigest()


def _all(name: str, problems: Sequence[str]) -> str:
    shown = [f"  {problem}" for problem in problems[:SHOWN]]
    more = [f"  … and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    n = len(problems)
    head = f"catalogue '{name}': {n} file{'s' if n > 1 else ''} cannot be used (`on_bad: skip` leaves them out, `exclude` passes over them):"
    return "\n".join([head, *shown, *more])


def _recording(spec: CatalogueSpec, root: Path, item: Found, cache: IndexCache) -> Recording:
    measured = cache.measured(item.path, item.file, trim_db=spec.trim_db)
    part = part_of(item.utterance, measured, late=spec.encoder_delay or 0 if measured.untold else 0)
    constants = {"label": spec.label, "licence": spec.licence, "author": spec.author}
    meta: dict[str, Any] = {key: value for key, value in constants.items() if value is not None}
    meta.update(item.fields)
    if spec.group is not None and not {"path", *meta} & set(spec.group_fields()):
        raise AssetError(f"{item.file}: has no {' nor '.join(spec.group_fields())} to group it by; see `group`")
    if measured.lossy != lossy_by_suffix(item.path):
        meta["lossy"] = measured.lossy
    if measured.measurements:
        meta["measurements"] = measured.measurements
    first, last = (0, measured.n_samples) if part is None else (part.first, part.last)
    active = (measured.first, measured.last)
    if part is not None:
        active = cache.part(item.path, item.file, part, trim_db=spec.trim_db)
    beside = {"events": spec.annotations} if isinstance(spec.annotations, str) else spec.annotations or {}
    for key, suffix in beside.items():
        meta[key] = read_events(root, item, suffix, duration=measured.n_samples / measured.sr)
    try:
        return Recording(
            data=spec.data, path=item.path, sha256=measured.sha256, sr=measured.sr,
            n_channels=1 if part is not None and part.channel is not None else measured.n_channels,
            n_samples=last - first, active=active, meta=dict(sorted(meta.items())), part=part,
        )  # fmt: skip
    except ValidationError as error:
        raise AssetError(f"{item.file}: cannot be used ({error.errors()[0]['msg']})") from None
