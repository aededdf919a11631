"""ATTRIBUTION.md: whose recordings a dataset holds, and under which licences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from audiosynth.clip import DatasetView
from audiosynth.errors import counted
from audiosynth.exporters._text import atomic_text, clean
from audiosynth.material.licences import spdx
from audiosynth.registry import Component

_CREATIVE_COMMONS: Final = re.compile(r"CC-(BY(?:-NC)?(?:-ND|-SA)?)-(\d\.\d)")


class Attribution(Component):
    """``ATTRIBUTION.md``: every recording with its author, grouped by licence.

    Recordings whose licence nobody stated stand in a section of their own. Creative Commons licences, which ask
    for it, are linked; the text says that recordings were changed.
    """

    type_name: ClassVar[str] = "attribution"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    def write(self, dataset: DatasetView, folder: Path) -> list[Path]:
        """Write ``ATTRIBUTION.md`` into `folder` and return its path."""
        assets = [*dataset.assets()]
        groups: dict[str, list[Mapping[str, Any]]] = {}
        for asset in assets:
            stated = _text(asset, "licence")
            groups.setdefault(spdx(stated) or stated, []).append(asset)
        with atomic_text(folder / "ATTRIBUTION.md") as file:
            file.write(f"# Attribution for {escaped(dataset.name)}\n\n{_summary(len(assets))}\n")
            if dataset.licence:
                file.write(f"\nThe set itself is handed on under {_heading(spdx(dataset.licence))}.\n")
            for licence in sorted(groups, key=lambda name: (not name, name)):
                file.write(f"\n## {_heading(licence)} ({len(groups[licence])})\n\n")
                file.writelines(f"- {line}\n" for line in sorted(_lines(groups[licence])))
        return [folder / "ATTRIBUTION.md"]


def _summary(n_assets: int) -> str:
    if not n_assets:
        return "This dataset holds no recordings: fully synthetic."
    return f"This dataset is made from {counted(n_assets, 'recording')}, which were cut, filtered, changed in level and mixed."


def _heading(licence: str) -> str:
    if not licence:
        return "Licence not stated"
    if licence == "CC0-1.0":
        return f"[{licence}](https://creativecommons.org/publicdomain/zero/1.0/)"
    found = _CREATIVE_COMMONS.fullmatch(licence)
    if found is None:
        return escaped(licence)
    return f"[{licence}](https://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/)"


def _lines(assets: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for asset in assets:
        title, source = _text(asset, "title"), _text(asset, "source")
        what = f"{escaped(title)}: " if title else ""
        by = escaped(_text(asset, "author")) or "author not stated"
        where = f", from {_linked(source)}" if source else ""
        place = f"{asset['data']}/{asset['path']}"
        yield f"{what}{escaped(place)}, {by}{where} (sha256 {asset['sha256'][:16]})"


def _text(asset: Mapping[str, Any], key: str) -> str:
    return " ".join(clean(str(asset.get(key) or "")).split())


def escaped(text: str) -> str:
    r"""Return text with the characters that Markdown or HTML would take as markup made plain.

    Examples
    --------
    >>> print(escaped("1. a_b <i>*c*</i>"))
    1\. a\_b &lt;i&gt;\*c\*&lt;/i&gt;
    """
    marked = re.sub(r"([\\`*_\[\]|~$])", r"\\\1", text.replace("&", "&amp;"))
    marked = re.sub(r"^(\d*)([#+.)=-])", r"\1\\\2", marked)  # what only counts at the start of a block
    return marked.replace("<", "&lt;").replace(">", "&gt;")


def _linked(source: str) -> str:
    return f"<{source}>" if re.fullmatch(r"https?://[^\s<>]+", source) else escaped(source)
