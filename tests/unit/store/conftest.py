from pathlib import Path

import pytest

from tests.unit.store.engines import ENGINES, MakeStore


@pytest.fixture(params=ENGINES)
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Opens the engine of this run on a directory of its own."""
    return lambda: ENGINES[request.param](tmp_path)
