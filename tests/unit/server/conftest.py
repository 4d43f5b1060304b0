"""Reads a configuration that a test writes as text."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from wardgate.server.config import ServerConfig, load_config

Read: TypeAlias = Callable[[str], tuple[ServerConfig, list[str]]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Load a text as the file `w.hcl` in the working directory, which messages call just that."""
    monkeypatch.chdir(tmp_path)

    def load(text: str) -> tuple[ServerConfig, list[str]]:
        Path("w.hcl").write_text(text)
        return load_config([Path("w.hcl")])

    return load
