"""Versions of this package and of the libraries that touch samples."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """Return the version of audiosynth."""
    return metadata.version("audiosynth")


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that compute, decode or encode samples."""
    import soundfile

    names = ("numpy", "scipy", "soxr", "soundfile")
    return {**{name: metadata.version(name) for name in names}, "libsndfile": soundfile.__libsndfile_version__}
