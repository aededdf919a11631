"""Recipes to labeled audio, every clip reproducible bit for bit from its manifest row.

The way through the house: `load_recipe` → `plan_clip` → `render` → `build`; back again: `reproduce`, `verify`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audiosynth.build import build
    from audiosynth.building.delivery import Upload
    from audiosynth.cluster.connect import dask_crew
    from audiosynth.dataset import ClipDataset, ClipStream
    from audiosynth.diff import diff
    from audiosynth.errors import AudiosynthError
    from audiosynth.exports import export_labels
    from audiosynth.files.shipped import shipped_recipe
    from audiosynth.merge import merge
    from audiosynth.plan import plan_clip
    from audiosynth.recipe import load_recipe
    from audiosynth.render import render
    from audiosynth.reproduce import reproduce
    from audiosynth.stats import stats
    from audiosynth.vary import vary
    from audiosynth.verify import verify

__all__ = [
    "AudiosynthError",
    "ClipDataset",
    "ClipStream",
    "Upload",
    "build",
    "dask_crew",
    "diff",
    "export_labels",
    "load_recipe",
    "merge",
    "plan_clip",
    "render",
    "reproduce",
    "shipped_recipe",
    "stats",
    "vary",
    "verify",
]

_HOMES = {
    "AudiosynthError": "errors",
    "ClipDataset": "dataset",
    "ClipStream": "dataset",
    "Upload": "building.delivery",
    "build": "build",
    "dask_crew": "cluster.connect",
    "diff": "diff",
    "export_labels": "exports",
    "load_recipe": "recipe",
    "merge": "merge",
    "plan_clip": "plan",
    "render": "render",
    "reproduce": "reproduce",
    "shipped_recipe": "files.shipped",
    "stats": "stats",
    "vary": "vary",
    "verify": "verify",
}


class _Package(ModuleType):
    """Imports what is asked for when it is asked for: `audiosynth --help` must not wait for NumPy.

    Some functions are called like the file they live in (`build`, `render`, `reproduce`); importing the file must not
    put it in the function's place.
    """

    def __getattr__(self, name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'audiosynth' has no attribute '{name}'")
        return getattr(importlib.import_module(f"audiosynth.{_HOMES[name]}"), name)

    def __dir__(self) -> list[str]:
        """Return what the package offers, for completion."""
        return sorted({*_HOMES, *(name for name in super().__dir__() if name.startswith("__"))})

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
