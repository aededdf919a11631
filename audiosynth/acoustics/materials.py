"""Absorption of common surfaces per octave: a small table with its source.

M. Vorländer, "Auralization", Springer 2008, appendix: absorption coefficients for random incidence, compared with two
public transcriptions that agree. Where that table ends at 4 kHz, its last value stands for 8 kHz (marked *).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from audiosynth.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from audiosynth.clip import Array

OCTAVES: Final = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""Centres in Hz of the bands of `MATERIALS`."""


class Material(NamedTuple):
    """Absorption coefficients for random incidence at the octaves 125 Hz … 8 kHz, and what was measured."""

    alpha: tuple[float, ...]
    description: str


MATERIALS: Final = {
    "acoustic_plaster": Material((0.17, 0.36, 0.66, 0.65, 0.62, 0.68, 0.68), "acoustical plaster, 25 mm *"),
    "acoustic_tile": Material((0.49, 0.53, 0.53, 0.75, 0.92, 0.99, 0.99), "fissured ceiling tile *"),
    "blinds": Material((0.03, 0.09, 0.24, 0.46, 0.79, 0.76, 0.76), "vertical blinds half open, 15 cm from the wall *"),
    "brick": Material((0.03, 0.03, 0.03, 0.04, 0.05, 0.07, 0.07), "brick wall, stuccoed with a rough finish"),
    "carpet": Material((0.08, 0.08, 0.30, 0.60, 0.75, 0.80, 0.80), "9 mm tufted pile on felt underlay"),
    "carpet_thin": Material((0.02, 0.04, 0.08, 0.20, 0.35, 0.40, 0.40), "thin, cemented to concrete *"),
    "concrete": Material((0.01, 0.01, 0.02, 0.02, 0.02, 0.05, 0.05), "smooth, unpainted"),
    "concrete_rough": Material((0.02, 0.03, 0.03, 0.03, 0.04, 0.07, 0.07), "rough"),
    "curtain": Material((0.05, 0.06, 0.39, 0.63, 0.70, 0.73, 0.73), "0.2 kg/m2, 90 mm from the wall"),
    "curtain_heavy": Material((0.30, 0.45, 0.65, 0.56, 0.59, 0.71, 0.71), "cotton, 0.5 kg/m2, draped to 3/4 area"),
    "glass": Material((0.08, 0.04, 0.03, 0.03, 0.02, 0.02, 0.02), "single pane, 3 mm"),
    "glass_double": Material((0.15, 0.05, 0.03, 0.03, 0.02, 0.02, 0.02), "double glazing, gap over 30 mm"),
    "glass_window": Material((0.10, 0.05, 0.04, 0.03, 0.03, 0.03, 0.03), "window, 0.68 kg/m2"),
    "linoleum": Material((0.02, 0.03, 0.03, 0.03, 0.03, 0.02, 0.02), "linoleum, rubber or cork on concrete *"),
    "mineral_wool": Material((0.22, 0.60, 0.92, 0.90, 0.88, 0.88, 0.88), "rockwool, 50 mm, 80 kg/m3"),
    "painted_brick": Material((0.01, 0.01, 0.02, 0.02, 0.02, 0.02, 0.02), "smooth, flush pointing, painted"),
    "plaster": Material((0.02, 0.02, 0.03, 0.03, 0.04, 0.05, 0.05), "hard walls on average: plaster, brick, hard floors"),
    "plasterboard": Material((0.15, 0.10, 0.06, 0.04, 0.04, 0.05, 0.05), "2·13 mm on steel frame, mineral wool"),
    "plasterboard_ceiling": Material((0.20, 0.15, 0.10, 0.08, 0.04, 0.02, 0.02), "on battens, large air space above *"),
    "tiles": Material((0.01, 0.01, 0.01, 0.02, 0.02, 0.02, 0.02), "ceramic, smooth"),
    "wood_door": Material((0.14, 0.10, 0.06, 0.08, 0.10, 0.10, 0.10), "solid"),
    "wood_floor": Material((0.09, 0.06, 0.05, 0.05, 0.05, 0.04, 0.04), "two layers, 33 mm on sleepers over concrete *"),
    "wood_panel": Material((0.27, 0.23, 0.22, 0.15, 0.10, 0.07, 0.06), "wooden lining, 12 mm on a frame"),
}  # fmt: skip


def material(name: str) -> Material:
    """Return a material of the table.

    Raises
    ------
    ParameterError
        With the nearest name, or all of them.

    Examples
    --------
    >>> material("carpet").alpha[3]
    0.6
    """
    if name not in MATERIALS:
        hint = did_you_mean(name, MATERIALS) or f"; there are {', '.join(sorted(MATERIALS))}"
        raise ParameterError(f"there is no material {name!r}{hint}")
    return MATERIALS[name]


def walls_alpha(names: Sequence[str], *, n_bands: int = len(OCTAVES)) -> Array:
    """Return absorption coefficients (n_bands, 6) of the materials of x0, x1, y0, y1, z0, z1, at the first octaves."""
    if len(names) != 6 or not 1 <= n_bands <= len(OCTAVES):
        raise ParameterError(f"a room has 6 walls and 1..{len(OCTAVES)} octaves, not {len(names)} and {n_bands}")
    return np.array([material(name).alpha[:n_bands] for name in names]).T.copy()
