"""What other installed packages offer through the entry-point group `audiosynth.components`: found by name, loaded when asked for.

A package says in its ``pyproject.toml``::

    [project.entry-points."audiosynth.components"]
    "synths.buzzer" = "hornworks.buzzer:Buzzer"

and recipes write ``type: hornworks:buzzer``. Nothing is loaded until a name with that package in it is used (or everything is
listed), and a recipe has no way to name code: only what its reader has installed, under the name that the package gave it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any, Final

from audiosynth.errors import PluginError, did_you_mean

GROUP: Final = "audiosynth.components"
_POINT: Final = re.compile(r"([a-z]+)\.([a-z][a-z0-9_]*)(\.[a-z0-9_]+)?")


@dataclass(frozen=True)
class Offer:
    """One component that an installed package offers.

    Attributes
    ----------
    package, version
        Of the distribution; its name in small letters with ``-`` between words (PEP 503).
    family, kind
        Where the component belongs, and what it calls itself there (``buzzer``).
    point
        The entry point; `load` imports what it names.
    """

    package: str
    version: str
    family: str
    kind: str
    point: metadata.EntryPoint

    @property
    def name(self) -> str:
        """Return the name in recipes."""
        return f"{self.package}:{self.kind}"

    @property
    def pin(self) -> str:
        """Return the package as rows name it under `needs`."""
        return f"{self.package}=={self.version}"

    def load(self) -> Any:
        """Import what the entry point names.

        Raises
        ------
        PluginError
            If that fails, whatever the package's code raises.
        """
        try:
            return self.point.load()
        except Exception as error:  # whatever a stranger's code does at import
            text = " ".join(f"{type(error).__name__}: {error}".split())
            raise PluginError(
                f"'{self.name}' cannot be loaded from {self.pin} ({text}); upgrade or uninstall that package"
            ) from error


@cache
def offers() -> tuple[Offer, ...]:
    """Return every component that the installed packages offer, by package, family and name; entry points of no known form are left out.

    Examples
    --------
    >>> [offer.name for offer in offers() if offer.package == "audiosynth"]
    []
    """
    found = []
    for point in metadata.entry_points(group=GROUP):
        match = _POINT.fullmatch(point.name)
        if match is not None and point.dist is not None:
            package = re.sub(r"[-_.]+", "-", point.dist.name).lower()
            found.append(Offer(package, point.dist.version, match[1], match[2], point))
    return tuple(sorted(found, key=lambda offer: (offer.package, offer.family, offer.kind, offer.point.name)))


def offered(family: str, name: str) -> tuple[Offer, ...]:
    """Return the offers behind ``package:type`` (one for each version that has an entry point of its own).

    Raises
    ------
    PluginError
        If the package is not installed, or offers no such thing.
    """
    package, _, kind = name.partition("@")[0].partition(":")
    same = [offer for offer in offers() if offer.package == package]
    found = tuple(offer for offer in same if (offer.family, offer.kind) == (family, kind))
    if found:
        return found
    names = [offer.name for offer in same if offer.family == family]
    if names:
        raise PluginError(
            f"{package} offers no {family[:-1]} called '{kind}'"
            f"{did_you_mean(f'{package}:{kind}', names) or '; it has ' + ', '.join(names)}"
        )
    if same or _installed(package):
        raise PluginError(f"'{name}': the installed package {package} offers no {family} (entry points of {GROUP})")
    raise PluginError(
        f"'{name}' comes from the package '{package}', which is not installed here; "
        f"if you trust it: pip install {package}"
    )


def misnamed() -> list[str]:
    """Return what to say of entry points of the group whose names are not ``family.type``."""
    every = metadata.entry_points(group=GROUP)
    return sorted(
        f"the entry point '{point.name}' ({point.value}) of {GROUP} is left out: expected family.type, such as synths.buzzer"
        for point in every
        if not _POINT.fullmatch(point.name)
    )


def versions(trees: Any) -> dict[str, str]:
    """Return the packages that the ``type``s of plain data name, and which version of each is installed.

    Examples
    --------
    >>> versions({"noise": {"type": "coloured"}, "events": [{"source": {"type": "chirp@1"}}]})
    {}
    """
    packages = {name.partition(":")[0] for name in _types(trees) if ":" in name}
    found = {offer.package: offer.version for offer in offers()} if packages else {}
    return {package: found[package] for package in sorted(packages) if package in found}


def _types(tree: Any) -> Iterator[str]:
    if isinstance(tree, Mapping):
        kind = tree.get("type")
        yield from (kind,) if isinstance(kind, str) else ()
        for value in tree.values():
            yield from _types(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _types(value)
    elif isinstance(tree, str):  # short for a component without parameters, as under `export`
        yield tree


def _installed(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except (metadata.PackageNotFoundError, ValueError):
        return False
