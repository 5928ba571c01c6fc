"""Editing heads: what nobody has changed stays byte for byte, and nothing malformed gets in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerproxy.http1.editing import changed, edited, encoded, pairs

LINES = [b"Accept: */*", b"X-Twice: one", b"x-twice: two", b"X-Latin: caf\xe9", b"X-Utf: caf\xc3\xa9"]


def test_lines_are_read_as_names_and_values() -> None:
    assert pairs(LINES) == [
        ("Accept", "*/*"), ("X-Twice", "one"), ("x-twice", "two"), ("X-Latin", "café"), ("X-Utf", "café")
    ]  # fmt: skip


def test_lines_that_are_not_changed_stay_as_they_are() -> None:
    before = pairs(LINES)
    assert changed(before, before) == set()
    assert edited(LINES, set(), before) == LINES


def test_one_field_is_replaced_one_removed_one_added() -> None:
    before = pairs(LINES)
    after = [("ACCEPT", "text/*"), *before[3:], ("X-New", "ü")]
    names = changed(before, after)
    assert names == {"accept", "x-twice", "x-new"}
    assert edited(LINES, names, after) == [*LINES[3:], b"ACCEPT: text/*", "X-New: ü".encode()]


def test_the_order_of_fields_of_different_names_is_no_change() -> None:
    before = pairs(LINES)
    assert changed(before, [*before[1:], before[0]]) == set()
    assert changed(before, [before[0], before[2], before[1], *before[3:]]) == {"x-twice"}


@pytest.mark.parametrize(
    "name", ["Content-Length", "transfer-encoding", "Connection", "Upgrade", "TE", "Expect", "Dockerproxy-Remote"]
)
def test_what_belongs_to_the_connection_is_not_written(name: str) -> None:
    assert encoded(name, "1") == b""


@pytest.mark.parametrize(
    ("name", "value"), [("a b", "c"), ("", "c"), ("a:", "c"), ("é", "c"), ("a", "b\r\nc: d"), ("a", "\0")]
)
def test_a_malformed_field_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"is not the name of a field|line break"):
        encoded(name, value)


@given(st.text(), st.text())
def test_whatever_is_written_is_one_line(name: str, value: str) -> None:
    try:
        line = encoded(name, value)
    except ValueError:
        return
    assert b"\n" not in line
    assert b"\r" not in line
