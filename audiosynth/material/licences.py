"""What licences of recordings allow to make of them: SPDX expressions, the few terms that matter here, and what they forbid."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from audiosynth.errors import did_you_mean

LONGEST: Final = 200
"""Characters of an expression that is read; nested choices of a stranger's table must not grow without bound."""
FREE: Final = frozenset(
    (
        "0BSD", "AFL-3.0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "C-UDA-1.0", "CC-PDDC", "CC0-1.0",
        "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "ECL-2.0", "ISC", "MIT", "MIT-0", "NIST-PD", "ODC-By-1.0", "OGL-UK-1.0",
        "OGL-UK-2.0", "OGL-UK-3.0", "PDDL-1.0", "Unlicense", "Zlib", "etalab-2.0",
    )
)  # fmt: skip
"""Licences under which anything may be made of a recording, for any purpose, under any licence (most want to be named)."""
SAME: Final = re.compile(r"(A|L)?GPL-.*|GFDL-.*|ODbL-.*|CDLA-Sharing-.*|EUPL-.*|MPL-.*|LAL-.*")
"""Licences, beside those of Creative Commons, that what is made of a work must stand under too."""
_COMMONS: Final = re.compile(r"CC-BY(-NC)?(-ND|-SA)?-(\d\.\d)(-[A-Z-]+)?")
_LINK: Final = re.compile(
    r"https?://creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)(/.*)?", re.IGNORECASE
)
_LATER: Final = "2.0"
"""The first version of Creative Commons whose share-alike takes later versions (4(b) of the licence's text)."""


def spdx(text: str) -> str:
    """Return a licence as an SPDX expression in its proper spelling; empty if it is none.

    Links to Creative Commons, which many tables of recordings have instead, are taken too.

    Examples
    --------
    >>> spdx("cc-by-4.0"), spdx("http://creativecommons.org/licenses/by-nc/3.0/"), spdx("free, I think")
    ('CC-BY-4.0', 'CC-BY-NC-3.0', '')
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    link = _LINK.fullmatch(text.strip())
    if link is not None:
        kind, name, version = link[1].lower(), link[2].upper(), link[3]
        names = {"ZERO": f"CC0-{version}", "MARK": "CC-PDDC"}
        text = f"CC-{name}-{version}" if kind == "licenses" else names.get(name, "")
    if not text.strip() or len(text) > LONGEST:
        return ""
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return ""


def require_spdx(text: str) -> str:
    """Return an SPDX expression as it was written.

    Raises
    ------
    ValueError
        If it is none; with the identifier that comes near.
    """
    if spdx(text):
        return text
    known = (
        *FREE,
        *(f"CC-BY{kind}-{v}" for kind in ("", "-SA", "-NC", "-ND", "-NC-SA", "-NC-ND") for v in ("3.0", "4.0")),
    )
    raise ValueError(
        f"expected an SPDX identifier such as CC-BY-4.0, or LicenseRef-… for others (https://spdx.org/licenses), got '{text}'"
        f"{did_you_mean(text, known)}"
    )


Spdx = Annotated[str, AfterValidator(require_spdx)]


class Declared(BaseModel):
    """What a recipe says of the set's own licence and of what it is for; recordings that forbid it are refused.

    Attributes
    ----------
    set
        Licence under which the set is handed on; null: it is not, so that neither no-derivatives nor share-alike matter.
    use
        What it is for; null: whatever the set's licence allows.
    accept
        Licences whose terms nobody but you knows (``LicenseRef-…``), read by you and found to allow all of this.
    on_conflict
        ``error``, or ``leave_out``: recordings that forbid it are left out of their catalogues, and listed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    set: Spdx | None = Field(None, description="the set's licence, an SPDX identifier; null: the set is not handed on")
    use: Literal["commercial", "noncommercial"] | None = Field(
        None, description="what the set is for; null: whatever its licence allows"
    )
    accept: Annotated[tuple[Spdx, ...], Field(strict=False)] = Field(
        (), description="licences of recordings that you read yourself and that allow all of this"
    )
    on_conflict: Literal["error", "leave_out"] = Field(
        "error", description="recordings that forbid it stop everything, or are left out and listed"
    )

    @model_validator(mode="after")
    def _says_something(self) -> Declared:
        if self.set is None and self.use is None:
            raise ValueError("expected `set` (the set's licence), `use` (what it is for), or both")
        return self


