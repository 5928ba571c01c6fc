"""The allocator's thresholds."""

from __future__ import annotations

import platform

import pytest

from dockerproxy.process.memory import fix_thresholds


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these thresholds")
def test_glibc_takes_fixed_thresholds() -> None:
    assert fix_thresholds()


def test_another_platform_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert not fix_thresholds()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MALLOC_TRIM_THRESHOLD_", "131072"),
        ("MALLOC_MMAP_THRESHOLD_", "131072"),
        ("GLIBC_TUNABLES", "glibc.malloc.check=1:glibc.malloc.mmap_threshold=131072"),
    ],
)
def test_whoever_has_set_them_is_not_overruled(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert not fix_thresholds()
