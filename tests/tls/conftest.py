"""An authority of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..support.certificate import Authority


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """In the current folder, so that messages name files as a person would."""
    monkeypatch.chdir(tmp_path)
    return Authority(Path())
