"""What the layouts of keyword trainers share: one class a clip, one speaker a file name, 16-bit WAV with a bare header."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from audiosynth.clip import DatasetView
from audiosynth.errors import BuildError
from audiosynth.files.audiofile import write_audio
from audiosynth.files.packed import stored_bytes
from audiosynth.files.whole import appearing

SILENCE: Final = "silence"
"""Class of clips without any label."""
ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "training": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "testing": ("test", "testing", "eval"),
    "validation_ambient": ("ambient", "validation_ambient"),
    "testing_ambient": ("testing_ambient", "test_ambient"),
    "stream": ("stream",),
}
"""What splits are called that play the trainers' parts: three of clips; long tracks without the wake word, for false accepts
an hour; long tracks with it."""
PARTS: Final = ("training", "validation", "testing")
AMBIENT: Final = ("validation_ambient", "testing_ambient")
JOINT: Final = 0.02
"""Seconds over which pieces of background are blended into each other."""
Pcm = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Item:
    """One clip as a layout takes it.

    Attributes
    ----------
    row
        Of the manifest.
    role
        One of `ROLES`.
    word
        Its class: the label, or `SILENCE`; empty for long tracks.
    speaker
        Who speaks; the clip itself where nobody does.
    """

    row: Mapping[str, Any]
    role: str
    word: str
    speaker: str


def role_of(split: str) -> str:
    """Return which part a split plays.

    Raises
    ------
    BuildError
        If its name says none.
    """
    for role, names in ROLES.items():
        if split in names:
            return role
    known = ", ".join(name for names in ROLES.values() for name in names)
    raise BuildError(f"split '{split}': keyword layouts know what to do with {known}; rename it")


def items(dataset: DatasetView, roles: Sequence[str] = PARTS) -> Iterator[Item]:
    """Yield every clip of some parts.

    A clip whose labels can all not be heard is left out: it is neither that word nor silence.

    Raises
    ------
    BuildError
        If a clip of the three parts has several labels: such layouts give a file one class.
    """
    for row in dataset.rows():
        role = role_of(row["split"])
        lost = bool(row["labels"]) and not audible(row)
        if role in roles and not (lost and role in PARTS):
            yield Item(row, role, word_of(row) if role in PARTS else "", speaker_of(row))


def audible(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the labels that can be heard."""
    return [item for item in row["labels"] if item.get("audible", True)]


def word_of(row: Mapping[str, Any]) -> str:
    """Return the class of a clip.

    Raises
    ------
    BuildError
        If it has several labels.
    """
    labels = [item["label"] for item in audible(row)]
    if len(labels) > 1:
        raise BuildError(
            f"clip {row['clip_id']}: {len(labels)} labels ({', '.join(labels[:4])}); this layout gives a clip one class, so "
            "leave the `label` of all other events out, or name their split ambient or stream"
        )
    return str(labels[0]) if labels else SILENCE


def speaker_of(row: Mapping[str, Any]) -> str:
    """Return who is labeled in a clip: a voice, or the speaker of a recording; the clip's own name where nobody is."""
    labeled = (event for event in row["spec"]["events"] if event.get("label") is not None)
    found = next((who for who in map(speaker_in, labeled) if who), None)
    return " ".join(found or ("clip", row["clip_id"]))


