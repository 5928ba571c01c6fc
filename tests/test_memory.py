"""The allocator's thresholds."""

from __future__ import annotations

import platform

import pytest

from dockerproxy.memory import keep_steady


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these thresholds")
def test_glibc_takes_fixed_thresholds() -> None:
    assert keep_steady()


def test_another_platform_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert not keep_steady()
