"""MP3 files that say not how late their sound is: encoders delay it, and only a Xing or LAME tag tells a decoder by how much."""

from __future__ import annotations

from typing import Final, Literal

Untold = Literal["", "lame", "other"]
"""Who made an MP3 that does not say how late its sound is, as far as can be seen; empty where it does, or is none."""
LAME_DELAY: Final = 576 + 529
"""Samples by which sound from LAME comes late where no tag says so: its encoder's delay and that of any decoder (LAME, technical
FAQ)."""
TAGS: Final = (b"Xing", b"Info")
_SEARCHED: Final = 65_536
"""Bytes behind an ID3 tag in which the first frame is looked for."""
_MPEG_1, _RESERVED, _LAYER_III, _MONO = 3, 1, 1, 3


def untold(data: bytes) -> Untold:
    """Return who made an MP3 without a tag that tells its delay: LAME writes its name into the padding of frames.

    Parameters
    ----------
    data
        The bytes of an MP3 file.

    References
    ----------
    ISO/IEC 11172-3 and 13818-3, 2.4.1.3 (frame header); "Xing VBR header" and LAME, "Mp3 Info Tag revision 1": the first frame has
    the tag where its main data would begin, behind the side information.
    """
    first = _first_frame(data)
    if first is None or any(data[at : at + 4] in TAGS for at in _tag_places(data, first)):
        return ""
    return "lame" if b"LAME" in data[first:] else "other"


def _first_frame(data: bytes) -> int | None:
    """Return where the first header of layer III stands."""
    start = _behind_id3(data)
    at = data.find(b"\xff", start)
    while 0 <= at < min(start + _SEARCHED, len(data) - 4):
        second, third = data[at + 1], data[at + 2]
        version, layer = second >> 3 & 3, second >> 1 & 3
        sane = version != _RESERVED and layer == _LAYER_III and third >> 4 != 15 and third >> 2 & 3 != 3
        if second >> 5 == 7 and sane:
            return at
        at = data.find(b"\xff", at + 1)
    return None


def _behind_id3(data: bytes) -> int:
    """Return where an ID3v2 tag ends: its size is four times seven bits, and excludes header and footer of 10 bytes each."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if data[5] & 0x10 else 0)


def _tag_places(data: bytes, frame: int) -> tuple[int, int]:
    """Return where a tag can stand in a frame: behind the side information, with or without the checksum before it."""
    mono = data[frame + 3] >> 6 == _MONO
    side = (17 if mono else 32) if data[frame + 1] >> 3 & 3 == _MPEG_1 else (9 if mono else 17)
    return frame + 4 + side, frame + 6 + side