def speaker_in(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return who speaks in an event, ("voice", name) or ("speaker", name); None where nobody does."""
    voice, recording = event["source"].get("voice"), event["source"].get("recording")
    if isinstance(voice, Mapping) and voice["engine"] != "espeak":  # one person, however often a cast drew them
        return "voice", f"{voice['engine']} {voice.get('variant')}"
    if isinstance(voice, Mapping):
        return "voice", str(voice.get("name") or sorted(voice.items()))
    if isinstance(recording, Mapping) and "speaker" in recording.get("meta", {}):
        return "speaker", str(recording["meta"]["speaker"])
    return None


def require_apart(found: Iterable[Item]) -> None:
    """Refuse a speaker in two parts.

    Raises
    ------
    BuildError
        Naming one.
    """
    seen: dict[str, str] = {}
    for item in found:
        if seen.setdefault(item.speaker, item.role) != item.role:
            raise BuildError(
                f"{item.speaker} is in {seen[item.speaker]} and in {item.role}: a layout that tells parts by speaker cannot hold "
                "it; give the recipe `splits`, so that a voice belongs to one"
            )


def require_free(row: Mapping[str, Any], target: Sequence[str]) -> None:
    """Refuse an ambient track in which the wake word is said: every answer to it would count as a false accept.

    Raises
    ------
    BuildError
        Naming the track and the time.
    """
    said = next((label for label in row["labels"] if label["label"] in target), None)
    if role_of(row["split"]) in AMBIENT and said is not None:
        raise BuildError(
            f"clip {row['clip_id']}: '{said['label']}' is said at {said['onset']:.2f} s of an ambient track, where trainers count "
            "every answer as a false accept; leave it out of this split, or call the split stream"
        )


def folder_word(label: str) -> str:
    r"""Return a label as the readers' patterns take a folder: `[a-z0-9]+` (NeMo's is ``(\w+)/([^_]+)_.+wav``).

    Raises
    ------
    BuildError
        If nothing is left of it.

    Examples
    --------
    >>> folder_word("hey computer")
    'heycomputer'
    """
    word = re.sub(r"[^a-z0-9]", "", label.lower())
    if not word:
        raise BuildError(f"label '{label}': a folder of this layout needs letters a-z or digits; rename it")
    return word


def require_distinct(labels: Iterable[str]) -> None:
    """Refuse labels that would share a folder.

    Raises
    ------
    BuildError
        Naming two.
    """
    seen: dict[str, str] = {}
    for label in labels:
        if seen.setdefault(folder_word(label), label) != label:
            raise BuildError(
                f"labels '{seen[folder_word(label)]}' and '{label}' would share the folder '{folder_word(label)}'"
            )


def check_clip(row: Mapping[str, Any]) -> None:
    """Refuse a clip that no layout can hold; asked when it is made, not when all are.

    Raises
    ------
    BuildError
        If its split plays no part, or it has several labels or what `check_sound` refuses.
    """
    if role_of(row["split"]) in PARTS:
        word_of(row)
    check_sound(row)


def check_sound(row: Mapping[str, Any], *, sr: int = 16_000) -> None:
    """Refuse a clip of another rate (trainers take any number of samples for 16 kHz) or of several channels.

    Raises
    ------
    BuildError
        Naming the clip.
    """
    if row["sr"] != sr or row["n_channels"] != 1:
        raise BuildError(
            f"clip {row['clip_id']}: {row['sr']} Hz in {row['n_channels']} channels; these trainers read one channel at {sr} Hz "
            f"and do not look; say `sr: {sr}` in the recipe"
        )


def samples(root: Path, row: Mapping[str, Any], *, sr: int = 16_000) -> Pcm:
    """Return a clip's 16-bit samples, one channel.

    Raises
    ------
    BuildError
        As `check_sound`.
    """
    import soundfile

    check_sound(row, sr=sr)
    y, _ = soundfile.read(io.BytesIO(stored_bytes(root, str(row["path"]))), dtype="int16")
    return np.asarray(y, dtype=np.int16)


def put_wav(path: Path, y: Pcm, *, sr: int = 16_000) -> None:
    """Write 16-bit PCM behind the 44 bytes of header that the plainest reader expects; the file appears when it is whole."""
    with appearing(path) as part:
        write_audio(part, y[None, :], sr=sr, container="wav", subtype="PCM_16")


def joined(pieces: Sequence[Pcm], *, sr: int = 16_000) -> Pcm:
    """Return pieces one after the other, blended at constant power over `JOINT` so that no joint clicks."""
    n = int(JOINT * sr)
    rise = np.sin(0.5 * np.pi * (np.arange(n) + 0.5) / n)
    out = pieces[0].astype(np.float64)
    for piece in pieces[1:]:
        y = piece.astype(np.float64)
        if min(len(out), len(y)) <= n:
            continue
        blend = out[-n:] * rise[::-1] + y[:n] * rise
        out = np.concatenate([out[:-n], blend, y[n:]])
    return np.clip(np.rint(out), -32768, 32767).astype(np.int16)


def put_background(dataset: DatasetView, folder: Path, *, seconds: float = 60.0) -> list[Path]:
    """Write files of some `seconds` from the silent clips of the training part, and only of it; none where it has none.

    Trainers cut what they call silence from these, for training and for tests; noise of the test part in them would leak.
    A file shorter than a clip is an error to them, so less than two seconds in all give no file.
    """
    paths: list[Path] = []
    waiting: list[Pcm] = []

    def flush() -> None:
        if waiting and sum(map(len, waiting)) > 2 * 16_000:
            path = folder / f"background_{len(paths):03d}.wav"
            put_wav(path, joined(waiting))
            paths.append(path)
        waiting.clear()

    for item in items(dataset):
        if item.role == "training" and item.word == SILENCE:
            waiting.append(samples(dataset.root, item.row))
            if sum(map(len, waiting)) >= seconds * 16_000:
                flush()
    flush()
    return paths


def digest(text: str, k: int = 0) -> str:
    """Return eight hexadecimal digits for a speaker, the k-th choice of them."""
    return hashlib.sha256(f"audiosynth-speaker/{k}/{text}".encode()).hexdigest()[:8]