@dataclass(frozen=True)
class Terms:
    """What a licence asks of those who make something of a work, beyond naming its author."""

    non_commercial: bool = False
    no_derivatives: bool = False
    share_alike: bool = False


def terms_of(identifier: str) -> Terms | None:
    """Return the terms of one licence, or None where they are not known here.

    Examples
    --------
    >>> terms_of("CC-BY-NC-SA-3.0")
    Terms(non_commercial=True, no_derivatives=False, share_alike=True)
    """
    commons = _COMMONS.fullmatch(identifier)
    if commons is not None:
        return Terms(commons[1] is not None, commons[2] == "-ND", commons[2] == "-SA")
    if identifier in FREE:
        return Terms()
    return Terms(share_alike=True) if SAME.fullmatch(identifier) else None


def alternatives(expression: str) -> list[frozenset[str]]:
    """Return the ways in which an expression can be taken: in each, all of some licences bind.

    Examples
    --------
    >>> [sorted(way) for way in alternatives("MIT AND (CC-BY-4.0 OR CC0-1.0)")]
    [['CC-BY-4.0', 'MIT'], ['CC0-1.0', 'MIT']]
    """
    return _either(re.findall(r"[()]|[^\s()]+", expression))


def _either(tokens: list[str]) -> list[frozenset[str]]:
    ways = _both(tokens)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        ways = ways + _both(tokens)
    return ways


def _both(tokens: list[str]) -> list[frozenset[str]]:
    ways = _one(tokens)
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        ways = [one | other for other in _one(tokens) for one in ways]
    return ways


def _one(tokens: list[str]) -> list[frozenset[str]]:
    token = tokens.pop(0)
    if token == "(":  # noqa: S105
        ways = _either(tokens)
        tokens.pop(0)
        return ways
    if tokens and tokens[0] == "WITH":  # an exception allows more, never less
        del tokens[:2]
    return [frozenset({token})]


def forbidden(licence: str, declared: Declared) -> str:
    """Return why a recording under `licence` cannot go into what is declared; empty if it can.

    Examples
    --------
    >>> forbidden("CC-BY-NC-4.0", Declared(use="commercial"))
    'CC-BY-NC-4.0 forbids commercial use'
    >>> forbidden("CC-BY-SA-3.0", Declared(set="CC-BY-SA-4.0")), forbidden("CC0-1.0 OR CC-BY-ND-4.0", Declared(set="MIT"))
    ('', '')
    """
    if not licence.strip():
        return "nobody states its licence"
    expression = spdx(licence)
    if not expression:
        return f"its licence '{licence[:LONGEST]}' is no SPDX identifier, so that nobody knows its terms"
    accepted = {spdx(text) for text in declared.accept}
    found = [_of_all(sorted(way - accepted), declared) for way in alternatives(expression)]
    return "" if expression in accepted or not all(found) else found[0]


def _of_all(identifiers: Iterable[str], declared: Declared) -> str:
    return next((why for name in identifiers if (why := _of_one(name, declared))), "")


def _of_one(name: str, declared: Declared) -> str:
    terms = terms_of(name)
    if terms is None:
        return f"the terms of {name} are not known here (if they allow it: `licence: {{accept: [{name}]}}`)"
    own = None if declared.set is None else spdx(declared.set)
    if terms.non_commercial and declared.use == "commercial":
        return f"{name} forbids commercial use"
    if own is None:
        return ""
    if terms.non_commercial and not any(_non_commercial(way) for way in alternatives(own)):
        return f"{name} forbids commercial use, which {own} would allow"
    if terms.no_derivatives:
        return f"{name} forbids handing on what is made of it"
    if terms.share_alike and not all(_continues(name, own_name) for way in alternatives(own) for own_name in way):
        return f"{name} asks for the same licence, which {own} is not"
    return ""


def _non_commercial(way: Iterable[str]) -> bool:
    return any((terms := terms_of(name)) is not None and terms.non_commercial for name in way)


def _continues(name: str, own: str) -> bool:
    """Return whether what is made of a work under a share-alike licence may stand under `own`."""
    theirs, ours = _COMMONS.fullmatch(name), _COMMONS.fullmatch(own)
    if theirs is None or ours is None:
        return name == own
    alike = theirs[1] == ours[1] and ours[2] == "-SA"
    return alike and (ours[3] == theirs[3] or (theirs[3] >= _LATER and ours[3] > theirs[3]))
