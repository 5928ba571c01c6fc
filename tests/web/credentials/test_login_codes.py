"""The codes of links that log a browser in: good once, for an hour, and only while the token stands."""

from __future__ import annotations

from dockerproxy.web.credentials.login_codes import LIFETIME, MOST_CODES, LoginCodes

TOKEN = "correct horse battery"


def test_a_code_is_good_once() -> None:
    codes = LoginCodes()
    code = codes.begin(TOKEN, 100.0)
    assert not codes.redeem("made up", TOKEN, 100.0)
    assert codes.redeem(code, TOKEN, 100.0 + LIFETIME - 1)
    assert not codes.redeem(code, TOKEN, 100.0)
    assert code not in repr(codes)


def test_a_code_is_good_for_an_hour() -> None:
    codes = LoginCodes()
    assert not codes.redeem(codes.begin(TOKEN, 100.0), TOKEN, 100.0 + LIFETIME)


def test_a_code_of_the_token_that_was_is_worth_nothing() -> None:
    codes = LoginCodes()
    assert not codes.redeem(codes.begin(TOKEN, 100.0), "another token", 100.0)


def test_codes_are_bounded_and_the_oldest_ends_first() -> None:
    codes = LoginCodes()
    first, *others = (codes.begin(TOKEN, 100.0) for _ in range(MOST_CODES + 1))
    assert not codes.redeem(first, TOKEN, 100.0)
    assert all(codes.redeem(code, TOKEN, 100.0) for code in others)
