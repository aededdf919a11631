"""Where data roots are: given at the command line, by the environment, or by the recipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from audiosynth.errors import AssetError, did_you_mean
from audiosynth.files.remote import is_url
from audiosynth.material.downloads import downloaded


def environment_name(name: str) -> str:
    """Return the environment variable of a data root.

    Examples
    --------
    >>> environment_name("my-words")
    'AUDIOSYNTH_DATA_MY_WORDS'
    """
    return f"AUDIOSYNTH_DATA_{name.upper().replace('-', '_')}"


def resolve_roots(
    declared: Mapping[str, str],
    overrides: Mapping[str, str],
    base: Path,
    environ: Mapping[str, str] | None = None,
    *,
    missing_ok: bool = False,
) -> dict[str, Path]:
    """Return the folder of each declared data root.

    Parameters
    ----------
    declared
        Folder by name as the recipe has it, relative to `base`; empty if it has none.
    overrides
        From ``--data NAME=DIR``, relative to the working directory; they win over the environment, and that over the recipe.
        URLs are downloaded (`audiosynth.material.downloads`); a recipe itself can name none.
    base
        The recipe's folder.
    environ
        Where to look for ``AUDIOSYNTH_DATA_<NAME>``; the process's environment if None.
    missing_ok
        Leave out names that have no folder at all; a folder that was given must be there all the same.

    Raises
    ------
    AssetError
        If a folder is missing; all of them at once.
    """
    environ = os.environ if environ is None else environ
    roots, missing = {}, []
    for name, entry in declared.items():
        given = overrides.get(name) or environ.get(environment_name(name))
        if is_url(given):
            roots[name] = downloaded(str(given), environ)
            continue
        folder = Path(given).expanduser() if given else base / Path(entry).expanduser() if entry else None
        if folder is not None and folder.is_dir():
            roots[name] = folder
        elif folder is not None or not missing_ok:
            place = f"{folder} is not a folder" if folder is not None else "no folder was given"
            near = did_you_mean(name, [other for other in overrides if other not in declared])
            missing.append(
                f"data root '{name}': {place}; give it with --data {name}=DIR, with the environment variable "
                f"{environment_name(name)}=DIR, or in the recipe as `data: {{{name}: DIR}}`{near.replace('did you mean', 'was it given as')}"
            )
    if missing:
        raise AssetError("\n".join(missing))
    return roots
