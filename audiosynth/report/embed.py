"""Data inside pages: JSON that nothing in it can break out of."""

from __future__ import annotations

import json
from typing import Any, Final

_UNSAFE: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}


def script_json(tree: Any) -> str:
    r"""Return JSON that can stand in a script or script element whatever its texts are.

    Examples
    --------
    >>> script_json({"label": "</script>"})
    '{"label":"\\u003c/script\\u003e"}'
    """
    return json.dumps(tree, separators=(",", ":"), allow_nan=False).translate(_UNSAFE)
