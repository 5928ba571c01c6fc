"""Mixed: requests that differ, and are the same in each run."""

from __future__ import annotations

from bench import mixed


def test_each_run_gets_the_same_requests() -> None:
    assert mixed.requests("a.test") == mixed.requests("a.test")


def test_no_two_requests_in_a_row_are_alike() -> None:
    asked = mixed.requests("a.test")

    assert len(set(asked)) == len(asked) == mixed.REQUESTS


def test_one_in_twenty_is_a_post_and_one_in_twenty_has_what_it_asks_for() -> None:
    asked = mixed.requests("a.test")

    assert sum(each.startswith(b"POST ") for each in asked) == mixed.REQUESTS // 20
    assert sum(b"\r\nIf-None-Match: " in each for each in asked) == mixed.REQUESTS // 20
    assert all(len(each.partition(b"\r\n\r\n")[2]) == mixed.POST_BODY for each in asked if each.startswith(b"POST "))


def test_files_are_of_all_sizes() -> None:
    assert {each.size for each in mixed.files()} == set(mixed.SIZES)
    assert len({each.path for each in mixed.files()}) == mixed.FILES
