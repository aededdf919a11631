"""What the workers of a cluster are told of a build, and which of them may take part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from audiosynth.plugins import offers
from audiosynth.versions import libraries, version

OPTIONAL: Final = ("espeakng-loader", "h5py", "numba")
"""Libraries that some recipes need, or that compile loops."""
_NONE: Final = "none"
UNSEEN: Final = "does not see "


@dataclass(frozen=True)
class Run:
    """One run of a build on a cluster.

    Attributes
    ----------
    name
        Like that of no other run.
    task
        A pickled `Task`: every thread of a worker has its own.
    scratch
        Folder below the dataset for files on their way. It is there for as long as the run is: what a worker of an earlier run
        would still write has nowhere to go.
    roots
        Folder of each data root.
    facts
        Versions that a worker must have.
    share
        Units that fall to one thread.
    """

    name: str
    task: bytes
    scratch: Path
    roots: Mapping[str, Path]
    facts: Mapping[str, str]
    share: int

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return the folders that a worker must see."""
        return (self.scratch, *self.roots.values())


@dataclass(frozen=True)
class Refused:
    """What a worker answers that cannot take part: its address, and why."""

    worker: str
    reason: str


def facts() -> dict[str, str]:
    """Return the versions in this process that decide the bytes of a build: libraries, and packages that offer components.

    Examples
    --------
    >>> sorted(facts())[:3]
    ['audiosynth', 'espeakng-loader', 'h5py']
    """
    found = {"audiosynth": version(), **libraries()}
    for name in OPTIONAL:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = _NONE
    return {**found, **_plugins()}


def _plugins() -> dict[str, str]:
    """Return the packages that offer components: which version, and what they offer (so two versions at a time show too)."""
    found: dict[str, tuple[set[str], list[str]]] = {}
    for offer in offers():
        versions, names = found.setdefault(offer.package, (set(), []))
        versions.add(offer.version)
        names.append(offer.point.name)
    return {
        f"plugin {package}": f"{'/'.join(sorted(versions))} with {', '.join(sorted(names))}"
        for package, (versions, names) in found.items()
    }


def other_facts(own: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Return in words which versions differ of what is wanted; empty if none does.

    Examples
    --------
    >>> other_facts({"numpy": "2.3.1"}, {"numpy": "2.4.0"})
    'has numpy 2.3.1 (here 2.4.0)'
    """
    other = [(name, own.get(name, _NONE), value) for name, value in wanted.items() if own.get(name, _NONE) != value]
    return "has " + ", ".join(f"{name} {there} (here {here})" for name, there, here in other) if other else ""


def unseen(folders: Sequence[Path]) -> str:
    """Return in words which folders are not there for this process; empty if all are.

    Examples
    --------
    >>> unseen([Path("/nowhere")])
    'does not see /nowhere'
    """
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    return UNSEEN + ", ".join(missing) if missing else ""


def unfit(wanted: Mapping[str, str], folders: Sequence[Path]) -> str:
    """Return why this process cannot take part in a run; empty if it can."""
    return other_facts(facts(), wanted) or unseen(folders)
