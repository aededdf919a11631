"""Mozilla Common Voice's layout: all clips in one folder, and a table of tabs for every part."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.exporters._corpus import OfUtterances, Spoken, require_known, spoken_rows, the_one
from audiosynth.exporters._files import atomic_binary, audio_bytes
from audiosynth.exporters._layout import ROLES
from audiosynth.exporters._text import atomic_texts, plain_field
from audiosynth.files.paths import is_below, reserved_name

COLUMNS: Final = (
    "client_id", "path", "sentence_id", "sentence", "sentence_domain", "up_votes", "down_votes", "age", "gender", "accents",
    "variant", "locale", "segment",
)  # fmt: skip
"""Of the releases since 17.0; readers of older ones go by the names too."""
TABLES: Final = {"training": "train", "validation": "dev", "testing": "test"}
"""What the parts are called there, by the part that a split plays (`ROLES`)."""
ALL: Final = "validated"
VOTES: Final = ("up_votes", "down_votes")


class Commonvoice(OfUtterances):
    """``commonvoice/clips/``, ``train.tsv``, ``dev.tsv``, ``test.tsv`` and ``validated.tsv``, which has the lines of all.

    A line is the one utterance of a clip, whose file is copied to ``clips/`` under the utterance's id; a split that is none of
    the three parts has a table of its own name. What Common Voice said of the source (age, accents, votes, …) is carried, votes
    are 0 where nobody voted, and nothing is quoted: what readers would take for something else is refused. Clips in which nobody
    speaks are left out. ``ids.tsv`` leads from an id to its source and its clip.

    References
    ----------
    R. Ardila et al., "Common Voice: a massively-multilingual speech corpus", LREC 2020; common-voice/cv-dataset;
    ``torchaudio.datasets.COMMONVOICE``; lhotse, ``lhotse.recipes.commonvoice``.
    """

    type_name: ClassVar[str] = "commonvoice"
    reads_audio: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"suffix": "_rep", "replicas": [1, 2]})

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``commonvoice/`` below `folder` and return the paths.

        Raises
        ------
        BuildError
            If a clip has several utterances, or one without a text or a speaker; if an id cannot be a file's name, or a text stand in
            a table; or if an audio file is not what was written.
        """
        base = folder / "commonvoice"
        tables = {split: base / f"{_table(split)}.tsv" for split in dataset.splits}
        taken = {path.name for path in tables.values()}
        if len(taken) < len(tables) or f"{ALL}.tsv" in taken:
            raise BuildError(
                f"commonvoice: the splits {', '.join(dataset.splits)} would share a table ({', '.join(sorted(taken))} and {ALL}.tsv "
                "of all); rename them"
            )
        paths = []
        with atomic_texts({**tables, ALL: base / f"{ALL}.tsv", "ids": base / "ids.tsv"}) as files:
            for split in (*tables, ALL):
                files[split].write("\t".join(COLUMNS) + "\n")
            files["ids"].write("id\taugmented_from\tclip_id\n")
            for row, found in spoken_rows(dataset, self.ids()):
                one = the_one(row, found, "a line of Common Voice")
                if one is None:
                    continue
                self.check(row)
                line = "\t".join(_cells(one)) + "\n"
                for split in (row["split"], ALL):
                    files[split].write(line)
                files["ids"].write(f"{one.id}\t{one.source or ''}\t{row['clip_id']}\n")
                paths.append(base / "clips" / _file(one))
                with atomic_binary(paths[-1]) as file:
                    file.write(audio_bytes(dataset, row))
        return [*paths, *tables.values(), base / f"{ALL}.tsv", base / "ids.tsv"]

    def check(self, row: Mapping[str, Any]) -> None:
        """Refuse a clip of which the layout has to say more than is known; asked when a clip is made, not when all are."""
        require_known(row, self.ids(), "Common Voice's layout")


def _table(split: str) -> str:
    return next((TABLES[role] for role, names in ROLES.items() if role in TABLES and split in names), split)


def _file(one: Spoken) -> str:
    name = f"{one.id}.{str(one.row['path']).rpartition('.')[2]}"
    if "/" in name or not is_below(name) or reserved_name(name) or name.startswith("."):
        raise BuildError(
            f"clip {one.row['clip_id']}: its id {one.id!r} cannot be the name of a file; correct it in the corpus"
        )
    return name


def _cells(one: Spoken) -> list[str]:
    """Return the fields of an utterance in the order of `COLUMNS`.

    Raises
    ------
    BuildError
        If a field would be read as something else.
    """
    known: Mapping[str, Any] = {
        **dict.fromkeys(VOTES, "0"), **one.fields, "client_id": one.speaker, "path": _file(one), "sentence": one.text,
        "locale": one.fields.get("language", ""),
    }  # fmt: skip
    return [plain_field(one.row, str(value)) if (value := known.get(name, "")) != "" else "" for name in COLUMNS]
