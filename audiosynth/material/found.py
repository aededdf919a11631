"""Which recordings a catalogue has: from a folder, a pattern of names, a table, or the lists of a speech corpus."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from audiosynth.corpora.files import Corpus
from audiosynth.corpora.read import LAYOUTS, read_corpus
from audiosynth.errors import AssetError
from audiosynth.files.paths import require_inside
from audiosynth.files.patterns import Pattern
from audiosynth.material.listing import Found, read_table, selects, walk

if TYPE_CHECKING:
    from audiosynth.material.catalogue import CatalogueSpec


def listed(spec: CatalogueSpec, root: Path, problems: list[str]) -> list[Found]:
    """Return the recordings of a catalogue, in order of their paths, with what folders, names, tables and corpora say of them.

    Raises
    ------
    AssetError
        If a list that it needs is missing or cannot be read; what is wrong with single files goes to `problems`.
    """
    if spec.table is not None:
        rows = read_table(root, spec.folder, spec.table, columns=spec.columns, problems=problems)
        chosen = [row for row in rows if not spec.include or selects(row.inner, spec.include)]
        return [row for row in chosen if not selects(row.inner, spec.exclude)]
    if spec.layout in LAYOUTS:
        return _said(spec, root, problems)
    items = walk(root, spec.folder, include=spec.include, exclude=spec.exclude, problems=problems)
    pattern = None if spec.pattern is None else Pattern.parse(spec.pattern)
    out = []
    for item in items:
        try:
            item.fields.update(_named(spec, pattern, item))
            out.append(item)
        except AssetError as error:
            problems.append(str(error))
    return out


def _said(spec: CatalogueSpec, root: Path, problems: list[str]) -> list[Found]:
    """Return the utterances of a corpus."""
    manifests = (spec.manifest,) if isinstance(spec.manifest, str) else tuple(spec.manifest or ())
    require_inside(root, root / spec.folder)
    corpus = Corpus(root, spec.folder, manifests, spec.moved, spec.columns, problems)
    found, inners = [], dict[str, str]()
    for said in read_corpus(str(spec.layout), corpus, alignments=spec.alignments):
        if said.audio not in inners:
            inners[said.audio] = posixpath.relpath(said.audio, spec.folder)
        inner = inners[said.audio]
        if (not spec.include or selects(inner, spec.include)) and not selects(inner, spec.exclude):
            found.append(Found(said.audio, inner, corpus.place(said.audio), said.meta(), said.where, said))
    return found


def _named(spec: CatalogueSpec, pattern: Pattern | None, item: Found) -> dict[str, str]:
    """Return the fields that a file's name and folder give."""
    if pattern is not None:
        fields = pattern.match(item.inner)
        if fields is None:
            raise AssetError(f"{item.file}: its name does not fit the pattern '{pattern.text}'; rename or exclude it")
        return fields
    if spec.layout == "flat":
        return {}
    folder, inside, _ = item.inner.partition("/")
    if not inside:
        raise AssetError(f"{item.file}: not in a folder that names its label (`layout: folders`); move or exclude it")
    if spec.label_after is None:
        return {"label": folder}
    _, found, label = folder.partition(spec.label_after)
    if not found or not label.strip():
        raise AssetError(
            f"{item.file}: '{spec.label_after}' and a label are not in its folder's name '{folder}'; see label_after"
        )
    return {"label": label.strip()}
