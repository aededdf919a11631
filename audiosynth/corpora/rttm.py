"""RTTM: who speaks when in which recording; every turn is an utterance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from audiosynth.corpora.files import Corpus, audio_below
from audiosynth.corpora.utterance import Utterance
from audiosynth.errors import AssetError
from audiosynth.files.paths import nfc

NOTHING: Final = "<NA>"


def read(corpus: Corpus) -> Iterator[Utterance]:
    """Yield the turns of the RTTM files, in order.

    A recording is the audio file below `folder` whose name without suffix is the one in the second column. Turns are called
    by recording, speaker and times in hundredths of a second. Lines of other types than ``SPEAKER`` are passed over; the
    channel counts where the file has several.

    References
    ----------
    NIST, "The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan", appendix A.

    Raises
    ------
    AssetError
        If a file is missing or cannot be read.
    """
    audio: dict[str, str] = {}
    for file, path in audio_below(corpus):
        if audio.setdefault(nfc(file.stem), path) != path:
            corpus.refuse(str(file), f"{file.stem}: '{audio[nfc(file.stem)]}' has that name too; which is meant?")
    for listed in corpus.listed("RTTM"):
        for where, line in corpus.lines(listed):
            cells = line.split()
            if line.startswith(";;") or cells[0] != "SPEAKER":
                continue
            try:
                yield _turn(cells, audio, where)
            except AssetError as error:
                corpus.refuse(where, str(error))


def _turn(cells: list[str], audio: dict[str, str], where: str) -> Utterance:
    try:
        name, channel, onset, duration = cells[1], int(cells[2]) - 1, float(cells[3]), float(cells[4])
        speaker = cells[7]
    except (ValueError, IndexError):
        raise AssetError(f"expected SPEAKER, file, channel, onset, duration, …, got {' '.join(cells)[:80]!r}") from None
    if not (0 <= onset < 1e6 and 0 < duration < 1e6):
        raise AssetError(f"{name}: expected an onset and a duration above 0 in seconds, got {cells[3]} and {cells[4]}")
    if nfc(name) not in audio:
        raise AssetError(f"{name}: there is no audio of that name below the folder; fetch it, or remove the line")
    if speaker == NOTHING:
        raise AssetError(f"{name}: says not who speaks ({NOTHING} in the eighth column); name the speaker")
    end = round(onset + duration, 9)
    turn = f"{name}-{speaker}-{round(100 * onset):07d}-{round(100 * end):07d}"
    return Utterance(turn, audio[nfc(name)], where, onset, end, channel=max(0, channel), fields={"speaker": speaker})
