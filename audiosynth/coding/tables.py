"""Numbers of the standards: IMA ADPCM, ITU-T G.722."""

from __future__ import annotations

from typing import Any, Final

import numpy as np


def _table(*values: int) -> Any:
    table = np.array(values, np.int64)
    table.flags.writeable = False
    return table


IMA_STEPS: Final = _table(
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118,
    130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060,
    1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484,
    7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
)  # fmt: skip
"""Sizes of the quantiser's step (IMA, Recommended Practices for Enhancing Digital Audio Compatibility, 1992)."""
IMA_INDEX: Final = _table(-1, -1, -1, -1, 2, 4, 6, 8)
"""By how much the step's index moves after a code of this size (the same source)."""

G722_QMF: Final = _table(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11)
"""Every other tap of the 24 of the quadrature mirror filter, times 2^13; the rest are these backwards (G.722, table 11)."""
G722_Q6: Final = _table(
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458,
    1612, 1765, 1980, 2195, 2557, 2919,
)  # fmt: skip
"""Decision levels of the lower band (table 14)."""
G722_Q2: Final = _table(564)
"""Decision level of the higher band (table 14)."""
G722_NEGATIVE: Final = _table(
    63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4,
)  # fmt: skip
"""Codes of the lower band below zero, by interval (table 15)."""
G722_POSITIVE: Final = _table(*range(61, 31, -1))
"""Codes of the lower band from zero on (table 15)."""
G722_QM6: Final = _table(
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
    -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
    24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464,
    4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
)  # fmt: skip
"""What the 6-bit codes stand for, in steps (table 17)."""
G722_QM4: Final = _table(
    0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0
)
"""What their upper four bits stand for, which the predictor follows (table 17)."""
G722_QM2: Final = _table(-7408, -1616, 7408, 1616)
"""What the higher band's codes stand for (table 19)."""
G722_WL: Final = _table(-60, -30, 58, 172, 334, 538, 1198, 3042)
G722_RL42: Final = _table(0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0)
"""How the log of the lower band's step moves, by code (table 17)."""
G722_WH: Final = _table(0, -214, 798)
G722_RH2: Final = _table(2, 1, 2, 1)
"""How that of the higher band's moves (table 19)."""
G722_ILB: Final = _table(
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025, 3091,
    3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
)  # fmt: skip
"""2^(11 + i/32), the inverse logarithm (table 18)."""
