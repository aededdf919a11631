"""Shared fixtures: where the real recordings are, if they are here at all."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real recordings, or skip."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real recordings are not here (../shared/data)")
    return SHARED_DATA
