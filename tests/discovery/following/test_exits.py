"""Exits: what is told of a container that ends, and how often."""

from __future__ import annotations

import logging

import pytest

from dockerproxy.discovery.following.exits import Exits


@pytest.mark.parametrize(
    ("exit_code", "level", "words"),
    [
        ("3", logging.WARNING, "web: ended with exit code 3 without being told to stop; see docker logs web"),
        ("0", logging.INFO, "web: ended with exit code 0 without being told to stop; see docker logs web"),
        ("", logging.WARNING, "web: ended without being told to stop; see docker logs web"),
        (
            "137",
            logging.WARNING,
            "web: ended with exit code 137 without being told to stop: killed from outside, perhaps for want of "
            "memory; see docker logs web",
        ),
    ],
)
def test_an_end_that_nobody_asked_for_is_told(exit_code: str, level: int, words: str) -> None:
    assert Exits().ended("4f2a", "web", exit_code, 0.0) == (level, words)


@pytest.mark.parametrize(
    ("exit_code", "level", "words"),
    [
        ("3", logging.WARNING, "ended with exit code 3; this engine"),
        ("0", logging.INFO, "ended with exit code 0; this engine"),
        ("143", logging.INFO, "ended with exit code 143; this engine"),
        ("137", logging.INFO, "ended with exit code 137; this engine"),
        ("", logging.WARNING, "ended; this engine"),
    ],
)
def test_where_the_engine_does_not_say_who_ended_it_nothing_is_claimed(exit_code: str, level: int, words: str) -> None:
    line = Exits().ended("4f2a", "web", exit_code, 0.0, by_hand=None, program="podman")
    assert line is not None
    assert line.text == f"web: {words} does not say whether it was told to stop; see podman logs web"
    assert line.level == level


def test_an_end_that_was_asked_for_is_not_told_but_the_next_one_is() -> None:
    exits = Exits()
    exits.signalled("4f2a", killed=False)
    exits.signalled("4f2a", killed=True)  # it did not listen
    assert exits.ended("4f2a", "web", "137", 0.0) is None
    assert exits.ended("4f2a", "web", "1", 1.0) is not None


def test_a_container_that_ends_again_and_again_is_told_less_and_less_often() -> None:
    exits = Exits()
    told = [exits.ended("4f2a", "web", "3", float(second)) for second in range(0, 160, 10)]
    assert [second * 10 for second, line in enumerate(told) if line is not None] == [0, 10, 20, 30, 70, 150]
    assert told[3] is not None
    assert told[3].text == (
        "web: ended with exit code 3 without being told to stop, for the 4th time in 30 s; see docker logs web"
    )
    assert exits.ended("beef", "api", "3", 160.0) is not None, "another one is told"
    assert exits.ended("4f2a", "web", "3", 150.0 + 180.0) is not None, "after a while it is as before"


def test_those_that_died_long_ago_are_forgotten() -> None:
    exits = Exits()
    for number in range(1000):
        exits.ended(f"id-{number}", "web", "1", 10.0 * number)
    assert repr(exits).endswith("18 have ended lately>")


def test_those_that_are_gone_without_a_word_are_forgotten() -> None:
    exits = Exits()
    exits.signalled("4f2a", killed=False)
    exits.signalled("beef", killed=True)
    exits.keep({"cafe"})
    assert repr(exits).startswith("<Exits: 0 containers were told to stop, 0 were killed, ")
