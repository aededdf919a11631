"""LibriSpeech's layout: ``<subset>/<speaker>/<chapter>/<speaker>-<chapter>-<number>.flac`` and ``….trans.txt`` beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from audiosynth.corpora.files import Corpus, audio_below
from audiosynth.corpora.utterance import Utterance
from audiosynth.errors import AssetError

_NAME: Final = re.compile(r"(?P<speaker>\d+)-(?P<chapter>\d+)-\d+")
_GENDERS: Final = {"F": "female", "M": "male"}


def read(corpus: Corpus) -> Iterator[Utterance]:
    """Yield the utterances below the folder, in order of their paths.

    Speaker, chapter and subset come from the names; the text from ``<speaker>-<chapter>.trans.txt`` in the same folder, where
    there is one; the gender from ``SPEAKERS.TXT`` in the corpus's folder or the one above. Other files are passed over.

    References
    ----------
    V. Panayotov, G. Chen, D. Povey, S. Khudanpur, "Librispeech: an ASR corpus based on public domain audio books", ICASSP 2015;
    the corpus's README.TXT.

    Raises
    ------
    AssetError
        If no file is called as LibriSpeech's are.
    """
    genders = _genders(corpus)
    texts: dict[Path, dict[str, tuple[str, str]]] = {}
    n = 0
    for file, path in audio_below(corpus):
        found = _NAME.fullmatch(file.stem)
        if found is None:
            continue
        n += 1
        fields: dict[str, Any] = {**found.groupdict(), "subset": _subset(path, found["speaker"])}
        fields["gender"] = genders.get(found["speaker"])
        if file.parent not in texts:
            texts[file.parent] = _texts(corpus, file.parent)
        where = str(file)
        if texts[file.parent]:
            where, fields["text"] = texts[file.parent].pop(file.stem, (where, ""))
        if fields.get("text") == "":
            corpus.refuse(where, f"{file.stem}: has no text in the .trans.txt beside it; add one, or remove the file")
        else:
            yield Utterance(file.stem, path, where, fields=fields)
    for left in texts.values():
        for name, (where, _) in left.items():
            corpus.refuse(where, f"{name}: there is no audio beside this line")
    if n == 0:
        raise AssetError(f"{corpus.root / corpus.folder}: no file is called like 84-121123-0000.flac; correct `folder`")


def _texts(corpus: Corpus, folder: Path) -> dict[str, tuple[str, str]]:
    """Return place and text of every utterance of a chapter."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(folder.glob("*.trans.txt")):
        for where, line in corpus.lines(path):
            key, *rest = line.split(maxsplit=1)
            if key in found:
                corpus.refuse(where, f"{key}: stands in {found[key][0]} already; ids are unique")
            else:
                found[key] = where, rest[0].strip() if rest else ""
    return found


def _subset(path: str, speaker: str) -> str | None:
    """Return the folder above the speaker's, ``train-clean-100``."""
    parts = path.split("/")
    at = parts.index(speaker) if speaker in parts else 0
    return parts[at - 1] if at > 0 else None


def _genders(corpus: Corpus) -> dict[str, str]:
    path = corpus.file("SPEAKERS.TXT") or (corpus.file("../SPEAKERS.TXT") if corpus.folder != "." else None)
    found = {}
    for _, line in () if path is None else corpus.lines(path):
        cells = [cell.strip() for cell in line.split("|")]
        if not line.startswith(";") and len(cells) > 1 and cells[1] in _GENDERS:
            found[cells[0]] = _GENDERS[cells[1]]
    return found
