"""What the tests of discovery share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(short_folder: Path) -> Path:
    """Where an engine may listen."""
    return short_folder / "engine.sock"
