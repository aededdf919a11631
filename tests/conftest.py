"""Shared fixtures: where the real recordings are, if they are here at all."""

import gc
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, on a machine of any speed; `pytest --hypothesis-profile=explore` looks for others.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("steady")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_finish() -> None:
    """Take the thousands of collected tests out of the garbage collector's rounds, which cost more than some tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real recordings, or skip."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real recordings are not here (../shared/data)")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep catalogue indexes of the tests out of the user's cache."""
    monkeypatch.setenv("AUDIOSYNTH_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
